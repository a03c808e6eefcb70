"""user costs as much with many people as with few."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.user.domain import MAX_BLOCKS, Profile, Settings
from tests.growth.plans import PAGE
from tests.growth.promises import Promises
from tests.growth.questions import Asking

pytestmark = pytest.mark.timeout(900)
SERVICE = "user"
NOW = datetime.now(UTC)
# Person 7 blocked 500, and one in twenty blocked person 9.
FILL = """
    INSERT INTO profile (id, handle, display_name, bio, create_time, skeleton, told_revision,
            standing_revision)
        SELECT id(n), 'handle' || n, 'Somebody', '', now() - n * interval '1 s', 's' || n,
            (n % 1000 <> 1)::int, 1
        FROM generate_series(1, :N) AS n;
    INSERT INTO block (blocker_id, blocked_id, create_time, told)
        SELECT id(7), id(n), now(), true FROM generate_series(8, 507) AS n;
    INSERT INTO block (blocker_id, blocked_id, create_time, told)
        SELECT id(n), id(1 + n * 37 % :N), now(), n % 1000 <> 1
        FROM generate_series(1000, :N) AS n;
    INSERT INTO block (blocker_id, blocked_id, create_time)
        SELECT id(n), id(9), now() FROM generate_series(1000, :N, 20) AS n
        ON CONFLICT DO NOTHING;
    INSERT INTO settings (user_id, theme, locale, reduce_motion, hide_typing, compact)
        SELECT id(n), 1, 'en', false, false, false FROM generate_series(1, :N) AS n;
    INSERT INTO erasure (user_id, create_time, noted)
        SELECT id(:N + n), now(), n % 100 <> 1 FROM generate_series(1, :N) AS n;
    INSERT INTO erasure_confirmation (user_id, service, create_time)
        SELECT id(:N + n), 'chat', now() FROM generate_series(1, :N) AS n;
    INSERT INTO held_handle (skeleton, owner_id, expire_time)
        SELECT decode(lpad(to_hex(n), 64, '0'), 'hex'), id(n),
            now() + (n % 200 - 1) * interval '1 h'
        FROM generate_series(1, :N) AS n;
"""
PERSON = UUID(int=7)
ASKING = Asking(
    SERVICE,
    {
        "user_id": PERSON,
        "user_ids": [UUID(int=n) for n in range(7, 57)],
        "others": [UUID(int=n) for n in range(7, 57)],
        "blocker_id": PERSON,
        "blocked_id": UUID(int=400),
        "owner_id": PERSON,
        "wanted_by": PERSON,
        "skeleton": bytes(31) + b"\x07",
        "handle": "handle7",
        "service": "chat",
        "deactivated": True,
        "revision": 2,
        "before": 400,
        "limit": 50,
        "now": NOW,
        "expire_time": NOW,
        "to_change": True,
        "settings": Settings(),
        "profile": Profile(PERSON, "handle7", "Somebody", "", NOW),
    },
    places=(
        {},
        {"user_id": UUID(int=2000), "blocker_id": UUID(int=2000)},
        {"user_id": UUID(int=9), "blocker_id": UUID(int=9)},
    ),
    # One there is, and one more.
    instead={"blocks.add_block": [{"blocked_id": UUID(int=n)} for n in (400, 900)]},
    most={
        # Their own blocks, of which there are so many at most.
        "blocks.add_block": MAX_BLOCKS,
        "blocks.apart_from": MAX_BLOCKS + PAGE,
    },
)


class TestUser(Promises):
    asking = ASKING
