"""Events that a consumer cannot handle are set aside, and harm no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import time
from typing import Any, Final
import uuid

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.subjects import subject_root
from tests.chaos.ordeal import Ordeals
from tests.live import Live

CREATED: Final = "creavio.community.v1.ChannelCreated"
SET_ASIDE_WITHIN: Final = 60.0
"""Seconds: five tries, a second between two, on a busy machine."""


def eventually(holds: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + SET_ASIDE_WITHIN
    while not holds():
        assert time.monotonic() < ends, what
        time.sleep(0.2)


def dead(live: Live) -> dict[str, sa.Row[Any]]:
    """What chat could not handle, by event."""
    with database(live, "chat") as connection:
        rows = connection.execute(sa.text("SELECT event_id, type, error, tries FROM dead_letter"))
        return {row.event_id: row for row in rows}


@contextmanager
def database(live: Live, service: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(live.database_url(f"creavio_{service}"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        yield connection


def emit_garbage(live: Live) -> str:
    """community tells of a channel in words that nobody can read; the event's id."""
    identifier = ids.new()
    with database(live, "community") as connection:
        connection.execute(
            sa.text(
                "INSERT INTO outbox (id, type, subject, body, headers, create_time)"
                " VALUES (:id, :type, :subject, :body, '{}', now() - interval '1 minute')"
            ),
            {
                "id": identifier,
                "type": CREATED,
                "subject": f"{subject_root(CREATED)}.{uuid.uuid4()}.{uuid.uuid4()}",
                "body": b"\xff\xff\xff",
            },
        )
    return ids.text(ids.Kind.EVENT, identifier)


@contextmanager
def refusing(live: Live, community: str) -> Iterator[None]:
    """chat's database takes no channel of a community, until the block ends."""
    refused = ids.parse(ids.Kind.COMMUNITY, community, field="community_id")
    with database(live, "chat") as connection:
        connection.execute(
            sa.text(
                "ALTER TABLE channel ADD CONSTRAINT poison"
                f" CHECK (community_id <> '{refused}') NOT VALID"
            )
        )
    try:
        yield
    finally:
        with database(live, "chat") as connection:
            connection.execute(sa.text("ALTER TABLE channel DROP CONSTRAINT poison"))


def known(live: Live, channel: str) -> bool:
    """Whether chat heard of a channel."""
    with database(live, "chat") as connection:
        found = connection.execute(
            sa.text("SELECT 1 FROM channel WHERE id = :id"),
            {"id": ids.parse(ids.Kind.CHANNEL, channel, field="channel_id")},
        )
        return found.one_or_none() is not None


@pytest.mark.timeout(400)
def test_what_cannot_be_handled_is_set_aside_and_can_be_replayed(
    frail: Live, ordeals: Ordeals
) -> None:
    # Whom an event was for that cannot be read gateway cannot know: it says so to everybody.
    with ordeals.of(frail, "poison", but=["told to refetch"]) as ordeal:
        owner = frail.sign_up("owner")
        poisoned, other = owner.found()["id"], owner.found()["id"]
        garbage = emit_garbage(frail)
        ordeal.did("community tells of a channel in words that nobody can read")
        with refusing(frail, poisoned):
            channel = owner.open_channel(poisoned)["id"]
            ordeal.did("chat's database refuses a channel that community tells of")
            later = owner.open_channel(other)["id"]
            eventually(lambda: known(frail, later), "the next event is not handled")
            ordeal.did("the events after them are handled")
            eventually(lambda: len(dead(frail)) == 2, "not set aside")
            ordeal.did("both are dead letters")
        assert not known(frail, channel)
        letters = dead(frail)
        assert letters[garbage].type == CREATED
        (refused,) = letters.keys() - {garbage}
        assert "poison" in letters[refused].error

        said = frail.creavio("events", "replay", "--all", "--service", "chat")
        assert said.stdout.startswith("2 to be handled again"), said
        ordeal.did("the database takes it again; creavio events replay --all")
        eventually(lambda: known(frail, channel), "the replayed event had no effect")
        eventually(lambda: dead(frail).keys() == {garbage}, "what was handled is still there")
        eventually(lambda: dead(frail)[garbage].tries > letters[garbage].tries, "not tried")
        assert owner.send(channel, "it works")["sequence"] == "1"
        ordeal.did("the one had its effect, the other stays a dead letter")
        with database(frail, "chat") as connection:
            connection.execute(sa.text("DELETE FROM dead_letter"))
