"""The tables, as the migrations make them."""

from __future__ import annotations

import sqlalchemy as sa

METADATA = sa.MetaData()

ACCOUNT = sa.Table(
    "account",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("handle", sa.Text, nullable=False, unique=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("standing", sa.Text, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("email_verified_time", sa.DateTime(timezone=True)),
    sa.Column("deactivate_time", sa.DateTime(timezone=True)),
    # How often it was deactivated and reactivated, and how far user was told.
    sa.Column("standing_revision", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("told_revision", sa.BigInteger, nullable=False, server_default=sa.text("0")),
)
HANDLE_CHANGE = sa.Table(
    "handle_change",
    METADATA,
    sa.Column(
        "account_id", sa.Uuid, sa.ForeignKey("account.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("handle", sa.Text, nullable=False, unique=True),
    sa.Column("attempt_time", sa.DateTime(timezone=True), nullable=False),
)
SESSION = sa.Table(
    "session",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("account.id"), nullable=False),
    sa.Column("refresh_hash", sa.LargeBinary, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("previous_hash", sa.LargeBinary),
    sa.Column("rotate_time", sa.DateTime(timezone=True)),
    sa.Column("user_agent", sa.Text, nullable=False, server_default=""),
    sa.Column("network", sa.Text, nullable=False, server_default=""),
)
PROOF = sa.Table(
    "proof",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column(
        "account_id",
        sa.Uuid,
        sa.ForeignKey("account.id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("token_hash", sa.LargeBinary, nullable=False),
    sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
)
MAIL = sa.Table(
    "mail",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("handle", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("sent_time", sa.DateTime(timezone=True)),
)
SIGNING_KEY = sa.Table(
    "signing_key",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("sign_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("withdraw_time", sa.DateTime(timezone=True)),
)
REGISTRATION = sa.Table(
    "registration",
    METADATA,
    sa.Column("singleton", sa.Boolean, primary_key=True),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column(
        "require_verified_email", sa.Boolean, nullable=False, server_default=sa.text("false")
    ),
)
SIGN_UP_CODE = sa.Table(
    "sign_up_code",
    METADATA,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("max_uses", sa.Integer, nullable=False),
    sa.Column("uses", sa.Integer, nullable=False),
    sa.Column("overrules", sa.Boolean, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
)
SIGN_UP_USE = sa.Table(
    "sign_up_use",
    METADATA,
    sa.Column(
        "account_id", sa.Uuid, sa.ForeignKey("account.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("code", sa.Text, nullable=False),
)
SECOND_FACTOR = sa.Table(
    "second_factor",
    METADATA,
    sa.Column(
        "account_id", sa.Uuid, sa.ForeignKey("account.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("sealed_secret", sa.Text, nullable=False),
    sa.Column("used_step", sa.BigInteger, nullable=False),
    sa.Column("enable_time", sa.DateTime(timezone=True)),
)
RECOVERY_CODE = sa.Table(
    "recovery_code",
    METADATA,
    sa.Column(
        "account_id",
        sa.Uuid,
        sa.ForeignKey("second_factor.account_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("code_hash", sa.LargeBinary, primary_key=True),
)
REVISION = sa.Table(
    "revision",
    METADATA,
    sa.Column("singleton", sa.Boolean, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
REVOCATION = sa.Table(
    "revocation",
    METADATA,
    sa.Column("revision", sa.BigInteger, primary_key=True),
    sa.Column("session_id", sa.Uuid, nullable=False),
    sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
)
GUESS = sa.Table(
    "guess",
    METADATA,
    sa.Column("key", sa.LargeBinary, primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("end_time", sa.DateTime(timezone=True), nullable=False),
)
KNOWN_SOURCE = sa.Table(
    "known_source",
    METADATA,
    sa.Column("login", sa.LargeBinary, primary_key=True),
    sa.Column("source", sa.LargeBinary, primary_key=True),
    sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
)
TOKEN = sa.Table(
    "token",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("owner_id", sa.Uuid, sa.ForeignKey("account.id"), nullable=False),
    sa.Column("user_id", sa.Uuid, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scopes", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("last_use_date", sa.Date),
)
BOT = sa.Table(
    "bot",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("owner_id", sa.Uuid, nullable=False),
    sa.Column("handle", sa.Text, nullable=False, unique=True),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("standing", sa.Text, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
)
APP = sa.Table(
    "app",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("owner_id", sa.Uuid, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("redirect_uris", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("scopes", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("secret_hash", sa.LargeBinary),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
)
APP_CONSENT = sa.Table(
    "app_consent",
    METADATA,
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("app_id", sa.Uuid, sa.ForeignKey("app.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("scopes", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
)
APP_CODE = sa.Table(
    "app_code",
    METADATA,
    sa.Column("code_hash", sa.LargeBinary, primary_key=True),
    sa.Column("app_id", sa.Uuid, sa.ForeignKey("app.id", ondelete="CASCADE"), nullable=False),
    sa.Column("user_id", sa.Uuid, nullable=False),
    sa.Column("redirect_uri", sa.Text, nullable=False),
    sa.Column("scopes", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("challenge", sa.Text, nullable=False),
    sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("grant_id", sa.Uuid),
)
APP_GRANT = sa.Table(
    "app_grant",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("app_id", sa.Uuid, sa.ForeignKey("app.id", ondelete="CASCADE"), nullable=False),
    sa.Column("account_id", sa.Uuid, nullable=False),
    sa.Column("scopes", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("refresh_hash", sa.LargeBinary, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("previous_hash", sa.LargeBinary),
    sa.Column("rotate_time", sa.DateTime(timezone=True)),
)
PASSKEY = sa.Table(
    "passkey",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column(
        "account_id", sa.Uuid, sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("credential_id", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("public_key", sa.LargeBinary, nullable=False),
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("synced", sa.Boolean, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("last_use_time", sa.DateTime(timezone=True)),
)
USED_CHALLENGE = sa.Table(
    "used_challenge",
    METADATA,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
)
IDENTITY = sa.Table(
    "identity",
    METADATA,
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column(
        "account_id", sa.Uuid, sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.UniqueConstraint("account_id", "provider"),
)
