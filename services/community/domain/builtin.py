"""The templates that every instance has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.community.domain.forum import Forum, Sort, Tag
from services.community.domain.template import (
    ChannelShape,
    OverrideShape,
    RoleShape,
    Shape,
    Template,
)

_SEND_MESSAGES: Final = 3
_MEMBERS: Final = RoleShape("member", allow=(1, 2, _SEND_MESSAGES, 5, 10))
"""As in a community that is founded by no template; a test compares."""
_MODERATE: Final = (4, 7, 9, 11, 14, 17)
"""Deleting messages, removing and banning, pinning, the audit log, timeouts."""
_TEACH: Final = (4, 11, 16, 17, 19)
"""Deleting messages, pinning, mentioning everybody, timeouts, the calendar."""
_GREEN: Final = 0x2E8B57
_BLUE: Final = 0x3B6FB6


def _told_by(channel: int, role: int) -> tuple[OverrideShape, ...]:
    """A channel that one role writes in, and nobody else."""
    return (
        OverrideShape(channel, 0, deny=(_SEND_MESSAGES,)),
        OverrideShape(channel, role, allow=(_SEND_MESSAGES,)),
    )


BUILT_IN: Final[Mapping[str, Template]] = {
    template.code: template
    for template in (
        Template(
            "club",
            "Club",
            Shape(
                (_MEMBERS, RoleShape("Moderators", _GREEN, _MODERATE)),
                ("Welcome", "Talk"),
                (
                    ChannelShape("announcements", category=0),
                    ChannelShape("introductions", category=0),
                    ChannelShape("general", category=1),
                    ChannelShape("off-topic", category=1),
                ),
                _told_by(0, 1),
            ),
        ),
        Template(
            "class",
            "Class",
            Shape(
                (_MEMBERS, RoleShape("Teachers", _BLUE, _TEACH)),
                ("Course", "Together"),
                (
                    ChannelShape("announcements", category=0),
                    ChannelShape("materials", category=0),
                    ChannelShape(
                        "questions",
                        category=1,
                        forum=Forum(
                            "Search before you ask; say what you have tried.",
                            (Tag(None, "Homework"), Tag(None, "Exam"), Tag(None, "Other")),
                            tag_required=True,
                        ),
                    ),
                    ChannelShape("study-group", category=1),
                ),
                (*_told_by(0, 1), *_told_by(1, 1)),
            ),
        ),
        Template(
            "project",
            "Project",
            Shape(
                (_MEMBERS, RoleShape("Maintainers", _GREEN, (*_MODERATE, 16, 18, 19))),
                ("Project", "Community"),
                (
                    ChannelShape("announcements", category=0),
                    ChannelShape("development", category=0),
                    ChannelShape(
                        "help",
                        category=1,
                        forum=Forum(
                            "One question each, with the version you use.",
                            (Tag(None, "Bug"), Tag(None, "Question"), Tag(None, "Idea")),
                            sort=Sort.NEWEST,
                        ),
                    ),
                    ChannelShape("general", category=1),
                ),
                _told_by(0, 1),
            ),
        ),
    )
}
