"""What stands in the mail this service sends: plain text, and nothing that people chose but
their handle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
import re
from typing import Final
from uuid import UUID

from services.auth.domain import MailKind

_NOTICES: Final = {
    MailKind.HANDLE_CHANGED: (
        "You have another handle",
        "Your account is called @{handle} from now on, and signs in by the handle before no more.",
    ),
    MailKind.SECOND_FACTOR_ENABLED: (
        "Two-step sign-in is on",
        "Signing in to the account @{handle} asks for a code of an app from now on.",
    ),
    MailKind.SECOND_FACTOR_DISABLED: (
        "Two-step sign-in is off",
        "Signing in to the account @{handle} asks for no code any more.",
    ),
    MailKind.RECOVERY_CODES_RENEWED: (
        "You have other recovery codes",
        "Other recovery codes were made for the account @{handle}; the ones before are void.",
    ),
    MailKind.RECOVERY_CODE_USED: (
        "A recovery code was used",
        "One of the recovery codes of the account @{handle} was used, and is void now.",
    ),
    MailKind.PASSKEY_ADDED: (
        "You have another passkey",
        "A passkey was added that signs in to the account @{handle}.",
    ),
    MailKind.PASSKEY_REMOVED: (
        "A passkey was removed",
        "A passkey of the account @{handle} was removed, and signs in no more.",
    ),
    MailKind.IDENTITY_LINKED: (
        "You can sign in from somewhere else",
        "An account somewhere else was linked, and signs in to the account @{handle}.",
    ),
    MailKind.IDENTITY_UNLINKED: (
        "An account somewhere else was unlinked",
        "An account somewhere else was unlinked from the account @{handle}, and signs in no more.",
    ),
    MailKind.TOKEN_CREATED: (
        "You have another token",
        "A personal token was made that acts for the account @{handle}.",
    ),
    MailKind.TOKEN_REVOKED: (
        "A token was revoked",
        "A personal token of the account @{handle} was revoked.",
    ),
    MailKind.APP_LET_IN: (
        "An app acts for you",
        "An app was let act for the account @{handle}, or do more than before.",
    ),
    MailKind.APP_SHUT_OUT: (
        "An app acts for you no more",
        "An app is let act for the account @{handle} no more.",
    ),
}
_LONGEST: Final = 254
"""Characters of an address (RFC 5321, 4.5.3.1.3, without its brackets)."""
_PLAIN: Final = re.compile(r"[!#-'*+\-./0-9=?A-Z^-~]+@[0-9A-Za-z.-]+")
"""Addresses without quotes, comments and literals (RFC 5322, 3.4.1): what contracts take."""
_FOOT: Final = "If this was not you, you need not do anything."


@dataclass(frozen=True, slots=True)
class Letter:
    """What is said."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Letters:
    """Writes what is said, with links into the web app.

    A token stands behind the `#` of a link, where no server and no log sees it.
    """

    public_url: str
    """Where people open the platform."""

    def verify(self, handle: str, token: str) -> Letter:
        """That an account names the address, and how it has it."""
        return Letter(
            "Verify your e-mail address",
            f"The account @{handle} names this address as its own. To say that it is:\n\n"
            f"{self._link('verify-email', token)}\n\n"
            f"The link is good once, for a day. {_FOOT}\n",
        )

    def known(self, handle: str) -> Letter:
        """That the address is somebody's already."""
        return Letter(
            "You have an account already",
            "Somebody named this address for an account, but there is one that has it: "
            f"@{handle}. Sign in with it, or reset its password if it is forgotten:\n\n"
            f"{self.public_url}/\n\n{_FOOT}\n",
        )

    def reset(self, handle: str, token: str) -> Letter:
        """How to set another password."""
        return Letter(
            "Reset your password",
            f"To set another password for the account @{handle}:\n\n"
            f"{self._link('reset-password', token)}\n\n"
            f"The link is good once, for an hour. {_FOOT}\n",
        )

    def password_changed(self, handle: str) -> Letter:
        """That there is another password."""
        return Letter(
            "Your password was changed",
            f"The password of the account @{handle} was changed. If this was not you, reset "
            f"it now:\n\n{self.public_url}/\n",
        )

    def email_changed(self, handle: str) -> Letter:
        """That the account has another address."""
        return Letter(
            "Your e-mail address was changed",
            f"The account @{handle} has another e-mail address now, and this one is not its own "
            "any more. If this was not you, tell those who run this instance.\n",
        )

    def notice(self, kind: MailKind, handle: str) -> Letter:
        """What became of the ways into an account, and of what acts for it."""
        subject, said = _NOTICES[kind]
        return Letter(
            subject,
            f"{said.format(handle=handle)} If this was not you, reset your password now, and "
            f"look at your sessions, passkeys, linked accounts and tokens:\n\n{self.public_url}/\n",
        )

    def _link(self, page: str, token: str) -> str:
        return f"{self.public_url}/{page}#token={token}"


class NoAddressError(Exception):
    """What mail is for is no address that mail can have."""


def message(mail_id: UUID, sender: str, recipient: str, letter: Letter) -> EmailMessage:
    """The mail, as RFC 5322 has it. Raises `NoAddressError`.

    Every value is a header's or the body's by type: none can begin another header.
    """
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = sender
    made["To"] = _address(recipient)
    made["Subject"] = letter.subject
    made["Date"] = format_datetime(datetime.now(UTC))
    made["Message-ID"] = f"<{mail_id}@creavio.invalid>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(letter.body)
    return made


def _address(recipient: str) -> Address:
    """The address as a header has it: what is named, letter by letter. Raises `NoAddressError`."""
    # Of anything else the library writes what it does not read: it folds the quotes away of a
    # long "a, b"@example.org, and there are two.
    if len(recipient) > _LONGEST or not _PLAIN.fullmatch(recipient):
        raise NoAddressError
    try:
        read = Address(addr_spec=recipient)
    except Exception as error:
        # Over what is none the parser stumbles in many ways, UnboundLocalError among them.
        raise NoAddressError from error
    if read.addr_spec != recipient:
        raise NoAddressError
    return read
