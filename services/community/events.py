"""What this service tells the others."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from chassis import ids
from creavio.community.v1 import community_events_pb2
from services.community import convert
from services.community.convert import calendar
from services.community.domain import Category, Channel, Community, Member
from services.community.domain.calendar import CalendarEvent
from services.community.domain.emoji import Emoji
from services.community.domain.onboarding import Onboarding


def community_created(community: Community) -> community_events_pb2.CommunityCreated:
    """A community was founded."""
    return community_events_pb2.CommunityCreated(community=convert.community(community))


def community_updated(community: Community) -> community_events_pb2.CommunityUpdated:
    """A community says something else of itself, or belongs to somebody else."""
    return community_events_pb2.CommunityUpdated(community=convert.community(community))


def channel_created(channel: Channel) -> community_events_pb2.ChannelCreated:
    """A channel was created."""
    return community_events_pb2.ChannelCreated(channel=convert.channel(channel))


def channel_updated(channel: Channel) -> community_events_pb2.ChannelUpdated:
    """A channel was changed or moved."""
    return community_events_pb2.ChannelUpdated(channel=convert.channel(channel))


def channel_deleted(channel: Channel) -> community_events_pb2.ChannelDeleted:
    """A channel was deleted."""
    return community_events_pb2.ChannelDeleted(
        community_id=ids.text(ids.Kind.COMMUNITY, channel.community_id),
        channel_id=ids.text(ids.Kind.CHANNEL, channel.id),
    )


def category_created(category: Category) -> community_events_pb2.CategoryCreated:
    """A category was created."""
    return community_events_pb2.CategoryCreated(category=convert.category(category))


def category_updated(category: Category) -> community_events_pb2.CategoryUpdated:
    """A category was renamed or moved."""
    return community_events_pb2.CategoryUpdated(category=convert.category(category))


def category_deleted(category: Category) -> community_events_pb2.CategoryDeleted:
    """A category was deleted."""
    return community_events_pb2.CategoryDeleted(
        community_id=ids.text(ids.Kind.COMMUNITY, category.community_id),
        category_id=convert.category_text(category.id),
    )


def member_joined(member: Member) -> community_events_pb2.MemberJoined:
    """A person joined."""
    return community_events_pb2.MemberJoined(member=convert.member(member))


def member_removed(community_id: UUID, user_id: UUID) -> community_events_pb2.MemberRemoved:
    """A person belongs to the community no longer."""
    return community_events_pb2.MemberRemoved(
        community_id=ids.text(ids.Kind.COMMUNITY, community_id),
        user_id=ids.text(ids.Kind.USER, user_id),
    )


def emoji_created(emoji: Emoji) -> community_events_pb2.EmojiCreated:
    """An emoji was added."""
    return community_events_pb2.EmojiCreated(emoji=convert.emoji(emoji))


def emoji_updated(emoji: Emoji) -> community_events_pb2.EmojiUpdated:
    """An emoji was given another name."""
    return community_events_pb2.EmojiUpdated(emoji=convert.emoji(emoji))


def emoji_deleted(emoji: Emoji) -> community_events_pb2.EmojiDeleted:
    """An emoji was taken away."""
    return community_events_pb2.EmojiDeleted(
        community_id=ids.text(ids.Kind.COMMUNITY, emoji.community_id),
        emoji_id=convert.emoji_text(emoji.id),
    )


def calendar_event_saved(
    event: CalendarEvent,
) -> community_events_pb2.CalendarEventSaved | community_events_pb2.ChannelCalendarEventSaved:
    """An event of the calendar is as it is now: told to who may know of it."""
    kind = (
        community_events_pb2.CalendarEventSaved
        if event.channel_id is None
        else community_events_pb2.ChannelCalendarEventSaved
    )
    return kind(calendar_event=calendar.event(event))


def onboarding_updated(onboarding: Onboarding) -> community_events_pb2.OnboardingUpdated:
    """Newcomers meet something else."""
    return community_events_pb2.OnboardingUpdated(
        community_id=ids.text(ids.Kind.COMMUNITY, onboarding.community_id),
        rules_version=onboarding.rules_version,
    )


def onboarding_answered(
    community_id: UUID, user_id: UUID, answer_ids: Sequence[UUID]
) -> community_events_pb2.OnboardingAnswered:
    """A member answered the questions."""
    return community_events_pb2.OnboardingAnswered(
        community_id=ids.text(ids.Kind.COMMUNITY, community_id),
        user_id=ids.text(ids.Kind.USER, user_id),
        answer_ids=map(convert.answer_text, answer_ids),
    )


def onboarding_completed(
    onboarding: Onboarding, user_id: UUID
) -> community_events_pb2.OnboardingCompleted:
    """A member accepted the rules."""
    return community_events_pb2.OnboardingCompleted(
        community_id=ids.text(ids.Kind.COMMUNITY, onboarding.community_id),
        user_id=ids.text(ids.Kind.USER, user_id),
        rules_version=onboarding.rules_version,
    )
