"""Reactions, pins, conversations; what the group writer needs."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Change the tables; what stands in them stays valid."""
    op.execute(
        """
        ALTER TABLE channel ALTER COLUMN community_id DROP NOT NULL;

        ALTER TABLE message
            ADD COLUMN fingerprint bytea,
            ADD COLUMN pin_time timestamptz,
            ADD COLUMN pin_revision bigint,
            ADD COLUMN reactions jsonb NOT NULL DEFAULT '[]';
        CREATE UNIQUE INDEX message_revision ON message (channel_id, revision);
        CREATE INDEX message_pinned ON message (channel_id, pin_revision)
            WHERE pin_revision IS NOT NULL;

        CREATE TABLE reaction (
            message_id uuid REFERENCES message (id),
            user_id uuid,
            emoji text,
            PRIMARY KEY (message_id, user_id, emoji)
        );

        -- Deferred: a pair that has a conversation already leaves nothing behind.
        CREATE TABLE conversation (
            id uuid PRIMARY KEY REFERENCES channel (id) DEFERRABLE INITIALLY DEFERRED,
            first_id uuid,
            second_id uuid,
            create_time timestamptz NOT NULL
        );
        CREATE UNIQUE INDEX conversation_pair ON conversation (first_id, second_id)
            WHERE first_id IS NOT NULL;
        CREATE TABLE conversation_member (
            conversation_id uuid REFERENCES conversation (id),
            user_id uuid,
            PRIMARY KEY (conversation_id, user_id)
        );
        CREATE INDEX conversation_member_user ON conversation_member (user_id, conversation_id);
        """
    )
    # A base 128 varint (https://protobuf.dev/programming-guides/encoding); a negative
    # number is ten bytes, as the 64 bits it is.
    op.execute(
        """
        CREATE FUNCTION protobuf_varint(number bigint) RETURNS bytea
        LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
        DECLARE
            rest bigint := number;
            written bytea := '';
        BEGIN
            WHILE rest NOT BETWEEN 0 AND 127 LOOP
                written := written || set_byte('\\x00'::bytea, 0, (rest & 127)::int | 128);
                -- Shifts as if the number had no sign.
                rest := (rest >> 7) & 144115188075855871;
            END LOOP;
            RETURN written || set_byte('\\x00'::bytea, 0, rest::int);
        END $$
        """
    )
