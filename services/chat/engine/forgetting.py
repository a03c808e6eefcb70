"""Taking out what an erased person wrote, so that everybody who reads sees it go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.database import Database
from services.chat import events
from services.chat.domain import message as domain
from services.chat.domain.conversation import take_out
from services.chat.domain.place import Place
from services.chat.store import conversations, messages, person, places, reactions, threads

_BATCH: Final = 100
"""Changes in one transaction, for which a place stands still."""


class Forgetting:
    """Deletes messages and takes reactions back for somebody who is not there any more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget(self, user_id: UUID) -> None:
        """Do it until nothing is left. Raises `PlaceNotFound` for a place that goes meanwhile."""
        while await self._delete_some(user_id):
            pass
        while await self._take_some_back(user_id):
            pass
        async with self._database.reading() as tx:
            groups = await person.groups_of(tx, user_id)
        for conversation_id in groups:
            await self._leave(Place(conversation_id, conversation=True), user_id)

    async def _delete_some(self, user_id: UUID) -> bool:
        async with self._database.reading() as tx:
            found = await person.some_messages(tx, user_id, _BATCH)
        for (place, gone), named in found.items():
            async with self._database.transaction() as tx:
                home = None if gone else await places.lock(tx, place)
                removed = await messages.remove_many(tx, place, named, datetime.now(UTC))
                if home is not None:
                    await threads.recount(tx, place, -len(removed))
                    for message in removed:
                        tx.emit(events.deleted(message, home))
        return bool(found)

    async def _take_some_back(self, user_id: UUID) -> bool:
        async with self._database.reading() as tx:
            found = await person.some_reactions(tx, user_id, _BATCH)
        for place, message_id, emoji in found:
            await self._take_back(place, message_id, user_id, emoji)
        return bool(found)

    async def _leave(self, place: Place, user_id: UUID) -> None:
        """Leave a group, as they would have themselves."""
        async with self._database.transaction() as tx:
            await places.lock(tx, place)
            found = await conversations.conversation(tx, place.id)
            heirs = await conversations.by_seniority(tx, place.id)
            if found is None or user_id not in heirs:
                return
            group = take_out(found, user_id, user_id, heirs)
            group = replace(group, revision=await places.next_number(tx, place))
            await conversations.save(tx, group)
            await conversations.remove_member(tx, place.id, user_id)
            if not group.member_ids:
                await places.close(tx, place)
            who = ids.text(ids.Kind.USER, user_id)
            tx.emit(events.conversation_member_removed(group, who))

    async def _take_back(self, place: Place, message_id: UUID, user_id: UUID, emoji: str) -> None:
        async with self._database.transaction() as tx:
            home = await places.lock(tx, place)
            message = await messages.message(tx, place, message_id)
            if await reactions.remove(tx, message_id, user_id, emoji):
                less = await messages.save(tx, domain.unreact(message, emoji))
                who = ids.text(ids.Kind.USER, user_id)
                tx.emit(events.reaction_removed(less, who, emoji, home))
