"""Names as they are shown and compared, and what tells one version from the next."""

from __future__ import annotations

import hashlib
import unicodedata

from chassis.errors import Invalid


def folded(name: str) -> str:
    """A name as it is compared: capital and small letters, and their widths, are the same."""
    return unicodedata.normalize("NFKC", name).casefold()


def etag_of(*said: object) -> str:
    """Changes with what is said; it means nothing else."""
    return hashlib.sha256(repr(tuple(map(str, said))).encode()).hexdigest()[:16]


def shown(name: str) -> str:
    """A name as it is shown. Raises `Invalid` for a blank one."""
    name = name.strip()
    if not name:
        raise Invalid("name must not be blank", fields=(("name", "must not be blank"),))
    return name
