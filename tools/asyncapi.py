"""Writes what the event stream tells as AsyncAPI 3."""

from __future__ import annotations

from typing import Final

from tools import openapi, schema
from tools.model import Field, Json, Model
from tools.prose import paragraphs, summary
from tools.schema import Schema

EVENT: Final = "creavio.gateway.v1.Event"
_PAYLOAD: Final = "payload"
_INTRODUCTION: Final = """\
What a person is told as it happens: one stream for everything they may see, opened by \
`GET /v1/events` as server-sent events or newline-delimited JSON, or by \
`creavio.gateway.v1.GatewayService/Subscribe` over gRPC and gRPC-Web.

What arrives is an object with `events`, each of them one of the messages below, and a \
`resume_token` that stands behind them: keep the latest and come back with it. An event may \
arrive twice; its `id` is the same. When `refetch` is told, fetch what you show."""


def render(model: Model) -> str:
    """The document in YAML: the same bytes for the same contracts."""
    return openapi.dump(document(model))


def document(model: Model) -> Schema:
    """The document."""
    event = model.messages[EVENT]
    told = [field for field in event.fields if field.oneof == _PAYLOAD]
    always = {f.name: schema.of_field(model, f) for f in event.fields if f.oneof != _PAYLOAD}
    named: dict[str, Json] = {
        field.name: {"$ref": f"#/components/messages/{field.name}"} for field in told
    }
    published: list[Json] = [{"$ref": f"#/channels/events/messages/{field.name}"} for field in told]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Creavio's events",
            "version": "v1",
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "platform": {
                "host": "{host}",
                "protocol": "http",
                "description": "A platform; by default the one that `make up` starts.",
                "variables": {"host": {"default": "127.0.0.1:8080"}},
                "security": [{"$ref": "#/components/securitySchemes/bearer"}],
            }
        },
        "channels": {
            "events": {
                "address": "/v1/events",
                "title": "The event stream",
                "description": paragraphs(event.comment),
                "messages": named,
            }
        },
        "operations": {
            "tell": {
                "action": "send",
                "channel": {"$ref": "#/channels/events"},
                "summary": "Tells a signed-in person what happens",
                "messages": published,
            }
        },
        "components": {
            "securitySchemes": {"bearer": openapi.BEARER},
            "messages": {field.name: _message(model, field, always) for field in told},
            "schemas": _schemas(model, [field.type for field in told]),
        },
    }


def _message(model: Model, field: Field, always: dict[str, Schema]) -> Schema:
    payload: dict[str, Json] = {**always, field.name: schema.reference(field.type)}
    said: dict[str, Json] = {
        "name": field.name,
        "title": schema.component(field.type),
        "summary": summary(field.comment),
        "description": paragraphs(field.comment),
        "contentType": "application/json",
        "payload": {"type": "object", "required": [field.name], "properties": payload},
    }
    event = model.messages[field.type].event
    if event is not None:
        said["x-creavio-visible-to"] = [
            {
                name: value
                for name, value in (
                    ("scope", seen.scope),
                    ("field", seen.field),
                    ("require", seen.require),
                    ("within", seen.within),
                )
                if value
            }
            for seen in event.visible_to
        ]
    return said


def _schemas(model: Model, names: list[str]) -> dict[str, Schema]:
    return {
        schema.component(name): schema.of_enum(model.enums[name])
        if name in model.enums
        else schema.of_message(model, model.messages[name], sent=False)
        for name in sorted(openapi.reached(model, names))
    }
