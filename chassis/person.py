"""What a service keeps of a person: all of it given away, and all of it erased.

A service lists the tables that say something about people (`Part`); what it takes
beyond deleting their rows it does in two functions (`Personal`). From these follow
its `ExportPerson` and what it does when it hears that somebody is to be forgotten.

That is kept before the event is acknowledged, so it happens however often the service
is stopped meanwhile. It happens three times: at once, which is confirmed; a minute
later, for what calls wrote that were under way; and a day later, for what came from
events that waited somewhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis import ids
from chassis.database import Database, Transaction
from chassis.events import EventHandler
from chassis.schema import ERASING, IDEMPOTENCY
from chassis.tokens import Tokens, page_size
from creavio.person.v1 import record_pb2
from creavio.user.v1 import user_events_pb2

Whose: TypeAlias = Callable[[UUID], sa.ColumnElement[bool]]
"""The rows of a table that are about a person."""

Besides: TypeAlias = Callable[[Transaction, UUID], Awaitable[None]]
"""What is done about a person in a transaction."""

ERASED: Final = user_events_pb2.UserErased.DESCRIPTOR.full_name
"""The event that asks for it."""
_AGAIN: Final = (timedelta(minutes=1), timedelta(days=1))
"""How long after one time comes the next."""
_BATCH: Final = 100
_KINDS: Final = {
    "app_id": ids.Kind.APP,
    "user_id": ids.Kind.USER,
    "account_id": ids.Kind.USER,
    "author_id": ids.Kind.USER,
    "blocked_id": ids.Kind.USER,
    "blocker_id": ids.Kind.USER,
    "community_id": ids.Kind.COMMUNITY,
    "creator_id": ids.Kind.USER,
    "grant_id": ids.Kind.SESSION,
    "message_id": ids.Kind.MESSAGE,
    "owner_id": ids.Kind.USER,
    "session_id": ids.Kind.SESSION,
}
"""What the API calls the identifiers in columns of these names."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one table says about a person."""

    table: sa.Table
    whose: Whose
    hidden: frozenset[str] = frozenset()
    """Columns that are nobody's to read: secrets, and what is of use here alone."""
    stays: str = ""
    """Why its rows are not simply deleted when the person is erased, or what else is done."""
    names: ids.Kind | None = None
    """What the table's own `id` is called on the wire."""


def of(column: sa.Column[Any]) -> Whose:
    """The rows that name the person in a column."""
    return lambda user_id: column == user_id


async def _nothing(user_id: UUID) -> None:
    """What a service does before, that has nothing to do."""


async def _nothing_more(tx: Transaction, user_id: UUID) -> None:
    """What a service does besides, that has nothing to do."""


@dataclass(frozen=True, slots=True)
class Personal:
    """What a service keeps of people."""

    parts: Sequence[Part]
    """In the order in which their rows can be deleted."""
    register: Callable[[Any, Any], None]
    """The generated `add_PersonServiceServicer_to_server`."""
    page: Callable[..., Message]
    """The service's own `ExportPersonResponse`."""
    confirm: Besides
    """Says that it is done, in the transaction that did it."""
    before: Callable[[UUID], Awaitable[None]] = _nothing
    """What takes transactions of its own, or other services; may be repeated."""
    besides: Besides = _nothing_more
    """What is changed in the transaction that deletes the parts, just before."""


def confirming(event: Callable[..., Message]) -> Besides:
    """Confirms by telling the service's own `PersonErased`."""

    async def confirm(tx: Transaction, user_id: UUID) -> None:
        tx.emit(event(user_id=ids.text(ids.Kind.USER, user_id)))

    return confirm


async def erase(tx: Transaction, personal: Personal, user_id: UUID) -> None:
    """Erase what is kept of a person, as far as one transaction does it."""
    await personal.besides(tx, user_id)
    for part in personal.parts:
        if not part.stays:
            await tx.execute(sa.delete(part.table).where(part.whose(user_id)))
    owner = ids.text(ids.Kind.USER, user_id)
    await tx.execute(sa.delete(IDEMPOTENCY).where(IDEMPOTENCY.c.owner == owner))


async def note(tx: Transaction, user_id: UUID) -> None:
    """Have a person erased, from the beginning when it was done before."""
    again = {"times": 0, "due_time": sa.func.now()}
    await tx.execute(
        insert(ERASING)
        .values(user_id=user_id, **again)
        .on_conflict_do_update(index_elements=[ERASING.c.user_id], set_=again)
    )


class ErasureConsumer:
    """Notes whom to erase; what else user tells it passes on."""

    def __init__(self, other: EventHandler | None) -> None:
        self._other = other

    async def handle(self, transaction: Transaction, event: Message) -> None:
        """Take effect, inside the transaction that records the event as handled."""
        if isinstance(event, user_events_pb2.UserErased):
            await note(transaction, ids.parse(ids.Kind.USER, event.user_id, field="user_id"))
        elif self._other is not None:
            await self._other.handle(transaction, event)


