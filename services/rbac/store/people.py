"""People: what they hold in communities, and what changed of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.rbac.domain.policy import Binding, Holdings, Kind, Override, binding_of
from services.rbac.store.policies import permissions
from services.rbac.store.tables import BINDING, MEMBER_OVERRIDE, PERSON

_HELD: Final = """
    (
        SELECT json_agg(json_build_array(role.id, role.number, role.kind, by_hand))
        FROM binding JOIN role ON role.id = binding.role_id
        WHERE binding.community_id = somebody.community_id
            AND binding.user_id = somebody.user_id
    ) AS roles,
    (
        SELECT json_agg(json_build_array(channel_id, allow, deny)) FROM member_override
        WHERE member_override.community_id = somebody.community_id
            AND member_override.user_id = somebody.user_id
    ) AS overrides,
    (
        SELECT expire_time FROM timeout
        WHERE timeout.community_id = somebody.community_id
            AND timeout.user_id = somebody.user_id
    ) AS timed_out_until,
    coalesce((
        SELECT pending FROM person AS marked
        WHERE marked.community_id = somebody.community_id
            AND marked.user_id = somebody.user_id
    ), false) AS pending,
    clock_timestamp() AS now
"""
_STANDINGS: Final = sa.text(
    f"""
    SELECT somebody.community_id, somebody.user_id, revision.value AS revision,
        coalesce(community.version, 0) AS policy_version,
        coalesce(person.version, 0) AS version, {_HELD}
    FROM revision
    CROSS JOIN unnest(CAST(:communities AS uuid[]), CAST(:users AS uuid[]))
        WITH ORDINALITY AS somebody (community_id, user_id, place)
    LEFT JOIN community ON community.id = somebody.community_id
    LEFT JOIN person ON person.community_id = somebody.community_id
        AND person.user_id = somebody.user_id
    ORDER BY somebody.place
    """  # noqa: S608  # put together from constants
)
_BINDINGS: Final = sa.text(
    f"""
    SELECT somebody.community_id, somebody.user_id, somebody.version, {_HELD}
    FROM person AS somebody
    JOIN (SELECT DISTINCT community_id FROM binding WHERE user_id = :user_id) AS here
        USING (community_id)
    WHERE somebody.user_id = :user_id
    ORDER BY somebody.community_id
    """  # noqa: S608  # put together from constants
)
_FELLOWS: Final = sa.text(
    """
    SELECT DISTINCT theirs.user_id
    FROM binding AS mine JOIN binding AS theirs USING (community_id)
    WHERE mine.user_id = :user_id AND theirs.user_id <> :user_id
        AND theirs.user_id = ANY(CAST(:among AS uuid[]))
    """
)
_CHANGED: Final = sa.text(
    f"""
    SELECT somebody.community_id, somebody.user_id, somebody.version, {_HELD}
    FROM person AS somebody
    WHERE somebody.revision > :after
    ORDER BY somebody.revision
    LIMIT :limit
    """  # noqa: S608  # put together from constants
)
_POLICIES_CHANGED: Final = sa.text(
    """
    SELECT id, version FROM community WHERE revision > :after ORDER BY revision LIMIT :limit
    """
)
_CANDIDATES: Final = sa.text(
    f"""
    SELECT somebody.community_id, somebody.user_id, 0 AS version, {_HELD}
    FROM (
        SELECT CAST(:community_id AS uuid) AS community_id, user_id
        FROM (
            SELECT holder.user_id FROM unnest(CAST(:roles AS uuid[])) AS asked (role_id)
            CROSS JOIN LATERAL (
                SELECT user_id FROM binding
                WHERE binding.role_id = asked.role_id AND user_id > :after
                ORDER BY user_id LIMIT :limit
            ) AS holder
            UNION
            (
                SELECT user_id FROM member_override
                WHERE community_id = :community_id AND channel_id = :channel_id
                    AND user_id > :after
                ORDER BY user_id LIMIT :limit
            )
        ) AS found
        ORDER BY user_id LIMIT :limit
    ) AS somebody
    ORDER BY somebody.user_id
    """  # noqa: S608  # put together from constants
)
# From each channel to the next: many may be overridden in one, and none of them is counted.
_OVERRIDDEN_CHANNELS: Final = sa.text(
    """
    WITH RECURSIVE overridden AS (
        SELECT CAST('00000000-0000-0000-0000-000000000000' AS uuid) AS channel_id
        UNION ALL
        SELECT least(
            (
                SELECT channel_id FROM member_override
                WHERE community_id = :community_id AND channel_id > before.channel_id
                ORDER BY channel_id LIMIT 1
            ),
            (
                SELECT channel_id FROM role_override
                WHERE community_id = :community_id AND channel_id > before.channel_id
                ORDER BY channel_id LIMIT 1
            )
        )
        FROM overridden AS before WHERE before.channel_id IS NOT NULL
    )
    SELECT count(channel_id) - 1 FROM overridden
    """
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands in a community, at a revision."""

    revision: int
    policy_version: int
    """0 when the community was never provisioned."""
    holdings: Holdings
    binding: Binding


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed after a revision."""

    bindings: list[Binding]
    policies: list[tuple[UUID, int]]


async def standings(tx: Transaction, people: Sequence[tuple[UUID, UUID]]) -> list[Standing]:
    """Where these (community, person) stand, all of one moment, in their order."""
    communities, users = [c for c, _ in people], [u for _, u in people]
    rows = await tx.execute(_STANDINGS, {"communities": communities, "users": users})
    return [
        Standing(row.revision, row.policy_version, _holdings(row), _binding(row)) for row in rows
    ]


async def standing(tx: Transaction, community_id: UUID, user_id: UUID) -> Standing:
    """Where a person stands in a community."""
    return (await standings(tx, [(community_id, user_id)]))[0]


async def bindings_of(tx: Transaction, user_id: UUID) -> list[Binding]:
    """What a person has, wherever they have something."""
    return [_binding(row) for row in await tx.execute(_BINDINGS, {"user_id": user_id})]


async def fellows(tx: Transaction, user_id: UUID, among: Sequence[UUID]) -> Sequence[UUID]:
    """Those of these people who have a role in a community in which a person has one."""
    asked = {"user_id": user_id, "among": list(among)}
    return (await tx.execute(_FELLOWS, asked)).scalars().all()


async def changes_after(tx: Transaction, revision: int, limit: int) -> Changes:
    """What changed after a revision, up to `limit` of each kind, the earliest first."""
    asked = {"after": revision, "limit": limit}
    people, policies = await tx.execute(_CHANGED, asked), await tx.execute(_POLICIES_CHANGED, asked)
    return Changes([_binding(row) for row in people], [(row.id, row.version) for row in policies])


async def candidates(
    tx: Transaction,
    community_id: UUID,
    roles: Iterable[UUID],
    channel_id: UUID | None,
    after: UUID,
    limit: int,
) -> list[tuple[UUID, Holdings]]:
    """Those who have one of the roles or are overridden in the channel, by id, after one."""
    rows = await tx.execute(
        _CANDIDATES,
        {
            "community_id": community_id,
            "roles": list(roles),
            "channel_id": channel_id,
            "after": after,
            "limit": limit,
        },
    )
    return [(row.user_id, _holdings(row)) for row in rows]


async def bind(tx: Transaction, community_id: UUID, user_id: UUID, roles: Iterable[UUID]) -> bool:
    """Give a person roles by hand. False when they had them, in whatever way."""
    rows = [{"community_id": community_id, "user_id": user_id, "role_id": role} for role in roles]
    added = await tx.add(insert(BINDING).values(rows).on_conflict_do_nothing())
    held = [row["role_id"] for row in rows]
    await tx.execute(
        sa.update(BINDING)
        .where(*_holds(community_id, user_id), BINDING.c.role_id.in_(held), ~BINDING.c.by_hand)
        .values(by_hand=True)
    )
    return bool(added)


async def choose(
    tx: Transaction, community_id: UUID, user_id: UUID, roles: Collection[UUID]
) -> bool:
    """Give a person these roles by their answers, and no others in that way.

    What they have by hand they keep. False when they hold what they held.
    """
    theirs = _holds(community_id, user_id)
    dropped = (*theirs, BINDING.c.by_answer, BINDING.c.role_id.not_in(roles))
    gone = await tx.execute(sa.delete(BINDING).where(*dropped, ~BINDING.c.by_hand))
    await tx.execute(sa.update(BINDING).where(*dropped).values(by_answer=False))
    await tx.execute(
        sa.update(BINDING)
        .where(*theirs, BINDING.c.role_id.in_(roles), ~BINDING.c.by_answer)
        .values(by_answer=True)
    )
    row = {"community_id": community_id, "user_id": user_id, "by_hand": False, "by_answer": True}
    rows = [{**row, "role_id": role} for role in roles]
    added = rows and await tx.add(insert(BINDING).values(rows).on_conflict_do_nothing())
    return bool(gone.rowcount or added)


async def note_admission(tx: Transaction, community_id: UUID, user_id: UUID, number: int) -> bool:
    """Note what is said of a person's joining and answers. False when that number, or a
    later one, was noted already."""
    noted = await tx.add(
        insert(PERSON)
        .values(community_id=community_id, user_id=user_id, version=0, revision=0, admission=number)
        .on_conflict_do_update(
            index_elements=[PERSON.c.community_id, PERSON.c.user_id],
            set_={"admission": number},
            where=PERSON.c.admission < number,
        )
    )
    return bool(noted)


async def hold_back(tx: Transaction, community_id: UUID, user_id: UUID, *, pending: bool) -> None:
    """Mark whether a person is to accept the rules or answer questions first."""
    await tx.execute(
        insert(PERSON)
        .values(community_id=community_id, user_id=user_id, version=0, revision=0, pending=pending)
        .on_conflict_do_update(
            index_elements=[PERSON.c.community_id, PERSON.c.user_id],
            set_={"pending": pending},
            where=PERSON.c.pending != pending,
        )
    )


async def take(tx: Transaction, community_id: UUID, user_id: UUID, role_id: UUID) -> bool:
    """Take a role from a person, however they have it. False when they did not."""
    gone = await tx.execute(
        sa.delete(BINDING).where(*_holds(community_id, user_id), BINDING.c.role_id == role_id)
    )
    return bool(gone.rowcount)


async def unbind(tx: Transaction, community_id: UUID, user_id: UUID) -> bool:
    """Take every role and override from a person. False when they had no role."""
    for table in (MEMBER_OVERRIDE, BINDING):
        gone = await tx.execute(
            sa.delete(table).where(table.c.community_id == community_id, table.c.user_id == user_id)
        )
    return bool(gone.rowcount)


async def override(
    tx: Transaction, community_id: UUID, channel_id: UUID, user_id: UUID, said: Override
) -> None:
    """Override a person in a channel; by what is silent, no longer."""
    table = MEMBER_OVERRIDE.c
    key = {"community_id": community_id, "channel_id": channel_id, "user_id": user_id}
    if not said:
        await tx.execute(
            sa.delete(MEMBER_OVERRIDE).where(*(table[name] == key[name] for name in key))
        )
        return
    values = {"allow": sorted(said.allow), "deny": sorted(said.deny)}
    await tx.execute(
        insert(MEMBER_OVERRIDE)
        .values(**key, **values)
        .on_conflict_do_update(index_elements=[table[name] for name in key], set_=values)
    )


async def overridden(
    tx: Transaction, community_id: UUID, channel_id: UUID
) -> Mapping[UUID, Override]:
    """The people who are overridden in a channel, in the order of their ids."""
    table = MEMBER_OVERRIDE.c
    rows = await tx.execute(
        sa.select(table.user_id, table.allow, table.deny)
        .where(table.community_id == community_id, table.channel_id == channel_id)
        .order_by(table.user_id)
    )
    return {row.user_id: Override(permissions(row.allow), permissions(row.deny)) for row in rows}


async def overridden_channels(tx: Transaction, community_id: UUID) -> int:
    """In how many channels of a community something is overridden."""
    found = await tx.execute(_OVERRIDDEN_CHANNELS, {"community_id": community_id})
    return int(found.scalar_one())


async def holders(tx: Transaction, role_id: UUID) -> frozenset[UUID]:
    """The people who have a role."""
    rows = await tx.execute(sa.select(BINDING.c.user_id).where(BINDING.c.role_id == role_id))
    return frozenset(rows.scalars())


async def rebound(tx: Transaction, community_id: UUID, user_id: UUID, revision: int) -> Binding:
    """Note that what a person has changed, and return what they have now."""
    await tx.execute(
        insert(PERSON)
        .values(community_id=community_id, user_id=user_id, version=1, revision=revision)
        .on_conflict_do_update(
            index_elements=[PERSON.c.community_id, PERSON.c.user_id],
            set_={"version": PERSON.c.version + 1, "revision": revision},
        )
    )
    return (await standing(tx, community_id, user_id)).binding


def _holds(community_id: UUID, user_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return BINDING.c.community_id == community_id, BINDING.c.user_id == user_id


def _holdings(row: Row[Any]) -> Holdings:
    until = row.timed_out_until
    return Holdings(
        frozenset(UUID(role_id) for role_id, *_ in row.roles or ()),
        _overrides(row),
        until if until is not None and until > row.now else None,
        row.pending,
        frozenset(UUID(role_id) for role_id, _, _, by_hand in row.roles or () if not by_hand),
    )


def _binding(row: Row[Any]) -> Binding:
    roles = [(number, Kind(kind)) for _, number, kind, _ in row.roles or ()]
    return binding_of(
        row.community_id,
        row.user_id,
        row.version,
        roles,
        _overrides(row),
        row.timed_out_until,
        pending=row.pending,
    )


def _overrides(row: Row[Any]) -> dict[UUID, Override]:
    return {
        UUID(channel_id): Override(permissions(allow), permissions(deny))
        for channel_id, allow, deny in row.overrides or ()
    }
