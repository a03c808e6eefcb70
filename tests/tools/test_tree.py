"""Trees are swapped file by file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.tree import Difference, compare, publish

FOLDERS = ("gen/a",)


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    standing, fresh = tmp_path / "standing", tmp_path / "fresh"
    for root, files in (
        (standing, {"same": "1", "changed": "1", "deep/gone": "1", "deep/__pycache__/x.pyc": "1"}),
        (fresh, {"same": "1", "changed": "2", "new/one": "1"}),
    ):
        for name, text in files.items():
            path = root / "gen/a" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    (standing / "gen/b").mkdir()
    (standing / "gen/b/other").write_text("somebody else's")
    return standing, fresh


def test_every_kind_of_difference_is_seen(trees: tuple[Path, Path]) -> None:
    assert compare(*trees, FOLDERS) == Difference(
        added=("gen/a/new/one",), changed=("gen/a/changed",), removed=("gen/a/deep/gone",)
    )


def test_publishing_leaves_no_difference_and_no_rest(trees: tuple[Path, Path]) -> None:
    standing, fresh = trees
    same = (standing / "gen/a/same").stat()
    publish(compare(standing, fresh, FOLDERS), standing, fresh)
    assert not compare(standing, fresh, FOLDERS)
    assert sorted(path.name for path in (standing / "gen/a").iterdir()) == [
        "changed",
        "new",
        "same",
    ]
    assert (standing / "gen/a/same").stat() == same
    assert (standing / "gen/b/other").is_file()


def test_readers_of_the_old_file_keep_it_whole(trees: tuple[Path, Path]) -> None:
    standing, fresh = trees
    with (standing / "gen/a/changed").open() as reader:
        publish(compare(standing, fresh, FOLDERS), standing, fresh)
        assert reader.read() == "1"
