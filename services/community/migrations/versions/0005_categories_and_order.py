"""Categories, the order of channels, what a community says of itself, its next owner."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Change the tables; the channels there are stand in the order of their making."""
    op.execute(
        """
        ALTER TABLE community
            ADD description text NOT NULL DEFAULT '',
            ADD visibility text NOT NULL DEFAULT 'private',
            ADD icon text NOT NULL DEFAULT '',
            ADD next_owner_id uuid,
            ADD transfers bigint NOT NULL DEFAULT 0,
            ADD transfer_time timestamptz;
        CREATE INDEX community_transfer ON community (transfer_time)
            WHERE next_owner_id IS NOT NULL;

        CREATE TABLE category (
            id uuid PRIMARY KEY,
            community_id uuid NOT NULL REFERENCES community (id),
            name text NOT NULL,
            position integer NOT NULL,
            create_time timestamptz NOT NULL
        );
        CREATE INDEX category_list ON category (community_id, position, id);

        ALTER TABLE channel
            ADD topic text NOT NULL DEFAULT '',
            ADD category_id uuid REFERENCES category (id),
            ADD position integer NOT NULL DEFAULT 0,
            ADD delete_time timestamptz;
        UPDATE channel SET position = placed.place * 65536 FROM (
            SELECT id, row_number() OVER (PARTITION BY community_id ORDER BY id) AS place
            FROM channel
        ) AS placed WHERE placed.id = channel.id;
        CREATE INDEX channel_category ON channel (category_id);
        CREATE INDEX channel_deleted ON channel (delete_time) WHERE delete_time IS NOT NULL;
        """
    )
