"""Those who do not play by the protocol cost little and harm nobody."""

from __future__ import annotations

import socket
import time

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated
import pytest

from tests.edge.platform import KEYS, Platform, running

ME = "/v1/users/me"


def connect(platform: Platform) -> socket.socket:
    host, _, port = platform.topology.public.partition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def received(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    content = b""
    while piece := connection.recv(65_536):
        content += piece
    return content


def test_whoever_opens_and_resets_streams_without_end_is_disconnected(
    platform: Platform,
) -> None:
    """HTTP/2 rapid reset (CVE-2023-44487)."""
    ended = False
    with connect(platform) as connection:
        h2 = H2Connection(H2Configuration(client_side=True))
        h2.initiate_connection()
        headers = [
            (":method", "GET"),
            (":path", ME),
            (":scheme", "http"),
            (":authority", "localhost"),
        ]
        try:
            for _ in range(5_000):
                stream = h2.get_next_available_stream_id()
                h2.send_headers(stream, headers, end_stream=True)
                h2.reset_stream(stream)
                connection.sendall(h2.data_to_send())
            while piece := connection.recv(65_536):
                if any(isinstance(e, ConnectionTerminated) for e in h2.receive_data(piece)):
                    ended = True
                    break
            else:
                ended = True
        except (ConnectionResetError, BrokenPipeError):
            ended = True
    assert ended
    assert platform.get(ME, token=platform.keys.token()).status_code == 200


def test_a_request_that_does_not_arrive_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge.listener.HEADERS_WITHIN", 0.5)
    monkeypatch.setattr("edge.listener.REQUEST_WITHIN", 1.0)
    with running() as platform:
        begun = time.monotonic()
        with connect(platform) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ")
            answer = received(connection)
        assert time.monotonic() - begun < 3
        assert answer == b"" or b" 408 " in answer
        with connect(platform) as connection:
            connection.sendall(
                b"POST /v1/sessions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
                b'content-length: 1000\r\n\r\n{"login": "'
            )
            answer = received(connection)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"reason":"DEADLINE_EXCEEDED"' in answer
        assert time.monotonic() - begun < 6


def test_two_lengths_are_one_too_many(platform: Platform) -> None:
    """Request smuggling lives on disagreement about where a request ends."""
    for lengths in (
        b"content-length: 2\r\ncontent-length: 3\r\n",
        b"content-length: 2\r\ntransfer-encoding: chunked\r\n",
        b"transfer-encoding: identity, chunked\r\n",
        b"content-length: +2\r\n",
    ):
        with connect(platform) as connection:
            connection.sendall(
                b"POST /v1/sessions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
                + lengths
                + b"\r\n{}\r\n0\r\n\r\n"
            )
            assert received(connection).split(b" ")[1] == b"400", lengths
    called = {call.path for call in platform.services["auth"].calls}
    assert called <= {KEYS}, "the edge itself asks for keys, and nobody else is let in"


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c"])
def test_no_other_protocol_is_let_through(platform: Platform, upgrade: bytes) -> None:
    with connect(platform) as connection:
        connection.sendall(
            b"GET /v1/events HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: "
            + upgrade
            + b"\r\nsec-websocket-version: 13\r\n"
            b"sec-websocket-key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n\r\n"
        )
        assert received(connection).split(b" ")[1] in (b"401", b"403")
