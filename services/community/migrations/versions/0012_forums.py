"""Channels that are forums."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the column: none of the channels there are is a forum."""
    op.execute("ALTER TABLE channel ADD forum jsonb")
