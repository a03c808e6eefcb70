"""What tokens of programs may call, as the contract says it."""

from __future__ import annotations

from itertools import product

import grpc
import pytest

from chassis.bus import Bus
from chassis.calls import Principal
from chassis.contract import Contract
from chassis.errors import Denied
from chassis.scopes import require_scope, require_verified
from chassis.telemetry import Telemetry
from chassis.testing import Caller, scratch_config
from chassis.usage import USED_SUBJECT, Usage
from creavio.auth.v1 import auth_events_pb2, session_service_pb2
from creavio.auth.v1.session_service_pb2_grpc import (
    SessionServiceServicer,
    SessionServiceStub,
    add_SessionServiceServicer_to_server,
)
from creavio.user.v1 import user_pb2, user_service_pb2
from creavio.user.v1.user_service_pb2_grpc import (
    UserServiceServicer,
    UserServiceStub,
    add_UserServiceServicer_to_server,
)
from tests.chassis.serving import PERSON, Keys, serving

LISTS_SESSIONS = "/creavio.auth.v1.SessionService/ListSessions"
READS = "/creavio.user.v1.UserService/GetMe"
WRITES = "/creavio.user.v1.UserService/UpdateMe"
FOLLOWS = "/creavio.gateway.v1.GatewayService/Subscribe"


def refusal(contract: Contract, path: str, *scopes: str) -> str:
    """Why a token with these scopes may not call an RPC; empty when it may."""
    caller = Principal(PERSON, "ses", "token", 0.0, frozenset(scopes))
    try:
        require_scope(contract.rpcs[path], caller)
    except Denied as error:
        return error.reason
    return ""


def test_each_scope_opens_what_it_says(contract: Contract) -> None:
    for path in (READS, FOLLOWS):
        assert refusal(contract, path, "read") == ""
        assert refusal(contract, path, "write") == "INSUFFICIENT_SCOPE"
    assert refusal(contract, WRITES, "write") == ""
    assert refusal(contract, WRITES, "read") == "INSUFFICIENT_SCOPE"


@pytest.mark.parametrize("path", [READS, WRITES, FOLLOWS, LISTS_SESSIONS])
def test_words_that_are_no_scope_open_nothing(contract: Contract, path: str) -> None:
    for scopes in ((), ("",), ("Read", "WRITE", "admin", "openid", "read,write")):
        assert refusal(contract, path, *scopes)


def test_no_scope_opens_credentials_and_the_instance(contract: Contract) -> None:
    kept = [rpc.path for rpc in contract.rpcs.values() if rpc.policy.in_person]
    assert LISTS_SESSIONS in kept
    for path, scopes in product(kept, (("read",), ("write",), ("read", "write"))):
        assert refusal(contract, path, *scopes) == "SIGN_IN_REQUIRED"


class _Sessions(SessionServiceServicer):
    async def ListSessions(
        self, request: session_service_pb2.ListSessionsRequest, context: object
    ) -> session_service_pb2.ListSessionsResponse:
        return session_service_pb2.ListSessionsResponse()


class _Users(UserServiceServicer):
    async def GetMe(self, request: user_service_pb2.GetMeRequest, context: object) -> user_pb2.User:
        return user_pb2.User(id=PERSON)

    async def UpdateMe(
        self, request: user_service_pb2.UpdateMeRequest, context: object
    ) -> user_pb2.User:
        return user_pb2.User(id=PERSON)


class _Noted(Bus):
    """Keeps what is said."""

    def __init__(self) -> None:
        config = scratch_config("user")
        super().__init__(config, Telemetry(config))
        self.said: list[tuple[str, str]] = []

    async def publish(self, subject: str, body: bytes) -> None:
        used = auth_events_pb2.TokenUsed.FromString(body)
        self.said.append((subject, used.session_id))


async def _ask(channel: grpc.aio.Channel, token: str) -> list[str]:
    """What becomes of a read, a write and a look at sessions with a token."""
    caller, found = Caller(channel, token), []
    users, sessions = UserServiceStub(channel), SessionServiceStub(channel)
    for call in (
        caller.call(users.GetMe, user_service_pb2.GetMeRequest()),
        caller.call(users.UpdateMe, user_service_pb2.UpdateMeRequest()),
        caller.call(sessions.ListSessions, session_service_pb2.ListSessionsRequest()),
    ):
        try:
            await call
        except Denied as error:
            found.append(error.reason)
        else:
            found.append("")
    return found


async def test_a_server_refuses_what_a_token_may_not(contract: Contract) -> None:
    keys, bus = Keys(), _Noted()
    parts = (
        (add_UserServiceServicer_to_server, _Users()),  # type: ignore[abstract]  # two are called
        (add_SessionServiceServicer_to_server, _Sessions()),  # type: ignore[abstract]  # one is called
    )
    async with serving(contract, keys, *parts, usage=Usage(bus)) as channel:
        assert await _ask(channel, keys.token()) == ["", "", ""]
        assert bus.said == []
        reading = keys.token(scope="read", sid="ses_r")
        assert await _ask(channel, reading) == ["", "INSUFFICIENT_SCOPE", "SIGN_IN_REQUIRED"]
        writing = keys.token(scope="write read", sid="ses_w")
        assert await _ask(channel, writing) == ["", "", "SIGN_IN_REQUIRED"]
        assert await _ask(channel, keys.token(scope="", sid="ses_n")) == [
            "INSUFFICIENT_SCOPE",
            "INSUFFICIENT_SCOPE",
            "SIGN_IN_REQUIRED",
        ]
        await _ask(channel, writing)
    # Once a day, and only of what was let in.
    assert bus.said == [(USED_SUBJECT, "ses_r"), (USED_SUBJECT, "ses_w")]


async def test_somebody_who_is_to_verify_their_address_reads_and_does_not_write(
    contract: Contract,
) -> None:
    keys = Keys()
    parts = (
        (add_UserServiceServicer_to_server, _Users()),  # type: ignore[abstract]  # two are called
        (add_SessionServiceServicer_to_server, _Sessions()),  # type: ignore[abstract]  # one is called
    )
    async with serving(contract, keys, *parts) as channel:
        assert await _ask(channel, keys.token(unverified=True)) == ["", "EMAIL_NOT_VERIFIED", ""]
        for claim in (False, "yes", 1):
            assert await _ask(channel, keys.token(unverified=claim)) == ["", "", ""]


def test_they_join_look_after_themselves_and_write_nothing(contract: Contract) -> None:
    waiting = Principal(PERSON, "ses", "token", 0.0, unverified=True)
    refused = set()
    for rpc in contract.rpcs.values():
        try:
            require_verified(rpc, waiting)
        except Denied:
            refused.add(rpc.path.rpartition("/")[2])
        require_verified(rpc, Principal(PERSON, "ses", "token", 0.0))
    assert refused >= {
        "CreateMessage",
        "SendMessages",
        "UpdateMessage",
        "AddReaction",
        "CreateConversation",
        "CreateCommunity",
        "CreateInvite",
        "CreateChannel",
        "CreateToken",
        "UpdateMe",
        "StartTyping",
    }
    assert not refused & {
        "AcceptInvite",
        "JoinCommunity",
        "LeaveCommunity",
        "ChangeEmail",
        "ChangePassword",
        "RevokeSession",
        "MarkRead",
        "BlockUser",
        "ClaimInstance",
        "UpdateRegistration",
        "DeleteAccount",
        "ExportMe",
        "RegisterPasskey",
    }
