"""What this service tells the others."""

from __future__ import annotations

from uuid import UUID

from chassis import ids
from chassis.wire import timestamp
from creavio.auth.v1 import auth_events_pb2
from services.auth.domain import Revocation


def session_revoked(revocation: Revocation, account_id: UUID) -> auth_events_pb2.SessionRevoked:
    """A session was ended."""
    return auth_events_pb2.SessionRevoked(
        session_id=ids.text(ids.Kind.SESSION, revocation.session_id),
        user_id=ids.text(ids.Kind.USER, account_id),
        expire_time=timestamp(revocation.expire_time),
        revision=revocation.revision,
    )
