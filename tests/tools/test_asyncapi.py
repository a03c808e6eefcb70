"""The AsyncAPI document tells what the stream tells."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft7Validator
import pytest
import yaml

from tools import asyncapi, packages, proto
from tools.model import Model

SCHEMA = proto.ROOT / packages.INSTALLED / "@asyncapi/specs/schemas/3.0.0-without-$id.json"


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    text = (proto.ROOT / proto.ASYNCAPI).read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def test_it_is_valid(document: dict[str, Any], fetched: None) -> None:
    validator = Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [error.message for error in validator.iter_errors(document)] == []
    assert list(validator.iter_errors({**document, "asyncapi": "1.0.0"})), "it can say no"


def test_every_event_that_people_see_is_in_it_and_no_other(
    document: dict[str, Any], model: Model
) -> None:
    told = {f.name: f for f in model.messages[asyncapi.EVENT].fields if f.oneof}
    assert set(document["components"]["messages"]) == set(told)
    for name, message in document["components"]["messages"].items():
        event = model.messages[told[name].type].event
        assert bool(message.get("x-creavio-visible-to")) == bool(event), name
        assert message["payload"]["required"] == [name]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def look(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(reference := value.get("$ref"), str):
                found: Any = document
                for part in reference.removeprefix("#/").split("/"):
                    assert part in found, reference
                    found = found[part]
            value = list(value.values())
        if isinstance(value, list):
            for one in value:
                look(one)

    look(document)
