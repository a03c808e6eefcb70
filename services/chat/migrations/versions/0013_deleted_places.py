"""Places that are no more are erased, and which of them are."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Change the tables; what was deleted until now is erased from now on."""
    op.execute(
        """
        ALTER TABLE channel ADD COLUMN erase_time timestamptz;
        CREATE INDEX channel_erasing ON channel (delete_time)
            WHERE delete_time IS NOT NULL AND erase_time IS NULL;
        """
    )
