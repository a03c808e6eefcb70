"""Accounts, sessions and their rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.errors import AlreadyExists, Unauthenticated

ACCESS_LASTS: Final = timedelta(minutes=15)
REFRESH_LASTS: Final = timedelta(days=30)


class HandleTaken(AlreadyExists):
    """The handle belongs to somebody else."""

    reason = "HANDLE_TAKEN"

    def __init__(self, handle: str) -> None:
        super().__init__(f"the handle {handle} is taken")


class WrongCredentials(Unauthenticated):
    """The login or the password is wrong; which of them is not said."""

    reason = "WRONG_CREDENTIALS"

    def __init__(self) -> None:
        super().__init__("the login or the password is wrong")


class InvalidRefreshToken(Unauthenticated):
    """The refresh token is not one of ours, is spent, or its session has ended."""

    reason = "INVALID_REFRESH_TOKEN"

    def __init__(self) -> None:
        super().__init__("the refresh token is not valid any more: sign in again")


class Standing(StrEnum):
    """Whether an account has its profile yet."""

    COMING = "coming"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can sign in."""

    id: UUID
    handle: str
    email: str
    display_name: str
    password_hash: str
    standing: Standing
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in, until they sign out or stay away too long."""

    id: UUID
    account_id: UUID
    refresh_hash: bytes
    """SHA-256 of the one refresh token that is good."""
    create_time: datetime
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a session is used with."""

    access_token: str
    refresh_token: str
    refresh_hash: bytes
    expire_time: datetime
    """When the access token ends."""


def is_address(login: str) -> bool:
    """Whether a login is an e-mail address: a handle never contains `@`."""
    return "@" in login


def new_account(
    handle: str, email: str, display_name: str, password_hash: str, now: datetime
) -> Account:
    """An account about to be created. Handles and addresses are compared in lower case."""
    return Account(
        ids.new(),
        handle.lower(),
        email.lower(),
        display_name.strip() or handle,
        password_hash,
        Standing.COMING,
        now,
    )


def new_session(account_id: UUID, refresh_hash: bytes, session_id: UUID, now: datetime) -> Session:
    """A session that begins now."""
    return Session(session_id, account_id, refresh_hash, now, now + REFRESH_LASTS)


def refreshed(session: Session, refresh_hash: bytes, now: datetime) -> Session:
    """The session under a new refresh token; the old one is spent."""
    return replace(session, refresh_hash=refresh_hash, expire_time=now + REFRESH_LASTS)
