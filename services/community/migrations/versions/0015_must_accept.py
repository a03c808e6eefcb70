"""Whether whoever joins is to accept the rules."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add it: nobody was asked to."""
    op.execute("ALTER TABLE onboarding ADD must_accept boolean NOT NULL DEFAULT false")
