"""Drafts, bookmarks, and messages that are to be sent later."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the tables."""
    op.execute(
        """
        CREATE SEQUENCE draft_revision;
        CREATE TABLE draft (
            user_id uuid,
            channel_id uuid REFERENCES channel (id),
            content text NOT NULL,
            reply_to uuid,
            update_time timestamptz NOT NULL,
            revision bigint NOT NULL,
            PRIMARY KEY (user_id, channel_id)
        );
        CREATE INDEX draft_channel ON draft (channel_id);

        CREATE TABLE bookmark (
            user_id uuid,
            message_id uuid REFERENCES message (id),
            id uuid NOT NULL,
            create_time timestamptz NOT NULL,
            PRIMARY KEY (user_id, message_id)
        );
        CREATE UNIQUE INDEX bookmark_list ON bookmark (user_id, id);
        CREATE INDEX bookmark_message ON bookmark (message_id);

        CREATE TABLE scheduled_message (
            id uuid PRIMARY KEY,
            user_id uuid NOT NULL,
            channel_id uuid NOT NULL REFERENCES channel (id),
            content text NOT NULL,
            reply_to uuid,
            send_time timestamptz NOT NULL,
            failure text NOT NULL DEFAULT '',
            claim_time timestamptz
        );
        CREATE INDEX scheduled_message_list ON scheduled_message (user_id, send_time, id);
        CREATE INDEX scheduled_message_due ON scheduled_message (send_time) WHERE failure = '';
        CREATE INDEX scheduled_message_channel ON scheduled_message (channel_id);
        """
    )
