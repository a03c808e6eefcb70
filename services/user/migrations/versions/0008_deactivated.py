"""People who deactivated their account."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Say of each whether they did; nobody has."""
    op.execute(
        """
        ALTER TABLE profile
            ADD COLUMN deactivated boolean NOT NULL DEFAULT false,
            ADD COLUMN standing_revision bigint NOT NULL DEFAULT 0
        """
    )
