"""What messages said before they were edited."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Change the tables; of what was edited until now nothing earlier is known."""
    op.execute(
        """
        CREATE TABLE message_version (
            message_id uuid REFERENCES message (id),
            revision bigint,
            content text NOT NULL,
            create_time timestamptz NOT NULL,
            PRIMARY KEY (message_id, revision)
        );
        """
    )
