"""Between the contract's messages and the domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chassis import ids
from chassis.errors import Invalid
from chassis.wire import timestamp
from creavio.auth.v1 import (
    app_pb2,
    bot_pb2,
    consent_service_pb2,
    email_service_pb2,
    identity_service_pb2,
    key_service_pb2,
    passkey_pb2,
    proof_pb2,
    registration_pb2,
    revocation_service_pb2,
    second_factor_pb2,
    session_pb2,
    session_service_pb2,
    token_pb2,
)
from creavio.user.v1 import user_pb2
from services.auth.domain import Account, Credentials, Revocation, Session
from services.auth.domain.apps import App, Consent
from services.auth.domain.bots import Bot
from services.auth.domain.identities import Identity
from services.auth.domain.passkeys import Passkey
from services.auth.domain.registration import Mode, Registration, SignUpCode
from services.auth.domain.second_factor import SecondFactor
from services.auth.domain.tokens import Scope, Token

_SCOPES: Final = {
    token_pb2.TOKEN_SCOPE_READ: Scope.READ,
    token_pb2.TOKEN_SCOPE_WRITE: Scope.WRITE,
}


def session(credentials: Credentials, user: user_pb2.User) -> session_pb2.Session:
    """A session as it stands on the wire."""
    return session_pb2.Session(
        access_token=credentials.access_token,
        refresh_token=credentials.refresh_token,
        expire_time=timestamp(credentials.expire_time),
        user=user,
    )


def challenge(token: str, expire_time: datetime) -> session_pb2.Session:
    """A sign-in to be completed as it stands on the wire."""
    return session_pb2.Session(challenge_token=token, challenge_expire_time=timestamp(expire_time))


def proof(shown: proof_pb2.Proof, password: str) -> proof_pb2.Proof:
    """What somebody proves by where a password may stand instead. Raises `Invalid` for neither."""
    if shown.WhichOneof("proof") is not None:
        return shown
    if not password:
        raise Invalid("a proof is needed", fields=(("proof", "must be present"),))
    return proof_pb2.Proof(password=password)


def second_factor(kept: SecondFactor | None, codes_left: int) -> second_factor_pb2.SecondFactor:
    """A second factor as it stands on the wire."""
    if kept is None or kept.enable_time is None:
        return second_factor_pb2.SecondFactor()
    return second_factor_pb2.SecondFactor(
        enabled=True,
        enable_time=timestamp(kept.enable_time),
        recovery_codes_left=codes_left,
    )


REGISTRATION: Final = frozenset({"mode", "require_verified_email"})
"""What of it can be changed."""
_MODES: Final = {
    Mode.OPEN: registration_pb2.REGISTRATION_MODE_OPEN,
    Mode.INVITE: registration_pb2.REGISTRATION_MODE_INVITE,
    Mode.CLOSED: registration_pb2.REGISTRATION_MODE_CLOSED,
}


def registration(value: Registration) -> registration_pb2.Registration:
    """Who may sign up as it stands on the wire."""
    return registration_pb2.Registration(
        mode=_MODES[value.mode], require_verified_email=value.require_verified_email
    )


def registration_changes(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a request changes of it. Raises `Invalid` for a mode that is cleared."""
    modes = {number: mode for mode, number in _MODES.items()}
    if asked.get("mode", registration_pb2.REGISTRATION_MODE_OPEN) not in modes:
        raise Invalid("mode cannot be cleared", fields=(("mode", "must be a mode"),))
    changed = dict(asked)
    if "mode" in changed:
        changed["mode"] = modes[changed["mode"]]
    if "require_verified_email" in changed:
        changed["require_verified_email"] = bool(changed["require_verified_email"])
    return changed


def sign_up_code(code: SignUpCode) -> registration_pb2.SignUpCode:
    """A sign-up code as it stands on the wire."""
    return registration_pb2.SignUpCode(
        code=code.code,
        max_uses=code.max_uses,
        uses=code.uses,
        create_time=timestamp(code.create_time),
        expire_time=timestamp(code.expire_time),
    )


def session_id(identifier: str) -> UUID:
    """The session a request names."""
    return ids.parse(ids.Kind.SESSION, identifier, field="session_id")


def account_id(identifier: str) -> UUID:
    """The account of a person: they have one id."""
    return ids.parse(ids.Kind.USER, identifier, field="user_id")


