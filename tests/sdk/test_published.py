"""What is published: whole, licensed, and typed."""

from __future__ import annotations

import json
from pathlib import Path
import sys
import tarfile
import zipfile

import pytest

from tests.sdk.conftest import NODE, ROOT, Examples, checked
from tools import packages


def test_the_wheel_is_whole_and_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        names = set(files.namelist())
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        said = files.read(metadata).decode()
    assert {
        "creavio_sdk/client.py",
        "creavio_sdk/py.typed",
        "creavio_sdk/contracts/policies.py",
    } <= names
    assert "creavio_sdk/contracts/creavio/chat/v1/__init__.py" in names
    assert not [name for name in names if "__pycache__" in name]
    for line in ("Name: creavio-sdk", "License-Expression: Apache-2.0", "License-File: LICENSE"):
        assert line in said.splitlines()


def test_the_package_is_whole_and_says_what_it_is(tarball: Path) -> None:
    with tarfile.open(tarball) as files:
        names = set(files.getnames())
        manifest = files.extractfile("package/package.json")
        assert manifest is not None
        said = json.load(manifest)
    assert {"package/dist/index.js", "package/dist/index.d.ts", "package/LICENSE"} <= names
    assert "package/dist/contracts/creavio/chat/v1/message_service_pb.d.ts" in names
    assert not [name for name in names if name.startswith(("package/src", "package/test"))]
    assert (said["name"], said["license"]) == ("@creavio/client", "Apache-2.0")


def test_the_python_examples_are_typed_strictly(python_examples: Examples) -> None:
    site = python_examples.environment["PYTHONPATH"]
    checked(
        *(sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=/dev/null"),
        *("--follow-imports=silent", str(ROOT / "docs/examples/python")),
        cwd=Path(site),
    )


def test_the_typescript_examples_are_typed_strictly(typescript_examples: Examples) -> None:
    checked(
        *(NODE, str(ROOT / "sdk/typescript/node_modules/typescript/bin/tsc")),
        *("--noEmit", "--strict", "--target", "es2023", "--module", "nodenext"),
        *("--lib", "es2023,dom,dom.iterable", "--types", "node"),
        *(str(path) for path in sorted(typescript_examples.folder.glob("*.ts"))),
        cwd=typescript_examples.folder,
    )


@pytest.mark.usefixtures("tarball")
def test_what_the_typescript_client_promises_of_calls_and_streams() -> None:
    tests = sorted(str(path) for path in (ROOT / packages.CLIENT / "test").glob("*.test.mjs"))
    said = checked(NODE, "--test", *tests, cwd=ROOT)
    assert "fail 0" in said
