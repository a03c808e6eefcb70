"""Whatever happens in whatever order, each stream is told what a plain model says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
import random

from google.protobuf.message import Message
import pytest

from chassis.contract import Contract
from services.gateway.domain import Positions
from services.gateway.engine.stream import Stream
from tests.gateway.happenings import joined, message, removed, whisper
from tests.gateway.table import (
    BARRED,
    GUEST,
    MEMBER,
    VIEW_CHANNEL,
    VIEW_COMMUNITY,
    Membership,
    Role,
    Says,
)
from tests.gateway.world import Stage, staged, told
from tests.scratch_nats import ScratchNats

PEOPLE = ["ada", "bob", "cleo", "dan"]
TABLES = ["table", "bench"]
CHANNELS = ["general", "staff", "lobby"]
CONVERSATIONS = {"cnv_ab": ["ada", "bob"], "cnv_cd": ["cleo", "dan"], "cnv_abc": PEOPLE[:3]}
STEPS = 120


@dataclass
class Listener:
    """A stream, and what the model says it is to be told."""

    user: str
    stream: Stream
    expected: list[str] = field(default_factory=list)


@dataclass
class Play:
    """One sequence of things that happen."""

    stage: Stage
    chance: random.Random
    listeners: list[Listener] = field(default_factory=list)
    said: int = 0
    logged: dict[str, int] = field(default_factory=dict)
    history: list[tuple[str, Callable[[str], bool]]] = field(default_factory=list)
    """What was said, and who may see it as things are when one asks."""
    away: list[tuple[str, Positions, int]] = field(default_factory=list)
    """Who left, where they stood in the logs, and in the history."""

    async def step(self) -> None:
        await self.chance.choice(
            [
                self.talk,
                self.talk,
                self.talk,
                self.whisper,
                self.membership,
                self.roles,
                self.role_override,
                self.own_override,
                self.order,
                self.come_and_go,
                self.gossip,
                self.go_away,
                self.come_back,
            ]
        )()

    async def talk(self) -> None:
        """Somebody says something in a channel."""
        table, channel = self.chance.choice(TABLES), self.chance.choice(CHANNELS)
        content, rules = self._content(), self.stage.world.table(table)
        await self.log(
            message(channel, content, table),
            content,
            lambda user: rules.allows(user, VIEW_CHANNEL, channel),
        )

    async def whisper(self) -> None:
        """Somebody says something in a conversation."""
        conversation, content = self.chance.choice(list(CONVERSATIONS)), self._content()
        members = CONVERSATIONS[conversation]
        await self.log(whisper(conversation, content), content, members.__contains__)

    async def gossip(self) -> None:
        """Something is told of a community and of a person: to either, once."""
        table, user = self.chance.choice(TABLES), self.chance.choice(PEOPLE)
        about, rules = (
            self.chance.choice([joined, removed])(table, user),
            self.stage.world.table(table),
        )
        await self.log(
            about,
            type(about).__name__,
            lambda viewer: viewer == user or rules.allows(viewer, VIEW_COMMUNITY),
        )

    async def membership(self) -> None:
        """Somebody joins or leaves."""
        await self.delivered()
        table, user = self.chance.choice(TABLES), self.chance.choice(PEOPLE)
        await self.stage.bind(table, user, *([MEMBER] * self.chance.randrange(2)))

    async def roles(self) -> None:
        """Somebody has other roles."""
        await self.delivered()
        table, user = self.chance.choice(TABLES), self.chance.choice(PEOPLE)
        given = {role for role in (GUEST, BARRED, 3, 4) if self.chance.random() < 0.3}
        await self.stage.bind(table, user, MEMBER, *given)

    async def role_override(self) -> None:
        """A role is overridden in a channel, or not any more."""
        await self.delivered()
        table = self.chance.choice(TABLES)
        role = self.chance.choice(self.stage.world.table(table).roles)
        role.channels[self.chance.choice(CHANNELS)] = self._says()
        await self.stage.change(table)

    async def own_override(self) -> None:
        """A person is overridden in a channel, or not any more."""
        await self.delivered()
        table, user = self.chance.choice(TABLES), self.chance.choice(PEOPLE)
        here = self.stage.world.table(table).members.setdefault(user, Membership())
        if here.roles:
            here.channels[self.chance.choice(CHANNELS)] = self._says()
            await self.stage.rebound(table, user)

    async def order(self) -> None:
        """Roles stand in another order, or say something else."""
        await self.delivered()
        table = self.chance.choice(TABLES)
        roles = self.stage.world.table(table).roles
        if self.chance.random() < 0.5:
            self.chance.shuffle(roles)
        else:
            self.chance.choice(roles).says = Says(
                *(
                    {one for one in (VIEW_COMMUNITY, VIEW_CHANNEL) if self.chance.random() < 0.4}
                    for _ in range(2)
                )
            )
        await self.stage.change(table)

    async def come_and_go(self) -> None:
        """A stream closes, another opens; what was in flight then may be told to either."""
        await self.settle()
        if len(self.listeners) > 6:
            self.listeners.pop(self.chance.randrange(len(self.listeners))).stream.close()
        user, hub = self.chance.choice(PEOPLE), self.chance.choice(self.stage.hubs)
        self.listeners.append(Listener(user, await self.stage.open(user, hub)))

    async def go_away(self) -> None:
        """A stream closes; its token is kept."""
        await self.settle()
        if len(self.listeners) > 2:
            listener = self.listeners.pop(self.chance.randrange(len(self.listeners)))
            listener.stream.close()
            self.away.append((listener.user, self.stage.hub.positions, len(self.history)))

    async def come_back(self) -> None:
        """Somebody comes back to any replica: what they may see now decides what is told."""
        if self.away:
            await self.delivered()
            await self.stage.heard()
            user, since, index = self.away.pop(self.chance.randrange(len(self.away)))
            stream = await self.chance.choice(self.stage.hubs).open(user, since)
            missed = [said for said, visible in self.history[index:] if visible(user)]
            self.listeners.append(Listener(user, stream, missed))

    async def settle(self) -> None:
        """Wait until everything was told, and compare."""
        await self.delivered()
        for listener in self.listeners:
            heard = []
            for event in await told(listener.stream):
                if event.HasField("message_created"):
                    heard.append(event.message_created.message.content)
                elif event.id:
                    kind = str(event.WhichOneof("payload")).replace("_", " ").title()
                    heard.append(kind.replace(" ", ""))
            chat = [one for one in heard if one.isdecimal()]
            assert chat == [one for one in listener.expected if one.isdecimal()], listener.user
            assert sorted(heard) == sorted(listener.expected), listener.user
            listener.expected.clear()

    async def log(self, event: Message, said: str, visible: Callable[[str], bool]) -> None:
        """Have something happen that some may see; nobody waits for it to be told."""
        self.history.append((said, visible))
        for listener in self.listeners:
            if visible(listener.user):
                listener.expected.append(said)
        service, number = await self.stage.log(event)
        self.logged[service] = number

    async def delivered(self) -> None:
        """Before a change: what is in flight may be decided by either side of it.

        After one nothing waits: whatever happens then is decided by it.
        """
        for service, number in self.logged.items():
            await self.stage.reached(service, number)

    def _content(self) -> str:
        self.said += 1
        return str(self.said)

    def _says(self) -> Says:
        allow, deny = self.chance.choice([(0, 0), (1, 0), (0, 1)])
        return Says({VIEW_CHANNEL} if allow else set(), {VIEW_CHANNEL} if deny else set())


@pytest.mark.parametrize("seed", range(6))
async def test_every_stream_is_told_what_a_plain_model_says(
    nats_server: ScratchNats, contract: Contract, seed: int
) -> None:
    async with staged(nats_server, contract, replicas=2) as stage:
        stage.world.conversations.update(CONVERSATIONS)
        for name in TABLES:
            table = stage.world.table(name)
            table.roles += [Role(3), Role(4)]
            for user in PEOPLE[:2]:
                stage.world.seat(name, user)
        play = Play(stage, random.Random(seed))  # noqa: S311  # plays, hides nothing
        for user in PEOPLE:
            play.listeners.append(Listener(user, await stage.open(user, stage.hubs[0])))
        for _ in range(STEPS):
            await play.step()
        await play.settle()
