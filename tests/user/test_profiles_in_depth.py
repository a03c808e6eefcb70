"""Pictures, and what of a profile is for whom."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from chassis.database import Database
from services.user import domain, store
from services.user.domain import Audience, Profile
from tests.live import Live, Person, refusal

PICTURE = "file_01h455vb4pex5vsknk084sn02q"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    async with scratch("user") as made:
        yield made


def seen(viewer: Person, other: Person) -> Any:
    found = viewer.do("GET", "/v1/users:batchGet", params={"user_ids": other.id})
    return found["users"][0]


def edit(person: Person, **fields: Any) -> Any:
    return person.do("PATCH", "/v1/users/me", json=fields)


def test_a_picture_is_shown_and_taken_away(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    with ada.listening() as heard:
        assert edit(ada, avatar_id=PICTURE)["avatar_id"] == PICTURE
        assert heard.until("user_updated")["user"]["avatar_id"] == PICTURE
    assert seen(bob, ada)["avatar_id"] == PICTURE
    assert edit(ada, bio="as it was")["avatar_id"] == PICTURE
    ada.do("POST", "/v1/users/me/blocks", json={"user_id": bob.id})
    assert seen(bob, ada)["avatar_id"] == ""
    assert edit(ada, avatar_id="")["avatar_id"] == ""


@pytest.mark.parametrize(
    "wrong",
    ["https://tracker.example/pixel.png", "javascript:alert(1)", "file_../../etc/passwd", "usr_x"],
)
def test_a_picture_is_a_file_and_no_address(live: Live, wrong: str) -> None:
    """An address of elsewhere would tell its owner who looks at the profile."""
    ada = live.sign_up("ada")
    reply = ada.ask("PATCH", "/v1/users/me", json={"avatar_id": wrong})
    assert refusal(reply) == (400, "INVALID_FIELD")


def test_what_is_for_nobody_is_seen_by_its_owner_alone(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    edit(ada, bio="mine", status_text="away", bio_audience="PROFILE_AUDIENCE_NOBODY")
    shown = seen(bob, ada)
    assert (shown["bio"], shown["status_text"]) == ("", "away")
    assert shown["bio_audience"] == "PROFILE_AUDIENCE_UNSPECIFIED", "nor that there is something"
    assert bob.do("GET", f"/v1/handles/{ada.handle}")["bio"] == ""
    for own in (ada.do("GET", "/v1/users/me"), seen(ada, ada)):
        assert (own["bio"], own["bio_audience"]) == ("mine", "PROFILE_AUDIENCE_NOBODY")
    edit(ada, update_mask="bio_audience")
    assert seen(bob, ada)["bio"] == "mine"


def test_an_audience_is_one_there_is(live: Live) -> None:
    ada = live.sign_up("ada")
    reply = ada.ask("PATCH", "/v1/users/me", json={"bio_audience": 7})
    assert refusal(reply) == (400, "INVALID_FIELD")


async def test_everything_of_a_profile_is_kept(database: Database) -> None:
    made = domain.new_profile(uuid4(), "ada", "Ada", NOW)
    changed = replace(
        made,
        display_name="Ada L.",
        bio="words",
        status_text="here",
        avatar_id=PICTURE,
        bio_audience=Audience.NOBODY,
        status_audience=Audience.NOBODY,
    )
    async with database.transaction() as tx:
        await store.add(tx, made)
        await store.save(tx, changed)
        assert await store.profile_of(tx, made.id) == changed


@pytest.mark.parametrize("blocked", [False, True])
def test_others_see_of_a_profile_what_they_may(blocked: bool) -> None:
    everything = Profile(uuid4(), "ada", "Ada", "bio", NOW, "status", avatar_id=PICTURE)
    bare = replace(everything, bio="", status_text="", avatar_id="")
    shown = domain.seen_by_others(everything, blocked=blocked, fellow=False)
    assert shown == (bare if blocked else everything)
    hidden = replace(everything, bio_audience=Audience.NOBODY, status_audience=Audience.NOBODY)
    nothing = domain.seen_by_others(hidden, blocked=blocked, fellow=True)
    assert (nothing.bio, nothing.status_text) == ("", "")
