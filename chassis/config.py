"""What a service is told when it starts: addresses, secrets, names.

Values come from `CREAVIO_*` in the environment, or from an env file that only
the service's user can read. They are read once, checked, and handed down; no
module keeps them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

S = TypeVar("S", bound=BaseSettings)


class ConfigError(Exception):
    """A value is missing or wrong; the message is one line that names it."""


class Config(BaseSettings):
    """The configuration of one service."""

    model_config = SettingsConfigDict(env_prefix="CREAVIO_", extra="ignore", frozen=True)

    service: str
    """The service's name in the catalog."""
    listen: str
    """The gRPC address to serve on: `unix:/…` or `host:port`."""
    egress: str
    """The gRPC address of the mesh: every call to another service goes there."""
    nats_url: str
    nats_user: str
    nats_password: SecretStr
    database_url: SecretStr | None = None
    """SQLAlchemy's URL; absent for a service that keeps nothing."""
    database_connections: int | None = Field(default=None, ge=2, le=50)
    """How many connections its pool may hold, where it is not the catalog's number."""
    jwt_issuer: str = "creavio"
    jwt_audience: str = "creavio"
    token_key: SecretStr = Field(min_length=32)
    """Signs what is handed out and must come back unchanged: page and resume
    tokens. At least 32 random bytes, base64."""
    signing_key_file: Path | None = None
    """The private key of access tokens (PEM); only auth has one."""
    erased_file: Path | None = None
    """Where it is written who was erased, outside of what a restore replaces; only user
    has one. Without it a restore brings those back who were erased after the backup."""
    requests_per_second: float = Field(default=50.0, gt=0)
    """What one person may send over streams that both sides speak on."""
    claim_code: SecretStr | None = None
    """Makes whoever shows it the first administrator; only rbac has one."""
    log_file: Path | None = None
    """Where the log goes; standard output when absent."""
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
    otlp_endpoint: str | None = None
    """Where traces are sent (OTLP over gRPC); none are when absent."""
    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """A loopback port for Prometheus; no metrics are served when absent."""
    ready_socket: str | None = None
    """A datagram socket that is told `READY=1` once the service answers."""
    env_file: Path | None = None
    """The file this was read from: what one service alone is told stands there, too."""


def load(env_file: Path | None = None) -> Config:
    """Read the configuration.

    Raises `ConfigError` with the name of the first value that is missing or wrong.
    """
    return read(Config, env_file).model_copy(update={"env_file": env_file})


def read(settings: type[S], env_file: Path | None) -> S:
    """Read settings from an env file and the environment, which comes first.

    Raises `ConfigError` with the name of the first value that is missing or wrong.
    """
    try:
        return settings(_env_file=env_file)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = "_".join(str(part) for part in first["loc"]).upper()
        name = f"CREAVIO_{place}: " if place else ""
        raise ConfigError(f"{name}{first['msg']}") from None
    except SettingsError as error:
        # It names the field between quotes, and the value nowhere.
        _, field, *_ = str(error).split('"')
        raise ConfigError(f"CREAVIO_{field.upper()}: is no JSON") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{env_file}: is no UTF-8") from None
