"""Who people are somewhere else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from chassis.errors import NotFound, Unauthenticated

ANSWER_LASTS: Final = timedelta(minutes=10)
"""For so long a provider may take to send somebody back."""


PROOF_LASTS: Final = timedelta(minutes=5)
"""For so long somebody who signed in anew may show that they did."""


class ProviderNotFound(NotFound):
    """There is no such provider."""

    def __init__(self) -> None:
        super().__init__("there is no such provider")


class InvalidProviderAnswer(Unauthenticated):
    """What came back is not the answer to what was asked; which part of it is not said."""

    reason = "INVALID_PROVIDER_ANSWER"

    def __init__(self) -> None:
        super().__init__("the provider's answer was not accepted: begin again")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is at a provider, and whose account it signs in."""

    provider: str
    """What the instance calls the provider."""
    issuer: str
    """What the provider calls itself: a subject is somebody there, and nobody elsewhere."""
    subject: str
    account_id: UUID
    create_time: datetime
