"""The event stream as its RPC serves it: ready first, a token with every batch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
import pytest

from chassis.contract import Contract
from chassis.errors import Exhausted, Invalid, Unauthenticated, Unavailable
from chassis.status import from_call
from chassis.testing import eventually, scratch_config
from chassis.tokens import Tokens
from creavio.gateway.v1 import gateway_service_pb2
from creavio.gateway.v1.gateway_service_pb2_grpc import (
    GatewayServiceStub,
    add_GatewayServiceServicer_to_server,
)
from services.gateway.domain import HEARTBEAT_SECONDS, ReadsTooSlowly
from services.gateway.handler import GatewayHandler
from tests.chassis.serving import PERSON, Keys, serving
from tests.gateway.world import QUIET, Stage, message, payloads, staged, texts
from tests.scratch_nats import ScratchNats

Batch = gateway_service_pb2.SubscribeResponse


@dataclass
class Gateway:
    """A server of the RPC, and a person who calls it."""

    stage: Stage
    channel: grpc.aio.Channel
    keys: Keys

    @asynccontextmanager
    async def listening(
        self, resume: str = "", person: str = PERSON
    ) -> AsyncIterator[AsyncIterator[Batch]]:
        """An open stream's batches."""
        call = GatewayServiceStub(self.channel).Subscribe(
            gateway_service_pb2.SubscribeRequest(resume_token=resume),
            metadata=grpc.aio.Metadata(("authorization", f"Bearer {self.keys.token(sub=person)}")),
            timeout=10,
        )
        try:
            yield told(call)
        finally:
            call.cancel()


async def told(
    call: grpc.aio.UnaryStreamCall[gateway_service_pb2.SubscribeRequest, Batch],
) -> AsyncIterator[Batch]:
    """The batches of a call. Raises the error that ends it."""
    try:
        async for batch in call:
            yield batch
    except grpc.aio.AioRpcError as error:
        raise from_call(error) from error


@pytest.fixture
async def gateway(nats_server: ScratchNats, contract: Contract) -> AsyncIterator[Gateway]:
    keys = Keys()
    async with staged(nats_server, contract) as stage:
        stage.world.members["table"] = {PERSON}
        stage.world.channels["general"] = "table"
        handler = GatewayHandler(stage.hub, Tokens(scratch_config("gateway")))
        async with serving(
            contract, keys, (add_GatewayServiceServicer_to_server, handler)
        ) as channel:
            yield Gateway(stage, channel, keys)


async def test_ready_comes_first_and_at_once(gateway: Gateway) -> None:
    async with gateway.listening() as batches:
        batch = await anext(batches)
        assert payloads(list(batch.events)) == ["ready"]
        assert batch.resume_token
        await gateway.stage.happen(message("general", "hello"))
        batch = await anext(batches)
        assert texts(list(batch.events)) == ["hello"]


async def test_while_nothing_happens_a_heartbeat_carries_a_token(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.handler.HEARTBEAT_SECONDS", QUIET)
    async with gateway.listening() as batches:
        await anext(batches)
        # Not this person's to see: what is passed over need not be looked at again.
        gateway.stage.world.members["table"] = set()
        await gateway.stage.happen(message("general", "not yours"))
        beat = await anext(batches)
        assert payloads(list(beat.events)) == ["heartbeat"]
        gateway.stage.world.members["table"] = {PERSON}
        await gateway.stage.happen(message("general", "yours"))
    async with gateway.listening(beat.resume_token) as batches:
        batch = await anext(batches)
        assert payloads(list(batch.events)) == ["ready", "message_created"]
        assert texts(list(batch.events)) == ["yours"]


async def test_the_token_of_any_batch_tells_exactly_what_came_after_it(gateway: Gateway) -> None:
    batches: list[Batch] = []
    said = [f"{number}" for number in range(5)]
    async with gateway.listening() as stream:
        batches.append(await anext(stream))
        for content in said:
            await gateway.stage.happen(message("general", content))
            batches.append(await anext(stream))
    for number, batch in enumerate(batches):
        async with gateway.listening(batch.resume_token) as stream:
            again = list((await anext(stream)).events)
            assert again[0].ready.resumed
            assert texts(again) == said[number:]


def test_a_heartbeat_is_due_every_fifteen_seconds() -> None:
    assert HEARTBEAT_SECONDS <= 15


async def test_an_ended_stream_says_why(gateway: Gateway) -> None:
    async with gateway.listening() as slow:
        await anext(slow)
        (stream,) = gateway.stage.hub._by_user[PERSON]
        stream.end(ReadsTooSlowly())
        with pytest.raises(Exhausted) as ended:
            await anext(slow)
        assert ended.value.reason == "RATE_LIMITED"
        assert ended.value.retry_after is not None
    async with gateway.listening() as batches:
        await anext(batches)
        gateway.stage.hub.end_all()
        with pytest.raises(Unavailable):
            await anext(batches)


async def test_a_stream_whose_reader_left_is_forgotten(gateway: Gateway) -> None:
    async with gateway.listening() as batches:
        await anext(batches)
        assert gateway.stage.hub._by_user

    async def forgotten() -> None:
        assert not gateway.stage.hub._by_user

    await eventually(forgotten)


async def test_a_token_of_anything_else_is_refused(gateway: Gateway) -> None:
    tokens = Tokens(scratch_config("gateway"))
    positions = {"chat": [1, "evt"]}
    async with gateway.listening(person="usr_01h455vb4pex5vsknk084sn02r") as batches:
        somebody_elses = (await anext(batches)).resume_token
    for token in (
        "x",
        somebody_elses,
        tokens.seal(positions, "page", PERSON),
        tokens.seal(positions, "resume"),
    ):
        async with gateway.listening(token) as batches:
            with pytest.raises(Invalid) as refused:
                await anext(batches)
            assert refused.value.reason == "INVALID_RESUME_TOKEN"


async def test_nobody_listens_without_signing_in(gateway: Gateway) -> None:
    call = GatewayServiceStub(gateway.channel).Subscribe(
        gateway_service_pb2.SubscribeRequest(), timeout=10
    )
    with pytest.raises(Unauthenticated):
        await anext(told(call))
