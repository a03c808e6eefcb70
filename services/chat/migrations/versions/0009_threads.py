"""Threads, who follows them, and the message each began at."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Change the tables; there is no thread yet."""
    op.execute(
        """
        ALTER TABLE channel
            ADD COLUMN parent_id uuid REFERENCES channel (id),
            ADD COLUMN frozen boolean NOT NULL DEFAULT false;
        CREATE INDEX channel_parent ON channel (parent_id) WHERE parent_id IS NOT NULL;
        -- What is new in threads is found by who follows them.
        DROP INDEX channel_active;
        CREATE INDEX channel_active ON channel (community_id, active) WHERE parent_id IS NULL;

        ALTER TABLE message ADD COLUMN thread_id uuid;

        CREATE TABLE thread (
            id uuid PRIMARY KEY REFERENCES channel (id),
            channel_id uuid NOT NULL REFERENCES channel (id),
            message_id uuid,
            creator_id uuid NOT NULL,
            name text NOT NULL,
            create_time timestamptz NOT NULL,
            archive_hours integer NOT NULL,
            archive_time timestamptz,
            review_time timestamptz NOT NULL,
            reply_count bigint NOT NULL DEFAULT 0,
            last_reply_time timestamptz,
            stale boolean NOT NULL DEFAULT false
        );
        CREATE UNIQUE INDEX thread_message ON thread (message_id) WHERE message_id IS NOT NULL;
        CREATE INDEX thread_active ON thread (channel_id, id) WHERE archive_time IS NULL;
        CREATE INDEX thread_archived ON thread (channel_id, id) WHERE archive_time IS NOT NULL;
        CREATE INDEX thread_review ON thread (review_time) WHERE archive_time IS NULL;
        CREATE INDEX thread_stale ON thread (id) WHERE stale;

        CREATE TABLE thread_follower (
            user_id uuid,
            community_id uuid,
            thread_id uuid REFERENCES thread (id),
            PRIMARY KEY (user_id, community_id, thread_id)
        );
        CREATE INDEX thread_follower_thread ON thread_follower (thread_id);
        """
    )
