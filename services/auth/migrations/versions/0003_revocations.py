"""Sessions that were ended before their tokens were."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables."""
    op.execute(
        """
        CREATE TABLE revision (
            singleton boolean PRIMARY KEY CHECK (singleton),
            value bigint NOT NULL
        );
        INSERT INTO revision VALUES (true, 0);

        CREATE TABLE revocation (
            revision bigint PRIMARY KEY,
            session_id uuid NOT NULL,
            expire_time timestamptz NOT NULL
        );
        CREATE INDEX revocation_expiry ON revocation (expire_time);
        CREATE INDEX session_account ON session (account_id, create_time DESC);
        """
    )
