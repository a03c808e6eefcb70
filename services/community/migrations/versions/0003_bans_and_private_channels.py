"""Bans, and channels for some."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Change the tables; the channels there are exist for everybody."""
    op.execute(
        """
        ALTER TABLE channel
            ADD creator_id uuid,
            ADD private boolean NOT NULL DEFAULT false,
            ADD standing text NOT NULL DEFAULT 'settled';
        ALTER TABLE channel ALTER private DROP DEFAULT, ALTER standing DROP DEFAULT;
        CREATE INDEX channel_unsettled ON channel (create_time) WHERE standing <> 'settled';

        CREATE TABLE ban (
            community_id uuid REFERENCES community (id),
            user_id uuid,
            creator_id uuid NOT NULL,
            reason text NOT NULL,
            create_time timestamptz NOT NULL,
            PRIMARY KEY (community_id, user_id)
        );
        CREATE INDEX ban_list ON ban (community_id, create_time DESC, user_id DESC);
        """
    )
