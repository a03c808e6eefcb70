"""Every contract keeps every rule in `rules`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from chassis import catalog as catalogs
from chassis import contract as contracts
from tests.contract import rules
from tools import proto, reader
from tools.model import Message, Model, Rpc

_MODEL = reader.load((proto.ROOT / proto.DESCRIPTORS).read_bytes())
_RPCS = pytest.mark.parametrize("rpc", rules.rpcs(_MODEL), ids=lambda rpc: rpc.path)
_EVENTS = pytest.mark.parametrize("event", _MODEL.events, ids=lambda event: event.name)

NOT_EVENTS = {
    # Said over NATS and kept nowhere; read by services that watch for gaps.
    "creavio.auth.v1.SessionsHeartbeat",
    "creavio.auth.v1.TokenUsed",
    "creavio.rbac.v1.Heartbeat",
}


@_RPCS
@pytest.mark.parametrize(
    "rule",
    [
        rules.states_every_option,
        rules.bounds_its_time,
        rules.is_reached_one_way,
        rules.reads_only_over_get,
        rules.keeps_credentials_to_people,
        rules.opens_what_would_be_closed,
    ],
)
def test_an_rpc_keeps_its_rules(rule: Callable[[Rpc], Iterator[str]], rpc: Rpc) -> None:
    assert list(rule(rpc)) == []


@_RPCS
@pytest.mark.parametrize(
    "rule",
    [
        rules.names_its_permission,
        rules.names_its_key,
        rules.promises_known_failures,
        rules.limits_its_texts,
    ],
)
def test_an_rpc_fits_its_request(
    rule: Callable[[Model, Rpc], Iterator[str]], model: Model, rpc: Rpc
) -> None:
    assert list(rule(model, rpc)) == []


@_EVENTS
def test_an_event_is_told_to_somebody(event: Message) -> None:
    assert list(rules.is_told_to_somebody(event)) == []


@_EVENTS
@pytest.mark.parametrize("rule", [rules.names_who_sees_it, rules.names_its_subject])
def test_an_event_carries_what_its_policy_names(
    rule: Callable[[Model, Message], Iterator[str]], model: Model, event: Message
) -> None:
    assert list(rule(model, event)) == []


def test_what_people_may_see_has_a_place_in_the_stream(model: Model) -> None:
    assert list(rules.reaches_the_stream(model)) == []


def test_every_contract_explains_itself(model: Model) -> None:
    assert list(rules.is_explained(model)) == []


def test_what_stands_among_the_events_is_one() -> None:
    found = {
        message.full_name
        for file in contracts.load(catalogs.load()).files
        if file.name.endswith("_events.proto")
        for message in file.message_types_by_name.values()
    }
    assert found - {event.name for event in _MODEL.events} == NOT_EVENTS


def test_a_http_rule_belongs_to_one_rpc(model: Model) -> None:
    taken: dict[tuple[str, str], str] = {}
    for rpc in model.public_rpcs:
        for binding in rpc.http:
            assert taken.setdefault((binding.verb, binding.path), rpc.path) == rpc.path


def test_what_is_published_is_what_services_enforce(model: Model) -> None:
    served = contracts.load(catalogs.load())
    assert {rpc.path for rpc in rules.rpcs(model)} == set(served.rpcs)
    assert {event.name for event in model.events} == set(served.events)
    for rpc in rules.rpcs(model):
        assert rpc.public == served.rpcs[rpc.path].public
        assert rpc.policy.deadline == served.rpcs[rpc.path].deadline
