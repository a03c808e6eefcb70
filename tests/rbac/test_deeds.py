"""What is done to roles and overrides is told to the audit log, and nothing else is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chassis import ids
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import membership_service_pb2 as membership
from creavio.rbac.v1 import override_service_pb2 as override
from creavio.rbac.v1 import policy_deed_pb2
from creavio.rbac.v1 import rbac_events_pb2 as events
from creavio.rbac.v1 import role_service_pb2 as role
from creavio.rbac.v1.membership_service_pb2_grpc import MembershipServiceStub
from creavio.rbac.v1.override_service_pb2_grpc import OverrideServiceStub
from creavio.rbac.v1.role_service_pb2_grpc import RoleServiceStub
from services.rbac.domain.deeds import Action, deeds_between
from services.rbac.domain.policy import (
    Permissions,
    Policy,
    reordered,
    with_new_role,
    with_override,
    without_role,
)
from tests.rbac.policies import overrides, permission_sets, policies, uuids
from tests.rbac.world import Rbac, identifier

SEND, VIEW = p.PERMISSION_SEND_MESSAGES, p.PERMISSION_VIEW_CHANNEL


async def told(rbac: Rbac) -> list[events.PolicyDeed]:
    return [
        deed
        for deed in await rbac.announced(events.PolicyDeed)
        if isinstance(deed, events.PolicyDeed)
    ]


def said(deed: events.PolicyDeed) -> tuple[str, list[tuple[str, str, str]]]:
    name = policy_deed_pb2.PolicyAction.Name(deed.action).removeprefix("POLICY_ACTION_")
    return name, [(one.field, one.before, one.after) for one in deed.differences]


def test_the_actions_are_those_of_the_contract() -> None:
    theirs = {
        name.removeprefix("POLICY_ACTION_"): n
        for name, n in policy_deed_pb2.PolicyAction.items()
        if n
    }
    assert {action.name: action.value for action in Action} == theirs


async def test_each_deed_is_told_with_who_did_it_and_what_changed(rbac: Rbac) -> None:
    table = await rbac.founded()
    bob = await table.member()
    low = await table.create("low", SEND)
    high = await table.create("high")
    update = role.UpdateRoleRequest(
        community_id=table.id, role_id=low.id, name="lower", color=0xFF8800, deny=[VIEW, SEND]
    )
    await table.owner.ask(RoleServiceStub, "UpdateRole", update)
    order = role.ReorderRolesRequest(community_id=table.id, role_ids=[high.id, low.id])
    await table.owner.ask(RoleServiceStub, "ReorderRoles", order)
    await table.grant(table.owner, bob, high.id)
    await table.revoke(table.owner, bob, high.id)
    gone = role.DeleteRoleRequest(community_id=table.id, role_id=high.id)
    await table.owner.ask(RoleServiceStub, "DeleteRole", gone)
    found = await told(rbac)
    assert {(deed.community_id, deed.actor_id) for deed in found} == {(table.id, table.owner.id)}
    assert all(deed.HasField("create_time") for deed in found)
    assert [said(deed) for deed in found] == [
        ("ROLE_CREATED", [("name", "", "low"), ("allow", "", "SEND_MESSAGES")]),
        ("ROLE_CREATED", [("name", "", "high")]),
        (
            "ROLE_UPDATED",
            [
                ("name", "low", "lower"),
                ("color", "", "#ff8800"),
                ("allow", "SEND_MESSAGES", ""),
                ("deny", "", "VIEW_CHANNEL, SEND_MESSAGES"),
            ],
        ),
        ("ROLES_REORDERED", []),
        ("ROLE_GRANTED", []),
        ("ROLE_REVOKED", []),
        ("ROLE_DELETED", []),
    ]
    assert [(deed.role_id, deed.role_name, deed.user_id) for deed in found] == [
        (low.id, "low", ""),
        (high.id, "high", ""),
        (low.id, "lower", ""),
        ("", "", ""),
        (high.id, "high", bob.id),
        (high.id, "high", bob.id),
        (high.id, "high", ""),
    ]


async def test_overrides_are_told_with_the_channel_and_whom_they_are_for(rbac: Rbac) -> None:
    table = await rbac.founded()
    bob, channel = await table.member(), identifier(ids.Kind.CHANNEL)
    low = await table.create("low")
    await table.override(table.owner, channel, low.id, SEND)
    await table.override(table.owner, channel, bob.id, deny=(VIEW,))
    for target in (low.id, bob.id):
        gone = override.DeleteOverrideRequest(
            community_id=table.id, channel_id=channel, target_id=target
        )
        await table.owner.ask(OverrideServiceStub, "DeleteOverride", gone)
    found = (await told(rbac))[1:]
    assert [said(deed) for deed in found] == [
        ("OVERRIDE_CHANGED", [("allow", "", "SEND_MESSAGES")]),
        ("OVERRIDE_CHANGED", [("deny", "", "VIEW_CHANNEL")]),
        ("OVERRIDE_CHANGED", [("allow", "SEND_MESSAGES", "")]),
        ("OVERRIDE_CHANGED", [("deny", "VIEW_CHANNEL", "")]),
    ]
    assert [(deed.role_id, deed.user_id) for deed in found] == [
        (low.id, ""),
        ("", bob.id),
        (low.id, ""),
        ("", bob.id),
    ]
    assert {deed.channel_id for deed in found} == {channel}


async def test_what_changes_nothing_is_refused_or_asked_by_a_service_is_not_told(
    rbac: Rbac,
) -> None:
    table = await rbac.founded()
    bob, channel = await table.member(), identifier(ids.Kind.CHANNEL)
    low = await table.create("low", key="once")
    await table.create("low", key="once")
    await table.grant(table.owner, bob, low.id)
    before = len(await told(rbac))
    assert before == 2
    await table.grant(table.owner, bob, low.id)
    update = role.UpdateRoleRequest(community_id=table.id, role_id=low.id, name="low")
    await table.owner.ask(RoleServiceStub, "UpdateRole", update)
    gone = override.DeleteOverrideRequest(
        community_id=table.id, channel_id=channel, target_id=low.id
    )
    await table.owner.ask(OverrideServiceStub, "DeleteOverride", gone)
    await table.make_private(channel, table.owner.id)
    transfer = membership.TransferOwnershipRequest(community_id=table.id, owner_id=bob.id, number=1)
    await rbac.as_service(MembershipServiceStub(rbac.channel).TransferOwnership, transfer)
    await table.unbind(table.owner.id)
    assert len(await told(rbac)) == before


@given(policies())
def test_between_equal_policies_there_is_nothing(policy: Policy) -> None:
    assert list(deeds_between(policy, policy)) == []


@given(policies(), permission_sets, permission_sets, st.data())
def test_each_change_is_one_deed(
    policy: Policy, allow: Permissions, deny: Permissions, data: st.DataObject
) -> None:
    after, made = with_new_role(policy, "new", 0, allow, deny)
    assert [(d.action, d.role) for d in deeds_between(policy, after)] == [
        (Action.ROLE_CREATED, made)
    ]
    channel, say = data.draw(uuids), data.draw(overrides)
    overridden = with_override(after, channel, made.id, say)
    (deed,) = deeds_between(after, overridden)
    assert (deed.action, deed.role, deed.channel_id) == (Action.OVERRIDE_CHANGED, made, channel)
    # Its overrides go with a role, and are not told one by one.
    assert [
        (d.action, d.role) for d in deeds_between(overridden, without_role(overridden, made.id))
    ] == [(Action.ROLE_DELETED, made)]
    custom = [found.id for found in after.roles[1:-1]]
    order = data.draw(st.permutations(custom))
    moved = order != custom[::-1]
    assert [d.action for d in deeds_between(after, reordered(after, order))] == (
        [Action.ROLES_REORDERED] if moved else []
    )
