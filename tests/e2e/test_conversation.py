"""Two people talk: over REST, over gRPC-Web, over gRPC, and all at once."""

from __future__ import annotations

from collections.abc import Callable
import struct
import time
from typing import TypeVar

from google.protobuf.message import Message
import grpc
import httpx
import pytest

from chassis.testing import Caller
from creavio.chat.v1 import message_pb2, message_service_pb2
from creavio.chat.v1.message_service_pb2_grpc import MessageServiceStub
from creavio.community.v1 import channel_service_pb2, community_service_pb2, invite_service_pb2
from creavio.community.v1.channel_service_pb2_grpc import ChannelServiceStub
from creavio.community.v1.community_service_pb2_grpc import CommunityServiceStub
from creavio.community.v1.invite_service_pb2_grpc import InviteServiceStub
from creavio.gateway.v1 import gateway_service_pb2
from creavio.gateway.v1.gateway_service_pb2_grpc import GatewayServiceStub
from creavio.user.v1 import user_pb2, user_service_pb2
from tests.live import PASSWORD, Live, Person

R = TypeVar("R", bound=Message)


def table_of(ada: Person, *others: Person) -> tuple[str, str]:
    """A community with a channel, everybody in it: their ids."""
    community = ada.found()["id"]
    channel = ada.open_channel(community)["id"]
    for other in others:
        other.accept(ada.invite(community))
    return community, channel


