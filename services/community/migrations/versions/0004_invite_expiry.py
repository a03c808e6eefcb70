"""Invites that expired are found."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the index."""
    op.execute("CREATE INDEX invite_expiry ON invite (expire_time)")
