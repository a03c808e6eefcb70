"""Sessions that end before their tokens do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from chassis.announce import Tell
from chassis.database import Database, Transaction
from creavio.auth.v1 import revocation_service_pb2
from services.auth import convert, domain, events
from services.auth.store import everybody, grants, sessions, tokens

_PAGE: Final = 1_000
"""Revocations told at once."""


class Revocations:
    """Ends sessions, and tells everybody before it is answered.

    What the others keep of it is `chassis.sessions`; for auth itself this is where
    they ask.
    """

    def __init__(self, database: Database, tell: Tell) -> None:
        self._database = database
        self._tell = tell

    async def revoke(self, session_id: UUID, account_id: UUID) -> None:
        """End a session of an account. One that is over, or another's, is left as it is."""
        async with self._database.transaction() as tx:
            await self._end(tx, account_id, only=session_id)
        await self.tell(tx)

    async def end_all(self, tx: Transaction, account_id: UUID, *, but: UUID | None = None) -> None:
        """End the sessions of an account, all or all but one, as part of a transaction.

        Its personal tokens end, too, and what apps were given for it: whoever began a session
        may have made them. Whoever asked for it has to `tell` once that is committed.
        """
        await self._end(tx, account_id, but=but)
        await self.end_tokens(tx, account_id, account_id)
        await self.end_grants(tx, account_id=account_id)

    async def end_tokens(
        self, tx: Transaction, owner_id: UUID, user_id: UUID, *, only: UUID | None = None
    ) -> bool:
        """End somebody's tokens that act for somebody, all or one, as part of a transaction.

        Whoever asked for it has to `tell` once that is committed. False when there was none.
        """
        over = await tokens.end_tokens(tx, owner_id, user_id, only=only)
        for ended in over:
            tx.emit(events.session_revoked(ended, user_id))
        return bool(over)

    async def end_everybodys(self) -> None:
        """End every session and token there is, and tell it, some at a time."""
        more = True
        while more:
            ends = datetime.now(UTC) + domain.ACCESS_LASTS
            async with self._database.transaction() as tx:
                ended = await everybody.end_some(tx, ends, _PAGE)
                for one, user_id in ended:
                    tx.emit(events.session_revoked(one, user_id))
            await self.tell(tx)
            more = bool(ended)

    async def end_grants(
        self,
        tx: Transaction,
        *,
        account_id: UUID | None = None,
        app_id: UUID | None = None,
        only: UUID | None = None,
    ) -> None:
        """End what apps were given, for an account, to an app, or once, in a transaction.

        Whoever asked for it has to `tell` once that is committed.
        """
        assert account_id or app_id or only, "not everything there is"
        ends = datetime.now(UTC) + domain.ACCESS_LASTS
        over = await grants.end_grants(tx, ends, account_id=account_id, app_id=app_id, only=only)
        for ended, owner_id in over:
            tx.emit(events.session_revoked(ended, owner_id))

    async def tell(self, tx: Transaction) -> None:
        """Tell everybody what a committed transaction ended."""
        await self._tell(tx.events)

    async def _end(
        self,
        tx: Transaction,
        account_id: UUID,
        *,
        only: UUID | None = None,
        but: UUID | None = None,
    ) -> None:
        ends = datetime.now(UTC) + domain.ACCESS_LASTS
        for ended in await sessions.end_sessions(tx, account_id, ends, only=only, but=but):
            tx.emit(events.session_revoked(ended, account_id))

    async def list_revocations(
        self, request: revocation_service_pb2.ListRevocationsRequest
    ) -> revocation_service_pb2.ListRevocationsResponse:
        """What was revoked after a revision, as far as its tokens may be about."""
        async with self._database.reading() as tx:
            # Read first: what is revoked in between is listed, and asked for again.
            revision = await sessions.revision(tx)
            found = await sessions.revocations_after(tx, request.after_revision, _PAGE + 1)
        more = len(found) > _PAGE
        return revocation_service_pb2.ListRevocationsResponse(
            revocations=[convert.revocation(one) for one in found[:_PAGE]],
            revision=found[_PAGE - 1].revision if more else revision,
            more=more,
        )

    async def revision(self) -> int:
        """The revision of the last revocation."""
        async with self._database.reading() as tx:
            return await sessions.revision(tx)
