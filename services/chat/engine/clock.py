"""Sends messages whose time has come.

A message is taken by one replica, and sent under a nonce of its own. If that replica dies
before it could say so, another takes the message a while later and sends it again under
the same nonce: it is there once. Whether its author may write is asked when it is sent.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from chassis import ids
from chassis.database import Database
from chassis.errors import Denied, Error, Exhausted, Unavailable
from creavio.options.v1 import permission_pb2
from services.chat import convert, events
from services.chat.domain.kept import Scheduled
from services.chat.engine.submission import Submission
from services.chat.store import scheduled

_AT_ONCE: Final = 50
CLAIM_SECONDS: Final = 60.0
"""After how long another replica may take what one took."""
_PATIENCE: Final = timedelta(hours=12)
"""How long a message is tried again that could not be sent just now."""


class Clock:
    """Sends what waits; any number of replicas may."""

    def __init__(self, database: Database, submission: Submission) -> None:
        self._database = database
        self._submission = submission

    async def strike(self) -> bool:
        """Send what is due; whether there may be more."""
        async with self._database.transaction() as tx:
            due = await scheduled.claim(tx, _AT_ONCE, CLAIM_SECONDS)
        for message in due:
            await self._send(message)
        return len(due) == _AT_ONCE

    async def _send(self, message: Scheduled) -> None:
        author_id = ids.text(ids.Kind.USER, message.user_id)
        place_id = convert.place_id(message.place)
        try:
            if not await self._submission.may(
                author_id, place_id, permission_pb2.PERMISSION_SEND_MESSAGES
            ):
                raise Denied("the author may not write there any more")
            sent = await (
                await self._submission.submit(
                    author_id,
                    place_id,
                    message.content,
                    convert.scheduled_id(message.id),
                    message.reply_to,
                )
            )
        except (Unavailable, Exhausted) as error:
            # It is taken again, by whomever, when this claim is over.
            if datetime.now(UTC) > message.send_time + _PATIENCE:
                await self._fail(message, error)
        except Error as error:
            await self._fail(message, error)
        else:
            async with self._database.transaction() as tx:
                if await scheduled.remove(tx, message.id):
                    tx.emit(events.scheduled_removed(author_id, message.id, sent.id))

    async def _fail(self, message: Scheduled, error: Error) -> None:
        async with self._database.transaction() as tx:
            if await scheduled.fail(tx, message.id, error.reason):
                tx.emit(events.scheduled_changed(message, error.reason))
