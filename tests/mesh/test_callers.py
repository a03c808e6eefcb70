"""Every service calls whom the catalog says, as itself, and nobody else."""

from __future__ import annotations

from itertools import permutations

from google.rpc import error_details_pb2
import grpc
from grpc_status import rpc_status
import pytest

from chassis import catalog as catalogs
from tests.edge.errors import as_call, grpc_shape
from tests.edge.platform import Platform

GET_USER = "/creavio.user.v1.UserService/GetUser"
SERVICES = sorted(catalogs.load().services)
PAIRS = list(permutations(SERVICES, 2))


@pytest.mark.parametrize(("caller", "callee"), PAIRS)
def test_every_pair_gets_the_catalogs_answer(platform: Platform, caller: str, callee: str) -> None:
    allowed = callee in platform.catalog.services[caller].calls
    for rpc in platform.contract.rpcs_of(callee):
        platform.services[callee].calls.clear()
        if allowed or rpc.open_to_services:
            platform.call_as(caller, rpc.path)
            # Envoy may be fetching the keys of tokens at the same moment, as itself.
            reached = platform.services[callee].calls
            assert [c for c in reached if c.metadata.get("x-creavio-caller") == caller]
        else:
            with pytest.raises(grpc.RpcError) as refused:
                platform.call_as(caller, rpc.path)
            assert grpc_shape(refused.value) == (
                grpc.StatusCode.PERMISSION_DENIED,
                "CALLER_NOT_ALLOWED",
            )
            assert not platform.services[callee].calls


def test_a_refusal_names_both(platform: Platform) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        platform.call_as("rbac", GET_USER)
    assert as_call(refused.value).details() == "rbac may not call user"
    status = rpc_status.from_call(as_call(refused.value))
    info = error_details_pb2.ErrorInfo()
    assert status is not None
    assert status.details[0].Unpack(info)
    assert dict(info.metadata) == {"caller": "rbac", "callee": "user"}


def test_nobody_can_call_as_another(platform: Platform) -> None:
    """Neither by saying so nor by saying it twice."""
    lies = (
        ("x-creavio-caller", "edge"),
        ("x-creavio-caller", "admin"),
        ("x-creavio-person", "usr_1"),
        ("x-envoy-retry-on", "5xx"),
        ("x-envoy-upstream-rq-timeout-ms", "1"),
    )
    platform.call_as("auth", GET_USER, metadata=lies)
    (reached,) = platform.services["user"].calls
    assert reached.metadata["x-creavio-caller"] == "auth"
    assert "x-creavio-person" not in reached.metadata
    assert not [name for name in reached.metadata if name.startswith("x-envoy")]
    with pytest.raises(grpc.RpcError) as refused:
        platform.call_as("rbac", GET_USER, metadata=lies)
    assert as_call(refused.value).code() is grpc.StatusCode.PERMISSION_DENIED


def test_a_persons_token_and_trace_travel_along(platform: Platform) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    metadata = (
        ("authorization", "Bearer token"),
        ("traceparent", parent),
        ("x-request-id", "7d2c0c5e-3f4b-4e21-9f57-2f6d1c1f0c11"),
    )
    platform.call_as("auth", GET_USER, metadata=metadata)
    (reached,) = platform.services["user"].calls
    for name, value in metadata:
        assert reached.metadata[name] == value


def test_what_does_not_exist_is_unimplemented_for_those_who_may_call(platform: Platform) -> None:
    for path, code in (
        ("/creavio.user.v1.UserService/Nope", grpc.StatusCode.UNIMPLEMENTED),
        ("/creavio.user.v1evil.UserService/GetUser", grpc.StatusCode.PERMISSION_DENIED),
        ("/creavio.user.v1", grpc.StatusCode.PERMISSION_DENIED),
        ("/grpc.health.v1.Health/Check", grpc.StatusCode.PERMISSION_DENIED),
        ("/nope", grpc.StatusCode.PERMISSION_DENIED),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            platform.call_as("auth", path)
        assert as_call(refused.value).code() is code, path


def test_a_path_cannot_be_written_so_that_the_rules_miss_it(platform: Platform) -> None:
    for path in (
        "/creavio.rbac.v1.AccessService/../creavio.user.v1.UserService/GetUser",
        "/creavio.rbac.v1.%2e%2e/creavio.user.v1.UserService/GetUser",
        "//creavio.user.v1.UserService/GetUser",
        "/creavio.rbac.v1.AccessService/Check/../../creavio.user.v1.UserService/GetUser",
    ):
        with pytest.raises(grpc.RpcError):
            platform.call_as("chat", path)
    assert not platform.services["user"].calls


def test_keys_are_open_to_every_service(platform: Platform) -> None:
    path = "/creavio.auth.v1.KeyService/GetKeySet"
    assert platform.contract.rpcs[path].open_to_services
    for service in SERVICES:
        assert platform.call_as(service, path)
