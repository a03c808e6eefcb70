"""Profiles, as people and services meet them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
import uuid

import pytest

from chassis import ids
from chassis.errors import AlreadyExists, Denied, Invalid, NotFound
from chassis.testing import Caller
from creavio.user.v1 import user_pb2
from creavio.user.v1.user_service_pb2 import CreateUserRequest, GetUserRequest
from creavio.user.v1.user_service_pb2_grpc import UserServiceStub
from tests.live import Live


@pytest.fixture
async def auth(live: Live) -> AsyncIterator[Caller]:
    async with live.as_service("auth") as caller:
        yield caller


def asked(handle: str = "", **fields: Any) -> CreateUserRequest:
    handle = handle or f"ada-{uuid.uuid4().hex[:12]}"
    user_id = ids.text(ids.Kind.USER, ids.new())
    return CreateUserRequest(
        **{"user_id": user_id, "handle": handle, "display_name": "Ada", **fields}
    )


async def create(auth: Caller, request: CreateUserRequest) -> user_pb2.User:
    return await auth.call(UserServiceStub(auth.channel).CreateUser, request)


async def test_creating_twice_is_creating_once(auth: Caller) -> None:
    request = asked()
    first = await create(auth, request)
    request.display_name = "Somebody else"
    assert await create(auth, request) == first
    get = UserServiceStub(auth.channel).GetUser
    assert await auth.call(get, GetUserRequest(user_id=request.user_id)) == first


async def test_a_handle_is_taken_whatever_its_case(auth: Caller) -> None:
    first = await create(auth, asked())
    with pytest.raises(AlreadyExists) as refused:
        await create(auth, asked(first.handle.upper()))
    assert refused.value.reason == "HANDLE_TAKEN"


async def test_who_does_not_exist_is_not_found(auth: Caller) -> None:
    get = UserServiceStub(auth.channel).GetUser
    with pytest.raises(NotFound):
        await auth.call(get, GetUserRequest(user_id=ids.text(ids.Kind.USER, ids.new())))
    with pytest.raises(Invalid):
        await auth.call(get, GetUserRequest(user_id="usr_nobody"))


async def test_only_auth_makes_profiles(live: Live) -> None:
    async with live.as_service("rbac") as rbac:
        with pytest.raises(Denied) as refused:
            await create(rbac, asked())
    assert refused.value.reason == "CALLER_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"display_name": ""}, "display_name"),
        ({"display_name": "  "}, "display_name"),
        ({"display_name": "x" * 65}, "display_name"),
        ({"display_name": "a\x07b"}, "display_name"),
        ({"bio": "x" * 501}, "bio"),
        ({"bio": "a\x00b"}, "bio"),
        ({"update_mask": "display_name"}, "display_name"),
        ({"bio": "x", "update_mask": "handle"}, "update_mask"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_name(
    live: Live, body: dict[str, Any], field: str
) -> None:
    ada = live.sign_up("ada")
    refused = ada.ask("PATCH", "/v1/users/me", json=body)
    assert refused.status_code == 400, refused.text
    assert refused.json()["details"][0]["reason"] == "INVALID_FIELD"
    assert refused.json()["details"][1]["field_violations"][0]["field"] == field
    assert ada.do("GET", "/v1/users/me") == ada.session["user"]


def test_a_change_that_changes_nothing_is_told_nobody(live: Live) -> None:
    ada = live.sign_up("ada")
    with ada.listening() as heard:
        ada.do("PATCH", "/v1/users/me", json={"display_name": "Ada"})
        ada.do("PATCH", "/v1/users/me", json={})
        ada.do("PATCH", "/v1/users/me", json={"bio": "told"})
        assert heard.until("user_updated")["user"]["bio"] == "told"
        assert sum("user_updated" in event for event in heard.seen) == 1


def test_a_profile_is_changed_in_any_language(live: Live) -> None:
    ada = live.sign_up("ada")
    name = "Ада 👩‍💻 " + "語" * 50
    assert ada.do("PATCH", "/v1/users/me", json={"display_name": name})["display_name"] == name
