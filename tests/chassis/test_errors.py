"""An error arrives as it was raised, and every reason stands in the contract."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
import pkgutil

import grpc
import pytest

import chassis
from chassis import errors, status
from chassis.contract import Contract
from chassis.testing import Caller, standing_in
from creavio.errors.v1 import reason_pb2
from creavio.user.v1 import user_pb2, user_service_pb2
from creavio.user.v1.user_service_pb2_grpc import (
    UserServiceServicer,
    UserServiceStub,
    add_UserServiceServicer_to_server,
)
import services

_NAMES = reason_pb2.Reason.DESCRIPTOR.values_by_name
REASONS = {name.removeprefix("REASON_") for name in _NAMES} - {"UNSPECIFIED"}

RAISED = [
    errors.Invalid("no good", fields=(("name", "must be short"), ("bio", "must be kind"))),
    errors.Invalid("another list", fields=(("page_token", "x"),), reason="INVALID_PAGE_TOKEN"),
    errors.DeadlineExceeded("too long"),
    errors.NotFound("nowhere", reason="INVITE_NOT_FOUND"),
    errors.AlreadyExists("taken", reason="HANDLE_TAKEN"),
    errors.Denied("not you"),
    errors.Exhausted("slower", retry_after=2.5),
    errors.Exhausted("never"),
    errors.FailedPrecondition("alone", reason="LAST_OWNER"),
    errors.Conflict("too late"),
    errors.Unavailable("away", retry_after=0.25),
    errors.Unavailable("away for good", retry_after=None),
    errors.Unauthenticated("who?"),
]


class Failing(UserServiceServicer):
    """Answers with the error it is told to raise."""

    def __init__(self) -> None:
        self.raises: errors.Error = errors.NotFound("")

    async def GetMe(self, request: user_service_pb2.GetMeRequest, context: object) -> user_pb2.User:
        raise self.raises


async def told(contract: Contract, raised: errors.Error) -> errors.Error:
    """The error as a caller in another service gets it."""
    servicer = Failing()  # type: ignore[abstract]  # the other RPCs are not called
    servicer.raises = raised
    async with (
        standing_in(contract, (add_UserServiceServicer_to_server, servicer)) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        with pytest.raises(errors.Error) as caught:
            await Caller(channel).call(
                UserServiceStub(channel).GetMe, user_service_pb2.GetMeRequest()
            )
    return caught.value


@pytest.mark.parametrize("raised", RAISED, ids=lambda e: f"{type(e).__name__}-{e}")
async def test_an_error_arrives_as_it_was_raised(contract: Contract, raised: errors.Error) -> None:
    caught = await told(contract, raised)
    assert type(caught) is type(raised)
    assert vars(caught) | {"reason": caught.reason} == vars(raised) | {"reason": raised.reason}


async def test_an_error_outside_the_family_says_nothing_of_itself(contract: Contract) -> None:
    caught = await told(contract, errors.Error("SELECT secret FROM account"))
    assert (type(caught), caught.reason) == (errors.Error, "INTERNAL")
    assert "secret" not in caught.message


def test_every_kind_has_a_code_of_its_own() -> None:
    kinds = {type(error) for error in RAISED}
    assert len({kind.code for kind in kinds}) == len(kinds) == len(status._BY_CODE)
    assert all(kind.code in status.CODES for kind in kinds)


def test_the_status_names_reason_fields_and_delay() -> None:
    told = status.to_status(errors.Unavailable("away", retry_after=0.25))
    kinds = [detail.TypeName() for detail in told.details]
    assert kinds == ["google.rpc.ErrorInfo", "google.rpc.RetryInfo"]
    told = status.to_status(errors.Invalid("no", fields=(("name", "short"),)))
    kinds = [detail.TypeName() for detail in told.details]
    assert kinds == ["google.rpc.ErrorInfo", "google.rpc.BadRequest"]


def modules() -> Iterator[str]:
    for package in (chassis, services):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in module.name:
                yield module.name


def families() -> set[type[errors.Error]]:
    """Every error of chassis and services."""
    for name in modules():
        import_module(name)
    found: set[type[errors.Error]] = set()
    waiting = [errors.Error]
    while waiting:
        kind = waiting.pop()
        found.add(kind)
        waiting += kind.__subclasses__()
    return {kind for kind in found if kind.__module__.startswith(("chassis.", "services."))}


def test_every_reason_stands_in_the_contract() -> None:
    assert {kind.reason for kind in families()} <= REASONS


def test_no_error_but_the_base_calls_itself_internal() -> None:
    # A caller could not tell it from a failure on our side.
    bare = {errors.Error, errors.AlreadyExists, errors.FailedPrecondition}
    assert {kind for kind in families() if kind.reason == "INTERNAL"} == bare


def test_every_reason_given_in_passing_stands_in_the_contract() -> None:
    given: set[str] = set()
    for name in modules():
        source = import_module(name).__file__
        assert source is not None
        for node in ast.walk(ast.parse(Path(source).read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "reason":
                constants = (c for c in ast.walk(node.value) if isinstance(c, ast.Constant))
                given |= {str(c.value) for c in constants if c.value is not None}
    assert "INVALID_PAGE_TOKEN" in given
    assert given <= REASONS
