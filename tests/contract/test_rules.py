"""Each rule sees a contract that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.contract import rules
from tools.model import EventPolicy, Message, Model, Rpc, Visibility

SEND = "/creavio.chat.v1.MessageService/CreateMessage"
SESSIONS = "/creavio.auth.v1.SessionService/ListSessions"
KEYS = "/creavio.auth.v1.KeyService/GetKeySet"
CHECK = "/creavio.rbac.v1.AccessService/Check"
SUBSCRIBE = "/creavio.gateway.v1.GatewayService/Subscribe"
SENT = "creavio.chat.v1.MessageCreated"


def rpc_of(model: Model, path: str, **policy: Any) -> Rpc:
    rpc = next(rpc for rpc in rules.rpcs(model) if rpc.path == path)
    return replace(rpc, policy=replace(rpc.policy, **policy))


def with_rules(model: Model, message: str, field: str, found: dict[str, Any]) -> Model:
    changed = model.messages[message]
    fields = tuple(
        replace(one, rules=found) if one.name == field else one for one in changed.fields
    )
    messages = {**model.messages, message: replace(changed, fields=fields)}
    return Model(model.services, messages, model.enums)


def with_policy(event: Message, **policy: Any) -> Message:
    assert event.event is not None
    return replace(event, event=replace(event.event, **policy))


@pytest.mark.parametrize(
    ("rule", "path", "policy"),
    [
        (rules.states_every_option, SEND, {"audit": ""}),
        (rules.states_every_option, SEND, {"rate_limit": "UNSPECIFIED"}),
        (rules.states_every_option, SEND, {"max_request_bytes": 0}),
        (rules.bounds_its_time, SEND, {"deadline": 0.0}),
        (rules.bounds_its_time, SUBSCRIBE, {"deadline": 5.0}),
        (rules.bounds_its_time, SUBSCRIBE, {"stream": "UNARY"}),
        (rules.is_reached_one_way, SEND, {"audience": "INTERNAL"}),
        (rules.is_reached_one_way, CHECK, {"audience": "PUBLIC"}),
        (rules.is_reached_one_way, SEND, {"access": "SERVICE"}),
        (rules.is_reached_one_way, SEND, {"rate_limit": "NONE"}),
        (rules.reads_only_over_get, KEYS, {"idempotency": "NATURAL"}),
        (rules.reads_only_over_get, SEND, {"idempotency": "READ"}),
        (rules.keeps_credentials_to_people, SESSIONS, {"in_person": False}),
        (rules.keeps_credentials_to_people, KEYS, {"in_person": True}),
        (rules.keeps_credentials_to_people, SEND, {"scope": "INSTANCE"}),
        (rules.opens_what_would_be_closed, KEYS, {"open_to_unverified": True}),
        (
            rules.opens_what_would_be_closed,
            SEND,
            {"open_to_unverified": True, "idempotency": "READ"},
        ),
    ],
)
def test_a_careless_policy_is_seen(
    model: Model, rule: Callable[[Rpc], Iterator[str]], path: str, policy: dict[str, Any]
) -> None:
    assert list(rule(rpc_of(model, path)) or ()) == []
    assert list(rule(rpc_of(model, path, **policy)))


@pytest.mark.parametrize(
    ("rule", "path", "policy"),
    [
        (rules.names_its_permission, SEND, {"permission": ""}),
        (rules.names_its_permission, KEYS, {"permission": "VIEW_CHANNEL"}),
        (rules.names_its_permission, SEND, {"scope_field": "content.id"}),
        (rules.names_its_permission, SEND, {"scope": "COMMUNITY"}),
        (rules.names_its_permission, SEND, {"scope": ""}),
        (rules.names_its_permission, SEND, {"scope": "ACQUAINTANCES"}),
        (rules.names_its_key, SEND, {"idempotency_field": ""}),
        (rules.names_its_key, SEND, {"idempotency_field": "key"}),
        (rules.names_its_key, KEYS, {"idempotency_field": "nonce"}),
    ],
)
def test_a_policy_that_names_what_is_not_there_is_seen(
    model: Model, rule: Callable[[Model, Rpc], Iterator[str]], path: str, policy: dict[str, Any]
) -> None:
    assert list(rule(model, rpc_of(model, path))) == []
    assert list(rule(model, rpc_of(model, path, **policy)))


def test_a_promise_of_an_unknown_failure_is_seen(model: Model) -> None:
    rpc = replace(rpc_of(model, SEND), comment="Sends.\n\nFails with OUT_OF_PAPER.")
    assert list(rules.promises_known_failures(model, rpc))


@pytest.mark.parametrize(
    "found", [{}, {"string": {"min_len": 1}}, {"string": {"pattern": "^[a-z]+$"}}]
)
def test_a_text_of_any_length_is_seen(model: Model, found: dict[str, Any]) -> None:
    loose = with_rules(model, "creavio.chat.v1.CreateMessageRequest", "content", found)
    assert list(rules.limits_its_texts(loose, rpc_of(model, SEND)))


def test_a_list_of_any_length_is_seen(model: Model) -> None:
    request = model.messages["creavio.chat.v1.CreateMessageRequest"]
    fields = tuple(replace(field, repeated=True) for field in request.fields)
    messages = {**model.messages, request.name: replace(request, fields=fields)}
    loose = Model(model.services, messages, model.enums)
    assert list(rules.limits_its_texts(loose, rpc_of(model, SEND)))


@pytest.mark.parametrize(
    ("rule", "policy"),
    [
        *(
            (rules.names_who_sees_it, {"visible_to": (seen_by,)})
            for seen_by in (
                Visibility("CHANNEL", "channel", "VIEW", "community_id"),
                Visibility("COMMUNITY", "message.id", "VIEW", ""),
                Visibility("CHANNEL", "message.channel_id", "", "community_id"),
                Visibility("CHANNEL", "message.channel_id", "VIEW", ""),
                Visibility("CHANNEL", "message.channel_id", "VIEW", "message.id"),
                Visibility("CHANNEL", "message.channel_id", "VIEW", "community_id", "message.id"),
                Visibility("COMMUNITY", "community_id", "VIEW", "", "message.channel_id"),
                Visibility("COMMUNITY", "community_id", "VIEW", "community_id"),
                Visibility("COMMUNITY", "message.channel_id", "VIEW", ""),
                Visibility("CONVERSATION", "message.channel_id", "", ""),
                Visibility("ACQUAINTANCES", "message.author_id", "VIEW", ""),
                Visibility("ACQUAINTANCES", "message.channel_id", "", ""),
            )
        ),
        (rules.names_its_subject, {"subject_fields": ()}),
        (rules.names_its_subject, {"subject_fields": ("message.place_id",)}),
        (rules.names_its_subject, {"subject_fields": ("message",)}),
    ],
)
def test_an_event_that_names_what_it_does_not_carry_is_seen(
    model: Model, rule: Callable[[Model, Message], Iterator[str]], policy: dict[str, Any]
) -> None:
    event = model.messages[SENT]
    assert list(rule(model, event)) == []
    assert list(rule(model, with_policy(event, **policy)))


@pytest.mark.parametrize(
    "policy",
    [{"audience": ""}, {"audience": "INTERNAL"}, {"visible_to": ()}],
)
def test_an_event_without_an_audience_is_seen(model: Model, policy: dict[str, Any]) -> None:
    assert list(rules.is_told_to_somebody(with_policy(model.messages[SENT], **policy)))


def test_an_event_outside_the_stream_is_seen(model: Model) -> None:
    policy = EventPolicy("STREAM", (Visibility("SELF", "user_id", "", ""),), ("user_id",))
    stray = replace(model.messages[SENT], name="creavio.chat.v1.Stray", event=policy)
    more = Model(model.services, {**model.messages, stray.name: stray}, model.enums)
    assert len(list(rules.reaches_the_stream(more))) == 1


def test_an_internal_event_in_the_stream_is_seen(model: Model) -> None:
    internal = with_policy(model.messages[SENT], audience="INTERNAL", visible_to=())
    leaky = Model(model.services, {**model.messages, SENT: internal}, model.enums)
    assert len(list(rules.reaches_the_stream(leaky))) == 1


def test_silence_is_seen(model: Model) -> None:
    silent = replace(model.messages[SENT], comment="")
    quiet = Model(model.services, {**model.messages, SENT: silent}, model.enums)
    assert list(rules.is_explained(quiet)) == [f"{SENT} says nothing"]
