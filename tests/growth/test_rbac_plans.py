"""rbac costs as much among many communities as among few, and in large ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.rbac.domain.policy import Override
from tests.growth.promises import Promises
from tests.growth.questions import Asking

pytestmark = pytest.mark.timeout(900)
SERVICE = "rbac"
NOW = datetime.now(UTC)
# Community 1 has half of all people, ten of whom are overridden in each of 200 channels;
# everybody is in a small one besides.
FILL = """
    INSERT INTO community (id, version, revision, next_number)
        SELECT id(n), 1, n, 5 FROM generate_series(1, :N) AS n;
    INSERT INTO role (id, community_id, name, position, number, kind, color, allow, deny,
            create_time)
        SELECT id(n * 4 + k), id(n), 'role', k, k, CASE k WHEN 0 THEN 1 WHEN 3 THEN 3 ELSE 2 END,
            0, '{1,2,3}', '{}', now()
        FROM generate_series(1, :N) AS n, generate_series(0, 2) AS k;
    INSERT INTO person (community_id, user_id, version, revision)
        SELECT id(1), id(n), 1, n * 2 FROM generate_series(1, :N / 2) AS n;
    INSERT INTO person (community_id, user_id, version, revision)
        SELECT id(2 + n % (:N - 10)), id(n), 1, n * 2 + 1 FROM generate_series(1, :N) AS n;
    INSERT INTO binding (community_id, user_id, role_id)
        SELECT id(1), id(n), id(4) FROM generate_series(1, :N / 2) AS n;
    INSERT INTO binding (community_id, user_id, role_id)
        SELECT id(1), id(n), id(5) FROM generate_series(1, :N / 2, 1000) AS n;
    INSERT INTO binding (community_id, user_id, role_id)
        SELECT id(2 + n % (:N - 10)), id(n), id((2 + n % (:N - 10)) * 4)
        FROM generate_series(1, :N) AS n;
    INSERT INTO role_override (community_id, channel_id, role_id, allow, deny)
        SELECT id(n), id(n), id(n * 4), '{1}', '{}' FROM generate_series(1, :N) AS n;
    INSERT INTO member_override (community_id, channel_id, user_id, allow, deny)
        SELECT id(n), id(n), id(n), '{1}', '{}' FROM generate_series(2, :N) AS n;
    INSERT INTO member_override (community_id, channel_id, user_id, allow, deny)
        SELECT id(1), id(1 + n % 200), id(n), '{1}', '{}' FROM generate_series(1, 2000) AS n;
    INSERT INTO timeout (community_id, user_id, creator_id, reason, create_time, expire_time)
        SELECT id(1 + n % 2 * n), id(n), id(1), '', now(),
            now() + (n % 1000 - 1) * interval '1 min'
        FROM generate_series(1, :N) AS n;
    INSERT INTO private_channel (community_id, channel_id)
        SELECT id(n), id(n) FROM generate_series(1, :N) AS n;
    UPDATE revision SET value = :N * 2;
"""
PERSON = UUID(int=7)
ASKING = Asking(
    SERVICE,
    {
        "community_id": UUID(int=1),
        "user_id": PERSON,
        "creator_id": PERSON,
        "channel_id": UUID(int=1),
        "role_id": UUID(int=5),
        "roles": [UUID(int=5)],
        "people": [(UUID(int=1), UUID(int=n)) for n in range(7, 57)],
        "among": [UUID(int=n) for n in range(7, 57)],
        "after": UUID(int=10),
        "revision": 1_000,
        "limit": 50,
        "count": 1,
        "number": 1,
        "pending": True,
        "reason": "",
        "said": Override(frozenset(), frozenset()),
        "lasts": timedelta(minutes=1),
    },
    places=({}, {"community_id": UUID(int=100), "user_id": UUID(int=98)}),
    instead={
        "timeouts.timeouts_of": (
            {"after": None},
            {"after": (NOW + timedelta(hours=1), PERSON)},
        ),
        # The role that everybody holds, too.
        "people.candidates": ({"roles": [UUID(int=4), UUID(int=5)]}, {"roles": [UUID(int=4)]}),
        "people.bind": ({"roles": [UUID(int=5)]},),
    },
    aside=("policies.add_policy", "policies.save"),
)


class TestRbac(Promises):
    asking = ASKING
    small = ("revision",)
