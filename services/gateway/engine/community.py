"""The people of a community whose streams are open, and who of them sees what."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from math import inf
from typing import Final, Protocol, TypeAlias

from chassis.masks import IN_CHANNEL, WHILE_TIMED_OUT, Permission, Policy, Roles
from creavio.options.v1 import permission_pb2 as p
from services.gateway.engine.stream import Stream

MAX_AUDIENCES: Final = 256
"""How many audiences of a community are kept; beyond, they are found anew."""
_PLAIN: Final = "chn_"
"""Stands for every channel in which nothing of what is asked is overridden."""
_VIEW_CHANNEL: Final = p.PERMISSION_VIEW_CHANNEL

Held: TypeAlias = frozenset[Permission]
_EVERYWHERE: Final = IN_CHANNEL | {p.PERMISSION_VIEW_COMMUNITY}
"""What decides in channels too, where nothing is overridden."""

View: TypeAlias = tuple[Held, Held, frozenset[tuple[str, Held]]]
"""What somebody may see and do: in the community, in its channels as such, and in the
channels for which that is not so. Timeouts are looked at elsewhere."""
_NO_PERMISSIONS: Final[Held] = frozenset()
_NOTHING: Final[View] = (_NO_PERMISSIONS, _NO_PERMISSIONS, frozenset())


class Person:
    """Somebody with open streams, and their roles wherever they belong."""

    __slots__ = ("key", "news", "pins", "reading", "roles", "streams", "user_id")

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.streams: list[Stream] = []
        self.roles: dict[str, Roles] | None = None
        """Per community, those without a role among them; None until they are known."""
        self.reading: asyncio.Task[None] | None = None
        """Asks rbac for the roles."""
        self.news: dict[str, Roles] = {}
        """What was announced while rbac was being asked."""
        self.pins = 0
        """How many streams are open, or about to be."""
        self.key = b""
        """What the person's resume tokens are signed with; empty until one is made."""


class Watcher(Protocol):
    """Somebody who has to know who has open streams here."""

    def came(self, person: Person) -> None:
        """The first stream of a person is open."""

    def went(self, person: Person) -> None:
        """The last stream of a person is open no longer."""


class Seat:
    """A person in a community."""

    __slots__ = ("bits", "person", "roles")

    def __init__(self, person: Person, roles: Roles, bits: int) -> None:
        self.person = person
        self.roles = roles
        self.bits = bits


