"""Finding whether one person is timed out."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the index it is answered from: that of the list has everybody of a community in it."""
    op.execute(
        """
        CREATE UNIQUE INDEX timeout_of_one ON timeout (community_id, user_id)
            INCLUDE (expire_time);
        """
    )
