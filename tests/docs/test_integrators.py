"""The page for integrators runs word for word."""

from __future__ import annotations

import os
from pathlib import Path
import re
import shutil
import subprocess

from tests.live import Live

ROOT = Path(__file__).parents[2]


def test_what_the_page_says_to_type_works(live: Live) -> None:
    page = (ROOT / "docs" / "integrators.md").read_text()
    script = "\n".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))
    assert not (ROOT / "out").exists(), "somebody else's folder"
    try:
        said = subprocess.run(
            ["bash", "-ec", script.replace("http://127.0.0.1:8080", live.url)],
            cwd=ROOT,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    finally:
        shutil.rmtree(ROOT / "out", ignore_errors=True)
    assert said.returncode == 0, said.stdout + said.stderr
    for expected in ("creavio_sdk-0.1.0-py3-none-any.whl", "creavio-client-0.1.0.tgz"):
        assert expected in said.stdout
    assert said.stdout.splitlines()[-3:] == ["Good.", "I am.", "Is anybody there?"]
