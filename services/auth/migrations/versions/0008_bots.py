"""Bots."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table."""
    op.execute(
        """
        CREATE TABLE bot (
            id uuid PRIMARY KEY,
            owner_id uuid NOT NULL,
            handle text NOT NULL UNIQUE,
            display_name text NOT NULL,
            standing text NOT NULL,
            create_time timestamptz NOT NULL
        );
        CREATE INDEX bot_owner ON bot (owner_id, create_time);
        CREATE INDEX bot_unsettled ON bot (create_time) WHERE standing <> 'settled';
        """
    )
