"""community costs as much among many communities as among few, and in large ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.community.domain import CHANNELS, INVITES, Community, Visibility
from services.community.domain.audit import Action
from services.community.domain.audit import Wanted as WantedDeeds
from services.community.domain.calendar import Answer
from services.community.domain.discovery import Order, Wanted
from services.community.domain.onboarding import Newcomer, Onboarding
from tests.growth.conftest import ROWS
from tests.growth.plans import PAGE
from tests.growth.promises import Promises
from tests.growth.questions import Asking

pytestmark = pytest.mark.timeout(900)
SERVICE = "community"
NOW = datetime.now(UTC)
# Community 1 has half of everything, and as many channels and invites as a community may
# have; the others share what is left.
FILL = """
    INSERT INTO community (id, name, owner_id, create_time, standing, visibility, fold, tags,
            facets, search, next_owner_id, transfer_time)
        SELECT id(n), 'Community ' || n, id(n), now() - n * interval '1 s',
            CASE WHEN n % 2000 = 5 THEN 'coming' ELSE 'settled' END,
            CASE WHEN n % 2 = 0 THEN 'public' ELSE 'private' END, 'community ' || n,
            ARRAY['tag' || n % 49], ARRAY['tag' || n % 49, 'en'],
            ('word' || n % 5000 || ' common')::tsvector,
            CASE WHEN n % 2000 = 6 THEN id(1) END, CASE WHEN n % 2000 = 6 THEN now() END
        FROM generate_series(1, :N) AS n;
    INSERT INTO member_count (community_id, members, listed)
        SELECT id(n), n % 1000, n % 2 = 0 FROM generate_series(1, :N) AS n;
    INSERT INTO member_change (community_id, change)
        SELECT id(n), 1 FROM generate_series(1, 20000) AS n;
    INSERT INTO category (id, community_id, name, position, create_time)
        SELECT id(n), id(1 + n / 2), 'category', n, now() FROM generate_series(1, :N) AS n;
    INSERT INTO channel (id, community_id, name, create_time, private, standing, category_id,
            position, creator_id, delete_time)
        SELECT id(n), id(CASE WHEN n <= 1000 THEN 1 ELSE n END), 'channel', now(), n % 5 = 0,
            CASE WHEN n % 1000 = 7 THEN 'coming' WHEN n % 1000 = 8 THEN 'gone'
                ELSE 'settled' END,
            CASE WHEN n <= 1000 THEN id(1) WHEN n % 2 = 0 THEN id(n) END, n,
            id(CASE WHEN n <= 1000 THEN 1 ELSE n END), CASE WHEN n % 1000 = 8 THEN now() END
        FROM generate_series(1, :N) AS n;
    INSERT INTO member (community_id, user_id, join_time, standing, change_time, tell_time)
        SELECT id(1), id(n), now() - interval '1 day' + n * interval '1 ms',
            CASE WHEN n % 2000 = 9 THEN 'leaving' ELSE 'settled' END, now(),
            CASE WHEN n % 2000 = 10 THEN now() END
        FROM generate_series(1, :N / 2) AS n;
    INSERT INTO member (community_id, user_id, join_time, standing, change_time)
        SELECT id(2 + n % (:N - 10)), id(n), now() - n * interval '1 s', 'settled', now()
        FROM generate_series(1, :N) AS n;
    INSERT INTO onboarding (community_id, rules, rules_version, welcome, channel_ids)
        SELECT id(n), '[]', 1, '', '{}' FROM generate_series(1, :N) AS n;
    INSERT INTO invite (code, community_id, creator_id, create_time, expire_time)
        SELECT 'code' || n, id(CASE WHEN n <= 1000 THEN 1 ELSE n END), id(n), now(),
            now() + (n % 1000 - 1) * interval '1 h'
        FROM generate_series(1, :N) AS n;
    INSERT INTO ban (community_id, user_id, creator_id, reason, create_time, settled)
        SELECT id(1 + n % 2 * n), id(:N + n), id(1), '', now() - n * interval '1 s',
            n % 1000 <> 11
        FROM generate_series(1, :N) AS n;
    INSERT INTO emoji (id, community_id, name, file_id, creator_id, create_time)
        SELECT id(n), id(1 + n / 50), 'emoji' || n, 'file_', id(1 + n / 50), now()
        FROM generate_series(1, :N) AS n;
    INSERT INTO calendar_event (id, community_id, channel_id, title, description, location,
            start_time, end_time, time_zone, creator_id, create_time)
        SELECT id(n), id(CASE WHEN n <= :N / 2 THEN 1 ELSE n END), NULL, 'x', '', '',
            now() + (100 - n) * interval '6 h', now() + (101 - n) * interval '6 h', 'UTC',
            id(n), now()
        FROM generate_series(1, :N) AS n;
    INSERT INTO calendar_answer (event_id, user_id, answer)
        SELECT id(1), id(n), 1 FROM generate_series(1, :N / 2) AS n;
    INSERT INTO calendar_answer (event_id, user_id, answer)
        SELECT id(n), id(1 + n % 1000), 1 FROM generate_series(2, :N / 2) AS n;
    INSERT INTO template (code, community_id, creator_id, name, shape, create_time)
        SELECT 'template' || n, id(n), id(n / 10), 'x', '{}', now()
        FROM generate_series(1, :N) AS n;
    INSERT INTO audit (id, community_id, actor_id, action, target_id, target_name, reason,
            differences, create_time)
        SELECT (lpad(to_hex(
                (extract(epoch FROM now() - (:N - n) * interval '90 days' / :N) * 1000)::bigint
            ), 12, '0') || lpad(to_hex(n), 20, '0'))::uuid,
            id(1 + n % 2 * n), id(n / 2 % 100), n / 2 % 10 + 1, 'usr_' || n / 2 % 5000, '', '',
            '[]', now() - (:N - n) * interval '90 days' / :N
        FROM generate_series(1, :N) AS n;
