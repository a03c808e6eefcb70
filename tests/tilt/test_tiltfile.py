"""The Tiltfile, evaluated as Tilt does, with Tilt's functions noting what they are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import starlark
import yaml

ROOT = Path(__file__).parents[2]


class Tilt:
    """Notes the resources a Tiltfile declares."""

    def __init__(self, *, local: bool) -> None:
        self._local = local
        self.resources: dict[str, dict[str, Any]] = {}

    def evaluate(self) -> None:
        """Evaluate the Tiltfile. Raises `starlark.StarlarkError` when it fails."""
        self._run(ROOT / "Tiltfile")

    def _run(self, file: Path) -> starlark.FrozenModule:
        source = file.read_text()
        module = starlark.Module()
        for name, stub in self._functions().items():
            module.add_callable(name, stub)
        module["TRIGGER_MODE_MANUAL"] = "manual"
        # Starlark's plain globals hold no structs: `config.parse()` and
        # `os.getenv()` become functions of their own.
        source = source.replace("config.", "config_").replace("os.getenv", "os_getenv")
        dialect = starlark.Dialect.standard()
        dialect.enable_top_level_stmt = True
        syntax = starlark.parse(str(file), source, dialect)
        loader = starlark.FileLoader(lambda path: self._run(ROOT / path.removeprefix("./")))
        starlark.eval(module, syntax, starlark.Globals.standard(), loader)
        return module.freeze()

    def _functions(self) -> dict[str, Any]:
        return {
            "local_resource": self._local_resource,
            "probe": lambda **options: options,
            "http_get_action": lambda port, path: {"port": port, "path": path},
            "exec_action": lambda command: {"command": command},
            "link": lambda url, name: {"url": url, "name": name},
            "read_yaml": lambda path: yaml.safe_load((ROOT / path).read_text()),
            "config_define_bool": lambda name, usage: None,
            "config_parse": lambda: {"local": self._local},
            "os_getenv": lambda name, default: default,
        }

    def _local_resource(self, name: str, **options: Any) -> None:
        assert name not in self.resources, f"{name} twice"
        self.resources[name] = options


@pytest.fixture
def tilt() -> Tilt:
    declared = Tilt(local=True)
    declared.evaluate()
    return declared


def catalog() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((ROOT / "catalog.yaml").read_text())["services"]
    return services


def test_every_service_of_the_catalog_is_a_resource(tilt: Tilt) -> None:
    assert tilt.resources.keys() >= catalog().keys()
    for name, entry in catalog().items():
        resource = tilt.resources[name]
        assert resource["serve_cmd"] == [".venv/bin/creavio", "logs", name, "--follow"]
        assert resource["resource_deps"] == ["platform", *entry.get("calls", [])]
        assert resource["readiness_probe"]["exec"]["command"][-1] == name


def test_the_platform_runs_by_the_same_command(tilt: Tilt) -> None:
    platform = tilt.resources["platform"]
    assert platform["serve_cmd"][:3] == [".venv/bin/creavio", "up", "--reload"]
    assert platform["readiness_probe"]["http_get"] == {"port": 8080, "path": "/healthz"}


def test_what_a_resource_waits_for_is_a_resource(tilt: Tilt) -> None:
    for name, resource in tilt.resources.items():
        for needed in resource.get("resource_deps", []):
            assert needed in tilt.resources, f"{name} waits for {needed}"


def test_buttons_do_nothing_until_they_are_pressed(tilt: Tilt) -> None:
    for name in ("regenerate", "test", "lint"):
        assert tilt.resources[name]["auto_init"] is False
        assert tilt.resources[name]["trigger_mode"] == "manual"


def test_without_local_it_says_what_to_run() -> None:
    with pytest.raises(starlark.StarlarkError, match=r"fail: .* Run: tilt up -- --local"):
        Tilt(local=False).evaluate()
