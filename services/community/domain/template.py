"""Templates: what communities are like, without anybody who belongs to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.errors import FailedPrecondition, NotFound
from services.community.domain import Category, Channel, Community, Standing, order
from services.community.domain.forum import Forum, Tag, kept
from services.community.domain.onboarding import Onboarding, Rule
from services.community.domain.questions import Answer, Question
from services.community.domain.questions import kept as asked

TEMPLATES: Final = 50
"""How many somebody has at most: they are listed at once."""
CHANNELS: Final = 200
ROLES: Final = 100
_VIEW_CHANNEL: Final = 2
"""The number of the permission, which never changes."""


class TemplateNotFound(NotFound):
    """There is no such template."""

    def __init__(self) -> None:
        super().__init__("there is no such template")


class TooMuch(FailedPrecondition):
    """There would be more than there can be."""

    reason = "LIMIT_REACHED"

    def __init__(self, limit: int, what: str) -> None:
        super().__init__(f"there are never more than {limit:,} {what}")


@dataclass(frozen=True, slots=True)
class RoleShape:
    """A role, its permissions by number."""

    name: str
    color: int = 0
    allow: tuple[int, ...] = ()
    deny: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class OverrideShape:
    """A role overridden in a channel, both by their numbers in the shape."""

    channel: int
    role: int
    allow: tuple[int, ...] = ()
    deny: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelShape:
    """A channel, its category by its number in the shape."""

    name: str
    topic: str = ""
    category: int | None = None
    private: bool = False
    forum: Forum | None = None
    """Its tags have no ids."""


@dataclass(frozen=True, slots=True)
class AnswerShape:
    """What may be chosen, its roles and channels by their numbers in the shape."""

    title: str
    emoji: str = ""
    roles: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class QuestionShape:
    """What newcomers are asked."""

    title: str
    answers: tuple[AnswerShape, ...]
    multiple: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True)
class OnboardingShape:
    """What newcomers meet, channels by their numbers in the shape."""

    rules: tuple[Rule, ...] = ()
    welcome: str = ""
    channels: tuple[int, ...] = ()
    must_accept: bool = False
    questions: tuple[QuestionShape, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """What a community is like. The first role is the member role; the owner's is not here."""

    roles: tuple[RoleShape, ...]
    categories: tuple[str, ...] = ()
    channels: tuple[ChannelShape, ...] = ()
    overrides: tuple[OverrideShape, ...] = ()
    onboarding: OnboardingShape = OnboardingShape()


@dataclass(frozen=True, slots=True)
class Template:
    """A shape that is found by a code."""

    code: str
    name: str
    shape: Shape
    community_id: UUID | None = None
    """None for what every instance has, as are the maker and the time."""
    creator_id: UUID | None = None
    create_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Founding:
    """A community about to be founded by a template, with what it has then."""

    shape: Shape
    channel_ids: tuple[UUID, ...]
    """Of the channels of the shape, in their order."""
    role_ids: tuple[UUID, ...] = ()
    """Of its roles; empty where rbac chooses them."""


@dataclass(frozen=True, slots=True)
class Places:
    """What a community has from the beginning."""

    categories: tuple[Category, ...] = ()
    channels: tuple[Channel, ...] = ()
    role_ids: tuple[UUID, ...] = ()
    onboarding: Onboarding | None = None


def in_order(categories: Sequence[Category], channels: Sequence[Channel]) -> list[Channel]:
    """Channels as they are listed: those of no category first."""
    places: dict[UUID | None, int] = {c.id: place for place, c in enumerate(categories, 1)}
    return sorted(channels, key=lambda c: (places.get(c.category_id, 0), c.position, c.id))


def shape_of(
    categories: Sequence[Category],
    channels: Sequence[Channel],
    roles: tuple[RoleShape, ...],
    overrides: tuple[OverrideShape, ...],
    *,
    include_private: bool,
    role_ids: Sequence[UUID] = (),
    onboarding: Onboarding | None = None,
) -> Shape:
    """What a community with all this is like; overrides number the channels as given, and
    `role_ids` are those of the roles.

    What not every member sees is left out unless it is to be included. Raises `TooMuch`.
    """
    hidden = _hidden(len(channels), roles[0], overrides)
    shown = [n for n in range(len(channels)) if include_private or n not in hidden]
    if len(shown) > CHANNELS:
        raise TooMuch(CHANNELS, "channels in a template")
    if len(roles) > ROLES:
        raise TooMuch(ROLES, "roles in a template")
    numbers = {category.id: number for number, category in enumerate(categories)}
    becomes = {was: now for now, was in enumerate(shown)}
    return Shape(
        roles,
        tuple(category.name for category in categories),
        tuple(
            ChannelShape(
                channel.name,
                channel.topic,
                None if channel.category_id is None else numbers.get(channel.category_id),
                channel.private or number in hidden,
                channel.forum and replace(channel.forum, tags=_new_tags(channel.forum)),
            )
            for number, channel in enumerate(channels)
            if number in becomes
        ),
        tuple(
            replace(each, channel=becomes[each.channel])
            for each in overrides
            if each.channel in becomes
        ),
        OnboardingShape()
        if onboarding is None
        else _met(
            onboarding,
            {channels[was].id: now for was, now in becomes.items()},
            {role_id: number for number, role_id in enumerate(role_ids)},
        ),
    )


