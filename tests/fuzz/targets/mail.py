"""Mail that leaves: the addresses people give for it, and what the server of it says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from email import message_from_bytes, policy
import io
import smtplib
from typing import Any, Final
from unittest.mock import patch
from uuid import UUID

from pydantic import SecretStr

from services.auth.engine.letters import Letters, NoAddressError, message
from services.auth.engine.outgoing import NotNowError, RefusedError, Smtp
from services.auth.engine.settings import SmtpSettings
from tests.fuzz.targets.reading import Input, at_once, text

_LETTER: Final = Letters("https://talk.example.org").verify("ada", "a-token")
_SENDER: Final = "Creavio <no-reply@talk.example.org>"
_HEADERS: Final = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
    *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
}


def letter(data: bytes) -> None:
    """Mail goes to the one address it is for and says nothing else, or NoAddressError."""
    recipient = text(data)
    try:
        made = message(UUID(int=1), _SENDER, recipient, _LETTER)
    except NoAddressError:
        return
    read = message_from_bytes(made.as_bytes(), policy=policy.SMTP)
    assert set(read.keys()) == _HEADERS, read.keys()
    assert len(read.keys()) == len(_HEADERS), read.keys()
    found: Any = read["To"]
    assert [each.addr_spec for each in found.addresses] == [made["To"].addresses[0].addr_spec]
    assert read.get_content().splitlines() == _LETTER.body.splitlines()


class _Server:
    """A mail server that has said everything already."""

    def __init__(self, said: bytes) -> None:
        self._said = said

    def makefile(self, _: str) -> io.BytesIO:
        return io.BytesIO(self._said)

    def sendall(self, _: bytes) -> None:
        pass

    def close(self) -> None:
        pass


_MAIL: Final = message(UUID(int=1), _SENDER, "ada@example.org", _LETTER)


async def _here(do: Callable[..., None], *arguments: Any) -> None:
    do(*arguments)


def smtp_answer(data: bytes) -> None:
    """Whatever a mail server says, mail was taken, is refused, or is not taken now."""
    told = Input(data)
    known = ("ada", SecretStr("a password")) if told.byte() % 2 else (None, None)
    server = _Server(told.rest())
    way = Smtp(SmtpSettings("mail.example.org", 25, "none", *known))
    with (
        patch.object(smtplib.SMTP, "_get_socket", lambda *_: server),
        patch.object(asyncio, "to_thread", _here),
    ):
        try:
            at_once(way.send("a name", _MAIL))
        except (NotNowError, RefusedError) as error:
            refused = error
        else:
            return
    assert str(refused)
    assert "\n" not in str(refused)
    assert "ada" not in str(refused)
