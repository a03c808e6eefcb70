"""Policies: read whole, in one statement; changed under the lock of their community."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.rbac.domain.errors import CommunityNotProvisioned
from services.rbac.domain.permissions import IN_COMMUNITY, Permission
from services.rbac.domain.policy import Kind, Override, Policy, Role
from services.rbac.store.tables import (
    BINDING,
    COMMUNITY,
    PRIVATE_CHANNEL,
    REVISION,
    ROLE,
    ROLE_OVERRIDE,
)

_POLICY: Final = sa.text(
    """
    SELECT version, next_number,
        (
            SELECT json_agg(
                json_build_array(id, number, name, kind, allow, deny, color, create_time)
                ORDER BY position
            )
            FROM role WHERE role.community_id = community.id
        ) AS roles,
        (
            SELECT json_agg(json_build_array(channel_id, role_id, allow, deny))
            FROM role_override WHERE role_override.community_id = community.id
        ) AS overrides
    FROM community WHERE id = :community_id
    """
)
_PLACES: Final = sa.text(
    """
    UPDATE role SET position = place - 1
    FROM unnest(CAST(:roles AS uuid[])) WITH ORDINALITY AS ordered (id, place)
    WHERE role.id = ordered.id AND position <> place - 1
    """
)
_NUMBERS: Final = frozenset(Permission)


async def take_revisions(tx: Transaction, count: int) -> range:
    """Take the next revisions; other changes wait until this transaction ends."""
    bumped = sa.update(REVISION).values(value=REVISION.c.value + count)
    last = int((await tx.execute(bumped.returning(REVISION.c.value))).scalar_one())
    return range(last - count + 1, last + 1)


async def revision(tx: Transaction) -> int:
    """The revision of the last change."""
    return int((await tx.execute(sa.select(REVISION.c.value))).scalar_one())


async def revision_and_time(tx: Transaction) -> tuple[int, datetime]:
    """The revision of the last change, and what time it is."""
    now = sa.func.clock_timestamp().label("now")
    row = (await tx.execute(sa.select(REVISION.c.value, now))).one()
    return row.value, row.now


async def policy(tx: Transaction, community_id: UUID) -> Policy:
    """The community's policy as it is now. Raises `CommunityNotProvisioned`."""
    row = (await tx.execute(_POLICY, {"community_id": community_id})).one_or_none()
    if row is None:
        raise CommunityNotProvisioned
    return _policy(community_id, row)


async def policy_to_change(tx: Transaction, community_id: UUID) -> Policy:
    """The policy, while other changes to the community wait for this transaction."""
    await tx.execute(
        sa.select(COMMUNITY.c.id)
        .where(COMMUNITY.c.id == community_id)
        .with_for_update(key_share=True)
    )
    return await policy(tx, community_id)


def permissions(numbers: Iterable[int]) -> frozenset[Permission]:
    """What is kept as numbers; one that this release does not know is left out."""
    return frozenset(Permission(number) for number in numbers if number in _NUMBERS)


def _policy(community_id: UUID, row: Row[Any]) -> Policy:
    channels: dict[UUID, dict[UUID, Override]] = {}
    for channel_id, role_id, allow, deny in row.overrides or ():
        said = Override(permissions(allow), permissions(deny))
        channels.setdefault(UUID(channel_id), {})[UUID(role_id)] = said
    return Policy(
        community_id,
        row.version,
        tuple(_role(*role) for role in row.roles or ()),
        channels,
        row.next_number,
    )


def _role(
    role_id: str,
    number: int,
    name: str,
    kind: int,
    allow: list[int],
    deny: list[int],
    color: int,
    create_time: str,
) -> Role:
    return Role(
        UUID(role_id),
        number,
        name,
        Kind(kind),
        IN_COMMUNITY if kind == Kind.OWNER else permissions(allow),
        permissions(deny),
        color,
        datetime.fromisoformat(create_time),
    )


async def add_policy(tx: Transaction, policy: Policy) -> bool:
    """Keep a community's first policy. False when it has one already."""
    added = await tx.add(
        insert(COMMUNITY)
        .values(
            id=policy.community_id,
            version=policy.version,
            revision=0,
            next_number=policy.next_number,
        )
        .on_conflict_do_nothing()
    )
    if added:
        await tx.execute(
            sa.insert(ROLE),
            [_row(policy.community_id, role, i) for i, role in enumerate(policy.roles)],
        )
        rows = [
            {
                "community_id": policy.community_id,
                "channel_id": channel_id,
                "role_id": role_id,
                "allow": sorted(said.allow),
                "deny": sorted(said.deny),
            }
            for (channel_id, role_id), said in _overrides(policy).items()
        ]
        if rows:
            await tx.execute(sa.insert(ROLE_OVERRIDE), rows)
    return bool(added)


