"""`up --reload`, from outside: what is saved runs within two seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import shutil

import pytest

from tests.local.running import PROJECT, Running, free_port, running, temporary_home, until

SERVICES = ("auth", "chat", "community", "gateway", "rbac", "user")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project to save files in, beside the real one."""
    root = tmp_path_factory.mktemp("project")
    shutil.copy(PROJECT / "catalog.yaml", root)
    for folder in ("chassis", "gen/python", *(f"services/{name}" for name in SERVICES)):
        (root / folder).mkdir(parents=True)
        (root / folder / "code.py").write_text("x = 1\n")
    return root


@pytest.fixture(scope="module")
def watching(project: Path) -> Iterator[Running]:
    """A platform that watches the project."""
    with temporary_home() as home:
        arguments = (str(free_port()), str(project / "catalog.yaml"), "reload")
        with running(home, *arguments) as platform:
            until(lambda: "watching" in platform.output, 5, "watching")
            yield platform


def pids(platform: Running) -> dict[str, int | None]:
    """The pid of each part."""
    return {part["name"]: part["pid"] for part in platform.status()["parts"]}


def well(platform: Running) -> bool:
    """Whether every part is."""
    return platform.healthz()[0] == 200


def changed(platform: Running, before: dict[str, int | None]) -> set[str]:
    """The parts that were started anew, once everything is well again."""
    until(lambda: well(platform), 15, "all well")
    return {name for name, pid in pids(platform).items() if pid != before[name]}


def test_a_saved_file_of_a_service_is_live_within_two_seconds(
    watching: Running, project: Path
) -> None:
    before = pids(watching)
    (project / "services" / "chat" / "code.py").write_text("x = 2\n")
    until(lambda: pids(watching)["chat"] not in (None, before["chat"]), 2, "chat anew")
    assert changed(watching, before) == {"chat"}


def test_a_syntax_error_leaves_the_service_running_and_health_says_so(
    watching: Running, project: Path
) -> None:
    before = pids(watching)
    file = project / "services" / "user" / "code.py"
    file.write_text("def broken(:\n")
    until(lambda: "user/code.py:1" in watching.healthz()[1]["user"], 2, "stale")
    status, parts = watching.healthz()
    assert (status, parts["user"].split(":")[0]) == (503, "stale")
    assert pids(watching) == before
    file.write_text("x = 3\n")
    until(lambda: pids(watching)["user"] not in (None, before["user"]), 2, "user anew")
    assert changed(watching, before) == {"user"}


def test_a_file_saved_as_it_was_does_nothing(watching: Running, project: Path) -> None:
    before = pids(watching)
    file = project / "services" / "rbac" / "code.py"
    file.write_text(file.read_text())
    (project / "services" / "auth" / "code.py").write_text("x = 4\n")
    until(lambda: pids(watching)["auth"] not in (None, before["auth"]), 2, "auth anew")
    assert changed(watching, before) == {"auth"}


def test_a_saved_file_of_the_chassis_is_live_in_every_service(
    watching: Running, project: Path
) -> None:
    before = pids(watching)
    (project / "chassis" / "code.py").write_text("x = 5\n")
    until(lambda: pids(watching)["chat"] not in (None, before["chat"]), 3, "chat anew")
    assert changed(watching, before) == set(SERVICES)


def test_generated_contracts_bring_a_new_warm_parent_and_leave_the_edge_alone(
    watching: Running, project: Path
) -> None:
    before = pids(watching)
    (project / "gen" / "python" / "code.py").write_text("x = 6\n")
    until(lambda: pids(watching)["warm"] not in (None, before["warm"]), 20, "warm anew")
    until(lambda: "everything reloaded" in watching.output, 20, "reloaded")
    assert changed(watching, before) == {*SERVICES, "warm"}


def test_a_catalog_that_contradicts_itself_changes_nothing(
    watching: Running, project: Path
) -> None:
    catalog = project / "catalog.yaml"
    good = catalog.read_text()
    before = pids(watching)
    catalog.write_text(good.replace("port: 7002", "port: 7001"))
    until(lambda: "stale" in watching.healthz()[1]["chat"], 5, "stale")
    assert pids(watching) == before
    catalog.write_text(good.replace("connections: 5", "connections: 6"))
    until(lambda: pids(watching)["warm"] not in (None, before["warm"]), 20, "warm anew")
    until(lambda: watching.output.count("everything reloaded") == 2, 20, "reloaded")
    assert changed(watching, before) == {*SERVICES, "warm", "postgres"}
