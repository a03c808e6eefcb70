"""Who follows a thread is found by the thread and the person."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Have the index name the person, too: a plan for any thread takes it for one follower."""
    op.execute(
        """
        DROP INDEX thread_follower_thread;
        CREATE INDEX thread_follower_thread ON thread_follower (thread_id, user_id);
        """
    )
