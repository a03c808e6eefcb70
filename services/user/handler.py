"""The services of people: profiles, bots, blocks, reach, settings and erasure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.empty_pb2 import Empty

from chassis import wire
from chassis.calls import CURRENT, principal
from chassis.database import Database, Transaction
from chassis.tokens import Tokens, page_size
from creavio.user.v1 import (
    block_service_pb2,
    bot_profile_service_pb2,
    erasure_service_pb2,
    reach_service_pb2,
    settings_service_pb2,
    user_pb2,
    user_service_pb2,
)
from creavio.user.v1.block_service_pb2_grpc import BlockServiceServicer
from creavio.user.v1.bot_profile_service_pb2_grpc import BotProfileServiceServicer
from creavio.user.v1.erasure_service_pb2_grpc import ErasureServiceServicer
from creavio.user.v1.reach_service_pb2_grpc import ReachServiceServicer
from creavio.user.v1.settings_service_pb2_grpc import SettingsServiceServicer
from creavio.user.v1.user_service_pb2_grpc import UserServiceServicer
from services.user import convert, domain, events, store
from services.user.domain import Audience, Profile
from services.user.engine import Fellows, Forgetting, HeldHandles


class UserHandler(UserServiceServicer):
    """Serves profiles."""

    def __init__(self, database: Database, held: HeldHandles, fellows: Fellows) -> None:
        self._database = database
        self._held = held
        self._fellows = fellows

    async def GetMe(self, request: user_service_pb2.GetMeRequest, context: object) -> user_pb2.User:
        return await self._user(principal().user_id)

    async def UpdateMe(
        self, request: user_service_pb2.UpdateMeRequest, context: object
    ) -> user_pb2.User:
        user_id = convert.user_id(principal().user_id)
        changes = wire.changes(request, domain.EDITABLE)
        async with self._database.transaction() as tx:
            before = await store.profile_to_change(tx, user_id)
            profile = domain.edit(before, changes)
            if profile != before:
                await store.save(tx, profile)
                _tell(tx, before, profile)
        return convert.user(profile)

    async def CreateUser(
        self, request: user_service_pb2.CreateUserRequest, context: object
    ) -> user_pb2.User:
        user_id = convert.user_id(request.user_id)
        profile = domain.new_profile(
            user_id, request.handle, request.display_name, datetime.now(UTC), bot=request.bot
        )
        async with self._database.transaction() as tx:
            made = await store.add(tx, profile)
            await self._held.require_free(tx, profile)
        return convert.user(made)

    async def ChangeHandle(
        self, request: user_service_pb2.ChangeHandleRequest, context: object
    ) -> user_pb2.User:
        user_id = convert.user_id(request.user_id)
        async with self._database.transaction() as tx:
            before = await store.profile_to_change(tx, user_id)
            profile = domain.rename(before, request.handle, datetime.now(UTC))
            if profile != before:
                await store.rename(tx, profile)
                await self._held.exchange(tx, before, profile)
                _tell(tx, before, profile)
        return convert.user(profile)

    async def SetDeactivated(
        self, request: user_service_pb2.SetDeactivatedRequest, context: object
    ) -> user_pb2.User:
        user_id = convert.user_id(request.user_id)
        async with self._database.transaction() as tx:
            changed = await store.set_deactivated(
                tx, user_id, request.revision, deactivated=request.deactivated
            )
            profile = await store.profile_of(tx, user_id)
            if changed:
                _tell(tx, replace(profile, deactivated=not request.deactivated), profile)
                tx.emit(
                    events.standing_changed(
                        user_id, request.revision, deactivated=request.deactivated
                    )
                )
        return convert.user(profile)

    async def GetUser(
        self, request: user_service_pb2.GetUserRequest, context: object
    ) -> user_pb2.User:
        return await self._user(request.user_id)

    async def BatchGetUsers(
        self, request: user_service_pb2.BatchGetUsersRequest, context: object
    ) -> user_service_pb2.BatchGetUsersResponse:
        wanted = [convert.user_id(identifier) for identifier in request.user_ids]
        async with self._database.reading() as tx:
            found = await store.profiles_of(tx, wanted)
            blocking = await _blocking(tx, found)
        shown = await self._shown(found, blocking)
        return user_service_pb2.BatchGetUsersResponse(users=map(convert.user, shown))

    async def GetUserByHandle(
        self, request: user_service_pb2.GetUserByHandleRequest, context: object
    ) -> user_pb2.User:
        async with self._database.reading() as tx:
            found = [await store.by_handle(tx, request.handle)]
            blocking = await _blocking(tx, found)
        (shown,) = await self._shown(found, blocking)
        return convert.user(shown)

    async def _shown(
        self, profiles: Sequence[Profile], blocking: frozenset[UUID]
    ) -> Sequence[Profile]:
        """Profiles as the caller sees them; a service that asks for itself sees all of them."""
        me = _caller()
        if me is None:
            return profiles
        others = [one for one in profiles if one.id != me]
        depends = [
            one.id for one in others if one.id not in blocking and domain.is_for_fellows(one)
        ]
        fellows = await self._fellows.of(me, depends)
        return [
            profile
            if profile.id == me
            else domain.seen_by_others(
                profile, blocked=profile.id in blocking, fellow=profile.id in fellows
            )
            for profile in profiles
        ]

    async def _user(self, identifier: str) -> user_pb2.User:
        async with self._database.reading() as tx:
            return convert.user(await store.profile_of(tx, convert.user_id(identifier)))


def _tell(tx: Transaction, before: Profile, after: Profile) -> None:
    """Tell who changed their profile, and those who know them what they see of it."""
    tx.emit(events.updated(after))
    if not domain.looks_alike(before, after):
        tx.emit(events.profile_changed(after))


def _caller() -> UUID | None:
    """Who calls; None when a service asks for itself."""
    call = CURRENT.get()
    return (
        None if call is None or call.principal is None else convert.user_id(call.principal.user_id)
    )


async def _blocking(tx: Transaction, profiles: Sequence[Profile]) -> frozenset[UUID]:
    """Whose owners blocked the caller."""
    me = _caller()
    if me is None or not profiles:
        return frozenset()
    return await store.blocking(tx, me, [profile.id for profile in profiles])


class BotProfileHandler(BotProfileServiceServicer):
    """Serves the profiles of bots to the service that knows whose they are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def RenameBot(
        self, request: bot_profile_service_pb2.RenameBotRequest, context: object
    ) -> user_pb2.User:
        async with self._database.transaction() as tx:
            before = await store.profile_to_change(tx, convert.user_id(request.user_id))
            if not before.bot:
                raise domain.UserNotFound
            profile = domain.edit(before, {"display_name": request.display_name})
            if profile != before:
                await store.save(tx, profile)
                _tell(tx, before, profile)
        return convert.user(profile)


