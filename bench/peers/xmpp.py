"""As little of XMPP as a person needs who talks in a room (RFC 6120, XEP-0045, XEP-0077).

Whoever generates the load shares the machine with what is measured, so stanzas are found by
their ends and not parsed: nothing that is said here contains an angle bracket.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Final, Self

_STREAM: Final = (
    "<?xml version='1.0'?><stream:stream to='{host}' version='1.0' xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams'>"
)
_REGISTER: Final = (
    "<iq type='set' id='r'><query xmlns='jabber:iq:register'>"
    "<username>{name}</username><password>{password}</password></query></iq>"
)
_AUTH: Final = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{proof}</auth>"
_BIND: Final = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
_JOIN: Final = (
    "<presence to='{room}/{name}'><x xmlns='http://jabber.org/protocol/muc'>"
    "<history maxstanzas='0'/></x></presence>"
)
_SAY: Final = "<message to='{room}' type='groupchat' id='{id}'><body>{text}</body></message>"
_END: Final = b"</message>"
_LIMIT: Final = 2**20


class Person:
    """Somebody connected, who hears a room and says one thing after another there."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, name: str
    ) -> None:
        self.told = 0
        self._reader = reader
        self._writer = writer
        self._host = host
        self._name = name
        self._room = ""
        self._number = 0
        self._expected = b""
        self._reflected: asyncio.Future[None] | None = None

    @classmethod
    async def connected(cls, port: int, host: str, name: str) -> Self:
        """Open a stream; nobody is signed in yet."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_LIMIT)
        person = cls(reader, writer, host, name)
        await person._begin()
        return person

    async def register(self, password: str) -> None:
        """Make the account."""
        self._write(_REGISTER.format(name=self._name, password=password))
        await self._confirmed(b"result")

    async def sign_in(self, password: str) -> None:
        """Prove who it is, and be there."""
        proof = b64encode(f"\0{self._name}\0{password}".encode()).decode()
        self._write(_AUTH.format(proof=proof))
        await self._confirmed(b"<success")
        await self._begin()
        self._write(_BIND)
        await self._reader.readuntil(b"</iq>")
        self._write("<presence/>")

    async def join(self, room: str) -> None:
        """Enter a room; it is entered once it told its subject."""
        self._room = room
        self._write(_JOIN.format(room=room, name=self._name))
        await self._reader.readuntil(_END)

    async def listen(self) -> None:
        """Count what is said in the room until cancelled, one's own words too."""
        while True:
            stanza = await self._reader.readuntil(_END)
            if b"<body" not in stanza:
                continue
            self.told += 1
            if self._reflected is not None and self._expected in stanza:
                self._reflected.set_result(None)
                self._reflected = None

    async def say(self, text: str) -> None:
        """Return when the room has told it back, as it does once the archive took it."""
        self._number += 1
        said = f"{self._name}-{self._number}"
        self._expected = f"id='{said}'".encode()
        self._reflected = reflected = asyncio.get_running_loop().create_future()
        self._write(_SAY.format(room=self._room, id=said, text=text))
        await reflected

    async def close(self) -> None:
        """Say goodbye."""
        self._write("</stream:stream>")
        self._writer.close()
        await self._writer.wait_closed()

    async def _begin(self) -> None:
        self._write(_STREAM.format(host=self._host))
        await self._reader.readuntil(b"</stream:features>")

    async def _confirmed(self, by: bytes) -> None:
        answer = await self._reader.readuntil(b">")
        if by not in answer:
            raise RuntimeError(f"the server answered {answer.decode()}")

    def _write(self, stanza: str) -> None:
        self._writer.write(stanza.encode())
