"""A topology is read back as it was written, and a useless one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.topology import Budget, Limit, Limits, Topology, TopologyError, dump, load, load_limits


def topology(**changes: object) -> Topology:
    values: dict[str, object] = {
        "upstreams": {"chat": ("unix:/run/chat.sock", "127.0.0.1:7006")},
        "egress": {"chat": "/run/out.sock"},
        "admin": "/run/admin.sock",
        "keys": "/run/keys.sock",
        "health": "/run/health.sock",
        **changes,
    }
    return Topology(**values)  # type: ignore[arg-type]  # the test names fields


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    limits = Limits(read=Budget(source=Limit(1), person=Limit(2, 3)))
    written = topology(limits=limits, origins=("https://app.example",), reference="/gen")
    (tmp_path / "t.json").write_text(dump(written))
    assert load(tmp_path / "t.json") == written


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"admin": "admin.sock"}, "not an absolute path"),
        ({"egress": {"chat": "/" + "a" * 107}}, "longer than 107 bytes"),
        ({"upstreams": {"chat": ("unix:in.sock",)}}, "not an absolute path"),
        ({"upstreams": {"chat": ()}}, "no endpoint"),
    ],
)
def test_what_cannot_be_listened_on_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(TopologyError, match=said):
        topology(**changes)


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "{}", '{"upstreams": {}, "egress": {}, "admin": 1, "keys": "/k", "health": "/h"}'],
)
def test_a_file_that_is_no_topology_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "t.json").write_text(content)
    with pytest.raises(TopologyError) as refused:
        load(tmp_path / "t.json")
    assert str(refused.value).startswith("t.json: ")
    assert "\n" not in str(refused.value)


def test_a_class_of_calls_that_there_is_none_of_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "limits.json").write_text(r'{"re\nad": {}}')
    with pytest.raises(TopologyError) as refused:
        load_limits(tmp_path / "limits.json")
    assert str(refused.value).startswith("limits.json: re?ad: ")
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match=r"none\.json: No such file"):
        load(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("limit", "wait"), [(Limit(60, 60), 1), (Limit(4, 60), 15), (Limit(7, 60), 9), (Limit(600), 1)]
)
def test_an_empty_budget_says_when_the_next_call_fits(limit: Limit, wait: int) -> None:
    assert limit.retry_after == wait
