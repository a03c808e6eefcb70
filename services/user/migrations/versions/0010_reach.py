"""Who may begin to talk to whom, and who is away, for others to know."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Let everybody be reached as before; of those who are away others are told soon."""
    op.execute(
        """
        ALTER TABLE settings ADD COLUMN direct_messages smallint NOT NULL DEFAULT 0;
        ALTER TABLE profile ADD COLUMN told_revision bigint NOT NULL DEFAULT 0;
        CREATE INDEX profile_untold ON profile (id) WHERE told_revision < standing_revision;
        """
    )
