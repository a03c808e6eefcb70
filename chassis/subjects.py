"""The names events travel under in NATS.

One JetStream stream per emitting service, one subject per event and the scopes
it belongs to (`creavio.chat.v1.message_created.<community>.<channel>`), one
durable consumer per consuming service and stream. Everything a stream keeps is
also published on `live.<subject>`, for followers that need no history.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
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


@lru_cache
def subject_root(event_type: str) -> str:
    """The subject of an event without its scopes.

    >>> subject_root("creavio.chat.v1.MessageCreated")
    'creavio.chat.v1.message_created'
    """
    package, _, name = event_type.rpartition(".")
    return f"{package}.{re.sub(r'(?<!^)(?=[A-Z])', '_', name).lower()}"


def subject_for(event: Event, body: Message) -> str:
    """The subject one event is published under.

    A scope that is empty becomes `_`, and so does each character that NATS reads as
    something else than part of a name: an event always has a subject it can go by.
    """
    scopes = (str(field_at(body, path)) for path in event.policy.subject_fields)
    return ".".join((subject_root(event.type), *(_token(scope) for scope in scopes)))


@lru_cache(maxsize=16_384)  # the same places are named over and over
def _token(scope: str) -> str:
    return re.sub(r"[^!-)+-\-/-=?-~]", "_", scope) or "_"


def epoch_subject(service: str) -> str:
    """The subject under which a service says in its stream that an epoch began."""
    return f"creavio.{service}.epoch"


def filters_for(event_types: Iterable[str]) -> list[str]:
    """The subjects that carry exactly these events."""
    return [f"{subject_root(name)}.>" for name in event_types]
