"""What community does about events of others."""

from __future__ import annotations

from datetime import UTC
from typing import Final

from google.protobuf.message import Message

from chassis import ids
from chassis.database import Transaction
from creavio.rbac.v1 import policy_deed_pb2
from creavio.rbac.v1 import rbac_events_pb2 as rbac
from services.community import store
from services.community.domain import ChannelNotFound
from services.community.domain.audit import Action, Deed, Difference

_ACTIONS: Final = {
    policy_deed_pb2.POLICY_ACTION_ROLE_CREATED: Action.ROLE_CREATED,
    policy_deed_pb2.POLICY_ACTION_ROLE_UPDATED: Action.ROLE_UPDATED,
    policy_deed_pb2.POLICY_ACTION_ROLE_DELETED: Action.ROLE_DELETED,
    policy_deed_pb2.POLICY_ACTION_ROLES_REORDERED: Action.ROLES_REORDERED,
    policy_deed_pb2.POLICY_ACTION_ROLE_GRANTED: Action.ROLE_GRANTED,
    policy_deed_pb2.POLICY_ACTION_ROLE_REVOKED: Action.ROLE_REVOKED,
    policy_deed_pb2.POLICY_ACTION_OVERRIDE_CHANGED: Action.OVERRIDE_CHANGED,
}


class RbacConsumer:
    """Writes down what is done in rbac by the power of roles."""

    async def handle(self, tx: Transaction, event: Message) -> None:
        """Keep who timed somebody out or let them act again, and who changed what of roles."""
        if isinstance(event, rbac.MemberTimedOut):
            deed = _timed_out(event)
        elif isinstance(event, rbac.MemberTimeoutEnded):
            deed = _timeout_ended(event)
        else:
            assert isinstance(event, rbac.PolicyDeed)
            deed = await _of_policy(tx, event)
        await store.write_down(tx, deed)


def _timed_out(event: rbac.MemberTimedOut) -> Deed:
    timeout = event.timeout
    until = timeout.expire_time.ToDatetime(UTC).isoformat()
    return Deed(
        ids.parse(ids.Kind.COMMUNITY, timeout.community_id, field="community_id"),
        ids.parse(ids.Kind.USER, timeout.creator_id, field="creator_id"),
        Action.MEMBER_TIMED_OUT,
        timeout.user_id,
        reason=timeout.reason,
        differences=(Difference("expire_time", "", until),),
        create_time=timeout.create_time.ToDatetime(UTC),
    )


def _timeout_ended(event: rbac.MemberTimeoutEnded) -> Deed:
    return Deed(
        ids.parse(ids.Kind.COMMUNITY, event.community_id, field="community_id"),
        ids.parse(ids.Kind.USER, event.actor_id, field="actor_id"),
        Action.TIMEOUT_ENDED,
        event.user_id,
    )


async def _of_policy(tx: Transaction, event: rbac.PolicyDeed) -> Deed:
    community_id = ids.parse(ids.Kind.COMMUNITY, event.community_id, field="community_id")
    target, name = event.user_id or event.role_id or event.community_id, event.role_name
    named: list[Difference] = []
    if event.channel_id:
        channel_id = ids.parse(ids.Kind.CHANNEL, event.channel_id, field="channel_id")
        target = event.channel_id
        try:
            name = (await store.channel_here(tx, community_id, channel_id)).name
        except ChannelNotFound:
            name = ""  # Deleted since.
        if event.user_id:
            named.append(Difference("user_id", "", event.user_id))
    elif event.user_id:
        name = ""
    if event.role_id and event.role_id != target:
        revoked = event.action == policy_deed_pb2.POLICY_ACTION_ROLE_REVOKED
        before, after = (event.role_name, "") if revoked else ("", event.role_name)
        named.append(Difference("role", before, after))
    return Deed(
        community_id,
        ids.parse(ids.Kind.USER, event.actor_id, field="actor_id"),
        _ACTIONS[event.action],
        target,
        name,
        differences=(
            *named,
            *(Difference(one.field, one.before, one.after) for one in event.differences),
        ),
        create_time=event.create_time.ToDatetime(UTC),
    )
