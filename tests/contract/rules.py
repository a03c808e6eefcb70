"""What every contract must say of itself: each rule lists the ways it is broken.

The rules take the model of the contracts, so that a test can show each of them a
contract that breaks it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import re
from typing import Final

from tools import failures
from tools.model import Field, Json, Message, Model, Rpc, as_mapping

GATEWAY_EVENT: Final = "creavio.gateway.v1.Event"
PREFIXES: Final = {
    "COMMUNITY": ("com",),
    "CHANNEL": ("chn", "thr"),
    "SELF": ("usr",),
    "CONVERSATION": ("cnv",),
    "ACQUAINTANCES": ("usr",),
}
"""How the ids of what a scope kind names begin: a thread is a channel of its channel's."""
_OF_NO_PLACE: Final = "INSTANCE"
"""The scope that names nothing: there is one instance."""
_OF_EVENTS: Final = "ACQUAINTANCES"
"""The scope that lets nobody call anything."""
_TEXT_LIMITS: Final = frozenset({"max_len", "len", "pattern", "in", "const", "uuid"})


def rpcs(model: Model) -> tuple[Rpc, ...]:
    """Every RPC of every service."""
    return tuple(rpc for service in model.services.values() for rpc in service.rpcs)


def field_at(model: Model, message: Message, path: str) -> Field | None:
    """The field a dotted path leads to, `None` when it leads nowhere."""
    name, _, rest = path.partition(".")
    field = next((field for field in message.fields if field.name == name), None)
    if field is None or not rest:
        return field
    inner = model.messages.get(field.type)
    return None if inner is None else field_at(model, inner, rest)


def states_every_option(rpc: Rpc) -> Iterator[str]:
    """Nothing about an RPC is left to a default."""
    policy = rpc.policy
    for name in ("audience", "access", "idempotency", "rate_limit", "stream", "audit"):
        if getattr(policy, name) in ("", "UNSPECIFIED"):
            yield f"{rpc.path} states no {name}"
    if policy.max_request_bytes <= 0:
        yield f"{rpc.path} states no max_request_bytes"


def bounds_its_time(rpc: Rpc) -> Iterator[str]:
    """A call ends within its deadline, unless it is a live stream, which has none."""
    live = rpc.policy.stream == "LIVE"
    if (rpc.policy.stream in ("LIVE", "BIDI")) != rpc.streaming:
        yield f"{rpc.path} is a stream in one place and not in the other"
    if live != (rpc.policy.deadline == 0):
        yield f"{rpc.path} needs a deadline exactly when it is no live stream"


def names_its_permission(model: Model, rpc: Rpc) -> Iterator[str]:
    """A permission stands exactly where it decides, over a field that names the place."""
    policy = rpc.policy
    if (policy.access == "PERMISSION") != bool(policy.permission):
        yield f"{rpc.path} needs a permission exactly when its access is a permission"
    if not policy.permission:
        return
    if policy.scope == _OF_EVENTS:
        yield f"{rpc.path} lets in whoever knows somebody"
    if policy.scope == _OF_NO_PLACE:
        if policy.scope_field:
            yield f"{rpc.path} names a place in the instance, which has none"
        return
    yield from _names_a_place(
        model, rpc.path, model.messages[rpc.request], policy.scope, policy.scope_field
    )


def keeps_credentials_to_people(rpc: Rpc) -> Iterator[str]:
    """No program's token touches credentials or the instance, and only people can be asked for."""
    policy = rpc.policy
    signed_in = policy.access in ("SIGNED_IN", "PERMISSION")
    guarded = rpc.service.startswith("creavio.auth.") or policy.scope == _OF_NO_PLACE
    if signed_in and guarded and not policy.in_person:
        yield f"{rpc.path} has to be in_person: it is about credentials, or the instance"
    if policy.in_person and not signed_in:
        yield f"{rpc.path} is in_person and asks for nobody"


