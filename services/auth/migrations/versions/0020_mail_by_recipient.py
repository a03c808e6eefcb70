"""Mail by the address it goes to, sent or not."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Have one index for both: whoever is given or erased what is kept of them has either."""
    op.execute(
        """
        DROP INDEX mail_sent;
        CREATE INDEX mail_recipient ON mail (recipient, kind);
        """
    )
