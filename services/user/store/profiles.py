"""Where profiles are kept."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.user.domain import (
    EDITABLE,
    Audience,
    HandleTaken,
    Profile,
    UserNotFound,
    canonical_handle,
)
from services.user.store.tables import PROFILE


async def add(tx: Transaction, profile: Profile) -> Profile:
    """Keep a new profile; return the one made first when the person has one.

    Raises `HandleTaken` when somebody else has the handle, or one that looks like it.
    """
    await _decide_on(tx, profile.skeleton)
    await tx.execute(
        insert(PROFILE)
        .values(
            id=profile.id,
            handle=profile.handle,
            display_name=profile.display_name,
            bio=profile.bio,
            create_time=profile.create_time,
            status_text=profile.status_text,
            skeleton=profile.skeleton,
            bot=profile.bot,
        )
        .on_conflict_do_nothing()
    )
    kept = (await tx.execute(sa.select(PROFILE).where(PROFILE.c.id == profile.id))).one_or_none()
    if kept is None or kept.handle != profile.handle:
        raise HandleTaken(profile.handle)
    return _profile(kept)


async def profile_of(tx: Transaction, user_id: UUID) -> Profile:
    """A person's profile. Raises `UserNotFound`."""
    return _one((await tx.execute(sa.select(PROFILE).where(PROFILE.c.id == user_id))).one_or_none())


async def profiles_of(tx: Transaction, user_ids: Sequence[UUID]) -> Sequence[Profile]:
    """The profiles of those of these people who exist, in this order."""
    rows = await tx.execute(sa.select(PROFILE).where(PROFILE.c.id.in_(user_ids)))
    found = {row.id: _profile(row) for row in rows}
    return [found[user_id] for user_id in user_ids if user_id in found]


async def by_handle(tx: Transaction, handle: str) -> Profile:
    """The profile of who has a handle, regardless of case. Raises `UserNotFound`."""
    query = sa.select(PROFILE).where(PROFILE.c.handle == canonical_handle(handle))
    return _one((await tx.execute(query)).one_or_none())


async def profile_to_change(tx: Transaction, user_id: UUID) -> Profile:
    """A person's profile, which nobody else changes until the transaction ends."""
    query = sa.select(PROFILE).where(PROFILE.c.id == user_id).with_for_update()
    return _one((await tx.execute(query)).one_or_none())


async def save(tx: Transaction, profile: Profile) -> None:
    """Keep a changed profile."""
    await tx.execute(
        sa.update(PROFILE)
        .where(PROFILE.c.id == profile.id)
        .values({name: getattr(profile, name) for name in EDITABLE})
    )


async def rename(tx: Transaction, profile: Profile) -> None:
    """Keep the other handle of a profile.

    Raises `HandleTaken` when somebody else has the handle, or one that looks like it.
    """
    await _decide_on(tx, profile.skeleton)
    alike = sa.or_(PROFILE.c.handle == profile.handle, PROFILE.c.skeleton == profile.skeleton)
    query = sa.select(PROFILE.c.id).where(alike, PROFILE.c.id != profile.id)
    if (await tx.execute(query.limit(1))).one_or_none() is not None:
        raise HandleTaken(profile.handle)
    await tx.execute(
        sa.update(PROFILE)
        .where(PROFILE.c.id == profile.id)
        .values(
            handle=profile.handle,
            skeleton=profile.skeleton,
            handle_change_time=profile.handle_change_time,
        )
    )


async def set_deactivated(
    tx: Transaction, user_id: UUID, revision: int, *, deactivated: bool
) -> bool:
    """Keep whether somebody is away. False when as much or more was known of them already."""
    changed = await tx.execute(
        sa.update(PROFILE)
        .where(PROFILE.c.id == user_id, PROFILE.c.standing_revision < revision)
        .values(deactivated=deactivated, standing_revision=revision, told_revision=revision)
    )
    return bool(changed.rowcount)


async def take_untold_standings(tx: Transaction, limit: int) -> Sequence[tuple[UUID, int, bool]]:
    """Who is away or back of whom others were not told: their revision, and whether they are away.

    From here on they count as told.
    """
    untold = (
        sa.select(PROFILE.c.id)
        .where(PROFILE.c.told_revision < PROFILE.c.standing_revision)
        .order_by(PROFILE.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = await tx.execute(
        sa.update(PROFILE)
        .where(PROFILE.c.id == sa.any_(sa.func.array(untold.scalar_subquery())))
        .values(told_revision=PROFILE.c.standing_revision)
        .returning(PROFILE.c.id, PROFILE.c.standing_revision, PROFILE.c.deactivated)
    )
    return [(row.id, row.standing_revision, row.deactivated) for row in rows]


async def _decide_on(tx: Transaction, skeleton: str) -> None:
    """Let nobody else be given a handle that looks like this until the transaction ends."""
    await tx.execute(
        sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(skeleton, 2)))
    )


def _one(row: Row[tuple[object, ...]] | None) -> Profile:
    if row is None:
        raise UserNotFound
    return _profile(row)


def _profile(row: Row[tuple[object, ...]]) -> Profile:
    return Profile(
        row.id,
        row.handle,
        row.display_name,
        row.bio,
        row.create_time,
        row.status_text,
        row.bot,
        row.avatar_id,
        Audience(row.bio_audience),
        Audience(row.status_audience),
        row.deactivated,
        row.handle_change_time,
    )
