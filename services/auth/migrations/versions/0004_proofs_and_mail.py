"""Addresses that are verified, mail on its way, and refresh tokens spent a moment ago."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables."""
    op.execute(
        """
        ALTER TABLE account ADD COLUMN email_verified_time timestamptz;
        CREATE UNIQUE INDEX account_verified_email ON account (email)
            WHERE email_verified_time IS NOT NULL;

        ALTER TABLE session ADD COLUMN previous_hash bytea;
        ALTER TABLE session ADD COLUMN rotate_time timestamptz;

        CREATE TABLE proof (
            id uuid PRIMARY KEY,
            account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            purpose text NOT NULL,
            email text NOT NULL,
            token_hash bytea NOT NULL,
            expire_time timestamptz NOT NULL
        );
        CREATE INDEX proof_account ON proof (account_id, purpose);
        CREATE INDEX proof_expiry ON proof (expire_time);

        CREATE TABLE mail (
            id uuid PRIMARY KEY,
            kind text NOT NULL,
            recipient text NOT NULL,
            handle text NOT NULL,
            attempts integer NOT NULL,
            due_time timestamptz NOT NULL,
            expire_time timestamptz NOT NULL,
            sent_time timestamptz
        );
        CREATE UNIQUE INDEX mail_waiting ON mail (kind, recipient, handle)
            WHERE sent_time IS NULL;
        CREATE INDEX mail_due ON mail (due_time) WHERE sent_time IS NULL;
        CREATE INDEX mail_sent ON mail (recipient, kind, sent_time)
            WHERE sent_time IS NOT NULL;
        CREATE INDEX mail_handle ON mail (handle) WHERE sent_time IS NULL;
        CREATE INDEX mail_expiry ON mail (expire_time);
        """
    )
