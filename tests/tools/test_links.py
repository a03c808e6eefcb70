"""A link of the OpenAPI document leads somewhere: to an operation, with what was answered."""

from __future__ import annotations

from collections.abc import Iterator
import re
from typing import Any

import pytest
import yaml

from tools import proto

Json = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Json:
    loaded: Json = yaml.safe_load((proto.ROOT / proto.OPENAPI).read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def operations(document: Json) -> dict[str, tuple[str, Json]]:
    """Each operation and its path, by its id."""
    return {
        operation["operationId"]: (path, operation)
        for path, item in document["paths"].items()
        for operation in item.values()
    }


def links(operations: dict[str, tuple[str, Json]]) -> Iterator[tuple[str, Json]]:
    """Every link, with the id of the operation whose answer has it."""
    for source, (_, operation) in operations.items():
        for link in operation["responses"]["200"].get("links", {}).values():
            yield source, link


def of_path(path: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", path))


def test_every_link_fills_the_whole_path_of_an_operation(
    operations: dict[str, tuple[str, Json]],
) -> None:
    for source, link in links(operations):
        path, operation = operations[link["operationId"]]
        assert set(link["parameters"]) == of_path(path), (source, link)
        declared = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
        assert set(link["parameters"]) == declared, (source, link)


def test_what_a_link_takes_is_in_the_request_or_the_answer(
    document: Json, operations: dict[str, tuple[str, Json]]
) -> None:
    for source, link in links(operations):
        path, operation = operations[source]
        taken = [expression.partition("#") for expression in link["parameters"].values()]
        assert any(where == "$response.body" for where, _, _ in taken), (source, link)
        for where, _, pointer in taken:
            if where != "$response.body":
                assert where.removeprefix("$request.path.") in of_path(path), (source, link)
                continue
            answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
            assert pointed_at(document, answer, pointer)["type"] == "string", (source, link)


def pointed_at(document: Json, schema: Json, pointer: str) -> Json:
    """The schema of what a JSON pointer leads to in what a schema describes."""
    for step in pointer.split("/")[1:]:
        schema = resolved(document, schema)
        schema = schema["items"] if step.isdigit() else schema["properties"][step]
    return resolved(document, schema)


def resolved(document: Json, schema: Json) -> Json:
    while True:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif "allOf" in schema:
            schema = schema["allOf"][0]
        else:
            return schema


@pytest.mark.parametrize(
    ("source", "target", "parameters"),
    [
        (
            "CommunityService_CreateCommunity",
            "CommunityService_GetCommunity",
            {"community_id": "$response.body#/id"},
        ),
        (
            "MessageService_CreateMessage",
            "MessageService_GetMessage",
            {"channel_id": "$request.path.channel_id", "message_id": "$response.body#/id"},
        ),
        (
            "InviteService_CreateInvite",
            "InviteService_AcceptInvite",
            {"code": "$response.body#/code"},
        ),
        (
            "MemberService_ListMembers",
            "MemberService_RemoveMember",
            {
                "community_id": "$request.path.community_id",
                "user_id": "$response.body#/members/0/user_id",
            },
        ),
        (
            "TokenService_CreateToken",
            "TokenService_RevokeToken",
            {"token_id": "$response.body#/token/id"},
        ),
        (
            "SessionService_ListSessions",
            "SessionService_RevokeSession",
            {"session_id": "$response.body#/sessions/0/id"},
        ),
    ],
)
def test_what_was_made_or_listed_can_be_asked_for(
    operations: dict[str, tuple[str, Json]], source: str, target: str, parameters: Json
) -> None:
    there = operations[source][1]["responses"]["200"]["links"]
    assert there[target] == {"operationId": target, "parameters": parameters}


def test_the_id_of_one_thing_is_not_taken_for_that_of_another(
    operations: dict[str, tuple[str, Json]],
) -> None:
    leads = {(source, link["operationId"]) for source, link in links(operations)}
    assert ("TemplateService_CreateTemplate", "InviteService_AcceptInvite") not in leads
    assert ("SessionService_CreateSession", "SessionService_RevokeSession") not in leads
    assert ("UserService_GetMe", "BlockService_UnblockUser") not in leads


def test_most_operations_on_a_thing_are_linked_to(
    operations: dict[str, tuple[str, Json]],
) -> None:
    needing = {name for name, (path, _) in operations.items() if of_path(path)}
    linked = {link["operationId"] for _, link in links(operations)}
    assert linked <= needing
    # A bot is named by its user's id, and what is left is named by no answer alone.
    assert len(needing - linked) < 10, needing - linked
