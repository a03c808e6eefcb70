"""Where everything listens: what the rendering needs to know besides the contracts.

The catalog and the contracts say what runs and what is promised; a `Topology`
says where it runs this time. It is written as JSON by whoever starts Envoy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

T = TypeVar("T")

MAX_SOCKET_PATH = 107
"""The longest path a Unix socket may have on Linux, in bytes."""


class TopologyError(Exception):
    """The topology cannot be used; the message is one line that names the value."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A budget that refills evenly: at most `requests` at once, and as many per `seconds`."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    requests: Annotated[int, Field(ge=1, le=2**31)]
    seconds: Annotated[int, Field(ge=1, le=86_400)] = 60

    @property
    def retry_after(self) -> int:
        """After how many seconds, rounded up, an empty budget admits one more call."""
        return max(1, -(-self.seconds // self.requests))


@dataclass(frozen=True, slots=True)
class Budget:
    """What one class of calls may cost: per source address, and per signed-in person."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    source: Limit
    person: Limit


@dataclass(frozen=True, slots=True)
class Limits:
    """The budgets, by the contract's rate limit class.

    A household or an office shares a source address, so a source is given
    several times what a person is.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    read: Budget = Budget(source=Limit(3000), person=Limit(1200))
    write: Budget = Budget(source=Limit(1200), person=Limit(300))
    sensitive: Budget = Budget(source=Limit(60), person=Limit(30))
    stream: Budget = Budget(source=Limit(300), person=Limit(60))


@dataclass(frozen=True, slots=True)
class Topology:
    """One Envoy: its addresses, what stands behind it, and what it is told besides.

    An endpoint is `unix:/path` or `host:port`. Socket paths are absolute and
    short enough for the kernel.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    upstreams: dict[str, tuple[str, ...]]
    """The endpoints of each service, by its name in the catalog."""
    egress: dict[str, str]
    """The socket each service calls the others through, by its name."""
    admin: str
    """The socket of Envoy's admin interface."""
    keys: str
    """The socket where Envoy fetches the keys of access tokens from itself."""
    health: str
    """The supervisor's health socket: HTTP, `GET /healthz`."""
    public: str = "127.0.0.1:8080"
    """Where the edge listens."""
    limits: Limits = field(default_factory=Limits)
    origins: tuple[str, ...] = ()
    """The web origins, besides the edge's own, that may call it from a browser."""
    reference: str | None = None
    """The folder with `openapi/creavio.openapi.yaml` and `reference/index.html`."""
    web: str | None = None
    """The folder of the built web app; it may be missing."""
    access_log: str | None = None
    """The file of the access log; standard output when absent."""
    issuer: str = "creavio"
    """Who access tokens are from."""
    audience: str = "creavio"
    """Whom access tokens are for."""

    def __post_init__(self) -> None:
        """Refuse what could not be listened on; raises `TopologyError`."""
        sockets = [self.admin, self.keys, self.health, *self.egress.values()]
        sockets += [
            endpoint.removeprefix("unix:")
            for endpoints in self.upstreams.values()
            for endpoint in endpoints
            if endpoint.startswith("unix:")
        ]
        for path in sockets:
            if not path.startswith("/"):
                raise TopologyError(f"{path}: not an absolute path")
            if len(path.encode()) > MAX_SOCKET_PATH:
                raise TopologyError(f"{path}: longer than {MAX_SOCKET_PATH} bytes")
        for service, endpoints in self.upstreams.items():
            if not endpoints:
                raise TopologyError(f"upstreams.{service}: no endpoint")


_ADAPTER = TypeAdapter(Topology)
_LIMITS = TypeAdapter(Limits)


def load_limits(path: Path | None) -> Limits:
    """Read other budgets than the usual ones; those without a file.

    Raises `TopologyError` for a file that is missing or malformed.
    """
    return Limits() if path is None else _read(path, _LIMITS)


def load(path: Path) -> Topology:
    """Read a topology.

    Raises `TopologyError` for a file that is missing, malformed, or names
    something a topology does not have.
    """
    return _read(path, _ADAPTER)


def _read(path: Path, adapter: TypeAdapter[T]) -> T:
    try:
        return adapter.validate_json(path.read_bytes())
    except OSError as error:
        raise TopologyError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        # A name that should not be there is anything.
        place = "".join(letter if letter.isprintable() else "?" for letter in place)
        raise TopologyError(f"{path.name}: {place}: {first['msg']}") from error


def dump(topology: Topology) -> str:
    """The JSON that `load` reads back to an equal topology."""
    return _ADAPTER.dump_json(topology, indent=2).decode()
