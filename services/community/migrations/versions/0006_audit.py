"""The audit log."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table."""
    op.execute(
        """
        CREATE TABLE audit (
            id uuid PRIMARY KEY,
            community_id uuid NOT NULL REFERENCES community (id),
            actor_id uuid NOT NULL,
            action smallint NOT NULL,
            target_id text NOT NULL,
            target_name text NOT NULL,
            reason text NOT NULL,
            differences jsonb NOT NULL,
            create_time timestamptz NOT NULL
        );
        CREATE INDEX audit_list ON audit (community_id, id DESC);
        CREATE INDEX audit_age ON audit (create_time);
        """
    )
