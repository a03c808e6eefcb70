"""What comes along with messages that were sent on from somewhere else, as it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from services.chat.domain.forward import Forward
from services.chat.domain.message import MAX_EXCERPT
from services.chat.domain.place import Place
from services.chat.store.tables import MESSAGE

EXCERPT: Final = sa.func.left(
    sa.case(
        (MESSAGE.c.content != "", MESSAGE.c.content),
        else_=sa.func.coalesce(MESSAGE.c.forward["content"].astext, ""),
    ),
    MAX_EXCERPT,
).label("excerpt")
"""How a message begins; one that only sends another on, how that does."""


def packed(forward: Forward | None) -> dict[str, Any] | None:
    """What comes along, as it is stored."""
    if forward is None:
        return None
    place = forward.place
    return {
        "place": place.id.hex,
        "conversation": place.conversation,
        "thread": place.thread,
        "message": forward.message_id.hex,
        "content": forward.content,
        "create_time": forward.create_time.isoformat(),
    }


def unpacked(stored: Mapping[str, Any] | None) -> Forward | None:
    """What comes along, as it was before it was stored."""
    if stored is None:
        return None
    return Forward(
        Place(UUID(hex=stored["place"]), stored["conversation"], thread=stored["thread"]),
        UUID(hex=stored["message"]),
        stored["content"],
        datetime.fromisoformat(stored["create_time"]),
    )
