"""People who asked to be forgotten, and that a restore does not bring them back.

A backup knows of nobody who was erased after it was made. So each erasure is also
written into a list outside of the database and of what a restore replaces; whoever
is in it and not erased here is erased again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
import hmac
import os
from pathlib import Path
from typing import Final
from uuid import UUID

from chassis import ids
from chassis import person as chassis_person
from chassis.clients import Clients
from chassis.config import Config
from chassis.database import Database, Transaction
from chassis.errors import Invalid
from chassis.person import Personal
from creavio.rbac.v1 import access_service_pb2
from creavio.rbac.v1.access_service_pb2_grpc import AccessServiceStub
from services.user import convert, events, store
from services.user.domain import HANDLE_HELD, HandleTaken, Profile
from services.user.store import erasures, held, person

_BATCH: Final = 1_000


class ErasedList:
    """The list outside: a line each, the id and since when, and nothing else of a person."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def add(self, erased: Sequence[tuple[UUID, datetime]]) -> None:
        """Write them, for good when this returns."""
        lines = [f"{ids.text(ids.Kind.USER, who)} {when.isoformat()}\n" for who, when in erased]
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        with os.fdopen(os.open(self._file, flags, 0o600), "a") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> list[UUID]:
        """Everybody in it. A line that was not written to its end names nobody."""
        found = []
        with suppress(FileNotFoundError):
            for line in self._file.read_text().splitlines():
                with suppress(Invalid):
                    found.append(ids.parse(ids.Kind.USER, line.partition(" ")[0], field="user_id"))
        return list(dict.fromkeys(found))


class HeldHandles:
    """Handles people had: nobody else is taken for them.

    Those of people who are gone are nobody's for good; one that was changed for another
    is for a while nobody's but whose it was. What is kept of one is a keyed hash of what
    it looks like.
    """

    def __init__(self, config: Config) -> None:
        self._key = config.token_key.get_secret_value().encode()

    async def hold(self, tx: Transaction, skeleton: str) -> None:
        """Let nobody have a handle that looks like this."""
        await held.hold(tx, self._hash(skeleton))

    async def require_free(self, tx: Transaction, profile: Profile) -> None:
        """Return when nobody else was called so. Raises `HandleTaken`."""
        if await held.is_held(tx, self._hash(profile.skeleton), profile.id):
            raise HandleTaken(profile.handle)

    async def exchange(self, tx: Transaction, before: Profile, after: Profile) -> None:
        """Hold for somebody the handle they had, and no longer the one they have now.

        Raises `HandleTaken` when that is held for another.
        """
        await self.require_free(tx, after)
        if after.handle_change_time is not None and before.skeleton != after.skeleton:
            await held.take_back(tx, self._hash(after.skeleton), after.id)
            until = after.handle_change_time + HANDLE_HELD
            await held.hold_for(tx, self._hash(before.skeleton), before.id, until)

    def _hash(self, skeleton: str) -> bytes:
        return hmac.digest(self._key, f"held\0{skeleton}".encode(), "sha256")


class Fellows:
    """Knows from rbac who belongs to a community together: as it is, and nothing is kept."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._rbac = AccessServiceStub(clients.channel)

    async def of(self, user_id: UUID, among: Sequence[UUID]) -> frozenset[UUID]:
        """Those of these people who belong to a community that a person belongs to."""
        if not among:
            return frozenset()
        request = access_service_pb2.ListFellowsRequest(
            user_id=convert.user_text(user_id), among=map(convert.user_text, among)
        )
        found = await self._clients.call(self._rbac.ListFellows, request)
        return frozenset(map(convert.user_id, found.user_ids))


class Forgetting:
    """Erases people, and sees to it that they stay erased."""

    def __init__(
        self,
        database: Database,
        personal: Personal,
        listed: ErasedList | None,
    ) -> None:
        self._database = database
        self._personal = personal
        self._listed = listed
        self._lock = asyncio.Lock()

    async def forget(self, user_id: UUID) -> None:
        """Erase a person here, and have everybody else do it; again changes nothing."""
        async with self._database.transaction() as tx:
            if await erasures.add_erasure(tx, user_id, datetime.now(UTC)):
                await chassis_person.erase(tx, self._personal, user_id)
                await chassis_person.note(tx, user_id)
                tx.emit(events.erased(user_id))
        await self.write_down()

    async def write_down(self) -> None:
        """Write into the list who is not in it yet."""
        if self._listed is None:
            return
        async with self._lock:
            async with self._database.reading() as tx:
                new = await erasures.unnoted(tx, _BATCH)
            if new:
                await asyncio.to_thread(self._listed.add, new)
                async with self._database.transaction() as tx:
                    await erasures.noted(tx, [user_id for user_id, _ in new])

    async def restore(self) -> None:
        """Erase whoever is in the list and not erased here: they came back with a backup."""
        if self._listed is None:
            return
        listed = await asyncio.to_thread(self._listed.read)
        for begin in range(0, len(listed), _BATCH):
            some = listed[begin : begin + _BATCH]
            async with self._database.reading() as tx:
                known = await erasures.erased(tx, some)
            for user_id in some:
                if user_id not in known:
                    await self.forget(user_id)


class ExpiredHolds:
    """Drops what is held no longer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def drop(self) -> None:
        """Drop all that is over."""
        async with self._database.transaction() as tx:
            await held.forget_expired(tx)


class Untold:
    """Tells of what there was before other services kept it: blocks, and who is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tell(self) -> bool:
        """Tell of what was not told yet; whether there may be more."""
        async with self._database.transaction() as tx:
            blocks = await store.take_untold(tx, _BATCH)
            for block in blocks:
                tx.emit(events.blocked(block.blocker_id, block.blocked_id))
            standings = await store.take_untold_standings(tx, _BATCH)
            for user_id, revision, deactivated in standings:
                tx.emit(events.standing_changed(user_id, revision, deactivated=deactivated))
        return _BATCH in (len(blocks), len(standings))


def besides(handles: HeldHandles) -> chassis_person.Besides:
    """What is done when a profile goes."""

    async def hold_handle(tx: Transaction, user_id: UUID) -> None:
        for profile in await store.profiles_of(tx, [user_id]):
            await handles.hold(tx, profile.skeleton)
        await held.disown(tx, user_id)
        await person.forget_blocks_of(tx, user_id)

    return hold_handle


async def confirm(tx: Transaction, user_id: UUID) -> None:
    """Keep that this service has erased somebody."""
    await erasures.confirm(tx, user_id, "user")
