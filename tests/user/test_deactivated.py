"""Of who deactivated their account nothing but the name is shown, until they are back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
from hypothesis import given
from hypothesis import strategies as st

from chassis.database import Database
from services.user import convert, domain, store
from services.user.domain import Audience, Profile
from tests.live import PASSWORD, Live, Person, refusal, signed_out

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WITHIN = 15.0
SHOWN = {"id", "handle", "display_name", "deactivated"}


@given(st.text(max_size=20), st.text(max_size=20), st.sampled_from(Audience))
def test_nothing_else_of_them_leaves(bio: str, status: str, audience: Audience) -> None:
    away = Profile(
        uuid4(), "ada", "Ada", bio, NOW, status, False, "file_x", audience, audience, True
    )
    assert {field.name for field, _ in convert.user(away).ListFields()} == SHOWN


async def test_news_that_were_overtaken_change_nothing(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> None:
    async with scratch("user") as database:
        ada = domain.new_profile(uuid4(), "ada", "Ada", NOW)
        async with database.transaction() as tx:
            await store.add(tx, ada)
            assert await store.set_deactivated(tx, ada.id, 2, deactivated=False)
            for late in (1, 2):
                assert not await store.set_deactivated(tx, ada.id, late, deactivated=True)
            assert not (await store.profile_of(tx, ada.id)).deactivated
            assert await store.set_deactivated(tx, ada.id, 3, deactivated=True)
            assert (await store.profile_of(tx, ada.id)).deactivated


def deactivate(person: Person, password: str = PASSWORD) -> Any:
    body = {"proof": {"password": password}}
    return person.ask("POST", "/v1/account:deactivate", json=body)


def seen(by: Person, person: Person) -> list[dict[str, Any]]:
    (listed,) = by.do("GET", "/v1/users:batchGet", params={"user_ids": person.id})["users"]
    return [listed, by.do("GET", f"/v1/handles/{person.handle}")]


def test_who_deactivates_is_gone_from_sight_and_back_when_they_sign_in(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    ada.do("PATCH", "/v1/users/me", json={"bio": "gone fishing", "status_text": "soon"})
    other = live.sign_in(ada.handle)
    assert refusal(deactivate(ada, "a guess at it")) == (401, "WRONG_CREDENTIALS")
    before = seen(bob, ada)
    assert not before[0]["deactivated"]
    with ada.listening(read_timeout=WITHIN) as stream:
        assert deactivate(ada).is_success
        with suppress(StopIteration, httpx.RemoteProtocolError):
            while True:  # until the stream ends, or the test by its timeout
                stream.next()
    for person in (ada, other):
        assert signed_out(person)
    for shown in seen(bob, ada):
        assert shown["deactivated"]
        assert (shown["handle"], shown["display_name"]) == (ada.handle, "Ada")
        assert (shown["bio"], shown["status_text"]) == ("", "")
        assert not shown.get("create_time")
    back = live.sign_in(ada.handle)
    assert not back.session["user"]["deactivated"]
    assert seen(bob, back) == before
    kept = back.do("GET", "/v1/users/me/records", params={"page_size": 100})["records"]
    (account,) = [one["content"] for one in kept if one["kind"] == "account"]
    assert "deactivate_time" in account
