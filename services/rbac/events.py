"""What this service tells the others."""

from __future__ import annotations

from uuid import UUID

from chassis import ids
from creavio.rbac.v1 import rbac_events_pb2


def policy_changed(
    community_id: UUID, version: int, revision: int
) -> rbac_events_pb2.PolicyChanged:
    """A community's masks changed."""
    return rbac_events_pb2.PolicyChanged(
        community_id=ids.text(ids.Kind.COMMUNITY, community_id), version=version, revision=revision
    )


def binding_changed(
    community_id: UUID, user_id: UUID, version: int, revision: int
) -> rbac_events_pb2.BindingChanged:
    """A person's roles in a community changed."""
    return rbac_events_pb2.BindingChanged(
        community_id=ids.text(ids.Kind.COMMUNITY, community_id),
        user_id=ids.text(ids.Kind.USER, user_id),
        version=version,
        revision=revision,
    )
