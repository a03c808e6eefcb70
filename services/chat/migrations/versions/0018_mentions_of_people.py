"""Where one person is mentioned."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the index that leads there: to look in every channel costs what there is of them."""
    op.execute(
        """
        CREATE INDEX mention_person ON mention (target, channel_id, sequence)
            WHERE get_byte(target, 0) = 1;
        """
    )
