"""Accounts that are deactivated until their owner signs in."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Say of each since when; none is."""
    op.execute(
        """
        ALTER TABLE account
            ADD COLUMN deactivate_time timestamptz,
            ADD COLUMN standing_revision bigint NOT NULL DEFAULT 0,
            ADD COLUMN told_revision bigint NOT NULL DEFAULT 0;
        CREATE INDEX account_untold ON account (create_time)
            WHERE standing_revision <> told_revision;
        """
    )
