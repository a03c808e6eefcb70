"""IdentityService."""

from __future__ import annotations

from datetime import UTC, datetime
import secrets

from google.protobuf.empty_pb2 import Empty

from chassis.calls import principal
from chassis.database import Database
from chassis.wire import timestamp
from creavio.auth.v1 import identity_service_pb2, session_pb2
from creavio.auth.v1.identity_service_pb2_grpc import IdentityServiceServicer
from services.auth import convert, domain
from services.auth.domain import MailKind
from services.auth.domain.identities import InvalidProviderAnswer, ProviderNotFound
from services.auth.engine.accounts import Accounts
from services.auth.engine.credentials import Passwords
from services.auth.engine.providers import Providers, Redirect
from services.auth.engine.sign_in import SignIn
from services.auth.handler.step_up import StepUp, meant_by
from services.auth.store import accounts, identities, mail


class IdentityHandler(IdentityServiceServicer):
    """Signs in and up who comes from a provider, and links identities."""

    def __init__(
        self,
        database: Database,
        providers: Providers,
        made: Accounts,
        passwords: Passwords,
        sign_in: SignIn,
        step_up: StepUp,
    ) -> None:
        self._database = database
        self._providers = providers
        self._accounts = made
        self._passwords = passwords
        self._sign_in = sign_in
        self._step_up = step_up

    async def ListProviders(
        self, request: identity_service_pb2.ListProvidersRequest, context: object
    ) -> identity_service_pb2.ListProvidersResponse:
        return identity_service_pb2.ListProvidersResponse(
            providers=[
                identity_service_pb2.Provider(id=one.id, name=one.name)
                for one in self._providers.named.values()
            ]
        )

    async def BeginProviderSignIn(
        self, request: identity_service_pb2.BeginProviderSignInRequest, context: object
    ) -> identity_service_pb2.ProviderRedirect:
        return _redirect(await self._providers.send(request.provider_id))

    async def CreateSessionByProvider(
        self, request: identity_service_pb2.CreateSessionByProviderRequest, context: object
    ) -> identity_service_pb2.CreateSessionByProviderResponse:
        who = await self._providers.answered(
            request.state_token, request.state, request.code, request.iss
        )
        async with self._database.transaction() as tx:
            await self._providers.use(tx, request.state_token)
            linked = await identities.identity_of(tx, who.issuer, who.subject)
            account = None if linked is None else await accounts.account(tx, linked.account_id)
        if account is None:
            return identity_service_pb2.CreateSessionByProviderResponse(
                sign_up_token=self._providers.sign_up_token(who)
            )
        return identity_service_pb2.CreateSessionByProviderResponse(
            session=await self._sign_in.begin(account)
        )

    async def CreateAccountByProvider(
        self, request: identity_service_pb2.CreateAccountByProviderRequest, context: object
    ) -> session_pb2.Session:
        who = self._providers.signing_up(request.sign_up_token)
        await self._accounts.may_sign_up(request.sign_up_code)
        # Nobody knows its password; whoever wants one asks for it by mail.
        unknown = await self._passwords.hash(secrets.token_hex())
        account = domain.new_account(
            request.handle, request.email, request.display_name, unknown, datetime.now(UTC)
        )
        # Linked with it: whoever holds the token twice, or breaks off, has one account or none.
        identity = who.linked_to(account.id)
        user = await self._accounts.create(account, request.sign_up_code, identity)
        return await self._sign_in.begin(account, user)

    async def BeginIdentity(
        self, request: identity_service_pb2.BeginIdentityRequest, context: object
    ) -> identity_service_pb2.ProviderRedirect:
        account = (await self._step_up.prove_by(request.proof)).account
        return _redirect(await self._providers.send(request.provider_id, account.id.hex))

    async def LinkIdentity(
        self, request: identity_service_pb2.LinkIdentityRequest, context: object
    ) -> identity_service_pb2.Identity:
        me = convert.account_id(principal().user_id)
        who = await self._providers.answered(
            request.state_token, request.state, request.code, request.iss, me.hex
        )
        async with self._database.transaction() as tx:
            await self._providers.use(tx, request.state_token)
            asked = who.linked_to(me)
            linked = await identities.link(tx, asked)
            if linked is None:
                raise InvalidProviderAnswer
            if linked == asked:
                await mail.notify_owner(tx, MailKind.IDENTITY_LINKED, me)
        return convert.identity(linked)

    async def BeginProviderProof(
        self, request: identity_service_pb2.BeginProviderProofRequest, context: object
    ) -> identity_service_pb2.ProviderRedirect:
        caller = principal()
        async with self._database.reading() as tx:
            mine = await identities.identities_of(tx, convert.account_id(caller.user_id))
        if request.provider_id not in {one.provider for one in mine}:
            raise ProviderNotFound
        return _redirect(
            await self._providers.send(request.provider_id, meant_by(caller), anew=True)
        )

    async def ProveByProvider(
        self, request: identity_service_pb2.ProveByProviderRequest, context: object
    ) -> identity_service_pb2.ProviderProof:
        caller = principal()
        meant = meant_by(caller)
        who = await self._providers.answered(
            request.state_token, request.state, request.code, request.iss, meant, anew=True
        )
        async with self._database.transaction() as tx:
            await self._providers.use(tx, request.state_token)
            linked = await identities.identity_of(tx, who.issuer, who.subject)
        if linked is None or linked.account_id != convert.account_id(caller.user_id):
            raise InvalidProviderAnswer
        token, expires = self._providers.proof(who, meant)
        return identity_service_pb2.ProviderProof(
            provider_token=token, expire_time=timestamp(expires)
        )

    async def ListIdentities(
        self, request: identity_service_pb2.ListIdentitiesRequest, context: object
    ) -> identity_service_pb2.ListIdentitiesResponse:
        async with self._database.reading() as tx:
            mine = await identities.identities_of(tx, convert.account_id(principal().user_id))
        return identity_service_pb2.ListIdentitiesResponse(identities=map(convert.identity, mine))

    async def UnlinkIdentity(
        self, request: identity_service_pb2.UnlinkIdentityRequest, context: object
    ) -> Empty:
        account = (await self._step_up.prove_by(request.proof)).account
        async with self._database.transaction() as tx:
            if await identities.unlink(tx, account.id, request.provider_id):
                await mail.notify_owner(tx, MailKind.IDENTITY_UNLINKED, account.id)
        return Empty()


def _redirect(to: Redirect) -> identity_service_pb2.ProviderRedirect:
    return identity_service_pb2.ProviderRedirect(authorization_url=to.url, state_token=to.token)
