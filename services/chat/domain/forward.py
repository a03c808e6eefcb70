"""Messages that are sent on to somewhere else: what of them comes along."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from services.chat.domain.place import Place

if TYPE_CHECKING:
    from services.chat.domain.message import Message


@dataclass(frozen=True, slots=True)
class Forward:
    """What a message said when it was sent on, and which it was."""

    place: Place
    message_id: UUID
    content: str
    create_time: datetime
    """When the message was written that was sent on."""


def forward(source: Message) -> Forward:
    """What comes along of a message: of one that was forwarded itself, what came with it."""
    if source.forward is not None:
        return source.forward
    return Forward(source.place, source.id, source.content, source.create_time)


def alike(one: Forward | None, other: Forward | None) -> bool:
    """Whether the same message is sent on, whatever it says by now."""
    if one is None or other is None:
        return one is other
    return one.message_id == other.message_id
