"""What a newcomer meets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from services.community.domain import Changed
from services.community.domain.naming import etag_of


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that members keep to."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Onboarding:
    """The rules of a community, its welcome, and where to begin."""

    community_id: UUID
    rules: tuple[Rule, ...] = ()
    rules_version: int = 0
    """Rises whenever the rules change."""
    welcome: str = ""
    channel_ids: tuple[UUID, ...] = ()
    must_accept: bool = False

    def holds_back(self, accepted_version: int) -> bool:
        """Whether a newcomer who accepted this version, 0 for none, may only see as yet."""
        return self.must_accept and bool(self.rules) and not accepted_version

    @property
    def etag(self) -> str:
        """Changes with everything that is met."""
        said = (self.rules, self.rules_version, self.welcome, self.channel_ids)
        return etag_of(*said, self.must_accept)


def edited(
    before: Onboarding,
    *,
    rules: tuple[Rule, ...] | None = None,
    welcome: str | None = None,
    channel_ids: tuple[UUID, ...] | None = None,
    must_accept: bool | None = None,
) -> Onboarding:
    """What is met once these are changed; None leaves something as it is."""
    after = before
    if rules is not None and rules != before.rules:
        after = replace(after, rules=rules, rules_version=before.rules_version + 1)
    if welcome is not None:
        after = replace(after, welcome=welcome.strip())
    if channel_ids is not None:
        after = replace(after, channel_ids=channel_ids)
    if must_accept is not None:
        after = replace(after, must_accept=must_accept)
    return after


def may_accept(onboarding: Onboarding, rules_version: int) -> None:
    """Return when these are the rules there are. Raises `Changed`."""
    if rules_version != onboarding.rules_version:
        raise Changed("the rules")
