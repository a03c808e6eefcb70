"""OnboardingService."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from chassis.authz import Authorizer
from chassis.calls import principal
from chassis.database import Database
from creavio.community.v1 import onboarding_pb2, onboarding_service_pb2
from creavio.community.v1.onboarding_service_pb2_grpc import OnboardingServiceServicer
from services.community import convert, domain, events, store
from services.community.convert import onboarding as on_the_wire
from services.community.domain.audit import Action, Deed, differences
from services.community.domain.onboarding import Onboarding, edited, may_accept
from services.community.engine import Memberships

_EDITED: Final = ("rules", "welcome", "channel_ids", "must_accept")
_WRITTEN_DOWN: Final = ("rules_version", "welcome", "must_accept")


class OnboardingHandler(OnboardingServiceServicer):
    """Shows and changes what newcomers meet, and takes what they accept."""

    def __init__(
        self, database: Database, memberships: Memberships, authorizer: Authorizer
    ) -> None:
        self._database = database
        self._memberships = memberships
        self._authorizer = authorizer

    async def GetOnboarding(
        self, request: onboarding_service_pb2.GetOnboardingRequest, context: object
    ) -> onboarding_pb2.Onboarding:
        async with self._database.reading() as tx:
            met = await store.onboarding(tx, convert.community_id(request.community_id))
        return await self._as_met(met)

    async def UpdateOnboarding(
        self, request: onboarding_service_pb2.UpdateOnboardingRequest, context: object
    ) -> onboarding_pb2.Onboarding:
        community_id = convert.community_id(request.community_id)
        fields = convert.fields_to_change(request, request.update_mask, _EDITED)
        channels = frozenset(request.channel_ids) if "channel_ids" in fields else frozenset()
        caller = principal().user_id
        seen = await self._authorizer.visible(caller, request.community_id, channels)
        if not channels <= seen:
            raise domain.ChannelNotFound
        channel_ids = tuple(convert.channel_id(text) for text in request.channel_ids)
        async with self._database.transaction() as tx:
            await store.community_to_change(tx, community_id)
            before = await store.onboarding(tx, community_id)
            domain.unchanged(request.etag, before.etag, "what newcomers meet")
            after = edited(
                before,
                rules=on_the_wire.rules(request.rules) if "rules" in fields else None,
                welcome=request.welcome if "welcome" in fields else None,
                channel_ids=channel_ids if "channel_ids" in fields else None,
                must_accept=request.must_accept if "must_accept" in fields else None,
            )
            if after != before:
                for channel_id in set(after.channel_ids) - set(before.channel_ids):
                    await store.channel_here(tx, community_id, channel_id)
                await store.save_onboarding(tx, after)
                tx.emit(events.onboarding_updated(after))
                await store.write_down(tx, _deed(before, after))
        return await self._as_met(after)

    async def CompleteOnboarding(
        self, request: onboarding_service_pb2.CompleteOnboardingRequest, context: object
    ) -> onboarding_pb2.Onboarding:
        community_id = convert.community_id(request.community_id)
        caller = _caller()
        async with self._database.transaction() as tx:
            # The rules stay what they are while somebody accepts them.
            await store.community_that_stays(tx, community_id)
            await store.require_staying(tx, community_id, caller)
            met = await store.onboarding(tx, community_id)
            may_accept(met, request.rules_version)
            if await store.accept_rules(tx, met, caller):
                tx.emit(events.onboarding_completed(met, caller))
        await self._memberships.admit(community_id, caller)
        return await self._as_met(met)

    async def _as_met(self, met: Onboarding) -> onboarding_pb2.Onboarding:
        """What the caller meets: no channel that they do not see, and none that is gone."""
        async with self._database.reading() as tx:
            accepted = await store.accepted(tx, met.community_id, _caller())
            there = await store.still_there(tx, met.channel_ids)
        listed = [convert.channel_text(each) for each in met.channel_ids if each in there]
        seen = await self._authorizer.visible(
            principal().user_id, convert.community_text(met.community_id), listed
        )
        return on_the_wire.onboarding(met, [each for each in listed if each in seen], accepted)


def _caller() -> UUID:
    return convert.user_id(principal().user_id)


def _deed(before: Onboarding, after: Onboarding) -> Deed:
    return Deed(
        after.community_id,
        _caller(),
        Action.ONBOARDING_UPDATED,
        convert.community_text(after.community_id),
        differences=differences(before, after, _WRITTEN_DOWN),
    )
