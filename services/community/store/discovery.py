"""How public communities are found, and how many belong to each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY

from chassis.database import Transaction
from services.community.domain import Community
from services.community.domain.discovery import Order, Wanted
from services.community.store.communities import SHOWN, to_community
from services.community.store.tables import BAN, COMMUNITY, MEMBER_COUNT

Key: TypeAlias = tuple[Any, UUID]
"""What an order goes by, and the community."""
_LAST: Final = "\U0010ffff"
"""What sorts after whatever a name goes on with."""
_AT_ONCE: Final = 10_000
_LOCK: Final = sa.text(
    "SELECT pg_try_advisory_xact_lock(hashtextextended('changes of members', 0))"
)
_TAKE_IN: Final = sa.text(
    """
    WITH taken AS (
        DELETE FROM member_change
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM member_change ORDER BY id LIMIT :limit))
        RETURNING community_id, change
    ), summed AS (
        INSERT INTO member_count (community_id, members)
        SELECT community_id, sum(change) FROM taken GROUP BY community_id
        ON CONFLICT (community_id)
            DO UPDATE SET members = member_count.members + excluded.members
    )
    SELECT count(*) FROM taken
    """
)


async def public_communities(
    tx: Transaction, wanted: Wanted, user_id: UUID, after: Key | None, limit: int
) -> Sequence[tuple[Community, Key]]:
    """Public communities that a person looks for, with their places in the order.

    None that they are banned from is among them.
    """
    key, descending = _key(wanted)
    ident = MEMBER_COUNT.c.community_id if wanted.order == Order.MEMBERS else COMMUNITY.c.id
    order = (key.desc(), ident.desc()) if descending else (key, ident)
    query = (
        sa.select(*SHOWN, key.label("key"))
        .select_from(MEMBER_COUNT if wanted.order == Order.MEMBERS else COMMUNITY)
        .where(
            COMMUNITY.c.visibility == sa.literal_column("'public'"),
            COMMUNITY.c.standing == sa.literal_column("'settled'"),
            ~sa.exists().where(BAN.c.community_id == ident, BAN.c.user_id == user_id),
        )
        .order_by(*order)
        .limit(limit)
    )
    if wanted.order == Order.MEMBERS:
        query = query.join(COMMUNITY, COMMUNITY.c.id == ident).where(MEMBER_COUNT.c.listed)
    if wanted.prefix:
        query = query.where(
            COMMUNITY.c.fold >= wanted.prefix, COMMUNITY.c.fold <= wanted.prefix + _LAST
        )
    if wanted.query:
        query = query.where(COMMUNITY.c.search.op("@@")(sa.cast(wanted.query, TSQUERY)))
    if wanted.facets:
        query = query.where(COMMUNITY.c.facets.contains(sa.cast(wanted.facets, ARRAY(sa.Text))))
    if after is not None:
        here, there = sa.tuple_(key, ident), sa.tuple_(sa.cast(after[0], key.type), after[1])
        query = query.where(here < there if descending else here > there)
    return [(to_community(row), (row.key, row.id)) for row in await tx.execute(query)]


async def take_in_changes(tx: Transaction) -> bool:
    """Count who came and went since the last time; whether there may be more to count.

    Where somebody else is at it, there is nothing to do.
    """
    if not (await tx.execute(_LOCK)).scalar_one():
        return False
    taken = (await tx.execute(_TAKE_IN, {"limit": _AT_ONCE})).scalar_one()
    return bool(taken == _AT_ONCE)


def _key(wanted: Wanted) -> tuple[sa.ColumnElement[Any], bool]:
    """What an order goes by, and whether the highest comes first."""
    if wanted.order == Order.NEWEST:
        return COMMUNITY.c.create_time, True
    if wanted.order == Order.MEMBERS:
        return MEMBER_COUNT.c.members, True
    if wanted.order == Order.RELEVANCE:
        query = sa.cast(wanted.query, TSQUERY)
        return sa.func.ts_rank(COMMUNITY.c.search, query, type_=sa.REAL), True
    return COMMUNITY.c.fold, False
