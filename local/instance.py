"""One instance of a service, as the supervisor sees it: its settings, its sockets, its word.

Which process it lives in is not its business: see `local.service` and `local.host_part`.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
import socket

from chassis.catalog import ServiceEntry
from local.credentials import Credentials, write_secret
from local.home import Home, Instance
from local.keeper import StartError
from local.postgres import database_url

_READY = b"READY=1"
_HANDED_DOWN = ("CREAVIO_LOG_LEVEL", "CREAVIO_OTLP_ENDPOINT", "CREAVIO_REQUESTS_PER_SECOND")
"""What whoever starts the platform may set for every service."""
_MAIL = (
    "CREAVIO_MAIL_FROM",
    "CREAVIO_OIDC_PROVIDERS",
    "CREAVIO_PUBLIC_URL",
    "CREAVIO_SMTP_HOST",
    "CREAVIO_SMTP_PASSWORD",
    "CREAVIO_SMTP_PORT",
    "CREAVIO_SMTP_SECURITY",
    "CREAVIO_SMTP_USER",
)
"""What they may set for the service that sends mail."""


class ServiceInstance:
    """One instance of a service."""

    def __init__(
        self,
        home: Home,
        instance: Instance,
        entry: ServiceEntry,
        credentials: Credentials,
        nats_url: str,
        public_url: str,
        metrics_port: int | None = None,
    ) -> None:
        self._metrics_port = metrics_port
        self.answers = False
        """Whether it said so since it was prepared last."""
        self._public_url = public_url
        self._home = home
        self._instance = instance
        self._entry = entry
        self._credentials = credentials
        self._nats_url = nats_url
        self._ready: socket.socket | None = None

    @property
    def name(self) -> str:
        """The instance's name."""
        return self._instance.name

    @property
    def service(self) -> str:
        """The service's name in the catalog."""
        return self._instance.service

    @property
    def endpoint(self) -> str:
        """The socket it serves on, as the mesh names it."""
        return str(self._home.listen(self._instance))

    @property
    def log(self) -> Path:
        """Where it writes."""
        return self._home.log(self.name)

    def prepare(self) -> Path:
        """Make all that its start needs; the file that `chassis.config` reads.

        Raises `StartError`.
        """
        env_file = self.write_configuration()
        self._home.listen(self._instance).unlink(missing_ok=True)
        self._bind()
        return env_file

    async def answered(self) -> None:
        """Return once it says that it answers."""
        assert self._ready is not None
        while await asyncio.get_running_loop().sock_recv(self._ready, 64) != _READY:
            pass
        self.answers = True

    def close(self) -> None:
        """Listen for its word no more."""
        self.answers = False
        if self._ready:
            self._ready.close()
            self._ready = None

    def write_configuration(self) -> Path:
        """Write what `chassis.config` reads."""
        service, credentials, home = self._instance.service, self._credentials, self._home
        home.service(service).mkdir(mode=0o700, exist_ok=True)
        values = {
            "CREAVIO_SERVICE": service,
            "CREAVIO_LISTEN": f"unix:{home.listen(self._instance)}",
            "CREAVIO_EGRESS": f"unix:{home.egress(service)}",
            "CREAVIO_NATS_URL": self._nats_url,
            "CREAVIO_NATS_USER": service,
            "CREAVIO_NATS_PASSWORD": credentials.password(f"nats_{service}"),
            "CREAVIO_TOKEN_KEY": credentials.key(service),
            "CREAVIO_READY_SOCKET": str(home.ready(self._instance)),
            "CREAVIO_LOG_FILE": str(self.log),
        }
        if self._metrics_port is not None:
            values["CREAVIO_METRICS_PORT"] = str(self._metrics_port)
        if self._entry.database:
            values["CREAVIO_DATABASE_URL"] = database_url(home, credentials, service)
            values["CREAVIO_DATABASE_CONNECTIONS"] = str(self._entry.database.connections)
        for name in self._entry.secrets:
            if name == "signing_key":
                file = credentials.signing_key(f"{service}_{name}")
                values["CREAVIO_SIGNING_KEY_FILE"] = str(file)
            else:
                values[f"CREAVIO_{name.upper()}"] = credentials.password(name)
        names: tuple[str, ...] = _HANDED_DOWN
        if service == "auth":
            values["CREAVIO_MAIL_FOLDER"] = str(home.mail)
            values["CREAVIO_PUBLIC_URL"] = self._public_url
            names += _MAIL
        if service == "user":
            values["CREAVIO_ERASED_FILE"] = str(home.erased)
        values |= {name: os.environ[name] for name in names if name in os.environ}
        lines = (f"{name}={json.dumps(value)}" for name, value in values.items())
        path = home.env_file(self._instance)
        write_secret(path, "\n".join((*lines, "")).encode())
        return path

    def _bind(self) -> None:
        self.close()
        path = self._home.ready(self._instance)
        path.unlink(missing_ok=True)
        self._ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ready.setblocking(False)
        try:
            self._ready.bind(str(path))
        except OSError as error:
            raise StartError(f"{path}: {error.strerror}") from error
