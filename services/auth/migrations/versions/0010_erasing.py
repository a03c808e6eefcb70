"""What people are erased by."""

from alembic import op

from chassis import schema

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add it."""
    schema.add_erasing(op.get_bind())
