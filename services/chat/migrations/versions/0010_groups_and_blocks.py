"""Groups whose members change, and who wants nothing to do with whom."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Change the tables; a group that is there is owned by one of its members."""
    op.execute(
        """
        ALTER TABLE conversation
            ADD COLUMN owner_id uuid,
            ADD COLUMN name text NOT NULL DEFAULT '',
            ADD COLUMN icon_id text NOT NULL DEFAULT '',
            ADD COLUMN revision bigint NOT NULL DEFAULT 0;
        UPDATE conversation SET owner_id = (
            SELECT user_id FROM conversation_member
            WHERE conversation_id = conversation.id ORDER BY user_id LIMIT 1
        )
        WHERE first_id IS NULL;
        ALTER TABLE conversation_member ADD COLUMN since bigint NOT NULL DEFAULT 0;

        CREATE TABLE block (
            blocked_id uuid,
            blocker_id uuid,
            PRIMARY KEY (blocked_id, blocker_id)
        );
        CREATE INDEX block_blocker ON block (blocker_id);
        """
    )
