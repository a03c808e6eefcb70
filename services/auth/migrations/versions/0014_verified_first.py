"""Whether an address has to be verified before its owner may write."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column."""
    op.execute(
        """
        ALTER TABLE registration
            ADD COLUMN require_verified_email boolean NOT NULL DEFAULT false;
        """
    )
