"""Whose account is deactivated, and conversations of two that one of them left for good."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Change the tables; of who was erased before nothing is known any more."""
    op.execute(
        """
        CREATE TABLE standing (
            user_id uuid PRIMARY KEY,
            revision bigint NOT NULL,
            deactivated boolean NOT NULL
        );
        ALTER TABLE conversation ADD COLUMN gone boolean NOT NULL DEFAULT false;
        """
    )
