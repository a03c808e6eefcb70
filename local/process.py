"""Processes that never outlive the one that started them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
import ctypes
import os
from pathlib import Path
import signal
import subprocess
import sys
from typing import Protocol

LINUX = sys.platform == "linux"
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_LOOK_AGAIN = 0.02


class Process(Protocol):
    """A running process, however it was started."""

    @property
    def pid(self) -> int:
        """Its process id; never reused while it has not been waited for."""
        ...

    async def wait(self) -> int:
        """Its exit status, negative for the signal that ended it. May be awaited
        any number of times."""
        ...

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when the process is gone."""
        ...


def prctl(option: int, argument: int | bytes) -> None:
    """Linux's prctl(2). Raises `OSError` when the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, argument, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")


def die_with_parent(number: signal.Signals, parent: int) -> None:
    """Have the kernel send this process a signal when its parent ends.

    The kernel counts the parent's *thread* that forked, and forgets the wish
    when the process changes its user: call it after that. `parent` is the
    parent's pid as it knew it, so that its death in between is noticed.
    """
    if not LINUX:
        return
    prctl(_PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:
        os._exit(1)


def name_process(name: str) -> None:
    """Show a name in `ps` and `top` (15 bytes of it)."""
    if LINUX:
        prctl(_PR_SET_NAME, name.encode()[:15] + b"\0")


class ChildProcess:
    """A program started by this process, in a session of its own.

    Terminal signals do not reach it: who started it decides when it ends.
    """

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self._exited: asyncio.Future[int] | None = None

    @classmethod
    def start(
        cls,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        cwd: Path | None = None,
        user: tuple[int, int] | None = None,
        on_parent_death: signal.Signals = signal.SIGKILL,
        pass_fds: Sequence[int] = (),
    ) -> ChildProcess:
        """Start a program; its output is appended to `log`.

        `user` (uid, gid) is changed to after entering `cwd`, which that user need
        not be able to reach. To be called on the main thread.
        """
        parent = os.getpid()
        with log.open("ab") as output:
            return cls(
                subprocess.Popen(  # noqa: S603  # our own programs
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=env,
                    cwd=cwd,
                    user=user[0] if user else None,
                    group=user[1] if user else None,
                    extra_groups=[] if user else None,
                    start_new_session=True,
                    pass_fds=pass_fds,
                    preexec_fn=_dying(on_parent_death, parent),
                )
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    async def wait(self) -> int:
        """Its exit status; negative for the signal that ended it."""
        if self._exited is None:
            self._exited = asyncio.ensure_future(self._wait())
        return await asyncio.shield(self._exited)

    async def _wait(self) -> int:
        try:
            fd = os.pidfd_open(self.pid)
        except (AttributeError, OSError):
            await until(self._ended)
            return self._popen.wait()
        loop = asyncio.get_running_loop()
        gone = asyncio.Event()
        loop.add_reader(fd, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(fd)
            os.close(fd)
        return self._popen.wait()

    async def _ended(self) -> bool:
        return self._popen.poll() is not None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when the process is gone."""
        with suppress(ProcessLookupError):
            self._popen.send_signal(number)


def _dying(number: signal.Signals, parent: int) -> Callable[[], None] | None:
    if not LINUX:
        return None
    libc = ctypes.CDLL(None)

    def before_exec() -> None:
        # Only calls that need no lock: another thread may have held one.
        libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return before_exec


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return once a condition holds that nobody announces."""
    while not await condition():  # noqa: ASYNC110  # another program's state has no event
        await asyncio.sleep(_LOOK_AGAIN)


async def end(process: Process, number: signal.Signals, patience: float) -> int:
    """End a process: ask with a signal, kill it when `patience` seconds passed."""
    process.signal(number)
    try:
        return await asyncio.wait_for(process.wait(), patience)
    except TimeoutError:
        process.signal(signal.SIGKILL)
        return await process.wait()


def describe_exit(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"exited with status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


def clean_environment() -> dict[str, str]:
    """The environment for the parts.

    Without what belongs to this command or would make PostgreSQL's client look
    elsewhere; and nothing is imported from the folder somebody happens to be in.
    """
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("CREAVIO_", "PG"))
    }
    return kept | {"PYTHONSAFEPATH": "1"}
