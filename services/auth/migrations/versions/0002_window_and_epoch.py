"""The outbox by days, epochs, dead letters that can be replayed."""

from alembic import op

from chassis import schema

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Change the chassis' tables."""
    schema.add_window_and_epoch(op.get_bind())
