"""Requests that can be sent again (AIP-155).

A request that carries a key is recorded with its effect, in one transaction.
The same request under the same key gets the same reply; another request under
it is a conflict. Keys belong to their caller, and are kept for a day.
"""

from __future__ import annotations

import hashlib
from typing import Generic, TypeVar

from google.protobuf.message import Message
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.calls import CURRENT, Call
from chassis.database import Transaction
from chassis.errors import Conflict, Invalid
from chassis.schema import IDEMPOTENCY

_MAX_KEY = 64

R = TypeVar("R", bound=Message)


class Claim(Generic[R]):
    """A key taken for the call in progress.

    `reply` is the answer given before, if there was one; otherwise the handler
    does its work and passes its answer through `keep`.
    """

    def __init__(self, transaction: Transaction, row: dict[str, str] | None, reply: R | None):
        self._transaction = transaction
        self._row = row
        self.reply = reply

    async def keep(self, reply: R) -> R:
        """Record the answer and return it."""
        if self._row is not None:
            table = IDEMPOTENCY.c
            await self._transaction.execute(
                sa.update(IDEMPOTENCY)
                .where(*(table[name] == value for name, value in self._row.items()))
                .values(reply=reply.SerializeToString())
            )
        return reply


def key_of(call: Call) -> str:
    """The key a request is sent under: its field, else the `Idempotency-Key` header.

    Raises `Invalid` when the header is longer than 64 characters.
    """
    field = call.rpc.policy.idempotency_field
    assert call.request is not None, "each request of a stream carries its own key"
    key = str(getattr(call.request, field)) or call.metadata.get("idempotency-key", "")
    if len(key) > _MAX_KEY:
        raise Invalid(
            f"Idempotency-Key is longer than {_MAX_KEY} characters",
            fields=(("Idempotency-Key", f"must be at most {_MAX_KEY} characters"),),
        )
    return key


def current_key() -> str:
    """The key the call in progress is sent under; empty when it has none."""
    call = CURRENT.get()
    assert call is not None, "outside a call"
    return key_of(call)


async def claim(transaction: Transaction, reply_type: type[R]) -> Claim[R]:
    """Take the key of the call in progress, in the transaction of its effect.

    A second call under the same key waits here for the first one's transaction.
    Raises `Conflict` when the key named another request.
    """
    call = CURRENT.get()
    assert call is not None, "outside a call"
    assert call.principal is not None, "a key belongs to a person"
    key = key_of(call)
    if not key:
        return Claim(transaction, None, None)
    row = {"owner": call.principal.user_id, "rpc": call.rpc.path, "key": key}
    mark = _fingerprint(call)
    if await transaction.add(
        insert(IDEMPOTENCY).values(**row, fingerprint=mark).on_conflict_do_nothing()
    ):
        return Claim(transaction, row, None)
    table = IDEMPOTENCY.c
    known = (
        await transaction.execute(
            sa.select(table.fingerprint, table.reply).where(
                *(table[name] == value for name, value in row.items())
            )
        )
    ).one()
    if known.fingerprint != mark:
        raise Conflict(
            "this idempotency key was used for another request",
            reason="IDEMPOTENCY_KEY_REUSED",
        )
    return Claim(transaction, row, reply_type.FromString(known.reply))


def _fingerprint(call: Call) -> bytes:
    assert call.request is not None
    request = type(call.request)()
    request.CopyFrom(call.request)
    request.ClearField(call.rpc.policy.idempotency_field)
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()


async def forget_old(transaction: Transaction) -> None:
    """Drop the keys that are over a day old."""
    age = sa.func.now() - sa.text("interval '1 day'")
    await transaction.execute(sa.delete(IDEMPOTENCY).where(IDEMPOTENCY.c.create_time < age))