async def save(tx: Transaction, before: Policy, after: Policy, revision: int) -> Policy:
    """Keep what changed between two policies of a community, under a new version.

    The caller holds the lock of the community and has taken the revision.
    """
    kept = {role.id: role for role in before.roles}
    gone = kept.keys() - {role.id for role in after.roles}
    if gone:
        await _forget_roles(tx, gone)
    for position, role in enumerate(after.roles):
        if role.id not in kept:
            row = _row(after.community_id, role, position)
            await tx.execute(sa.insert(ROLE), [row])
        elif role != kept[role.id]:
            row = _row(after.community_id, role, position)
            await tx.execute(sa.update(ROLE).where(ROLE.c.id == role.id).values(row))
    if before.roles != after.roles:
        await tx.execute(_PLACES, {"roles": [role.id for role in after.roles]})
    await _save_overrides(tx, before, after, gone)
    changed = (
        sa.update(COMMUNITY)
        .where(COMMUNITY.c.id == after.community_id)
        .values(version=before.version + 1, revision=revision, next_number=after.next_number)
    )
    await tx.execute(changed)
    return replace(after, version=before.version + 1)


async def note_revision(tx: Transaction, community_id: UUID, revision: int) -> None:
    """Note the revision of a community's first policy."""
    await tx.execute(
        sa.update(COMMUNITY).where(COMMUNITY.c.id == community_id).values(revision=revision)
    )


async def _forget_roles(tx: Transaction, roles: Iterable[UUID]) -> None:
    gone = list(roles)
    await tx.execute(sa.delete(BINDING).where(BINDING.c.role_id.in_(gone)))
    await tx.execute(sa.delete(ROLE_OVERRIDE).where(ROLE_OVERRIDE.c.role_id.in_(gone)))
    await tx.execute(sa.delete(ROLE).where(ROLE.c.id.in_(gone)))


async def _save_overrides(
    tx: Transaction, before: Policy, after: Policy, gone: Iterable[UUID]
) -> None:
    was, becomes = _overrides(before), _overrides(after)
    table = ROLE_OVERRIDE.c
    for key in was.keys() - becomes.keys():
        channel_id, role_id = key
        if role_id not in gone:
            await tx.execute(
                sa.delete(ROLE_OVERRIDE).where(
                    table.community_id == after.community_id,
                    table.channel_id == channel_id,
                    table.role_id == role_id,
                )
            )
    for key, said in becomes.items():
        if was.get(key) != said:
            channel_id, role_id = key
            values = {"allow": sorted(said.allow), "deny": sorted(said.deny)}
            await tx.execute(
                insert(ROLE_OVERRIDE)
                .values(
                    community_id=after.community_id,
                    channel_id=channel_id,
                    role_id=role_id,
                    **values,
                )
                .on_conflict_do_update(
                    index_elements=[table.community_id, table.channel_id, table.role_id],
                    set_=values,
                )
            )


def _overrides(policy: Policy) -> dict[tuple[UUID, UUID], Override]:
    return {
        (channel_id, role_id): said
        for channel_id, overrides in policy.channels.items()
        for role_id, said in overrides.items()
    }


def _row(community_id: UUID, role: Role, position: int) -> dict[str, object]:
    owns = role.kind == Kind.OWNER
    return {
        "id": role.id,
        "community_id": community_id,
        "name": role.name,
        "position": position,
        "number": role.number,
        "kind": int(role.kind),
        "color": role.color,
        "allow": [] if owns else [int(p) for p in sorted(role.allow - role.deny)],
        "deny": [] if owns else [int(p) for p in sorted(role.deny)],
        "create_time": role.create_time,
    }


async def note_transfer(tx: Transaction, community_id: UUID, number: int) -> bool:
    """Note that a community changes hands. False when a transfer of that number, or a
    later one, was made already."""
    noted = await tx.execute(
        sa.update(COMMUNITY)
        .where(COMMUNITY.c.id == community_id, COMMUNITY.c.transfers < number)
        .values(transfers=number)
    )
    return bool(noted.rowcount)


async def forget_private(tx: Transaction, community_id: UUID, channel_id: UUID) -> None:
    """Forget that a channel was made private."""
    await tx.execute(
        sa.delete(PRIVATE_CHANNEL).where(
            PRIVATE_CHANNEL.c.community_id == community_id,
            PRIVATE_CHANNEL.c.channel_id == channel_id,
        )
    )


async def note_private(tx: Transaction, community_id: UUID, channel_id: UUID) -> bool:
    """Note that a channel is made private. False when it was once before."""
    row = {"community_id": community_id, "channel_id": channel_id}
    return bool(await tx.add(insert(PRIVATE_CHANNEL).values(row).on_conflict_do_nothing()))
