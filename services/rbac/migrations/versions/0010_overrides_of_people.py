"""What is overridden for a person is found by the person first."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Have one index for two; that by community was taken for lists that the key is for."""
    op.execute(
        """
        DROP INDEX member_override_user;
        DROP INDEX member_override_person;
        CREATE INDEX member_override_user ON member_override (user_id, community_id);
        """
    )
