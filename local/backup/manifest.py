"""What a backup says about itself.

The manifest is the last member of the file: one that has none was cut off.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

FORMAT: Final = 1
MEMBER: Final = "manifest.json"


class BackupError(Exception):
    """A backup cannot be made or restored; the message is one line, with the mend."""


class Member(BaseModel):
    """One file in the backup."""

    model_config = ConfigDict(frozen=True)

    size: int
    sha256: str


class DatabaseMember(Member):
    """A service's database, as `pg_dump --format=custom` writes it."""

    revision: str
    """The service's last migration in it."""


class Manifest(BaseModel):
    """What is in a backup, and what it takes to restore it."""

    model_config = ConfigDict(frozen=True)

    format: int
    made: datetime
    """The moment whose state it holds."""
    postgres: str
    """The version of the server, such as `18.4`."""
    databases: dict[str, DatabaseMember]
    """By service."""
    secrets: dict[str, Member]
    """By the name of the file."""


def database_member(service: str) -> str:
    """Where a service's database is in the file."""
    return f"databases/{service}.dump"


def secret_member(name: str) -> str:
    """Where a secret is in the file."""
    return f"secrets/{name}"


def read(content: bytes) -> Manifest:
    """Read a manifest of this format. Raises `BackupError` for any other."""

    class Head(BaseModel):
        format: int

    try:
        found = Head.model_validate_json(content).format
    except ValidationError:
        raise BackupError("its manifest cannot be read: it is not a backup of Creavio") from None
    if found != FORMAT:
        raise BackupError(
            f"it is of format {found}, and this Creavio reads format {FORMAT}: "
            f"restore it with a {'newer' if found > FORMAT else 'older'} release"
        )
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BackupError(f"its manifest is damaged: {where}: {first['msg']}") from None