def may_have_another_template(templates: int) -> None:
    """Return when somebody who has so many may have one more. Raises `TooMuch`."""
    if templates >= TEMPLATES:
        raise TooMuch(TEMPLATES, "templates of one person")


def laid_out(shape: Shape, community: Community) -> Places:
    """The categories and channels of a community founded by a shape, by its owner."""
    now = community.create_time
    names = dict(zip((ids.new() for _ in shape.categories), shape.categories, strict=True))
    placed = order.joined([], list(names))
    categories = [Category(i, community.id, name, placed[i], now) for i, name in names.items()]
    positions: dict[int | None, int] = {}
    channels = []
    for each in shape.channels:
        position = positions[each.category] = positions.get(each.category, 0) + order.GAP
        channel = Channel(
            ids.new(),
            community.id,
            each.name,
            now,
            community.owner_id,
            private=each.private,
            standing=Standing.SETTLED,
            topic=each.topic,
            category_id=None if each.category is None else categories[each.category].id,
            position=position,
            forum=each.forum and kept(each.forum),
        )
        channels.append(channel)
    role_ids = tuple(ids.new() for _ in shape.roles)
    channel_ids = tuple(channel.id for channel in channels)
    met = _meeting(shape.onboarding, community.id, channel_ids, role_ids)
    return Places(tuple(categories), tuple(channels), role_ids, met)


def _hidden(channels: int, member: RoleShape, overrides: Sequence[OverrideShape]) -> set[int]:
    """The channels that somebody who is a member and nothing else does not see."""
    sees = _VIEW_CHANNEL in member.allow and _VIEW_CHANNEL not in member.deny
    hidden = set() if sees else set(range(channels))
    for said in overrides:
        if said.role == 0 and _VIEW_CHANNEL in said.deny:
            hidden.add(said.channel)
        elif said.role == 0 and _VIEW_CHANNEL in said.allow:
            hidden.discard(said.channel)
    return hidden


def _new_tags(forum: Forum) -> tuple[Tag, ...]:
    return tuple(replace(tag, id=None) for tag in forum.tags)


def _met(
    onboarding: Onboarding, channels: Mapping[UUID, int], roles: Mapping[UUID, int]
) -> OnboardingShape:
    """What newcomers meet, without the channels and roles that have no numbers."""
    questions = (
        QuestionShape(
            question.title,
            tuple(
                AnswerShape(
                    answer.title,
                    answer.emoji,
                    _numbers(answer.role_ids, roles),
                    _numbers(answer.channel_ids, channels),
                )
                for answer in question.answers
            ),
            question.multiple,
            question.required,
        )
        for question in onboarding.questions
    )
    return OnboardingShape(
        onboarding.rules,
        onboarding.welcome,
        _numbers(onboarding.channel_ids, channels),
        onboarding.must_accept,
        tuple(questions),
    )


def _meeting(
    shape: OnboardingShape,
    community_id: UUID,
    channel_ids: Sequence[UUID],
    role_ids: Sequence[UUID],
) -> Onboarding | None:
    """What newcomers meet where these are the channels and roles; None for nothing."""
    if shape == OnboardingShape():
        return None
    questions = (
        Question(
            None,
            question.title,
            tuple(
                Answer(
                    None,
                    answer.title,
                    answer.emoji,
                    tuple(role_ids[number] for number in answer.roles),
                    tuple(channel_ids[number] for number in answer.channels),
                )
                for answer in question.answers
            ),
            question.multiple,
            question.required,
        )
        for question in shape.questions
    )
    return Onboarding(
        community_id,
        shape.rules,
        int(bool(shape.rules)),
        shape.welcome,
        tuple(channel_ids[number] for number in shape.channels),
        shape.must_accept,
        asked(questions, ()),
    )


def _numbers(named: Iterable[UUID], numbers: Mapping[UUID, int]) -> tuple[int, ...]:
    return tuple(numbers[each] for each in named if each in numbers)
