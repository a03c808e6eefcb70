"""Every RPC that is open to the outside, asked by everybody who may not."""

from __future__ import annotations

from dataclasses import dataclass
import re
from typing import Any

import pytest

from tests.live import Live, Person, signed_out
from tools import proto, reader
from tools.model import Model, Rpc
from tools.samples import Samples

MODEL: Model = reader.load((proto.ROOT / proto.DESCRIPTORS).read_bytes())
SAMPLES = Samples(MODEL)
RPCS = [rpc for rpc in MODEL.public_rpcs if rpc.http]
NAMES = [rpc.path.removeprefix("/creavio.") for rpc in RPCS]
PERSONAL = ("INSTANCE", "CONVERSATION")


def is_open(rpc: Rpc) -> bool:
    """Whether nobody has to be signed in for it."""
    return rpc.policy.access == "ANONYMOUS"


@dataclass
class Cast:
    """A community that a few people know, and everything in it."""

    owner: Person
    outsider: Person
    """Owns another community, and is nobody here."""
    member: Person
    """Belongs, and holds nothing that was not given to everybody."""
    left: Person
    """Was a member until a moment ago."""
    ids: dict[str, str]

    def ask(self, rpc: Rpc, person: Person | None, live: Live) -> Any:
        """Call an RPC about this community, well-formed."""
        binding = rpc.http[0]
        path = re.sub(r"\{([a-z_]+)[^}]*\}", lambda field: self.ids[field[1]], binding.path)
        fields = set(re.findall(r"\{([a-z_]+)", binding.path))
        headers = {"accept": "application/x-ndjson"}
        if person is not None:
            headers["authorization"] = f"Bearer {person.token}"
        body = SAMPLES.sent(rpc.request, frozenset(fields)) if binding.body else ""
        for name in ("user_id", "role_id"):
            body = re.sub(rf'("{name}": )"[^"]*"', rf'\1"{self.ids[name]}"', body)
        query = {"permission": "PERMISSION_SEND_MESSAGES"} if binding.verb == "get" else {}
        known = {field.name for field in MODEL.messages[rpc.request].fields}
        if binding.body:
            headers["content-type"] = "application/json"
        with live.client() as client:
            return client.request(
                binding.verb,
                path,
                content=(body or "{}") if binding.body else None,
                params={name: value for name, value in query.items() if name in known},
                headers=headers,
            )


@pytest.fixture(scope="module")
def cast(live: Live) -> Cast:
    owner, outsider, member, left = (
        live.sign_up(name) for name in ("owner", "outsider", "member", "left")
    )
    community = owner.found()["id"]
    channel = owner.open_channel(community)["id"]
    place = f"/v1/communities/{community}/categories"
    category = owner.do("POST", place, json={"name": "Talk"})["id"]
    for person in (member, left):
        person.accept(owner.invite(community))
    outsider.open_channel(outsider.found("Elsewhere")["id"])
    picture = {"name": "wave", "file_id": "file_01h455vb4pex5vsknk084sn02q"}
    emoji = owner.do("POST", f"/v1/communities/{community}/emoji", json=picture)["id"]
    party = {
        "title": "Party",
        "start_time": "2030-01-01T18:00:00Z",
        "end_time": "2030-01-01T20:00:00Z",
        "time_zone": "Europe/Berlin",
    }
    event = owner.do("POST", f"/v1/communities/{community}/calendar", json=party)["id"]
    role = owner.do("POST", f"/v1/communities/{community}/roles", json={"name": "x"})["id"]
    message = owner.send(channel, "hello")["id"]
    thread = owner.do("POST", f"/v1/channels/{channel}/threads", json={"name": "talk"})["id"]
    talk = owner.do("POST", "/v1/conversations", json={"user_ids": [member.id]})["id"]
    return Cast(
        owner,
        outsider,
        member,
        left,
        {
            "community_id": community,
            "channel_id": channel,
            "category_id": category,
            "emoji_id": emoji,
            "calendar_event_id": event,
            "message_id": message,
            "user_id": member.id,
            "role_id": role,
            "target_id": role,
            "conversation_id": talk,
            "thread_id": thread,
            "scheduled_message_id": "sch_01kaf2xq4wf6evhn7d8b5c3m9t",
            "session_id": "current",
            "token_id": "tok_01h455vb4pex5vsknk084sn02q",
            "bot_id": member.id,
            "provider_id": "nosuch",
            "app_id": "app_01h455vb4pex5vsknk084sn02q",
            "passkey_id": "pky_01h455vb4pex5vsknk084sn02q",
            "code": "nosuchcode",
            "handle": "nosuchhandle",
        },
    )


