"""The front page says what runs, by itself and safely."""

from __future__ import annotations

import base64
from dataclasses import replace
import hashlib
from pathlib import Path
import re

from edge.pages import pages
from tests.edge.platform import Platform, running

PAGE_SIZE = 16 * 1024


def test_the_front_page_names_every_service_and_links_health(platform: Platform) -> None:
    response = platform.get("/")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    for service in platform.catalog.services:
        assert f"<strong>{service}</strong>" in response.text
    assert 'href="/healthz"' in response.text
    assert len(response.content) < PAGE_SIZE


def test_the_front_page_needs_nothing_but_itself(platform: Platform) -> None:
    response = platform.get("/")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    (style,) = re.findall(r"<style>(.*?)</style>", response.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert not re.findall(r'(?:src|href)="(?!/)', response.text)
    assert "style=" not in response.text
    assert "<script" not in response.text


def test_the_reference_is_served_and_linked_when_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "openapi").mkdir()
    (tmp_path / "openapi/creavio.openapi.yaml").write_text("openapi: 3.1.0\n# é\n" + "x" * 200_000)
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference/index.html").write_text("<h1>Reference</h1>")
    with running(reference=str(tmp_path)) as platform:
        front = platform.get("/").text
        assert 'href="/openapi.yaml"' in front
        assert 'href="/reference"' in front
        openapi = platform.get("/openapi.yaml")
        assert openapi.headers["content-type"] == "application/yaml; charset=utf-8"
        assert openapi.text.startswith("openapi: 3.1.0\n# é\n")
        reference = platform.get("/reference")
        assert reference.text == "<h1>Reference</h1>"
        assert "connect-src 'self'" in reference.headers["content-security-policy"]


def test_what_is_not_there_is_not_linked(platform: Platform) -> None:
    (front,) = pages(
        platform.catalog, platform.contract, replace(platform.topology, reference=None)
    )
    assert "/reference" not in front.body
    assert platform.get("/reference").status_code == 404
