"""Permissions and the conditions they stand in, in words."""

from __future__ import annotations

from typing import Final

from tools.html import code, inline
from tools.model import Model
from tools.prose import paragraphs

_PERMISSIONS: Final = "creavio.options.v1.Permission"


def condition(scope: str, field: str, require: str) -> str:
    """Who is meant by a permission rule or a visibility, in HTML."""
    if scope == "SELF":
        return f"The person in {code(field)}"
    if scope == "ACQUAINTANCES":
        return f"Whoever knows the person in {code(field)}"
    if scope == "CONVERSATION":
        return f"The members of the conversation {code(field)}"
    if scope == "INSTANCE":
        return f"Whoever holds {_link(require)} in the instance"
    place = scope.lower()
    return f"Whoever holds {_link(require)} in the {place} {code(field)}"


def described_permissions(model: Model) -> list[tuple[str, str]]:
    """Every permission and what it allows, as cells of a table."""
    return [
        (
            f'<span id="permission.{(name := value.name.removeprefix("PERMISSION_"))}">'
            f"{code(name)}</span>",
            inline(paragraphs(value.comment)),
        )
        for value in model.enums[_PERMISSIONS].values
        if value.number
    ]


def _link(permission: str) -> str:
    return f'<a href="#permission.{permission}">{code(permission)}</a>'
