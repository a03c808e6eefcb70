"""What surrounds every RPC keeps its promises, whatever the handler does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from google.protobuf.message import Message
import grpc
import pytest
import sqlalchemy as sa

from chassis import status
from chassis.calls import CURRENT, principal
from chassis.contract import Contract
from chassis.database import Database
from chassis.errors import DeadlineExceeded, Denied, Error, Invalid, Unauthenticated, Unavailable
from chassis.testing import Caller, scratch_config
from creavio.community.v1 import calendar_service_pb2, community_pb2, community_service_pb2
from creavio.community.v1.calendar_service_pb2_grpc import (
    CalendarServiceServicer,
    CalendarServiceStub,
    add_CalendarServiceServicer_to_server,
)
from creavio.community.v1.community_service_pb2_grpc import (
    CommunityServiceServicer,
    CommunityServiceStub,
    add_CommunityServiceServicer_to_server,
)
from creavio.user.v1 import user_pb2, user_service_pb2
from creavio.user.v1.user_service_pb2_grpc import (
    UserServiceServicer,
    UserServiceStub,
    add_UserServiceServicer_to_server,
)
from tests.chassis.serving import PERSON, Keys, serving


class Users(UserServiceServicer):
    """Does what a test wants done while GetMe is served."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self.reached = False

    async def GetMe(self, request: user_service_pb2.GetMeRequest, context: object) -> user_pb2.User:
        self.reached = True
        done = self._work()
        if asyncio.iscoroutine(done):
            await done
        return user_pb2.User(id=principal().user_id)

    async def UpdateMe(
        self, request: user_service_pb2.UpdateMeRequest, context: object
    ) -> user_pb2.User:
        self.reached = True
        return user_pb2.User()

    async def BatchGetUsers(
        self, request: user_service_pb2.BatchGetUsersRequest, context: object
    ) -> user_service_pb2.BatchGetUsersResponse:
        raise AssertionError("nobody asks for several")

    async def GetUserByHandle(
        self, request: user_service_pb2.GetUserByHandleRequest, context: object
    ) -> user_pb2.User:
        raise AssertionError("nobody asks by handle")

    async def GetUser(
        self, request: user_service_pb2.GetUserRequest, context: object
    ) -> user_pb2.User:
        self.reached = True
        return user_pb2.User(id=request.user_id)

    async def ChangeHandle(
        self, request: user_service_pb2.ChangeHandleRequest, context: object
    ) -> user_pb2.User:
        raise AssertionError("nobody is renamed")

    async def SetDeactivated(
        self, request: user_service_pb2.SetDeactivatedRequest, context: object
    ) -> user_pb2.User:
        raise AssertionError("nobody goes away")

    async def CreateUser(
        self, request: user_service_pb2.CreateUserRequest, context: object
    ) -> user_pb2.User:
        self.reached = True
        return user_pb2.User(id=request.user_id)


@pytest.fixture
def keys() -> Keys:
    return Keys()


async def ask(
    contract: Contract, keys: Keys, work: Callable[[], object], **metadata: str
) -> user_pb2.User:
    """Serve one GetMe that does `work`."""
    part = (add_UserServiceServicer_to_server, Users(work))
    async with serving(contract, keys, part) as channel:
        caller = Caller(channel, keys.token())
        return await caller.call(
            UserServiceStub(channel).GetMe, user_service_pb2.GetMeRequest(), **metadata
        )


async def test_a_call_reaches_its_handler_with_its_person(contract: Contract, keys: Keys) -> None:
    assert (await ask(contract, keys, lambda: None)).id == PERSON


async def test_what_a_call_waits_for_may_be_given_up_and_the_call_is_unavailable(
    contract: Contract, keys: Keys
) -> None:
    """CANCELLED would say that the call was not begun."""

    async def wait_for_what_is_given_up() -> None:
        shared = asyncio.ensure_future(asyncio.Event().wait())
        asyncio.get_running_loop().call_soon(shared.cancel)
        await shared

    with pytest.raises(Unavailable):
        await ask(contract, keys, wait_for_what_is_given_up)


