"""Members are listed in the order of joining."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Keep them in that order: who is coming or leaving is not listed."""
    op.execute(
        """
        CREATE INDEX member_joined ON member (community_id, join_time, user_id)
            WHERE standing = 'settled'
        """
    )
