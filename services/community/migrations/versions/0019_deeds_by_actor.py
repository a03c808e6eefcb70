"""What somebody did of one kind."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add the index that leads to it: of both apart, each may be much."""
    op.execute(
        """
        CREATE INDEX audit_by_actor_and_action
            ON audit (community_id, actor_id, action, id DESC);
        """
    )
