"""What an event of a log says, and who may see it: by its contract, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias

from google.protobuf.message import DecodeError, Message

from chassis.contract import Contract
from chassis.contract import Event as Declared
from chassis.events import EventError, Received
from chassis.masks import Permission
from creavio.community.v1.community_events_pb2 import ChannelCreated
from creavio.options.v1 import event_pb2
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import rbac_events_pb2
from services.gateway import convert

Scope: TypeAlias = p.Scope.ValueType

_POLICY_CHANGED: Final = rbac_events_pb2.PolicyChanged.DESCRIPTOR.full_name
_BINDING_CHANGED: Final = rbac_events_pb2.BindingChanged.DESCRIPTOR.full_name


class Place(NamedTuple):
    """Where an event may be seen: one of these groups of people."""

    scope: Scope
    """SELF, ACQUAINTANCES, COMMUNITY, CHANNEL (of a community) or CONVERSATION."""
    id: str
    community: str = ""
    permission: Permission = p.PERMISSION_UNSPECIFIED


class Entry(NamedTuple):
    """An event as far as it concerns streams, with its place in its log."""

    number: int
    epoch: int
    id: str
    time: float
    told: bytes = b""
    """As it is written; empty for what no stream is told."""
    places: tuple[Place, ...] = ()
    access: tuple[str, str] | None = None
    """A community, and a person or nobody, whose access it changed."""
    created: str = ""
    """The channel it announces."""


Look: TypeAlias = Callable[[Message], Place | None]


class Reader:
    """Reads events by their contracts. `learn` is shown the body of each that streams are told."""

    def __init__(self, contract: Contract, learn: Callable[[Message], None]) -> None:
        self._kinds: Mapping[str, tuple[type[Message], tuple[Look, ...]]] = {
            event.type: (event.message, tuple(map(_look, event.policy.visible_to)))
            for event in contract.events.values()
            if _streamed(event)
        }
        self._learn = learn

    def read(self, event: Received) -> Entry:
        """What an event says to streams. Raises `EventError` when it cannot be read."""
        where = (event.position, event.epoch, event.id, event.time.timestamp())
        try:
            kind = self._kinds.get(event.type)
            if kind is None:
                return Entry(*where, access=_access(event))
            message, looks = kind
            body = message.FromString(event.body)
        except DecodeError as error:
            raise EventError(f"{event.type} {event.id} cannot be decoded") from error
        self._learn(body)
        places = tuple(place for look in looks if (place := look(body)) is not None)
        created = body.channel.id if isinstance(body, ChannelCreated) else ""
        return Entry(*where, convert.told(event, body), places, created=created)


def emitters(contract: Contract) -> list[str]:
    """The services whose events streams are told."""
    return sorted({event.service for event in contract.events.values() if _streamed(event)})


def _streamed(event: Declared) -> bool:
    return event.policy.audience == event_pb2.EVENT_AUDIENCE_STREAM


def _look(rule: event_pb2.Visibility) -> Look:
    """Finds the place that a rule of visibility speaks of in a body."""
    named = attrgetter(rule.field)
    if rule.scope == p.SCOPE_CHANNEL:
        within = attrgetter(rule.within)
        decided_by = attrgetter(rule.decided_by or rule.field)

        def channel(body: Message) -> Place | None:
            community = within(body)
            if community:
                channel_id = decided_by(body) or named(body)
                return Place(p.SCOPE_CHANNEL, channel_id, community, rule.require)
            return Place(p.SCOPE_CONVERSATION, named(body))

        return channel
    if rule.scope == p.SCOPE_COMMUNITY:
        return lambda body: Place(p.SCOPE_COMMUNITY, "", named(body), rule.require)
    if rule.scope in (p.SCOPE_SELF, p.SCOPE_CONVERSATION, p.SCOPE_ACQUAINTANCES):
        return lambda body: Place(rule.scope, named(body))
    # Fails closed: a scope that is not known here is nobody's.
    return lambda _: None


def _access(event: Received) -> tuple[str, str] | None:
    if event.type == _POLICY_CHANGED:
        return rbac_events_pb2.PolicyChanged.FromString(event.body).community_id, ""
    if event.type == _BINDING_CHANGED:
        changed = rbac_events_pb2.BindingChanged.FromString(event.body)
        return changed.community_id, changed.user_id
    return None
