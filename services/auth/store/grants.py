"""Codes, and what apps were given for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row

from chassis.database import Transaction
from services.auth.domain import Revocation, Session
from services.auth.domain.apps import CODE_REMEMBERED, Code, Grant
from services.auth.domain.tokens import Scope
from services.auth.store.sessions import rotation, void
from services.auth.store.tables import APP_CODE, APP_GRANT


async def add_code(tx: Transaction, code: Code) -> None:
    """Keep a new code."""
    await tx.execute(
        sa.insert(APP_CODE).values(
            code_hash=code.code_hash,
            app_id=code.app_id,
            user_id=code.user_id,
            redirect_uri=code.redirect_uri,
            scopes=list(code.scopes),
            challenge=code.challenge,
            expire_time=code.expire_time,
        )
    )


async def code_to_use(tx: Transaction, code_hash: bytes) -> Code | None:
    """A code, which nobody else uses until the transaction ends."""
    query = sa.select(APP_CODE).where(APP_CODE.c.code_hash == code_hash).with_for_update()
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        return None
    return Code(
        row.code_hash,
        row.app_id,
        row.user_id,
        row.redirect_uri,
        tuple(map(Scope, row.scopes)),
        row.challenge,
        row.expire_time,
        row.grant_id,
    )


async def code_is_used(tx: Transaction, code_hash: bytes, grant_id: UUID) -> None:
    """Keep what a code gave."""
    used = sa.update(APP_CODE).where(APP_CODE.c.code_hash == code_hash)
    await tx.execute(used.values(grant_id=grant_id))


async def add_grant(tx: Transaction, grant: Grant) -> None:
    """Keep what an app was given."""
    await tx.execute(
        sa.insert(APP_GRANT).values(
            id=grant.session.id,
            app_id=grant.app_id,
            account_id=grant.session.account_id,
            scopes=list(grant.scopes),
            refresh_hash=grant.session.refresh_hash,
            create_time=grant.session.create_time,
            expire_time=grant.session.expire_time,
        )
    )


async def grant_to_change(tx: Transaction, grant_id: UUID, now: datetime) -> Grant | None:
    """What an app was given and lasts, which nobody else changes until the transaction ends."""
    query = sa.select(APP_GRANT).where(APP_GRANT.c.id == grant_id, APP_GRANT.c.expire_time > now)
    row = (await tx.execute(query.with_for_update())).one_or_none()
    return None if row is None else _grant(row)


async def save_grant(tx: Transaction, grant: Grant) -> None:
    """Keep that an app was given new tokens."""
    session = grant.session
    await tx.execute(
        sa.update(APP_GRANT).where(APP_GRANT.c.id == session.id).values(rotation(session))
    )


async def end_grants(
    tx: Transaction,
    tokens_end: datetime,
    *,
    account_id: UUID | None = None,
    app_id: UUID | None = None,
    only: UUID | None = None,
) -> Sequence[tuple[Revocation, UUID]]:
    """End what was given for an account, to an app, or once; each with whose it was.

    Codes that were not used yet are void, too.
    """
    over, codes = sa.delete(APP_GRANT), sa.delete(APP_CODE).where(APP_CODE.c.grant_id.is_(None))
    if account_id is not None:
        over = over.where(APP_GRANT.c.account_id == account_id)
        codes = codes.where(APP_CODE.c.user_id == account_id)
    if app_id is not None:
        over = over.where(APP_GRANT.c.app_id == app_id)
        codes = codes.where(APP_CODE.c.app_id == app_id)
    if only is not None:
        over = over.where(APP_GRANT.c.id == only)
    else:
        await tx.execute(codes)
    rows = (await tx.execute(over.returning(APP_GRANT.c.id, APP_GRANT.c.account_id))).all()
    ended = await void(tx, [(row.id, tokens_end) for row in rows])
    return [(one, row.account_id) for one, row in zip(ended, rows, strict=True)]


async def forget_expired(tx: Transaction) -> None:
    """Drop what is over."""
    await tx.execute(sa.delete(APP_GRANT).where(APP_GRANT.c.expire_time < sa.func.now()))
    past = sa.func.now() - CODE_REMEMBERED
    await tx.execute(sa.delete(APP_CODE).where(APP_CODE.c.expire_time < past))


def _grant(row: Row[Any]) -> Grant:
    session = Session(
        row.id,
        row.account_id,
        row.refresh_hash,
        row.create_time,
        row.expire_time,
        row.previous_hash,
        row.rotate_time,
    )
    return Grant(session, row.app_id, tuple(map(Scope, row.scopes)))
