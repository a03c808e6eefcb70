"""Accounts and sessions."""

from alembic import op

from chassis import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    schema.create(op.get_bind())
    op.execute(
        """
        CREATE TABLE account (
            id uuid PRIMARY KEY,
            handle text NOT NULL UNIQUE,
            email text NOT NULL,
            display_name text NOT NULL,
            password_hash text NOT NULL,
            standing text NOT NULL,
            create_time timestamptz NOT NULL
        );
        CREATE INDEX account_email ON account (email, id);
        CREATE INDEX account_unsettled ON account (create_time) WHERE standing <> 'settled';

        CREATE TABLE session (
            id uuid PRIMARY KEY,
            account_id uuid NOT NULL REFERENCES account (id),
            refresh_hash bytea NOT NULL,
            create_time timestamptz NOT NULL,
            expire_time timestamptz NOT NULL
        );
        CREATE INDEX session_expire ON session (expire_time);
        """
    )
