"""Path templates: from google.api.http's form into OpenAPI's.

`/v1/{name=rooms/*}:close` becomes `/v1/rooms/{name}:close`: OpenAPI has no
variables of several segments, so each wildcard becomes a parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
import re


@dataclass(frozen=True, slots=True)
class Variable:
    """One parameter of a path."""

    name: str
    field: str
    """The field of the request it fills, or fills a part of."""
    note: str
    """What to know about it; empty when it is the whole field in one segment."""


@dataclass(frozen=True, slots=True)
class Template:
    """A path, and what its parameters mean."""

    openapi: str
    variables: tuple[Variable, ...]

    @property
    def fields(self) -> frozenset[str]:
        """The fields of the request that the path fills."""
        return frozenset(variable.field for variable in self.variables)


class TemplateError(Exception):
    """A path uses what cannot be published."""


def parse(path: str) -> Template:
    """Read a template. Raises `TemplateError` for a wildcard outside a variable."""
    variables: list[Variable] = []

    def expand(match: re.Match[str]) -> str:
        field, pattern = match["field"], match["pattern"]
        if pattern in (None, "*"):
            variables.append(Variable(field, field, ""))
            return f"{{{field}}}"
        segments = []
        for segment in pattern.split("/"):
            if segment not in ("*", "**"):
                segments.append(segment)
                continue
            count = sum(variable.field == field for variable in variables)
            name = field if count == 0 else f"{field}_{count + 1}"
            several = " May hold slashes." if segment == "**" else ""
            note = f"Its part of `{field}`, which is `{pattern}`.{several}"
            variables.append(Variable(name, field, note))
            segments.append(f"{{{name}}}")
        return "/".join(segments)

    expanded = re.sub(r"\{(?P<field>[\w.]+)(?:=(?P<pattern>[^}]+))?\}", expand, path)
    if "*" in expanded:
        raise TemplateError(f"{path} has a wildcard outside a variable")
    return Template(expanded, tuple(variables))
