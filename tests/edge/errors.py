"""Reading errors as a client would."""

from __future__ import annotations

from typing import Any, cast

from google.rpc import error_details_pb2
import grpc
from grpc_status import rpc_status
import httpx


def shape(response: httpx.Response) -> tuple[int, int, str]:
    """The HTTP status, google.rpc code and reason of an error, after checking its shape."""
    assert response.headers["content-type"] == "application/json", response.text
    body: dict[str, Any] = response.json()
    assert set(body) == {"code", "message", "details"}, body
    assert isinstance(body["message"], str)
    assert body["message"]
    info = body["details"][0]
    assert info["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    assert info["domain"] == "creavio"
    return response.status_code, body["code"], info["reason"]


def retry_delay(response: httpx.Response) -> str:
    """When the error says to try again."""
    (info,) = (d for d in response.json()["details"] if d["@type"].endswith("RetryInfo"))
    delay: str = info["retryDelay"]
    return delay


def grpc_shape(error: grpc.RpcError) -> tuple[grpc.StatusCode, str]:
    """The code and reason of a gRPC error, from its details."""
    status = rpc_status.from_call(as_call(error))
    assert status is not None, error
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.domain == "creavio"
    return as_call(error).code(), info.reason


def as_call(error: grpc.RpcError) -> grpc.Call:
    """The call behind an error; grpc's types do not say that they are one."""
    return cast(grpc.Call, error)