def active_session(session: Session, *, current: bool) -> session_service_pb2.ActiveSession:
    """A session of one's own as it stands on the wire."""
    return session_service_pb2.ActiveSession(
        id=ids.text(ids.Kind.SESSION, session.id),
        create_time=timestamp(session.create_time),
        expire_time=timestamp(session.expire_time),
        current=current,
        user_agent=session.user_agent,
        network=session.network,
        use_time=timestamp(session.rotate_time or session.create_time),
    )


def revocation(value: Revocation) -> revocation_service_pb2.Revocation:
    """A revocation as it stands on the wire."""
    return revocation_service_pb2.Revocation(
        session_id=ids.text(ids.Kind.SESSION, value.session_id),
        expire_time=timestamp(value.expire_time),
    )


def email(account: Account) -> email_service_pb2.Email:
    """An account's address as it stands on the wire."""
    return email_service_pb2.Email(email=account.email, verified=account.verified_email is not None)


def wire_scopes(held: Iterable[Scope]) -> list[token_pb2.TokenScope.ValueType]:
    """Scopes as they stand on the wire."""
    found = set(held)
    return [wire for wire, scope in _SCOPES.items() if scope in found]


def app_id(identifier: str) -> UUID:
    """The app a request names."""
    return ids.parse(ids.Kind.APP, identifier, field="app_id")


def app(value: App) -> app_pb2.App:
    """An app as it stands on the wire."""
    return app_pb2.App(
        id=ids.text(ids.Kind.APP, value.id),
        name=value.name,
        redirect_uris=value.redirect_uris,
        scopes=wire_scopes(value.scopes),
        confidential=value.secret_hash is not None,
        create_time=timestamp(value.create_time),
    )


def consent(given_to: App, value: Consent) -> consent_service_pb2.Consent:
    """What somebody lets an app do, as it stands on the wire."""
    return consent_service_pb2.Consent(
        app=app(given_to),
        scopes=wire_scopes(value.scopes),
        create_time=timestamp(value.create_time),
    )


def passkey_id(identifier: str) -> UUID:
    """The passkey a request names."""
    return ids.parse(ids.Kind.PASSKEY, identifier, field="passkey_id")


def passkey(value: Passkey) -> passkey_pb2.Passkey:
    """A passkey as it stands on the wire."""
    used = value.last_use_time
    return passkey_pb2.Passkey(
        id=ids.text(ids.Kind.PASSKEY, value.id),
        name=value.name,
        create_time=timestamp(value.create_time),
        last_use_time=None if used is None else timestamp(used),
        synced=value.synced,
    )


def passkey_options(options: str, token: str) -> passkey_pb2.PasskeyOptions:
    """What a browser is asked for, as it stands on the wire."""
    return passkey_pb2.PasskeyOptions(options=options, challenge_token=token)


def identity(value: Identity) -> identity_service_pb2.Identity:
    """An identity somewhere else as it stands on the wire."""
    return identity_service_pb2.Identity(
        provider_id=value.provider, create_time=timestamp(value.create_time)
    )


def bot_id(identifier: str) -> UUID:
    """The bot a request names."""
    return ids.parse(ids.Kind.USER, identifier, field="bot_id")


def bot(value: Bot, user: user_pb2.User, held: Token | None) -> bot_pb2.Bot:
    """A bot as it stands on the wire."""
    return bot_pb2.Bot(
        user=user,
        create_time=timestamp(value.create_time),
        token=None if held is None else token(held),
    )


def token_id(identifier: str) -> UUID:
    """The token a request names."""
    return ids.parse(ids.Kind.TOKEN, identifier, field="token_id")


def scopes(wanted: Iterable[token_pb2.TokenScope.ValueType]) -> list[Scope]:
    """The scopes a request names."""
    return [_SCOPES[scope] for scope in wanted]


def token(value: Token) -> token_pb2.Token:
    """A token as it stands on the wire."""
    used = value.last_use_date
    return token_pb2.Token(
        id=ids.text(ids.Kind.TOKEN, value.id),
        name=value.name,
        scopes=wire_scopes(value.scopes),
        create_time=timestamp(value.create_time),
        expire_time=timestamp(value.expire_time),
        last_use_date="" if used is None else used.isoformat(),
    )


def key_set(*keys: dict[str, str]) -> key_service_pb2.KeySet:
    """The key set as it stands on the wire."""
    return key_service_pb2.KeySet(keys=[key_service_pb2.Key(**key) for key in keys])
