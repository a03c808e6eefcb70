"""What surrounds every RPC, outermost first.

1. telemetry: a span, a count, a duration, one line when it goes wrong on our side
2. failures: errors become google.rpc.Status, once
3. deadline: the contract's, or the caller's if that is sooner
4. authentication: the access token, where the contract wants a person, its scopes,
   and their session: a stream does not outlast it
5. validation: the limits in the contract
6. authorization: the contract's rule

On a stream that both sides speak on, the last three surround each request
(`chassis.calls.admit`), which is counted besides.

Idempotency is not among them: a key is recorded in the transaction of its
effect (`chassis.idempotency`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
import time
from typing import TYPE_CHECKING, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_status import rpc_status
import protovalidate

from chassis import errors, status
from chassis.auth import Verifier, bearer
from chassis.calls import Admission, Call, Principal
from chassis.contract import Rpc
from chassis.database import unreachable
from chassis.rates import Budget
from chassis.scopes import require_scope, require_verified
from creavio.options.v1 import rpc_pb2

if TYPE_CHECKING:
    from chassis.authz import Authorizer
    from chassis.server import Handler, Interceptor
    from chassis.sessions import Sessions
    from chassis.telemetry import Telemetry
    from chassis.usage import Usage

_FIRST_SECOND: Final = -62_135_596_800
"""0001-01-01T00:00:00Z."""
_LAST_SECOND: Final = 253_402_300_799
"""9999-12-31T23:59:59Z."""


def chain(
    telemetry: Telemetry,
    verifier: Verifier,
    sessions: Sessions,
    usage: Usage,
    authorizer: Authorizer,
    callers: frozenset[str],
    requests_per_second: float,
) -> tuple[Interceptor, ...]:
    """The interceptors in their order.

    `callers` are the services that may call, `requests_per_second` what a person
    may send over streams that both sides speak on.
    """
    return (
        telemetry.around,
        _failures(telemetry),
        _deadline,
        _authentication(verifier, sessions, usage, requests_per_second),
        _validation(),
        _authorization(telemetry, authorizer, callers),
    )


def failure_of(error: BaseException, telemetry: Telemetry, rpc: Rpc) -> errors.Error:
    """What a caller is told of an error; what is not meant for callers is logged."""
    if isinstance(error, errors.Error):
        return error
    if isinstance(error, TimeoutError):
        return errors.DeadlineExceeded("the call took too long; what it did is not known")
    if isinstance(error, asyncio.CancelledError):
        # Not the call itself, but what it shares with others, and waited for. The mesh
        # makes a call that is answered CANCELLED anew: this one was begun.
        return errors.Unavailable("what the call waited for was given up; try again")
    if unreachable(error):
        telemetry.log.warning("database unavailable", rpc=rpc.path, error=str(error))
        return errors.Unavailable("the database cannot be reached; try again")
    telemetry.log.error("call failed", rpc=rpc.path, exc_info=error)
    return errors.Error("something went wrong on our side")


def _failures(telemetry: Telemetry) -> Interceptor:
    def failures(rpc: Rpc, proceed: Handler) -> Handler:
        async def serve(call: Call) -> None:
            try:
                await proceed(call)
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise  # The caller is gone.
                failure = failure_of(error, telemetry, rpc)
            except Exception as error:
                failure = failure_of(error, telemetry, rpc)
            else:
                return
            call.attributes["creavio.reason"] = failure.reason
            await call.context.abort_with_status(rpc_status.to_status(status.to_status(failure)))

        return serve

    return failures


def _deadline(rpc: Rpc, proceed: Handler) -> Handler:
    longest = rpc.deadline
    if not longest or rpc.bidi:
        return proceed

    async def serve(call: Call) -> None:
        asked = call.context.time_remaining()
        seconds = longest if asked is None else min(asked, longest)
        call.ends_at = time.monotonic() + seconds
        try:
            async with asyncio.timeout(seconds):
                await proceed(call)
        except TimeoutError as error:
            raise errors.DeadlineExceeded(
                "the call took too long; what it did is not known"
            ) from error

    return serve


def _authentication(
    verifier: Verifier, sessions: Sessions, usage: Usage, requests_per_second: float
) -> Interceptor:
    budget = Budget(requests_per_second)

    def authentication(rpc: Rpc, proceed: Handler) -> Handler:
        if rpc.policy.access not in (rpc_pb2.ACCESS_SIGNED_IN, rpc_pb2.ACCESS_PERMISSION):
            return proceed
        writing = not rpc.reads

        async def enter(call: Call) -> Principal:
            call.principal = await verifier.verify(bearer(call.metadata.get("authorization", "")))
            require_scope(rpc, call.principal)
            require_verified(rpc, call.principal)
            await sessions.require(call.principal, writing=writing)
            await usage.note(call.principal)
            return call.principal

        async def serve(call: Call) -> None:
            await enter(call)
            await proceed(call)

        async def serve_lasting(call: Call) -> None:
            principal = await enter(call)
            call.admissions.append(again)
            async with sessions.lasting(principal):
                await proceed(call)

        async def again(call: Call, _: Message) -> None:
            assert call.principal is not None
            await sessions.require(call.principal, writing=writing)
            budget.spend(call.principal.user_id)

        return serve_lasting if rpc.lasting else serve

    return authentication


def _validation() -> Interceptor:
    validator = protovalidate.Validator()

    async def validate(_: Call, request: Message) -> None:
        # What is no time at all, no rule about times can be tried on.
        broken = [*_unfit(request)] or [
            (_path(violation.proto), violation.proto.message)
            for violation in validator.collect_violations(request)
        ]
        if broken:
            fields, (first, why) = tuple(broken), broken[0]
            raise errors.Invalid(f"{first} {why}" if first else why, fields=fields)

    return lambda rpc, proceed: _judged(rpc, validate, proceed)


def _judged(rpc: Rpc, judge: Admission, proceed: Handler) -> Handler:
    """Serves a request that was judged: of a stream both sides speak on, each."""

    async def serve(call: Call) -> None:
        assert call.request is not None
        await judge(call, call.request)
        await proceed(call)

    async def serve_each(call: Call) -> None:
        call.admissions.append(judge)
        await proceed(call)

    return serve_each if rpc.bidi else serve


def _unfit(message: Message, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The fields with what protobuf carries and nothing after it does, and why.

    No text in PostgreSQL has U+0000, and no time of Python's is outside of the years 1 to 9999;
    that of protobuf's JSON neither, but its binary form has no bounds.
    """
    for field, value in message.ListFields():
        path = f"{prefix}{field.name}"
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for inner in (value,) if isinstance(value, Message) else value:
                if isinstance(inner, Timestamp):
                    if not _is_time(inner):
                        yield path, "must be a time of the years 1 to 9999"
                elif isinstance(inner, Message):
                    yield from _unfit(inner, f"{path}.")
        elif field.type == FieldDescriptor.TYPE_STRING and "\0" in (
            value if isinstance(value, str) else "".join(value)
        ):
            yield path, "must not contain the character U+0000"


