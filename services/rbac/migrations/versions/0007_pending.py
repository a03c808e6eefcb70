"""Who is still to accept the rules of a community."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the mark: nobody is."""
    op.execute("ALTER TABLE person ADD pending boolean NOT NULL DEFAULT false")
