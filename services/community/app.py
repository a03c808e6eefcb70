"""community, put together."""

from __future__ import annotations

from typing import Final

from chassis.person import Personal, confirming
from chassis.service import Chassis, Service, every
from creavio.community.v1 import community_events_pb2, person_service_pb2
from creavio.community.v1.audit_service_pb2_grpc import add_AuditServiceServicer_to_server
from creavio.community.v1.ban_service_pb2_grpc import add_BanServiceServicer_to_server
from creavio.community.v1.bot_member_service_pb2_grpc import (
    add_BotMemberServiceServicer_to_server,
)
from creavio.community.v1.calendar_service_pb2_grpc import (
    add_CalendarServiceServicer_to_server,
)
from creavio.community.v1.category_service_pb2_grpc import (
    add_CategoryServiceServicer_to_server,
)
from creavio.community.v1.channel_service_pb2_grpc import add_ChannelServiceServicer_to_server
from creavio.community.v1.community_service_pb2_grpc import add_CommunityServiceServicer_to_server
from creavio.community.v1.emoji_service_pb2_grpc import add_EmojiServiceServicer_to_server
from creavio.community.v1.invite_service_pb2_grpc import add_InviteServiceServicer_to_server
from creavio.community.v1.member_service_pb2_grpc import add_MemberServiceServicer_to_server
from creavio.community.v1.onboarding_service_pb2_grpc import (
    add_OnboardingServiceServicer_to_server,
)
from creavio.community.v1.person_service_pb2_grpc import add_PersonServiceServicer_to_server
from creavio.community.v1.template_service_pb2_grpc import (
    add_TemplateServiceServicer_to_server,
)
from services.community import store
from services.community.consumer import RbacConsumer
from services.community.domain.audit import KEPT
from services.community.engine import Memberships
from services.community.handler.audit import AuditHandler
from services.community.handler.bans import BanHandler
from services.community.handler.bots import BotMemberHandler
from services.community.handler.calendars import CalendarHandler
from services.community.handler.categories import CategoryHandler
from services.community.handler.channels import ChannelHandler
from services.community.handler.communities import CommunityHandler
from services.community.handler.emoji import EmojiHandler
from services.community.handler.invites import InviteHandler
from services.community.handler.members import MemberHandler
from services.community.handler.onboarding import OnboardingHandler
from services.community.handler.templates import TemplateHandler
from services.community.store import person

RESUME_SECONDS: Final = 5.0
COUNT_SECONDS: Final = 5.0
FORGET_SECONDS: Final = 3600.0


def app(chassis: Chassis) -> Service:
    """The service, from its parts."""
    database, tokens = chassis.database, chassis.tokens
    memberships = Memberships(database, chassis.clients)
    communities = CommunityHandler(database, memberships, tokens)
    authorizer = chassis.authorizer()
    channels = ChannelHandler(database, memberships, authorizer, tokens)

    async def count() -> bool:
        async with database.transaction() as tx:
            return await store.take_in_changes(tx)

    async def forget() -> None:
        async with database.transaction() as tx:
            await store.forget_expired(tx)
        more = True
        while more:
            async with database.transaction() as tx:
                more = await store.forget_deeds(tx, KEPT)
        await memberships.forget_deleted()

    return Service(
        authorizer=authorizer,
        handlers=[
            (add_CommunityServiceServicer_to_server, communities),
            (add_ChannelServiceServicer_to_server, channels),
            (add_CategoryServiceServicer_to_server, CategoryHandler(database)),
            (
                add_CalendarServiceServicer_to_server,
                CalendarHandler(database, authorizer, tokens),
            ),
            (add_EmojiServiceServicer_to_server, EmojiHandler(database)),
            (add_AuditServiceServicer_to_server, AuditHandler(database, tokens)),
            (
                add_InviteServiceServicer_to_server,
                InviteHandler(database, memberships, authorizer, tokens),
            ),
            (add_BanServiceServicer_to_server, BanHandler(database, memberships, tokens)),
            (
                add_BotMemberServiceServicer_to_server,
                BotMemberHandler(database, memberships, chassis.clients),
            ),
            (add_MemberServiceServicer_to_server, MemberHandler(database, memberships, tokens)),
            (
                add_OnboardingServiceServicer_to_server,
                OnboardingHandler(database, memberships, authorizer),
            ),
            (
                add_TemplateServiceServicer_to_server,
                TemplateHandler(database, memberships, authorizer),
            ),
        ],
        consumers={"rbac": RbacConsumer()},
        background=[
            every(RESUME_SECONDS, memberships.resume, chassis.telemetry),
            every(COUNT_SECONDS, count, chassis.telemetry),
            every(FORGET_SECONDS, forget, chassis.telemetry),
        ],
        personal=Personal(
            person.PARTS,
            add_PersonServiceServicer_to_server,
            person_service_pb2.ExportPersonResponse,
            confirming(community_events_pb2.PersonErased),
            before=memberships.forget_person,
        ),
    )