OPEN_TO_ITS_OWNER = {
    "auth": "/v1/sessions",
    "chat": "/v1/bookmarks",
    "community": "/v1/communities/{community_id}",
    "gateway": "/v1/communities/{community_id}/presences",
    "rbac": "/v1/communities/{community_id}/permissions",
    "user": "/v1/users/me",
}
"""By service, what the owner of a community may read."""


@pytest.fixture(scope="module")
def gone(live: Live, cast: Cast) -> Person:
    """The owner, in a session that is over, as every service knows by now."""
    assert OPEN_TO_ITS_OWNER.keys() == {rpc.service.split(".")[1] for rpc in RPCS}
    paths = [path.format_map(cast.ids) for path in OPEN_TO_ITS_OWNER.values()]
    session = live.sign_in(cast.owner.handle)
    for path in paths:
        session.do("GET", path)
    session.do("DELETE", "/v1/sessions/current")
    assert signed_out(session, *paths)
    return session


@pytest.mark.parametrize("rpc", RPCS, ids=NAMES)
def test_nobody_without_a_token(live: Live, cast: Cast, rpc: Rpc) -> None:
    reply = cast.ask(rpc, None, live)
    if is_open(rpc):
        assert reply.status_code != 403
    else:
        assert (reply.status_code, reason(reply)) == (401, "UNAUTHENTICATED")


CLOSED = [(rpc, name) for rpc, name in zip(RPCS, NAMES, strict=True) if not is_open(rpc)]


@pytest.mark.parametrize("rpc", [r for r, _ in CLOSED], ids=[n for _, n in CLOSED])
def test_nobody_whose_session_was_ended(live: Live, cast: Cast, gone: Person, rpc: Rpc) -> None:
    reply = cast.ask(rpc, gone, live)
    assert (reply.status_code, reason(reply)) == (401, "SESSION_REVOKED")


PLACED = [
    (rpc, name)
    for rpc, name in zip(RPCS, NAMES, strict=True)
    if rpc.policy.access == "PERMISSION" and rpc.policy.scope != "INSTANCE"
]


@pytest.mark.parametrize("rpc", [r for r, _ in PLACED], ids=[n for _, n in PLACED])
def test_for_somebody_of_another_community_there_is_nothing(
    live: Live, cast: Cast, rpc: Rpc
) -> None:
    reply = cast.ask(rpc, cast.outsider, live)
    assert (reply.status_code, reason(reply)) == (404, "NOT_FOUND")


@pytest.mark.parametrize("rpc", [r for r, _ in PLACED], ids=[n for _, n in PLACED])
def test_for_somebody_who_was_just_removed_there_is_nothing(
    live: Live, cast: Cast, rpc: Rpc
) -> None:
    community = cast.ids["community_id"]
    cast.left.accept(cast.owner.invite(community))
    assert cast.left.ask("GET", f"/v1/communities/{community}").is_success
    cast.owner.do("DELETE", f"/v1/communities/{community}/members/{cast.left.id}")
    reply = cast.ask(rpc, cast.left, live)
    assert (reply.status_code, reason(reply)) == (404, "NOT_FOUND")


EVERYBODY_MAY = (
    "VIEW_COMMUNITY",
    "VIEW_CHANNEL",
    "SEND_MESSAGES",
    "CREATE_INVITES",
    "ADD_REACTIONS",
)
GUARDED = [(rpc, name) for rpc, name in PLACED if rpc.policy.permission not in EVERYBODY_MAY]


@pytest.mark.parametrize("rpc", [r for r, _ in GUARDED], ids=[n for _, n in GUARDED])
def test_a_member_who_lacks_the_permission_is_told_so(live: Live, cast: Cast, rpc: Rpc) -> None:
    reply = cast.ask(rpc, cast.member, live)
    assert (reply.status_code, reason(reply)) == (403, "PERMISSION_DENIED")


def test_an_instance_is_administrated_by_nobody_else(live: Live, cast: Cast) -> None:
    for rpc in RPCS:
        if rpc.policy.scope == "INSTANCE":
            reply = cast.ask(rpc, cast.owner, live)
            assert (reply.status_code, reason(reply)) == (403, "PERMISSION_DENIED"), rpc.path


def reason(reply: Any) -> str:
    """Why a call failed."""
    details = reply.json().get("details", ())
    return next((str(one["reason"]) for one in details if "reason" in one), str(reply.text))
