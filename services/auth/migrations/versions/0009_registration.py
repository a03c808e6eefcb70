"""Who may sign up, and the codes that let people in."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the tables."""
    op.execute(
        """
        CREATE TABLE registration (
            singleton boolean PRIMARY KEY CHECK (singleton),
            mode text NOT NULL
        );
        INSERT INTO registration VALUES (true, 'open');

        CREATE TABLE sign_up_code (
            code text PRIMARY KEY,
            max_uses integer NOT NULL,
            uses integer NOT NULL,
            overrules boolean NOT NULL,
            create_time timestamptz NOT NULL,
            expire_time timestamptz NOT NULL
        );
        CREATE INDEX sign_up_code_expiry ON sign_up_code (expire_time);

        CREATE TABLE sign_up_use (
            account_id uuid PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
            code text NOT NULL
        );
        """
    )
