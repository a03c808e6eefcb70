"""Invites for so many, and communities that can be found."""

import unicodedata

from alembic import op
import sqlalchemy as sa

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Change the tables; the invites there are let in any number."""
    op.execute(
        """
        ALTER TABLE invite
            ADD max_uses integer NOT NULL DEFAULT 0,
            ADD uses integer NOT NULL DEFAULT 0;
        CREATE INDEX invite_list ON invite (community_id, create_time DESC, code DESC);

        ALTER TABLE community ADD fold text COLLATE "C" NOT NULL DEFAULT '';
        CREATE INDEX community_public ON community (fold, id)
            WHERE visibility = 'public' AND standing = 'settled';
        """
    )
    # Names are folded as the service does it: PostgreSQL's lower() goes by its locale.
    connection = op.get_bind()
    names = connection.execute(sa.text("SELECT id, name FROM community")).all()
    if names:
        connection.execute(
            sa.text("UPDATE community SET fold = :fold WHERE id = :id"),
            [{"id": row.id, "fold": folded(row.name)} for row in names],
        )


def folded(name: str) -> str:
    """A name as it is compared, at the time of this migration."""
    return unicodedata.normalize("NFKC", name).casefold()
