"""Between the contract's messages and the domain."""

from __future__ import annotations

from chassis.wire import timestamp
from creavio.auth.v1 import key_service_pb2, session_pb2
from creavio.user.v1 import user_pb2
from services.auth.domain import Credentials


def session(credentials: Credentials, user: user_pb2.User) -> session_pb2.Session:
    """A session as it stands on the wire."""
    return session_pb2.Session(
        access_token=credentials.access_token,
        refresh_token=credentials.refresh_token,
        expire_time=timestamp(credentials.expire_time),
        user=user,
    )


def key_set(*keys: dict[str, str]) -> key_service_pb2.KeySet:
    """The key set as it stands on the wire."""
    return key_service_pb2.KeySet(keys=[key_service_pb2.Key(**key) for key in keys])
