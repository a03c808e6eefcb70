"""Roles, rules, bindings and the revision."""

from alembic import op

from chassis import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    schema.create(op.get_bind())
    op.execute(
        """
        CREATE TABLE revision (
            singleton boolean PRIMARY KEY CHECK (singleton),
            value bigint NOT NULL
        );
        INSERT INTO revision VALUES (true, 0);

        CREATE TABLE community (
            id uuid PRIMARY KEY,
            version bigint NOT NULL
        );

        CREATE TABLE role (
            id uuid PRIMARY KEY,
            community_id uuid NOT NULL REFERENCES community (id),
            name text NOT NULL,
            position integer NOT NULL,
            UNIQUE (community_id, position)
        );

        CREATE TABLE rule (
            role_id uuid REFERENCES role (id),
            permission integer,
            allow boolean NOT NULL,
            PRIMARY KEY (role_id, permission)
        );

        CREATE TABLE person (
            community_id uuid REFERENCES community (id),
            user_id uuid,
            version bigint NOT NULL,
            PRIMARY KEY (community_id, user_id)
        );

        CREATE TABLE binding (
            community_id uuid REFERENCES community (id),
            user_id uuid,
            role_id uuid REFERENCES role (id),
            PRIMARY KEY (community_id, user_id, role_id)
        );
        CREATE INDEX binding_role ON binding (role_id);
        """
    )
