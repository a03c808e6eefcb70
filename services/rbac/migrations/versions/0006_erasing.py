"""What people are erased by, and what is theirs found by."""

from alembic import op

from chassis import schema

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add it."""
    schema.add_erasing(op.get_bind())
    op.execute("CREATE INDEX member_override_person ON member_override (user_id)")
    op.execute("CREATE INDEX timeout_person ON timeout (user_id, community_id)")
    op.execute("CREATE INDEX person_user ON person (user_id)")
