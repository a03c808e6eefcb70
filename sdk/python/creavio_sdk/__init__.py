"""The client of Creavio for asyncio: sign in, call, follow what happens."""

from creavio_sdk.client import Client
from creavio_sdk.errors import (
    CallError,
    Conflict,
    Denied,
    Invalid,
    NotFound,
    NotSignedIn,
    RateLimited,
    Unavailable,
)
from creavio_sdk.events import EventStream
from creavio_sdk.paging import pages
from creavio_sdk.retrying import Retries

__all__ = [
    "CallError",
    "Client",
    "Conflict",
    "Denied",
    "EventStream",
    "Invalid",
    "NotFound",
    "NotSignedIn",
    "RateLimited",
    "Retries",
    "Unavailable",
    "pages",
]
