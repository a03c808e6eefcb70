"""A service as small as one can be, for tests of what runs services.

It says that it answers, then does what a datagram on `<ready>.do` says: `exit N`
ends it, `fail` makes it and its successors fail, until a file `mended` stands
beside its sockets.
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
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    broken, mended = env_file.with_name("broken"), env_file.with_name("mended")
    if broken.exists() and not mended.exists():
        raise RuntimeError("told to fail")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as orders:
        path = Path(f"{config.ready_socket}.do")
        path.unlink(missing_ok=True)
        orders.bind(str(path))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as teller:
            teller.sendto(b"READY=1", config.ready_socket)
        order = orders.recv(64).decode()
        if order == "fail":
            broken.touch()
            raise RuntimeError("told to fail")
        sys.exit(int(order.removeprefix("exit ")))
