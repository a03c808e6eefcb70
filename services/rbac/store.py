"""Where roles, bindings and the revision are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.rbac.domain import CommunityNotProvisioned, Permission, Policy, Role

METADATA = sa.MetaData()

REVISION = sa.Table(
    "revision",
    METADATA,
    sa.Column("singleton", sa.Boolean, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
COMMUNITY = sa.Table(
    "community",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
)
ROLE = sa.Table(
    "role",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.UniqueConstraint("community_id", "position"),
)
RULE = sa.Table(
    "rule",
    METADATA,
    sa.Column("role_id", sa.Uuid, sa.ForeignKey("role.id"), primary_key=True),
    sa.Column("permission", sa.Integer, primary_key=True),
    sa.Column("allow", sa.Boolean, nullable=False),
)
PERSON = sa.Table(
    "person",
    METADATA,
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), primary_key=True),
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
)
BINDING = sa.Table(
    "binding",
    METADATA,
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), primary_key=True),
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("role_id", sa.Uuid, sa.ForeignKey("role.id"), primary_key=True),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands in a community, at a revision."""

    revision: int
    policy_version: int
    """0 when the community was never provisioned."""
    binding_version: int
    roles: frozenset[UUID]


async def next_revision(tx: Transaction) -> int:
    """Take the next revision; other changes wait until this transaction ends."""
    bumped = sa.update(REVISION).values(value=REVISION.c.value + 1).returning(REVISION.c.value)
    return int((await tx.execute(bumped)).scalar_one())


async def revision(tx: Transaction) -> int:
    """The revision of the last change."""
    return int((await tx.execute(sa.select(REVISION.c.value))).scalar_one())


async def standing(tx: Transaction, community_id: UUID, user_id: UUID) -> Standing:
    """Where a person stands, all of one moment."""
    person = PERSON.alias()
    roles = (
        sa.select(sa.func.array_agg(BINDING.c.role_id))
        .where(BINDING.c.community_id == community_id, BINDING.c.user_id == user_id)
        .scalar_subquery()
    )
    row = (
        await tx.execute(
            sa.select(
                REVISION.c.value,
                sa.func.coalesce(COMMUNITY.c.version, 0).label("policy_version"),
                sa.func.coalesce(person.c.version, 0).label("binding_version"),
                roles.label("roles"),
            )
            .select_from(REVISION)
            .outerjoin(COMMUNITY, COMMUNITY.c.id == community_id)
            .outerjoin(
                person,
                sa.and_(person.c.community_id == community_id, person.c.user_id == user_id),
            )
        )
    ).one()
    return Standing(row.value, row.policy_version, row.binding_version, frozenset(row.roles or ()))


_POLICY = (
    sa.select(COMMUNITY.c.version, ROLE, RULE.c.permission, RULE.c.allow)
    .join(ROLE, ROLE.c.community_id == COMMUNITY.c.id)
    .outerjoin(RULE, RULE.c.role_id == ROLE.c.id)
    .order_by(ROLE.c.position)
)


async def policy(tx: Transaction, community_id: UUID) -> Policy:
    """The community's policy as it is now. Raises `CommunityNotProvisioned`."""
    return _policy(
        community_id, (await tx.execute(_POLICY.where(COMMUNITY.c.id == community_id))).all()
    )


async def policy_to_change(tx: Transaction, community_id: UUID) -> Policy:
    """The policy, while other changes to the community wait for this transaction."""
    await tx.execute(
        sa.select(COMMUNITY.c.id).where(COMMUNITY.c.id == community_id).with_for_update()
    )
    return await policy(tx, community_id)


def _policy(community_id: UUID, rows: Sequence[Row[Any]]) -> Policy:
    if not rows:
        raise CommunityNotProvisioned
    named = {row.id: (row.name, row.position) for row in rows}
    return Policy(
        community_id,
        rows[0].version,
        tuple(
            Role(
                role_id,
                name,
                position,
                allows=frozenset(
                    Permission(r.permission) for r in rows if r.id == role_id and r.allow
                ),
                denies=frozenset(
                    Permission(r.permission)
                    for r in rows
                    if r.id == role_id and r.allow is not None and not r.allow
                ),
            )
            for role_id, (name, position) in named.items()
        ),
    )


async def add_policy(tx: Transaction, policy: Policy) -> bool:
    """Keep a community's first policy. False when it has one already."""
    added = await tx.add(
        insert(COMMUNITY)
        .values(id=policy.community_id, version=policy.version)
        .on_conflict_do_nothing()
    )
    if not added:
        return False
    await tx.execute(
        sa.insert(ROLE),
        [
            {
                "id": role.id,
                "community_id": policy.community_id,
                "name": role.name,
                "position": role.position,
            }
            for role in policy.roles
        ],
    )
    await tx.execute(
        sa.insert(RULE),
        [
            # Where a role says both, its no is what counts.
            {
                "role_id": role.id,
                "permission": int(permission),
                "allow": permission not in role.denies,
            }
            for role in policy.roles
            for permission in role.allows | role.denies
        ],
    )
    return True


async def bind(tx: Transaction, community_id: UUID, user_id: UUID, roles: Iterable[UUID]) -> int:
    """Give a person roles. Returns the binding's new version; 0 when nothing changed."""
    rows = [{"community_id": community_id, "user_id": user_id, "role_id": role} for role in roles]
    added = await tx.add(insert(BINDING).values(rows).on_conflict_do_nothing())
    return await _raise_version(tx, community_id, user_id) if added else 0


async def unbind(tx: Transaction, community_id: UUID, user_id: UUID) -> int:
    """Take every role from a person. Returns the binding's new version; 0 when nothing changed."""
    gone = await tx.execute(
        sa.delete(BINDING).where(
            BINDING.c.community_id == community_id, BINDING.c.user_id == user_id
        )
    )
    return await _raise_version(tx, community_id, user_id) if gone.rowcount else 0


async def holders(tx: Transaction, role_id: UUID) -> frozenset[UUID]:
    """The people who have a role."""
    rows = await tx.execute(sa.select(BINDING.c.user_id).where(BINDING.c.role_id == role_id))
    return frozenset(rows.scalars())


async def _raise_version(tx: Transaction, community_id: UUID, user_id: UUID) -> int:
    raised = await tx.execute(
        insert(PERSON)
        .values(community_id=community_id, user_id=user_id, version=1)
        .on_conflict_do_update(
            index_elements=[PERSON.c.community_id, PERSON.c.user_id],
            set_={"version": PERSON.c.version + 1},
        )
        .returning(PERSON.c.version)
    )
    return int(raised.scalar_one())
