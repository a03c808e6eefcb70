"""PasskeyService."""

from __future__ import annotations

from google.protobuf.empty_pb2 import Empty

from chassis.calls import principal
from chassis.database import Database
from creavio.auth.v1 import passkey_pb2, passkey_service_pb2, session_pb2
from creavio.auth.v1.passkey_service_pb2_grpc import PasskeyServiceServicer
from services.auth import convert
from services.auth.domain import MailKind
from services.auth.domain.passkeys import InvalidPasskey, PasskeyNotFound, may_have
from services.auth.engine.passkeys import Passkeys
from services.auth.engine.sign_in import SignIn
from services.auth.handler.step_up import StepUp
from services.auth.store import accounts, mail, passkeys


class PasskeyHandler(PasskeyServiceServicer):
    """Registers passkeys, and signs in with them."""

    def __init__(
        self, database: Database, step_up: StepUp, browsers: Passkeys, sign_in: SignIn
    ) -> None:
        self._database = database
        self._step_up = step_up
        self._browsers = browsers
        self._sign_in = sign_in

    async def BeginPasskey(
        self, request: passkey_service_pb2.BeginPasskeyRequest, context: object
    ) -> passkey_pb2.PasskeyOptions:
        account = (await self._step_up.prove_by(request.proof)).account
        async with self._database.reading() as tx:
            have = await passkeys.passkeys_of(tx, account.id)
        may_have(len(have) + 1)
        asked = self._browsers.ask_to_register(account, have)
        return convert.passkey_options(asked.options, asked.token)

    async def RegisterPasskey(
        self, request: passkey_service_pb2.RegisterPasskeyRequest, context: object
    ) -> passkey_pb2.Passkey:
        async with self._database.transaction() as tx:
            # Nobody registers another at the same time.
            account = await accounts.account_to_change(tx, convert.account_id(principal().user_id))
            made = await self._browsers.registered(
                tx, account, request.challenge_token, request.credential, request.name
            )
            if not await passkeys.add_passkey(tx, made):
                raise InvalidPasskey
            may_have(len(await passkeys.passkeys_of(tx, account.id)))
            await mail.notify_owner(tx, MailKind.PASSKEY_ADDED, account.id)
        return convert.passkey(made)

    async def ListPasskeys(
        self, request: passkey_service_pb2.ListPasskeysRequest, context: object
    ) -> passkey_service_pb2.ListPasskeysResponse:
        async with self._database.reading() as tx:
            mine = await passkeys.passkeys_of(tx, convert.account_id(principal().user_id))
        return passkey_service_pb2.ListPasskeysResponse(passkeys=map(convert.passkey, mine))

    async def UpdatePasskey(
        self, request: passkey_service_pb2.UpdatePasskeyRequest, context: object
    ) -> passkey_pb2.Passkey:
        me = convert.account_id(principal().user_id)
        passkey_id = convert.passkey_id(request.passkey_id)
        async with self._database.transaction() as tx:
            if request.HasField("name"):
                return convert.passkey(
                    await passkeys.rename(tx, me, passkey_id, request.name.strip())
                )
            for mine in await passkeys.passkeys_of(tx, me):
                if mine.id == passkey_id:
                    return convert.passkey(mine)
        raise PasskeyNotFound

    async def DeletePasskey(
        self, request: passkey_service_pb2.DeletePasskeyRequest, context: object
    ) -> Empty:
        account = (await self._step_up.prove_by(request.proof)).account
        async with self._database.transaction() as tx:
            named = convert.passkey_id(request.passkey_id)
            if await passkeys.drop_passkey(tx, account.id, named):
                await mail.notify_owner(tx, MailKind.PASSKEY_REMOVED, account.id)
        return Empty()

    async def BeginPasskeySignIn(
        self, request: passkey_service_pb2.BeginPasskeySignInRequest, context: object
    ) -> passkey_pb2.PasskeyOptions:
        asked = self._browsers.ask_to_sign_in()
        return convert.passkey_options(asked.options, asked.token)

    async def CreateSessionByPasskey(
        self, request: passkey_service_pb2.CreateSessionByPasskeyRequest, context: object
    ) -> session_pb2.Session:
        async with self._database.transaction() as tx:
            owner = await self._browsers.proven(tx, request.challenge_token, request.credential)
            account = await accounts.account(tx, owner)
            if account is None:
                raise InvalidPasskey
        return await self._sign_in.begin(account, by_two_factors=True)
