"""What user does about events of others."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from chassis.database import Transaction
from services.user import convert
from services.user.store import erasures


class ConfirmationConsumer:
    """Keeps that a service has erased somebody: its `PersonErased`."""

    def __init__(self, service: str) -> None:
        self._service = service

    async def handle(self, transaction: Transaction, event: Message) -> None:
        """Take effect, inside the transaction that records the event as handled."""
        erased: Any = event
        await erasures.confirm(transaction, convert.user_id(erased.user_id), self._service)
