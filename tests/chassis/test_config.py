"""A wrong value is one clear line that names the variable."""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys

import pytest

from chassis.config import ConfigError, load

GOOD = {
    "CREAVIO_SERVICE": "chat",
    "CREAVIO_LISTEN": "127.0.0.1:0",
    "CREAVIO_EGRESS": "127.0.0.1:1",
    "CREAVIO_NATS_URL": "nats://127.0.0.1:1",
    "CREAVIO_NATS_USER": "chat",
    "CREAVIO_NATS_PASSWORD": "the-bus-password",
    "CREAVIO_TOKEN_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("METRICS_PORT", "DATABASE_URL", "LOG_LEVEL", "OTLP_ENDPOINT"):
        monkeypatch.delenv(f"CREAVIO_{name}", raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_good_values_are_taken() -> None:
    config = load()
    assert (config.service, config.log_level, config.database_url) == ("chat", "info", None)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_missing_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(ConfigError) as raised:
        load()
    assert str(raised.value).startswith(f"{name}: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CREAVIO_METRICS_PORT", "many"),
        ("CREAVIO_METRICS_PORT", "70000"),
        ("CREAVIO_LOG_LEVEL", "loud"),
        ("CREAVIO_TOKEN_KEY", "short"),
    ],
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as raised:
        load()
    assert str(raised.value).startswith(f"{name}: ")
    assert "\n" not in str(raised.value)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "service.env"
    file.write_bytes(b"CREAVIO_LOG_LEVEL=\xff\n")
    with pytest.raises(ConfigError) as raised:
        load(file)
    assert str(raised.value) == f"{file}: is no UTF-8"


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    config = load()
    assert "the-bus-password" not in repr(config)
    assert GOOD["CREAVIO_TOKEN_KEY"] not in repr(config)
    monkeypatch.setenv("CREAVIO_TOKEN_KEY", "a-short-secret")
    with pytest.raises(ConfigError) as raised:
        load()
    assert "a-short-secret" not in str(raised.value)


def test_a_file_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in GOOD:
        monkeypatch.delenv(name)
    file = tmp_path / "service.env"
    file.write_text("".join(f'{name}="{value}"\n' for name, value in GOOD.items()))
    assert load(file).nats_password.get_secret_value() == "the-bus-password"


def test_a_service_that_cannot_start_says_why_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "service.env"
    file.write_text("CREAVIO_METRICS_PORT=many\n")
    started = subprocess.run(  # our own interpreter
        [sys.executable, "-m", "chassis.run", "--env-file", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 1
    assert started.stderr.splitlines() == [started.stderr.strip()]
    assert "CREAVIO_METRICS_PORT: " in started.stderr