def test_two_people_talk_over_rest(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    community = ada.found("A round table")
    channel = ada.open_channel(community["id"], "general")
    with bob.listening() as heard:
        community["member_count"] = 2
        assert bob.accept(ada.invite(community["id"])) == community
        assert heard.until("member_joined")["member"]["user_id"] == bob.id

        sent = ada.send(channel["id"], "hello", nonce="first")
        assert heard.until("message_created")["message"] == sent

        place = f"/v1/channels/{channel['id']}/messages/{sent['id']}"
        edited = ada.do("PATCH", place, json={"content": "hello, Bob"})
        assert edited["edit_time"]
        assert heard.until("message_updated")["message"] == edited

        assert ada.do("DELETE", place) == {}
        gone = heard.until("message_deleted")
        assert (gone["message_id"], gone["revision"]) == (sent["id"], "3")
    assert bob.messages(channel["id"]) == []
    assert bob.do("GET", "/v1/communities")["communities"] == [community]
    channels = bob.do("GET", f"/v1/communities/{community['id']}/channels")
    assert channels == {"channels": [channel], "next_page_token": ""}


def test_an_invite_opens_the_channel_in_the_very_next_call(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    community, channel = table_of(ada)
    ada.send(channel, "come in")
    # Bob's being an outsider is known everywhere before he is none any more.
    assert bob.ask("GET", f"/v1/channels/{channel}/messages").status_code == 404
    bob.accept(ada.invite(community))
    assert [message["content"] for message in bob.messages(channel)] == ["come in"]
    assert bob.send(channel, "here I am")["sequence"] == "2"


def test_an_outsider_reads_nothing(live: Live) -> None:
    ada, eve = live.sign_up("ada"), live.sign_up("eve")
    with eve.listening(read_timeout=1.5) as heard:
        community, channel = table_of(ada)
        message = ada.send(channel, "among ourselves")["id"]
        for method, path, body in (
            ("GET", f"/v1/communities/{community}", None),
            ("GET", f"/v1/communities/{community}/channels", None),
            ("POST", f"/v1/communities/{community}/channels", {"name": "mine"}),
            ("POST", f"/v1/communities/{community}/invites", {}),
            ("DELETE", f"/v1/communities/{community}/members/{ada.id}", None),
            ("GET", f"/v1/channels/{channel}/messages", None),
            ("POST", f"/v1/channels/{channel}/messages", {"content": "hi"}),
            ("PATCH", f"/v1/channels/{channel}/messages/{message}", {"content": "hi"}),
            ("DELETE", f"/v1/channels/{channel}/messages/{message}", None),
        ):
            reply = eve.ask(method, path, json=body)
            assert reply.status_code == 404, f"{method} {path}: {reply.text}"
            assert reply.json()["details"][0]["reason"] == "NOT_FOUND"
        assert eve.do("GET", "/v1/communities")["communities"] == []
        with pytest.raises(httpx.ReadTimeout):
            heard.until("anything about them")
        # That one is there oneself is all there is to hear.
        told = [event["presence"]["user_id"] for event in heard.seen if "ready" not in event]
        assert set(told) <= {eve.id}


def test_who_is_removed_hears_of_it_and_of_nothing_after(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    community, channel = table_of(ada, bob)
    with bob.listening(read_timeout=2) as heard:
        ada.send(channel, "before")
        heard.until("message_created")
        # That Bob may read is known where it is decided, before he may not.
        assert [m["content"] for m in bob.messages(channel)] == ["before"]
        told = len(heard.seen)
        ada.do("DELETE", f"/v1/communities/{community}/members/{bob.id}")
        within_a_second(lambda: reads(bob, channel) == 404)
        assert heard.until("member_removed")["user_id"] == bob.id
        time.sleep(1)  # by then every replica knows, says the contract
        ada.send(channel, "after")
        with pytest.raises(httpx.ReadTimeout):
            heard.until("anything about them")
        # Which of the two services that end a membership is heard first is open, and
        # when one hears that one is there oneself.
        others = [
            event
            for event in heard.seen[told:]
            if event.keys().isdisjoint({"member_removed", "access_changed"})
            and event.get("presence", {}).get("user_id") != bob.id
        ]
        assert not others
    # Whoever was removed can come back, and reads what was said.
    bob.accept(ada.invite(community))
    assert [m["content"] for m in bob.messages(channel)] == ["before", "after"]


def reads(person: Person, channel: str) -> int:
    """What a person is answered who lists a channel's messages."""
    return person.ask("GET", f"/v1/channels/{channel}/messages").status_code


def within_a_second(holds: Callable[[], bool]) -> None:
    """Fails the test when something does not hold within a second."""
    ends = time.monotonic() + 1
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_sign_in_by_handle_and_by_no_address_that_is_not_verified(live: Live) -> None:
    ada = live.sign_up("ada")
    for login in (ada.handle, ada.handle.upper()):
        body = {"login": login, "password": PASSWORD}
        session = httpx.post(f"{live.url}/v1/sessions", json=body).json()
        assert session["user"]["id"] == ada.id
        refreshed = httpx.post(
            f"{live.url}/v1/sessions:refresh", json={"refresh_token": session["refresh_token"]}
        ).json()
        assert refreshed["user"]["id"] == ada.id
        assert refreshed["access_token"] != session["access_token"]
    wrong = httpx.post(f"{live.url}/v1/sessions", json={"login": ada.handle, "password": "guess"})
    for login, password in (("nobody", "guess"), (f"{ada.handle}@example.org", PASSWORD)):
        body = {"login": login, "password": password}
        unknown = httpx.post(f"{live.url}/v1/sessions", json=body)
        assert (wrong.status_code, wrong.json()) == (unknown.status_code, unknown.json())
    assert wrong.json()["details"][0]["reason"] == "WRONG_CREDENTIALS"


def test_a_profile_changes_by_exactly_what_is_sent(live: Live) -> None:
    ada = live.sign_up("ada")
    with ada.listening() as heard:
        bio = ada.do("PATCH", "/v1/users/me", json={"bio": "Analyst"})
        assert (bio["bio"], bio["display_name"]) == ("Analyst", "Ada")
        assert heard.until("user_updated")["user"] == bio
        named = ada.do("PATCH", "/v1/users/me", json={"display_name": "Ada L."})
        assert (named["bio"], named["display_name"]) == ("Analyst", "Ada L.")
        cleared = ada.do("PATCH", "/v1/users/me", json={"update_mask": "bio"})
        assert (cleared["bio"], cleared["display_name"]) == ("", "Ada L.")
        assert ada.do("GET", "/v1/users/me") == cleared


async def test_two_people_talk_over_grpc(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{live.port}") as channel:
        host, guest = Caller(channel, ada.token), Caller(channel, bob.token)
        communities, channels = CommunityServiceStub(channel), ChannelServiceStub(channel)
        invites, messages = InviteServiceStub(channel), MessageServiceStub(channel)
        community = await host.call(
            communities.CreateCommunity, community_service_pb2.CreateCommunityRequest(name="Table")
        )
        place = await host.call(
            channels.CreateChannel,
            channel_service_pb2.CreateChannelRequest(community_id=community.id, name="general"),
        )
        invite = await host.call(
            invites.CreateInvite,
            invite_service_pb2.CreateInviteRequest(community_id=community.id),
        )
        await guest.call(
            invites.AcceptInvite, invite_service_pb2.AcceptInviteRequest(code=invite.code)
        )
        stream = GatewayServiceStub(channel).Subscribe(
            gateway_service_pb2.SubscribeRequest(), metadata=guest.metadata(), timeout=15
        )
        told = aiter(stream)
        assert (await anext(told)).events[0].HasField("ready")
        sent = await host.call(
            messages.CreateMessage,
            message_service_pb2.CreateMessageRequest(channel_id=place.id, content="hello"),
        )
        async for batch in told:
            if batch.events[0].HasField("message_created"):
                assert batch.events[0].message_created.message == sent
                break
        stream.cancel()


def test_a_browser_talks_over_grpc_web(live: Live) -> None:
    ada = live.sign_up("ada")
    _, channel = table_of(ada)
    sent = grpc_web(
        ada,
        "/creavio.chat.v1.MessageService/CreateMessage",
        message_service_pb2.CreateMessageRequest(channel_id=channel, content="from a browser"),
        message_pb2.Message,
    )
    assert sent.content == "from a browser"
    me = grpc_web(
        ada,
        "/creavio.user.v1.UserService/GetMe",
        user_service_pb2.GetMeRequest(),
        user_pb2.User,
    )
    assert me.id == ada.id
    assert [m["content"] for m in ada.messages(channel)] == ["from a browser"]


def grpc_web(person: Person, path: str, request: Message, reply_type: type[R]) -> R:
    """One unary call as a browser makes it."""
    body = request.SerializeToString()
    reply = person.ask(
        "POST",
        path,
        content=b"\0" + struct.pack(">I", len(body)) + body,
        headers={"content-type": "application/grpc-web+proto", "x-grpc-web": "1"},
    )
    assert reply.status_code == 200, reply.text
    assert reply.headers.get("grpc-status", "0") == "0", reply.headers
    size = struct.unpack(">I", reply.content[1:5])[0]
    return reply_type.FromString(reply.content[5 : 5 + size])


def test_the_same_request_sent_again_has_one_effect(live: Live) -> None:
    ada = live.sign_up("ada")
    key = {"Idempotency-Key": "found-once"}
    first = ada.do("POST", "/v1/communities", json={"name": "Once"}, headers=key)
    again = ada.do("POST", "/v1/communities", json={"name": "Once"}, headers=key)
    assert first == again
    assert len(ada.do("GET", "/v1/communities")["communities"]) == 1
    other = ada.ask("POST", "/v1/communities", json={"name": "Twice"}, headers=key)
    assert other.status_code == 409
    assert other.json()["details"][0]["reason"] == "IDEMPOTENCY_KEY_REUSED"

    channel = ada.open_channel(first["id"])["id"]
    assert ada.send(channel, "once", nonce="n") == ada.send(channel, "once", nonce="n")
    assert len(ada.messages(channel)) == 1
