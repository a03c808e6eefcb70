"""chat costs as much with a long past as with a short one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.chat.domain.conversation import Conversation
from services.chat.domain.message import Message, Reaction
from services.chat.domain.place import Place
from services.chat.domain.post import Sort
from services.chat.domain.reading import MOST_COUNTED, MOST_LOOKED_AT, Reader
from services.chat.domain.thread import Thread
from tests.growth.conftest import ROWS
from tests.growth.plans import PAGE
from tests.growth.promises import Promises
from tests.growth.questions import Asking

pytestmark = pytest.mark.timeout(900)
SERVICE = "chat"
NOW = datetime.now(UTC)
# Channel 1 of community 1 has half of all messages and threads; of the others, with ids
# above 0, each has a few. Conversations begin at id 10,000,000, threads at 20,000,000.
FILL = """
    INSERT INTO channel (id, community_id, last_sequence, last_message, active, forum)
        SELECT id(n), id(1 + n / 200), :N * 2, :N * 2,
            hour_of(now()) - (n % 1000) * interval '1 h', n % 10 = 1
        FROM generate_series(1, :N / 4) AS n;
    INSERT INTO channel (id, last_sequence, last_message, active)
        SELECT id(10000000 + n), :N * 2, :N * 2, hour_of(now())
        FROM generate_series(1, :N / 4) AS n;
    INSERT INTO channel (id, community_id, parent_id, last_sequence, last_message, active)
        SELECT id(20000000 + n), id(1),
            id(CASE WHEN n % 50 = 0 THEN 1 ELSE 2 + n % (:N / 4 - 2) END), 100, 100, hour_of(now())
        FROM generate_series(1, :N / 2) AS n;
    UPDATE channel SET delete_time = now(), erase_time = CASE WHEN id > id(1100) THEN now() END
        WHERE community_id = id(6);
    UPDATE channel SET sweep_time = now() WHERE community_id = id(7);
    INSERT INTO message (id, channel_id, author_id, content, nonce, sequence, revision,
            create_time, delete_time, pin_time, pin_revision, reply_to, thread_id)
        SELECT id(n), id(CASE WHEN n % 2 = 0 THEN 1 ELSE 2 + n % (:N / 4 - 2) END), id(n % 1000),
            'Message ' || n || repeat(' and so on', 8), 'nonce' || n, n, n,
            now() - (:N - n) * interval '1 s', CASE WHEN n % 50 = 0 THEN now() END,
            CASE WHEN n <= 100 THEN now() END, CASE WHEN n <= 100 THEN n END, NULL, NULL
        FROM generate_series(1, :N) AS n;
    INSERT INTO mention (channel_id, target, sequence)
        SELECT id(CASE WHEN n % 2 = 0 THEN 1 ELSE 2 + n % (:N / 4 - 2) END),
            '\\x01'::bytea || uuid_send(id(n % 100)), n
        FROM generate_series(1, :N) AS n;
    INSERT INTO message_version (message_id, revision, content, create_time)
        SELECT id(n), n, '', now() FROM generate_series(1, :N) AS n;
    INSERT INTO reaction (message_id, user_id, emoji)
        SELECT id(2), id(n), 'x' FROM generate_series(1, :N / 20) AS n;
    INSERT INTO reaction (message_id, user_id, emoji)
        SELECT id(n), id(n % 1000), 'x' FROM generate_series(1, :N, 2) AS n;
    INSERT INTO poll_vote (message_id, option, user_id)
        SELECT id(2), 0, id(n) FROM generate_series(1, :N / 20) AS n;
    INSERT INTO poll_vote (message_id, option, user_id)
        SELECT id(n), 0, id(n % 1000) FROM generate_series(1, :N, 2) AS n;
    INSERT INTO conversation (id, first_id, second_id, create_time, owner_id)
        SELECT id(10000000 + n), CASE WHEN n % 3 > 0 THEN id(n % 500) END,
            CASE WHEN n % 3 > 0 THEN id(1000 + n) END, now(),
            CASE WHEN n % 3 = 0 THEN id(n % 500) END
        FROM generate_series(1, :N / 4) AS n;
    INSERT INTO conversation_member (conversation_id, user_id)
        SELECT id(10000000 + n), id(n % 500) FROM generate_series(1, :N / 4) AS n;
    INSERT INTO conversation_member (conversation_id, user_id)
        SELECT id(10000000 + n), id(1000 + n + k)
        FROM generate_series(1, :N / 4) AS n, generate_series(0, 2) AS k
        WHERE k = 0 OR n % 3 = 0;
    INSERT INTO block (blocked_id, blocker_id)
        SELECT id(n % 1000), id(n) FROM generate_series(1, :N) AS n;
    INSERT INTO standing (user_id, revision, deactivated)
        SELECT id(n), 1, n % 2 = 0 FROM generate_series(1, :N) AS n;
    INSERT INTO thread (id, channel_id, creator_id, name, create_time, archive_hours,
            archive_time, review_time, stale, last_reply_time, pinned)
        SELECT id(20000000 + n), id(CASE WHEN n % 50 = 0 THEN 1 ELSE 2 + n % (:N / 4 - 2) END),
            id(n % 1000), 'thread',
            now() - (:N - n) * interval '1 s', 24, CASE WHEN n % 4 < 2 THEN now() END,
            now() + (n % 1000 - 1) * interval '1 h', n % 1000 = 1,
            CASE WHEN n % 3 = 0 THEN now() - (:N - n) * interval '1 s' END, n = 50
        FROM generate_series(1, :N / 2) AS n;
    INSERT INTO post_tag (thread_id, tag_id, channel_id, archived, activity)
        SELECT thread.id, id(n % 20), channel_id, archive_time IS NOT NULL,
            coalesce(last_reply_time, create_time)
        FROM generate_series(1, :N / 2) AS n JOIN thread ON thread.id = id(20000000 + n);
    INSERT INTO thread_follower (user_id, community_id, thread_id)
        SELECT id(n), id(1), id(20000050) FROM generate_series(1, :N / 20) AS n;
    INSERT INTO thread_follower (user_id, community_id, thread_id)
        SELECT id(n % 1000), id(1), id(20000000 + n) FROM generate_series(51, :N / 2) AS n;
    INSERT INTO draft (user_id, channel_id, content, update_time, revision)
        SELECT id(n % 1000), id(1 + n % (:N / 4 - 7)), '', now(), n
        FROM generate_series(1, :N / 4) AS n;
    INSERT INTO draft (user_id, channel_id, content, update_time, revision)
        SELECT id(1000 + n), id(1), '', now(), n FROM generate_series(1, :N) AS n;
    INSERT INTO bookmark (user_id, message_id, id, create_time)
        SELECT id(n % 1000), id(n), id(n), now() FROM generate_series(1, :N) AS n;
    INSERT INTO scheduled_message (id, user_id, channel_id, content, send_time)
        SELECT id(n), id(n % (:N / 50)), id(1 + n % (:N / 4 - 7)), '',
            now() + (n % 1000 - 1) * interval '1 h'
        FROM generate_series(1, :N) AS n;
    INSERT INTO pace (channel_id, user_id, next_time)
        SELECT id(1 + n % 20), id(n), now() FROM generate_series(1, :N) AS n;
    INSERT INTO read_state (user_id, channel_id, community_id, sequence, behind)
        SELECT id(n), id(1), id(1), n, n % 10 = 0 FROM generate_series(1, :N / 2) AS n;
    INSERT INTO read_state (user_id, channel_id, community_id, sequence, behind)
        SELECT id(n % (:N / 400)), id(1 + n), id(1 + (1 + n) / 200), :N, n % 10 = 0
        FROM generate_series(1, :N / 4 - 2) AS n;
    INSERT INTO reader (user_id, community_id, join_time, settled)
        SELECT id(n), id(1), CASE WHEN n = :N THEN now() ELSE now() - interval '100 days' END,
            hour_of(now()) - interval '24 h'
        FROM generate_series(1, :N) AS n;
