"""How often each community changed hands."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column."""
    op.execute("ALTER TABLE community ADD transfers bigint NOT NULL DEFAULT 0")
