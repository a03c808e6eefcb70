"""Writes the REST face of the contracts as OpenAPI 3.1.

Only what the edge lets through is in it. A limit or a shape of path this does
not know how to publish is an error, never left out in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import yaml

from tools import error_schema, failures, links, paths, schema
from tools.model import PACKAGE, Field, HttpBinding, Json, Message, Model, Rpc
from tools.prose import paragraphs, summary
from tools.schema import Schema

BEARER: Final[Schema] = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "The `access_token` of a session.",
}
"""How a call or a stream is signed in to."""
_EMPTY: Final = "google.protobuf.Empty"
_INTRODUCTION: Final = """\
Everything a client can do on a Creavio platform, over REST. The same calls exist as gRPC and \
gRPC-Web; `x-creavio-grpc` names them.

Fields are named as here, in snake_case. 64-bit integers travel as strings, times as RFC 3339 in \
UTC. In answers every field is present, also when it is empty; only objects, and times that never \
came, are left out. Lists come in pages: `page_size` asks for how many, `next_page_token` of one \
answer is `page_token` of the next request, and an empty one ends the list.

Every failure, whoever noticed it, is an `Error`. Branch on the `reason` in its `ErrorInfo`: \
reasons are never renamed."""


_OAUTH: Final = "/oauth2/"
_TITLES: Final[dict[int, str]] = {
    400: "The request is wrong.",
    401: "The caller did not prove who they are.",
    403: "The caller may not do this.",
    404: "There is no such thing, as far as the caller may know.",
    409: "It contradicts what is there.",
    413: "The request is too large.",
    429: "Too many calls.",
    500: "Something broke.",
    503: "A part of the platform cannot be reached.",
    504: "It took too long.",
}
_SHARED: Final[dict[str, str]] = {
    "UNAUTHENTICATED": "Unauthenticated",
    "PERMISSION_DENIED": "PermissionDenied",
    "NOT_FOUND": "NotFound",
    "REQUEST_TOO_LARGE": "RequestTooLarge",
    "RATE_LIMITED": "RateLimited",
    "INTERNAL": "Internal",
    "UNAVAILABLE": "Unavailable",
    "DEADLINE_EXCEEDED": "DeadlineExceeded",
}
"""The answers that are the same for every RPC that can give them."""


class _Dumper(yaml.SafeDumper):
    """Long text as blocks, and nothing by reference: made to be read."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def render(model: Model) -> str:
    """The document in YAML: the same bytes for the same contracts."""
    return dump(document(model))


def dump(found: Schema) -> str:
    """A document in YAML, in the order it was made in."""
    return yaml.dump(found, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def document(model: Model) -> Schema:
    """The document."""
    rpcs = tuple(rpc for rpc in model.public_rpcs if rpc.http)
    operations: dict[str, Schema] = {}
    leads = links.links(model, rpcs)
    for rpc in rpcs:
        for index, binding in enumerate(rpc.http):
            template = paths.parse(binding.path)
            operation = _operation(model, rpc, binding, template, index)
            answer = _answer(rpc, leads[links.operation_id(rpc, index)])
            operation["responses"] = {"200": answer, **_failures(model, rpc)}
            operation |= _extensions(rpc)
            operations.setdefault(template.openapi, {})[binding.verb] = operation
    tags = [s for s in model.services.values() if any(rpc.public for rpc in s.rpcs)]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Creavio",
            "version": "v1",
            "summary": "Chat and communities that a group can own",
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {
                "url": "{origin}",
                "description": "A platform; by default the one that `make up` starts.",
                "variables": {"origin": {"default": "http://127.0.0.1:8080"}},
            }
        ],
        "tags": [{"name": tag.short, "description": paragraphs(tag.comment)} for tag in tags],
        "paths": dict(sorted(operations.items())),
        "components": {
            "securitySchemes": {"bearer": BEARER},
            "responses": {
                name: _failure(failures.STATUS[reason], {reason: failures.reasons(model)[reason]})
                for reason, name in _SHARED.items()
            },
            "schemas": dict(sorted(_components(model, rpcs).items())),
        },
    }


