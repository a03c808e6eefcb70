"""What auth alone is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.config import read
from services.auth.engine.providers import ProviderSettings

Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """A server that takes mail, and how it is spoken to."""

    host: str
    port: int
    security: Security
    user: str | None = None
    password: SecretStr | None = None


class Settings(BaseSettings):
    """The settings of auth, from `CREAVIO_*` as `chassis.config` has them."""

    model_config = SettingsConfigDict(env_prefix="CREAVIO_", extra="ignore", frozen=True)

    public_url: str = Field(
        default="http://localhost:8080", pattern="^https?://[^\\s#?]+[^/\\s#?]$"
    )
    """Where people open the platform; links in mail lead there."""
    mail_from: str = Field(default="Creavio <no-reply@localhost>", pattern="^[^\\r\\n]+$")
    """Who mail is from (RFC 5322)."""
    mail_folder: Path | None = None
    """Where mail is written when there is no server for it."""
    oidc_providers: tuple[ProviderSettings, ...] = Field(default=(), max_length=20)
    """Where people may sign in with another account: a list, as JSON."""
    smtp_host: str | None = None
    """The server that takes mail; without one, and without a folder, mail waits for a day."""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Security = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("CREAVIO_SMTP_USER and CREAVIO_SMTP_PASSWORD come together")
        if self.smtp_user is not None and self.smtp_security == "none":
            raise ValueError("CREAVIO_SMTP_SECURITY: a password is sent over TLS only")
        return self

    @property
    def smtp(self) -> SmtpSettings | None:
        """The mail server, if there is one."""
        if self.smtp_host is None:
            return None
        return SmtpSettings(
            self.smtp_host,
            self.smtp_port,
            self.smtp_security,
            self.smtp_user,
            self.smtp_password,
        )


def load(env_file: Path | None = None) -> Settings:
    """Read the settings from the file the service's configuration stands in.

    Raises `ConfigError` with the name of the first value that is wrong.
    """
    return read(Settings, env_file)
