"""Accounts, sessions and their rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.errors import AlreadyExists, Conflict, FailedPrecondition, Unauthenticated

ACCESS_LASTS: Final = timedelta(minutes=15)
REFRESH_LASTS: Final = timedelta(days=30)
MOST_OF_AGENT: Final = 256
"""Characters that are kept of what a program calls itself."""
REFRESH_GRACE: Final = timedelta(seconds=10)
"""For so long a refresh token that was spent just now may be spent again."""


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


class InvalidLink(Unauthenticated):
    """What was mailed is not ours, has expired, or was used."""

    reason = "INVALID_LINK"

    def __init__(self) -> None:
        super().__init__("the link is not valid any more: ask for another")


class EmailTaken(AlreadyExists):
    """Another account has the address. Only who reads its mail is told."""

    reason = "EMAIL_TAKEN"

    def __init__(self) -> None:
        super().__init__("another account has this e-mail address")


class PasswordChanged(Conflict):
    """The password was changed while a call relied on it."""

    def __init__(self) -> None:
        super().__init__("the password was changed meanwhile")


class OwnsCommunities(FailedPrecondition):
    """Somebody who wants to go owns communities that others belong to."""

    reason = "OWNS_COMMUNITIES"

    def __init__(self, communities: int) -> None:
        super().__init__(
            f"you own {communities} communities others belong to: hand them over first"
        )


class LastAdministrator(FailedPrecondition):
    """Somebody who wants to go is the only one who administrates the instance."""

    reason = "LAST_ADMINISTRATOR"

    def __init__(self) -> None:
        super().__init__("nobody else administrates the instance: promote somebody first")


class HandleChanging(Conflict):
    """Another change of the handle is under way."""

    def __init__(self) -> None:
        super().__init__("another change of the handle is under way: try again in a minute")


class Standing(StrEnum):
    """Whether an account has its profile yet, or still."""

    COMING = "coming"
    SETTLED = "settled"
    LEAVING = "leaving"
    """Its owner deleted it: nobody signs in with it, and what is kept of it is erased."""


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
    email_verified_time: datetime | None = None
    """When its address was verified; until then it only names it."""
    deactivate_time: datetime | None = None
    """Since when it waits for its owner to sign in; None while it does not."""

    @property
    def verified_email(self) -> str | None:
        """The address it has."""
        return None if self.email_verified_time is None else self.email


@dataclass(frozen=True, slots=True)
class HandleChange:
    """A handle that an account is about to have, and nobody else meanwhile."""

    account_id: UUID
    handle: str
    attempt_time: datetime
    """When it was last begun; every attempt has its own."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in, until they sign out or stay away too long."""

    id: UUID
    account_id: UUID
    refresh_hash: bytes
    """SHA-256 of the one refresh token that is good."""
    create_time: datetime
    expire_time: datetime
    previous_hash: bytes | None = None
    """SHA-256 of the refresh token that was spent last."""
    rotate_time: datetime | None = None
    """When that was."""
    user_agent: str = ""
    """What the program it was begun with calls itself."""
    network: str = ""
    """Where it was begun, roughly: a network, no address."""


class Presented(StrEnum):
    """What a refresh token is to the session it was issued for."""

    CURRENT = "current"
    """The one that is good."""
    JUST_SPENT = "just spent"
    """Spent a moment ago: by another tab of its owner, or the answer was lost."""
    REPLAYED = "replayed"
    """Spent before: one of the two who hold it is not its owner."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """A session that ended before its tokens did."""

    session_id: UUID
    revision: int
    """Rises by one with every revocation of the instance."""
    expire_time: datetime
    """When the last of its access tokens ends."""


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


def begun_from(session: Session, user_agent: str, network: str) -> Session:
    """The session with what its owner knows it by."""
    return replace(session, user_agent=user_agent[:MOST_OF_AGENT], network=network)


def refreshed(session: Session, refresh_hash: bytes, now: datetime) -> Session:
    """The session under a new refresh token; the old one is spent."""
    return replace(
        session,
        refresh_hash=refresh_hash,
        expire_time=now + REFRESH_LASTS,
        previous_hash=session.refresh_hash,
        rotate_time=now,
    )


def presented(session: Session, refresh_hash: bytes, now: datetime) -> Presented:
    """What a refresh token is to its session."""
    if refresh_hash == session.refresh_hash:
        return Presented.CURRENT
    spent = session.rotate_time if refresh_hash == session.previous_hash else None
    if spent is not None and now - spent <= REFRESH_GRACE:
        return Presented.JUST_SPENT
    return Presented.REPLAYED


class Purpose(StrEnum):
    """What a mailed token is good for."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105  # no password

    @property
    def lasts(self) -> timedelta:
        """For how long."""
        return timedelta(days=1) if self is Purpose.VERIFY_EMAIL else timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Proof:
    """A token on its way to an address: whoever brings it reads that address's mail."""

    id: UUID
    account_id: UUID
    purpose: Purpose
    email: str
    token_hash: bytes
    """SHA-256 of the token; the token itself is kept nowhere."""
    expire_time: datetime


class MailKind(StrEnum):
    """What is to be said to an address."""

    VERIFY_EMAIL = "verify_email"
    """That an account names it, and the token that proves it; or that another has it."""
    CHANGE_EMAIL = "change_email"
    """The same, for an account that has another address until then."""
    RESET_PASSWORD = "reset_password"  # noqa: S105  # no password
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # no password
    EMAIL_CHANGED = "email_changed"
    HANDLE_CHANGED = "handle_changed"
    SECOND_FACTOR_ENABLED = "second_factor_enabled"
    SECOND_FACTOR_DISABLED = "second_factor_disabled"
    RECOVERY_CODES_RENEWED = "recovery_codes_renewed"
    RECOVERY_CODE_USED = "recovery_code_used"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    IDENTITY_LINKED = "identity_linked"
    IDENTITY_UNLINKED = "identity_unlinked"
    TOKEN_CREATED = "token_created"  # noqa: S105  # no password
    TOKEN_REVOKED = "token_revoked"  # noqa: S105  # no password
    APP_LET_IN = "app_let_in"
    APP_SHUT_OUT = "app_shut_out"


MAIL_LASTS: Final = timedelta(days=1)
"""Mail that could not be sent by then is given up; for so long it is known what was sent."""
MOST_MAILS: Final = 5
"""Of one kind about one account to one address in `MAIL_LASTS`: what a stranger can cause."""
MOST_MAILS_OF_KIND: Final = 20
"""Of one kind to one address in `MAIL_LASTS`, about whatever account."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Something to be said to an address. What exactly is decided when it is sent.

    It is kept alike whoever has an account, so nobody learns that by asking for it.
    """

    id: UUID
    kind: MailKind
    recipient: str
    handle: str
    """The account it is about; empty where the address decides."""
    attempts: int
    expire_time: datetime


def new_mail(kind: MailKind, recipient: str, now: datetime, handle: str = "") -> Mail:
    """Mail that is due now."""
    return Mail(ids.new(), kind, recipient.lower(), handle.lower(), 0, now + MAIL_LASTS)


def due_again(attempts: int) -> timedelta:
    """How long after an attempt mail is tried again: a minute, doubling up to two hours."""
    return min(timedelta(minutes=2 ** (attempts - 1)), timedelta(hours=2))


def spared(told_about: int, told: int) -> bool:
    """Whether an address was told enough: about an account, and about any."""
    return told_about >= MOST_MAILS or told >= MOST_MAILS_OF_KIND
