"""Tokens that programs call with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row

from chassis.database import Transaction
from services.auth.domain import Revocation
from services.auth.domain.tokens import Scope, Token
from services.auth.store.sessions import void
from services.auth.store.tables import TOKEN


async def add_token(tx: Transaction, token: Token) -> None:
    """Keep a new token."""
    await tx.execute(
        sa.insert(TOKEN).values(
            id=token.id,
            owner_id=token.owner_id,
            user_id=token.user_id,
            name=token.name,
            scopes=list(token.scopes),
            create_time=token.create_time,
            expire_time=token.expire_time,
        )
    )


async def tokens_of(tx: Transaction, owner_id: UUID, user_id: UUID) -> Sequence[Token]:
    """The tokens of somebody that act for somebody and last, the newest first."""
    rows = await tx.execute(
        sa.select(TOKEN)
        .where(
            TOKEN.c.owner_id == owner_id,
            TOKEN.c.user_id == user_id,
            TOKEN.c.expire_time > sa.func.now(),
        )
        .order_by(TOKEN.c.create_time.desc())
    )
    return [_token(row) for row in rows]


async def end_tokens(
    tx: Transaction, owner_id: UUID, user_id: UUID, *, only: UUID | None = None
) -> Sequence[Revocation]:
    """End tokens of somebody that act for somebody: all of them, or `only` one."""
    over = sa.delete(TOKEN).where(TOKEN.c.owner_id == owner_id, TOKEN.c.user_id == user_id)
    if only is not None:
        over = over.where(TOKEN.c.id == only)
    rows = (await tx.execute(over.returning(TOKEN.c.id, TOKEN.c.expire_time))).all()
    return await void(tx, [(row.id, row.expire_time) for row in rows])


async def used(tx: Transaction, token_id: UUID, day: date) -> None:
    """Keep that a token was used on a day."""
    earlier = sa.or_(TOKEN.c.last_use_date.is_(None), TOKEN.c.last_use_date < day)
    await tx.execute(
        sa.update(TOKEN).where(TOKEN.c.id == token_id, earlier).values(last_use_date=day)
    )


async def forget_expired(tx: Transaction) -> None:
    """Drop the tokens whose time is over."""
    await tx.execute(sa.delete(TOKEN).where(TOKEN.c.expire_time < sa.func.now()))


def _token(row: Row[Any]) -> Token:
    return Token(
        row.id,
        row.owner_id,
        row.user_id,
        row.name,
        tuple(Scope(scope) for scope in row.scopes),
        row.create_time,
        row.expire_time,
        row.last_use_date,
    )
