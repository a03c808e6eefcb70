"""What of the contracts cannot be published, told by file and name before anything is."""

from __future__ import annotations

from collections.abc import Iterator

from tools import failures, paths, schema
from tools.model import Message, Model, Rpc


class ContractError(Exception):
    """Contracts that cannot be published; the message has a line for each fault."""


def check(model: Model) -> None:
    """Return when everything can be published. Raises `ContractError`."""
    found = [
        f"{rpc.file}: {rpc.path.removeprefix('/')}: {why}"
        for service in model.services.values()
        for rpc in service.rpcs
        for why in _of_rpc(model, rpc)
    ]
    found += [
        f"{message.file}: {message.name}: {why}"
        for message in model.messages.values()
        for why in _of_message(model, message)
    ]
    if found:
        raise ContractError("\n".join(found))


def _of_rpc(model: Model, rpc: Rpc) -> Iterator[str]:
    if not rpc.public:
        return
    policy = rpc.policy
    for option in ("access", "idempotency", "rate_limit"):
        if getattr(policy, option) in ("", "UNSPECIFIED"):
            yield f"its policy states no {option}"
    yield from _of_http(model, rpc)
    if policy.idempotency == "KEYED" and model.field(rpc.request, policy.idempotency_field) is None:
        yield (f"its idempotency_field {policy.idempotency_field!r} is no field of {rpc.request}")
    for reason in failures.unknown(model, rpc):
        yield f"it fails with {reason}, which {failures.REASONS} or tools/failures.py lacks"


def _of_http(model: Model, rpc: Rpc) -> Iterator[str]:
    if not rpc.http and rpc.policy.stream != "BIDI":
        yield "it is public and has no http rule (google.api.http)"
    for binding in rpc.http:
        if not binding.verb:
            yield "its http rule names no verb of get, put, post, delete and patch"
            continue
        try:
            template = paths.parse(binding.path)
        except paths.TemplateError as error:
            yield f"its http rule: {error}"
            continue
        for path in sorted(template.fields | ({binding.body} - {"", "*"})):
            if model.field(rpc.request, path) is None:
                yield f"its http rule names {path}, which is no field of {rpc.request}"


def _of_message(model: Model, message: Message) -> Iterator[str]:
    for field in message.fields:
        try:
            schema.of_field(model, field)
        except schema.UnrenderedRuleError as error:
            yield f"{field.name}: {error}"
