"""The tables."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

METADATA: Final = sa.MetaData()

REVISION: Final = sa.Table(
    "revision",
    METADATA,
    sa.Column("singleton", sa.Boolean, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
COMMUNITY: Final = sa.Table(
    "community",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("next_number", sa.Integer, nullable=False),
    sa.Column("transfers", sa.BigInteger, nullable=False, server_default="0"),
)
"""`revision` is that of the last change of the policy. A change locks the row, and with
it everything of the community."""
ROLE: Final = sa.Table(
    "role",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("kind", sa.SmallInteger, nullable=False),
    sa.Column("color", sa.Integer, nullable=False),
    sa.Column("allow", ARRAY(sa.Integer), nullable=False),
    sa.Column("deny", ARRAY(sa.Integer), nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.UniqueConstraint("community_id", "position", deferrable=True, initially="DEFERRED"),
    sa.UniqueConstraint("community_id", "number"),
)
"""The owner's role has neither `allow` nor `deny`: what it allows follows from its kind."""
PERSON: Final = sa.Table(
    "person",
    METADATA,
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), primary_key=True),
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("pending", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("admission", sa.BigInteger, nullable=False, server_default="0"),
)
"""Everybody who ever had something in a community; whoever left stays, without roles.

`admission` is the number of what was said last of their joining and their answers."""
BINDING: Final = sa.Table(
    "binding",
    METADATA,
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), primary_key=True),
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("role_id", sa.Uuid, sa.ForeignKey("role.id"), primary_key=True),
    sa.Column("by_hand", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("by_answer", sa.Boolean, nullable=False, server_default=sa.false()),
)
"""Who holds which role: by hand, by the answers they gave, or by both."""
ROLE_OVERRIDE: Final = sa.Table(
    "role_override",
    METADATA,
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), primary_key=True),
    sa.Column("channel_id", sa.Uuid, primary_key=True),
    sa.Column("role_id", sa.Uuid, sa.ForeignKey("role.id"), primary_key=True),
    sa.Column("allow", ARRAY(sa.Integer), nullable=False),
    sa.Column("deny", ARRAY(sa.Integer), nullable=False),
)
MEMBER_OVERRIDE: Final = sa.Table(
    "member_override",
    METADATA,
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), primary_key=True),
    sa.Column("channel_id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("allow", ARRAY(sa.Integer), nullable=False),
    sa.Column("deny", ARRAY(sa.Integer), nullable=False),
)
TIMEOUT: Final = sa.Table(
    "timeout",
    METADATA,
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), primary_key=True),
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("creator_id", sa.Uuid, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
)
"""Leaving ends no timeout: whoever comes back is still timed out."""
PRIVATE_CHANNEL: Final = sa.Table(
    "private_channel",
    METADATA,
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), primary_key=True),
    sa.Column("channel_id", sa.Uuid, primary_key=True),
)
"""The channels that were made private once: making them so again changes nothing."""
