"""auth costs as much with many accounts as with few."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from services.auth.domain import Account, HandleChange, Mail, MailKind, Purpose, Session, Standing
from services.auth.domain.registration import Mode
from tests.growth.promises import Promises
from tests.growth.questions import Asking

pytestmark = pytest.mark.timeout(900)
SERVICE = "auth"
NOW = datetime.now(UTC)
# Person 7 has as much of everything as anybody may have.
FILL = """
    INSERT INTO account (id, handle, email, display_name, password_hash, standing, create_time,
            email_verified_time, deactivate_time, standing_revision)
        SELECT id(n), 'h' || n, 'h' || n || '@example.org', 'Somebody', 'p',
            CASE n % 1000 WHEN 1 THEN 'coming' WHEN 2 THEN 'leaving' ELSE 'settled' END,
            now() - n * interval '1 s', CASE WHEN n % 10 <> 0 THEN now() END,
            CASE WHEN n % 500 = 3 THEN now() END, (n % 1000 = 4)::int
        FROM generate_series(1, :N) AS n;
    INSERT INTO handle_change (account_id, handle, attempt_time)
        SELECT id(n), 'changed' || n, now() FROM generate_series(1, :N / 50) AS n;
    INSERT INTO session (id, account_id, refresh_hash, create_time, expire_time)
        SELECT id(n), id(CASE WHEN n <= 100 THEN 7 ELSE n END), '', now(),
            now() + (n % 500 - 1) * interval '1 h'
        FROM generate_series(1, :N) AS n;
    INSERT INTO proof (id, account_id, purpose, email, token_hash, expire_time)
        SELECT id(n), id(n), 'verify_email', '', '', now() + (n % 500 - 1) * interval '1 h'
        FROM generate_series(1, :N / 10) AS n;
    INSERT INTO mail (id, kind, recipient, handle, attempts, due_time, expire_time, sent_time)
        SELECT id(n), 'verify_email', 'h' || n || '@example.org', 'h' || n, 1, now(),
            now() + (n % 500 - 1) * interval '1 h', CASE WHEN n % 100 <> 1 THEN now() END
        FROM generate_series(1, :N) AS n;
    INSERT INTO sign_up_use (account_id, code)
        SELECT id(n), 'code' FROM generate_series(1, :N / 50) AS n;
    INSERT INTO sign_up_code (code, max_uses, uses, overrules, create_time, expire_time)
        SELECT 'code' || n, 10, 1, false, now(), now() + interval '1 day'
        FROM generate_series(1, 100) AS n;
    INSERT INTO second_factor (account_id, sealed_secret, used_step)
        SELECT id(n), '', 0 FROM generate_series(1, :N / 2) AS n;
    INSERT INTO recovery_code (account_id, code_hash)
        SELECT id(n / 10), decode(lpad(to_hex(n), 8, '0'), 'hex')
        FROM generate_series(10, :N) AS n;
    INSERT INTO revocation (revision, session_id, expire_time)
        SELECT n, id(n), now() + (n % 500 - 2) * interval '1 h'
        FROM generate_series(1, :N) AS n;
    UPDATE revision SET value = :N;
    INSERT INTO guess (key, count, end_time)
        SELECT decode(lpad(to_hex(n), 8, '0'), 'hex'), 1, now() + (n % 500 - 1) * interval '1 h'
        FROM generate_series(1, :N) AS n;
    INSERT INTO known_source (login, source, expire_time)
        SELECT decode(lpad(to_hex(n / 4), 8, '0'), 'hex'), decode(lpad(to_hex(n), 8, '0'), 'hex'),
            now() + (n % 500 - 1) * interval '1 h'
        FROM generate_series(1, :N) AS n;
    INSERT INTO token (id, owner_id, user_id, name, scopes, create_time, expire_time)
        SELECT id(n), id(CASE WHEN n <= 50 THEN 7 ELSE n END),
            id(CASE WHEN n <= 50 THEN 7 ELSE n END), '', '{}', now(),
            now() + (n % 500 - 1) * interval '1 h'
        FROM generate_series(1, :N) AS n;
    INSERT INTO bot (id, owner_id, handle, display_name, standing, create_time)
        SELECT id(:N + n), id(n / 25), 'bot' || n, '',
            CASE n % 1000 WHEN 1 THEN 'coming' WHEN 2 THEN 'leaving' ELSE 'settled' END, now()
        FROM generate_series(1, :N) AS n;
    INSERT INTO app (id, owner_id, name, redirect_uris, scopes, create_time)
        SELECT id(n), id(n / 25), '', '{}', '{}', now() FROM generate_series(1, :N) AS n;
    INSERT INTO app_consent (user_id, app_id, scopes, create_time)
        SELECT id(n / 25), id(n), '{}', now() FROM generate_series(1, :N) AS n;
    INSERT INTO app_consent (user_id, app_id, scopes, create_time)
        SELECT id(n), id(3), '{}', now() FROM generate_series(1, :N / 2) AS n;
    INSERT INTO app_code (code_hash, app_id, user_id, redirect_uri, scopes, challenge, expire_time)
        SELECT decode(lpad(to_hex(n), 8, '0'), 'hex'), id(n), id(n), '', '{}', '',
            now() + (n % 500 - 2) * interval '1 h'
        FROM generate_series(1, :N / 10) AS n;
    INSERT INTO app_grant (id, app_id, account_id, scopes, refresh_hash, create_time, expire_time)
        SELECT id(n), id(n), id(n / 4), '{}', '', now(), now() + (n % 500 - 1) * interval '1 h'
        FROM generate_series(1, :N) AS n;
    INSERT INTO passkey (id, account_id, name, credential_id, public_key, sign_count, synced,
            create_time)
        SELECT id(n), id(n / 4), '', decode(lpad(to_hex(n), 8, '0'), 'hex'), '', 0, false, now()
        FROM generate_series(1, :N) AS n;
    INSERT INTO used_challenge (hash, expire_time)
        SELECT decode(lpad(to_hex(n), 8, '0'), 'hex'), now() + (n % 500 - 1) * interval '1 h'
        FROM generate_series(1, :N / 10) AS n;
    INSERT INTO identity (provider, issuer, subject, account_id, create_time)
        SELECT 'provider', 'issuer', n::text, id(n), now() FROM generate_series(1, :N) AS n;
