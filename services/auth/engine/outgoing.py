"""Where mail leaves: the port, and the two ways out there are."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from email.message import EmailMessage
import os
from pathlib import Path
import smtplib
import ssl
from typing import Final, Protocol

from services.auth.engine.settings import Settings, SmtpSettings

_TIMEOUT: Final = 15.0
"""Seconds a mail server may take for each thing it is told."""


class RefusedError(Exception):
    """The mail will never be taken; the message says why, without the address."""


class NotNowError(Exception):
    """The mail was not taken now; it may be later."""


class Outgoing(Protocol):
    """Takes mail out of here."""

    async def send(self, name: str, message: EmailMessage) -> None:
        """Hand over one mail, under a name of its own; the same name is the same mail.

        Raises `RefusedError` when it never will be taken, `NotNowError` when it was not now.
        """


class MailFolder:
    """Writes mail into a folder, one file each, for somebody who runs this by themselves."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, name: str, message: EmailMessage) -> None:
        """Write the file, whole or not at all."""
        try:
            await asyncio.to_thread(self._write, name, message.as_bytes())
        except OSError as error:
            raise NotNowError(error.strerror) from error

    def _write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._folder / f".{name}.new"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        draft.replace(self._folder / f"{name}.eml")


class Smtp:
    """Hands mail to a server (RFC 5321), over TLS unless told otherwise."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings

    async def send(self, name: str, message: EmailMessage) -> None:
        """Hand it over, and return once the server has taken it."""
        try:
            await asyncio.to_thread(self._submit, message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = {code for code, _ in error.recipients.values()}
            raise _failure(max(codes, default=0)) from None
        except smtplib.SMTPAuthenticationError as error:
            # Our own mistake, not the mail's: it waits until it is mended.
            raise NotNowError(f"the mail server answered {error.smtp_code}") from None
        except smtplib.SMTPResponseException as error:
            raise _failure(error.smtp_code) from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            # What a server asks that cannot be read, smtplib leaves to what reads it.
            raise NotNowError(type(error).__name__) from None

    def _submit(self, message: EmailMessage) -> None:
        settings = self._settings
        if settings.security == "tls":
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=_TIMEOUT, context=ssl.create_default_context()
            )
        else:
            client = smtplib.SMTP(settings.host, settings.port, timeout=_TIMEOUT)
        try:
            if settings.security == "starttls":
                _secure(client)
            if settings.user is not None and settings.password is not None:
                client.login(settings.user, settings.password.get_secret_value())
            client.send_message(message)
            # What is taken is taken, whatever is said at parting.
            with suppress(OSError, smtplib.SMTPException):
                client.quit()
        finally:
            client.close()


def outgoing(settings: Settings) -> Outgoing | None:
    """The way out that is configured: a server if there is one; None while there is no way."""
    smtp = settings.smtp
    if smtp is not None:
        return Smtp(smtp)
    return None if settings.mail_folder is None else MailFolder(settings.mail_folder)


def _secure(client: smtplib.SMTP) -> None:
    """Go on over TLS, or not at all. Raises `NotNowError` when the server will not."""
    try:
        client.starttls(context=ssl.create_default_context())
    except smtplib.SMTPResponseException as error:
        # Whatever it says: it is not the mail that was refused.
        raise NotNowError(f"the mail server answered {error.smtp_code} to STARTTLS") from None


def _failure(code: int) -> Exception:
    kind = RefusedError if code >= 500 else NotNowError
    return kind(f"the mail server answered {code}")
