"""Communities, channels, members and invites."""

from alembic import op

from chassis import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    schema.create(op.get_bind())
    op.execute(
        """
        CREATE TABLE community (
            id uuid PRIMARY KEY,
            name text NOT NULL,
            owner_id uuid NOT NULL,
            create_time timestamptz NOT NULL,
            standing text NOT NULL
        );

        CREATE TABLE channel (
            id uuid PRIMARY KEY,
            community_id uuid NOT NULL REFERENCES community (id),
            name text NOT NULL,
            create_time timestamptz NOT NULL
        );
        CREATE INDEX channel_community ON channel (community_id, id);

        CREATE TABLE member (
            community_id uuid REFERENCES community (id),
            user_id uuid,
            join_time timestamptz NOT NULL,
            standing text NOT NULL,
            change_time timestamptz NOT NULL,
            PRIMARY KEY (community_id, user_id)
        );
        CREATE INDEX member_user ON member (user_id, join_time, community_id);
        CREATE INDEX member_unsettled ON member (change_time) WHERE standing <> 'settled';

        CREATE TABLE invite (
            code text PRIMARY KEY,
            community_id uuid NOT NULL REFERENCES community (id),
            creator_id uuid NOT NULL,
            create_time timestamptz NOT NULL,
            expire_time timestamptz NOT NULL
        );
        """
    )
