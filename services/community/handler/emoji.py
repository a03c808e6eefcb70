"""EmojiService."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from google.protobuf.empty_pb2 import Empty

from chassis import idempotency, ids
from chassis.calls import principal
from chassis.database import Database
from creavio.community.v1 import emoji_pb2, emoji_service_pb2
from creavio.community.v1.emoji_service_pb2_grpc import EmojiServiceServicer
from services.community import convert, events, store
from services.community.domain.audit import Action, Deed, Difference, differences
from services.community.domain.emoji import Emoji, EmojiNotFound, may_have_another_emoji


class EmojiHandler(EmojiServiceServicer):
    """Adds, shows, renames and takes away emoji."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def CreateEmoji(
        self, request: emoji_service_pb2.CreateEmojiRequest, context: object
    ) -> emoji_pb2.Emoji:
        community_id = convert.community_id(request.community_id)
        async with self._database.transaction() as tx:
            claim = await idempotency.claim(tx, emoji_pb2.Emoji)
            if claim.reply is not None:
                return claim.reply
            await store.community_to_change(tx, community_id)
            may_have_another_emoji(len(await store.emoji_of(tx, community_id)))
            creator, now = convert.user_id(principal().user_id), datetime.now(UTC)
            made = Emoji(ids.new(), community_id, request.name, request.file_id, creator, now)
            await store.add_emoji(tx, made)
            tx.emit(events.emoji_created(made))
            await store.write_down(tx, _deed(made, Action.EMOJI_CREATED))
            return await claim.keep(convert.emoji(made))

    async def ListEmoji(
        self, request: emoji_service_pb2.ListEmojiRequest, context: object
    ) -> emoji_service_pb2.ListEmojiResponse:
        async with self._database.reading() as tx:
            found = await store.emoji_of(tx, convert.community_id(request.community_id))
        return emoji_service_pb2.ListEmojiResponse(emoji=[convert.emoji(each) for each in found])

    async def UpdateEmoji(
        self, request: emoji_service_pb2.UpdateEmojiRequest, context: object
    ) -> emoji_pb2.Emoji:
        community_id = convert.community_id(request.community_id)
        async with self._database.transaction() as tx:
            await store.community_to_change(tx, community_id)
            before = await store.emoji(tx, community_id, convert.emoji_id(request.emoji_id))
            after = replace(before, name=request.name) if request.HasField("name") else before
            if after != before:
                await store.rename_emoji(tx, after)
                tx.emit(events.emoji_updated(after))
                said = differences(before, after, ("name",))
                await store.write_down(tx, _deed(after, Action.EMOJI_UPDATED, said))
        return convert.emoji(after)

    async def DeleteEmoji(
        self, request: emoji_service_pb2.DeleteEmojiRequest, context: object
    ) -> Empty:
        community_id = convert.community_id(request.community_id)
        async with self._database.transaction() as tx:
            await store.community_to_change(tx, community_id)
            try:
                gone = await store.emoji(tx, community_id, convert.emoji_id(request.emoji_id))
            except EmojiNotFound:
                return Empty()
            await store.delete_emoji(tx, gone.id)
            tx.emit(events.emoji_deleted(gone))
            await store.write_down(tx, _deed(gone, Action.EMOJI_DELETED))
        return Empty()


def _deed(emoji: Emoji, action: Action, said: tuple[Difference, ...] = ()) -> Deed:
    return Deed(
        emoji.community_id,
        convert.user_id(principal().user_id),
        action,
        convert.emoji_text(emoji.id),
        emoji.name,
        differences=said,
    )
