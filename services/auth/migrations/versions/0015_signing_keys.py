"""The keys that access tokens are signed with."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Create the table."""
    op.execute(
        """
        CREATE TABLE signing_key (
            id text PRIMARY KEY,
            sealed text NOT NULL,
            sign_time timestamptz NOT NULL,
            withdraw_time timestamptz
        );
        """
    )