async def test_a_call_that_takes_too_long_is_ended(contract: Contract, keys: Keys) -> None:
    ended: list[str] = []

    async def sleep() -> None:
        call = CURRENT.get()
        assert call is not None
        assert call.remaining() == pytest.approx(5, abs=1)
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    part = (add_UserServiceServicer_to_server, Users(sleep))
    async with serving(contract, keys, part) as channel:
        method = UserServiceStub(channel).GetMe
        metadata = Caller(channel, keys.token()).metadata()
        # The client would wait for longer than the contract's five seconds.
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await method(user_service_pb2.GetMeRequest(), timeout=20, metadata=metadata)
    told = status.from_call(raised.value)
    assert (type(told), told.reason) == (DeadlineExceeded, "DEADLINE_EXCEEDED")
    assert ended == ["cancelled"]


async def test_a_callers_sooner_deadline_is_the_calls(contract: Contract, keys: Keys) -> None:
    remaining: list[float] = []

    def look() -> None:
        call = CURRENT.get()
        assert call is not None
        remaining.append(call.remaining() or -1)

    part = (add_UserServiceServicer_to_server, Users(look))
    async with serving(contract, keys, part) as channel:
        metadata = Caller(channel, keys.token()).metadata()
        for timeout in (2, None):
            await UserServiceStub(channel).GetMe(
                user_service_pb2.GetMeRequest(), timeout=timeout, metadata=metadata
            )
    # On its way gRPC rounds a timeout up, by milliseconds.
    assert 0 < remaining[0] < 2.1 < remaining[1] <= 5


async def test_an_unexpected_failure_is_internal_and_says_nothing(
    contract: Contract, keys: Keys
) -> None:
    def fail() -> None:
        raise KeyError("INSERT INTO account VALUES ('ada@example.org')")

    with pytest.raises(Error) as raised:
        await ask(contract, keys, fail)
    assert (type(raised.value), raised.value.reason) == (Error, "INTERNAL")
    cause = raised.value.__cause__
    assert isinstance(cause, grpc.aio.AioRpcError)
    everything = f"{cause.details()} {cause.trailing_metadata()} {cause.debug_error_string()}"
    assert cause.code() == grpc.StatusCode.INTERNAL
    assert "INTERNAL" in everything
    assert "KeyError" not in everything
    assert "ada@example.org" not in everything


async def test_a_database_that_went_away_is_unavailable(
    contract: Contract,
    keys: Keys,
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> None:
    async with scratch("user") as database:

        async def cut() -> None:
            # PostgreSQL ends the connection under the handler's feet.
            async with database.reading() as tx:
                await tx.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))

        with pytest.raises(Unavailable) as raised:
            await ask(contract, keys, cut)
        assert (raised.value.reason, raised.value.retry_after) == ("UNAVAILABLE", 1.0)
        assert "pg_terminate" not in raised.value.message

        async def use() -> None:
            async with database.reading() as tx:
                await tx.execute(sa.text("SELECT 1"))

        assert (await ask(contract, keys, use)).id == PERSON


