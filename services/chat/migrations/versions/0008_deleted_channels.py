"""Channels that are no more."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Change the tables; every channel is there."""
    op.execute("ALTER TABLE channel ADD COLUMN delete_time timestamptz")
