"""What community does about events of others."""

from __future__ import annotations

from datetime import UTC

from google.protobuf.message import Message

from chassis import ids
from chassis.database import Transaction
from creavio.rbac.v1 import rbac_events_pb2
from services.community import store
from services.community.domain.audit import Action, Deed, Difference


class RbacConsumer:
    """Writes down what is done to members in rbac."""

    async def handle(self, tx: Transaction, event: Message) -> None:
        """Keep who timed somebody out, or let them act again."""
        if isinstance(event, rbac_events_pb2.MemberTimedOut):
            timeout = event.timeout
            until = timeout.expire_time.ToDatetime(UTC).isoformat()
            deed = Deed(
                ids.parse(ids.Kind.COMMUNITY, timeout.community_id, field="community_id"),
                ids.parse(ids.Kind.USER, timeout.creator_id, field="creator_id"),
                Action.MEMBER_TIMED_OUT,
                timeout.user_id,
                reason=timeout.reason,
                differences=(Difference("expire_time", "", until),),
                create_time=timeout.create_time.ToDatetime(UTC),
            )
        else:
            assert isinstance(event, rbac_events_pb2.MemberTimeoutEnded)
            deed = Deed(
                ids.parse(ids.Kind.COMMUNITY, event.community_id, field="community_id"),
                ids.parse(ids.Kind.USER, event.actor_id, field="actor_id"),
                Action.TIMEOUT_ENDED,
                event.user_id,
            )
        await store.write_down(tx, deed)
