"""Apps, and what people let them do."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the tables."""
    op.execute(
        """
        CREATE TABLE app (
            id uuid PRIMARY KEY,
            owner_id uuid NOT NULL,
            name text NOT NULL,
            redirect_uris text[] NOT NULL,
            scopes text[] NOT NULL,
            secret_hash bytea,
            create_time timestamptz NOT NULL
        );
        CREATE INDEX app_owner ON app (owner_id, create_time);

        CREATE TABLE app_consent (
            user_id uuid NOT NULL,
            app_id uuid NOT NULL REFERENCES app (id) ON DELETE CASCADE,
            scopes text[] NOT NULL,
            create_time timestamptz NOT NULL,
            PRIMARY KEY (user_id, app_id)
        );
        CREATE INDEX app_consent_app ON app_consent (app_id);

        CREATE TABLE app_code (
            code_hash bytea PRIMARY KEY,
            app_id uuid NOT NULL REFERENCES app (id) ON DELETE CASCADE,
            user_id uuid NOT NULL,
            redirect_uri text NOT NULL,
            scopes text[] NOT NULL,
            challenge text NOT NULL,
            expire_time timestamptz NOT NULL,
            grant_id uuid
        );
        CREATE INDEX app_code_app ON app_code (app_id);
        CREATE INDEX app_code_user ON app_code (user_id);
        CREATE INDEX app_code_expiry ON app_code (expire_time);

        CREATE TABLE app_grant (
            id uuid PRIMARY KEY,
            app_id uuid NOT NULL REFERENCES app (id) ON DELETE CASCADE,
            account_id uuid NOT NULL,
            scopes text[] NOT NULL,
            refresh_hash bytea NOT NULL,
            create_time timestamptz NOT NULL,
            expire_time timestamptz NOT NULL,
            previous_hash bytea,
            rotate_time timestamptz
        );
        CREATE INDEX app_grant_app ON app_grant (app_id);
        CREATE INDEX app_grant_account ON app_grant (account_id, app_id);
        CREATE INDEX app_grant_expiry ON app_grant (expire_time);
        """
    )
