"""The rule masks decide by, against the same rule written plainly."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from chassis.masks import Mask, Permission, Policy, Roles, numbers_in, policy_of, roles_of, to_bytes
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import access_pb2

PERMISSIONS: list[Permission] = [
    p.PERMISSION_VIEW_COMMUNITY,
    p.PERMISSION_VIEW_CHANNEL,
    p.PERMISSION_SEND_MESSAGES,
]
CHANNELS = ["chn_a", "chn_b"]
Says = dict[Permission, bool]


@dataclass
class Rules:
    """What everybody says, as people would write it down."""

    order: list[int]
    """The numbers of the roles, the lowest position first."""
    roles: dict[int, Says] = field(default_factory=dict)
    channels: dict[str, dict[int, Says]] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)
    own: dict[str, Says] = field(default_factory=dict)

    def plain(self, permission: Permission, channel: str) -> bool:
        """The rule, read aloud."""
        if not self._by_roles(p.PERMISSION_VIEW_COMMUNITY, self.roles):
            return False
        if not channel:
            return bool(self._by_roles(permission, self.roles))
        wanted = {p.PERMISSION_VIEW_CHANNEL, permission}
        return all(self._in_channel(one, channel) for one in wanted)

    def _in_channel(self, permission: Permission, channel: str) -> bool:
        own = self.own.get(channel, {}).get(permission)
        if own is not None:
            return own
        here = self._by_roles(permission, self.channels.get(channel, {}))
        return bool(self._by_roles(permission, self.roles)) if here is None else here

    def _by_roles(self, permission: Permission, says: dict[int, Says]) -> bool | None:
        for number in reversed(self.order):
            if number in self.held and permission in says.get(number, {}):
                return says[number][permission]
        return None

    def _masks(self, says: dict[int, Says]) -> dict[Permission, Mask]:
        masks = {}
        for permission in PERMISSIONS:
            allow = deny = 0
            for place, number in enumerate(self.order):
                word = says.get(number, {}).get(permission)
                allow |= (word is True) << place
                deny |= (word is False) << place
            masks[permission] = (allow, deny)
        return masks

    def compiled(self) -> tuple[Policy, Roles]:
        """The same as masks."""
        channels = {name: self._masks(says) for name, says in self.channels.items()}
        own = {
            name: (
                frozenset(one for one, word in says.items() if word),
                frozenset(one for one, word in says.items() if not word),
            )
            for name, says in self.own.items()
        }
        numbers = sum(1 << number for number in self.held)
        policy = Policy(1, tuple(self.order), self._masks(self.roles), channels)
        return policy, Roles(1, numbers, own)


SAYS = st.dictionaries(st.sampled_from(PERMISSIONS), st.booleans())


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    order = draw(st.lists(st.integers(0, 12), unique=True, max_size=5))
    numbers = st.sampled_from(order or [0])
    spoken = st.dictionaries(numbers, SAYS, max_size=5)
    return Rules(
        order,
        draw(spoken),
        draw(st.dictionaries(st.sampled_from(CHANNELS), spoken)),
        draw(st.sets(st.integers(0, 12), max_size=6)),
        draw(st.dictionaries(st.sampled_from(CHANNELS), SAYS)),
    )


@given(rules(), st.sampled_from(PERMISSIONS), st.sampled_from(["", *CHANNELS]))
def test_masks_decide_as_the_rule_reads(
    written: Rules, permission: Permission, channel: str
) -> None:
    policy, roles = written.compiled()
    assert policy.allows(roles, permission, channel) == written.plain(permission, channel)


@given(st.sets(st.integers(0, 300)))
def test_bits_survive_the_wire(numbers: set[int]) -> None:
    bits = sum(1 << number for number in numbers)
    assert set(numbers_in(int.from_bytes(to_bytes(bits)))) == numbers


def test_what_rbac_sends_is_read() -> None:
    send = p.PERMISSION_SEND_MESSAGES
    mask = access_pb2.PermissionMask(permission=send, allow=to_bytes(2), deny=to_bytes(1))
    view = access_pb2.PermissionMask(permission=p.PERMISSION_VIEW_COMMUNITY, allow=to_bytes(3))
    policy = policy_of(
        access_pb2.CommunityMasks(
            version=7,
            masks=[mask, view],
            roles=[4, 9],
            channels=[access_pb2.ChannelMasks(channel_id="chn_a", masks=[mask])],
        )
    )
    roles = roles_of(
        access_pb2.Binding(
            version=3,
            roles=to_bytes(1 << 9 | 1 << 30),
            overrides=[access_pb2.MemberOverride(channel_id="chn_a", deny=[send])],
        )
    )
    assert (policy.version, policy.order, roles.version) == (7, (4, 9), 3)
    assert policy.bits(roles) == 2  # The role 30 is gone.
    assert policy.allows(roles, send)
    assert roles.overrides == {"chn_a": (frozenset(), frozenset({send}))}
