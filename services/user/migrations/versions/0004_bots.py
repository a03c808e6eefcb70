"""Profiles that are bots'."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Say of each whether it is one."""
    op.execute("ALTER TABLE profile ADD COLUMN bot boolean NOT NULL DEFAULT false")
