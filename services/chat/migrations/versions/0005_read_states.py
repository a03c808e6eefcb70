"""What people have read."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Change the tables; what was written until now counts as read."""
    op.execute(
        """
        CREATE FUNCTION hour_of(moment timestamptz) RETURNS timestamptz
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
            SELECT date_bin('1 hour', moment, TIMESTAMPTZ '2000-01-01 00:00+00')
        $$;

        ALTER TABLE channel
            ADD COLUMN last_message bigint NOT NULL DEFAULT 0,
            ADD COLUMN counted_from bigint NOT NULL DEFAULT 0,
            ADD COLUMN active timestamptz;
        UPDATE channel SET last_message = last_sequence, counted_from = last_sequence;
        CREATE INDEX channel_active ON channel (community_id, active);

        CREATE TABLE read_state (
            user_id uuid,
            channel_id uuid REFERENCES channel (id),
            community_id uuid,
            sequence bigint NOT NULL,
            behind boolean NOT NULL,
            PRIMARY KEY (user_id, channel_id)
        );
        CREATE INDEX read_state_behind ON read_state (user_id, community_id) WHERE behind;

        CREATE TABLE reader (
            user_id uuid,
            community_id uuid,
            join_time timestamptz NOT NULL,
            settled timestamptz NOT NULL,
            PRIMARY KEY (user_id, community_id)
        );
        """
    )
