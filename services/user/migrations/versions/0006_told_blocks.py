"""Blocks of before are told, as services keep them now."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Mark those there are."""
    op.execute("ALTER TABLE block ADD COLUMN told boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE block ALTER COLUMN told SET DEFAULT true")
    op.execute("CREATE INDEX block_untold ON block (number) WHERE NOT told")
