"""What clients need to know of an RPC before they call it, as code of theirs.

Which calls may be sent again, under which key, and which want no token: a table by
path, the same for both languages.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.model import Model, Rpc

_HEADER = "Generated from the contracts. Do not edit."


def python(model: Model) -> str:
    """The module of the Python SDK."""
    return "\n".join((*_python(model), ""))


def typescript(model: Model) -> str:
    """The module of the TypeScript client."""
    return "\n".join((*_typescript(model), ""))


def _python(model: Model) -> Iterator[str]:
    yield f'"""Which calls may be repeated. {_HEADER}"""'
    yield ""
    yield "from typing import Final, NamedTuple"
    yield ""
    yield ""
    yield "class Policy(NamedTuple):"
    yield '    """What a contract says of an RPC."""'
    yield ""
    yield "    repeatable: bool"
    yield '    """Whether sending the same again is harmless; of a keyed call, with its key."""'
    yield "    key: str"
    yield '    """The request field that carries the idempotency key; empty for most."""'
    yield "    anonymous: bool"
    yield '    """Whether nobody need be signed in."""'
    yield ""
    yield ""
    yield "POLICIES: Final = {"
    for rpc in model.public_rpcs:
        repeatable, key, anonymous = _policy(rpc)
        yield f'    "{rpc.path}": Policy({repeatable}, "{key}", {anonymous}),'
    yield "}"


def _typescript(model: Model) -> Iterator[str]:
    yield f"// Which calls may be repeated. {_HEADER}"
    yield ""
    yield "/** What a contract says of an RPC. */"
    yield "export interface Policy {"
    yield "  /** Whether sending the same again is harmless; of a keyed call, with its key. */"
    yield "  readonly repeatable: boolean;"
    yield "  /** The request field that carries the idempotency key; empty for most. */"
    yield "  readonly key: string;"
    yield "  /** Whether nobody need be signed in. */"
    yield "  readonly anonymous: boolean;"
    yield "}"
    yield ""
    yield "export const policies: Readonly<Record<string, Policy>> = {"
    for rpc in model.public_rpcs:
        repeatable, key, anonymous = _policy(rpc)
        said = f'{{ repeatable: {_js(repeatable)}, key: "{key}", anonymous: {_js(anonymous)} }}'
        yield f'  "{rpc.path}": {said},'
    yield "};"


def _policy(rpc: Rpc) -> tuple[bool, str, bool]:
    policy = rpc.policy
    # A key inside a stream's messages is for whoever writes the stream.
    key = policy.idempotency_field if policy.stream == "UNARY" else ""
    repeatable = policy.idempotency in {"READ", "NATURAL"} or bool(key)
    return repeatable, key, policy.access == "ANONYMOUS"


def _js(value: bool) -> str:
    return "true" if value else "false"
