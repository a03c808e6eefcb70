"""Sends the mail that was kept to be sent."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Final

from chassis.database import Database, Transaction
from chassis.telemetry import Telemetry
from services.auth.domain import Account, Mail, MailKind, Proof, Purpose, spared
from services.auth.engine.credentials import Links, digest
from services.auth.engine.letters import Letter, Letters, NoAddressError, message
from services.auth.engine.outgoing import NotNowError, Outgoing, RefusedError
from services.auth.store import accounts, mail

_BATCH: Final = 3
"""Mail sent at once: few enough that the requests keep their database connections."""


class Post:
    """Takes mail from its table, decides what it says, and sends it.

    Mail is sent at least once: it leaves the table's queue when it was taken. What
    fails is tried again, later and later, for a day.
    """

    def __init__(
        self,
        database: Database,
        links: Links,
        letters: Letters,
        outgoing: Outgoing,
        sender: str,
        telemetry: Telemetry,
    ) -> None:
        self._database = database
        self._links = links
        self._letters = letters
        self._outgoing = outgoing
        self._sender = sender
        self._log = telemetry.log

    async def deliver(self) -> None:
        """Send everything that is due."""
        claimed = _BATCH
        while claimed == _BATCH:
            async with self._database.transaction() as tx:
                due = await mail.claim_mail(tx, _BATCH)
            await asyncio.gather(*(self._deliver(one) for one in due))
            claimed = len(due)

    async def _deliver(self, one: Mail) -> None:
        facts = {"mail": one.id.hex, "kind": one.kind.value, "attempt": one.attempts}
        async with self._database.transaction() as tx:
            letter = await self._compose(tx, one)
        sent = False
        if letter is not None:
            try:
                made = message(one.id, self._sender, one.recipient, letter)
                await self._outgoing.send(one.id.hex, made)
            except NotNowError as error:
                self._log.warning("mail could not be sent yet", why=str(error), **facts)
                return
            except (RefusedError, NoAddressError) as error:
                self._log.warning("mail was refused", why=str(error), **facts)
            else:
                sent = True
                self._log.info("mail sent", **facts)
        async with self._database.transaction() as tx:
            if sent:
                await mail.mail_is_sent(tx, one.id)
            else:
                await mail.drop_mail(tx, one.id)

    async def _compose(self, tx: Transaction, one: Mail) -> Letter | None:
        """What there is to say; nothing where nobody is to be told, or was told enough."""
        if spared(*await mail.told(tx, one)):
            return None
        match one.kind:
            case MailKind.VERIFY_EMAIL | MailKind.CHANGE_EMAIL:
                return await self._verify(tx, one)
            case MailKind.RESET_PASSWORD:
                owner = await accounts.account_by(tx, one.recipient)
                if owner is None:
                    return None
                token = await self._prove(tx, one, owner, Purpose.RESET_PASSWORD)
                return self._letters.reset(owner.handle, token)
            case MailKind.PASSWORD_CHANGED:
                return self._letters.password_changed(one.handle)
            case MailKind.EMAIL_CHANGED:
                return self._letters.email_changed(one.handle)
            case _:
                return self._letters.notice(one.kind, one.handle)

    async def _verify(self, tx: Transaction, one: Mail) -> Letter | None:
        account = await accounts.account_by(tx, one.handle)
        # Whoever asks for it again must know what the account names; its owner may change that.
        if account is None or (
            one.kind is MailKind.VERIFY_EMAIL and account.email != one.recipient
        ):
            return None
        owner = await accounts.account_by(tx, one.recipient)
        if owner is None:
            token = await self._prove(tx, one, account, Purpose.VERIFY_EMAIL)
            return self._letters.verify(account.handle, token)
        return None if owner.id == account.id else self._letters.known(owner.handle)

    async def _prove(self, tx: Transaction, one: Mail, account: Account, purpose: Purpose) -> str:
        """The token that goes with a mail: the same one however often it is tried."""
        token = self._links.token(purpose, one.id)
        ends = datetime.now(UTC) + purpose.lasts
        await mail.add_proof(
            tx, Proof(one.id, account.id, purpose, one.recipient, digest(token), ends)
        )
        return token