class Erasures:
    """Erases those who are noted to be."""

    def __init__(self, database: Database, personal: Personal) -> None:
        self._database = database
        self._personal = personal

    async def run(self) -> None:
        """Erase everybody who is due; one who cannot be now keeps nobody else waiting."""
        due = (
            sa.select(ERASING.c.user_id)
            .where(ERASING.c.due_time <= sa.func.now())
            .order_by(ERASING.c.due_time)
            .limit(_BATCH)
        )
        async with self._database.reading() as tx:
            waiting = (await tx.execute(due)).scalars().all()
        failures = []
        for user_id in waiting:
            try:
                await self._erase(user_id)
            except Exception as error:  # raised below, once all were tried
                failures.append(error)
        if failures:
            raise ExceptionGroup("people who could not be erased yet", failures)

    async def _erase(self, user_id: UUID) -> None:
        await self._personal.before(user_id)
        this = ERASING.c.user_id == user_id
        async with self._database.transaction() as tx:
            noted = sa.select(ERASING.c.times).where(this, ERASING.c.due_time <= sa.func.now())
            times = (await tx.execute(noted.with_for_update())).scalar_one_or_none()
            if times is None:
                return  # Another replica was faster.
            await erase(tx, self._personal, user_id)
            if times == 0:
                await self._personal.confirm(tx, user_id)
            if times == len(_AGAIN):
                await tx.execute(sa.delete(ERASING).where(this))
            else:
                later = sa.func.now() + sa.literal(_AGAIN[times], sa.Interval)
                changed = sa.update(ERASING).where(this)
                await tx.execute(changed.values(times=times + 1, due_time=later))


class PersonHandler:
    """Serves what is kept of a person: any service's PersonService."""

    def __init__(
        self, service: str, database: Database, personal: Personal, tokens: Tokens
    ) -> None:
        self._service = service
        self._database = database
        self._personal = personal
        self._tokens = tokens

    async def ExportPerson(self, request: Any, context: object) -> Message:  # noqa: N802  # the RPC's name
        """A page of it: table by table, each in the order of its key."""
        user_id = ids.parse(ids.Kind.USER, request.user_id, field="user_id")
        size, purpose = page_size(request.page_size), ("export", request.user_id)
        at, after = self._tokens.page_start(request.page_token, *purpose) or (0, None)
        reply: Any = self._personal.page()
        async with self._database.reading() as tx:
            while at < len(self._personal.parts) and len(reply.records) < size:
                part, room = self._personal.parts[at], size - len(reply.records)
                rows = (await tx.execute(_page(part, user_id, after, room))).all()
                reply.records.extend(self._record(part, row) for row in rows)
                at, after = (at, _key(part, rows[-1])) if len(rows) == room else (at + 1, None)
        if at < len(self._personal.parts):
            reply.next_page_token = self._tokens.next_page([at, after], *purpose)
        answer: Message = reply
        return answer

    def _record(self, part: Part, row: sa.Row[Any]) -> record_pb2.Record:
        content = Struct()
        for column in part.table.columns:
            if column.name not in part.hidden:
                kind = part.names if column.name == "id" else _KINDS.get(column.name)
                content[column.name] = _shown(row._mapping[column.name], kind)
        return record_pb2.Record(service=self._service, kind=part.table.name, content=content)


def _page(part: Part, user_id: UUID, after: list[str] | None, limit: int) -> sa.Select[Any]:
    key = list(part.table.primary_key.columns)
    query = sa.select(part.table).where(part.whose(user_id)).order_by(*key).limit(limit)
    if after is None:
        return query
    values = [_read(column, text) for column, text in zip(key, after, strict=True)]
    return query.where(sa.tuple_(*key) > sa.tuple_(*values))


def _key(part: Part, row: sa.Row[Any]) -> list[str]:
    values = (row._mapping[column.name] for column in part.table.primary_key.columns)
    return [value.hex() if isinstance(value, bytes) else str(value) for value in values]


def _read(column: sa.Column[Any], text: str) -> Any:
    kind = column.type.python_type
    if kind is bytes:
        return bytes.fromhex(text)
    return datetime.fromisoformat(text) if kind is datetime else kind(text)


def _shown(value: Any, kind: ids.Kind | None) -> Any:
    """A column's value as JSON has it."""
    match value:
        case UUID():
            return str(value) if kind is None else ids.text(kind, value)
        case date():
            return value.isoformat()
        case bytes() | memoryview():
            return bytes(value).hex()
        case list() | tuple():
            return [_shown(one, None) for one in value]
        case _:
            return value
