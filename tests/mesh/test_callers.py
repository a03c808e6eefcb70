"""Every service calls whom the catalog says, as itself, and nobody else."""

from __future__ import annotations

from itertools import permutations

from google.rpc import error_details_pb2
import grpc
from grpc_status import rpc_status
import pytest

from chassis import catalog as catalogs
from chassis.contract import Rpc
from tests.edge.errors import grpc_shape
from tests.edge.platform import Platform

SERVICES = sorted(catalogs.load().services)
PAIRS = list(permutations(SERVICES, 2))


def call(channel: grpc.Channel, rpc: Rpc, metadata: tuple[tuple[str, str], ...] = ()) -> None:
    if rpc.descriptor.server_streaming:
        list(channel.unary_stream(rpc.path)(b"", metadata=metadata, timeout=5))
    else:
        channel.unary_unary(rpc.path)(b"", metadata=metadata, timeout=5)


@pytest.mark.parametrize(("caller", "callee"), PAIRS)
def test_every_pair_gets_the_catalogs_answer(platform: Platform, caller: str, callee: str) -> None:
    allowed = callee in platform.catalog.services[caller].calls
    with platform.channel(caller) as channel:
        for rpc in platform.contract.rpcs_of(callee):
            platform.services[callee].calls.clear()
            if allowed or rpc.open_to_services:
                call(channel, rpc)
                (reached,) = platform.services[callee].calls
                assert reached.metadata["x-creavio-caller"] == caller
            else:
                with pytest.raises(grpc.RpcError) as refused:
                    call(channel, rpc)
                assert grpc_shape(refused.value) == (
                    grpc.StatusCode.PERMISSION_DENIED,
                    "CALLER_NOT_ALLOWED",
                )
                assert not platform.services[callee].calls


def test_a_refusal_names_both(platform: Platform) -> None:
    with (
        platform.channel("chat") as channel,
        pytest.raises(grpc.RpcError) as refused,
    ):
        channel.unary_unary("/creavio.user.v1.UserService/GetUser")(b"")
    assert isinstance(refused.value, grpc.Call)
    assert refused.value.details() == "chat may not call user"
    status = rpc_status.from_call(refused.value)
    info = error_details_pb2.ErrorInfo()
    assert status is not None
    assert status.details[0].Unpack(info)
    assert dict(info.metadata) == {"caller": "chat", "callee": "user"}


def test_nobody_can_call_as_another(platform: Platform) -> None:
    """Neither by saying so nor by saying it twice."""
    lies = (
        ("x-creavio-caller", "edge"),
        ("x-creavio-caller", "admin"),
        ("x-creavio-person", "usr_1"),
        ("x-envoy-retry-on", "5xx"),
        ("x-envoy-upstream-rq-timeout-ms", "1"),
    )
    with platform.channel("auth") as channel:
        channel.unary_unary("/creavio.user.v1.UserService/GetUser")(b"", metadata=lies)
    (reached,) = platform.services["user"].calls
    assert reached.metadata["x-creavio-caller"] == "auth"
    assert "x-creavio-person" not in reached.metadata
    assert not [name for name in reached.metadata if name.startswith("x-envoy")]
    with platform.channel("chat") as channel, pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary("/creavio.user.v1.UserService/GetUser")(b"", metadata=lies)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_a_persons_token_and_trace_travel_along(platform: Platform) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    metadata = (
        ("authorization", "Bearer token"),
        ("traceparent", parent),
        ("x-request-id", "7d2c0c5e-3f4b-4e21-9f57-2f6d1c1f0c11"),
    )
    with platform.channel("auth") as channel:
        channel.unary_unary("/creavio.user.v1.UserService/GetUser")(b"", metadata=metadata)
    (reached,) = platform.services["user"].calls
    for name, value in metadata:
        assert reached.metadata[name] == value


def test_what_does_not_exist_is_unimplemented_for_those_who_may_call(platform: Platform) -> None:
    with platform.channel("auth") as channel:
        for path, code in (
            ("/creavio.user.v1.UserService/Nope", grpc.StatusCode.UNIMPLEMENTED),
            ("/creavio.user.v1evil.UserService/GetUser", grpc.StatusCode.PERMISSION_DENIED),
            ("/creavio.user.v1", grpc.StatusCode.PERMISSION_DENIED),
            ("/grpc.health.v1.Health/Check", grpc.StatusCode.PERMISSION_DENIED),
            ("/nope", grpc.StatusCode.PERMISSION_DENIED),
        ):
            with pytest.raises(grpc.RpcError) as refused:
                channel.unary_unary(path)(b"")
            assert refused.value.code() is code, path


def test_a_path_cannot_be_written_so_that_the_rules_miss_it(platform: Platform) -> None:
    with platform.channel("chat") as channel:
        for path in (
            "/creavio.rbac.v1.AccessService/../creavio.user.v1.UserService/GetUser",
            "/creavio.rbac.v1.%2e%2e/creavio.user.v1.UserService/GetUser",
            "//creavio.user.v1.UserService/GetUser",
            "/creavio.rbac.v1.AccessService/Check/../../creavio.user.v1.UserService/GetUser",
        ):
            with pytest.raises(grpc.RpcError):
                channel.unary_unary(path)(b"")
    assert not platform.services["user"].calls


def test_keys_are_open_to_every_service(platform: Platform) -> None:
    path = "/creavio.auth.v1.KeyService/GetKeySet"
    assert platform.contract.rpcs[path].open_to_services
    for service in SERVICES:
        with platform.channel(service) as channel:
            assert channel.unary_unary(path)(b"")
