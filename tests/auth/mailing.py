"""auth's mail and whoever waits for it, next to a real database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
import re
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
import sqlalchemy as sa

from chassis import calls, ids
from chassis.calls import Call, Principal
from chassis.config import Config
from chassis.database import Database
from chassis.telemetry import Telemetry
from chassis.testing import scratch_config
from chassis.tokens import Tokens
from creavio.auth.v1 import password_service_pb2
from creavio.user.v1 import user_pb2
from services.auth import domain
from services.auth.domain import Account, MailKind
from services.auth.engine.cookies import Cookies
from services.auth.engine.credentials import Issuer, Links, Passwords
from services.auth.engine.guesses import Allowances, Guesses
from services.auth.engine.letters import Letters
from services.auth.engine.outgoing import NotNowError
from services.auth.engine.passkeys import Passkeys
from services.auth.engine.post import Post
from services.auth.engine.providers import Providers
from services.auth.engine.second_factors import SecondFactors
from services.auth.engine.sessions import Revocations
from services.auth.engine.sign_in import SignIn
from services.auth.handler.emails import EmailHandler
from services.auth.handler.passwords import PasswordHandler
from services.auth.handler.second_factors import SecondFactorHandler
from services.auth.handler.sessions import SessionHandler
from services.auth.handler.step_up import StepUp
from services.auth.store import accounts, mail, sessions, tables

PASSWORD = "correct horse"
PUBLIC = "https://talk.example.org"


@dataclass
class Tray:
    """Takes mail, and keeps it to be looked at."""

    taken: list[EmailMessage] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    failing: Exception | None = None

    async def send(self, name: str, message: EmailMessage) -> None:
        if self.failing is not None:
            raise self.failing
        self.taken.append(message)
        self.names.append(name)

    def to(self, address: str) -> list[str]:
        """The subjects of what came for an address, in order."""
        return [str(one["Subject"]) for one in self.taken if str(one["To"]) == address]

    def token(self, address: str) -> str:
        """The token in what came last for an address."""
        last = [one for one in self.taken if str(one["To"]) == address][-1]
        found = re.search(r"#token=(\S+)", last.get_content())
        assert found is not None, last.get_content()
        return found[1]


@dataclass
class Told:
    """What was told at once."""

    events: list[Message] = field(default_factory=list)

    async def tell(self, events: Sequence[Message]) -> None:
        self.events += events


class World:
    """auth without its neighbours."""

    def __init__(self, database: Database, issuer: Issuer, config: Config | None = None) -> None:
        config = config or scratch_config("auth")
        self.database = database
        self.passwords = Passwords()
        self.tray, self.told = Tray(), Told()
        self.links = Links(Tokens(config))
        revocations = self.revocations = Revocations(database, self.told.tell)
        guesses = Guesses(database, config, Allowances())
        self.factors = SecondFactors(database, config)
        step_up = self.step_up = StepUp(
            database,
            self.passwords,
            guesses,
            self.factors,
            Passkeys(Tokens(config), PUBLIC),
            Providers(config, Tokens(config), (), PUBLIC),
        )
        profiles: Any = _Profiles()
        self.emails = EmailHandler(database, step_up, self.links, revocations)
        self.password = PasswordHandler(
            database, self.passwords, step_up, self.links, revocations, guesses
        )
        self.cookies = Cookies(PUBLIC)
        self.sign_in = SignIn(
            database, issuer, profiles, self.factors, Tokens(config), self.cookies
        )
        self.second_factor = SecondFactorHandler(database, step_up, self.factors, revocations)
        self.session = SessionHandler(
            database,
            self.passwords,
            profiles,
            issuer,
            revocations,
            guesses,
            self.sign_in,
            self.cookies,
        )
        self.post = self.another_post()

    def another_post(self) -> Post:
        """Another process that sends the same mail."""
        return Post(
            self.database,
            self.links,
            Letters(PUBLIC),
            self.tray,
            "Creavio <no-reply@example.org>",
            Telemetry(scratch_config("auth")),
        )

    async def sign_up(
        self, handle: str, email: str | None = None, *, verified: bool = True
    ) -> Account:
        """Somebody who can sign in."""
        made = domain.new_account(
            handle,
            email or f"{handle}@example.org",
            handle,
            await self.passwords.hash(PASSWORD),
            datetime.now(UTC),
        )
        async with self.database.transaction() as tx:
            await accounts.add_account(tx, made)
            await accounts.settle_account(tx, made.id)
            if verified:
                await accounts.verify_email(tx, made.id, made.email, made.create_time)
        return await self.account(handle)

    async def keep_account(self, account: Account) -> None:
        """Keep an account whose profile is there."""
        async with self.database.transaction() as tx:
            await accounts.add_account(tx, account)
            await accounts.settle_account(tx, account.id)

    async def account(self, handle: str) -> Account:
        """An account as it is now."""
        async with self.database.reading() as tx:
            found = await accounts.account_by(tx, handle)
        assert found is not None
        return found

    async def change_password(self, password: str) -> None:
        """Another password for whoever calls."""
        request = password_service_pb2.ChangePasswordRequest(
            current_password=PASSWORD, new_password=password
        )
        await self.password.ChangePassword(request, None)

    async def session_of(self, account: Account) -> UUID:
        """A session of somebody's."""
        begun = domain.new_session(account.id, b"x", ids.new(), datetime.now(UTC))
        async with self.database.transaction() as tx:
            await sessions.add_session(tx, begun)
        return begun.id

    async def lasting(self, account: Account) -> set[UUID]:
        """The sessions somebody has."""
        async with self.database.reading() as tx:
            found = await sessions.sessions_of(tx, account.id, datetime.now(UTC), 100)
        return {one.id for one in found}

    async def keep(self, kind: MailKind, recipient: str, handle: str = "") -> None:
        """Keep mail to be sent."""
        async with self.database.transaction() as tx:
            await mail.add_mail(tx, domain.new_mail(kind, recipient, datetime.now(UTC), handle))

    async def later(self, passed: timedelta) -> None:
        """Let time pass for the mail and the proofs there are."""
        async with self.database.transaction() as tx:
            for column in (
                tables.MAIL.c.due_time,
                tables.MAIL.c.expire_time,
                tables.PROOF.c.expire_time,
            ):
                await tx.execute(sa.update(column.table).values({column.name: column - passed}))

    async def everything_kept(self) -> str:
        """Every row of every table, as text."""
        async with self.database.reading() as tx:
            names = (
                await tx.execute(
                    sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
                )
            ).scalars()
            whole: list[sa.Select[tuple[str]]] = [
                sa.select(sa.literal_column(f'"{name}"::text')).select_from(sa.table(name))
                for name in names
            ]
            rows = [(await tx.execute(query)).scalars().all() for query in whole]
        return "\n".join(row for table in rows for row in table)

    async def waiting(self) -> int:
        """How much mail waits to be sent."""
        async with self.database.reading() as tx:
            query = sa.select(sa.func.count()).where(tables.MAIL.c.sent_time.is_(None))
            return int((await tx.execute(query)).scalar_one())

    @contextmanager
    def calling(
        self, account: Account, session_id: UUID, source: str = "192.0.2.1"
    ) -> Iterator[None]:
        """Calls in the block are made by somebody, in a session of theirs."""
        caller = Principal(
            ids.text(ids.Kind.USER, account.id), ids.text(ids.Kind.SESSION, session_id), "", 0.0
        )
        nothing: Any = None
        headers = {"x-forwarded-for": source}
        before = calls.CURRENT.set(Call(nothing, None, nothing, headers, principal=caller))
        try:
            yield
        finally:
            calls.CURRENT.reset(before)


@contextmanager
def coming_from(source: str) -> Iterator[None]:
    """Calls in the block come from an address, signed in as nobody."""
    nothing: Any = None
    call = Call(nothing, None, nothing, {"x-forwarded-for": source})
    before = calls.CURRENT.set(call)
    try:
        yield
    finally:
        calls.CURRENT.reset(before)


class _Profiles:
    async def tell_standing(self, account_id: object) -> None:
        """user knows."""

    async def user(self, account_id: object) -> Message:
        return user_pb2.User(id=str(account_id))


NOT_NOW = NotNowError("away")
