"""What a message answers, and whom it mentions."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Change the tables; what stands in them answers and mentions nothing."""
    op.execute(
        """
        ALTER TABLE message
            ADD COLUMN reply_to uuid,
            ADD COLUMN mentions bytea;

        CREATE TABLE mention (
            channel_id uuid,
            target bytea,
            sequence bigint,
            PRIMARY KEY (channel_id, target, sequence)
        );

        -- Who is meant by what a message mentions: 17 bytes each, the first of which says
        -- the kind; a channel, 3, is nobody.
        CREATE FUNCTION mention_targets(mentions bytea) RETURNS SETOF bytea
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
            SELECT substring(mentions FROM at FOR 17)
            FROM generate_series(1, length(mentions), 17) AS at
            WHERE get_byte(mentions, at - 1) <> 3
        $$;
        """
    )
