"""The policy as Casbin evaluates it.

The rules that can decide one permission in one place are a cell, in the order in
which they decide: that the member is muted, their own override, the roles as the channel
overrides them, the roles as they are; the highest first, and where one says both its denial.
Casbin walks a cell by `priority(p.eft)`: the first rule that speaks of a role the
person holds decides. Only that cell is laid before it, which is what its
FastEnforcer does with sets of rules, and so without an order.

What a place holds for somebody who cannot see it is nothing: seeing the community,
and the channel, is asked first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias
from uuid import UUID

from cachetools import LRUCache
import casbin

from services.rbac.domain.decision import Step
from services.rbac.domain.errors import CommunityNotProvisioned, Lacks
from services.rbac.domain.permissions import SEEING, Permission
from services.rbac.domain.policy import Holdings, Kind, Policy
from services.rbac.domain.rules import Actor

_MODEL: Final = """
[request_definition]
r = sub, dom, act

[policy_definition]
p = sub, dom, act, eft, level

[role_definition]
g = _, _, _

[policy_effect]
e = priority(p.eft) || deny

[matchers]
m = g(r.sub, p.sub, r.dom)
"""
_PERSON: Final = "person"
_OWN: Final = "own"
"""The level of a member's override, and what whoever has one holds besides their roles."""
_MUTED: Final = "muted"
"""The level of what is denied to whoever is timed out or pending, and what they hold besides."""
_CHANNEL: Final = "channel"
_COMMUNITY: Final = "community"
_EFFECT: Final = {True: "allow", False: "deny"}
_RULES: Final = 100_000
"""How many rules are kept laid out, some 25 MB; a cell may hold several hundred."""
_STEPS: Final = 10_000
AT_ONCE: Final = 20
"""Decisions between which others get their turn."""

_Rule: TypeAlias = tuple[str, str, str, str, str]
_Cell: TypeAlias = tuple[UUID, int, UUID | None, Permission]
_Question: TypeAlias = tuple[UUID, int, UUID | None, Permission, frozenset[UUID], bool | None, bool]


class PolicyEngine:
    """Decides by Casbin; keeps what it was asked, by version of the policy.

    There is no await in here, so that no question sees what another one laid out.
    """

    def __init__(self) -> None:
        model = casbin.Model()
        model.load_model_from_text(_MODEL)
        self._enforcer = _Enforcer(model)
        self._rules = model["p"]["p"]
        self._held = _Held()
        model["g"]["g"].rm = self._held
        self._enforcer.set_role_manager(self._held)
        self._cells: LRUCache[_Cell, list[_Rule]] = LRUCache(
            _RULES, getsizeof=lambda cell: 1 + len(cell)
        )
        self._steps: LRUCache[_Question, Step] = LRUCache(_STEPS)

    def allows(
        self,
        policy: Policy,
        holdings: Holdings,
        permission: Permission,
        channel_id: UUID | None = None,
    ) -> bool:
        """Whether somebody with these holds the permission in the community, or the channel."""
        return self.decide(policy, holdings, permission, channel_id)[-1].allowed

    def decide(
        self,
        policy: Policy,
        holdings: Holdings,
        permission: Permission,
        channel_id: UUID | None = None,
    ) -> tuple[Step, ...]:
        """What is asked for the decision, in order; the last step is the decision."""
        steps: list[Step] = []
        for asked, place in _asked(permission, channel_id):
            steps.append(self._step(policy, holdings, asked, place))
            if not steps[-1].allowed:
                break
        return tuple(steps)

    def actor(self, policy: Policy, user_id: UUID, holdings: Holdings, needs: Permission) -> Actor:
        """Somebody with these who is about to change something.

        Raises as an authorizer does when they do not hold what it needs.
        """

        def holds(permission: Permission, place: UUID | None) -> bool:
            return self.allows(policy, holdings, permission, place)

        if not holds(Permission.VIEW_COMMUNITY, None):
            raise CommunityNotProvisioned
        if not holds(needs, None):
            raise Lacks(needs)
        return Actor(user_id, holdings.rank(policy), holds)

    def held(
        self, policy: Policy, holdings: Holdings, channel_id: UUID | None = None
    ) -> list[Permission]:
        """Every permission that somebody with these holds in the place, by number."""
        return [p for p in Permission if self.allows(policy, holdings, p, channel_id)]

    def _step(
        self, policy: Policy, holdings: Holdings, permission: Permission, place: UUID | None
    ) -> Step:
        own = holdings.own(policy, place).says(permission)
        # Where a channel overrides nothing about it, it is decided as elsewhere.
        place = place if own is not None or place in policy.channels else None
        muted = permission not in SEEING and holdings.muted(policy)
        key = (policy.community_id, policy.version, place, permission, holdings.roles, own, muted)
        step = self._steps.get(key)
        if step is None:
            step = self._evaluate(policy, holdings, permission, place, own, muted=muted)
            self._steps[key] = step
        return step

    def _evaluate(
        self,
        policy: Policy,
        holdings: Holdings,
        permission: Permission,
        place: UUID | None,
        own: bool | None,
        *,
        muted: bool,
    ) -> Step:
        names, cell = {str(role) for role in holdings.roles}, self._cell(policy, place, permission)
        if own is not None:
            names.add(_OWN)
            cell = [(_OWN, str(place), permission.name, _EFFECT[own], _OWN), *cell]
        if muted:
            names.add(_MUTED)
            denial = (_MUTED, str(place), permission.name, _EFFECT[False], _MUTED)
            cell = [denial, *cell]
        self._held.names, self._rules.policy = names, cell
        allowed, rule = self._enforcer.enforce_ex(_PERSON, str(place), permission.name)
        if not rule:
            return Step(permission, allowed=False, role=None, channel_id=None)
        subject, _, _, _, level = rule
        if level == _MUTED:
            return Step(permission, allowed, None, None, muted=True)
        if level == _OWN:
            return Step(permission, allowed, None, place, own=True)
        role = policy.role(UUID(subject))
        return Step(permission, allowed, role, place if level == _CHANNEL else None)

    def _cell(self, policy: Policy, place: UUID | None, permission: Permission) -> list[_Rule]:
        channel_id = place if place in policy.channels else None
        key = (policy.community_id, policy.version, channel_id, permission)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = [*_rules(policy, channel_id, permission)]
        return cell


