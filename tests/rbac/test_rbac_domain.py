"""The first roles, and the owner who stays."""

from __future__ import annotations

from uuid import uuid4

import pytest

from services.rbac import domain
from services.rbac.domain import LastOwner, Permission


def test_a_community_starts_with_an_owner_above_its_members() -> None:
    policy = domain.first_policy(uuid4())
    member, owner = policy.roles
    assert (member.name, owner.name) == (domain.MEMBER, domain.OWNER)
    assert member.position < owner.position
    assert owner.allows == frozenset(Permission)
    assert not member.denies | owner.denies


def test_members_may_talk_and_invite_and_not_manage() -> None:
    member = domain.role_named(domain.first_policy(uuid4()), domain.MEMBER)
    assert member.allows == {
        Permission.VIEW_COMMUNITY,
        Permission.VIEW_CHANNEL,
        Permission.SEND_MESSAGES,
        Permission.CREATE_INVITES,
    }


def test_the_last_owner_stays() -> None:
    ada, bob = uuid4(), uuid4()
    with pytest.raises(LastOwner) as refused:
        domain.may_lose_roles(ada, frozenset({ada}))
    assert refused.value.reason == "LAST_OWNER"
    domain.may_lose_roles(ada, frozenset({ada, bob}))
    domain.may_lose_roles(bob, frozenset({ada}))
    domain.may_lose_roles(bob, frozenset())
