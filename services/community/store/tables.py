"""The tables of communities, categories, channels, members, invites, bans and deeds."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

METADATA = sa.MetaData()

COMMUNITY = sa.Table(
    "community",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("owner_id", sa.Uuid, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("standing", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("visibility", sa.Text, nullable=False, server_default="private"),
    sa.Column("icon", sa.Text, nullable=False, server_default=""),
    sa.Column("next_owner_id", sa.Uuid),
    sa.Column("transfers", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("transfer_time", sa.DateTime(timezone=True)),
    sa.Column("fold", sa.Text(collation="C"), nullable=False, server_default=""),
    sa.Column("founding", JSONB(none_as_null=True)),
    sa.Column("tags", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("language", sa.Text, nullable=False, server_default=""),
    sa.Column("facets", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("search", TSVECTOR, nullable=False, server_default=""),
)
"""`founding` is the template of one that is not founded yet, with the ids of its channels
and roles. `facets` and `search` are what it is found by."""
MEMBER_COUNT = sa.Table(
    "member_count",
    METADATA,
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), primary_key=True),
    sa.Column("members", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("listed", sa.Boolean, nullable=False, server_default=sa.false()),
)
"""How many belonged to a community when changes were taken in last; `listed` says whether
everybody may find it."""
MEMBER_CHANGE = sa.Table(
    "member_change",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), nullable=False),
    sa.Column("change", sa.BigInteger, nullable=False),
)
"""Who came and went since then: a trigger of `member` writes it."""
CATEGORY = sa.Table(
    "category",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
)
CHANNEL = sa.Table(
    "channel",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("creator_id", sa.Uuid),
    sa.Column("private", sa.Boolean, nullable=False),
    sa.Column("standing", sa.Text, nullable=False),
    sa.Column("topic", sa.Text, nullable=False, server_default=""),
    sa.Column("category_id", sa.Uuid, sa.ForeignKey("category.id")),
    sa.Column("position", sa.Integer, nullable=False, server_default="0"),
    sa.Column("delete_time", sa.DateTime(timezone=True)),
    sa.Column("forum", JSONB(none_as_null=True)),
)
MEMBER = sa.Table(
    "member",
    METADATA,
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), primary_key=True),
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("join_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("standing", sa.Text, nullable=False),
    sa.Column("change_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("removers", ARRAY(sa.Uuid), nullable=False, server_default="{}"),
    sa.Column("accepted_version", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("accept_time", sa.DateTime(timezone=True)),
    sa.Column("answer_ids", ARRAY(sa.Uuid), nullable=False, server_default="{}"),
    sa.Column("pending", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("admission", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("tell_time", sa.DateTime(timezone=True)),
)
"""`accepted_version` is that of the rules the member accepted last.

`admission` numbers what they accepted and answered, and `tell_time` is when they did,
until rbac knows what follows."""
ADMISSION = sa.Sequence("admission", metadata=METADATA)
"""One for everybody, so that who comes back goes on above where they left."""
ONBOARDING = sa.Table(
    "onboarding",
    METADATA,
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), primary_key=True),
    sa.Column("rules", JSONB, nullable=False),
    sa.Column("rules_version", sa.BigInteger, nullable=False),
    sa.Column("welcome", sa.Text, nullable=False),
    sa.Column("channel_ids", ARRAY(sa.Uuid), nullable=False),
    sa.Column("must_accept", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("questions", JSONB, nullable=False, server_default="[]"),
)
INVITE = sa.Table(
    "invite",
    METADATA,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), nullable=False),
    sa.Column("creator_id", sa.Uuid, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("max_uses", sa.Integer, nullable=False, server_default="0"),
    sa.Column("uses", sa.Integer, nullable=False, server_default="0"),
)
BAN = sa.Table(
    "ban",
    METADATA,
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), primary_key=True),
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("creator_id", sa.Uuid, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("settled", sa.Boolean, nullable=False, server_default="true"),
)
"""One that is not settled keeps somebody out while rbac judges whether they may be banned."""
EMOJI = sa.Table(
    "emoji",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), nullable=False),
    sa.Column("name", sa.Text(collation="C"), nullable=False),
    sa.Column("file_id", sa.Text, nullable=False),
    sa.Column("creator_id", sa.Uuid, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.UniqueConstraint("community_id", "name"),
)
CALENDAR_EVENT = sa.Table(
    "calendar_event",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), nullable=False),
    sa.Column("channel_id", sa.Uuid),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("location", sa.Text, nullable=False),
    sa.Column("start_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("end_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("creator_id", sa.Uuid, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("cancel_time", sa.DateTime(timezone=True)),
    sa.Column("interested", sa.Integer, nullable=False, server_default="0"),
    sa.Column("going", sa.Integer, nullable=False, server_default="0"),
)
"""`interested` and `going` count the answers, under the lock of the row."""
CALENDAR_ANSWER = sa.Table(
    "calendar_answer",
    METADATA,
    sa.Column("event_id", sa.Uuid, sa.ForeignKey("calendar_event.id"), primary_key=True),
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("answer", sa.SmallInteger, nullable=False),
)
TEMPLATE = sa.Table(
    "template",
    METADATA,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), nullable=False),
    sa.Column("creator_id", sa.Uuid, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("shape", JSONB, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
)
AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), nullable=False),
    sa.Column("actor_id", sa.Uuid, nullable=False),
    sa.Column("action", sa.SmallInteger, nullable=False),
    sa.Column("target_id", sa.Text, nullable=False),
    sa.Column("target_name", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("differences", JSONB, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
)
