"""RevocationService and KeyService: what the other services ask."""

from __future__ import annotations

from google.protobuf.empty_pb2 import Empty

from creavio.auth.v1 import key_service_pb2, revocation_service_pb2
from creavio.auth.v1.key_service_pb2_grpc import KeyServiceServicer
from creavio.auth.v1.revocation_service_pb2_grpc import RevocationServiceServicer
from services.auth import convert
from services.auth.engine.keys import Keyring
from services.auth.engine.sessions import Revocations


class RevocationHandler(RevocationServiceServicer):
    """Tells the other services which sessions are over."""

    def __init__(self, revocations: Revocations) -> None:
        self._revocations = revocations

    async def ListRevocations(
        self, request: revocation_service_pb2.ListRevocationsRequest, context: object
    ) -> revocation_service_pb2.ListRevocationsResponse:
        return await self._revocations.list_revocations(request)


class KeyHandler(KeyServiceServicer):
    """Publishes the keys of access tokens, and has others take over."""

    def __init__(self, keys: Keyring) -> None:
        self._keys = keys

    async def GetKeySet(
        self, request: key_service_pb2.GetKeySetRequest, context: object
    ) -> key_service_pb2.KeySet:
        return convert.key_set(*self._keys.published())

    async def RotateKeys(
        self, request: key_service_pb2.RotateKeysRequest, context: object
    ) -> Empty:
        await self._keys.rotate(withdraw=request.withdraw)
        return Empty()
