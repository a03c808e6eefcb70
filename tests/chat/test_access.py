"""Every RPC of chat, called by everybody who may not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf import message_factory
from google.protobuf.message import Message
import grpc
import pytest

from chassis import ids, status
from chassis.contract import Contract, Rpc
from chassis.errors import Denied, Error, FailedPrecondition, NotFound, Unauthenticated
from chassis.testing import Caller
from chassis.wire import timestamp
from creavio.chat.v1 import (
    bookmark_service_pb2,
    conversation_service_pb2,
    draft_service_pb2,
    forward_service_pb2,
    message_service_pb2,
    person_service_pb2,
    pin_service_pb2,
    poll_pb2,
    poll_service_pb2,
    post_service_pb2,
    reaction_service_pb2,
    read_state_service_pb2,
    scheduled_message_service_pb2,
    slow_mode_service_pb2,
    thread_service_pb2,
)
from creavio.options.v1 import permission_pb2 as p
from creavio.options.v1 import rpc_pb2
from tests.chat.world import MEMBER, OWNER, READER, World

Make: Any = Callable[[str, str], Message]
POLL = poll_pb2.NewPoll(question="which?", options=("this", "that"))

IN_A_PLACE: dict[str, Make] = {
    "CreateMessage": lambda place, _: message_service_pb2.CreateMessageRequest(
        channel_id=place, content="text"
    ),
    "SendMessages": lambda place, _: message_service_pb2.SendMessagesRequest(
        message=message_service_pb2.CreateMessageRequest(
            channel_id=place, content="text", nonce="n"
        )
    ),
    "ForwardMessage": lambda place, message: forward_service_pb2.ForwardMessageRequest(
        channel_id=place, source_channel_id=place, source_message_id=message
    ),
    "GetForwardSource": lambda place, message: forward_service_pb2.GetForwardSourceRequest(
        channel_id=place, message_id=message
    ),
    "ListMessages": lambda place, _: message_service_pb2.ListMessagesRequest(channel_id=place),
    "GetMessage": lambda place, message: message_service_pb2.GetMessageRequest(
        channel_id=place, message_id=message
    ),
    "ListMessagesAround": lambda place, message: message_service_pb2.ListMessagesAroundRequest(
        channel_id=place, message_id=message
    ),
    "ListChanges": lambda place, _: message_service_pb2.ListChangesRequest(channel_id=place),
    "UpdateMessage": lambda place, message: message_service_pb2.UpdateMessageRequest(
        channel_id=place, message_id=message, content="other"
    ),
    "DeleteMessage": lambda place, message: message_service_pb2.DeleteMessageRequest(
        channel_id=place, message_id=message
    ),
    "ListMessageVersions": lambda place, message: message_service_pb2.ListMessageVersionsRequest(
        channel_id=place, message_id=message
    ),
    "BulkDeleteMessages": lambda place, message: message_service_pb2.BulkDeleteMessagesRequest(
        channel_id=place, message_ids=[message]
    ),
    "AddReaction": lambda place, message: reaction_service_pb2.AddReactionRequest(
        channel_id=place, message_id=message, emoji="a"
    ),
    "RemoveReaction": lambda place, message: reaction_service_pb2.RemoveReactionRequest(
        channel_id=place, message_id=message, emoji="a"
    ),
    "PinMessage": lambda place, message: pin_service_pb2.PinMessageRequest(
        channel_id=place, message_id=message
    ),
    "UnpinMessage": lambda place, message: pin_service_pb2.UnpinMessageRequest(
        channel_id=place, message_id=message
    ),
    "MarkRead": lambda place, _: read_state_service_pb2.MarkReadRequest(
        channel_id=place, sequence=1
    ),
    "SaveDraft": lambda place, _: draft_service_pb2.SaveDraftRequest(
        channel_id=place, content="text"
    ),
    "AddBookmark": lambda place, message: bookmark_service_pb2.AddBookmarkRequest(
        channel_id=place, message_id=message
    ),
    "ScheduleMessage": lambda place, _: scheduled_message_service_pb2.ScheduleMessageRequest(
        channel_id=place, content="text", send_time=timestamp(datetime.now(UTC) + timedelta(days=1))
    ),
    "Vote": lambda place, message: poll_service_pb2.VoteRequest(
        channel_id=place, message_id=message
    ),
    "ClosePoll": lambda place, message: poll_service_pb2.ClosePollRequest(
        channel_id=place, message_id=message
    ),
    "ListVoters": lambda place, message: poll_service_pb2.ListVotersRequest(
        channel_id=place, message_id=message
    ),
    "ListPins": lambda place, _: pin_service_pb2.ListPinsRequest(channel_id=place),
}
IN_A_CHANNEL: dict[str, Make] = {
    "SetSlowMode": lambda place, _: slow_mode_service_pb2.SetSlowModeRequest(
        channel_id=place, seconds=0
    ),
    "GetSlowMode": lambda place, _: slow_mode_service_pb2.GetSlowModeRequest(channel_id=place),
}
IN_A_CHANNEL["CreateThread"] = lambda place, message: thread_service_pb2.CreateThreadRequest(
    channel_id=place, name="talk"
)
IN_A_CHANNEL["ListThreads"] = lambda place, _: thread_service_pb2.ListThreadsRequest(
    channel_id=place
)
IN_A_CHANNEL["CreatePost"] = lambda place, _: post_service_pb2.CreatePostRequest(
    channel_id=place, name="talk", content="text"
)
IN_A_CHANNEL["ListPosts"] = lambda place, _: post_service_pb2.ListPostsRequest(channel_id=place)
IN_A_THREAD: dict[str, Make] = {
    "SetPostTags": lambda place, _: post_service_pb2.SetPostTagsRequest(thread_id=place),
    "PinPost": lambda place, _: post_service_pb2.PinPostRequest(thread_id=place),
    "UnpinPost": lambda place, _: post_service_pb2.UnpinPostRequest(thread_id=place),
    "GetThread": lambda place, _: thread_service_pb2.GetThreadRequest(thread_id=place),
    "UpdateThread": lambda place, _: thread_service_pb2.UpdateThreadRequest(
        thread_id=place, name="other"
    ),
    "FollowThread": lambda place, _: thread_service_pb2.FollowThreadRequest(thread_id=place),
    "UnfollowThread": lambda place, _: thread_service_pb2.UnfollowThreadRequest(thread_id=place),
    "DeleteThread": lambda place, _: thread_service_pb2.DeleteThreadRequest(thread_id=place),
}
MODERATION = ("BulkDeleteMessages", "SetSlowMode", "DeleteThread")
"""What members do not, and nobody does in a conversation."""
ELSEWHERE: dict[str, Make] = {
    "CreateConversation": lambda _, __: conversation_service_pb2.CreateConversationRequest(
        user_ids=[ids.text(ids.Kind.USER, ids.new())]
    ),
    "GetConversation": lambda place, _: conversation_service_pb2.GetConversationRequest(
        conversation_id=place
    ),
    "ListReadStates": lambda _, __: read_state_service_pb2.ListReadStatesRequest(
        community_id=ids.text(ids.Kind.COMMUNITY, ids.new())
    ),
    "ListThreadReadStates": lambda _, __: read_state_service_pb2.ListThreadReadStatesRequest(
        community_id=ids.text(ids.Kind.COMMUNITY, ids.new())
    ),
    "ListConversationReadStates": (
        lambda _, __: read_state_service_pb2.ListConversationReadStatesRequest()
    ),
    "ListMessagePreviews": lambda place, message: message_service_pb2.ListMessagePreviewsRequest(
        references=[f"{place}/{message}"]
    ),
    "DeleteDraft": lambda place, _: draft_service_pb2.DeleteDraftRequest(channel_id=place),
    "ListDrafts": lambda _, __: draft_service_pb2.ListDraftsRequest(),
    "RemoveBookmark": lambda _, message: bookmark_service_pb2.RemoveBookmarkRequest(
        message_id=message
    ),
    "ListBookmarks": lambda _, __: bookmark_service_pb2.ListBookmarksRequest(),
    "ListScheduledMessages": (
        lambda _, __: scheduled_message_service_pb2.ListScheduledMessagesRequest()
    ),
    "UpdateScheduledMessage": (
        lambda _, __: scheduled_message_service_pb2.UpdateScheduledMessageRequest(
            scheduled_message_id=ids.text(ids.Kind.SCHEDULED_MESSAGE, ids.new()), content="text"
        )
    ),
    "CancelScheduledMessage": (
        lambda _, __: scheduled_message_service_pb2.CancelScheduledMessageRequest(
            scheduled_message_id=ids.text(ids.Kind.SCHEDULED_MESSAGE, ids.new())
        )
    ),
    "ListConversations": lambda _, __: conversation_service_pb2.ListConversationsRequest(),
    "ExportPerson": lambda _, __: person_service_pb2.ExportPersonRequest(
        user_id=ids.text(ids.Kind.USER, ids.new())
    ),
    "ListTalkers": lambda _, __: conversation_service_pb2.ListTalkersRequest(
        user_id=ids.text(ids.Kind.USER, ids.new())
    ),
    "ListConversationMembers": (
        lambda place, _: conversation_service_pb2.ListConversationMembersRequest(
            conversation_id=place
        )
    ),
}
IN_A_GROUP: dict[str, Make] = {
    "UpdateConversation": lambda place, _: conversation_service_pb2.UpdateConversationRequest(
        conversation_id=place, name="us"
    ),
    "AddConversationMembers": (
        lambda place, _: conversation_service_pb2.AddConversationMembersRequest(
            conversation_id=place, user_ids=[ids.text(ids.Kind.USER, ids.new())]
        )
    ),
    "RemoveConversationMember": (
        lambda place, _: conversation_service_pb2.RemoveConversationMemberRequest(
            conversation_id=place, user_id=ids.text(ids.Kind.USER, ids.new())
        )
    ),
    "HandOverConversation": (
        lambda place, _: conversation_service_pb2.HandOverConversationRequest(
            conversation_id=place, user_id=ids.text(ids.Kind.USER, ids.new())
        )
    ),
}
EVERYTHING = {**IN_A_GROUP, **IN_A_PLACE, **IN_A_CHANNEL, **IN_A_THREAD, **ELSEWHERE}


async def call(contract: Contract, caller: Caller, name: str, request: Message) -> Any:
    """Call an RPC by name. Raises what it fails with; of a stream, what its answer says."""
    rpc = rpc_named(contract, name)
    codec = {
        "request_serializer": lambda message: message.SerializeToString(),
        "response_deserializer": _reply(rpc).FromString,
    }
    if not rpc.bidi:
        method: Any = caller.channel.unary_unary(rpc.path, **codec)
        return await caller.call(method, request)
    stream: Any = caller.channel.stream_stream(rpc.path, **codec)
    talk = stream(metadata=caller.metadata(), timeout=10)
    try:
        await talk.write(request)
        answer = await talk.read()
    except grpc.aio.AioRpcError as error:
        raise status.from_call(error) from error
    finally:
        talk.cancel()
    if answer.WhichOneof("outcome") == "error":
        code = answer.error.code
        raise {5: NotFound, 7: Denied, 16: Unauthenticated}.get(code, Error)(answer.error.message)
    return answer


def rpc_named(contract: Contract, name: str) -> Rpc:
    return next(r for r in contract.rpcs_of("chat") if r.path.endswith(f"/{name}"))


def _reply(rpc: Rpc) -> Any:
    return message_factory.GetMessageClass(rpc.descriptor.output_type)


def test_every_rpc_is_called_here(contract: Contract) -> None:
    served = {rpc.path.rpartition("/")[2] for rpc in contract.rpcs_of("chat")}
    assert served == EVERYTHING.keys()


async def test_nobody_calls_without_a_token(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    message = (await ada.send(channel, "text")).id
    conversation = (await ada.converse(world.person())).id
    thread = (await ada.begin(channel)).id
    for name, make in EVERYTHING.items():
        place = conversation if name in ELSEWHERE else channel
        place = thread if name in IN_A_THREAD else place
        place = conversation if name in IN_A_GROUP else place
        internal = rpc_named(world.contract, name).policy.access == rpc_pb2.ACCESS_SERVICE
        with pytest.raises(Denied if internal else Unauthenticated):
            await call(world.contract, world.nobody(), name, make(place, message))


async def test_a_channel_is_there_for_its_community_only(world: World) -> None:
    community, other = world.found(), world.found()
    channel, elsewhere = world.open_channel(community), world.open_channel(other)
    message = (await world.person(community).send(channel, "text")).id
    nowhere = ids.text(ids.Kind.CHANNEL, ids.new())
    for somebody in (world.person(), world.person(other, OWNER)):
        for name, make in {**IN_A_PLACE, **IN_A_CHANNEL}.items():
            for place in (channel, nowhere):
                with pytest.raises(NotFound):
                    await call(world.contract, somebody, name, make(place, message))
    # A message is not reached through a channel one is in.
    owner = world.person(other, OWNER)
    await owner.send(elsewhere, "text")
    for name in ("UpdateMessage", "DeleteMessage", "AddReaction", "RemoveReaction", "PinMessage"):
        with pytest.raises(NotFound):
            await call(world.contract, owner, name, IN_A_PLACE[name](elsewhere, message))


async def test_a_member_does_what_they_may_and_nothing_else(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    sent = await ada.send(channel, "text", poll=POLL)
    message, forwarded = sent.id, (await ada.forward(sent, channel)).id
    for name, make in {**IN_A_PLACE, **IN_A_CHANNEL}.items():
        needed = rpc_named(world.contract, name).policy.permission.require
        somebody = world.person(community, MEMBER - {needed})
        hidden = needed == p.PERMISSION_VIEW_CHANNEL
        with pytest.raises(NotFound if hidden else Denied):
            await call(world.contract, somebody, name, make(channel, message))
    # The author is let do all of it, the others all but to change what is not theirs.
    bob = world.person(community)
    for name in ("UpdateMessage", "DeleteMessage"):
        with pytest.raises(Denied):
            await call(world.contract, bob, name, IN_A_PLACE[name](channel, message))
    for name, make in IN_A_PLACE.items():
        if name not in ("DeleteMessage", *MODERATION):
            about = forwarded if name == "GetForwardSource" else message
            await call(world.contract, ada, name, make(channel, about))
    await call(world.contract, ada, "DeleteMessage", IN_A_PLACE["DeleteMessage"](channel, message))


async def test_a_thread_is_there_for_who_sees_its_channel(world: World) -> None:
    community, other = world.found(), world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    thread = (await ada.begin(channel)).id
    message = (await ada.send(thread, "text")).id
    of_a_thread = {**IN_A_PLACE, **IN_A_THREAD}
    for somebody in (
        world.person(),
        world.person(other, OWNER),
        world.person(community, READER - {p.PERMISSION_VIEW_CHANNEL}),
    ):
        for name, make in of_a_thread.items():
            with pytest.raises(NotFound):
                await call(world.contract, somebody, name, make(thread, message))
    for name, make in of_a_thread.items():
        needed = rpc_named(world.contract, name).policy.permission.require
        if needed != p.PERMISSION_VIEW_CHANNEL:
            somebody = world.person(community, OWNER - {needed})
            with pytest.raises(Denied):
                await call(world.contract, somebody, name, make(thread, message))


async def test_a_conversation_is_there_for_its_members_only(world: World) -> None:
    community = world.found()
    ada, bob, owner = (world.person(community, OWNER) for _ in range(3))
    conversation = (await ada.converse(bob)).id
    sent = await ada.send(conversation, "text", poll=POLL)
    message, forwarded = sent.id, (await ada.forward(sent, conversation)).id
    of_a_conversation = {**IN_A_PLACE, "GetConversation": ELSEWHERE["GetConversation"]}
    for name, make in {**IN_A_GROUP, **of_a_conversation}.items():
        for outsider in (owner, world.person()):
            with pytest.raises(NotFound):
                await call(world.contract, outsider, name, make(conversation, message))
        if name in MODERATION:
            with pytest.raises(Denied):
                await call(world.contract, ada, name, make(conversation, message))
        elif name in IN_A_GROUP:
            with pytest.raises(FailedPrecondition):  # it is one of two
                await call(world.contract, ada, name, make(conversation, message))
        elif name != "DeleteMessage":
            about = forwarded if name == "GetForwardSource" else message
            await call(world.contract, ada, name, make(conversation, about))
