"""Taking from an erased person what they hold."""

from __future__ import annotations

from uuid import UUID

from chassis.database import Database
from services.rbac.handler.changes import Changes
from services.rbac.store import people, person


class Departures:
    """Takes every role, and tells everybody who decides by them."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes

    async def forget(self, user_id: UUID) -> None:
        """Do it, the roles of an owner and of an administrator included.

        Who owns a community is for community to say: it finds another one.
        """
        async with self._database.reading() as tx:
            places = await person.places_of(tx, user_id)
        for community_id in places:
            async with self._changes.of(community_id) as change:
                if await people.unbind(change.tx, community_id, user_id):
                    change.rebind(user_id)
