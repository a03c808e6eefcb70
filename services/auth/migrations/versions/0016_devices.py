"""From where a session was begun, so that its owner knows it again."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the columns."""
    op.execute(
        """
        ALTER TABLE session ADD COLUMN user_agent text NOT NULL DEFAULT '';
        ALTER TABLE session ADD COLUMN network text NOT NULL DEFAULT '';
        """
    )