"""
PERSON = UUID(int=7)
KEY = b"\x00\x00\x00\x07"
ACCOUNT = Account(
    PERSON, "h7", "h7@example.org", "Somebody", "p", Standing.SETTLED, NOW, email_verified_time=NOW
)
ASKING = Asking(
    SERVICE,
    {
        "account": ACCOUNT,
        "account_id": PERSON,
        "user_id": PERSON,
        "owner_id": PERSON,
        "app_id": UUID(int=176),
        "bot_id": UUID(int=7),
        "but": UUID(int=8),
        "only": UUID(int=8),
        "session_id": PERSON,
        "token_id": PERSON,
        "token_hash": b"",
        "passkey_id": PERSON,
        "proof_id": PERSON,
        "mail_id": PERSON,
        "grant_id": PERSON,
        "challenge": KEY,
        "credential_id": KEY,
        "code_hash": KEY,
        "key": KEY,
        "keys": [KEY],
        "hashes": [b"1", b"2"],
        "login": KEY,
        "source": KEY,
        "secret_hash": b"",
        "password_hash": "p",
        "code": "code7",
        "day": date(2026, 1, 1),
        "email": "another@example.org",
        "handle": "handle7",
        "provider": "provider",
        "issuer": "issuer",
        "subject": "7",
        "name": "",
        "kind": MailKind.PASSWORD_CHANGED,
        "purpose": Purpose.VERIFY_EMAIL,
        "mode": Mode.INVITE,
        "scopes": [],
        "ended": [(UUID(int=n), NOW) for n in range(50)],
        "revision": 100,
        "sign_count": 1,
        "sign_time": NOW,
        "step": 1,
        "limit": 50,
        "now": NOW,
        "tokens_end": NOW + timedelta(minutes=5),
        "expire_time": NOW,
        "lasting": timedelta(days=1),
        "longer_than": timedelta(seconds=20),
        "period": timedelta(hours=1),
        "change": HandleChange(PERSON, "changed7", NOW),
        "session": Session(PERSON, PERSON, b"", NOW, NOW, None, None),
        "mail": Mail(PERSON, MailKind.VERIFY_EMAIL, "h7@example.org", "h7", 1, NOW),
    },
    places=({}, {"account_id": UUID(int=2008), "user_id": UUID(int=2008)}),
    instead={
        "accounts.account_by": [{"login": "h7"}, {"login": "h7@example.org"}],
        "guesses.follow_login": [{"before": KEY, "now": b"none"}],
        "mail.follow_handle": [{"before": "h7", "now": "none"}],
        # Always of an account, an app or one.
        "grants.end_grants": [
            {"account_id": PERSON, "app_id": None, "only": None},
            {"account_id": None, "app_id": UUID(int=176), "only": None},
            {"account_id": None, "app_id": None, "only": PERSON},
            {"account_id": PERSON, "app_id": UUID(int=176), "only": None},
        ],
    },
    aside=(
        "accounts.add_account",
        "apps.add_app",
        "bots.add_bot",
        "grants.add_code",
        "grants.add_grant",
        "grants.save_grant",
        "identities.link",
        "keys.add_key",
        "mail.add_mail",
        "mail.add_proof",
        "passkeys.add_passkey",
        "registration.add_code",
        "registration.remember_use",
        "registration.save",
        "second_factors.begin",
        "sessions.add_session",
        "tokens.add_token",
    ),
)


class TestAuth(Promises):
    asking = ASKING
    small = (
        "registration",
        "revision",
        "signing_key",
        # A hundred that work at most, and they are forgotten when they do no more.
        "sign_up_code",
    )
