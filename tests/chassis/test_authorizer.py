"""A rule is decided by what rbac says, and never by a guess."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from chassis.authz import HEARTBEAT_SUBJECT, Authorizer, RemoteAccess
from chassis.clients import Clients
from chassis.contract import Contract
from chassis.errors import Denied, NotFound, Unavailable
from chassis.masks import to_bytes
from chassis.subjects import subject_root
from chassis.telemetry import Telemetry
from chassis.testing import eventually, scratch_config, standing_in
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import access_pb2, access_service_pb2, rbac_events_pb2
from creavio.rbac.v1.access_service_pb2_grpc import (
    AccessServiceServicer,
    add_AccessServiceServicer_to_server,
)
from tests.scratch_nats import ScratchNats

ADA, TABLE, CHANNEL = "usr_01h455vb4pex5vsknk084sn02q", "com_01h455vb4pex5vsknk084sn02q", "chn_1"
TALK = "cnv_1"
THREAD = "thr_1"
TELEMETRY = Telemetry(scratch_config("chat"))


class Places:
    """One channel, and one conversation of Ada's."""

    async def community_of(self, channel_id: str) -> str | None:
        return TABLE if channel_id == CHANNEL else None

    async def belongs(self, user_id: str, conversation_id: str) -> bool:
        return (user_id, conversation_id) == (ADA, TALK)

    async def channel_of(self, thread_id: str) -> str | None:
        return CHANNEL if thread_id == THREAD else None


@dataclass
class Rbac(AccessServiceServicer):
    """One person in one community, with the permissions a test gives."""

    holds: set[int] = field(default_factory=set)
    revision: int = 1
    outsider: bool = False
    overrides: list[access_pb2.ChannelMasks] = field(default_factory=list)
    changes: access_service_pb2.ListChangesResponse | None = None
    asked: list[str] = field(default_factory=list)

    async def GetAccess(
        self, request: access_service_pb2.GetAccessRequest, context: object
    ) -> access_service_pb2.GetAccessResponse:
        self.asked.append("access")
        masks = [
            access_pb2.PermissionMask(permission=permission, allow=to_bytes(1))  # type: ignore[arg-type]
            for permission in {p.PERMISSION_VIEW_COMMUNITY, *self.holds}
        ]
        if self.outsider:
            masks = []
        return access_service_pb2.GetAccessResponse(
            masks=access_pb2.CommunityMasks(
                community_id=request.community_id,
                version=1,
                masks=masks,
                roles=[0],
                channels=self.overrides,
            ),
            binding=access_pb2.Binding(
                community_id=request.community_id, user_id=request.user_id, roles=to_bytes(1)
            ),
            revision=self.revision,
        )

    async def Check(
        self, request: access_service_pb2.CheckRequest, context: object
    ) -> access_service_pb2.CheckResponse:
        self.asked.append("check")
        return access_service_pb2.CheckResponse(allowed=request.permission in self.holds)

    async def ListChanges(
        self, request: access_service_pb2.ListChangesRequest, context: object
    ) -> access_service_pb2.ListChangesResponse:
        self.asked.append(f"changes after {request.after_revision}")
        assert self.changes is not None
        return self.changes


@dataclass
class World:
    """rbac, and a service that asks it; the test speaks for rbac on the bus."""

    rbac: Rbac
    authorizer: Authorizer

    async def hear(self, revision: int) -> None:
        """A heartbeat."""
        self.authorizer.knowledge.heartbeat(revision)


@asynccontextmanager
async def world(contract: Contract, *holds: int) -> AsyncIterator[World]:
    rbac = Rbac(set(holds))  # type: ignore[abstract]  # answers what is asked here
    part = (add_AccessServiceServicer_to_server, rbac)
    async with standing_in(contract, part) as address:
        clients = Clients("chat", address, contract)
        yield World(rbac, Authorizer(RemoteAccess(clients), Places(), TELEMETRY))
        await clients.close()


async def test_an_answer_is_asked_for_once(contract: Contract) -> None:
    async with world(contract, p.PERMISSION_VIEW_CHANNEL) as it:
        await it.hear(1)
        for _ in range(3):
            await it.authorizer.require(ADA, p.PERMISSION_VIEW_CHANNEL, p.SCOPE_CHANNEL, CHANNEL)
        assert it.rbac.asked == ["access"]


async def test_a_denial_from_memory_is_asked_again(contract: Contract) -> None:
    async with world(contract, p.PERMISSION_VIEW_CHANNEL) as it:
        await it.hear(1)
        assert not await it.authorizer.holds(ADA, p.PERMISSION_SEND_MESSAGES, TABLE)
        # Granted a moment ago; the announcement is on its way.
        it.rbac.holds.add(p.PERMISSION_SEND_MESSAGES)
        assert await it.authorizer.holds(ADA, p.PERMISSION_SEND_MESSAGES, TABLE)
        assert it.rbac.asked == ["access", "check"]
        assert await it.authorizer.holds(ADA, p.PERMISSION_SEND_MESSAGES, TABLE)
        assert await it.authorizer.holds(ADA, p.PERMISSION_SEND_MESSAGES, TABLE)
        assert it.rbac.asked == ["access", "check", "access"]


