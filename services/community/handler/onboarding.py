"""OnboardingService."""

from __future__ import annotations

from dataclasses import replace
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
from services.community.domain.onboarding import Newcomer, Onboarding, edited, may_accept
from services.community.domain.questions import kept, may_answer, offered, suggested
from services.community.engine import Memberships

_EDITED: Final = ("rules", "welcome", "channel_ids", "must_accept", "questions")
_WRITTEN_DOWN: Final = ("rules_version", "welcome", "must_accept", "asked", "offered")


class OnboardingHandler(OnboardingServiceServicer):
    """Shows and changes what newcomers meet, and takes what they accept and answer."""

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
        channel_ids = tuple(map(convert.channel_id, request.channel_ids))
        asked = on_the_wire.questions(request.questions) if "questions" in fields else None
        named = suggested(asked or ())
        if "channel_ids" in fields:
            named = named.union(channel_ids)
        if named != await self._seen(community_id, named):
            raise domain.ChannelNotFound
        allowed = await self._offering(community_id, offered(asked or ()))
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
                questions=None if asked is None else kept(asked, before.questions),
            )
            if not offered(after.questions) <= allowed | offered(before.questions):
                raise domain.Changed("the questions")
            if after != before:
                for channel_id in after.places - before.places:
                    await store.channel_here(tx, community_id, channel_id)
                await store.save_onboarding(tx, after)
                tx.emit(events.onboarding_updated(after))
                await store.write_down(tx, _deed(before, after))
        return await self._as_met(after)

    async def _offering(self, community_id: UUID, roles: frozenset[UUID]) -> frozenset[UUID]:
        """Those of these roles that no answer gives yet, all of which the caller may offer."""
        async with self._database.reading() as tx:
            before = await store.onboarding(tx, community_id)
        new = roles - offered(before.questions)
        if new:
            await self._memberships.may_offer(community_id, _caller(), new)
        return new

    async def CompleteOnboarding(
        self, request: onboarding_service_pb2.CompleteOnboardingRequest, context: object
    ) -> onboarding_pb2.Onboarding:
        community_id = convert.community_id(request.community_id)
        caller = _caller()
        async with self._database.transaction() as tx:
            # The rules stay what they are while somebody accepts them.
            await store.community_that_stays(tx, community_id)
            before = await store.newcomer_to_change(tx, community_id, caller)
            met = await store.onboarding(tx, community_id)
            may_accept(met, request.rules_version)
            after = met.further(replace(before, accepted_version=request.rules_version))
            if before.accepted_version != after.accepted_version:
                tx.emit(events.onboarding_completed(met, caller))
            await store.save_newcomer(tx, community_id, caller, after)
        await self._memberships.finish_onboarding(community_id, caller)
        return await self._as_met(met)

    async def AnswerOnboarding(
        self, request: onboarding_service_pb2.AnswerOnboardingRequest, context: object
    ) -> onboarding_pb2.Onboarding:
        community_id = convert.community_id(request.community_id)
        caller = _caller()
        answers = tuple(convert.answer_id(text, "answer_ids") for text in request.answer_ids)
        async with self._database.transaction() as tx:
            # So do the questions.
            await store.community_that_stays(tx, community_id)
            before = await store.newcomer_to_change(tx, community_id, caller)
            met = await store.onboarding(tx, community_id)
            may_answer(met.questions, answers)
            after = met.further(replace(before, answer_ids=answers))
            if before.answer_ids != after.answer_ids:
                tx.emit(events.onboarding_answered(community_id, caller, answers))
            await store.save_newcomer(tx, community_id, caller, after)
        await self._memberships.finish_onboarding(community_id, caller)
        return await self._as_met(met)

    async def _as_met(self, met: Onboarding) -> onboarding_pb2.Onboarding:
        """What the caller meets: no channel that they do not see, and none that is gone."""
        async with self._database.reading() as tx:
            newcomer = await store.newcomer(tx, met.community_id, _caller())
            there = await store.still_there(tx, met.places)
        seen = await self._seen(met.community_id, there)
        return on_the_wire.onboarding(met, seen, newcomer or Newcomer())

    async def _seen(self, community_id: UUID, channels: frozenset[UUID]) -> frozenset[UUID]:
        """Those of these channels that the caller sees."""
        named = {convert.channel_text(channel_id): channel_id for channel_id in channels}
        seen = await self._authorizer.visible(
            principal().user_id, convert.community_text(community_id), list(named)
        )
        return frozenset(named[text] for text in seen)


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
