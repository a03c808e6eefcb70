"""The web app is one document at all its addresses, and files that never change."""

from __future__ import annotations

import base64
from collections.abc import Iterator
import gzip
import hashlib
from pathlib import Path

import pytest

from edge import web
from tests.edge.platform import Platform, running

DOCUMENT = """<!doctype html><title>App</title>
<script src="/_next/static/a.js" async=""></script><script id="x">begin(1)</script>"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """An edge with a small app."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "_next/static").mkdir(parents=True)
    (folder / "index.html").write_text(DOCUMENT)
    (folder / "icon.svg").write_text("<svg/>")
    (folder / "manifest.webmanifest").write_text("{}")
    (folder / "secret.txt").write_text("not the app's")
    (folder / "_next/static/a.js").write_text("go();" * 400)
    (folder / "_next/static/b.css").write_text("p{}")
    (folder / "_next/static/d.svg").write_text("<svg/>" * 400)
    for coding in web.CODINGS:
        packed = folder / web.PACKED / coding / "_next/static"
        packed.mkdir(parents=True)
        # It is told apart from what the edge would make of it.
        (packed / "b.css").write_bytes(gzip.compress(b"p{}"))
        (packed / "a.js").write_bytes(gzip.compress(f"{coding}();".encode(), mtime=0))
    with running(web=str(folder)) as platform:
        yield platform


@pytest.mark.parametrize(
    "path",
    ["/", "/c/com_1/chn_1", "/invite/abc", "/messages", "/messages/x", *web.PLACES],
)
def test_every_place_of_the_app_is_the_document(app: Platform, path: str) -> None:
    response = app.get(path)
    assert response.text == DOCUMENT
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"


def test_a_device_may_install_it(app: Platform) -> None:
    manifest = app.get("/manifest.webmanifest")
    assert manifest.headers["content-type"] == "application/manifest+json"
    assert "manifest-src 'self'" in app.get("/").headers["content-security-policy"]


def test_only_scripts_of_the_build_run(app: Platform) -> None:
    policy = app.get("/").headers["content-security-policy"]
    digest = base64.b64encode(hashlib.sha256(b"begin(1)").digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def test_files_are_kept_and_missing_ones_are_not(app: Platform) -> None:
    script = app.get("/_next/static/a.js")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-security-policy"] == web.WORKER
    assert (
        app.get("/_next/static/b.css", headers={"accept-encoding": "gzip"}).headers["content-type"]
        == "text/css; charset=utf-8"
    )
    missing = app.get("/_next/static/c.js")
    assert missing.status_code == 404
    assert missing.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [
        ("gzip, deflate, br", "br"),
        ("br", "br"),
        ("gzip;q=1.0, br;q=0", "gzip"),
        ("gzip, br;q=0.000, x", "gzip"),
        ("br;q=0.5,gzip", "br"),
        ("gzip", "gzip"),
        ("x-br, gzip;q=0", ""),
        ("identity", ""),
    ],
)
def test_what_was_compressed_before_is_sent_as_it_is(
    app: Platform, accepts: str, coding: str
) -> None:
    with app.raw("/_next/static/a.js", {"accept-encoding": accepts}) as script:
        body = b"".join(script.iter_raw())
    assert script.headers.get("content-encoding", "") == coding
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["vary"].lower() == "accept-encoding"
    packed = gzip.compress(f"{coding}();".encode(), mtime=0)
    assert body == (packed if coding else b"go();" * 400)
    missing = app.get("/_next/static/c.js", headers={"accept-encoding": accepts})
    assert missing.status_code == 404
    assert "content-encoding" not in missing.headers
    # What was not compressed, the edge compresses where it is wanted.
    picture = app.get("/_next/static/d.svg", headers={"accept-encoding": accepts})
    assert picture.text == "<svg/>" * 400


@pytest.mark.parametrize(
    "path",
    [
        "/secret.txt",
        "/index.html",
        "/_next/static/../../secret.txt",
        "/_next/static/%2e%2e/%2e%2e/secret.txt",
        "/_next/static/..%2f..%2fsecret.txt",
        "/_next/static//../../secret.txt",
        "/_next/static/",
        "/nowhere",
    ],
)
def test_nothing_else_is_served(app: Platform, path: str) -> None:
    response = app.get(path)
    assert response.status_code in {400, 403, 404}
    assert "not the app's" not in response.text


def test_without_an_app_the_front_page_stands(tmp_path: Path) -> None:
    with running(web=str(tmp_path / "not built")) as platform:
        assert "What runs here" in platform.get("/").text
