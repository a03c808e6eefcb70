"""What people are erased by, and what is theirs found by."""

from alembic import op

from chassis import schema

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add it."""
    schema.add_erasing(op.get_bind())
    op.execute("CREATE INDEX message_author ON message (author_id, id) WHERE delete_time IS NULL")
    op.execute("CREATE INDEX reaction_person ON reaction (user_id, message_id, emoji)")
    op.execute("CREATE INDEX thread_creator ON thread (creator_id, id)")
    op.execute("CREATE INDEX pace_person ON pace (user_id, channel_id)")
