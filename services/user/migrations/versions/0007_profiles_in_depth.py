"""Pictures, and who may see what of a profile."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add them; whoever is here shows what they showed."""
    op.execute(
        """
        ALTER TABLE profile
            ADD COLUMN avatar_id text NOT NULL DEFAULT '',
            ADD COLUMN bio_audience smallint NOT NULL DEFAULT 0,
            ADD COLUMN status_audience smallint NOT NULL DEFAULT 0
        """
    )
