"""Between the contract's messages and the domain."""

from __future__ import annotations

from uuid import UUID

from chassis import ids
from chassis.masks import to_bytes
from creavio.rbac.v1 import access_pb2
from services.rbac.domain import Policy, compile_masks, role_bits


def community(identifier: str) -> UUID:
    """The community a request names."""
    return ids.parse(ids.Kind.COMMUNITY, identifier, field="community_id")


def user(identifier: str) -> UUID:
    """The person a request names."""
    return ids.parse(ids.Kind.USER, identifier, field="user_id")


def masks(policy: Policy) -> access_pb2.CommunityMasks:
    """The compiled policy as it stands on the wire."""
    return access_pb2.CommunityMasks(
        community_id=ids.text(ids.Kind.COMMUNITY, policy.community_id),
        version=policy.version,
        masks=[
            access_pb2.PermissionMask(
                permission=permission.value,  # type: ignore[arg-type]  # the contract's numbers
                allow=to_bytes(allow),
                deny=to_bytes(deny),
            )
            for permission, (allow, deny) in compile_masks(policy).items()
        ],
    )


def binding(
    policy: Policy, user_id: UUID, version: int, roles: frozenset[UUID]
) -> access_pb2.Binding:
    """A person's roles as they stand on the wire."""
    return access_pb2.Binding(
        community_id=ids.text(ids.Kind.COMMUNITY, policy.community_id),
        user_id=ids.text(ids.Kind.USER, user_id),
        version=version,
        roles=to_bytes(role_bits(policy, roles)),
    )
