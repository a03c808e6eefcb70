"""Identities somewhere else, and whose accounts they sign in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.auth.domain.identities import Identity
from services.auth.store.tables import IDENTITY


async def link(tx: Transaction, identity: Identity) -> Identity | None:
    """Link an identity. None when it, or the account's place for it, is taken by another."""
    added = insert(IDENTITY).values(
        provider=identity.provider,
        issuer=identity.issuer,
        subject=identity.subject,
        account_id=identity.account_id,
        create_time=identity.create_time,
    )
    await tx.execute(added.on_conflict_do_nothing())
    kept = await identity_of(tx, identity.issuer, identity.subject)
    return kept if kept is not None and kept.account_id == identity.account_id else None


async def identity_of(tx: Transaction, issuer: str, subject: str) -> Identity | None:
    """Whose an identity is."""
    query = sa.select(IDENTITY).where(IDENTITY.c.issuer == issuer, IDENTITY.c.subject == subject)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _identity(row)


async def identities_of(tx: Transaction, account_id: UUID) -> Sequence[Identity]:
    """The identities linked to an account."""
    query = sa.select(IDENTITY).where(IDENTITY.c.account_id == account_id)
    return [_identity(row) for row in await tx.execute(query.order_by(IDENTITY.c.provider))]


async def unlink(tx: Transaction, account_id: UUID, provider: str) -> bool:
    """Unlink an account's identity at a provider. False when there was none."""
    unlinked = await tx.execute(
        sa.delete(IDENTITY).where(
            IDENTITY.c.account_id == account_id, IDENTITY.c.provider == provider
        )
    )
    return bool(unlinked.rowcount)


def _identity(row: Row[Any]) -> Identity:
    return Identity(row.provider, row.issuer, row.subject, row.account_id, row.create_time)
