"""The one shape of every failure over REST (AIP-193), as JSON Schema."""

from __future__ import annotations

from tools import failures
from tools.model import Json, Model
from tools.schema import Schema

_TYPE = "type.googleapis.com/google.rpc."


def schemas(model: Model) -> dict[str, Schema]:
    """`Error` and what it is made of, by the names they are published under."""
    details = {
        "ErrorInfo": _error_info(model),
        "BadRequest": _BAD_REQUEST,
        "RetryInfo": _RETRY_INFO,
    }
    references: list[Json] = [{"$ref": f"#/components/schemas/{name}"} for name in details]
    mapping: Schema = {f"{_TYPE}{name}": f"#/components/schemas/{name}" for name in details}
    error: Schema = {
        "type": "object",
        "description": (
            "Why a call failed: `google.rpc.Status`. `details` always hold one `ErrorInfo`, whose "
            "`reason` is what programs should look at; `BadRequest` and `RetryInfo` come with it "
            "where they help."
        ),
        "required": ["code", "message", "details"],
        "properties": {
            "code": {
                "type": "integer",
                "format": "int32",
                "description": "What kind of failure: the number of a `google.rpc.Code`.",
            },
            "message": {
                "type": "string",
                "description": "One sentence for a person. Its words may change.",
            },
            "details": {
                "type": "array",
                "items": {
                    "oneOf": references,
                    "discriminator": {"propertyName": "@type", "mapping": mapping},
                },
            },
        },
    }
    return {"Error": error, **details}


def _detail(name: str, description: str, **properties: Json) -> Schema:
    return {
        "type": "object",
        "description": description,
        "required": ["@type", *properties],
        "properties": {"@type": {"type": "string", "const": f"{_TYPE}{name}"}, **properties},
    }


def _error_info(model: Model) -> Schema:
    meanings = [f"- `{name}`: {meaning}" for name, meaning in failures.reasons(model).items()]
    return _detail(
        "ErrorInfo",
        "What happened, for programs.",
        reason={
            "type": "string",
            "pattern": "^[A-Z][A-Z0-9_]+$",
            "description": "Never renamed; more may come.\n\n" + "\n".join(meanings),
        },
        domain={"type": "string", "const": "creavio"},
    )


_BAD_REQUEST = _detail(
    "BadRequest",
    "Which fields break which rules.",
    field_violations={
        "type": "array",
        "items": {
            "type": "object",
            "required": ["field", "description"],
            "properties": {
                "field": {
                    "type": "string",
                    "description": "The field; dots lead into objects.",
                },
                "description": {"type": "string", "description": "The rule it breaks."},
            },
        },
    },
)
_RETRY_INFO = _detail(
    "RetryInfo",
    "When to try again.",
    retry_delay={
        "type": "string",
        "pattern": r"^[0-9]+(\.[0-9]{1,9})?s$",
        "description": "How long to wait.",
        "examples": ["1s"],
    },
)
