"""Tokens that programs call with."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table."""
    op.execute(
        """
        CREATE TABLE token (
            id uuid PRIMARY KEY,
            owner_id uuid NOT NULL REFERENCES account (id),
            user_id uuid NOT NULL,
            name text NOT NULL,
            scopes text[] NOT NULL,
            create_time timestamptz NOT NULL,
            expire_time timestamptz NOT NULL,
            last_use_date date
        );
        CREATE INDEX token_owner ON token (owner_id, create_time);
        CREATE INDEX token_user ON token (user_id);
        CREATE INDEX token_expiry ON token (expire_time);
        """
    )
