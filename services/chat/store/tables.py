"""The tables, as the migrations make them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

METADATA = sa.MetaData()

CHANNEL = sa.Table(
    "channel",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("community_id", sa.Uuid),
    sa.Column("last_sequence", sa.BigInteger, nullable=False),
    sa.Column("last_message", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("counted_from", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("active", sa.DateTime(timezone=True)),
    sa.Column("slow_seconds", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("delete_time", sa.DateTime(timezone=True)),
    sa.Column("parent_id", sa.Uuid, sa.ForeignKey("channel.id")),
    sa.Column("frozen", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("erase_time", sa.DateTime(timezone=True)),
    sa.Column("forum", sa.Boolean),
    sa.Column("sweep_time", sa.DateTime(timezone=True)),
)
"""Channels, conversations and threads; conversations have no community, threads the channel
they are in as `parent_id`. Whether a channel is a `forum` community says, and is asked where
it is null; at `sweep_time` its posts lose the tags that it has no more. In what is `frozen`
only moderators write. `last_message` is the number of the latest message, `active` the hour
it was sent in; up to `counted_from` everybody has read."""
MESSAGE = sa.Table(
    "message",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("channel_id", sa.Uuid, sa.ForeignKey("channel.id"), nullable=False),
    sa.Column("author_id", sa.Uuid, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("nonce", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.LargeBinary),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("edit_time", sa.DateTime(timezone=True)),
    sa.Column("delete_time", sa.DateTime(timezone=True)),
    sa.Column("pin_time", sa.DateTime(timezone=True)),
    sa.Column("pin_revision", sa.BigInteger),
    sa.Column("reactions", JSONB, nullable=False, server_default=sa.text("'[]'")),
    sa.Column("reply_to", sa.Uuid),
    sa.Column("mentions", sa.LargeBinary),
    sa.Column("thread_id", sa.Uuid),
    sa.Column("poll", JSONB),
    sa.Column("forward", JSONB),
)
"""`reactions` is what is counted from REACTION, as pairs of emoji and count, in the order
in which each came first. `pin_revision` is the change that pinned it: pins are ordered by
it, as clocks differ. `mentions` is what `domain.mentions.packed` makes of them."""
MENTION = sa.Table(
    "mention",
    METADATA,
    sa.Column("channel_id", sa.Uuid, primary_key=True),
    sa.Column("target", sa.LargeBinary, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True),
)
"""Who is meant by which message of a channel, for counting: what `MESSAGE.mentions` says
of messages that are not deleted, but for the channels in it."""
MESSAGE_VERSION = sa.Table(
    "message_version",
    METADATA,
    sa.Column("message_id", sa.Uuid, sa.ForeignKey("message.id"), primary_key=True),
    sa.Column("revision", sa.BigInteger, primary_key=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
)
"""What messages said before they were edited. `revision` is the last number at which
they said it."""
REACTION = sa.Table(
    "reaction",
    METADATA,
    sa.Column("message_id", sa.Uuid, sa.ForeignKey("message.id"), primary_key=True),
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("emoji", sa.Text, primary_key=True),
)
POLL_VOTE = sa.Table(
    "poll_vote",
    METADATA,
    sa.Column("message_id", sa.Uuid, sa.ForeignKey("message.id"), primary_key=True),
    sa.Column("option", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.Uuid, primary_key=True),
)
"""Who chose what; how many did is counted in `MESSAGE.poll`."""
CONVERSATION = sa.Table(
    "conversation",
    METADATA,
    sa.Column(
        "id",
        sa.Uuid,
        sa.ForeignKey("channel.id", deferrable=True, initially="DEFERRED"),
        primary_key=True,
    ),
    sa.Column("first_id", sa.Uuid),
    sa.Column("second_id", sa.Uuid),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("owner_id", sa.Uuid),
    sa.Column("name", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("icon_id", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("revision", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("gone", sa.Boolean, nullable=False, server_default=sa.false()),
)
"""`first_id` and `second_id` are the members of a conversation of two, and unique; the others
are groups, and have an owner. One of two of whom one deleted their account is `gone`."""
CONVERSATION_MEMBER = sa.Table(
    "conversation_member",
    METADATA,
    sa.Column("conversation_id", sa.Uuid, sa.ForeignKey("conversation.id"), primary_key=True),
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("since", sa.BigInteger, nullable=False, server_default=sa.text("0")),
)
"""`since` is the number of the change by which somebody came in."""
BLOCK = sa.Table(
    "block",
    METADATA,
    sa.Column("blocked_id", sa.Uuid, primary_key=True),
    sa.Column("blocker_id", sa.Uuid, primary_key=True),
)
"""Who wants nothing to do with whom."""
STANDING = sa.Table(
    "standing",
    METADATA,
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("deactivated", sa.Boolean, nullable=False),
)
"""Who deactivated their account or came back, and how often that changed so far."""
THREAD = sa.Table(
    "thread",
    METADATA,
    sa.Column("id", sa.Uuid, sa.ForeignKey("channel.id"), primary_key=True),
    sa.Column("channel_id", sa.Uuid, sa.ForeignKey("channel.id"), nullable=False),
    sa.Column("message_id", sa.Uuid),
    sa.Column("creator_id", sa.Uuid, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("archive_hours", sa.Integer, nullable=False),
    sa.Column("archive_time", sa.DateTime(timezone=True)),
    sa.Column("review_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("reply_count", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("last_reply_time", sa.DateTime(timezone=True)),
    sa.Column("stale", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()),
)
"""`stale` is what changed and was not told yet. At `review_time` it is seen whether a thread
is to be archived; it may come too early, and never too late."""
POST_TAG = sa.Table(
    "post_tag",
    METADATA,
    sa.Column("thread_id", sa.Uuid, sa.ForeignKey("thread.id"), primary_key=True),
    sa.Column("tag_id", sa.Uuid, primary_key=True),
    sa.Column("channel_id", sa.Uuid, sa.ForeignKey("channel.id"), nullable=False),
    sa.Column("archived", sa.Boolean, nullable=False),
    sa.Column("activity", sa.DateTime(timezone=True), nullable=False),
)
"""What the posts of forums are tagged with. `archived` and `activity`, which lists go by,
triggers keep as the thread has them."""
THREAD_FOLLOWER = sa.Table(
    "thread_follower",
    METADATA,
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("community_id", sa.Uuid, primary_key=True),
    sa.Column("thread_id", sa.Uuid, sa.ForeignKey("thread.id"), primary_key=True),
)
"""Who follows which thread, with the community it is in."""
DRAFT = sa.Table(
    "draft",
    METADATA,
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("channel_id", sa.Uuid, sa.ForeignKey("channel.id"), primary_key=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("reply_to", sa.Uuid),
    sa.Column("update_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
)
BOOKMARK = sa.Table(
    "bookmark",
    METADATA,
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("message_id", sa.Uuid, sa.ForeignKey("message.id"), primary_key=True),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
)
"""Listed by `id`, which says the order."""
SCHEDULED_MESSAGE = sa.Table(
    "scheduled_message",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid, nullable=False),
    sa.Column("channel_id", sa.Uuid, sa.ForeignKey("channel.id"), nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("reply_to", sa.Uuid),
    sa.Column("send_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("failure", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("claim_time", sa.DateTime(timezone=True)),
)
"""`claim_time` is when a replica took it to send it."""
PACE = sa.Table(
    "pace",
    METADATA,
    sa.Column("channel_id", sa.Uuid, sa.ForeignKey("channel.id"), primary_key=True),
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("next_time", sa.DateTime(timezone=True), nullable=False),
)
"""When people may write again in a channel in slow mode."""
READ_STATE = sa.Table(
    "read_state",
    METADATA,
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("channel_id", sa.Uuid, sa.ForeignKey("channel.id"), primary_key=True),
    sa.Column("community_id", sa.Uuid),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("behind", sa.Boolean, nullable=False),
)
"""How far somebody has read; `behind` where they are noted to have news (store.reading)."""
READER = sa.Table(
    "reader",
    METADATA,
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("community_id", sa.Uuid, primary_key=True),
    sa.Column("join_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("settled", sa.DateTime(timezone=True), nullable=False),
)
"""Since when somebody reads a community, and up to which hour they are settled."""
