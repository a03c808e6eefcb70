"""What messages ask their readers, and who chose what."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Change the tables; no message asks anything yet."""
    op.execute(
        """
        ALTER TABLE message ADD COLUMN poll jsonb;

        CREATE TABLE poll_vote (
            message_id uuid REFERENCES message (id),
            option integer,
            user_id uuid,
            PRIMARY KEY (message_id, option, user_id)
        );
        CREATE INDEX poll_vote_person ON poll_vote (user_id, message_id);
        """
    )
