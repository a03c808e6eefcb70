"""The web app as the edge serves it: one document for all its places, and the files it loads.

The document names its files by their content, so they never change and are kept;
itself it is asked for every time.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
import hashlib
from pathlib import Path
import re
from typing import Final

from envoy_data_plane.envoy.config.route.v3 import (
    HeaderMatcher,
    Route,
    RouteAction,
    RouteMatch,
)
from envoy_data_plane.envoy.extensions.common.async_files.v3 import (
    AsyncFileManagerConfig,
    AsyncFileManagerConfigThreadPool,
)
from envoy_data_plane.envoy.extensions.filters.http.file_server.v3 import (
    FileServerConfig,
    FileServerConfigPathMapping,
)
from envoy_data_plane.envoy.type.matcher.v3 import RegexMatcher, StringMatcher

from edge.pages import Page
from mesh.wire import header_is, packed

FILTER: Final = "envoy.filters.http.file_server"
DOCUMENT: Final = "index.html"
ICON: Final = "icon.svg"
MANIFEST: Final = "manifest.webmanifest"
PLACES: Final = (
    "/c",
    "/catch-up",
    "/forgot-password",
    "/invite",
    "/messages",
    "/oauth2/authorize",
    "/reset-password",
    "/settings",
    "/sign-in",
    "/sign-up",
    "/verify-email",
)
"""What the app's addresses begin with: what is shown there is the app's to say."""
WORKER: Final = "default-src 'none'; script-src 'self'; connect-src 'self'"
"""What a script may do that runs beside the page, which has its own policy."""
CODINGS: Final = ("br", "gzip")
"""How files are compressed when the app is built, the best first (RFC 9110, 8.4.1)."""
COMPRESSED: Final = ("css", "js")
"""The files that are, by the ends of their names."""
PACKED: Final = "packed"
"""The folder with a folder of them for each coding."""
_FILES: Final = "/_next/static/"
_SCRIPT: Final = re.compile(r"<script(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.DOTALL)
_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
    "png": "image/png",
    "woff2": "font/woff2",
}


def no_files() -> FileServerConfig:
    """Serves nothing: routes say what they serve."""
    return FileServerConfig(manager_config=_readers())


def pages(folder: Path) -> list[Page]:
    """The app, wherever in it one is, and what a device shows of it.

    Raises `OSError` when it was not built.
    """
    body = (folder / DOCUMENT).read_text(encoding="utf-8")
    home = Page("/", body, "text/html; charset=utf-8", policy_of(body))
    return [
        home,
        *(replace(home, path=place, beneath=True) for place in PLACES),
        *(_shown(folder, name) for name in (ICON, MANIFEST)),
    ]


def _shown(folder: Path, name: str) -> Page:
    body = (folder / name).read_text(encoding="utf-8")
    return Page(f"/{name}", body, _TYPES[name.rpartition(".")[2]], "default-src 'none'")


def policy_of(document: str) -> str:
    """Its Content-Security-Policy: no script runs that the build did not put there."""
    inline = [
        match["body"] for match in _SCRIPT.finditer(document) if " src=" not in match["attributes"]
    ]
    hashes = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in inline]
    scripts = " ".join(["'self'", *(f"'sha256-{one}'" for one in hashes)])
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self' data: blob:; "
        "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def files(folder: Path, action: RouteAction) -> Iterator[tuple[str, Route]]:
    """What the document loads, each way with how it is compressed already: best first.

    What was not compressed when the app was built comes last; the edge does it then.
    """
    for coding in CODINGS:
        if (folder / PACKED / coding).is_dir():
            yield coding, _served(folder / PACKED / coding, action, coding)
    yield "", _served(folder, action)


def _served(folder: Path, action: RouteAction, coding: str = "") -> Route:
    server = FileServerConfig(
        manager_config=_readers(),
        path_mappings=[
            FileServerConfigPathMapping(
                request_path_prefix=_FILES, file_path_prefix=f"{folder}{_FILES}"
            )
        ],
        content_types=_TYPES,
        default_content_type="application/octet-stream",
    )
    headers = [header_is(":method", "GET")]
    if coding:
        headers += [
            _header(":path", f"{_FILES}.*[.]({'|'.join(COMPRESSED)})"),
            _header("accept-encoding", f"(.*[ ,])?{coding}([ ;,].*)?"),
            _header("accept-encoding", f"(.*[ ,])?{coding} ?; ?q=0([.]0*)? ?(,.*)?", invert=True),
        ]
    return Route(
        name=f"web files, {coding or 'plain'}",
        match=RouteMatch(prefix=_FILES, headers=headers),
        route=action,
        typed_per_filter_config={FILTER: packed(server)},
    )


def _header(name: str, pattern: str, *, invert: bool = False) -> HeaderMatcher:
    matcher = StringMatcher(safe_regex=RegexMatcher(regex=pattern))
    return HeaderMatcher(name=name, string_match=matcher, invert_match=invert)


def _readers() -> AsyncFileManagerConfig:
    threads = AsyncFileManagerConfigThreadPool(thread_count=1)
    return AsyncFileManagerConfig(id="web", thread_pool=threads)
