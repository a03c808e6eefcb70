"""Calendars, and who comes."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the tables."""
    op.execute(
        """
        CREATE TABLE calendar_event (
            id uuid PRIMARY KEY,
            community_id uuid NOT NULL REFERENCES community (id),
            channel_id uuid,
            title text NOT NULL,
            description text NOT NULL,
            location text NOT NULL,
            start_time timestamptz NOT NULL,
            end_time timestamptz NOT NULL,
            time_zone text NOT NULL,
            creator_id uuid NOT NULL,
            create_time timestamptz NOT NULL,
            cancel_time timestamptz,
            interested integer NOT NULL DEFAULT 0,
            going integer NOT NULL DEFAULT 0
        );
        CREATE INDEX calendar_list ON calendar_event (community_id, start_time, id);
        CREATE INDEX calendar_open ON calendar_event (community_id, end_time)
            WHERE cancel_time IS NULL;
        CREATE INDEX calendar_creator ON calendar_event (creator_id, id);

        CREATE TABLE calendar_answer (
            event_id uuid NOT NULL REFERENCES calendar_event (id),
            user_id uuid NOT NULL,
            answer smallint NOT NULL,
            PRIMARY KEY (event_id, user_id)
        );
        CREATE INDEX calendar_answer_user ON calendar_answer (user_id, event_id);
        """
    )
