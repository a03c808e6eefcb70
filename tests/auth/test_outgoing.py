"""Mail leaves through a folder, or through a server that speaks SMTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
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
    tls: ssl.SSLContext | None = None
    """What it goes on with after STARTTLS."""
    in_clear: int = 0
    """How much of what it heard came in clear."""

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
            if verb == "STARTTLS" and answer.startswith("220") and self.tls is not None:
                self.in_clear = len(self.heard)
                try:
                    await writer.start_tls(self.tls)
                except (ssl.SSLError, ConnectionError):
                    break  # The client does not trust it.
            if verb == "QUIT":
                break
        writer.close()

    def smtp(self, security: Security = "none", user: str | None = None) -> Smtp:
        """The way to it."""
        password = None if user is None else SecretStr("the password of mail")
        return Smtp(SmtpSettings("127.0.0.1", self.port, security, user, password))


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None, /, **answers: str) -> AsyncIterator[Server]:
    server = Server({("." if verb == "END" else verb): said for verb, said in answers.items()})
    server.tls = tls
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


@pytest.mark.parametrize("challenge", ["334 a", "334 é", "gibberish"])
async def test_a_server_that_asks_what_cannot_be_read_is_tried_again(
    mail: EmailMessage, challenge: str
) -> None:
    greeting = "250-well\r\n250 AUTH CRAM-MD5"
    async with serving(EHLO=greeting, AUTH=challenge, QUIT="221 bye") as server:
        with pytest.raises(NotNowError):
            await server.smtp(user="ada").send("one", mail)
    assert not server.content


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


@dataclass
class Authority:
    """Somebody who signs certificates, whom clients may trust."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    name: x509.Name = field(
        default_factory=lambda: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    )

    @property
    def file(self) -> Path:
        """Its own certificate."""
        path = self.folder / "authority.pem"
        path.write_bytes(self._signed(self.name, self.key, authority=True))
        return path

    def context(self, names: str = "127.0.0.1", days: tuple[int, int] = (-1, 1)) -> ssl.SSLContext:
        """What a server of this address shows, from so many days on until so many later."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
        file = self.folder / "server.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + self._signed(subject, key, names, days)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        names: str = "127.0.0.1",
        days: tuple[int, int] = (-1, 1),
        *,
        authority: bool = False,
    ) -> bytes:
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=days[0]))
            .not_valid_after(now + timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address(names))]), critical=False
            )
            .sign(self.key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


OFFERED = "250-mail\r\n250-AUTH PLAIN\r\n250 STARTTLS"


async def test_with_a_server_that_is_trusted_all_goes_over_tls(
    mail: EmailMessage, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    said = {"EHLO": OFFERED, "STARTTLS": "220 go on", "AUTH": "235 well"}
    async with serving(authority.context(), **said) as server:
        await server.smtp("starttls", user="creavio").send("one", mail)
    assert [one.split(" ")[0].upper() for one in server.heard[: server.in_clear]] == [
        "EHLO",
        "STARTTLS",
    ]
    verbs = [one.split(" ")[0].upper() for one in server.heard[server.in_clear :]]
    assert verbs == ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
    read = message_from_bytes(server.content.replace(b"\r\n..", b"\r\n."), policy=policy.default)
    assert read["Subject"] == "Grüße"


async def test_over_tls_from_the_first_word(
    mail: EmailMessage, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    server = Server({"EHLO": "250-mail\r\n250 AUTH PLAIN", "AUTH": "235 well"})
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=authority.context())
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        await server.smtp("tls", user="creavio").send("one", mail)
    assert server.content


@pytest.mark.parametrize(
    ("trusted", "names", "days"),
    [
        (False, "127.0.0.1", (-1, 1)),
        (True, "192.0.2.1", (-1, 1)),
        (True, "127.0.0.1", (-2, -1)),
        (True, "127.0.0.1", (1, 2)),
    ],
    ids=["of nobody known", "of another", "of before", "of later"],
)
async def test_a_server_that_is_not_trusted_hears_nothing(
    mail: EmailMessage,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    trusted: bool,
    names: str,
    days: tuple[int, int],
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    said = {"EHLO": OFFERED, "STARTTLS": "220 go on", "AUTH": "235 well"}
    async with serving(authority.context(names, days), **said) as server:
        with pytest.raises(NotNowError):
            await server.smtp("starttls", user="creavio").send("one", mail)
    assert [one.split(" ")[0].upper() for one in server.heard] == ["EHLO", "STARTTLS"]
    assert not server.content


@pytest.mark.parametrize(
    ("offered", "answer"),
    [("250 mail", "220 go on"), (OFFERED, "454 not now"), (OFFERED, "502 never")],
    ids=["does not offer it", "cannot just now", "will not"],
)
async def test_without_tls_the_mail_waits_and_is_not_given_up(
    mail: EmailMessage, offered: str, answer: str
) -> None:
    async with serving(EHLO=offered, STARTTLS=answer, AUTH="235 well") as server:
        with pytest.raises(NotNowError):
            await server.smtp("starttls", user="creavio").send("one", mail)
    assert {one.split(" ")[0].upper() for one in server.heard} <= {"EHLO", "STARTTLS"}
    assert not server.content


def test_a_server_comes_before_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "service.env"
    file.write_text(f'CREAVIO_MAIL_FOLDER="{tmp_path}"\nCREAVIO_SERVICE="auth"\n')
    assert isinstance(outgoing(settings.load(file)), MailFolder)
    monkeypatch.setenv("CREAVIO_SMTP_HOST", "mail.example.org")
    assert isinstance(outgoing(settings.load(file)), Smtp)
    monkeypatch.delenv("CREAVIO_SMTP_HOST")
    file.write_text("")
    assert outgoing(settings.load(file)) is None


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


def test_a_list_that_is_none_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREAVIO_OIDC_PROVIDERS", '[{"client_secret": "a-secret"')
    with pytest.raises(ConfigError) as refused:
        settings.load()
    assert str(refused.value) == "CREAVIO_OIDC_PROVIDERS: is no JSON"


def test_a_password_is_never_sent_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"USER": "creavio", "PASSWORD": "x", "SECURITY": "none"}.items():
        monkeypatch.setenv(f"CREAVIO_SMTP_{name}", value)
    with pytest.raises(ConfigError, match="over TLS only"):
        settings.load()
