"""Emoji, and audit logs that are asked about somebody, something or a deed."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the table, and the indexes of what is asked."""
    op.execute(
        """
        CREATE TABLE emoji (
            id uuid PRIMARY KEY,
            community_id uuid NOT NULL REFERENCES community (id),
            name text COLLATE "C" NOT NULL,
            file_id text NOT NULL,
            creator_id uuid NOT NULL,
            create_time timestamptz NOT NULL,
            UNIQUE (community_id, name)
        );
        CREATE INDEX emoji_creator ON emoji (creator_id, id);
        CREATE INDEX audit_by_actor ON audit (community_id, actor_id, id DESC);
        CREATE INDEX audit_by_action ON audit (community_id, action, id DESC);
        CREATE INDEX audit_by_target ON audit (community_id, target_id, id DESC);
        """
    )