async def test_who_may_not_know_finds_nothing_and_who_may_is_told_no(contract: Contract) -> None:
    send = (p.PERMISSION_SEND_MESSAGES, p.SCOPE_CHANNEL, CHANNEL)
    async with world(contract) as it:
        await it.hear(1)
        with pytest.raises(NotFound):
            await it.authorizer.require(ADA, *send)
    async with world(contract, p.PERMISSION_VIEW_CHANNEL) as it:
        await it.hear(1)
        with pytest.raises(Denied, match="SEND_MESSAGES"):
            await it.authorizer.require(ADA, *send)


async def test_what_does_not_exist_is_not_asked_about(contract: Contract) -> None:
    async with world(contract, p.PERMISSION_VIEW_CHANNEL) as it:
        with pytest.raises(NotFound):
            await it.authorizer.require(ADA, p.PERMISSION_VIEW_CHANNEL, p.SCOPE_CHANNEL, "chn_2")
        assert not await it.authorizer.allows(
            ADA, p.PERMISSION_VIEW_CHANNEL, p.SCOPE_CHANNEL, "chn_2"
        )
        assert it.rbac.asked == []


async def test_ones_own_is_ones_own(contract: Contract) -> None:
    async with world(contract) as it:
        assert await it.authorizer.allows(ADA, p.PERMISSION_UNSPECIFIED, p.SCOPE_SELF, ADA)
        assert not await it.authorizer.allows(ADA, p.PERMISSION_UNSPECIFIED, p.SCOPE_SELF, "usr_x")
        # To know somebody lets nobody in, not even themselves.
        assert not await it.authorizer.allows(
            ADA, p.PERMISSION_UNSPECIFIED, p.SCOPE_ACQUAINTANCES, ADA
        )
        assert it.rbac.asked == []


async def test_with_rbac_silent_every_question_is_asked(contract: Contract) -> None:
    async with world(contract, p.PERMISSION_VIEW_CHANNEL) as it:
        for _ in range(3):
            assert await it.authorizer.holds(ADA, p.PERMISSION_VIEW_CHANNEL, TABLE)
        assert it.rbac.asked == ["access"] * 3


async def test_with_rbac_away_nothing_is_decided(contract: Contract) -> None:
    clients = Clients("chat", "unix:/tmp/nobody.sock", contract)
    authorizer = Authorizer(RemoteAccess(clients), None, TELEMETRY)
    for permission in (p.PERMISSION_VIEW_COMMUNITY, p.PERMISSION_SEND_MESSAGES):
        with pytest.raises(Unavailable):
            await authorizer.require(ADA, permission, p.SCOPE_COMMUNITY, TABLE)
    await clients.close()


async def test_what_rbac_announces_is_followed(
    contract: Contract, nats_server: ScratchNats
) -> None:
    async with (
        world(contract, p.PERMISSION_VIEW_CHANNEL) as it,
        nats_server.bus("chat") as bus,
        nats_server.bus("rbac") as rbac,
    ):
        await it.authorizer.follow(bus)
        await bus.client.flush()

        async def beat(revision: int) -> None:
            body = rbac_events_pb2.Heartbeat(revision=revision).SerializeToString()
            await rbac.publish(HEARTBEAT_SUBJECT, body)

        async def heard() -> None:
            await beat(1)
            assert it.authorizer.knowledge.fresh()

        # What is fetched before the first beat counts as missed, and nobody catches up here.
        await eventually(heard)

        async def known() -> None:
            await beat(1)
            asked = len(it.rbac.asked)
            await it.authorizer.holds(ADA, p.PERMISSION_VIEW_CHANNEL, TABLE)
            assert len(it.rbac.asked) == asked

        await eventually(known)
        it.rbac.holds.clear()
        event = rbac_events_pb2.BindingChanged(
            user_id=ADA,
            community_id=TABLE,
            revision=2,
            binding=access_pb2.Binding(user_id=ADA, community_id=TABLE, version=1),
        )
        subject = f"{subject_root(event.DESCRIPTOR.full_name)}.{TABLE}.{ADA}"
        await rbac.jetstream.publish(subject, event.SerializeToString())

        async def gone() -> None:
            await beat(1)  # Only what was announced makes it doubt what is kept.
            assert not await it.authorizer.holds(ADA, p.PERMISSION_VIEW_CHANNEL, TABLE)

        await eventually(gone, within=10)


