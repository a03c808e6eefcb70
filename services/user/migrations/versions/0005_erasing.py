"""What people are erased by, and what is theirs found by."""

from alembic import op

from chassis import schema

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add it."""
    schema.add_erasing(op.get_bind())
    op.execute("CREATE INDEX block_blocked ON block (blocked_id, blocker_id)")
    op.execute(
        """
        CREATE TABLE erasure (
            user_id uuid PRIMARY KEY,
            create_time timestamptz NOT NULL,
            noted boolean NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX erasure_latest ON erasure (create_time)")
    op.execute("CREATE INDEX erasure_unnoted ON erasure (create_time) WHERE NOT noted")
    op.execute(
        """
        CREATE TABLE erasure_confirmation (
            user_id uuid NOT NULL REFERENCES erasure (user_id),
            service text NOT NULL,
            create_time timestamptz NOT NULL,
            PRIMARY KEY (user_id, service)
        )
        """
    )
    op.execute("CREATE TABLE held_handle (skeleton bytea PRIMARY KEY)")
