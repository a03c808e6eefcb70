"""Who may call whom, on the running platform: the catalog's answer for every pair."""

from __future__ import annotations

import itertools

from google.protobuf import message_factory
from google.protobuf.message import Message
import grpc
import pytest

from chassis import catalog as catalogs
from chassis import contract as contracts
from chassis import status
from chassis.errors import Error
from creavio.options.v1 import rpc_pb2
from tests.live import Live

CATALOG = catalogs.load()
CONTRACT = contracts.load(CATALOG)
PAIRS = list(itertools.permutations(CATALOG.services, 2))
INTERNAL = [rpc for rpc in CONTRACT.rpcs.values() if not rpc.public]


async def answer(address: str, path: str, token: str = "") -> str:
    """The reason a call with an empty request is refused with; OK when it is not."""
    rpc = CONTRACT.rpcs[path]
    request = message_factory.GetMessageClass(rpc.descriptor.input_type)()
    reply_type = message_factory.GetMessageClass(rpc.descriptor.output_type)
    metadata = grpc.aio.Metadata(("x-creavio-caller", "chat"))
    if token:
        metadata.add("authorization", f"Bearer {token}")
    async with grpc.aio.insecure_channel(address) as channel:
        method: grpc.aio.UnaryUnaryMultiCallable[Message, Message] = channel.unary_unary(
            path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=reply_type.FromString,
        )
        try:
            await method(request, timeout=10, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.UNIMPLEMENTED:
                return "UNIMPLEMENTED"
            failure: Error = status.from_call(error)
            return failure.reason
    return "OK"


@pytest.mark.parametrize(("source", "target"), PAIRS, ids=["→".join(pair) for pair in PAIRS])
async def test_a_service_reaches_exactly_those_it_may_call(
    live: Live, source: str, target: str
) -> None:
    called = target in CATALOG.services[source].calls
    for rpc in CONTRACT.rpcs_of(target):
        if rpc.policy.stream == rpc_pb2.STREAM_LIVE:
            continue
        allowed = called or rpc.open_to_services
        reason = await answer(live.egress(source), rpc.path)
        assert (reason == "CALLER_NOT_ALLOWED") is not allowed, f"{rpc.path}: {reason}"


@pytest.mark.parametrize("path", [rpc.path for rpc in INTERNAL])
async def test_what_is_internal_does_not_exist_outside(live: Live, path: str) -> None:
    ada = live.sign_up("ada")
    # The caller's name is sent along: the edge replaces it.
    assert await answer(f"127.0.0.1:{live.port}", path, ada.token) == "UNIMPLEMENTED"


@pytest.mark.parametrize("path", [r.path for r in INTERNAL if not r.open_to_services])
async def test_a_service_refuses_the_edge_what_is_internal(live: Live, path: str) -> None:
    """Should the edge ever let one through, the service itself says no."""
    service = CONTRACT.rpcs[path].service
    listening = next(live.home.service(service).glob("in*.sock"))
    async with grpc.aio.insecure_channel(f"unix:{listening}") as channel:
        rpc = CONTRACT.rpcs[path]
        request = message_factory.GetMessageClass(rpc.descriptor.input_type)()
        fill(request)
        method: grpc.aio.UnaryUnaryMultiCallable[Message, Message] = channel.unary_unary(
            path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=message_factory.GetMessageClass(
                rpc.descriptor.output_type
            ).FromString,
        )
        for caller in ("edge", service, ""):
            metadata = grpc.aio.Metadata(("x-creavio-caller", caller))
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await method(request, timeout=10, metadata=metadata)
            assert status.from_call(refused.value).reason == "CALLER_NOT_ALLOWED"


def fill(request: object) -> None:
    """Give every id of a request a valid value, so that nothing but the caller is wrong."""
    ids = {
        "user_id": "usr_01m81rdjqgen6aw7gabj88hkyd",
        "owner_id": "usr_01m81rdjqgen6aw7gabj88hkyd",
        "community_id": "com_01m81rdm24ebcrpjt88k3dm0cj",
        "channel_id": "chn_01m81rdmg9ectsfb5pgrd3d7yf",
        "handle": "ada",
        "display_name": "Ada",
        "permission": 1,
        "other_id": "usr_01m81rdjqgen6aw7gabj88hkyd",
        "creator_id": "usr_01m81rdjqgen6aw7gabj88hkyd",
        "conversation_id": "cnv_01m81rdmg9ectsfb5pgrd3d7yf",
        "number": 1,
        "revision": 1,
    }
    for name, value in ids.items():
        if hasattr(request, name):
            setattr(request, name, value)
    if hasattr(request, "checks"):
        fill(request.checks.add())
    if hasattr(request, "role_ids"):
        request.role_ids.append("rol_01m81rdmg9ectsfb5pgrd3d7yf")
    if hasattr(request, "among"):
        request.among.append(ids["user_id"])
