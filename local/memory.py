"""How much memory processes take, in bytes.

PSS counts a page shared by several processes in equal parts, so that the sum is
what the machine would get back. The kernel shows it to who may trace a process;
where it does not (another user's, inside a container), what is resident and not
shared is the nearest lower figure. macOS has no PSS: unique memory stands in.
"""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from local.process import LINUX

_PAGE = os.sysconf("SC_PAGE_SIZE")


def tree(pid: int) -> int:
    """Of a process and everything below it; 0 when it is gone."""
    try:
        process = psutil.Process(pid)
        return sum(one(member.pid) for member in (process, *process.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


def one(pid: int) -> int:
    """Of one process; 0 when it is gone."""
    if not LINUX:
        return _unique(pid)
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        return 0
    except PermissionError:
        return _unshared(pid)
    return 0


def _unshared(pid: int) -> int:
    try:
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return 0
    return (int(resident) - int(shared)) * _PAGE


def _unique(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_full_info().uss)
    except psutil.Error:
        return 0
