"""Those who may write again in a channel in slow mode are found, and forgotten."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Index when somebody may write again."""
    op.execute("CREATE INDEX pace_next_time ON pace (next_time)")
