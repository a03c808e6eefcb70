"""user, put together."""

from __future__ import annotations

from chassis.service import Chassis, Service
from creavio.user.v1.user_service_pb2_grpc import add_UserServiceServicer_to_server
from services.user.handler import UserHandler


def app(chassis: Chassis) -> Service:
    """The service, from its parts."""
    return Service(
        authorizer=chassis.authorizer(),
        handlers=[(add_UserServiceServicer_to_server, UserHandler(chassis.database))],
    )
