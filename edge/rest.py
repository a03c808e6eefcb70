"""The REST paths of the contracts, as a router sees them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
import re

from chassis.contract import Rpc

# A colon begins a verb (AIP-136); no identifier holds one.
_SEGMENT = "[^/:]+"
VERBS = ("get", "put", "post", "delete", "patch")


@dataclass(frozen=True, slots=True)
class Binding:
    """One way to call an RPC over REST (`google.api.http`)."""

    rpc: Rpc
    verb: str
    """`GET`, `POST`, …"""
    template: str
    """`/v1/channels/{channel_id}/messages`."""
    has_body: bool
    """Whether the request's body carries fields."""

    @property
    def pattern(self) -> str:
        """The RE2 expression that matches whole paths of this template."""
        return _pattern(self.template)

    @property
    def collection(self) -> str:
        """What the template has in common with its neighbours: `/v1/channels`."""
        version, collection = self.template.split("/")[1:3]
        return f"/{version}/{collection.partition(':')[0]}"

    @property
    def literal(self) -> bool:
        """Whether the template is one path and no other."""
        return "{" not in self.template and "*" not in self.template


def bindings_of(rpcs: Iterable[Rpc]) -> tuple[Binding, ...]:
    """Every REST binding, the more specific paths first."""
    found = (binding for rpc in rpcs for binding in _bindings(rpc))
    return tuple(sorted(found, key=lambda b: (b.template.count("{"), b.template, b.verb)))


def _bindings(rpc: Rpc) -> Iterator[Binding]:
    for rule in rpc.http:
        kind = rule.WhichOneof("pattern")
        if kind in VERBS:
            yield Binding(rpc, kind.upper(), getattr(rule, kind), bool(rule.body))
        elif kind == "custom":
            yield Binding(rpc, rule.custom.kind, rule.custom.path, bool(rule.body))


def _pattern(template: str) -> str:
    """Turns a path template into an expression (google.api.HttpRule, path template syntax)."""
    parts = re.split(r"(\{[^}]*\}|\*\*|\*)", template)
    return "".join(_part(part) for part in parts)


def _part(part: str) -> str:
    if part.startswith("{"):
        _, _, inner = part[1:-1].partition("=")
        return _pattern(inner) if inner else _SEGMENT
    return {"*": _SEGMENT, "**": ".+"}.get(part) or re.escape(part)
