"""Roles that people have by what they answered."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add how each role is held, and what was said last: so far, all were given by hand."""
    op.execute(
        """
        ALTER TABLE binding
            ADD by_hand boolean NOT NULL DEFAULT true,
            ADD by_answer boolean NOT NULL DEFAULT false;
        ALTER TABLE person ADD admission bigint NOT NULL DEFAULT 0;
        """
    )
