"""Where profiles are kept."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.user.domain import HandleTaken, Profile, UserNotFound

METADATA = sa.MetaData()

PROFILE = sa.Table(
    "profile",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("handle", sa.Text, nullable=False, unique=True),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("bio", sa.Text, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
)


async def add(tx: Transaction, profile: Profile) -> Profile:
    """Keep a new profile; return the one made first when the person has one.

    Raises `HandleTaken` when the handle belongs to somebody else.
    """
    await tx.execute(
        insert(PROFILE)
        .values(
            id=profile.id,
            handle=profile.handle,
            display_name=profile.display_name,
            bio=profile.bio,
            create_time=profile.create_time,
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


async def profile_to_change(tx: Transaction, user_id: UUID) -> Profile:
    """A person's profile, which nobody else changes until the transaction ends."""
    query = sa.select(PROFILE).where(PROFILE.c.id == user_id).with_for_update()
    return _one((await tx.execute(query)).one_or_none())


async def save(tx: Transaction, profile: Profile) -> None:
    """Keep a changed profile."""
    await tx.execute(
        sa.update(PROFILE)
        .where(PROFILE.c.id == profile.id)
        .values(display_name=profile.display_name, bio=profile.bio)
    )


def _one(row: Row[tuple[object, ...]] | None) -> Profile:
    if row is None:
        raise UserNotFound
    return _profile(row)


def _profile(row: Row[tuple[object, ...]]) -> Profile:
    return Profile(row.id, row.handle, row.display_name, row.bio, row.create_time)
