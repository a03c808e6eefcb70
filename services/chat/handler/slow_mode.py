"""SlowModeService."""

from __future__ import annotations

from chassis.database import Database
from creavio.chat.v1 import slow_mode_service_pb2
from creavio.chat.v1.slow_mode_service_pb2_grpc import SlowModeServiceServicer
from services.chat import convert, events
from services.chat.store import places


class SlowModeHandler(SlowModeServiceServicer):
    """Serves how often people may write in a channel."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def SetSlowMode(
        self, request: slow_mode_service_pb2.SetSlowModeRequest, context: object
    ) -> slow_mode_service_pb2.SlowMode:
        place = convert.place(request.channel_id)
        async with self._database.transaction() as tx:
            home = await places.lock(tx, place)
            if await places.slow_down(tx, place, request.seconds):
                tx.emit(events.slow_mode_changed(place, request.seconds, home))
        return slow_mode_service_pb2.SlowMode(
            channel_id=request.channel_id, seconds=request.seconds
        )

    async def GetSlowMode(
        self, request: slow_mode_service_pb2.GetSlowModeRequest, context: object
    ) -> slow_mode_service_pb2.SlowMode:
        async with self._database.reading() as tx:
            seconds = await places.slow_seconds(tx, convert.place(request.channel_id))
        return slow_mode_service_pb2.SlowMode(channel_id=request.channel_id, seconds=seconds)
