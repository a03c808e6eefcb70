"""What apps were given, in the shape Authlib asks for it, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
import hmac
from typing import Final
from uuid import UUID

from authlib.oauth2.rfc6749 import ClientMixin, OAuth2Request

from chassis import ids
from chassis.auth import Verifier
from chassis.database import Transaction
from chassis.errors import Error, Invalid
from services.auth import domain
from services.auth.domain import Credentials, InvalidRefreshToken
from services.auth.domain.apps import CODE_LASTS, App, Code, Grant
from services.auth.domain.tokens import Scope
from services.auth.engine.credentials import APP_REFRESH, Issuer, digest
from services.auth.engine.sessions import Revocations
from services.auth.store import accounts, apps, grants

AUTH_METHODS: Final = ("client_secret_basic", "client_secret_post")
"""How apps that keep a secret prove which they are."""
GRANT_TYPES: Final = ("authorization_code", "refresh_token")
CHALLENGE: Final = "S256"


class AppClient(ClientMixin):
    """An app, as Authlib wants to see one."""

    def __init__(self, app: App) -> None:
        self.app = app

    def get_client_id(self) -> str:
        """Its identifier."""
        return ids.text(ids.Kind.APP, self.app.id)

    def get_default_redirect_uri(self) -> None:
        """None: apps say where people are to be sent."""
        return

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What is asked for, when the app may ask for all of it."""
        asked = set((scope or "").split())
        if not asked or not asked <= set(self.app.scopes):
            return None
        return " ".join(one for one in Scope if one in asked)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether people may be sent there."""
        return redirect_uri in self.app.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether it is its secret."""
        kept = self.app.secret_hash
        return kept is not None and hmac.compare_digest(digest(client_secret), kept)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether it proves in this way which it is."""
        return method == "none" if self.app.secret_hash is None else method in AUTH_METHODS

    def check_response_type(self, response_type: str) -> bool:
        """Whether it may ask for that."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it may be given tokens in this way."""
        return grant_type in GRANT_TYPES


@dataclass(frozen=True, slots=True)
class ShownCode:
    """A code, as Authlib wants to see one."""

    code: Code

    def get_redirect_uri(self) -> str:
        """Where it was sent."""
        return self.code.redirect_uri

    def get_scope(self) -> str:
        """What it is for."""
        return " ".join(self.code.scopes)

    @property
    def code_challenge(self) -> str:
        """What the verifier has to fit."""
        return self.code.challenge

    @property
    def code_challenge_method(self) -> str:
        """How."""
        return CHALLENGE


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A token of an app's, as Authlib wants to see one."""

    grant: Grant
    presented: domain.Presented | None
    token: str
    ends: int
    scope: str = ""

    def check_client(self, client: AppClient) -> bool:
        """Whether it is that app's."""
        return self.grant.app_id == client.app.id

    def get_scope(self) -> str:
        """What it is for."""
        return self.scope or " ".join(self.grant.scopes)

    def is_expired(self) -> bool:
        """False: what is over is not found."""
        return False

    def is_revoked(self) -> bool:
        """False: what was revoked is not found."""
        return False


class Ledger:
    """What is kept, in one transaction."""

    def __init__(
        self, tx: Transaction, issuer: Issuer, revocations: Revocations, verifier: Verifier
    ) -> None:
        self._tx = tx
        self._issuer = issuer
        self._revocations = revocations
        self._verifier = verifier

    async def client(self, client_id: str) -> AppClient | None:
        """An app."""
        try:
            app_id = ids.parse(ids.Kind.APP, client_id, field="client_id")
        except Invalid:
            return None
        found = await apps.app(self._tx, app_id)
        return None if found is None else AppClient(found)

    async def user(self, user_id: UUID) -> UUID | None:
        """Somebody who can still sign in, and did not deactivate their account."""
        return user_id if await accounts.is_active(self._tx, user_id) else None

    async def keep_code(self, code: str, request: OAuth2Request) -> None:
        """Keep a code for an app that somebody said yes to."""
        kept = Code(
            digest(code),
            request.client.app.id,
            request.user,
            request.payload.redirect_uri,
            tuple(map(Scope, request.scope.split())),
            request.payload.data["code_challenge"],
            datetime.now(UTC) + CODE_LASTS,
        )
        await grants.add_code(self._tx, kept)

    async def code(self, code: str, app: App) -> ShownCode | None:
        """A code that is good for an app; one that was used ends what it gave."""
        found = await grants.code_to_use(self._tx, digest(code))
        if found is None or found.app_id != app.id:
            return None
        if found.grant_id is not None:
            # One of the two who hold it is not the app.
            await self._revocations.end_grants(self._tx, only=found.grant_id)
            return None
        return ShownCode(found) if found.expire_time > datetime.now(UTC) else None

    async def begin(self, code: Code, app: App) -> Credentials:
        """The first tokens for a code, which is used now."""
        now, grant_id = datetime.now(UTC), ids.new()
        credentials = self._issue(code.user_id, grant_id, app, code.scopes, now)
        session = domain.new_session(code.user_id, credentials.refresh_hash, grant_id, now)
        await grants.add_grant(self._tx, Grant(session, app.id, code.scopes))
        await grants.code_is_used(self._tx, code.code_hash, grant_id)
        return credentials

    async def held(self, token: str) -> HeldToken | None:
        """What a refresh token is good for."""
        try:
            grant_id = self._issuer.session_of(token, APP_REFRESH)
        except InvalidRefreshToken:
            return None
        now = datetime.now(UTC)
        grant = await grants.grant_to_change(self._tx, grant_id, now)
        if grant is None:
            return None
        presented = domain.presented(grant.session, digest(token), now)
        if presented is domain.Presented.REPLAYED:
            await self._revocations.end_grants(self._tx, only=grant_id)
            return None
        return HeldToken(grant, presented, token, int(grant.session.expire_time.timestamp()))

    async def renew(self, held: HeldToken, app: App, scopes: tuple[Scope, ...]) -> Credentials:
        """The next tokens for a refresh token, which is spent now."""
        now, session = datetime.now(UTC), held.grant.session
        credentials = self._issue(
            session.account_id, session.id, app, scopes, now, after=held.token
        )
        if held.presented is domain.Presented.CURRENT:
            renewed = domain.refreshed(session, credentials.refresh_hash, now)
            await grants.save_grant(self._tx, held.grant.under(renewed))
        return credentials

    async def known(self, token: str) -> HeldToken | None:
        """What a token of either kind is good for."""
        held = await self.held(token)
        if held is not None:
            return held if held.presented is domain.Presented.CURRENT else None
        try:
            principal = await self._verifier.verify(token)
            grant_id = ids.parse(ids.Kind.SESSION, principal.session_id, field="token")
        except Error:
            return None
        grant = await grants.grant_to_change(self._tx, grant_id, datetime.now(UTC))
        if grant is None:
            return None
        return HeldToken(
            grant, None, token, int(principal.expires_at), " ".join(sorted(principal.scopes or ()))
        )

    async def end(self, held: HeldToken) -> None:
        """End what a token was given with."""
        await self._revocations.end_grants(self._tx, only=held.grant.session.id)

    def _issue(
        self,
        user_id: UUID,
        grant_id: UUID,
        app: App,
        scopes: tuple[Scope, ...],
        now: datetime,
        after: str | None = None,
    ) -> Credentials:
        return self._issuer.issue(
            user_id,
            grant_id,
            now,
            after=after,
            purpose=APP_REFRESH,
            scope=" ".join(scopes),
            client_id=ids.text(ids.Kind.APP, app.id),
        )
