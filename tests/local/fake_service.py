"""A service as small as one can be, for tests of what runs services.

It says that it answers, then does what the datagrams on its own socket
`<ready>.do` say: `exit N` ends it.
"""

from __future__ import annotations

from pathlib import Path
import signal
import socket
import sys

from chassis.config import load


def serve(env_file: Path) -> None:
    """Serve until SIGTERM."""
    config = load(env_file)
    assert config.ready_socket is not None
    print(f"{config.service} serves", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as orders:
        path = Path(f"{config.ready_socket}.do")
        path.unlink(missing_ok=True)
        orders.bind(str(path))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as teller:
            teller.sendto(b"READY=1", config.ready_socket)
        order = orders.recv(64).decode()
        print(f"told to {order}", flush=True)
        sys.exit(int(order.removeprefix("exit ")))
