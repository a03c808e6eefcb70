"""The policy as Casbin evaluates it.

RBAC with domains; a rule's priority follows its role's position, and the first
rule that matches decides, so a higher role wins over a lower one. Where one role
both allows and denies, its denial comes first.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from cachetools import LRUCache
import casbin

from services.rbac.domain import Permission, Policy

_MODEL: Final = """
[request_definition]
r = sub, dom, act

[policy_definition]
p = priority, sub, dom, act, eft

[role_definition]
g = _, _, _

[policy_effect]
e = priority(p.eft) || deny

[matchers]
m = r.dom == p.dom && r.act == p.act && g(r.sub, p.sub, r.dom)
"""
_PERSON: Final = "person"


class PolicyEngine:
    """Decides by Casbin; keeps one enforcer per community and version."""

    def __init__(self, size: int = 1_000) -> None:
        self._enforcers: LRUCache[tuple[UUID, int], casbin.Enforcer] = LRUCache(size)

    def allows(self, policy: Policy, roles: frozenset[UUID], permission: Permission) -> bool:
        """Whether somebody who holds these roles is allowed this."""
        enforcer = self._enforcer(policy)
        domain = str(policy.community_id)
        # The person's roles are this moment's, from the database: nothing of the
        # last question may stay. There is no await in here.
        links = enforcer.get_role_manager()
        links.clear()
        for role in roles:
            links.add_link(_PERSON, str(role), domain)
        return bool(enforcer.enforce(_PERSON, domain, permission.name))

    def _enforcer(self, policy: Policy) -> casbin.Enforcer:
        key = (policy.community_id, policy.version)
        enforcer = self._enforcers.get(key)
        if enforcer is None:
            enforcer = self._enforcers[key] = _build(policy)
        return enforcer


def _build(policy: Policy) -> casbin.Enforcer:
    model = casbin.Model()
    model.load_model_from_text(_MODEL)
    enforcer = casbin.Enforcer(model)
    enforcer.enable_auto_build_role_links(False)
    domain = str(policy.community_id)
    rules: list[list[str]] = []
    for role in sorted(policy.roles, key=lambda role: role.position, reverse=True):
        for effect, permissions in (("deny", role.denies), ("allow", role.allows)):
            for permission in sorted(permissions):
                priority = str(len(rules))
                rules.append([priority, str(role.id), domain, permission.name, effect])
    enforcer.add_policies(rules)
    return enforcer
