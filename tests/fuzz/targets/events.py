"""Events as they come from NATS: CloudEvents in headers, protobuf in the body."""

from __future__ import annotations

from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg

from chassis import catalog, contract
from chassis.events import EventError, received
from creavio.options.v1 import permission_pb2 as p
from services.gateway.engine.reading import Entry, Reader
from tests.fuzz.targets.reading import Input, text
from tests.gateway.world import read

_CONTRACT: Final = contract.load(catalog.load())
_TYPES: Final = ["", *sorted(_CONTRACT.events)]
_HEADERS: Final = (
    "ce-id",
    "ce-type",
    "ce-time",
    "ce-epoch",
    "ce-epochstart",
    "Nats-Sequence",
    "Nats-Subject",
)
_SCOPES: Final = {
    p.SCOPE_SELF,
    p.SCOPE_ACQUAINTANCES,
    p.SCOPE_COMMUNITY,
    p.SCOPE_CHANNEL,
    p.SCOPE_CONVERSATION,
}
_READER: Final = Reader(_CONTRACT, lambda _: None)
_CLIENT: Final = Client()


def event(data: bytes) -> None:
    """A message is an event of the contract, for people the contract names, or EventError."""
    told = Input(data)
    headers = {"ce-id": "evt", "ce-time": "2026-01-02T03:04:05Z", "Nats-Sequence": "7"}
    headers["ce-type"] = told.one_of(_TYPES)
    for _ in range(told.byte() % 8):
        headers[told.one_of(_HEADERS)] = text(told.part())
    message = Msg(_CLIENT, "live.creavio.chat", text(told.part()), told.rest(), headers)
    try:
        found = received(message)
    except EventError:
        return
    assert (found.id, found.type, found.body) == (
        headers["ce-id"],
        headers["ce-type"],
        message.data,
    )
    try:
        entry = _READER.read(found)
    except EventError:
        return
    assert (entry.id, entry.number, entry.epoch) == (found.id, found.position, found.epoch)
    _told(entry)


def _told(entry: Entry) -> None:
    assert all(place.scope in _SCOPES for place in entry.places)
    assert bool(entry.places) <= bool(entry.told), "nothing to tell somebody"
    if entry.told:
        (shown,) = read(entry.told).events
        assert shown.id == entry.id
        assert shown.WhichOneof("payload") is not None
