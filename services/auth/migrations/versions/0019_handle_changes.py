"""Handles that accounts are about to have."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add them."""
    op.execute(
        """
        CREATE TABLE handle_change (
            account_id uuid PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
            handle text NOT NULL UNIQUE,
            attempt_time timestamptz NOT NULL
        );
        CREATE INDEX handle_change_oldest ON handle_change (attempt_time);
        -- What was sent about an account is looked for as well: it follows the handle.
        DROP INDEX mail_handle;
        CREATE INDEX mail_handle ON mail (handle);
        """
    )
