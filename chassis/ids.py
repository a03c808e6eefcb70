"""Identifiers: TypeIDs on the wire, UUIDs (version 7) in databases.

A TypeID is a prefix that says what it names and a UUID in base32
(https://github.com/jetify-com/typeid): `msg_01h455vb4pex5vsknk084sn02q`.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Final
from uuid import UUID

from typeid import TypeID
from typeid.codecs import base32
from typeid.core.errors import TypeIDException
import uuid_utils.compat

from chassis.errors import Invalid


class Kind(StrEnum):
    """What an identifier names; its value is the prefix."""

    USER = "usr"
    SESSION = "ses"
    COMMUNITY = "com"
    CHANNEL = "chn"
    MESSAGE = "msg"
    CONVERSATION = "cnv"
    THREAD = "thr"
    TAG = "tag"
    SCHEDULED_MESSAGE = "sch"
    ROLE = "rol"
    EVENT = "evt"
    APP = "app"
    PASSKEY = "pky"
    TOKEN = "tok"  # noqa: S105  # no password


def new() -> UUID:
    """A fresh UUID (version 7, RFC 9562): later ones sort after earlier ones."""
    return uuid_utils.compat.uuid7()


def text(kind: Kind, value: UUID) -> str:
    """The identifier as it stands on the wire."""
    return f"{kind.value}_{base32.encode(value.bytes)}"


@lru_cache(maxsize=16_384)  # the same places and people are named over and over
def parse(kind: Kind, identifier: str, *, field: str) -> UUID:
    """The UUID in an identifier.

    Raises `Invalid`, naming `field`, when it is not one of this kind.
    """
    try:
        typeid = TypeID.from_string(identifier)
        if typeid.prefix == kind.value:
            return UUID(bytes=typeid.uuid.bytes)
    except TypeIDException:
        pass
    raise Invalid(
        f"{field} is not an identifier of the form {kind.value}_…",
        fields=((field, f"must be an identifier of the form {kind.value}_…"),),
    )


INSTANCE: Final = text(Kind.COMMUNITY, UUID(int=0))
"""The instance itself, where rbac keeps its administrators as if it were a community."""
