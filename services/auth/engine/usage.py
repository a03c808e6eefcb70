"""When tokens were used last, as the services tell."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from nats.aio.msg import Msg

from chassis import ids
from chassis.bus import Bus
from chassis.database import Database
from chassis.usage import USED_SUBJECT
from creavio.auth.v1 import auth_events_pb2
from services.auth.store import tokens


class LastUses:
    """Keeps the last day of each token; no more is known of what a token does."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus
        self._following = False
        self._told: dict[UUID, date] = {}

    async def keep(self) -> None:
        """Keep what was told since; from the first time on, what the services tell is heard."""
        if not self._following:
            await self._bus.follow(USED_SUBJECT, self._heard)
            self._following = True
        told, self._told = self._told, {}
        if told:
            async with self._database.transaction() as tx:
                for token_id in sorted(told):
                    await tokens.used(tx, token_id, told[token_id])

    async def _heard(self, message: Msg) -> None:
        used = auth_events_pb2.TokenUsed.FromString(message.data)
        token_id = ids.parse(ids.Kind.SESSION, used.session_id, field="session_id")
        self._told[token_id] = datetime.fromtimestamp(used.use_time.seconds, UTC).date()