"""
PERSON = UUID(int=7)
READER, NEWCOMER = Reader(PERSON, (UUID(int=3),)), Reader(UUID(int=ROWS))
_COUNTED = (MOST_COUNTED + 1) * (1 + 3 + 2) + 5
"""Of one place: messages, three kinds of mentions, what each stands at and who blocked whom; the
place, what of it was read, and since when."""
BUSY = (
    (READER, _COUNTED),
    (NEWCOMER, _COUNTED),
    # Who wrote some of what mentions them: more of both kinds there are for them, and theirs.
    (Reader(UUID(int=8)), _COUNTED + 2 * MOST_LOOKED_AT + 3 * MOST_COUNTED),
)
CHANNEL, THREAD = Place(UUID(int=1)), UUID(int=20_000_050)
MESSAGES = [
    Message(UUID(int=n), CHANNEL, PERSON, "", "", n, n, NOW, reactions=(Reaction("x", 1),))
    for n in range(2, 102, 2)
]
ASKING = Asking(
    SERVICE,
    {
        "user_id": PERSON,
        "author_id": PERSON,
        "blocker_id": PERSON,
        "blocked_id": PERSON,
        "by": UUID(int=1007),
        "community_id": UUID(int=1),
        "channel_id": UUID(int=1),
        "thread_id": THREAD,
        "thread_ids": [UUID(int=20_000_000 + n) for n in range(50, 2550, 50)],
        "conversation_id": UUID(int=10_000_001),
        "message_id": UUID(int=2),
        "message_ids": [UUID(int=n) for n in range(2, 102, 2)],
        "messages": MESSAGES,
        "message": MESSAGES[0],
        "place": CHANNEL,
        "places": [UUID(int=n) for n in range(1, 51)],
        "besides": CHANNEL,
        "pair": (PERSON, UUID(int=1_007)),
        "reader": READER,
        "sequence": ROWS // 2,
        "revision": ROWS // 2,
        "moment": NOW - timedelta(seconds=ROWS / 2),
        "at": NOW,
        "since": NOW,
        "now": NOW,
        "limit": 50,
        "latest": 500,
        "seconds": 60,
        "option": 0,
        "chosen": [0, 1],
        "tags": [UUID(int=n) for n in range(3)],
        "sort": Sort.ACTIVITY,
        "archived": False,
        "forum": True,
        "deactivated": True,
        "emoji": "x",
        "nonce": "nonce14",
        "reason": "",
        "thread": Thread(THREAD, UUID(int=1), UUID(int=2), PERSON, "", NOW),
        "post": Thread(THREAD, UUID(int=1), UUID(int=2), PERSON, "", NOW, pinned=True),
        "conversation": Conversation(UUID(int=10_000_001), (PERSON,), NOW),
        "before": UUID(int=30_000_000),
        "after": UUID(int=3),
        "user_ids": [UUID(int=n) for n in range(50)],
    },
    places=(
        {},
        {"place": Place(UUID(int=11)), "channel_id": UUID(int=11), "user_id": UUID(int=1_501)},
        {"place": Place(UUID(int=1_111)), "channel_id": UUID(int=1_111)},
    ),
    instead={
        "threads.threads_before": [
            {"archived": archived, "before": before}
            for archived in (True, False)
            for before in (None, UUID(int=20_000_000 + ROWS // 4))
        ],
        "posts.page": [
            {"sort": sort, "tags": tags, "archived": archived, "after": after}
            for sort in Sort
            for tags in ([], [UUID(int=0)], [UUID(int=10)], [UUID(int=0), UUID(int=10)])
            for archived in (True, False)
            for after in (
                None,
                (NOW - timedelta(seconds=ROWS / 2), UUID(int=20_000_000 + ROWS // 4)),
            )
        ],
        # In a channel that half of all was written in: the latest that are counted, as many
        # mentions of the person, of a role and of everyone, each with its message and author.
        "reading.states": [
            {"most": None},
            *({"places": [UUID(int=1)], "reader": reader, "most": most} for reader, most in BUSY),
        ],
        "reading.state": [
            {"place": CHANNEL, "reader": reader, "most": most} for reader, most in BUSY
        ],
        "posts.pinned": [
            {"archived": archived, "tags": tags}
            for archived in (True, False)
            for tags in ([], [UUID(int=2)])
        ],
        "posts.with_other_tags": [{"tags": [UUID(int=n) for n in range(19)]}],
        "threads.recount": [{"place": Place(THREAD, thread=True), "by": 1}],
        "polls.voters_after": [{"after": None}, {"after": UUID(int=ROWS // 40)}],
        "messages.messages_before": [{"sequence": None}, {"sequence": ROWS // 2}],
    },
    most={
        # There are a thousand at most; person 7 has so many among a million.
        "kept.count_bookmarks": ROWS // 1_000 + 6 * PAGE,
        # Everybody who waits there, one in twenty here, in an index and in the table.
        "places.slow_down": ROWS // 10 + PAGE,
    },
    aside=(
        "conversations.add",
        "conversations.add_members",
        "conversations.save",
        "kept.add_bookmark",
        "kept.save_draft",
        "mentioned.change",
        "messages.save",
        "scheduled.add",
        "scheduled.save",
        "sending.send",
        "threads.add",
        "threads.save",
        "versions.keep",
    ),
)


class TestChat(Promises):
    asking = ASKING
    # No channel's row is ever deleted, also not of what was.
    unindexed = ("read_state (channel_id)", "thread (channel_id)")