def _operation(
    model: Model, rpc: Rpc, binding: HttpBinding, template: paths.Template, index: int
) -> Schema:
    """What it is and takes; what it answers is not in it yet."""
    request = model.messages[rpc.request]
    operation: Schema = {
        "operationId": links.operation_id(rpc, index),
        "tags": [rpc.service.rpartition(".")[2]],
        "summary": summary(rpc.comment),
        **_description(rpc.comment),
        "security": [] if rpc.policy.access == "ANONYMOUS" else [{"bearer": []}],
    }
    parameters = [*_parameters(model, rpc, request, binding, template)]
    if parameters:
        operation["parameters"] = parameters
    if binding.body:
        operation["requestBody"] = _body(model, request, binding, template, named=index == 0)
    return operation


def _description(comment: str) -> Schema:
    text = paragraphs(comment)
    return {} if text == f"{summary(comment)}." else {"description": text}


def _parameters(
    model: Model, rpc: Rpc, request: Message, binding: HttpBinding, template: paths.Template
) -> Iterator[Schema]:
    for variable in template.variables:
        field = _field(model, request, variable.field)
        described = schema.of_field(model, field)
        note = described.pop("description", "")
        if variable.note:
            # The field's own limits are those of the whole value, not of a part of it.
            described = {"type": "string", "minLength": 1}
        yield {
            "name": variable.name,
            "in": "path",
            "required": True,
            "description": f"{note} {variable.note}".strip(),
            "schema": described,
        }
    if not binding.body:
        for name, field in _leaves(model, request, template.fields):
            described = schema.of_field(model, field)
            yield {
                "name": name,
                "in": "query",
                "required": schema.is_required(field),
                "description": described.pop("description", ""),
                "schema": described,
            }
    if rpc.policy.idempotency == "KEYED":
        field = _field(model, request, rpc.policy.idempotency_field)
        described = schema.of_field(model, field)
        described.pop("description", None)
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": (
                f"Fills `{field.name}`. The same request with the same key, sent again within a "
                "day, is done once and answered as the first time; another request with that key "
                "fails with `IDEMPOTENCY_KEY_REUSED`."
            ),
            "schema": described,
        }


def _leaves(
    model: Model, message: Message, bound: frozenset[str], prefix: str = ""
) -> Iterator[tuple[str, Field]]:
    """The fields a query can carry, under the names it carries them by."""
    for field in message.fields:
        name = f"{prefix}{field.name}"
        nested = model.messages.get(field.type)
        if name in bound:
            continue
        if nested is None:
            yield name, field
        elif not field.repeated:
            yield from _leaves(model, nested, bound, f"{name}.")


def _field(model: Model, message: Message, path: str) -> Field:
    field = model.field(message.name, path)
    assert field is not None, f"{message.name} has no {path}"
    return field


def _body(
    model: Model, request: Message, binding: HttpBinding, template: paths.Template, *, named: bool
) -> Schema:
    if binding.body != "*":
        field = _field(model, request, binding.body)
        needed, described = schema.is_required(field), schema.of_field(model, field)
    else:
        described = schema.of_message(model, request, sent=True, without=template.fields)
        needed = "required" in described
        if named:
            described = schema.reference(request.name)
    return {"required": needed, "content": {"application/json": {"schema": described}}}


def _answer(rpc: Rpc, leads: Schema) -> Schema:
    """What it answers, and where that leads."""
    answer = _content(rpc)
    return answer | {"links": leads} if leads else answer


def _content(rpc: Rpc) -> Schema:
    if rpc.response == _EMPTY:
        return {
            "description": "Done. There is nothing to tell: `{}`.",
            "content": {"application/json": {"schema": {"type": "object", "maxProperties": 0}}},
        }
    answer = schema.reference(rpc.response)
    if not rpc.streaming:
        return {"description": "Done.", "content": {"application/json": {"schema": answer}}}
    one: Schema = {"contentMediaType": "application/json", "contentSchema": answer}
    return {
        "description": "The stream, open until the client leaves.",
        "content": {
            "text/event-stream": {
                "schema": {
                    "type": "string",
                    "description": "Server-sent events with `data` alone: one JSON object each.",
                    **one,
                }
            },
            "application/x-ndjson": {
                "schema": {
                    "type": "string",
                    "description": "One JSON object a line.",
                    **one,
                }
            },
        },
    }


