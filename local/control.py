"""What the supervisor can be asked to do while it runs: `run/control.sock`.

GET  /status             how everything is
POST /reload/{service}   run a service's code as it is now; `all` for every one
"""

from __future__ import annotations

from functools import partial

from local.http_socket import Handler, Reply
from local.reload import Reloader
from local.status import StatusView

_RELOAD = "/reload/"


class Control:
    """The commands, by method and path."""

    def __init__(self, status: StatusView, reloader: Reloader) -> None:
        self._status = status
        self._reloader = reloader

    def route(self, method: str, path: str) -> Handler | None:
        """What answers a request."""
        if (method, path) == ("GET", "/status"):
            return self._show
        if method == "POST" and path.startswith(_RELOAD):
            return partial(self._reload, path.removeprefix(_RELOAD))
        return None

    async def _show(self) -> Reply:
        return Reply(200, await self._status.read())

    async def _reload(self, service: str) -> Reply:
        trouble = await self._reloader.reload(service)
        if trouble is None:
            return Reply(200, {"reloaded": service})
        return Reply(503, {"error": trouble})
