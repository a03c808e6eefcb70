"""auth, rbac and community, as far as chat asks them: servicers in memory."""

from __future__ import annotations

import time
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from chassis.errors import NotFound
from creavio.auth.v1 import (
    auth_events_pb2,
    key_service_pb2,
    key_service_pb2_grpc,
    revocation_service_pb2,
    revocation_service_pb2_grpc,
)
from creavio.community.v1 import (
    channel_pb2,
    channel_service_pb2,
    channel_service_pb2_grpc,
    forum_pb2,
)
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import (
    access_pb2,
    access_service_pb2,
    access_service_pb2_grpc,
    role_service_pb2,
    role_service_pb2_grpc,
)
from creavio.user.v1 import reach_service_pb2, reach_service_pb2_grpc


class Auth(
    key_service_pb2_grpc.KeyServiceServicer, revocation_service_pb2_grpc.RevocationServiceServicer
):
    """Signs everybody in, and ends sessions."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256")
        self._revoked: list[str] = []

    def token(self, user_id: str, session_id: str) -> str:
        """An access token."""
        claims = {
            "iss": "creavio",
            "aud": "creavio",
            "sub": user_id,
            "sid": session_id,
            "iat": int(time.time()),
            "exp": int(time.time()) + 600,
        }
        return jwt.encode({"alg": "ES256", "kid": self._key.thumbprint()}, claims, self._key)

    async def GetKeySet(
        self, request: key_service_pb2.GetKeySetRequest, context: object
    ) -> key_service_pb2.KeySet:
        key = self._key.as_dict(private=False)
        named = {name: str(key[name]) for name in ("kty", "crv", "x", "y")}
        return key_service_pb2.KeySet(
            keys=[key_service_pb2.Key(**named, kid=self._key.thumbprint())]
        )

    async def ListRevocations(
        self, request: revocation_service_pb2.ListRevocationsRequest, context: object
    ) -> revocation_service_pb2.ListRevocationsResponse:
        return revocation_service_pb2.ListRevocationsResponse(revision=len(self._revoked))

    def revoke(self, session_id: str) -> auth_events_pb2.SessionRevoked:
        """End a session; the event that tells it."""
        self._revoked.append(session_id)
        event = auth_events_pb2.SessionRevoked(session_id=session_id, revision=len(self._revoked))
        event.expire_time.FromSeconds(int(time.time()) + 600)
        return event

    @property
    def heartbeat(self) -> auth_events_pb2.SessionsHeartbeat:
        return auth_events_pb2.SessionsHeartbeat(revision=len(self._revoked))


class Rbac(access_service_pb2_grpc.AccessServiceServicer):
    """Who may do what in which community: one role for each person."""

    def __init__(self) -> None:
        self.people: dict[str, dict[str, frozenset[Any]]] = {}

    async def Check(
        self, request: access_service_pb2.CheckRequest, context: object
    ) -> access_service_pb2.CheckResponse:
        held = self.people.get(request.community_id, {}).get(request.user_id, frozenset())
        return access_service_pb2.CheckResponse(allowed=request.permission in held)

    async def GetAccess(
        self, request: access_service_pb2.GetAccessRequest, context: object
    ) -> access_service_pb2.GetAccessResponse:
        people = self.people.get(request.community_id, {})
        order = list(people)
        masks = access_pb2.CommunityMasks(
            community_id=request.community_id, version=1, roles=range(len(order))
        )
        for permission in p.Permission.values()[1:]:
            allow = sum(1 << i for i, user in enumerate(order) if permission in people[user])
            masks.masks.add(permission=permission, allow=_bytes(allow))
        mine = 1 << order.index(request.user_id) if request.user_id in people else 0
        binding = access_pb2.Binding(
            community_id=request.community_id,
            user_id=request.user_id,
            version=1,
            roles=_bytes(mine),
        )
        return access_service_pb2.GetAccessResponse(masks=masks, binding=binding)

    async def ListChanges(
        self, request: access_service_pb2.ListChangesRequest, context: object
    ) -> access_service_pb2.ListChangesResponse:
        return access_service_pb2.ListChangesResponse(complete=True)


class Roles(role_service_pb2_grpc.RoleServiceServicer):
    """Which roles people have, as far as somebody asks."""

    def __init__(self) -> None:
        self.held: dict[str, list[str]] = {}
        self.asked = 0

    async def GetMemberRoles(
        self, request: role_service_pb2.GetMemberRolesRequest, context: object
    ) -> role_service_pb2.MemberRoles:
        self.asked += 1
        return role_service_pb2.MemberRoles(role_ids=self.held.get(request.user_id, ()))


class Community(channel_service_pb2_grpc.ChannelServiceServicer):
    """Knows every channel."""

    def __init__(self) -> None:
        self.channels: dict[str, str] = {}
        self.forums: dict[str, forum_pb2.Forum] = {}

    async def GetChannel(
        self, request: channel_service_pb2.GetChannelRequest, context: object
    ) -> channel_pb2.Channel:
        community = self.channels.get(request.channel_id)
        if community is None:
            raise NotFound("there is no such channel")
        forum = self.forums.get(request.channel_id)
        kind = channel_pb2.CHANNEL_TYPE_TEXT if forum is None else channel_pb2.CHANNEL_TYPE_FORUM
        return channel_pb2.Channel(
            id=request.channel_id, community_id=community, type=kind, forum=forum
        )


class Users(reach_service_pb2_grpc.ReachServiceServicer):
    """Knows who takes no direct messages from whom, and who is away."""

    def __init__(self) -> None:
        self.refusing: set[tuple[str, str]] = set()
        """Pairs of who refuses and who is refused."""
        self.away: set[str] = set()

    async def CheckReach(
        self, request: reach_service_pb2.CheckReachRequest, context: object
    ) -> reach_service_pb2.CheckReachResponse:
        refusing = {one for one in request.among if (one, request.user_id) in self.refusing}
        return reach_service_pb2.CheckReachResponse(
            unreachable_ids=refusing, deactivated_ids=self.away & set(request.among) - refusing
        )


def _bytes(bits: int) -> bytes:
    return bits.to_bytes((bits.bit_length() + 7) // 8)
