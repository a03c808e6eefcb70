"""user, put together."""

from __future__ import annotations

from typing import Final

from chassis.person import Personal
from chassis.service import Chassis, Service, every
from chassis.tokens import Tokens
from creavio.user.v1 import person_service_pb2
from creavio.user.v1.block_service_pb2_grpc import add_BlockServiceServicer_to_server
from creavio.user.v1.bot_profile_service_pb2_grpc import (
    add_BotProfileServiceServicer_to_server,
)
from creavio.user.v1.erasure_service_pb2_grpc import add_ErasureServiceServicer_to_server
from creavio.user.v1.person_service_pb2_grpc import add_PersonServiceServicer_to_server
from creavio.user.v1.reach_service_pb2_grpc import add_ReachServiceServicer_to_server
from creavio.user.v1.settings_service_pb2_grpc import add_SettingsServiceServicer_to_server
from creavio.user.v1.user_service_pb2_grpc import add_UserServiceServicer_to_server
from services.user import engine
from services.user.consumer import ConfirmationConsumer
from services.user.engine import (
    ErasedList,
    ExpiredHolds,
    Fellows,
    Forgetting,
    HeldHandles,
    Untold,
)
from services.user.handler import (
    BlockHandler,
    BotProfileHandler,
    ErasureHandler,
    ReachHandler,
    SettingsHandler,
    UserHandler,
)
from services.user.store import person

LIST_SECONDS: Final = 5.0
TELL_SECONDS: Final = 60.0
DROP_SECONDS: Final = 600.0


def app(chassis: Chassis) -> Service:
    """The service, from its parts."""
    config, database = chassis.config, chassis.database
    held = HeldHandles(config)
    personal = Personal(
        person.PARTS,
        add_PersonServiceServicer_to_server,
        person_service_pb2.ExportPersonResponse,
        engine.confirm,
        besides=engine.besides(held),
    )
    listed = None if config.erased_file is None else ErasedList(config.erased_file)
    forgetting = Forgetting(database, personal, listed)
    fellows = Fellows(chassis.clients)
    owners = {chassis.catalog.owner_of(event) for event in chassis.entry.consumes}

    async def compare() -> None:
        await forgetting.restore()
        await forgetting.write_down()

    return Service(
        authorizer=chassis.authorizer(),
        handlers=[
            (
                add_UserServiceServicer_to_server,
                UserHandler(database, held, fellows),
            ),
            (add_ReachServiceServicer_to_server, ReachHandler(database, fellows)),
            (add_BlockServiceServicer_to_server, BlockHandler(database, Tokens(config))),
            (add_SettingsServiceServicer_to_server, SettingsHandler(database)),
            (add_ErasureServiceServicer_to_server, ErasureHandler(forgetting)),
            (add_BotProfileServiceServicer_to_server, BotProfileHandler(database)),
        ],
        consumers={owner: ConfirmationConsumer(owner) for owner in owners},
        background=[
            every(LIST_SECONDS, compare, chassis.telemetry),
            every(TELL_SECONDS, Untold(database).tell, chassis.telemetry),
            every(DROP_SECONDS, ExpiredHolds(database).drop, chassis.telemetry),
        ],
        personal=personal,
    )
