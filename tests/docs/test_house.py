"""What the project says of itself is so."""

from __future__ import annotations

from pathlib import Path
import re
import shutil
import subprocess

import pytest

from tests.live import running

ROOT = Path(__file__).parents[2]
MAX_LINES = 500
WRITTEN = {".py", ".proto", ".star", ".sh", ".md", ".yaml", ".toml"}
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")


def tracked() -> list[Path]:
    """The files git holds, or would."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file()]


def handwritten() -> list[Path]:
    """The files people write: neither generated, nor locks."""
    return [
        path
        for path in tracked()
        if path.suffix in WRITTEN and path.relative_to(ROOT).parts[0] != "gen"
    ]


def test_no_file_is_too_long_to_read() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in handwritten()
        if (lines := len(path.read_text().splitlines())) > MAX_LINES
    }
    assert long == {}


@pytest.mark.parametrize(
    "page", [p for p in handwritten() if p.suffix == ".md"], ids=lambda p: str(p.relative_to(ROOT))
)
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = [
        target for target in LINK.findall(page.read_text()) if not (page.parent / target).exists()
    ]
    assert dead == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here")
def test_the_readme_s_curl_lines_work_word_for_word() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    talk = "\n".join(block for block in blocks if "curl" in block or "api=" in block)
    with running() as live:
        script = talk.replace("http://127.0.0.1:8080", live.url) + "\nsleep 1\nkill %1\n"
        said = subprocess.run(
            ["bash", "-c", f"set -em\n{script}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    for expected in ('"ready"', "Is anybody there?", '"member_joined"', "I am."):
        assert expected in said.stdout, said.stdout + said.stderr
    # Said once as the answer, once more on Ada's stream.
    assert said.stdout.count('"content":"I am."') == 2, said.stdout
