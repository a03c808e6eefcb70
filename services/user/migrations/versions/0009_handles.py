"""Handles that change, and are held for who had them."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add when; nobody changed theirs, and what is held is held for good."""
    op.execute(
        """
        ALTER TABLE profile ADD COLUMN handle_change_time timestamptz;
        ALTER TABLE held_handle
            ADD COLUMN owner_id uuid,
            ADD COLUMN expire_time timestamptz;
        CREATE INDEX held_handle_owner ON held_handle (owner_id) WHERE owner_id IS NOT NULL;
        CREATE INDEX held_handle_expiring ON held_handle (expire_time)
            WHERE expire_time IS NOT NULL;
        """
    )
