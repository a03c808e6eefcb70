"""A permission check over masks, beside Casbin."""

from __future__ import annotations

import casbin

from bench.measure import Result, per_call
from chassis.knowledge import Knowledge
from chassis.masks import Permission, Policy, Roles, to_bytes
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import access_pb2
from creavio.rbac.v1.access_service_pb2 import GetAccessResponse

_PERMISSIONS: tuple[Permission, ...] = (
    p.PERMISSION_VIEW_COMMUNITY,
    p.PERMISSION_VIEW_CHANNEL,
    p.PERMISSION_SEND_MESSAGES,
)
_MODEL = """
[request_definition]
r = sub, dom, act
[policy_definition]
p = sub, dom, act, eft
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.act == p.act
"""


def checks(roles: int) -> list[Result]:
    """SEND_MESSAGES in a channel, for a member of a community with so many roles."""
    everybody = (1 << roles) - 1
    masks = dict.fromkeys(_PERMISSIONS, (everybody, 0))
    policy = Policy(1, tuple(range(roles)), masks, {})
    held = Roles(1, 0b101, {})
    bits = policy.bits(held)

    def by_masks() -> None:
        policy.decides(bits, held, p.PERMISSION_SEND_MESSAGES, "chn_1")

    knowledge = Knowledge()
    knowledge.heartbeat(1)
    knowledge.keep(_reply(policy))

    def kept() -> None:
        knowledge.heartbeat(1)
        known = knowledge.get("usr_1", "com_1")
        assert known is not None
        known.allows(p.PERMISSION_SEND_MESSAGES, "chn_1", now=knowledge.now())

    knowledge.heartbeat(1)
    enforcer = _enforcer(roles)

    def by_casbin() -> None:
        enforcer.enforce("person", "com", "SEND_MESSAGES")

    rows = []
    for name, work in (
        ("check, masks", by_masks),
        ("check, masks and freshness", kept),
        ("check, pycasbin enforce", by_casbin),
    ):
        micros = per_call(work)
        rows.append(Result(name, f"{roles} roles", 1, micros / 1e6, extra={"us_a_check": micros}))
    return rows


def _reply(policy: Policy) -> GetAccessResponse:
    masks = [
        access_pb2.PermissionMask(permission=permission, allow=to_bytes(allow))
        for permission, (allow, _) in policy.masks.items()
    ]
    return GetAccessResponse(
        masks=access_pb2.CommunityMasks(
            community_id="com_1", version=1, masks=masks, roles=policy.order
        ),
        binding=access_pb2.Binding(
            community_id="com_1", user_id="usr_1", version=1, roles=to_bytes(0b101)
        ),
        revision=1,
    )


def _enforcer(roles: int) -> casbin.Enforcer:
    model = casbin.Model()
    model.load_model_from_text(_MODEL)
    enforcer = casbin.Enforcer(model)
    for role in range(roles):
        for permission in ("VIEW_COMMUNITY", "VIEW_CHANNEL", "SEND_MESSAGES"):
            enforcer.add_policy(str(role), "com", permission, "allow")
    for role in (0, 2):
        enforcer.add_role_for_user_in_domain("person", str(role), "com")
    return enforcer