def opens_what_would_be_closed(rpc: Rpc) -> Iterator[str]:
    """Only what changes something, for somebody signed in, is open to the unverified by name."""
    policy = rpc.policy
    closed = policy.access in ("SIGNED_IN", "PERMISSION") and policy.idempotency != "READ"
    if policy.open_to_unverified and not closed:
        yield f"{rpc.path} is open to everybody signed in anyway"


def names_its_key(model: Model, rpc: Rpc) -> Iterator[str]:
    """An idempotency key stands exactly where it is used, and is a text of the request."""
    policy = rpc.policy
    if (policy.idempotency == "KEYED") != bool(policy.idempotency_field):
        yield f"{rpc.path} needs an idempotency field exactly when it is keyed"
    if policy.idempotency_field:
        field = field_at(model, model.messages[rpc.request], policy.idempotency_field)
        if field is None or field.kind != "string" or field.repeated:
            yield f"{rpc.path}: {policy.idempotency_field} is no text of its request"


def is_reached_one_way(rpc: Rpc) -> Iterator[str]:
    """People reach public RPCs over REST too; internal ones are for services alone."""
    if (rpc.public and rpc.policy.stream != "BIDI") != bool(rpc.http):
        yield f"{rpc.path} needs an http rule exactly when it is public and REST can speak it"
    # What is not the edge's but anybody's in the mesh is the ground services stand on.
    inside = rpc.policy.access == "SERVICE" or (
        rpc.policy.access == "ANONYMOUS" and rpc.policy.idempotency == "READ"
    )
    if not rpc.public and not inside:
        yield f"{rpc.path} is internal and asks for a person"
    if rpc.public and rpc.policy.access == "SERVICE":
        yield f"{rpc.path} lets in services alone and is public"
    if rpc.public == (rpc.policy.rate_limit == "NONE"):
        yield f"{rpc.path} is counted exactly when it is public"


def reads_only_over_get(rpc: Rpc) -> Iterator[str]:
    """GET changes nothing, and what changes nothing is a GET."""
    for binding in rpc.http:
        if (binding.verb == "get") != (rpc.policy.idempotency == "READ"):
            yield f"{rpc.path}: {binding.verb} does not fit {rpc.policy.idempotency}"


def promises_known_failures(model: Model, rpc: Rpc) -> Iterator[str]:
    """The reasons a comment promises exist."""
    known = failures.reasons(model)
    for reason in failures.documented(rpc):
        if reason not in known:
            yield f"{rpc.path} fails with {reason}, which is no reason"


def limits_its_texts(model: Model, rpc: Rpc) -> Iterator[str]:
    """No text, list or map from outside is without a bound."""
    yield from _unlimited(model, rpc.request, frozenset())


def is_told_to_somebody(event: Message) -> Iterator[str]:
    """An event for people says which; one for services says none."""
    policy = event.event
    if policy is None or policy.audience in ("", "UNSPECIFIED"):
        yield f"{event.name} states no audience"
    elif (policy.audience == "STREAM") != bool(policy.visible_to):
        yield f"{event.name} needs visible_to exactly when people may see it"


def names_who_sees_it(model: Model, event: Message) -> Iterator[str]:
    """Each group of people is named by a place, and by the permission needed there."""
    for group in event.event.visible_to if event.event else ():
        yield from _names_a_place(model, event.name, event, group.scope, group.field)
        personal = group.scope in ("SELF", "CONVERSATION", _OF_EVENTS)
        if personal != (group.require in ("", "UNSPECIFIED")):
            yield f"{event.name}: {group.scope} needs a permission exactly unless people are named"
        if (group.scope == "CHANNEL") != bool(group.within):
            yield f"{event.name}: {group.scope} needs `within` exactly when it is a channel"
        elif group.within:
            yield from _names_a_place(model, event.name, event, "COMMUNITY", group.within)
        if group.decided_by and group.scope != "CHANNEL":
            yield f"{event.name}: nothing but its channel decides for a thread"
        elif group.decided_by:
            yield from _names_a_place(model, event.name, event, "CHANNEL", group.decided_by)