class Community:
    """Seats, the policy that decides for them, and the audiences that follow from both.

    An audience is found when it is first asked for and kept up to date from then
    on; a new policy voids all of them. Channels in which nothing is overridden
    share theirs. Timeouts, which end by themselves, are looked at when it is asked for.
    `now` is rbac's time (`chassis.knowledge.Knowledge.now`).
    """

    __slots__ = (
        "_audiences",
        "_bits",
        "_now",
        "_own",
        "doubted_at",
        "generation",
        "id",
        "loading",
        "policy",
        "seats",
    )

    def __init__(self, identifier: str, now: Callable[[], float]) -> None:
        self.id = identifier
        self._now = now
        self.seats: dict[str, Seat] = {}
        self.policy: Policy | None = None
        """The last one that was fetched."""
        self.generation = 0
        """Rises with every announced change of the policy."""
        self.doubted_at: float | None = None
        """Since when the policy is known not to be the newest, or not known."""
        self.loading: asyncio.Task[None] | None = None
        """Asks rbac for the policy."""
        self._bits: dict[int, int] = {}
        self._own: Counter[str] = Counter()
        self._audiences: dict[tuple[Permission, str], set[Stream]] = {}

    def audience(self, permission: Permission, channel: str = "") -> set[Stream]:
        """The open streams of everyone who holds a permission here, or in a channel."""
        key = (permission, self._deciding(permission, channel))
        audience = self._audiences.get(key)
        if audience is None:
            if len(self._audiences) >= MAX_AUDIENCES:
                self._audiences.clear()
            audience = self._audiences[key] = set()
            for seat in self._holding(*key):
                audience.update(seat.person.streams)
        if permission in WHILE_TIMED_OUT:
            return audience
        now, seats = self._now(), self.seats
        return {s for s in audience if seats[s.person.user_id].roles.timeout_ends <= now}

    def allows(self, user_id: str, permission: Permission, channel: str = "") -> bool:
        """Whether somebody with a seat holds a permission."""
        seat = self.seats.get(user_id)
        if seat is None or not self._allows(seat, permission, channel):
            return False
        return permission in WHILE_TIMED_OUT or seat.roles.timeout_ends <= self._now()

    def seat(self, person: Person, roles: Roles) -> None:
        """Take somebody in, or give them other roles."""
        seat = self.seats.get(person.user_id)
        if seat is None:
            seat = self.seats[person.user_id] = Seat(person, roles, self._bits_of(roles))
        else:
            self._own.subtract(list(seat.roles.overrides))
            seat.roles, seat.bits = roles, self._bits_of(roles)
        self._own.update(list(roles.overrides))
        for (permission, channel), audience in self._audiences.items():
            if self._allows(seat, permission, channel):
                audience.update(person.streams)
            else:
                audience.difference_update(person.streams)

    def unseat(self, person: Person) -> None:
        """Let somebody go: nothing here reaches them any more."""
        seat = self.seats.pop(person.user_id, None)
        if seat is not None:
            self._own.subtract(list(seat.roles.overrides))
            for audience in self._audiences.values():
                audience.difference_update(person.streams)

    def entered(self, person: Person, stream: Stream) -> None:
        """A further stream of somebody with a seat is open."""
        seat = self.seats[person.user_id]
        for (permission, channel), audience in self._audiences.items():
            if self._allows(seat, permission, channel):
                audience.add(stream)

    def left(self, stream: Stream) -> None:
        """A stream is open no longer."""
        for audience in self._audiences.values():
            audience.discard(stream)

    def adopt(self, policy: Policy, exists: Callable[[str], bool]) -> list[Person]:
        """Decide by another policy from now on; returns those who may see or do something
        else by it."""
        where = None if self.policy is None else _between(self.policy, policy)
        memo: dict[int, View] = {}
        before = [self.view(seat.roles, exists, memo, where) for seat in self.seats.values()]
        first = self.policy is None
        self.policy = policy
        self._audiences.clear()
        self._bits.clear()
        for seat in self.seats.values():
            seat.bits = self._bits_of(seat.roles)
        if first:
            return []  # What was there to see before was never said.
        memo = {}
        return [
            seat.person
            for seat, seen in zip(self.seats.values(), before, strict=True)
            if self.view(seat.roles, exists, memo, where) != seen
        ]

    def view(
        self,
        roles: Roles | None,
        exists: Callable[[str], bool],
        memo: dict[int, View] | None = None,
        where: frozenset[str] | None = None,
    ) -> View:
        """What somebody with these roles may see and do; channels that do not exist yet are
        not counted, and of those that do only these, if they are named.

        Nothing, as long as there is no policy.
        """
        policy = self.policy
        if policy is None or not roles:
            return _NOTHING
        bits = self._bits_of(roles)
        if memo is not None and not roles.overrides and bits in memo:
            return memo[bits]
        community = policy.held(bits, roles, policy.masks)
        plain = policy.held(bits, roles, IN_CHANNEL, _PLAIN)
        others = frozenset(
            (channel, here)
            for channel in (
                policy.channels.keys() | roles.overrides.keys() if where is None else where
            )
            if (here := _held_here(policy, bits, roles, channel, plain)) != plain
            and exists(channel)
        )
        view = (community, plain, others)
        if memo is not None and not roles.overrides:
            memo[bits] = view
        return view

    def _deciding(self, permission: Permission, channel: str) -> str:
        if not channel or self._own[channel] > 0:
            return channel
        here = None if self.policy is None else self.policy.channels.get(channel)
        if here is None or not (permission in here or _VIEW_CHANNEL in here):
            return _PLAIN
        return channel

    def _holding(self, permission: Permission, channel: str) -> Iterator[Seat]:
        """The seats of everyone who holds a permission: people alike are decided on once."""
        memo: dict[int, bool] = {}
        for seat in self.seats.values():
            if channel in seat.roles.overrides:
                allowed = self._allows(seat, permission, channel)
            else:
                known = memo.get(seat.bits)
                allowed = self._allows(seat, permission, channel) if known is None else known
                memo[seat.bits] = allowed
            if allowed:
                yield seat

    def _allows(self, seat: Seat, permission: Permission, channel: str) -> bool:
        """Whether they hold it, or would if they were not timed out."""
        policy = self.policy
        return policy is not None and policy.decides(
            seat.bits, seat.roles, permission, channel, now=inf
        )

    def _bits_of(self, roles: Roles) -> int:
        if self.policy is None:
            return 0
        bits = self._bits.get(roles.numbers)
        if bits is None:
            bits = self._bits[roles.numbers] = self.policy.bits(roles)
        return bits


def _held_here(policy: Policy, bits: int, roles: Roles, channel: str, plain: Held) -> Held:
    """What they hold in a channel of which something is overridden: the rest is as it is
    elsewhere, unless they see it alone or do not see it alone."""
    own = roles.overrides.get(channel, (_NO_PERMISSIONS, _NO_PERMISSIONS))
    said = IN_CHANNEL & (policy.channels.get(channel, {}).keys() | own[0] | own[1])
    if _VIEW_CHANNEL in said or not plain:
        return policy.held(bits, roles, IN_CHANNEL, channel)
    return (plain - said) | policy.held(bits, roles, said, channel)


def _between(before: Policy, after: Policy) -> frozenset[str] | None:
    """The channels in which one policy may decide otherwise than another; None for all."""
    everywhere = (before.masks.get(each) == after.masks.get(each) for each in _EVERYWHERE)
    if before.order != after.order or not all(everywhere):
        return None
    old, new = before.channels, after.channels
    return frozenset(c for c in old.keys() | new.keys() if old.get(c) != new.get(c))
