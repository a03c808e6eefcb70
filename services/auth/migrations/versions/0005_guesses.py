"""How often somebody guessed at a password, and from where they know it."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables."""
    op.execute(
        """
        CREATE TABLE guess (
            key bytea PRIMARY KEY,
            count integer NOT NULL,
            end_time timestamptz NOT NULL
        );
        CREATE INDEX guess_end ON guess (end_time);

        CREATE TABLE known_source (
            login bytea NOT NULL,
            source bytea NOT NULL,
            expire_time timestamptz NOT NULL,
            PRIMARY KEY (login, source)
        );
        CREATE INDEX known_source_expiry ON known_source (expire_time);
        """
    )
