"""Types and limits of fields in words, from their JSON Schema."""

from __future__ import annotations

from typing import Final

from tools.html import code, escape
from tools.model import Field, Json, Model, as_list, as_mapping, as_text
from tools.schema import Schema, component, of_field

_NAMES: Final[dict[str, str]] = {
    "date-time": "time",
    "int64": "integer, as string",
    "uint64": "integer, as string",
}
_WELL_KNOWN: Final[dict[str, str]] = {
    "google.protobuf.FieldMask": "field names, comma-separated",
    "google.protobuf.Duration": "seconds, such as 1.5s",
}


def type_of(model: Model, field: Field) -> str:
    """What kind of value a field holds, in HTML; linked where it is described."""
    if field.type in _WELL_KNOWN:
        name = _WELL_KNOWN[field.type]
    elif field.type in model.messages or field.type in model.enums:
        target = component(field.type)
        name = f'<a href="#{escape(target)}">{escape(target.rpartition(".")[2])}</a>'
    else:
        described = of_field(model, field)
        items = as_mapping(described.get("items"))
        name = _plain(items or described)
    return f"list of {name}" if field.repeated else name


def limits_of(model: Model, field: Field) -> str:
    """What a value must keep to, in HTML; empty when there is no limit."""
    described = of_field(model, field)
    words = [*_length(described), *_range(described), *_form(described)]
    if field.repeated:
        words = [f"{text} entries" for text in _between(described, "minItems", "maxItems")]
        words += [f"each {text}" for text in _each(as_mapping(described.get("items")))]
    return "; ".join(words)


def _plain(schema: Schema | Json) -> str:
    described = as_mapping(schema)
    kind, form = as_text(described.get("type")), as_text(described.get("format"))
    return escape(_NAMES.get(form, kind))


def _each(items: Json) -> list[str]:
    described = dict(as_mapping(items))
    return [*_length(described), *_range(described), *_form(described)]


def _length(described: Schema) -> list[str]:
    if described.get("format") == "date-time":
        return []
    return [f"{text} characters" for text in _between(described, "minLength", "maxLength")]


def _range(described: Schema) -> list[str]:
    words = _between(described, "minimum", "maximum")
    words += _between(described, "x-creavio-minimum", "x-creavio-maximum")
    for prefix in ("", "x-creavio-"):
        for name, word in (("exclusiveMinimum", "above"), ("exclusiveMaximum", "below")):
            if f"{prefix}{name}" in described:
                words.append(f"{word} {_number(described[f'{prefix}{name}'])}")
    return words


def _form(described: Schema) -> list[str]:
    words = []
    if as_text(described.get("format")) in ("email", "uri", "uuid", "hostname"):
        words.append(f"a valid {described['format']}")
    if "pattern" in described and "examples" not in described:
        words.append(code(as_text(described["pattern"])))
    if "enum" in described:
        words.append("one of " + ", ".join(code(as_text(v)) for v in as_list(described["enum"])))
    if "not" in described:
        words.append("must be said")
    return words


def _between(described: Schema, least: str, most: str) -> list[str]:
    low, high = described.get(least), described.get(most)
    if low is not None and high is not None:
        return [f"{_number(low)} to {_number(high)}"]
    if high is not None:
        return [f"at most {_number(high)}"]
    return [f"at least {_number(low)}"] if low is not None else []


def _number(value: Json) -> str:
    return f"{float(as_text(value)):,.12g}"
