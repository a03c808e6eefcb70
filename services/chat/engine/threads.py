"""What is told of threads a moment after it happened, and what happens to them by itself.

A message in a thread is a change of the message that the thread began at: how many
there are, and when the latest came. It is told about once a second, whatever is said
meanwhile, so that a lively thread takes few of its channel's numbers and no send waits
for two places. What a crash left untold stays noted in the table.
"""

from __future__ import annotations

from typing import Final

from chassis.database import Database
from services.chat import events
from services.chat.domain.place import PlaceNotFound
from services.chat.store import threads

_AT_ONCE: Final = 100


class ThreadKeeper:
    """Tells what became of threads, and archives them; any number of replicas may."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self) -> bool:
        """Look once; whether there may be more to do."""
        async with self._database.transaction() as tx:
            reviewed = await threads.review(tx, _AT_ONCE)
        async with self._database.reading() as tx:
            stale = await threads.stale(tx, _AT_ONCE)
        for thread_id in stale:
            async with self._database.transaction() as tx:
                try:
                    thread, home = await threads.lock(tx, thread_id)
                except PlaceNotFound:  # deleted, and so is its channel perhaps
                    await threads.freshen(tx, thread_id)
                    continue
                if await threads.freshen(tx, thread_id):
                    number = await threads.number(tx, thread)
                    tx.emit(events.thread_updated(thread, number, home))
        return _AT_ONCE in (reviewed, len(stale))