"""
PERSON = UUID(int=101)
ACTOR = UUID(int=7)
LAST = UUID(int=2**127)
ASKING = Asking(
    SERVICE,
    {
        "community_id": UUID(int=1),
        "user_id": PERSON,
        "creator_id": PERSON,
        "owner_id": UUID(int=1),
        "remover_id": PERSON,
        "heir": PERSON,
        "channel_id": UUID(int=100),
        "channel_ids": [UUID(int=n) for n in range(100, 150)],
        "category_id": UUID(int=1),
        "emoji_id": UUID(int=7),
        "event_id": UUID(int=1),
        "events": [UUID(int=n) for n in range(100, 150)],
        "code": "code700",
        "positions": {UUID(int=n): n for n in range(100, 110)},
        "number": 1,
        "limit": 50,
        "now": NOW,
        "longer_than": timedelta(seconds=20),
        "older_than": timedelta(days=89),
        "said": Answer.GOING,
        "newcomer": Newcomer(1),
        "onboarding": Onboarding(UUID(int=1)),
        "community": Community(
            UUID(int=1), "x", UUID(int=1), NOW, "", Visibility.PRIVATE, "", None, 0, 1, (), ""
        ),
    },
    places=(
        {},
        {"community_id": UUID(int=1001), "user_id": UUID(int=1001), "event_id": UUID(int=1001)},
    ),
    instead={
        "audit.deeds_of": [
            {"before": before, "wanted": wanted}
            for before in (None, LAST)
            for wanted in (
                WantedDeeds(),
                WantedDeeds(actor_id=ACTOR),
                WantedDeeds(action=Action(3)),
                WantedDeeds(target_id="usr_7"),
                WantedDeeds(target_id="usr_nobody"),
                WantedDeeds(after=NOW - timedelta(hours=1)),
                WantedDeeds(after=NOW - timedelta(hours=30), before=NOW - timedelta(hours=20)),
                WantedDeeds(actor_id=ACTOR, action=Action(3)),
            )
        ],
        "bans.bans_of": [{"before": None}, {"before": (NOW - timedelta(hours=1), PERSON)}],
        "calendars.calendar_events": [
            {"after": None, "after_time": None, "before_time": None},
            {"after": None, "after_time": NOW, "before_time": NOW + timedelta(days=7)},
            {
                "after": (NOW + timedelta(hours=7), PERSON),
                "after_time": NOW,
                "before_time": NOW + timedelta(days=7),
            },
        ],
        "channels.channels_of": [{"after": None}, {"after": UUID(int=100)}],
        "communities.communities_of": [{"after": None}, {"after": (NOW - timedelta(1), PERSON)}],
        "invites.invites_of": [{"before": None}, {"before": (NOW, "code7")}],
        "members.members_of": [{"after": None}, {"after": (NOW - timedelta(1), PERSON)}],
        "discovery.public_communities": [
            {"wanted": wanted, "after": after}
            for wanted, key in (
                (Wanted(Order.NAME), "community 7"),
                (Wanted(Order.NAME, prefix="community 77"), "community 777"),
                (Wanted(Order.NEWEST), NOW - timedelta(minutes=9)),
                (Wanted(Order.MEMBERS), 500),
                (Wanted(Order.RELEVANCE, query="'word7'"), 0.5),
                (Wanted(Order.NEWEST, query="'word7'"), NOW),
                (Wanted(Order.NAME, facets=("tag7", "en")), "community 7"),
            )
            for after in (None, (key, PERSON))
        ],
    },
    most={
        # Deeds of others and of other kinds are passed on the way, and those of a day, of 90,
        # in which something may have been written down late.
        "audit.deeds_of": ROWS // 120 + 900,
        # A filter that one public community in fifty passes is looked for among the others.
        "discovery.public_communities": 5_000,
        # As many are looked at as a community may have: invites in an index and in the table.
        "channels.channels_to_add_to": CHANNELS + PAGE,
        "channels.standing_in": CHANNELS + PAGE,
        "invites.working_invites": 2 * INVITES + PAGE,
        # A batch of 10,000 changes, once for reading and once for dropping them.
        "discovery.take_in_changes": 25_000,
    },
    # Rare words are looked for by their index, frequent ones on the way through the list.
    varied=("discovery.public_communities",),
    aside=(
        "audit.write_down",
        "bans.intend_ban",
        "bans.add_ban",
        "calendars.add_calendar_event",
        "calendars.save_calendar_event",
        "categories.add_category",
        "categories.delete_category",
        "categories.rename_category",
        "channels.add_channel",
        "channels.save_channel",
        "communities.add_community",
        "emoji.add_emoji",
        "emoji.rename_emoji",
        "invites.add_invite",
        "members.add_member",
        "templates.add_template",
        "templates.begin_founding",
        # Takes all of a community away, which costs what there is of it.
        "person.close",
    ),
)


class TestCommunity(Promises):
    asking = ASKING
