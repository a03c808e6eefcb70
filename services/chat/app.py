"""chat, put together."""

from __future__ import annotations

from chassis.service import Chassis, Service
from creavio.chat.v1.message_service_pb2_grpc import add_MessageServiceServicer_to_server
from creavio.options.v1 import permission_pb2
from services.chat.consumer import CommunityConsumer
from services.chat.engine import Channels
from services.chat.handler import MessageHandler


def app(chassis: Chassis) -> Service:
    """The service, from its parts."""
    database = chassis.database
    channels = Channels(database, chassis.clients)
    authorizer = chassis.authorizer({permission_pb2.SCOPE_CHANNEL: channels.community_of})
    messages = MessageHandler(database, authorizer, chassis.tokens)
    return Service(
        authorizer=authorizer,
        handlers=[(add_MessageServiceServicer_to_server, messages)],
        consumers={"community": CommunityConsumer()},
    )
