"""By whom somebody is being removed, and bans that do not count yet."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns. Whoever was leaving before leaves, as by themselves."""
    op.execute("ALTER TABLE member ADD removers uuid[] NOT NULL DEFAULT '{}'")
    op.execute("UPDATE member SET removers = ARRAY[user_id] WHERE standing = 'leaving'")
    op.execute("ALTER TABLE ban ADD settled boolean NOT NULL DEFAULT true")
    op.execute("CREATE INDEX ban_unsettled ON ban (create_time) WHERE NOT settled")
