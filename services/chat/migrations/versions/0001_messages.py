"""Channels' sequences, and messages."""

from alembic import op

from chassis import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    schema.create(op.get_bind())
    op.execute(
        """
        CREATE TABLE channel (
            id uuid PRIMARY KEY,
            community_id uuid NOT NULL,
            last_sequence bigint NOT NULL
        );

        CREATE TABLE message (
            id uuid PRIMARY KEY,
            channel_id uuid NOT NULL REFERENCES channel (id),
            author_id uuid NOT NULL,
            content text NOT NULL,
            nonce text NOT NULL,
            sequence bigint NOT NULL,
            revision bigint NOT NULL,
            create_time timestamptz NOT NULL,
            edit_time timestamptz,
            delete_time timestamptz
        );
        CREATE INDEX message_list ON message (channel_id, sequence DESC)
            WHERE delete_time IS NULL;
        CREATE UNIQUE INDEX message_nonce ON message (channel_id, author_id, nonce)
            WHERE nonce <> '';
        """
    )
