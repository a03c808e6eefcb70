"""What a newcomer meets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from chassis import ids
from services.community.domain import Changed
from services.community.domain.naming import etag_of
from services.community.domain.questions import (
    Question,
    offered,
    suggested,
    unanswered,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that members keep to."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Newcomer:
    """How far a member has come with what newcomers meet."""

    accepted_version: int = 0
    """Of the rules they accepted last; 0 for none."""
    answer_ids: tuple[UUID, ...] = ()
    pending: bool = False
    """Whether they are to accept or answer something before they do more than see."""
    number: int = 0
    """Rises with each of these, also when they come back."""


@dataclass(frozen=True, slots=True)
class Onboarding:
    """The rules of a community, its welcome, where to begin, and what it asks."""

    community_id: UUID
    rules: tuple[Rule, ...] = ()
    rules_version: int = 0
    """Rises whenever the rules change."""
    welcome: str = ""
    channel_ids: tuple[UUID, ...] = ()
    must_accept: bool = False
    questions: tuple[Question, ...] = ()

    def holds_back(self, newcomer: Newcomer = Newcomer()) -> bool:
        """Whether a newcomer who has come so far may only see as yet."""
        unread = bool(self.rules) and not newcomer.accepted_version
        asked = unanswered(self.questions, newcomer.answer_ids)
        return self.must_accept and (unread or asked)

    def further(self, newcomer: Newcomer) -> Newcomer:
        """A newcomer who accepted or answered something just now."""
        return replace(newcomer, pending=newcomer.pending and self.holds_back(newcomer))

    @property
    def places(self) -> frozenset[UUID]:
        """The channels it names anywhere."""
        return frozenset(self.channel_ids) | suggested(self.questions)

    @property
    def asked(self) -> str:
        """The questions, for the log."""
        return " · ".join(question.title for question in self.questions)

    @property
    def offered(self) -> str:
        """The roles that answers give, for the log."""
        return " ".join(sorted(ids.text(ids.Kind.ROLE, r) for r in offered(self.questions)))

    @property
    def etag(self) -> str:
        """Changes with everything that is met."""
        said = (self.rules, self.rules_version, self.welcome, self.channel_ids, self.must_accept)
        return etag_of(*said, self.questions) if self.questions else etag_of(*said)


def edited(
    before: Onboarding,
    *,
    rules: tuple[Rule, ...] | None = None,
    welcome: str | None = None,
    channel_ids: tuple[UUID, ...] | None = None,
    must_accept: bool | None = None,
    questions: tuple[Question, ...] | None = None,
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
    if questions is not None:
        after = replace(after, questions=questions)
    return after


def may_accept(onboarding: Onboarding, rules_version: int) -> None:
    """Return when these are the rules there are. Raises `Changed`."""
    if rules_version != onboarding.rules_version:
        raise Changed("the rules")