def _rules(policy: Policy, channel_id: UUID | None, permission: Permission) -> Iterator[_Rule]:
    """The rules of a cell, the one that decides first first; nothing outdoes an owner."""
    roles = policy.roles[::-1]
    levels = [(_COMMUNITY, [(role, role.says(permission)) for role in roles])]
    if channel_id is not None:
        overrides = policy.channels[channel_id]
        owners = [(role, says) for role, says in levels[0][1] if role.kind == Kind.OWNER]
        overridden = [
            (role, overrides[role.id].says(permission)) for role in roles if role.id in overrides
        ]
        levels = [(_COMMUNITY, owners), (_CHANNEL, overridden), *levels]
    for level, said in levels:
        for role, says in said:
            if says is not None:
                yield str(role.id), str(channel_id), permission.name, _EFFECT[says], level


class _Enforcer(casbin.Enforcer):  # type: ignore[misc]  # casbin has no types
    """Casbin, which parses a matcher anew for each question: here it is compiled once.

    That is more than half of what a rule costs. Were the method called otherwise one
    day, Casbin would go by its own again.
    """

    _compiled: _Matcher | None = None

    def _get_expression(self, text: str, functions: dict[str, Callable[..., bool]]) -> _Matcher:
        if self._compiled is None:
            self._compiled = _Matcher(text, functions)
        return self._compiled


class _Matcher:
    """The matcher of the model, as Python."""

    def __init__(self, text: str, functions: dict[str, Callable[..., bool]]) -> None:
        self._code = compile(text, "matcher", "eval")
        self._functions = dict(functions)

    def eval(self, names: dict[str, str]) -> object:
        """Whether a rule is about the person: `names` are the request's and the rule's."""
        return eval(self._code, self._functions, names)  # noqa: S307  # text of ours, above


class _Held:
    """The roles of whoever is asked about: Casbin's role manager, filled for each question."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def has_link(self, _: str, role: str, *__: str) -> bool:
        """Whether the person asked about holds the role."""
        return role in self.names


def _asked(
    permission: Permission, channel_id: UUID | None
) -> Iterator[tuple[Permission, UUID | None]]:
    if channel_id is not None or permission != Permission.VIEW_COMMUNITY:
        yield Permission.VIEW_COMMUNITY, None
    if channel_id is not None and permission != Permission.VIEW_CHANNEL:
        yield Permission.VIEW_CHANNEL, channel_id
    yield permission, channel_id
