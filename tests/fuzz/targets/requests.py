"""What a service does with a request before its handler sees it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from chassis import catalog, contract, interceptors, wire
from chassis.auth import bearer
from chassis.calls import POLICY_REVISION, Call
from chassis.contract import Rpc
from chassis.errors import Invalid, Unauthenticated
from chassis.idempotency import key_of
from creavio.community.v1 import calendar_service_pb2, community_service_pb2
from creavio.user.v1 import user_service_pb2
from services.community import convert
from services.community.convert import calendar
from services.community.domain.calendar import LASTS, sound
from tests.fuzz.targets.reading import Input, at_once, refuses, text

_CONTRACT: Final = contract.load(catalog.load())
_RPCS: Final = [_CONTRACT.rpcs[path] for path in sorted(_CONTRACT.rpcs)]
_PLAN: Final = _CONTRACT.rpcs["/creavio.community.v1.CalendarService/CreateCalendarEvent"]
_PERSON: Final = UUID(int=1)
_NOW: Final = datetime(2026, 1, 2, tzinfo=UTC)
_UNARY: Final = [rpc for rpc in _RPCS if not rpc.bidi]
_VALIDATION: Final = interceptors._validation()


def _request_of(rpc: Rpc) -> type[Message]:
    return GetMessageClass(rpc.descriptor.input_type)


def request(data: bytes) -> None:
    """A request that reaches a handler keeps the limits of its contract and holds no U+0000."""
    told = Input(data)
    rpc = told.one_of(_UNARY)
    try:
        message = _request_of(rpc).FromString(told.rest())
    except DecodeError:
        return
    served: list[Call] = []

    async def serve(call: Call) -> None:
        served.append(call)

    try:
        at_once(_VALIDATION(rpc, serve)(_call(rpc, message, {})))
    except Invalid as refused:
        assert not served
        refuses(refused, *(field for field, _ in refused.fields))
    else:
        assert len(served) == 1
        assert "\\000" not in str(message).replace("\\\\", "")


def _call(rpc: Rpc, message: Message, metadata: dict[str, str]) -> Call:
    return Call(rpc, message, cast("Any", None), metadata)


_EDITABLE: Final = frozenset({"display_name", "bio", "status_text"})
_COMMUNITY: Final = frozenset({"name", "description", "icon", "tags", "language"})


def update_mask(data: bytes) -> None:
    """An update changes what may be changed, or names what may not."""
    try:
        profile = user_service_pb2.UpdateMeRequest.FromString(data)
        community = community_service_pb2.UpdateCommunityRequest.FromString(data)
    except DecodeError:
        return
    masked = set(profile.update_mask.paths)
    try:
        changed = wire.changes(profile, _EDITABLE)
    except Invalid as refused:
        assert masked - _EDITABLE
        refuses(refused, "update_mask")
    else:
        assert set(changed) <= _EDITABLE
        assert not masked or set(changed) == masked
    try:
        fields = convert.fields_to_change(community, community.update_mask, _COMMUNITY)
    except Invalid as refused:
        refuses(refused, "update_mask")
    else:
        assert fields <= _COMMUNITY


_KEYED: Final = next(rpc for rpc in _RPCS if rpc.policy.idempotency_field)


def metadata(data: bytes) -> None:
    """Of the headers of a call each is what it should be, refused, or as good as not there."""
    told = Input(data)
    header, revision, key = (text(told.part()) for _ in range(3))
    try:
        token = bearer(header)
    except Unauthenticated:
        token = ""
    assert not token or header.lower().startswith("bearer ")
    assert header.endswith(token)
    call = _call(_KEYED, _request_of(_KEYED)(), {POLICY_REVISION: revision, "idempotency-key": key})
    assert 0 <= call.revision_demanded < 2**63
    try:
        assert key_of(call) == key
        assert len(key) <= 64
    except Invalid as refused:
        assert len(key) > 64
        refuses(refused, "Idempotency-Key")


def calendar_event(data: bytes) -> None:
    """What is planned begins, ends within a month, and is in a time zone that there is."""
    told = Input(data)
    asked = calendar_service_pb2.CreateCalendarEventRequest(
        community_id=f"com_{'0' * 26}", title="Party"
    )
    for moment in (asked.start_time, asked.end_time):
        moment.seconds = int.from_bytes(told.part()[:8], signed=True)
        moment.nanos = int.from_bytes(told.part()[:4], signed=True)
    asked.time_zone = told.text()
    try:
        at_once(_VALIDATION(_PLAN, _nothing)(_call(_PLAN, asked, {})))
        event = sound(calendar.planned(asked, _PERSON, _NOW))
    except Invalid as refused:
        refuses(refused, *(field for field, _ in refused.fields))
        return
    assert timedelta() < event.end_time - event.start_time <= LASTS
    # Whoever shows it reads it there.
    for at in (event.start_time, event.end_time):
        if 1 < at.year < 9999:
            assert at.astimezone(ZoneInfo(event.time_zone)) == at
    shown = calendar.event(event)
    assert shown.start_time.ToDatetime(UTC) == event.start_time


async def _nothing(_: Call) -> None:
    pass
