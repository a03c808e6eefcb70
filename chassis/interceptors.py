"""What surrounds every RPC, outermost first.

1. telemetry: a span, a count, a duration, one line when it goes wrong on our side
2. failures: errors become google.rpc.Status, once
3. deadline: the contract's, or the caller's if that is sooner
4. authentication: the access token, where the contract wants a person
5. validation: the limits in the contract
6. authorization: the contract's rule

Idempotency is not among them: a key is recorded in the transaction of its
effect (`chassis.idempotency`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
import time
from typing import TYPE_CHECKING

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from grpc_status import rpc_status
import protovalidate

from chassis import errors, status
from chassis.auth import Verifier, bearer
from chassis.calls import Call
from chassis.contract import Rpc
from chassis.database import UNREACHABLE
from creavio.options.v1 import rpc_pb2

if TYPE_CHECKING:
    from chassis.authz import Authorizer
    from chassis.server import Interceptor
    from chassis.telemetry import Telemetry


def chain(
    telemetry: Telemetry,
    verifier: Verifier,
    authorizer: Authorizer,
    callers: frozenset[str],
) -> tuple[Interceptor, ...]:
    """The interceptors in their order. `callers` are the services that may call."""
    return (
        telemetry.around,
        _failures(telemetry),
        _deadline,
        _authentication(verifier),
        _validation(),
        _authorization(telemetry, authorizer, callers),
    )


def _failures(telemetry: Telemetry) -> Interceptor:
    @asynccontextmanager
    async def failures(call: Call) -> AsyncIterator[None]:
        try:
            yield
        except errors.Error as error:
            failure = error
        except UNREACHABLE as error:
            telemetry.log.warning("database unavailable", rpc=call.rpc.path, error=str(error))
            failure = errors.Unavailable("the database cannot be reached; try again")
        except Exception:
            telemetry.log.exception("call failed", rpc=call.rpc.path)
            failure = errors.Error("something went wrong on our side")
        else:
            return
        call.attributes["creavio.reason"] = failure.reason
        await call.context.abort_with_status(rpc_status.to_status(status.to_status(failure)))

    return failures


@asynccontextmanager
async def _deadline(call: Call) -> AsyncIterator[None]:
    if not call.rpc.deadline:
        yield
        return
    asked = call.context.time_remaining()
    seconds = call.rpc.deadline if asked is None else min(asked, call.rpc.deadline)
    call.ends_at = time.monotonic() + seconds
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise errors.DeadlineExceeded("the call took too long; what it did is not known") from error


def _authentication(verifier: Verifier) -> Interceptor:
    @asynccontextmanager
    async def authentication(call: Call) -> AsyncIterator[None]:
        if call.rpc.policy.access in (rpc_pb2.ACCESS_SIGNED_IN, rpc_pb2.ACCESS_PERMISSION):
            call.principal = await verifier.verify(bearer(call.metadata.get("authorization", "")))
        yield

    return authentication


def _validation() -> Interceptor:
    validator = protovalidate.Validator()

    @asynccontextmanager
    async def validation(call: Call) -> AsyncIterator[None]:
        broken = [
            (_path(violation.proto), violation.proto.message)
            for violation in validator.collect_violations(call.request)
        ]
        broken += ((path, "must not contain the character U+0000") for path in _nul(call.request))
        if broken:
            fields, (first, why) = tuple(broken), broken[0]
            raise errors.Invalid(f"{first} {why}" if first else why, fields=fields)
        yield

    return validation


def _nul(message: Message, prefix: str = "") -> Iterator[str]:
    """The fields whose text holds U+0000, which no text in PostgreSQL does."""
    for field, value in message.ListFields():
        path = f"{prefix}{field.name}"
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for inner in (value,) if isinstance(value, Message) else value:
                if isinstance(inner, Message):
                    yield from _nul(inner, f"{path}.")
        elif field.type == FieldDescriptor.TYPE_STRING and "\0" in (
            value if isinstance(value, str) else "".join(value)
        ):
            yield path


def _path(violation: protovalidate.ViolationPb) -> str:
    if violation.field is None:
        return ""
    return ".".join(element.field_name or "" for element in violation.field.elements)


def _authorization(
    telemetry: Telemetry, authorizer: Authorizer, callers: frozenset[str]
) -> Interceptor:
    @asynccontextmanager
    async def authorization(call: Call) -> AsyncIterator[None]:
        access = call.rpc.policy.access
        if access == rpc_pb2.ACCESS_SERVICE:
            _require_caller(call.rpc, call.caller, callers)
        elif access == rpc_pb2.ACCESS_PERMISSION:
            assert call.principal is not None
            rule = call.rpc.policy.permission
            place = getattr(call.request, rule.field)
            await authorizer.require(call.principal.user_id, rule.require, rule.scope, place)
            if call.rpc.policy.audit == rpc_pb2.AUDIT_PRIVILEGED:
                telemetry.audit(call, place)
        elif access not in (rpc_pb2.ACCESS_ANONYMOUS, rpc_pb2.ACCESS_SIGNED_IN):
            raise errors.Denied("the contract does not say who may call this")
        yield

    return authorization


def _require_caller(rpc: Rpc, caller: str, callers: frozenset[str]) -> None:
    if caller not in callers:
        raise errors.Denied(
            f"{caller or 'the caller'} may not call {rpc.service}", reason="CALLER_NOT_ALLOWED"
        )
