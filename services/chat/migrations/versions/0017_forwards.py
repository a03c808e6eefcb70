"""Messages that were sent on from somewhere else."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Change the table; no message was sent on yet."""
    op.execute("ALTER TABLE message ADD COLUMN forward jsonb")
