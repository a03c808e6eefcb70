"""The tables of user; migrations/ makes them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

METADATA: Final = sa.MetaData()
_MOMENT: Final = sa.DateTime(timezone=True)

PROFILE: Final = sa.Table(
    "profile",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("handle", sa.Text, nullable=False, unique=True),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("bio", sa.Text, nullable=False),
    sa.Column("create_time", _MOMENT, nullable=False),
    sa.Column("status_text", sa.Text, nullable=False, server_default=""),
    # NULL for those who looked like somebody else before that was looked at.
    sa.Column("skeleton", sa.Text, unique=True),
    sa.Column("bot", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("avatar_id", sa.Text, nullable=False, server_default=""),
    sa.Column("bio_audience", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("status_audience", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("deactivated", sa.Boolean, nullable=False, server_default=sa.false()),
    # How far auth was heard about that.
    sa.Column("standing_revision", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    # And how far others were told of it.
    sa.Column("told_revision", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("handle_change_time", _MOMENT),
)

BLOCK: Final = sa.Table(
    "block",
    METADATA,
    sa.Column("number", sa.BigInteger, sa.Identity(always=True), unique=True),
    sa.Column("blocker_id", sa.Uuid, primary_key=True),
    sa.Column("blocked_id", sa.Uuid, primary_key=True),
    sa.Column("create_time", _MOMENT, nullable=False),
    sa.Column("told", sa.Boolean, nullable=False, server_default=sa.true()),
)
"""`told` is false of those that were there before anybody else was told of blocks."""

SETTINGS: Final = sa.Table(
    "settings",
    METADATA,
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("theme", sa.Integer, nullable=False),
    sa.Column("locale", sa.Text, nullable=False),
    sa.Column("reduce_motion", sa.Boolean, nullable=False),
    sa.Column("hide_typing", sa.Boolean, nullable=False),
    sa.Column("compact", sa.Boolean, nullable=False),
    sa.Column("direct_messages", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
)

ERASURE: Final = sa.Table(
    "erasure",
    METADATA,
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("create_time", _MOMENT, nullable=False),
    sa.Column("noted", sa.Boolean, nullable=False),
)
"""Who was erased; `noted` where it stands outside, too, and survives a restore."""
CONFIRMATION: Final = sa.Table(
    "erasure_confirmation",
    METADATA,
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("erasure.user_id"), primary_key=True),
    sa.Column("service", sa.Text, primary_key=True),
    sa.Column("create_time", _MOMENT, nullable=False),
)
"""Which service has erased what it kept of them."""
HELD_HANDLE: Final = sa.Table(
    "held_handle",
    METADATA,
    sa.Column("skeleton", sa.LargeBinary, primary_key=True),
    sa.Column("owner_id", sa.Uuid),
    sa.Column("expire_time", _MOMENT),
)
"""Handles nobody gets, by keyed hashes of what they look like: those of people who are gone.

Or, until it expires, nobody but the owner, whose handle it was before."""
