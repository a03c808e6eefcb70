"""The names events travel under in NATS.

One JetStream stream per emitting service, one subject per event and the scopes
it belongs to (`creavio.chat.v1.message_created.<community>.<channel>`), one
durable consumer per consuming service and stream. Everything a stream keeps is
also published on `live.<subject>`, for followers that need no history.
"""

from __future__ import annotations

from collections.abc import Iterable
import re

from google.protobuf.message import Message

from chassis.contract import Event, field_at

LIVE = "live."


def stream_of(service: str) -> str:
    """The JetStream stream that holds what a service emitted."""
    return f"CREAVIO_{service.upper()}"


def subjects_of(service: str) -> str:
    """The wildcard for everything a service emits."""
    return f"creavio.{service}.>"


def subject_root(event_type: str) -> str:
    """The subject of an event without its scopes.

    >>> subject_root("creavio.chat.v1.MessageCreated")
    'creavio.chat.v1.message_created'
    """
    package, _, name = event_type.rpartition(".")
    return f"{package}.{re.sub(r'(?<!^)(?=[A-Z])', '_', name).lower()}"


def subject_for(event: Event, body: Message) -> str:
    """The subject one event is published under."""
    scopes: Iterable[str] = (str(field_at(body, path)) for path in event.policy.subject_fields)
    return ".".join((subject_root(event.type), *scopes))


def filters_for(event_types: Iterable[str]) -> list[str]:
    """The subjects that carry exactly these events."""
    return [f"{subject_root(name)}.>" for name in event_types]
