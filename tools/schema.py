"""JSON Schema (2020-12) of the contracts' messages, as REST carries them.

The JSON is the edge's: field names as in the proto, 64-bit integers as strings,
enums by name, and in answers every field that cannot be absent is present.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
import re
from typing import Final

from tools.model import Enum, Field, Json, Message, Model, as_list, as_mapping, as_text
from tools.prose import paragraphs

Schema = dict[str, Json]

_INT64: Final[Schema] = {"type": "string", "format": "int64"}
_UINT64: Final[Schema] = {"type": "string", "format": "uint64"}
_INT32: Final[Schema] = {"type": "integer", "format": "int32"}
_UINT32: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
_NUMBER: Final[Schema] = {"type": "number"}
_INT64_KINDS: Final = ("int64", "sint64", "sfixed64", "uint64", "fixed64")
_SCALARS: Final[dict[str, Schema]] = {
    "string": {"type": "string"},
    "bytes": {"type": "string", "contentEncoding": "base64"},
    "bool": {"type": "boolean"},
    **dict.fromkeys(("double", "float"), _NUMBER),
    **dict.fromkeys(("int32", "sint32", "sfixed32"), _INT32),
    **dict.fromkeys(("uint32", "fixed32"), _UINT32),
    **dict.fromkeys(("int64", "sint64", "sfixed64"), _INT64),
    **dict.fromkeys(("uint64", "fixed64"), _UINT64),
}
_WELL_KNOWN: Final[dict[str, Schema]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {
        "type": "string",
        "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$",
        "examples": ["1.5s"],
    },
    "google.protobuf.FieldMask": {"type": "string", "examples": ["name,bio"]},
    "google.protobuf.Empty": {"type": "object"},
    "google.protobuf.Struct": {"type": "object"},
}
_TEXT_RULES: Final[dict[str, tuple[str, ...]]] = {
    "min_len": ("minLength",),
    "max_len": ("maxLength",),
    "len": ("minLength", "maxLength"),
    "pattern": ("pattern",),
    "in": ("enum",),
    "const": ("const",),
}
_TEXT_FORMATS: Final = ("email", "hostname", "ipv4", "ipv6", "uri", "uuid")
_NUMBER_RULES: Final[dict[str, str]] = {
    "gte": "minimum",
    "lte": "maximum",
    "gt": "exclusiveMinimum",
    "lt": "exclusiveMaximum",
    "in": "enum",
    "const": "const",
}
_LIST_RULES: Final[dict[str, str]] = {
    "min_items": "minItems",
    "max_items": "maxItems",
    "unique": "uniqueItems",
}


class UnrenderedRuleError(Exception):
    """A contract limits a field in a way this does not know how to publish."""


def component(full_name: str) -> str:
    """The name a message or enum is published under: `chat.v1.Message`."""
    return full_name.removeprefix("creavio.")


def reference(full_name: str) -> Schema:
    """Points at a published message or enum."""
    return {"$ref": f"#/components/schemas/{component(full_name)}"}


def of_enum(enum: Enum) -> Schema:
    """The schema of an enum: its names, each with what it means."""
    meanings = [f"- `{v.name}`: {paragraphs(v.comment)}" for v in enum.values if v.comment]
    description = "\n\n".join(
        part for part in (paragraphs(enum.comment), "\n".join(meanings)) if part
    )
    return {
        "type": "string",
        "description": description,
        "enum": [value.name for value in enum.values],
    }


def of_message(
    model: Model, message: Message, *, sent: bool, without: frozenset[str] = frozenset()
) -> Schema:
    """The schema of a message, less the fields in `without`.

    Of one that clients send, what must not be missing is required; of any other,
    what is always there.
    """
    fields = [field for field in message.fields if field.name not in without]
    needed = [f.name for f in fields if (is_required(f) if sent else not f.presence)]
    notes = [paragraphs(message.comment), *_choices(message)]
    schema: Schema = {"type": "object", "description": "\n\n".join(note for note in notes if note)}
    if needed:
        schema["required"] = needed
    schema["properties"] = {field.name: of_field(model, field) for field in fields}
    return schema


def of_field(model: Model, field: Field) -> Schema:
    """The schema of a field: its type, its limits, its comment."""
    entry = model.messages.get(field.type)
    schema: Schema
    if entry is not None and entry.map_entry:
        rules = as_mapping(field.rules.get("map"))
        schema = {"type": "object", "additionalProperties": _of_type(entry.fields[1])}
        if rules:
            raise UnrenderedRuleError(f"{field.name}: limits of maps are not published yet")
    elif field.repeated:
        schema = {"type": "array", "items": _of_type(field), **_list_limits(field)}
    else:
        schema = _of_type(field) | _published_limits(field.kind, field.rules)
    if field.comment:
        schema["description"] = paragraphs(field.comment)
    return schema


def is_required(field: Field) -> bool:
    """Whether a request without the field is refused."""
    if field.rules.get("required") is True:
        return True
    if field.presence:
        return False
    if field.repeated:
        return "min_items" in as_mapping(field.rules.get("repeated"))
    return _refuses_zero(_limits(field.rules))


def _of_type(field: Field) -> Schema:
    if field.type in _WELL_KNOWN:
        return dict(_WELL_KNOWN[field.type])
    if field.type:
        return reference(field.type)
    return dict(_SCALARS[field.kind])


def _choices(message: Message) -> list[str]:
    groups: dict[str, list[str]] = {}
    for field in message.fields:
        if field.oneof:
            groups.setdefault(field.oneof, []).append(f"`{field.name}`")
    return [
        f"At most one is present ({group}): {', '.join(names)}." for group, names in groups.items()
    ]


def _limits(rules: Mapping[str, Json]) -> Schema:
    """The limits of one value. Raises `UnrenderedRuleError` rather than drop one."""
    schema: Schema = {}
    if "ignore" in rules:
        return _unless_empty(rules)
    for name, rule in rules.items():
        if name == "required":
            continue
        render = _RULES.get(name)
        if render is None:
            raise UnrenderedRuleError(f"rules for {name} are not published yet")
        schema |= render(as_mapping(rule))
    return schema


def _unless_empty(rules: Mapping[str, Json]) -> Schema:
    """The limit of a text that may also be empty."""
    if rules.get("ignore") != "IGNORE_IF_ZERO_VALUE":
        raise UnrenderedRuleError(f"ignore: {rules.get('ignore')} is not published yet")
    limits = _limits({name: rule for name, rule in rules.items() if name != "ignore"})
    if limits.keys() != {"pattern"}:
        raise UnrenderedRuleError("of what may be left out, only patterns are published")
    return {"pattern": f"^$|{limits['pattern']}"}


def _published_limits(kind: str, rules: Mapping[str, Json]) -> Schema:
    limits = _limits(rules)
    if kind in _INT64_KINDS:
        # JSON Schema compares no numbers that travel as strings.
        return {f"x-creavio-{name}": value for name, value in limits.items()}
    return limits


def _text(rules: Mapping[str, Json]) -> Schema:
    schema: Schema = {}
    for name, value in rules.items():
        if name in _TEXT_RULES:
            schema |= dict.fromkeys(_TEXT_RULES[name], value)
        elif name in _TEXT_FORMATS:
            schema["format"] = name
        else:
            raise UnrenderedRuleError(f"string.{name} is not published yet")
    return schema


def _number(rules: Mapping[str, Json]) -> Schema:
    unknown = rules.keys() - _NUMBER_RULES.keys()
    if unknown:
        raise UnrenderedRuleError(f"{', '.join(sorted(unknown))} of numbers are not published yet")
    return {_NUMBER_RULES[name]: value for name, value in rules.items()}


def _bytes(rules: Mapping[str, Json]) -> Schema:
    if rules.keys() - {"min_len", "max_len"}:
        raise UnrenderedRuleError("of bytes, only min_len and max_len are published")
    # JSON carries base64: four characters for every three bytes begun.
    lengths = {"min_len": "minLength", "max_len": "maxLength"}
    return {lengths[n]: -(-int(as_text(value)) // 3) * 4 for n, value in rules.items()}


def _enum(rules: Mapping[str, Json]) -> Schema:
    unknown = rules.keys() - {"defined_only", "not_in"}
    if unknown or [*as_list(rules.get("not_in"))] not in ([], [0]):
        raise UnrenderedRuleError("of enums, only defined_only and not_in: [0] are published")
    # By JSON's rules an enum's name: every enum calls its zero …_UNSPECIFIED (buf lint).
    return {"not": {"pattern": "_UNSPECIFIED$"}} if "not_in" in rules else {}


def _list_limits(field: Field) -> Schema:
    rules = dict(as_mapping(field.rules.get("repeated")))
    items = as_mapping(rules.pop("items", None))
    if rules.keys() - _LIST_RULES.keys() or field.rules.keys() - {"repeated", "required"}:
        raise UnrenderedRuleError(f"{field.name}: a limit of its list is not published yet")
    schema: Schema = {_LIST_RULES[name]: value for name, value in rules.items()}
    if items:
        schema["items"] = _of_type(field) | _published_limits(field.kind, items)
    return schema


def _refuses_zero(limits: Schema) -> bool:
    if "enum" in limits:
        return not {"", 0} & {*map(_scalar, as_list(limits["enum"]))}
    pattern = as_text(limits.get("pattern"))
    return (
        re.search(pattern, "") is None
        or "format" in limits
        or "not" in limits
        or bool(limits.get("const"))
        or _number_of(limits, "minLength") > 0
        or _number_of(limits, "minimum") > 0
        or _number_of(limits, "maximum") < 0
        or _number_of(limits, "exclusiveMinimum", -1) >= 0
        or _number_of(limits, "exclusiveMaximum", 1) <= 0
    )


def _scalar(value: Json) -> str | float:
    return value if isinstance(value, str) else float(as_text(value))


def _number_of(limits: Schema, name: str, default: float = 0) -> float:
    return float(as_text(limits[name])) if name in limits else default


_RULES: Final[dict[str, Callable[[Mapping[str, Json]], Schema]]] = {
    "string": _text,
    "bytes": _bytes,
    "enum": _enum,
    **dict.fromkeys(
        ("int32", "uint32", "sint32", "int64", "uint64", "sint64", "float", "double"), _number
    ),
}
