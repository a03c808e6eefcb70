"""What is kept of a person, and what would be without anybody if they went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from chassis.database import Transaction
from chassis.person import Part, of
from services.rbac.domain.policy import INSTANCE, Kind
from services.rbac.store.tables import BINDING, MEMBER_OVERRIDE, PERSON, ROLE, TIMEOUT

PARTS: Final = (
    Part(BINDING, of(BINDING.c.user_id), stays="taken before, as everybody has to be told"),
    Part(MEMBER_OVERRIDE, of(MEMBER_OVERRIDE.c.user_id)),
    Part(TIMEOUT, of(TIMEOUT.c.user_id), frozenset({"creator_id"})),
    Part(
        PERSON,
        of(PERSON.c.user_id),
        frozenset({"version", "revision", "admission"}),
        stays="versions only rise; what is left is an id that leads to nobody",
    ),
)
"""What is kept of a person."""
_OTHERS: Final = BINDING.alias("others")


async def places_of(tx: Transaction, user_id: UUID) -> Sequence[UUID]:
    """The communities a person has roles in; the instance may be one."""
    query = sa.select(BINDING.c.community_id).where(BINDING.c.user_id == user_id).distinct()
    return (await tx.execute(query)).scalars().all()


async def owned_with_others(tx: Transaction, user_id: UUID, limit: int) -> Sequence[UUID]:
    """The communities a person owns and others belong to."""
    query = (
        sa.select(BINDING.c.community_id)
        .join(ROLE, ROLE.c.id == BINDING.c.role_id)
        .where(
            BINDING.c.user_id == user_id,
            BINDING.c.community_id != INSTANCE,
            ROLE.c.kind == Kind.OWNER,
            _others(user_id),
        )
        .order_by(BINDING.c.community_id)
        .limit(limit)
    )
    return (await tx.execute(query)).scalars().all()


async def administrates_alone(tx: Transaction, user_id: UUID) -> bool:
    """Whether a person administrates the instance, and nobody else does."""
    query = sa.select(sa.literal(1)).where(
        BINDING.c.user_id == user_id, BINDING.c.community_id == INSTANCE, ~_others(user_id)
    )
    return (await tx.execute(query.limit(1))).one_or_none() is not None


def _others(user_id: UUID) -> sa.Exists:
    """Whether somebody else has a role in the community."""
    return sa.exists().where(
        _OTHERS.c.community_id == BINDING.c.community_id, _OTHERS.c.user_id != user_id
    )
