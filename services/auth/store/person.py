"""What stands here of a person."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from chassis import ids
from chassis.database import Transaction
from chassis.person import Part, of
from services.auth.domain import Account
from services.auth.store.accounts import to_account
from services.auth.store.tables import (
    ACCOUNT,
    APP,
    APP_CODE,
    APP_CONSENT,
    APP_GRANT,
    BOT,
    HANDLE_CHANGE,
    IDENTITY,
    MAIL,
    PASSKEY,
    PROOF,
    SECOND_FACTOR,
    SESSION,
    SIGN_UP_USE,
    TOKEN,
)


def _mail(user_id: UUID) -> sa.ColumnElement[bool]:
    """What is said about the account, and to the address that is its own."""
    this = ACCOUNT.c.id == user_id
    verified = sa.select(ACCOUNT.c.email).where(this, ACCOUNT.c.email_verified_time.is_not(None))
    # One value each, so that each is looked up by its index.
    return sa.or_(
        MAIL.c.handle == sa.select(ACCOUNT.c.handle).where(this).scalar_subquery(),
        MAIL.c.recipient == verified.scalar_subquery(),
    )


def _bot(user_id: UUID) -> sa.ColumnElement[bool]:
    return sa.or_(BOT.c.owner_id == user_id, BOT.c.id == user_id)


PARTS: Final = (
    Part(
        SESSION,
        of(SESSION.c.account_id),
        frozenset({"refresh_hash", "previous_hash"}),
        names=ids.Kind.SESSION,
    ),
    Part(APP_CODE, of(APP_CODE.c.user_id), frozenset({"code_hash", "challenge"})),
    Part(
        APP_GRANT,
        of(APP_GRANT.c.account_id),
        frozenset({"refresh_hash", "previous_hash"}),
        names=ids.Kind.SESSION,
    ),
    Part(APP_CONSENT, of(APP_CONSENT.c.user_id)),
    Part(APP, of(APP.c.owner_id), frozenset({"secret_hash"}), names=ids.Kind.APP),
    Part(BOT, _bot, names=ids.Kind.USER),
    Part(TOKEN, of(TOKEN.c.owner_id)),
    Part(PROOF, of(PROOF.c.account_id), frozenset({"token_hash"})),
    Part(
        SECOND_FACTOR,
        of(SECOND_FACTOR.c.account_id),
        frozenset({"sealed_secret", "used_step"}),
    ),
    Part(
        PASSKEY,
        of(PASSKEY.c.account_id),
        frozenset({"credential_id", "public_key"}),
        names=ids.Kind.PASSKEY,
    ),
    Part(IDENTITY, of(IDENTITY.c.account_id)),
    Part(HANDLE_CHANGE, of(HANDLE_CHANGE.c.account_id)),
    Part(SIGN_UP_USE, of(SIGN_UP_USE.c.account_id)),
    Part(MAIL, _mail),
    Part(
        ACCOUNT,
        of(ACCOUNT.c.id),
        frozenset({"password_hash", "standing_revision", "told_revision"}),
        names=ids.Kind.USER,
    ),
)
"""What is kept of a person; what refers to the account comes before it."""


async def account_to_erase(tx: Transaction, user_id: UUID) -> Account | None:
    """The account of a person, whatever its standing; None when there is none (any more)."""
    query = sa.select(ACCOUNT).where(ACCOUNT.c.id == user_id).with_for_update()
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else to_account(row)
