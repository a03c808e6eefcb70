"""The event stream as its RPC serves it: ready first, a token with every batch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
import time

import grpc
import pytest

from chassis.contract import Contract
from chassis.errors import Exhausted, Invalid, Unauthenticated, Unavailable
from chassis.testing import eventually, scratch_config
from chassis.tokens import Tokens
from creavio.gateway.v1 import gateway_service_pb2
from creavio.gateway.v1.gateway_service_pb2_grpc import GatewayServiceStub
from services.gateway.domain import ReadsTooSlowly
from tests.chassis.serving import PERSON
from tests.gateway.gateway import Gateway, gateways, kinds, told, until
from tests.gateway.happenings import message
from tests.gateway.table import MEMBER
from tests.gateway.world import texts
from tests.scratch_nats import ScratchNats

SOMEBODY = "usr_01h455vb4pex5vsknk084sn02r"
SESSION = "ses_01h455vb4pex5vsknk084sn02q"


@pytest.fixture
async def gateway(nats_server: ScratchNats, contract: Contract) -> AsyncIterator[Gateway]:
    async with gateways(nats_server, contract) as gateway:
        gateway.stage.world.seat("table", PERSON)
        yield gateway


async def test_ready_comes_first_and_at_once(gateway: Gateway) -> None:
    async with gateway.listening() as batches:
        batch = await anext(batches)
        assert kinds(batch) == ["ready"]
        assert batch.resume_token
        await gateway.stage.happen(message("general", "hello"))
        created, _ = await until(batches, "message_created")
        assert created.message.content == "hello"  # type: ignore[attr-defined]


async def test_while_nothing_happens_a_heartbeat_carries_a_token(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.engine.stream._QUIET", (0.1, 0.2))
    stage = gateway.stage
    async with gateway.listening() as batches:
        await anext(batches)
        # Not this person's to see: what is passed over need not be looked at again.
        await stage.bind("table", PERSON)
        await stage.happen(message("general", "not yours"))
        await until(batches, "heartbeat")
        beat = await anext(batches)
        await stage.bind("table", PERSON, MEMBER)
        await stage.happen(message("general", "yours"))
    async with gateway.listening(beat.resume_token) as batches:
        batch = await anext(batches)
        assert texts(batch.events) == ["yours"]


async def test_the_token_of_any_batch_tells_exactly_what_came_after_it(gateway: Gateway) -> None:
    tokens: list[str] = []
    said = [f"{number}" for number in range(5)]
    async with gateway.listening() as stream:
        tokens.append((await anext(stream)).resume_token)
        for content in said:
            await gateway.stage.happen(message("general", content))
            batch = await anext(stream)
            while not texts(batch.events):
                batch = await anext(stream)
            tokens.append(batch.resume_token)
    for number, token in enumerate(tokens):
        async with gateway.listening(token) as stream:
            again = await anext(stream)
            assert again.events[0].ready.resumed
            assert texts(again.events) == said[number:]


async def test_what_ends_a_stream_is_said_in_it_and_by_its_status(gateway: Gateway) -> None:
    async with gateway.listening() as slow:
        await anext(slow)
        (stream,) = gateway.stage.hub.crowd.streams_of(PERSON)
        stream.end(ReadsTooSlowly())
        ended, _ = await until(slow, "ended")
        assert ended.reason == "RATE_LIMITED"  # type: ignore[attr-defined]
        with pytest.raises(Exhausted) as status:
            await anext(slow)
        assert status.value.reason == "RATE_LIMITED"
        assert status.value.retry_after is not None
    async with gateway.listening() as batches:
        await anext(batches)
        gateway.stage.hub.end_all()
        await until(batches, "ended")
        with pytest.raises(Unavailable):
            await anext(batches)


async def test_a_stream_whose_reader_left_is_forgotten(gateway: Gateway) -> None:
    async with gateway.listening() as batches:
        await anext(batches)
        assert gateway.stage.hub.crowd.person(PERSON) is not None

    async def forgotten() -> None:
        assert gateway.stage.hub.crowd.person(PERSON) is None
        assert not gateway.stage.hub._streams

    await eventually(forgotten)


async def test_a_reader_that_never_reads_is_dropped_and_costs_no_more(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.engine.stream.MAX_QUEUED", 500)
    batches = told(gateway.subscribe())
    await anext(batches)
    (stream,) = gateway.stage.hub.crowd.streams_of(PERSON)
    for number in range(10_000):
        await gateway.stage.log(message("general", f"{number} " + "x" * 2_000))
        assert stream.queued <= 500
        if stream.over:
            break
    assert stream.over, "it was never too slow"

    async def left() -> None:
        assert not gateway.stage.hub.crowd.streams_of(PERSON)

    await eventually(left)
    # Once it reads, it is told why at the end of what was on its way.
    await until(batches, "ended")
    with pytest.raises(Exhausted):
        await anext(batches)


async def test_a_token_of_anything_else_is_refused(gateway: Gateway) -> None:
    tokens = Tokens(scratch_config("gateway"))
    async with gateway.listening(person=SOMEBODY) as batches:
        somebody_elses = (await anext(batches)).resume_token
    for token in ("x", somebody_elses, somebody_elses[:-3], tokens.seal({}, "page", PERSON)):
        async with gateway.listening(token) as batches:
            with pytest.raises(Invalid) as refused:
                await anext(batches)
            assert refused.value.reason == "INVALID_RESUME_TOKEN"


async def test_nobody_listens_without_signing_in(gateway: Gateway) -> None:
    call = GatewayServiceStub(gateway.channels[0]).Subscribe(
        gateway_service_pb2.SubscribeRequest(), timeout=10
    )
    with pytest.raises(Unauthenticated):
        await anext(told(call))


async def test_a_revoked_session_ends_its_streams_on_every_replica(
    nats_server: ScratchNats, contract: Contract
) -> None:
    async with gateways(nats_server, contract, replicas=2) as gateway:
        for number in range(4):
            gateway.stage.world.seat("table", PERSON if number == 0 else f"user{number}")
        async with (
            gateway.listening(replica=0) as phone,
            gateway.listening(replica=1) as desk,
        ):
            for batches in (phone, desk):
                await anext(batches)
            began = time.monotonic()
            await gateway.revoke(SESSION, PERSON)
            for batches in (phone, desk):
                ended, _ = await until(batches, "ended")
                assert ended.reason == "SESSION_REVOKED"  # type: ignore[attr-defined]
                with pytest.raises(Unauthenticated) as status:
                    await anext(batches)
                assert status.value.reason == "SESSION_REVOKED"
            assert time.monotonic() - began < 1
        for replica in range(2):
            async with gateway.listening(replica=replica) as batches:
                with pytest.raises(Unauthenticated):
                    await anext(batches)


async def test_a_token_of_one_replica_resumes_on_another(
    nats_server: ScratchNats, contract: Contract
) -> None:
    async with gateways(nats_server, contract, replicas=2) as gateway:
        gateway.stage.world.seat("table", PERSON)
        async with gateway.listening(replica=0) as batches:
            token = (await anext(batches)).resume_token
        await gateway.stage.happen(message("general", "missed"))
        async with gateway.listening(token, replica=1) as batches:
            assert texts((await anext(batches)).events) == ["missed"]


async def test_five_hundred_streams_open_at_once(gateway: Gateway) -> None:
    people = [f"usr_{number}" for number in range(250)]
    for person in people:
        gateway.stage.world.seat("table", person)

    async def listen(
        person: str,
    ) -> grpc.aio.UnaryStreamCall[
        gateway_service_pb2.SubscribeRequest, gateway_service_pb2.SubscribeResponse
    ]:
        call = gateway.subscribe(person=person)
        batch = await call.read()
        assert isinstance(batch, gateway_service_pb2.SubscribeResponse)
        assert batch.events[0].HasField("ready")
        return call

    calls = await asyncio.gather(*(listen(person) for person in people * 2))
    await gateway.stage.happen(message("general", "hello"))
    for call in calls:
        heard: list[str] = []
        while not heard:
            batch = await call.read()
            assert isinstance(batch, gateway_service_pb2.SubscribeResponse)
            heard = texts(batch.events)
        assert heard == ["hello"]
        call.cancel()
