"""How often people may write in a channel, and when they may again."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Change the tables; nobody waits."""
    op.execute(
        """
        ALTER TABLE channel ADD COLUMN slow_seconds integer NOT NULL DEFAULT 0;

        CREATE TABLE pace (
            channel_id uuid REFERENCES channel (id),
            user_id uuid,
            next_time timestamptz NOT NULL,
            PRIMARY KEY (channel_id, user_id)
        );
        """
    )
