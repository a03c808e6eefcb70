"""TemplateService."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from google.protobuf.empty_pb2 import Empty

from chassis import idempotency, ids
from chassis.authz import Authorizer
from chassis.calls import principal
from chassis.database import Database
from creavio.community.v1 import template_pb2, template_service_pb2
from creavio.community.v1.template_service_pb2_grpc import TemplateServiceServicer
from creavio.options.v1 import permission_pb2 as p
from services.community import convert, domain, store
from services.community.convert import templates
from services.community.domain.audit import Action, Deed
from services.community.domain.naming import shown
from services.community.domain.template import (
    Shape,
    Template,
    in_order,
    may_have_another_template,
    shape_of,
)
from services.community.engine import Memberships

_BESIDES: Final = (p.PERMISSION_MANAGE_ROLES, p.PERMISSION_MANAGE_CHANNELS)
"""What making a template takes besides MANAGE_COMMUNITY: it tells of both."""


class TemplateHandler(TemplateServiceServicer):
    """Makes, shows and deletes templates."""

    def __init__(
        self, database: Database, memberships: Memberships, authorizer: Authorizer
    ) -> None:
        self._database = database
        self._memberships = memberships
        self._authorizer = authorizer

    async def CreateTemplate(
        self, request: template_service_pb2.CreateTemplateRequest, context: object
    ) -> template_pb2.Template:
        for permission in _BESIDES:
            await self._authorizer.require(
                principal().user_id, permission, p.SCOPE_COMMUNITY, request.community_id
            )
        community_id = convert.community_id(request.community_id)
        creator_id, now = convert.user_id(principal().user_id), datetime.now(UTC)
        shape = await self._shape(request)
        made = Template(
            domain.new_code(), shown(request.name), shape, community_id, creator_id, now
        )
        async with self._database.transaction() as tx:
            claim = await idempotency.claim(tx, template_pb2.Template)
            if claim.reply is not None:
                return claim.reply
            await store.lock_templates(tx, creator_id)
            may_have_another_template(len(await store.templates_of(tx, creator_id)))
            await store.add_template(tx, made)
            # Without its code, which whoever reads the log would have then.
            deed = Deed(
                community_id,
                creator_id,
                Action.TEMPLATE_CREATED,
                request.community_id,
                made.name,
            )
            await store.write_down(tx, deed)
            return await claim.keep(templates.template(made))

    async def _shape(self, request: template_service_pb2.CreateTemplateRequest) -> Shape:
        """What the community is like, as far as the caller sees it."""
        community_id = convert.community_id(request.community_id)
        async with self._database.reading() as tx:
            categories = await store.categories_of(tx, community_id)
            channels = await store.channels_of(tx, community_id, None, domain.CHANNELS)
            met = await store.onboarding(tx, community_id)
        named = {ids.text(ids.Kind.CHANNEL, channel.id): channel for channel in channels}
        seen = await self._authorizer.visible(
            principal().user_id, request.community_id, list(named)
        )
        there = in_order(categories, [named[name] for name in seen])
        names = [ids.text(ids.Kind.CHANNEL, channel.id) for channel in there]
        policy = await self._memberships.policy_shape(community_id, names)
        return shape_of(
            categories,
            there,
            templates.roles(policy),
            templates.overrides(policy, names),
            include_private=request.include_private,
            role_ids=templates.role_ids(policy),
            onboarding=met,
        )

    async def GetTemplate(
        self, request: template_service_pb2.GetTemplateRequest, context: object
    ) -> template_pb2.Template:
        async with self._database.reading() as tx:
            return templates.template(await store.template(tx, request.code))

    async def ListTemplates(
        self, request: template_service_pb2.ListTemplatesRequest, context: object
    ) -> template_service_pb2.ListTemplatesResponse:
        async with self._database.reading() as tx:
            found = await store.templates_of(tx, convert.user_id(principal().user_id))
        return template_service_pb2.ListTemplatesResponse(
            templates=[templates.listed(*each) for each in found]
        )

    async def DeleteTemplate(
        self, request: template_service_pb2.DeleteTemplateRequest, context: object
    ) -> Empty:
        async with self._database.transaction() as tx:
            await store.delete_template(tx, request.code, convert.user_id(principal().user_id))
        return Empty()
