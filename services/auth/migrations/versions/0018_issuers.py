"""Identities by who vouches for them, whatever the instance calls it."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Know identities by their issuer. What was linked before any release is linked anew."""
    op.execute(
        """
        DELETE FROM identity;
        ALTER TABLE identity
            ADD COLUMN issuer text NOT NULL,
            DROP CONSTRAINT identity_pkey,
            ADD PRIMARY KEY (issuer, subject);
        """
    )
