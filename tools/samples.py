"""Sample requests and answers: what a message looks like in JSON."""

from __future__ import annotations

import json
import re
from typing import Final

from tools.model import Field, Json, Model
from tools.schema import Schema, is_required, of_field

_ID: Final = "01kaf2xq4wf6evhn7d8b5c3m9t"
_SCALARS: Final[dict[str, Json]] = {"integer": 0, "number": 0.5, "boolean": True}
_FORMATS: Final[dict[str, str]] = {
    "date-time": "2026-03-20T18:45:00Z",
    "email": "ada@example.org",
    "int64": "42",
    "uint64": "42",
}
_WORDS: Final[dict[str, str]] = {
    "handle": "ada",
    "login": "ada",
    "password": "correct horse battery",
    "display_name": "Ada",
    "name": "Night shift",
    "content": "Good morning!",
    "code": "k3v9x2m7qa",
    "time_zone": "Europe/Berlin",
}
_DEPTH: Final = 4
_LATER: Final = "2026-03-20T20:45:00Z"
"""When something ends: after all that is said of a beginning."""


class Samples:
    """Makes samples for one model. The same contracts give the same samples."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._prefixes = {
            field.name: prefix
            for message in model.messages.values()
            for field in message.fields
            if (prefix := _prefix(of_field(model, field)))
        }

    def sent(self, message: str, without: frozenset[str]) -> str:
        """The smallest body that is accepted; empty when it may be empty."""
        body = {
            field.name: self._value(message, field, _DEPTH)
            for field in self._model.messages[message].fields
            if field.name not in without and is_required(field)
        }
        return _write(body) if body else ""

    def answered(self, message: str) -> str:
        """An answer, with something in every field."""
        return _write(self._object(message, _DEPTH))

    def path(self, message: str, template: str) -> str:
        """A path with its variables filled in."""
        fields = {field.name: field for field in self._model.messages[message].fields}

        def fill(match: re.Match[str]) -> str:
            field = fields.get(match[1])
            value = self._value(message, field, 0) if field else match[1]
            return str(value)

        return re.sub(r"\{([^}]+)\}", fill, template)

    def _object(self, name: str, depth: int) -> Schema:
        message = self._model.messages[name]
        taken: set[str] = set()
        found: Schema = {}
        for field in message.fields:
            if field.oneof in taken:
                continue
            taken |= {field.oneof} - {""}
            found[field.name] = self._value(name, field, depth)
        return found

    def _value(self, owner: str, field: Field, depth: int) -> Json:
        one = self._one(owner, field, depth)
        return [one] if field.repeated and one is not None else one

    def _one(self, owner: str, field: Field, depth: int) -> Json:
        if field.type in self._model.messages:
            return self._object(field.type, depth - 1) if depth else {}
        if field.type in self._model.enums:
            return self._model.enums[field.type].values[-1].name
        described = of_field(self._model, field)
        kind, form = described.get("type"), described.get("format")
        if field.name == "end_time":
            return _LATER
        if isinstance(form, str) and form in _FORMATS:
            return _FORMATS[form]
        if isinstance(kind, str) and kind in _SCALARS:
            return described.get("minimum", _SCALARS[kind])
        return self._text(owner, field, described)

    def _text(self, owner: str, field: Field, described: Schema) -> str:
        named = re.match(r"Identifier, `([a-z]+_)…`", field.comment)
        prefix = named[1] if named else self._prefixes.get(field.name, "")
        if not prefix and field.name.endswith("_id"):
            prefix = "usr_"
        if prefix:
            return f"{prefix}{_ID}"
        word, pattern = _WORDS.get(field.name, "…"), described.get("pattern")
        if isinstance(pattern, str) and not re.search(pattern, word):
            return word.lower().replace(" ", "_")  # as what is typed is written
        return word


def _prefix(described: Schema) -> str:
    items = described.get("items")
    pattern = described.get("pattern") or (items.get("pattern") if isinstance(items, dict) else "")
    text = pattern.removeprefix("^$|") if isinstance(pattern, str) else ""
    found = re.match(r"\^\(?([a-z]{3,4})[_|]", text)
    return f"{found[1]}_" if found else ""


def _write(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