def _failures(model: Model, rpc: Rpc) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for status, reasons in failures.of_rpc(model, rpc).items():
        shared = _SHARED.get("".join(reasons)) if len(reasons) == 1 else None
        found[str(status)] = (
            {"$ref": f"#/components/responses/{shared}"} if shared else _failure(status, reasons)
        )
    if any(binding.path.startswith(_OAUTH) for binding in rpc.http):
        found |= {str(status): _oauth_failure(status) for status in (400, 401)}
    return found


def _oauth_failure(status: int) -> Schema:
    """What the protocol prescribes (RFC 6749, 5.2), where the caller got as far as that."""
    said: Schema = {
        "type": "object",
        "description": "An error of OAuth 2.0 (RFC 6749, 5.2).",
        "required": ["error"],
        "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
    }
    either: Schema = {"anyOf": [said, {"$ref": "#/components/schemas/Error"}]}
    return {
        "description": _TITLES[status],
        "content": {"application/json": {"schema": either}},
    }


def _failure(status: int, reasons: dict[str, str]) -> Schema:
    listed = "\n".join(f"- `{name}`: {meaning}" for name, meaning in reasons.items())
    return {
        "description": f"{_TITLES[status]}\n\n{listed}",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }


def _extensions(rpc: Rpc) -> Schema:
    policy = rpc.policy
    extensions: Schema = {
        "x-creavio-grpc": rpc.path.removeprefix("/"),
        "x-creavio-access": policy.access,
    }
    if policy.permission:
        extensions["x-creavio-permission"] = {
            "require": policy.permission,
            "scope": policy.scope,
            "field": policy.scope_field,
        }
    extensions["x-creavio-idempotency"] = policy.idempotency
    extensions["x-creavio-rate-limit"] = policy.rate_limit
    if policy.deadline:
        extensions["x-creavio-deadline"] = f"{policy.deadline:g}s"
    extensions["x-creavio-max-request-bytes"] = policy.max_request_bytes
    return extensions


def _components(model: Model, rpcs: tuple[Rpc, ...]) -> dict[str, Schema]:
    """Every schema the operations point at."""
    answered = reached(model, [rpc.response for rpc in rpcs])
    sent = reached(
        model,
        [
            field.type
            for rpc in rpcs
            if any(binding.body for binding in rpc.http)
            for field in model.messages[rpc.request].fields
        ]
        # What stands in a query alone is an enum.
        + [
            field.type
            for rpc in rpcs
            for binding in rpc.http
            if not binding.body
            for _, field in _leaves(
                model, model.messages[rpc.request], paths.parse(binding.path).fields
            )
        ],
    )
    found = error_schema.schemas(model)
    for rpc in rpcs:
        if rpc.http and rpc.http[0].body == "*":
            found[schema.component(rpc.request)] = schema.of_message(
                model,
                model.messages[rpc.request],
                sent=True,
                without=paths.parse(rpc.http[0].path).fields,
            )
    for name in {*answered, *sent}:
        if name in model.enums:
            found[schema.component(name)] = schema.of_enum(model.enums[name])
        else:
            message = model.messages[name]
            found[schema.component(name)] = schema.of_message(model, message, sent=name in sent)
    return found


def reached(model: Model, names: list[str]) -> set[str]:
    """The published messages and enums that these lead to, themselves included."""
    reached: set[str] = set()
    while names:
        name = names.pop()
        if not name.startswith(PACKAGE) or name in reached:
            continue
        message = model.messages.get(name)
        if message is None or not message.map_entry:
            reached.add(name)
        names.extend(field.type for field in (message.fields if message else ()))
    return reached
