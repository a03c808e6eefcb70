"""Identities somewhere else."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create the table."""
    op.execute(
        """
        CREATE TABLE identity (
            provider text NOT NULL,
            subject text NOT NULL,
            account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            create_time timestamptz NOT NULL,
            PRIMARY KEY (provider, subject),
            UNIQUE (account_id, provider)
        );
        """
    )
