"""What people are erased by, and what is theirs found by."""

from alembic import op

from chassis import schema

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add it."""
    schema.add_erasing(op.get_bind())
    op.execute("CREATE INDEX community_owner ON community (owner_id, id)")
    op.execute("CREATE INDEX channel_creator ON channel (creator_id, id)")
    op.execute("CREATE INDEX invite_creator ON invite (creator_id, code)")
    op.execute("CREATE INDEX ban_person ON ban (user_id, community_id)")
    op.execute("CREATE INDEX audit_actor ON audit (actor_id, id)")
