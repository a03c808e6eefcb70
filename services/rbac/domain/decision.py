"""A decision, told step by step."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.rbac.domain.permissions import Permission
from services.rbac.domain.policy import Role


@dataclass(frozen=True, slots=True)
class Step:
    """One permission looked up in one place, and the rule that decided."""

    permission: Permission
    allowed: bool
    role: Role | None
    """Whose rule decided; None for the person's own override, and when no rule spoke."""
    channel_id: UUID | None
    """The channel that overrode; None when the community's roles decided."""
    own: bool = False
    """Whether it was the person's own override."""
    muted: bool = False
    """Whether no rule was asked, since the person is timed out or pending."""