def _is_time(value: Timestamp) -> bool:
    return _FIRST_SECOND <= value.seconds <= _LAST_SECOND and 0 <= value.nanos < 10**9


def _path(violation: protovalidate.ViolationPb) -> str:
    if violation.field is None:
        return ""
    return ".".join(element.field_name or "" for element in violation.field.elements)


def _authorization(
    telemetry: Telemetry, authorizer: Authorizer, callers: frozenset[str]
) -> Interceptor:
    def authorization(rpc: Rpc, proceed: Handler) -> Handler:
        access = rpc.policy.access

        async def service(call: Call, _: Message) -> None:
            _require_caller(rpc, call.caller, callers)

        async def permission(call: Call, request: Message) -> None:
            assert call.principal is not None
            place = await authorizer.permit(rpc, request, call.principal.user_id)
            if rpc.policy.audit == rpc_pb2.AUDIT_PRIVILEGED:
                telemetry.audit(call, place)

        async def nobody(_: Call, __: Message) -> None:
            raise errors.Denied("the contract does not say who may call this")

        if access in (rpc_pb2.ACCESS_ANONYMOUS, rpc_pb2.ACCESS_SIGNED_IN):
            return proceed
        judges = {rpc_pb2.ACCESS_SERVICE: service, rpc_pb2.ACCESS_PERMISSION: permission}
        return _judged(rpc, judges.get(access, nobody), proceed)

    return authorization


def _require_caller(rpc: Rpc, caller: str, callers: frozenset[str]) -> None:
    if caller not in callers:
        raise errors.Denied(
            f"{caller or 'the caller'} may not call {rpc.service}", reason="CALLER_NOT_ALLOWED"
        )
