"""Apps, and who lets them act."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.auth.domain.apps import App, AppNotFound, Consent
from services.auth.domain.tokens import Scope
from services.auth.store.tables import APP, APP_CONSENT


async def add_app(tx: Transaction, app: App) -> None:
    """Keep a new app."""
    await tx.execute(
        sa.insert(APP).values(
            id=app.id,
            owner_id=app.owner_id,
            name=app.name,
            redirect_uris=list(app.redirect_uris),
            scopes=list(app.scopes),
            secret_hash=app.secret_hash,
            create_time=app.create_time,
        )
    )


async def app(tx: Transaction, app_id: UUID) -> App | None:
    """An app by its id."""
    row = (await tx.execute(sa.select(APP).where(APP.c.id == app_id))).one_or_none()
    return None if row is None else _app(row)


async def apps_of(tx: Transaction, owner_id: UUID) -> Sequence[App]:
    """The apps of somebody, the newest first."""
    rows = await tx.execute(
        sa.select(APP).where(APP.c.owner_id == owner_id).order_by(APP.c.create_time.desc())
    )
    return [_app(row) for row in rows]


async def set_secret(tx: Transaction, owner_id: UUID, app_id: UUID, secret_hash: bytes) -> App:
    """Keep another secret of a confidential app of somebody's. Raises `AppNotFound`."""
    changed = (
        sa.update(APP)
        .where(APP.c.id == app_id, APP.c.owner_id == owner_id, APP.c.secret_hash.is_not(None))
        .values(secret_hash=secret_hash)
    )
    row = (await tx.execute(changed.returning(APP))).one_or_none()
    if row is None:
        raise AppNotFound
    return _app(row)


async def drop_app(tx: Transaction, owner_id: UUID, app_id: UUID) -> bool:
    """Forget an app of somebody's, and who let it act. False when there is none."""
    gone = await tx.execute(sa.delete(APP).where(APP.c.id == app_id, APP.c.owner_id == owner_id))
    return bool(gone.rowcount)


async def owned(tx: Transaction, owner_id: UUID, app_id: UUID) -> bool:
    """Whether an app is somebody's; it is not deleted until the transaction ends."""
    query = sa.select(APP.c.id).where(APP.c.id == app_id, APP.c.owner_id == owner_id)
    return (await tx.execute(query.with_for_update())).one_or_none() is not None


async def consent(
    tx: Transaction, user_id: UUID, app_id: UUID, scopes: Sequence[Scope], now: datetime
) -> bool:
    """Keep that somebody lets an app act for them, besides what they let it before.

    False when they let it all of that already.
    """
    before = await consented(tx, user_id, app_id)
    together = [scope for scope in Scope if scope in {*before, *scopes}]
    values = {"scopes": together, "create_time": now}
    await tx.execute(
        insert(APP_CONSENT)
        .values(user_id=user_id, app_id=app_id, **values)
        .on_conflict_do_update(
            index_elements=[APP_CONSENT.c.user_id, APP_CONSENT.c.app_id], set_=values
        )
    )
    return not set(scopes) <= set(before)


async def consented(tx: Transaction, user_id: UUID, app_id: UUID) -> Sequence[Scope]:
    """What somebody lets an app do."""
    query = sa.select(APP_CONSENT.c.scopes).where(
        APP_CONSENT.c.user_id == user_id, APP_CONSENT.c.app_id == app_id
    )
    scopes = (await tx.execute(query)).scalar_one_or_none() or ()
    return [Scope(scope) for scope in scopes]


async def consents_of(tx: Transaction, user_id: UUID, limit: int) -> Sequence[tuple[App, Consent]]:
    """Which apps somebody lets act for them, the latest first."""
    said = APP_CONSENT.c
    rows = await tx.execute(
        sa.select(APP, said.scopes.label("given"), said.create_time.label("said"))
        .join(APP_CONSENT, said.app_id == APP.c.id)
        .where(said.user_id == user_id)
        .order_by(said.create_time.desc())
        .limit(limit)
    )
    return [
        (_app(row), Consent(user_id, row.id, tuple(map(Scope, row.given)), row.said))
        for row in rows
    ]


async def take_back(tx: Transaction, user_id: UUID, app_id: UUID) -> bool:
    """Forget that somebody lets an app act for them. False when they let it nothing."""
    taken = await tx.execute(
        sa.delete(APP_CONSENT).where(
            APP_CONSENT.c.user_id == user_id, APP_CONSENT.c.app_id == app_id
        )
    )
    return bool(taken.rowcount)


def _app(row: Row[Any]) -> App:
    return App(
        row.id,
        row.owner_id,
        row.name,
        tuple(row.redirect_uris),
        tuple(map(Scope, row.scopes)),
        row.secret_hash,
        row.create_time,
    )
