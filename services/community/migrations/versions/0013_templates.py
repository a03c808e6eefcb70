"""Templates, and communities that are being founded by one."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create the table and the column: nothing is being founded by a template yet."""
    op.execute(
        """
        CREATE TABLE template (
            code text PRIMARY KEY,
            community_id uuid NOT NULL REFERENCES community (id),
            creator_id uuid NOT NULL,
            name text NOT NULL,
            shape jsonb NOT NULL,
            create_time timestamptz NOT NULL
        );
        CREATE INDEX template_creator ON template (creator_id, create_time DESC);
        CREATE INDEX template_community ON template (community_id);
        ALTER TABLE community ADD founding jsonb;
        """
    )
