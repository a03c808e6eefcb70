"""ChannelService."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from google.protobuf.empty_pb2 import Empty

from chassis import idempotency
from chassis.authz import Authorizer
from chassis.calls import principal
from chassis.database import Database, Transaction
from chassis.tokens import Tokens, page_size
from creavio.community.v1 import channel_pb2, channel_service_pb2
from creavio.community.v1.channel_service_pb2_grpc import ChannelServiceServicer
from services.community import convert, domain, events, store
from services.community.domain import order
from services.community.domain.audit import Action, Difference, differences
from services.community.domain.forum import Forum, NoForum
from services.community.engine import Memberships, deed_of

_LOOKED_AT: Final = 200
"""Channels read at once to find those the caller sees."""
_EDITED: Final = ("name", "topic", "category_id", "after_channel_id", "forum")


class ChannelHandler(ChannelServiceServicer):
    """Creates, shows, changes, orders and deletes channels."""

    def __init__(
        self,
        database: Database,
        memberships: Memberships,
        authorizer: Authorizer,
        tokens: Tokens,
    ) -> None:
        self._database = database
        self._memberships = memberships
        self._authorizer = authorizer
        self._tokens = tokens

    async def CreateChannel(
        self, request: channel_service_pb2.CreateChannelRequest, context: object
    ) -> channel_pb2.Channel:
        community_id = convert.community_id(request.community_id)
        creator_id, now = convert.user_id(principal().user_id), datetime.now(UTC)
        channel = domain.new_channel(
            community_id,
            request.name,
            creator_id,
            now,
            private=request.private,
            topic=request.topic,
            category_id=convert.category_id(request.category_id),
            forum=_forum_of(request),
        )
        async with self._database.transaction() as tx:
            claim = await idempotency.claim(tx, channel_pb2.Channel)
            reply = claim.reply
            if reply is None:
                domain.may_have_another(await store.channels_to_add_to(tx, community_id))
                channel = await _at_the_end(tx, channel)
                await store.add_channel(tx, channel)
                reply = await claim.keep(convert.channel(channel))
                if not channel.private:
                    tx.emit(events.channel_created(channel))
                    await store.write_down(tx, deed_of(channel, creator_id, Action.CHANNEL_CREATED))
            elif reply.private:
                # A repeated request finishes what the first one may have left, or given up.
                channel = replace(
                    channel,
                    id=convert.channel_id(reply.id),
                    create_time=reply.create_time.ToDatetime(UTC),
                    category_id=None,
                    position=reply.position,
                )
                await store.add_channel(tx, channel)
        if reply.private:
            await self._memberships.finish_opening(channel)
        return reply

    async def ListChannels(
        self, request: channel_service_pb2.ListChannelsRequest, context: object
    ) -> channel_service_pb2.ListChannelsResponse:
        community_id = convert.community_id(request.community_id)
        size = page_size(request.page_size)
        purpose = ("channels", principal().user_id, request.community_id)
        start = self._tokens.page_start(request.page_token, *purpose)
        after = None if start is None else convert.channel_id(start)
        shown: list[channel_pb2.Channel] = []
        while len(shown) <= size:
            async with self._database.reading() as tx:
                channels = await store.channels_of(tx, community_id, after, _LOOKED_AT)
            listed = [convert.channel(channel) for channel in channels]
            visible = await self._authorizer.visible(
                principal().user_id, request.community_id, [channel.id for channel in listed]
            )
            shown += [channel for channel in listed if channel.id in visible]
            if len(channels) < _LOOKED_AT:
                break
            after = channels[-1].id
        reply = channel_service_pb2.ListChannelsResponse(channels=shown[:size])
        if len(shown) > size:
            # Of one they see: a token is signed, and read by whoever cares to.
            reply.next_page_token = self._tokens.next_page(reply.channels[-1].id, *purpose)
        return reply

    async def UpdateChannel(
        self, request: channel_service_pb2.UpdateChannelRequest, context: object
    ) -> channel_pb2.Channel:
        community_id = convert.community_id(request.community_id)
        channel_id = convert.channel_id(request.channel_id)
        caller = convert.user_id(principal().user_id)
        fields = convert.fields_to_change(request, request.update_mask, _EDITED)
        follows = request.after_channel_id if "after_channel_id" in fields else ""
        after_id = convert.channel_id(follows) if follows else None
        await self._must_see(request.community_id, {request.channel_id, follows} - {""})
        async with self._database.transaction() as tx:
            await store.community_to_change(tx, community_id)
            before = await store.channel_here(tx, community_id, channel_id)
            domain.unchanged(request.etag, before.etag, "the channel")
            channel = domain.retitled(
                before,
                name=request.name if "name" in fields else None,
                topic=request.topic if "topic" in fields else None,
                forum=convert.forum(request.forum) if "forum" in fields else None,
            )
            if channel != before:
                await store.save_channel(tx, channel)
            moved: Sequence[domain.Channel] = ()
            if fields & {"category_id", "after_channel_id"}:
                category_id = before.category_id
                if "category_id" in fields:
                    category_id = convert.category_id(request.category_id)
                to_end = "after_channel_id" not in fields
                moved = await _move(tx, channel, category_id, after_id, to_end=to_end)
            channel = next((each for each in moved if each.id == channel_id), channel)
            for each in moved or ([channel] if channel != before else []):
                tx.emit(events.channel_updated(each))
            if channel != before:
                said = differences(before, channel, ("name", "topic", "position", "forum"))
                said += _recategorized(before, channel)
                await store.write_down(tx, deed_of(channel, caller, Action.CHANNEL_UPDATED, said))
        return convert.channel(channel)

    async def DeleteChannel(
        self, request: channel_service_pb2.DeleteChannelRequest, context: object
    ) -> Empty:
        community_id = convert.community_id(request.community_id)
        channel_id = convert.channel_id(request.channel_id)
        caller = convert.user_id(principal().user_id)
        try:
            await self._must_see(request.community_id, {request.channel_id})
        except domain.ChannelNotFound:
            return Empty()  # As for one that is gone.
        async with self._database.transaction() as tx:
            await store.community_to_change(tx, community_id)
            gone = await store.delete_channel(tx, community_id, channel_id)
            if gone is not None:
                tx.emit(events.channel_deleted(gone))
                await store.write_down(tx, deed_of(gone, caller, Action.CHANNEL_DELETED))
        return Empty()

    async def _must_see(self, community_id: str, channel_ids: Set[str]) -> None:
        """Return when the caller sees these channels, if they are there.

        Raises `ChannelNotFound`.
        """
        caller = principal().user_id
        seen = await self._authorizer.visible(caller, community_id, channel_ids)
        if not channel_ids <= seen:
            raise domain.ChannelNotFound

    async def GetChannel(
        self, request: channel_service_pb2.GetChannelRequest, context: object
    ) -> channel_pb2.Channel:
        async with self._database.reading() as tx:
            return convert.channel(await store.channel(tx, convert.channel_id(request.channel_id)))


def _forum_of(request: channel_service_pb2.CreateChannelRequest) -> Forum | None:
    """What is to hold for the posts of a new forum; None for another channel. Raises
    `NoForum`."""
    if request.type == channel_pb2.CHANNEL_TYPE_FORUM:
        return convert.forum(request.forum)
    if request.HasField("forum"):
        raise NoForum
    return None


async def _at_the_end(tx: Transaction, channel: domain.Channel) -> domain.Channel:
    """A new channel after those of its category; whoever calls holds the community's lock.

    Raises `CategoryNotFound`.
    """
    if channel.category_id is not None:
        await store.category(tx, channel.community_id, channel.category_id)
    others = await store.standing_in(tx, channel.community_id, channel.category_id)
    positions = dict(order.joined(others, [channel.id]))
    position = positions.pop(channel.id)
    if positions:
        for each in await store.place_channels(tx, positions, channel.category_id):
            tx.emit(events.channel_updated(each))
    return replace(channel, position=position)


async def _move(
    tx: Transaction,
    channel: domain.Channel,
    category_id: UUID | None,
    after_id: UUID | None,
    *,
    to_end: bool,
) -> Sequence[domain.Channel]:
    """Put a channel into a category, or in none, right after another one there, first, or at
    the end; the channels that have another place then, itself among them.

    Raises `CategoryNotFound` and `ChannelNotFound`.
    """
    if category_id is not None:
        await store.category(tx, channel.community_id, category_id)
    standing = await store.standing_in(tx, channel.community_id, category_id)
    others = [each for each in standing if each[0] != channel.id]
    if to_end:
        if len(others) < len(standing):
            return ()  # It is there already: it stays where it is.
        after_id = others[-1][0] if others else None
    if after_id == channel.id or (after_id and after_id not in {one for one, _ in others}):
        raise domain.ChannelNotFound
    return await store.place_channels(tx, order.placed(others, channel.id, after_id), category_id)


def _recategorized(before: domain.Channel, after: domain.Channel) -> tuple[Difference, ...]:
    names = [
        "" if each.category_id is None else convert.category_text(each.category_id)
        for each in (before, after)
    ]
    return (Difference("category_id", *names),) if names[0] != names[1] else ()
