"""Who is timed out."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table. What has expired is read over, and dropped by the hour."""
    op.execute(
        """
        CREATE TABLE timeout (
            community_id uuid NOT NULL REFERENCES community,
            user_id uuid NOT NULL,
            creator_id uuid NOT NULL,
            reason text NOT NULL,
            create_time timestamptz NOT NULL,
            expire_time timestamptz NOT NULL,
            PRIMARY KEY (community_id, user_id)
        )
        """
    )
    op.execute("CREATE INDEX timeout_ends ON timeout (community_id, expire_time, user_id)")
    op.execute("CREATE INDEX timeout_over ON timeout (expire_time)")
