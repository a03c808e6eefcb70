"""Channels that are forums, and the tags of their posts."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Change the tables; of the channels there are it is asked what they are."""
    op.execute(
        """
        ALTER TABLE channel
            ADD COLUMN forum boolean,
            ADD COLUMN sweep_time timestamptz;
        CREATE INDEX channel_sweep ON channel (sweep_time) WHERE sweep_time IS NOT NULL;

        ALTER TABLE thread ADD COLUMN pinned boolean NOT NULL DEFAULT false;
        CREATE UNIQUE INDEX thread_pinned ON thread (channel_id) WHERE pinned;
        CREATE INDEX thread_lively
            ON thread (channel_id, (coalesce(last_reply_time, create_time)), id)
            WHERE archive_time IS NULL;
        CREATE INDEX thread_lively_archived
            ON thread (channel_id, (coalesce(last_reply_time, create_time)), id)
            WHERE archive_time IS NOT NULL;

        CREATE TABLE post_tag (
            thread_id uuid REFERENCES thread (id),
            tag_id uuid,
            channel_id uuid NOT NULL REFERENCES channel (id),
            PRIMARY KEY (thread_id, tag_id)
        );
        CREATE INDEX post_tag_channel ON post_tag (channel_id, tag_id, thread_id);
        """
    )
