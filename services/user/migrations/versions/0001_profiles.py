"""Profiles."""

from alembic import op

from chassis import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    schema.create(op.get_bind())
    op.execute(
        """
        CREATE TABLE profile (
            id uuid PRIMARY KEY,
            handle text NOT NULL UNIQUE,
            display_name text NOT NULL,
            bio text NOT NULL,
            create_time timestamptz NOT NULL
        )
        """
    )
