"""user, put together."""

from __future__ import annotations

from chassis.service import Chassis, Service
from chassis.tokens import Tokens
from creavio.user.v1.block_service_pb2_grpc import add_BlockServiceServicer_to_server
from creavio.user.v1.bot_profile_service_pb2_grpc import (
    add_BotProfileServiceServicer_to_server,
)
from creavio.user.v1.settings_service_pb2_grpc import add_SettingsServiceServicer_to_server
from creavio.user.v1.user_service_pb2_grpc import add_UserServiceServicer_to_server
from services.user.handler import (
    BlockHandler,
    BotProfileHandler,
    SettingsHandler,
    UserHandler,
)


def app(chassis: Chassis) -> Service:
    """The service, from its parts."""
    return Service(
        authorizer=chassis.authorizer(),
        handlers=[
            (add_UserServiceServicer_to_server, UserHandler(chassis.database)),
            (
                add_BlockServiceServicer_to_server,
                BlockHandler(chassis.database, Tokens(chassis.config)),
            ),
            (add_BotProfileServiceServicer_to_server, BotProfileHandler(chassis.database)),
            (add_SettingsServiceServicer_to_server, SettingsHandler(chassis.database)),
        ],
    )
