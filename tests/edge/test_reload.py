"""A new contract goes live without anybody noticing but those who call it."""

from __future__ import annotations

from collections.abc import Iterator
import json
from pathlib import Path
import threading
import time

from google.protobuf.message import Message
import grpc
import httpx
import pytest

from chassis import contract as contracts
from chassis.contract import Contract
from creavio.gateway.v1 import gateway_service_pb2
from local.envoy_config import render
from tests.edge.platform import Platform, eventually, running

SUBSCRIBE = "/creavio.gateway.v1.GatewayService/Subscribe"
UPDATE_ME = "/creavio.user.v1.UserService/UpdateMe"
ME = "/v1/users/me"


def without(contract: Contract, path: str) -> Contract:
    """The contract before this RPC was written."""
    rpcs = {name: rpc for name, rpc in contract.rpcs.items() if name != path}
    return Contract(contract.files, rpcs, contract.events)


def subscribe(_request: Message, context: grpc.ServicerContext) -> Iterator[Message]:
    number = 0
    while context.is_active():
        yield gateway_service_pb2.SubscribeResponse(resume_token=str(number))
        number += 1
        time.sleep(0.05)


class Listener:
    """Follows the event stream in the background and calls all the while."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._over = threading.Event()
        self.tokens: list[int] = []
        self.statuses: list[int] = []
        self.cut = False
        self._threads = [threading.Thread(target=run) for run in (self._follow, self._call)]

    def __enter__(self) -> Listener:
        for thread in self._threads:
            thread.start()
        eventually(lambda: len(self.tokens) > 3 and len(self.statuses) > 3)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _follow(self) -> None:
        headers = {"authorization": f"Bearer {self._platform.keys.token()}"}
        with (
            httpx.Client(base_url=self._platform.url, trust_env=False, timeout=5) as client,
            client.stream("GET", "/v1/events", headers=headers) as stream,
        ):
            try:
                for line in stream.iter_lines():
                    self.tokens.append(int(json.loads(line)["resume_token"]))
                    if self._over.is_set():
                        return
            except httpx.HTTPError:
                pass
        self.cut = True

    def _call(self) -> None:
        with httpx.Client(base_url=self._platform.url, trust_env=False, timeout=5) as client:
            while not self._over.is_set():
                headers = {"authorization": f"Bearer {self._platform.keys.token()}"}
                self.statuses.append(client.get(ME, headers=headers).status_code)


@pytest.mark.parametrize("auth_is_down", [False, True])
def test_a_reload_drops_nothing(auth_is_down: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with running() as platform:
        platform.services["gateway"].answers[SUBSCRIBE] = subscribe
        time.sleep(1)  # Both of Envoy's threads have the keys after one round.
        if auth_is_down:
            platform.services["auth"].stop()

        def update() -> httpx.Response:
            return platform.request("PATCH", ME, json={}, token=platform.keys.token())

        assert update().status_code == 200
        with Listener(platform) as listener:
            older = without(platform.contract, UPDATE_ME)
            monkeypatch.setattr(contracts, "load", lambda _catalog: older)
            render(platform.topology, platform.home / "envoy", routes_only=True)
            assert eventually(lambda: update().status_code == 405) < 1
            monkeypatch.undo()
            render(platform.topology, platform.home / "envoy", routes_only=True)
            assert eventually(lambda: update().status_code == 200) < 1
            seen = len(listener.tokens)
            eventually(lambda: len(listener.tokens) > seen + 5)
        assert not listener.cut
        assert listener.tokens == list(range(len(listener.tokens)))
        assert set(listener.statuses) == {200}


def test_a_spent_budget_stays_spent_over_a_reload(platform: Platform) -> None:
    """Buckets belong to the listener: a reload must not be a way to more guesses."""
    before = int(platform.get(ME, token=platform.keys.token()).headers["ratelimit-remaining"])
    routes = platform.home / "envoy/routes/edge.json"
    changed = routes.with_suffix(".new")
    changed.write_text(routes.read_text().replace('"name": "unknown"', '"name": "renamed"'))
    changed.replace(routes)
    time.sleep(0.5)
    after = int(platform.get(ME, token=platform.keys.token()).headers["ratelimit-remaining"])
    render(platform.topology, platform.home / "envoy")
    assert after <= before + 1_000_000 // 60  # what refills in a second, at most


def test_bad_routes_are_refused_and_the_old_ones_stay(platform: Platform) -> None:
    routes = platform.home / "envoy/routes/edge.json"
    for bad in ("{", '{"resources": [{"@type": "nope"}]}'):
        draft = routes.with_suffix(".draft")
        draft.write_text(bad)
        draft.replace(routes)
        time.sleep(0.3)
        assert platform.get(ME, token=platform.keys.token()).status_code == 200
    render(platform.topology, platform.home / "envoy")


def test_an_unchanged_rendering_touches_no_file(platform: Platform) -> None:
    def state(folder: Path) -> dict[str, tuple[int, bytes]]:
        files = [path for path in folder.rglob("*") if path.is_file()]
        return {str(f): (f.stat().st_mtime_ns, f.read_bytes()) for f in files}

    before = state(platform.home / "envoy")
    render(platform.topology, platform.home / "envoy")
    assert state(platform.home / "envoy") == before