def names_its_subject(model: Model, event: Message) -> Iterator[str]:
    """Its subject ends with ids it carries."""
    fields = event.event.subject_fields if event.event else ()
    if not fields:
        yield f"{event.name} has no subject_fields"
    for path in fields:
        field = field_at(model, event, path)
        if field is None or field.kind != "string" or field.repeated:
            yield f"{event.name}: {path} is no text it carries"


def reaches_the_stream(model: Model) -> Iterator[str]:
    """What people may see, and nothing else, has a place in the gateway's stream."""
    carried = {
        field.type
        for field in model.messages[GATEWAY_EVENT].fields
        if field.oneof == "payload" and not field.type.startswith("creavio.gateway.")
    }
    visible = {e.name for e in model.events if e.event and e.event.audience == "STREAM"}
    for name in sorted(visible - carried):
        yield f"{GATEWAY_EVENT} has no place for {name}"
    for name in sorted(carried - visible):
        yield f"{GATEWAY_EVENT} carries {name}, which people may not see"


def is_explained(model: Model) -> Iterator[str]:
    """Every service, RPC, message and reason says what it is."""
    for service in model.services.values():
        if not service.comment:
            yield f"{service.name} says nothing"
    for rpc in rpcs(model):
        if not rpc.comment:
            yield f"{rpc.path} says nothing"
    for message in model.messages.values():
        if not message.comment and not message.map_entry:
            yield f"{message.name} says nothing"
    for value in model.enums[failures.REASONS].values:
        if value.number and not value.comment:
            yield f"{value.name} says nothing"


def _names_a_place(
    model: Model, owner: str, message: Message, scope: str, path: str
) -> Iterator[str]:
    field = field_at(model, message, path)
    if field is None or field.kind != "string" or field.repeated:
        yield f"{owner}: {path} is no text it carries"
        return
    if scope not in PREFIXES:
        yield f"{owner}: {scope or 'no scope'} is no scope of a place"
        return
    prefix = _prefix_of(field)
    if prefix not in PREFIXES[scope]:
        wanted = " or ".join(PREFIXES[scope])
        yield f"{owner}: {path} names a {prefix or 'thing unknown'}, not a {wanted}"


def _prefix_of(field: Field) -> str:
    """How the ids in a field begin: its rule says it, or the name of what it points at."""
    pattern = as_mapping(field.rules.get("string")).get("pattern")
    if isinstance(pattern, str):
        found = re.match(r"\^\(?([a-z]{3})[_|]", pattern)
        return found[1] if found else ""
    named = re.match(r"Identifier, `([a-z]{3})_…`", field.comment)
    if named:
        return named[1]
    ids = {
        "community_id": "com",
        "channel_id": "chn",
        "parent_channel_id": "chn",
        "user_id": "usr",
        "owner_id": "usr",
    }
    return ids.get(field.name, "")


def _unlimited(model: Model, name: str, above: frozenset[str]) -> Iterator[str]:
    message = model.messages.get(name)
    if message is None or name in above:
        return
    for field in message.fields:
        where = f"{name}.{field.name}"
        rules = field.rules
        if field.repeated:
            lists = as_mapping(rules.get("map")) or as_mapping(rules.get("repeated"))
            if not {"max_items", "max_pairs"} & lists.keys():
                yield f"{where} may hold any number"
            rules = as_mapping(lists.get("items"))
        if field.kind in ("string", "bytes"):
            yield from _unlimited_text(where, as_mapping(rules.get(field.kind)))
        yield from _unlimited(model, field.type, above | {name})


def _unlimited_text(where: str, limits: Mapping[str, Json]) -> Iterator[str]:
    if not _TEXT_LIMITS & limits.keys():
        yield f"{where} may be of any length"
    pattern = limits.get("pattern")
    if isinstance(pattern, str) and not {"max_len", "len"} & limits.keys():
        without_classes = re.sub(r"\[[^\]]*\]", "x", pattern)
        if re.search(r"[*+]|\{\d+,\}", without_classes):
            yield f"{where} has a pattern that matches texts of any length"
