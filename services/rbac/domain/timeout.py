"""Members who may see and do nothing else, for a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Timeout:
    """Who is timed out, by whom, and until when by the database's clock."""

    community_id: UUID
    user_id: UUID
    creator_id: UUID
    reason: str
    create_time: datetime
    expire_time: datetime
