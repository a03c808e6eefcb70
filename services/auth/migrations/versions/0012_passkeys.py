"""Passkeys."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the tables."""
    op.execute(
        """
        CREATE TABLE passkey (
            id uuid PRIMARY KEY,
            account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            name text NOT NULL,
            credential_id bytea NOT NULL UNIQUE,
            public_key bytea NOT NULL,
            sign_count bigint NOT NULL,
            synced boolean NOT NULL,
            create_time timestamptz NOT NULL,
            last_use_time timestamptz
        );
        CREATE INDEX passkey_account ON passkey (account_id, create_time);

        CREATE TABLE used_challenge (
            hash bytea PRIMARY KEY,
            expire_time timestamptz NOT NULL
        );
        CREATE INDEX used_challenge_expiry ON used_challenge (expire_time);
        """
    )
