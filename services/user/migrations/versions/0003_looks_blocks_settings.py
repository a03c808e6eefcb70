"""What handles look like, status lines, blocks and settings."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add them."""
    op.execute("ALTER TABLE profile ADD COLUMN status_text text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE profile ADD COLUMN skeleton text")
    # Of those who looked alike before this was looked at, the first keeps the others out.
    op.execute(
        """
        UPDATE profile SET skeleton = first.skeleton
        FROM (
            SELECT DISTINCT ON (skeleton) id, skeleton
            FROM (
                SELECT id, create_time,
                    replace(translate(handle, '01', 'ol'), 'm', 'rn') AS skeleton
                FROM profile
            ) AS all_of_them
            ORDER BY skeleton, create_time, id
        ) AS first
        WHERE profile.id = first.id
        """
    )
    op.execute("ALTER TABLE profile ADD UNIQUE (skeleton)")
    op.execute(
        """
        CREATE TABLE block (
            number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
            blocker_id uuid NOT NULL,
            blocked_id uuid NOT NULL,
            create_time timestamptz NOT NULL,
            PRIMARY KEY (blocker_id, blocked_id)
        )
        """
    )
    op.execute("CREATE INDEX block_latest ON block (blocker_id, number DESC)")
    op.execute(
        """
        CREATE TABLE settings (
            user_id uuid PRIMARY KEY,
            theme integer NOT NULL,
            locale text NOT NULL,
            reduce_motion boolean NOT NULL,
            hide_typing boolean NOT NULL,
            compact boolean NOT NULL
        )
        """
    )
