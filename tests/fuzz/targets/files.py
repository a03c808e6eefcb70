"""Files that people hand to `creavio` and its services: policies, backups, limits, settings."""

from __future__ import annotations

import atexit
from datetime import UTC, datetime
from hashlib import sha256
import io
from pathlib import Path
import tempfile
from typing import Final

from chassis import config
from chassis.config import Config, ConfigError
from local import policy_file as policies
from local.backup import archive, manifest
from local.backup.manifest import BackupError
from local.policy_file import PolicyFileError
from mesh import topology
from mesh.topology import TopologyError
from services.auth.engine.settings import Settings
from tests.fuzz.targets.reading import Input

_FOLDER: Final = tempfile.TemporaryDirectory(prefix="cv-", dir="/tmp")
atexit.register(_FOLDER.cleanup)
_SECRET: Final = "5" * 40
_ENVIRONMENT: Final = f"""\
CREAVIO_SERVICE=auth
CREAVIO_LISTEN=unix:/run/auth
CREAVIO_EGRESS=unix:/run/egress
CREAVIO_NATS_URL=nats://127.0.0.1
CREAVIO_NATS_USER=auth
CREAVIO_NATS_PASSWORD={_SECRET}
CREAVIO_TOKEN_KEY={_SECRET}
""".encode()
_FILE: Final = Path(_FOLDER.name) / "a file"


def policy_file(data: bytes) -> None:
    """A policy file is decided, or PolicyFileError says in lines what is wrong with it."""
    _FILE.write_bytes(data)
    try:
        found = policies.load(_FILE)
    except PolicyFileError as refused:
        _in_lines(str(refused))
        return
    expected = sum(len(case.may) + len(case.may_not) for case in found.cases)
    assert len(policies.failures(found)) <= expected


def limits_file(data: bytes) -> None:
    """A file of rate limits gives budgets that Envoy takes, or TopologyError says why not."""
    _FILE.write_bytes(data)
    try:
        found = topology.load_limits(_FILE)
    except TopologyError as refused:
        _in_a_line(str(refused))
        return
    for budget in (found.read, found.write, found.sensitive, found.stream):
        for limit in (budget.source, budget.person):
            assert 0 < limit.requests <= 2**31
            assert 0 < limit.retry_after <= 86_400


def env_file(data: bytes) -> None:
    """What a service is told when it starts is read, or ConfigError names the value in a line."""
    _FILE.write_bytes(_ENVIRONMENT + data)
    for settings in (Config, Settings):
        try:
            config.read(settings, _FILE)
        except ConfigError as refused:
            said = str(refused)
        else:
            continue
        _in_a_line(said)
        assert _SECRET not in said


def _in_lines(said: str) -> None:
    assert all(line.startswith(f"{_FILE}: ") for line in said.split("\n")), said


def backup(data: bytes) -> None:
    """What a backup holds is what its manifest says, or BackupError says in one line why not."""
    told = Input(data)
    whole = told.rest() if told.byte() % 2 else _backup(told)
    _FILE.write_bytes(whole)
    try:
        with archive.opened(_FILE) as reader:
            found = manifest.read(reader.content(manifest.MEMBER))
            for name, secret in found.secrets.items():
                content = reader.content(manifest.secret_member(name), secret)
                assert (len(content), sha256(content).hexdigest()) == (
                    secret.size,
                    secret.sha256,
                )
            for service, database in found.databases.items():
                for _ in reader.pieces(manifest.database_member(service), database):
                    pass
    except BackupError as refused:
        _in_a_line(str(refused))
        return
    assert manifest.read(found.model_dump_json().encode()) == found


def _in_a_line(said: str) -> None:
    assert said
    assert "\n" not in said, said


def _backup(told: Input) -> bytes:
    """A backup with a manifest of one's own, and some of its bytes changed."""
    file = io.BytesIO()
    writer = archive.Writer(file)
    secret = writer.add("secrets/key", b"a secret")
    said = told.part()
    if not said:
        made = manifest.Manifest(
            format=manifest.FORMAT,
            made=datetime(2026, 1, 2, tzinfo=UTC),
            postgres="18.4",
            databases={},
            secrets={"key": secret},
        )
        said = made.model_dump_json().encode()
    writer.add(manifest.MEMBER, said)
    writer.finish()
    whole = bytearray(file.getvalue())
    while told:
        at = (told.byte() << 8 | told.byte()) % len(whole)
        size = told.byte() % 16
        whole[at : at + size] = told.part()[:size].ljust(size, b"\0")
    return bytes(whole)
