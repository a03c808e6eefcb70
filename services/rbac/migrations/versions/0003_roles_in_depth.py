"""Kinds, numbers and colours of roles, overrides, the revisions of changes, the instance."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Change the tables, and make of what they hold what they hold from now on."""
    op.execute(
        """
        -- Whoever follows asks what changed, and for masks anew.
        UPDATE revision SET value = value + 1 WHERE EXISTS (SELECT FROM community);

        ALTER TABLE community
            ADD COLUMN revision bigint,
            ADD COLUMN next_number integer NOT NULL DEFAULT 0;
        UPDATE community SET
            revision = (SELECT value FROM revision),
            next_number = (SELECT count(*) FROM role WHERE role.community_id = community.id);
        ALTER TABLE community
            ALTER COLUMN revision SET NOT NULL;
        CREATE INDEX community_revision ON community (revision);

        ALTER TABLE role
            ADD COLUMN number integer,
            ADD COLUMN kind smallint,
            ADD COLUMN color integer NOT NULL DEFAULT 0,
            ADD COLUMN allow integer[] NOT NULL DEFAULT '{}',
            ADD COLUMN deny integer[] NOT NULL DEFAULT '{}',
            ADD COLUMN create_time timestamptz NOT NULL DEFAULT now(),
            DROP CONSTRAINT role_community_id_position_key,
            -- Roles change places within one statement, and one transaction.
            ADD CONSTRAINT role_position UNIQUE (community_id, position)
                DEFERRABLE INITIALLY DEFERRED;
        UPDATE role SET
            number = position,
            kind = CASE name WHEN 'member' THEN 1 WHEN 'owner' THEN 3 ELSE 2 END,
            allow = ARRAY(
                SELECT permission FROM rule WHERE role_id = role.id AND allow ORDER BY permission
            ),
            deny = ARRAY(
                SELECT permission FROM rule WHERE role_id = role.id AND NOT allow
                ORDER BY permission
            );
        -- What an owner may follows from the kind. Members may add reactions.
        UPDATE role SET allow = '{}', deny = '{}' WHERE kind = 3;
        UPDATE role SET allow = allow || 10 WHERE kind = 1 AND NOT 10 = ANY (allow || deny);
        UPDATE community SET version = version + 1;
        SET CONSTRAINTS ALL IMMEDIATE;
        ALTER TABLE role
            ALTER COLUMN number SET NOT NULL,
            ALTER COLUMN kind SET NOT NULL,
            ADD CONSTRAINT role_number UNIQUE (community_id, number);
        DROP TABLE rule;

        ALTER TABLE person ADD COLUMN revision bigint;
        UPDATE person SET revision = (SELECT value FROM revision);
        ALTER TABLE person ALTER COLUMN revision SET NOT NULL;
        CREATE INDEX person_revision ON person (revision);

        DROP INDEX binding_role;
        CREATE INDEX binding_role ON binding (role_id, user_id);
        CREATE INDEX binding_user ON binding (user_id);

        CREATE TABLE role_override (
            community_id uuid REFERENCES community (id),
            channel_id uuid,
            role_id uuid REFERENCES role (id),
            allow integer[] NOT NULL,
            deny integer[] NOT NULL,
            PRIMARY KEY (community_id, channel_id, role_id)
        );
        CREATE INDEX role_override_role ON role_override (role_id);

        CREATE TABLE member_override (
            community_id uuid REFERENCES community (id),
            channel_id uuid,
            user_id uuid,
            allow integer[] NOT NULL,
            deny integer[] NOT NULL,
            PRIMARY KEY (community_id, channel_id, user_id)
        );
        CREATE INDEX member_override_user ON member_override (community_id, user_id);

        CREATE TABLE private_channel (
            community_id uuid REFERENCES community (id),
            channel_id uuid,
            PRIMARY KEY (community_id, channel_id)
        );

        INSERT INTO community (id, version, revision, next_number)
        SELECT '00000000-0000-0000-0000-000000000000', 1, value, 1 FROM revision;
        INSERT INTO role (id, community_id, name, position, number, kind, allow)
        VALUES (
            uuidv7(), '00000000-0000-0000-0000-000000000000', 'administrator', 0, 0, 2, '{1,12}'
        );

        -- What is added from here on says everything itself.
        SET CONSTRAINTS ALL IMMEDIATE;
        ALTER TABLE community ALTER COLUMN next_number DROP DEFAULT;
        ALTER TABLE role
            ALTER COLUMN color DROP DEFAULT,
            ALTER COLUMN allow DROP DEFAULT,
            ALTER COLUMN deny DROP DEFAULT,
            ALTER COLUMN create_time DROP DEFAULT;
        """
    )