async def test_a_database_that_does_not_listen_is_unavailable(
    contract: Contract, keys: Keys
) -> None:
    nowhere = scratch_config("user", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    database = Database(nowhere, connections=2)

    async def use() -> None:
        async with database.transaction() as tx:
            await tx.execute(sa.text("SELECT 1"))

    with pytest.raises(Unavailable):
        await ask(contract, keys, use)


async def test_a_mistake_in_a_statement_is_internal_not_unavailable(
    contract: Contract, keys: Keys, scratch: Callable[[str], AbstractAsyncContextManager[Database]]
) -> None:
    async with scratch("user") as database:

        async def use() -> None:
            async with database.transaction() as tx:
                await tx.execute(sa.text("SELECT nothing FROM nowhere"))

        with pytest.raises(Error) as raised:
            await ask(contract, keys, use)
    assert raised.value.reason == "INTERNAL"


async def test_without_a_good_token_nothing_is_reached(contract: Contract, keys: Keys) -> None:
    users = Users(lambda: None)
    headers = ("", "Bearer", "Bearer ", f"Basic {keys.token()}", "Bearer x.y.z", keys.token())
    async with serving(contract, keys, (add_UserServiceServicer_to_server, users)) as channel:
        stub, nobody = UserServiceStub(channel), Caller(channel)
        for header in headers:
            with pytest.raises(Unauthenticated) as raised:
                await nobody.call(stub.GetMe, user_service_pb2.GetMeRequest(), authorization=header)
            assert raised.value.reason == "UNAUTHENTICATED"
    assert not users.reached


async def test_a_request_that_breaks_a_rule_is_not_reached(contract: Contract, keys: Keys) -> None:
    users = Users(lambda: None)
    async with serving(contract, keys, (add_UserServiceServicer_to_server, users)) as channel:
        with pytest.raises(Invalid) as raised:
            await Caller(channel, keys.token()).call(
                UserServiceStub(channel).UpdateMe,
                user_service_pb2.UpdateMeRequest(display_name="x" * 65, bio="y" * 501),
            )
    assert [field for field, _ in raised.value.fields] == ["display_name", "bio"]
    assert not users.reached


async def test_text_that_no_database_keeps_is_refused_by_name(
    contract: Contract, keys: Keys
) -> None:
    users = Users(lambda: None)
    request = user_service_pb2.UpdateMeRequest(display_name="Ada", bio="a\0b")
    request.update_mask.paths.extend(["bio", "\0"])
    async with serving(contract, keys, (add_UserServiceServicer_to_server, users)) as channel:
        with pytest.raises(Invalid) as raised:
            await Caller(channel, keys.token()).call(UserServiceStub(channel).UpdateMe, request)
    assert [field for field, _ in raised.value.fields] == ["bio", "update_mask.paths"]
    assert not users.reached


@pytest.mark.parametrize("start", [-(2**62), -62_135_596_801, 253_402_300_800, 2**62])
async def test_what_is_no_time_is_refused_by_name(
    contract: Contract, keys: Keys, start: int
) -> None:
    request = calendar_service_pb2.CreateCalendarEventRequest(
        community_id=f"com_{'0' * 26}", title="Party", time_zone="Europe/Berlin"
    )
    request.start_time.seconds, request.end_time.seconds = start, -start
    nobody = CalendarServiceServicer()  # type: ignore[abstract]  # it is not reached
    part = (add_CalendarServiceServicer_to_server, nobody)
    async with serving(contract, keys, part) as channel:
        with pytest.raises(Invalid) as raised:
            await Caller(channel, keys.token()).call(
                CalendarServiceStub(channel).CreateCalendarEvent, request
            )
    why = "must be a time of the years 1 to 9999"
    assert {why} == {why for _, why in raised.value.fields}
    assert "start_time" in dict(raised.value.fields)


@pytest.mark.parametrize("caller", ["", "edge", "chat", "user"])
async def test_a_persons_token_and_an_unlisted_caller_do_not_open_a_services_rpc(
    contract: Contract, keys: Keys, caller: str
) -> None:
    users = Users(lambda: None)
    part = (add_UserServiceServicer_to_server, users)
    async with serving(contract, keys, part, callers=frozenset({"auth"})) as channel:
        with pytest.raises(Denied) as raised:
            await Caller(channel, keys.token()).call(
                UserServiceStub(channel).GetUser,
                user_service_pb2.GetUserRequest(user_id=PERSON),
                x_creavio_caller=caller,
            )
    assert raised.value.reason == "CALLER_NOT_ALLOWED"
    assert not users.reached


async def test_a_listed_caller_needs_no_person(contract: Contract, keys: Keys) -> None:
    part = (add_UserServiceServicer_to_server, Users(lambda: None))
    async with serving(contract, keys, part, callers=frozenset({"auth"})) as channel:
        user = await Caller(channel).call(
            UserServiceStub(channel).GetUser,
            user_service_pb2.GetUserRequest(user_id=PERSON),
            x_creavio_caller="auth",
        )
    assert user.id == PERSON


async def test_a_permission_that_cannot_be_asked_for_is_not_assumed(
    contract: Contract, keys: Keys
) -> None:
    class Communities(CommunityServiceServicer):
        async def GetCommunity(self, request: Message, context: object) -> community_pb2.Community:
            raise AssertionError("reached without a permission")

    part = (add_CommunityServiceServicer_to_server, Communities())  # type: ignore[abstract]
    request = community_service_pb2.GetCommunityRequest(
        community_id="com_01h455vb4pex5vsknk084sn02q"
    )
    async with serving(contract, keys, part) as channel:
        with pytest.raises(Unavailable):
            await Caller(channel, keys.token()).call(
                CommunityServiceStub(channel).GetCommunity, request
            )