class BlockHandler(BlockServiceServicer):
    """Serves whom people blocked."""

    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database = database
        self._tokens = tokens

    async def BlockUser(
        self, request: block_service_pb2.BlockUserRequest, context: object
    ) -> block_service_pb2.Block:
        me, other = convert.user_id(principal().user_id), convert.user_id(request.user_id)
        domain.may_block(me, other)
        async with self._database.transaction() as tx:
            await store.profile_of(tx, other)
            block, new = await store.add_block(tx, me, other, datetime.now(UTC))
            if new:
                tx.emit(events.blocked(me, other))
        return convert.block(block)

    async def UnblockUser(
        self, request: block_service_pb2.UnblockUserRequest, context: object
    ) -> Empty:
        me, other = convert.user_id(principal().user_id), convert.user_id(request.user_id)
        async with self._database.transaction() as tx:
            if await store.remove_block(tx, me, other):
                tx.emit(events.unblocked(me, other))
        return Empty()

    async def ListBlocks(
        self, request: block_service_pb2.ListBlocksRequest, context: object
    ) -> block_service_pb2.ListBlocksResponse:
        me, size = principal().user_id, page_size(request.page_size)
        before: int | None = self._tokens.page_start(request.page_token, "blocks", me)
        async with self._database.reading() as tx:
            found = await store.blocks_of(tx, convert.user_id(me), before, size + 1)
        reply = block_service_pb2.ListBlocksResponse(blocks=map(convert.block, found[:size]))
        if len(found) > size:
            reply.next_page_token = self._tokens.next_page(found[size - 1].number, "blocks", me)
        return reply

    async def ListApart(
        self, request: block_service_pb2.ListApartRequest, context: object
    ) -> block_service_pb2.ListApartResponse:
        user_id = convert.user_id(request.user_id)
        async with self._database.reading() as tx:
            apart = await store.apart_from(tx, user_id, domain.MAX_BLOCKED_BY)
        return block_service_pb2.ListApartResponse(user_ids=map(convert.user_text, apart))


class ReachHandler(ReachServiceServicer):
    """Serves who may begin to talk to whom."""

    def __init__(self, database: Database, fellows: Fellows) -> None:
        self._database = database
        self._fellows = fellows

    async def CheckReach(
        self, request: reach_service_pb2.CheckReachRequest, context: object
    ) -> reach_service_pb2.CheckReachResponse:
        me = convert.user_id(request.user_id)
        among = [convert.user_id(other, "among") for other in request.among]
        async with self._database.reading() as tx:
            there = {profile.id: profile for profile in await store.profiles_of(tx, among)}
            blocking = await store.blocking(tx, me, among)
            chosen = await store.direct_messages_of(tx, among)
        depends = [
            one for one in there if chosen.get(one) is Audience.COMMUNITIES and one not in blocking
        ]
        fellows = await self._fellows.of(me, depends)
        reached = {
            one
            for one in there
            if domain.takes_messages(
                chosen.get(one, Audience.EVERYBODY), blocked=one in blocking, fellow=one in fellows
            )
        }
        return reach_service_pb2.CheckReachResponse(
            unreachable_ids=[convert.user_text(one) for one in among if one not in reached],
            deactivated_ids=[
                convert.user_text(one) for one in among if one in reached and there[one].deactivated
            ],
        )


class SettingsHandler(SettingsServiceServicer):
    """Serves how people want their clients to be."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def GetSettings(
        self, request: settings_service_pb2.GetSettingsRequest, context: object
    ) -> settings_service_pb2.Settings:
        async with self._database.reading() as tx:
            me = convert.user_id(principal().user_id)
            return convert.settings(await store.settings_of(tx, me))

    async def UpdateSettings(
        self, request: settings_service_pb2.UpdateSettingsRequest, context: object
    ) -> settings_service_pb2.Settings:
        me = convert.user_id(principal().user_id)
        changes = wire.changes(request, domain.SETTABLE)
        async with self._database.transaction() as tx:
            before = await store.settings_of(tx, me, to_change=True)
            settings = domain.set_up(before, changes)
            if settings != before:
                await store.keep_settings(tx, me, settings)
                tx.emit(events.settings_updated(me, settings))
        return convert.settings(settings)


class ErasureHandler(ErasureServiceServicer):
    """Serves that people are forgotten."""

    def __init__(self, forgetting: Forgetting) -> None:
        self._forgetting = forgetting

    async def EraseUser(
        self, request: erasure_service_pb2.EraseUserRequest, context: object
    ) -> Empty:
        await self._forgetting.forget(convert.user_id(request.user_id))
        return Empty()
