"""Second factors: an app's secret, and the codes for when it is lost."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the tables."""
    op.execute(
        """
        CREATE TABLE second_factor (
            account_id uuid PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
            sealed_secret text NOT NULL,
            used_step bigint NOT NULL,
            enable_time timestamptz
        );

        CREATE TABLE recovery_code (
            account_id uuid NOT NULL REFERENCES second_factor (account_id) ON DELETE CASCADE,
            code_hash bytea NOT NULL,
            PRIMARY KEY (account_id, code_hash)
        );
        """
    )
