"""The OpenAPI document tells what the platform does."""

from __future__ import annotations

import re
from typing import Any

from google.protobuf import message_factory
from google.protobuf.message import Message
from openapi_spec_validator import validate
import pytest
import yaml

from chassis import catalog as catalogs
from chassis import contract as contracts
from tests.tools.enforced import refused_fields
from tools import openapi, paths, proto
from tools.model import Model

VERBS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    text = (proto.ROOT / proto.OPENAPI).read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


@pytest.fixture(scope="session")
def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By the gRPC name of what they call, the first way to each."""
    found: dict[str, dict[str, Any]] = {}
    for item in document["paths"].values():
        for operation in item.values():
            found.setdefault(operation["x-creavio-grpc"], operation)
    return found


@pytest.fixture(scope="session")
def contract() -> contracts.Contract:
    return contracts.load(catalogs.load())


def test_it_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    validate(document)


def test_the_same_contracts_give_the_same_bytes(model: Model) -> None:
    assert openapi.render(model) == openapi.render(model)
    assert openapi.render(model) == (proto.ROOT / proto.OPENAPI).read_text(encoding="utf-8")


def test_every_public_rpc_is_there_in_every_way_and_no_other(
    document: dict[str, Any], contract: contracts.Contract
) -> None:
    promised = {
        (verb, path, operation["x-creavio-grpc"])
        for path, item in document["paths"].items()
        for verb, operation in item.items()
    }
    served = {
        (kind, paths.parse(getattr(rule, kind)).openapi, rpc.path.removeprefix("/"))
        for rpc in contract.rpcs.values()
        if rpc.public
        for rule in rpc.http
        if (kind := rule.WhichOneof("pattern"))
    }
    assert promised == served
    assert {verb for verb, _, _ in promised} <= VERBS


def test_nothing_internal_is_named(contract: contracts.Contract) -> None:
    text = (proto.ROOT / proto.OPENAPI).read_text(encoding="utf-8")
    internal = [rpc for rpc in contract.rpcs.values() if not rpc.public]
    assert internal
    for rpc in internal:
        assert not re.search(re.escape(rpc.path.removeprefix("/")) + r"\b", text)
        assert rpc.descriptor.input_type.full_name.removeprefix("creavio.") not in text


def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    ids = [op["operationId"] for item in document["paths"].values() for op in item.values()]
    assert len(ids) == len(set(ids))


def test_a_token_is_asked_for_exactly_where_it_is_needed(
    operations: dict[str, Any], contract: contracts.Contract
) -> None:
    for name, operation in operations.items():
        open_to_all = operation["x-creavio-access"] == "ANONYMOUS"
        assert operation["security"] == ([] if open_to_all else [{"bearer": []}])
        assert ("401" in operation["responses"]) or open_to_all
        assert f"/{name}" in contract.rpcs


def test_required_is_what_the_platform_refuses_to_miss(
    document: dict[str, Any], operations: dict[str, Any], contract: contracts.Contract
) -> None:
    """An empty request is validated as services validate it; what it lacks is what is required."""
    for name, operation in operations.items():
        descriptor = contract.rpcs[f"/{name}"].descriptor.input_type
        empty: Message = message_factory.GetMessageClass(descriptor)()
        refused = refused_fields(empty)
        parameters = operation.get("parameters", [])
        required = {one["name"] for one in parameters if one["required"]}
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            required |= set(resolve(document, schema).get("required", ()))
        assert required == refused, name


def resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    target: dict[str, Any] = schema
    if "$ref" in schema:
        target = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return target


def test_limits_are_those_of_the_contract(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    message = schemas["chat.v1.CreateMessageRequest"]
    assert message["required"] == ["content"]
    assert "channel_id" not in message["properties"]
    content = message["properties"]["content"]
    assert (content["minLength"], content["maxLength"]) == (1, 4000)
    account = schemas["auth.v1.CreateAccountRequest"]["properties"]
    assert account["email"]["format"] == "email"
    assert account["handle"]["pattern"].startswith("^[A-Za-z0-9]")
    listing = document["paths"]["/v1/communities"]["get"]["parameters"]
    size = next(one for one in listing if one["name"] == "page_size")
    assert (size["schema"]["minimum"], size["schema"]["maximum"]) == (0, 100)


def test_answers_are_the_resource_with_every_field_that_is_always_there(
    document: dict[str, Any], operations: dict[str, Any]
) -> None:
    answer = operations["creavio.chat.v1.MessageService/CreateMessage"]["responses"]["200"]
    schema = answer["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/chat.v1.Message"}
    message = document["components"]["schemas"]["chat.v1.Message"]
    assert {"id", "content", "sequence", "nonce"} <= set(message["required"])
    assert "edit_time" not in message["required"]
    assert message["properties"]["sequence"]["type"] == "string"
    assert message["properties"]["create_time"]["format"] == "date-time"


def test_an_empty_answer_is_an_empty_object(operations: dict[str, Any]) -> None:
    answer = operations["creavio.chat.v1.MessageService/DeleteMessage"]["responses"]["200"]
    assert answer["content"]["application/json"]["schema"] == {"type": "object", "maxProperties": 0}


def test_the_event_stream_comes_in_both_forms(operations: dict[str, Any]) -> None:
    subscribe = operations["creavio.gateway.v1.GatewayService/Subscribe"]
    content = subscribe["responses"]["200"]["content"]
    assert set(content) == {"text/event-stream", "application/x-ndjson"}
    for form in content.values():
        one = form["schema"]["contentSchema"]
        assert one == {"$ref": "#/components/schemas/gateway.v1.SubscribeResponse"}


def test_a_keyed_call_takes_the_key_as_a_header(
    operations: dict[str, Any], contract: contracts.Contract
) -> None:
    for name, operation in operations.items():
        headers = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "header"}
        keyed = bool(contract.rpcs[f"/{name}"].policy.idempotency_field)
        assert headers == ({"Idempotency-Key"} if keyed else set()), name
        assert ("409" in operation["responses"]) or not keyed


def test_who_may_call_is_said(operations: dict[str, Any]) -> None:
    operation = operations["creavio.community.v1.InviteService/CreateInvite"]
    assert operation["x-creavio-permission"] == {
        "require": "CREATE_INVITES",
        "scope": "COMMUNITY",
        "field": "community_id",
    }
    assert {"403", "404"} <= operation["responses"].keys()


def test_documented_reasons_stand_at_their_status(operations: dict[str, Any]) -> None:
    for name, status, reason in (
        ("creavio.auth.v1.AccountService/CreateAccount", "409", "HANDLE_TAKEN"),
        ("creavio.auth.v1.SessionService/CreateSession", "401", "WRONG_CREDENTIALS"),
        ("creavio.community.v1.InviteService/AcceptInvite", "404", "INVITE_NOT_FOUND"),
        ("creavio.gateway.v1.GatewayService/Subscribe", "400", "INVALID_RESUME_TOKEN"),
    ):
        assert f"`{reason}`" in operations[name]["responses"][status]["description"]
