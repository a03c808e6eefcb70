"""community, put together."""

from __future__ import annotations

from typing import Final

from chassis.service import Chassis, Service, every
from creavio.community.v1.channel_service_pb2_grpc import add_ChannelServiceServicer_to_server
from creavio.community.v1.community_service_pb2_grpc import add_CommunityServiceServicer_to_server
from creavio.community.v1.invite_service_pb2_grpc import add_InviteServiceServicer_to_server
from creavio.community.v1.member_service_pb2_grpc import add_MemberServiceServicer_to_server
from services.community.engine import Memberships
from services.community.handler import (
    ChannelHandler,
    CommunityHandler,
    InviteHandler,
    MemberHandler,
)

RESUME_SECONDS: Final = 5.0


def app(chassis: Chassis) -> Service:
    """The service, from its parts."""
    database, tokens = chassis.database, chassis.tokens
    memberships = Memberships(database, chassis.clients)
    communities = CommunityHandler(database, memberships, tokens)
    return Service(
        authorizer=chassis.authorizer(),
        handlers=[
            (add_CommunityServiceServicer_to_server, communities),
            (add_ChannelServiceServicer_to_server, ChannelHandler(database, tokens)),
            (add_InviteServiceServicer_to_server, InviteHandler(database, memberships)),
            (add_MemberServiceServicer_to_server, MemberHandler(database, memberships)),
        ],
        background=[every(RESUME_SECONDS, memberships.resume, chassis.telemetry)],
    )
