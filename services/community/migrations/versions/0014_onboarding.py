"""What newcomers meet, and which rules members accepted."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Create the table and the columns: no community has rules yet."""
    op.execute(
        """
        CREATE TABLE onboarding (
            community_id uuid PRIMARY KEY REFERENCES community (id),
            rules jsonb NOT NULL,
            rules_version bigint NOT NULL,
            welcome text NOT NULL,
            channel_ids uuid[] NOT NULL
        );
        ALTER TABLE member
            ADD accepted_version bigint NOT NULL DEFAULT 0,
            ADD accept_time timestamptz;
        """
    )
