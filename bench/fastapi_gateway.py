"""`python fastapi_gateway.py SERVICE`: REST in front of a service, as many write it.

It does the least that such a gateway can: it hands the token on to the service, which
checks it, and says in JSON what was answered.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Annotated, Any

from fastapi import FastAPI, Header
from google.protobuf.json_format import MessageToDict
import grpc
import uvicorn

from creavio.user.v1.user_service_pb2 import GetMeRequest
from creavio.user.v1.user_service_pb2_grpc import UserServiceStub


async def main(service: str) -> None:
    """Serve, and say at which port."""
    app = FastAPI()
    async with grpc.aio.insecure_channel(service) as channel:
        users = UserServiceStub(channel)

        @app.get("/v1/users/me")
        async def me(authorization: Annotated[str, Header()]) -> dict[str, Any]:
            metadata = (("authorization", authorization), ("x-creavio-caller", "edge"))
            user = await users.GetMe(GetMeRequest(), metadata=metadata, timeout=5)
            return MessageToDict(user, preserving_proto_field_name=True)

        with socket.create_server(("127.0.0.1", 0)) as listener:
            sys.stdout.write(f"{listener.getsockname()[1]}\n")
            sys.stdout.flush()
            config = uvicorn.Config(app, log_level="warning", access_log=False)
            await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
