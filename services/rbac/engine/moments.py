"""What is asked about, as it is at one moment.

A policy is kept by its version; whether that is the version now, the statement
that reads where people stand says as well. Where it is not, the policy is read; where it
changed meanwhile, everything is read in one snapshot: roles of one moment are never held
against a policy of another.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cachetools import LRUCache
import sqlalchemy as sa

from chassis.database import Database, Transaction
from services.rbac.domain.policy import Binding, Holdings, Policy
from services.rbac.store import people, policies

_POLICIES: Final = 1_000
_SNAPSHOT: Final = sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a person stands in a community, and its policy."""

    revision: int
    policy: Policy
    """Without roles and of version 0 when the community was never provisioned."""
    holdings: Holdings
    binding: Binding


class Moments:
    """Reads moments; keeps policies."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._policies: LRUCache[UUID, Policy] = LRUCache(_POLICIES)

    async def of(self, community_id: UUID, user_id: UUID) -> Moment:
        """Where a person stands."""
        return (await self.of_all([(community_id, user_id)]))[0]

    async def of_all(self, asked: Sequence[tuple[UUID, UUID]]) -> list[Moment]:
        """Where these (community, person) stand, in their order, all of one moment."""
        async with self._database.reading() as tx:
            standings = await people.standings(tx, asked)
            read = await self._read(tx, asked, standings)
        if all(
            read[community_id].version == standing.policy_version
            for (community_id, _), standing in zip(asked, standings, strict=True)
        ):
            return self._moments(asked, standings, read)
        async with self.snapshot() as tx:
            return await self.read_all(tx, asked)

    async def read_all(self, tx: Transaction, asked: Sequence[tuple[UUID, UUID]]) -> list[Moment]:
        """As `of_all`, in a snapshot."""
        standings = await people.standings(tx, asked)
        return self._moments(asked, standings, await self._read(tx, asked, standings))

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Transaction]:
        """Statements that only read, all of one moment."""
        async with self._database.transaction() as tx:
            await tx.execute(_SNAPSHOT)
            yield tx

    async def _read(
        self,
        tx: Transaction,
        asked: Sequence[tuple[UUID, UUID]],
        standings: Sequence[people.Standing],
    ) -> dict[UUID, Policy]:
        """The policies, by community: those that are kept as at these standings, others as now."""
        read: dict[UUID, Policy] = {}
        for (community_id, _), standing in zip(asked, standings, strict=True):
            if community_id not in read:
                # Not from the cache below: while others are read, it goes on to later versions.
                policy = self._kept(community_id, standing)
                read[community_id] = policy or await policies.policy(tx, community_id)
        self._policies.update(
            (community_id, policy) for community_id, policy in read.items() if policy.version
        )
        return read

    def _moments(
        self,
        asked: Sequence[tuple[UUID, UUID]],
        standings: Sequence[people.Standing],
        read: dict[UUID, Policy],
    ) -> list[Moment]:
        return [
            Moment(standing.revision, read[community_id], standing.holdings, standing.binding)
            for (community_id, _), standing in zip(asked, standings, strict=True)
        ]

    def _kept(self, community_id: UUID, standing: people.Standing) -> Policy | None:
        if not standing.policy_version:
            return Policy(community_id, version=0, roles=())
        policy = self._policies.get(community_id)
        return policy if policy and policy.version == standing.policy_version else None
