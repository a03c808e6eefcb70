"""AccountService."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.empty_pb2 import Empty

from chassis.database import Database
from creavio.auth.v1 import account_service_pb2, session_pb2
from creavio.auth.v1.account_service_pb2_grpc import AccountServiceServicer
from creavio.user.v1 import user_pb2
from services.auth import convert, domain
from services.auth.engine.accounts import Accounts
from services.auth.engine.credentials import Passwords
from services.auth.engine.departures import Departures
from services.auth.engine.handles import Handles
from services.auth.engine.sign_in import SignIn
from services.auth.handler.step_up import StepUp


class AccountHandler(AccountServiceServicer):
    """Creates accounts, renames, deactivates and deletes them."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        accounts: Accounts,
        sign_in: SignIn,
        step_up: StepUp,
        departures: Departures,
        handles: Handles,
    ) -> None:
        self._handles = handles
        self._step_up = step_up
        self._departures = departures
        self._database = database
        self._passwords = passwords
        self._accounts = accounts
        self._sign_in = sign_in

    async def CreateAccount(
        self, request: account_service_pb2.CreateAccountRequest, context: object
    ) -> session_pb2.Session:
        await self._accounts.may_sign_up(request.sign_up_code)
        account = domain.new_account(
            request.handle,
            request.email,
            request.display_name,
            await self._passwords.hash(request.password),
            datetime.now(UTC),
        )
        user = await self._accounts.create(account, request.sign_up_code)
        return await self._sign_in.begin(account, user)

    async def ChangeHandle(
        self, request: account_service_pb2.ChangeHandleRequest, context: object
    ) -> user_pb2.User:
        proven = await self._step_up.prove_by(request.proof)
        return await self._handles.change(proven.account, request.handle)

    async def DeleteAccount(
        self, request: account_service_pb2.DeleteAccountRequest, context: object
    ) -> Empty:
        proven = await self._step_up.prove_by(convert.proof(request.proof, request.password))
        await self._departures.may_go(proven.account.id)
        await self._departures.close(proven.account)
        return Empty()

    async def DeactivateAccount(
        self, request: account_service_pb2.DeactivateAccountRequest, context: object
    ) -> Empty:
        proven = await self._step_up.prove_by(request.proof)
        await self._departures.deactivate(proven.account)
        return Empty()
