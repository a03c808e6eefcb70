"""The list of who was erased, which no backup holds and every restore obeys.

It lies beside the home, so a restore into the same place finds it there. user reads it
at every start (`services.user.engine`).
"""

from __future__ import annotations

import os
from pathlib import Path

from local.backup.manifest import BackupError
from local.home import Home


def take_over(home: Home, source: Path | None) -> bool:
    """Add a list from elsewhere to the home's; whether the home has one then.

    Raises `BackupError` when it cannot be read or written.
    """
    try:
        known = home.erased.read_text().splitlines() if home.erased.exists() else []
        if source is None:
            return bool(known)
        new = [line for line in source.read_text().splitlines() if line and line not in known]
        home.root.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        with os.fdopen(os.open(home.erased, flags, 0o600), "a") as file:
            file.writelines(f"{line}\n" for line in new)
            file.flush()
            os.fsync(file.fileno())
    except (OSError, UnicodeDecodeError) as error:
        raise BackupError(f"{source or home.erased} cannot be taken over: {error}") from error
    return True
