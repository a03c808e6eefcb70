"""Mail leaves through a folder, or through a server that speaks SMTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from pydantic import SecretStr
import pytest

from chassis import ids
from chassis.config import ConfigError
from services.auth.engine import settings
from services.auth.engine.letters import Letter, message
from services.auth.engine.outgoing import MailFolder, NotNowError, RefusedError, Smtp, outgoing
from services.auth.engine.settings import Security, SmtpSettings


@dataclass
class Server:
    """A mail server that answers as it is told to."""

    answers: dict[str, str] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    content: bytes = b""
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        while line := await reader.readline():
            said = line.decode().strip()
            self.heard.append(said)
            verb = said.split(":")[0].split(" ")[0].upper()
            answer = self.answers.get(verb, "354 go on" if verb == "DATA" else "250 well")
            writer.write(f"{answer}\r\n".encode())
            if answer.startswith("354"):
                self.content = (await reader.readuntil(b"\r\n.\r\n"))[:-5]
                writer.write(f"{self.answers.get('.', '250 taken')}\r\n".encode())
            if verb == "QUIT":
                break
        writer.close()

    def smtp(self, security: Security = "none", user: str | None = None) -> Smtp:
        """The way to it."""
        password = None if user is None else SecretStr("the password of mail")
        return Smtp(SmtpSettings("127.0.0.1", self.port, security, user, password))


@asynccontextmanager
async def serving(**answers: str) -> AsyncIterator[Server]:
    server = Server({("." if verb == "END" else verb): said for verb, said in answers.items()})
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


@pytest.fixture
def mail() -> EmailMessage:
    letter = Letter("Grüße", "Ein Wörtchen.\n.\nNoch eins.\n")
    return message(ids.new(), "Creavio <no-reply@example.org>", "ada@example.org", letter)


async def test_a_folder_holds_each_mail_once_for_its_owner_alone(
    tmp_path: Path, mail: EmailMessage
) -> None:
    folder = MailFolder(tmp_path / "mail")
    for _ in range(2):
        await folder.send("one", mail)
    (file,) = (tmp_path / "mail").iterdir()
    assert file.name == "one.eml"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    read = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert (read["To"], read["Subject"]) == ("ada@example.org", "Grüße")
    assert "Wörtchen" in read.get_content()


async def test_a_folder_that_cannot_be_written_is_tried_again(
    tmp_path: Path, mail: EmailMessage
) -> None:
    (tmp_path / "mail").write_text("in the way")
    with pytest.raises(NotNowError):
        await MailFolder(tmp_path / "mail").send("one", mail)


async def test_a_server_gets_the_mail_whole(mail: EmailMessage) -> None:
    async with serving() as server:
        await server.smtp().send("one", mail)
    assert "rcpt TO:<ada@example.org>" in server.heard
    assert "mail FROM:<no-reply@example.org>" in [one.split(" size")[0] for one in server.heard]
    read = message_from_bytes(server.content.replace(b"\r\n..", b"\r\n."), policy=policy.default)
    assert read["Subject"] == "Grüße"
    assert read.get_content().splitlines() == ["Ein Wörtchen.", ".", "Noch eins."]


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "END"])
async def test_what_a_server_says_is_believed(mail: EmailMessage, verb: str) -> None:
    async with serving(**{verb: "550 ada@example.org is nobody"}) as server:
        with pytest.raises(RefusedError) as refused:
            await server.smtp().send("one", mail)
    async with serving(**{verb: "451 later"}) as server:
        with pytest.raises(NotNowError):
            await server.smtp().send("one", mail)
    # Servers name whom they refuse; logs do not.
    assert str(refused.value) == "the mail server answered 550"


async def test_what_a_server_took_is_sent_whatever_it_says_at_parting(mail: EmailMessage) -> None:
    for said in ("221 bye", "421 leave me alone", "gibberish"):
        async with serving(QUIT=said) as server:
            await server.smtp().send("one", mail)
        assert server.content


async def test_a_server_that_is_away_is_tried_again(mail: EmailMessage) -> None:
    async with serving() as server:
        pass
    with pytest.raises(NotNowError):
        await server.smtp().send("one", mail)


async def test_nothing_is_said_in_clear_to_a_server_without_tls(mail: EmailMessage) -> None:
    for security in ("starttls", "tls"):
        async with serving() as server:
            with pytest.raises(NotNowError):
                await server.smtp(security, user="creavio").send("one", mail)
        said = "\n".join(server.heard).lower()
        assert "auth" not in said
        assert "ada@example.org" not in said


def test_a_server_comes_before_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "service.env"
    file.write_text(f'CREAVIO_MAIL_FOLDER="{tmp_path}"\nCREAVIO_SERVICE="auth"\n')
    monkeypatch.setenv("CREAVIO_ENV_FILE", str(file))
    assert isinstance(outgoing(settings.load()), MailFolder)
    monkeypatch.setenv("CREAVIO_SMTP_HOST", "mail.example.org")
    assert isinstance(outgoing(settings.load()), Smtp)
    monkeypatch.delenv("CREAVIO_SMTP_HOST")
    file.write_text("")
    assert outgoing(settings.load()) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_SECURITY", "sometimes"),
        ("SMTP_PORT", "0"),
        ("MAIL_FROM", "x\r\nBcc: eve@example.org"),
        ("PUBLIC_URL", "javascript:alert(1)"),
        ("PUBLIC_URL", "https://talk.example.org/"),
        ("SMTP_USER", "without a password"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"CREAVIO_{name}", value)
    with pytest.raises(ConfigError, match=name):
        settings.load()


def test_a_password_is_never_sent_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"USER": "creavio", "PASSWORD": "x", "SECURITY": "none"}.items():
        monkeypatch.setenv(f"CREAVIO_SMTP_{name}", value)
    with pytest.raises(ConfigError, match="over TLS only"):
        settings.load()