async def test_calls_at_once_do_not_wait_for_each_other(contract: Contract) -> None:
    async with world(contract, p.PERMISSION_VIEW_CHANNEL) as it:
        await it.hear(1)
        answers = await asyncio.gather(
            *(it.authorizer.holds(ADA, p.PERMISSION_VIEW_CHANNEL, TABLE) for _ in range(20))
        )
        assert all(answers)
        await it.authorizer.holds(ADA, p.PERMISSION_VIEW_CHANNEL, TABLE)
        assert len(it.rbac.asked) <= 20


async def test_what_was_missed_is_asked_for(contract: Contract, nats_server: ScratchNats) -> None:
    view = p.PERMISSION_VIEW_CHANNEL
    async with (
        world(contract, view) as it,
        nats_server.bus("chat") as bus,
        nats_server.bus("rbac") as rbac,
    ):
        await it.authorizer.follow(bus)
        await bus.client.flush()
        following = asyncio.create_task(it.authorizer.run())
        await it.hear(1)
        assert await it.authorizer.holds(ADA, view, TABLE)
        gone = access_pb2.Binding(user_id=ADA, community_id=TABLE, version=1)
        it.rbac.changes = access_service_pb2.ListChangesResponse(
            complete=True, bindings=[gone], revision=3
        )
        it.rbac.holds.clear()
        beat = rbac_events_pb2.Heartbeat(revision=3).SerializeToString()
        await rbac.publish(HEARTBEAT_SUBJECT, beat)

        async def known() -> None:
            assert it.authorizer.knowledge.revision == 3
            assert not it.authorizer.knowledge.missing

        await eventually(known)
        assert "changes after 1" in it.rbac.asked
        assert not await it.authorizer.holds(ADA, view, TABLE)
        following.cancel()


async def test_a_conversation_is_its_members(contract: Contract) -> None:
    async with world(contract) as it:
        for scope in (p.SCOPE_CHANNEL, p.SCOPE_CONVERSATION):
            await it.authorizer.require(ADA, p.PERMISSION_VIEW_CHANNEL, scope, TALK)
            with pytest.raises(NotFound):
                await it.authorizer.require("usr_x", p.PERMISSION_VIEW_CHANNEL, scope, TALK)
        with pytest.raises(Denied):
            await it.authorizer.require(ADA, p.PERMISSION_MANAGE_MESSAGES, p.SCOPE_CHANNEL, TALK)
        assert it.rbac.asked == []


async def test_for_a_thread_decides_the_channel_it_is_in(contract: Contract) -> None:
    view = p.PERMISSION_VIEW_CHANNEL
    async with world(contract, view) as it:
        await it.authorizer.require(ADA, view, p.SCOPE_CHANNEL, THREAD)
        with pytest.raises(NotFound):
            await it.authorizer.require(ADA, view, p.SCOPE_CHANNEL, "thr_2")
    async with world(contract, view) as it:
        hidden = access_pb2.PermissionMask(permission=view, deny=to_bytes(1))
        it.rbac.overrides = [access_pb2.ChannelMasks(channel_id=CHANNEL, masks=[hidden])]
        assert not await it.authorizer.allows(ADA, view, p.SCOPE_CHANNEL, THREAD)


async def test_who_does_not_administrate_the_instance_is_told_no(contract: Contract) -> None:
    async with world(contract) as it:
        with pytest.raises(Denied):
            await it.authorizer.require(ADA, p.PERMISSION_ADMINISTRATE, p.SCOPE_INSTANCE, "")
        it.rbac.holds.add(p.PERMISSION_ADMINISTRATE)
        await it.authorizer.require(ADA, p.PERMISSION_ADMINISTRATE, p.SCOPE_INSTANCE, "")


async def test_what_is_overridden_in_a_channel_counts_there(contract: Contract) -> None:
    view = p.PERMISSION_VIEW_CHANNEL
    async with world(contract, view) as it:
        hidden = access_pb2.PermissionMask(permission=view, deny=to_bytes(1))
        it.rbac.overrides = [access_pb2.ChannelMasks(channel_id=CHANNEL, masks=[hidden])]
        assert not await it.authorizer.allows(ADA, view, p.SCOPE_CHANNEL, CHANNEL)
        assert await it.authorizer.holds(ADA, view, TABLE)
        seen = await it.authorizer.visible(ADA, TABLE, [CHANNEL, "chn_2"])
        assert seen == {"chn_2"}


async def test_a_hidden_channel_is_asked_about_again_before_it_is_left_out(
    contract: Contract,
) -> None:
    view = p.PERMISSION_VIEW_CHANNEL
    async with world(contract, view) as it:
        await it.hear(1)
        hidden = access_pb2.PermissionMask(permission=view, deny=to_bytes(1))
        it.rbac.overrides = [access_pb2.ChannelMasks(channel_id=CHANNEL, masks=[hidden])]
        assert await it.authorizer.visible(ADA, TABLE, [CHANNEL]) == frozenset()
        it.rbac.overrides = []
        assert await it.authorizer.visible(ADA, TABLE, [CHANNEL]) == {CHANNEL}
