"""The process in which all services live: `python -m local.host CONTROL_FD SERVE`.

It imports what they need while the rest of the platform starts, and sets it aside from
the collector, as the warm parent does. Then it reads one line from the control socket,
a JSON list of env files, and runs the services they describe with the function that
SERVE names. When the socket closes before that, it was not needed and ends.
"""

from __future__ import annotations

import gc
import json
from pathlib import Path
import socket
import sys

from local.process import name_process
from local.warm import run_services, warm_up


def main(control_fd: str, serve: str) -> None:
    """Warm up, and become what is asked for."""
    name_process("creavio-host")
    with socket.socket(fileno=int(control_fd)) as control, control.makefile() as lines:
        warm_up(("code",))
        gc.enable()
        asked = lines.readline()
    if asked:
        run_services(serve, *(Path(file) for file in json.loads(asked)))


if __name__ == "__main__":
    main(*sys.argv[1:])
