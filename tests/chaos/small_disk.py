"""A platform whose home is a disk of its own, that can be made too small.

Run as `unshare --mount [--map-root-user] python -m tests.chaos.small_disk HOME USER GROUP`,
in a mount namespace of its own: the disk is a tmpfs that nobody outside has. On standard
input it takes `full` (there is no room beyond what is used) or `free`, a line each; when
its input closes, or on SIGTERM, the platform ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Final

ROOM: Final = "2g"
"""A bound: a tmpfs takes what is written, and no more."""
_TRIES: Final = 50
"""The platform writes between a look at what is used and the mount, now and then."""
_SPARE: Final = 256 * 1024
"""What is left of a full disk: less than a segment of PostgreSQL's log."""


def _mount(home: str, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", home], check=True)


def _fill(home: str) -> None:
    for attempt in range(_TRIES):
        disk = os.statvfs(home)
        used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
        try:
            _mount(home, f"remount,size={used + _SPARE}")
            break
        except subprocess.CalledProcessError:
            if attempt == _TRIES - 1:
                raise


def main(home: str, user: str, group: str) -> None:
    """Mount, start the platform as who it was started by, and obey."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    _mount(home, f"size={ROOM},mode=0755")
    command = [sys.executable, "-m", "local.cli", "up"]
    if user != "0":
        # Root in here is nobody's root out there: be who one was, as PostgreSQL wants it.
        command = ["unshare", "--user", f"--map-user={user}", f"--map-group={group}", *command]
    platform = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        for line in sys.stdin:
            if line.strip() == "full":
                _fill(home)
            else:
                _mount(home, f"remount,size={ROOM}")
    finally:
        platform.terminate()
        try:
            platform.wait(30)
        except subprocess.TimeoutExpired:
            platform.kill()
            platform.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
