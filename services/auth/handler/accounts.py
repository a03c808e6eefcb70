"""AccountService."""

from __future__ import annotations

from datetime import UTC, datetime

from chassis.database import Database
from creavio.auth.v1 import account_service_pb2, session_pb2
from creavio.auth.v1.account_service_pb2_grpc import AccountServiceServicer
from services.auth import domain
from services.auth.engine.accounts import Accounts
from services.auth.engine.credentials import Passwords
from services.auth.engine.sign_in import SignIn


class AccountHandler(AccountServiceServicer):
    """Creates accounts."""

    def __init__(
        self, database: Database, passwords: Passwords, accounts: Accounts, sign_in: SignIn
    ) -> None:
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
