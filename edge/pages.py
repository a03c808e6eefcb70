"""What the edge serves by itself: a page that says what runs, and the API reference."""

from __future__ import annotations

import base64
from dataclasses import dataclass
import hashlib
from html import escape
from pathlib import Path

from chassis.catalog import Catalog
from chassis.contract import Contract
from mesh.topology import Topology

OPENAPI = "openapi/creavio.openapi.yaml"
REFERENCE = "reference/index.html"

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881;
  --link: light-dark(#4338ca, #a5b4fc); }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 46rem; line-height: 1.55;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  background: light-dark(#fcfcfd, #131318); color: light-dark(#1d1d24, #e7e7ee); }
h1 { font-size: 2rem; letter-spacing: -.02em; margin: 0; }
h2 { font-size: 1rem; margin: 2.5rem 0 .75rem; }
p { margin: .5rem 0; }
a { color: var(--link); text-underline-offset: .2em; }
a:focus-visible { outline: 2px solid currentColor; outline-offset: 3px; border-radius: 2px; }
nav { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; margin-top: 1.25rem; }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: .75rem;
  grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); }
li { border: 1px solid var(--line); border-radius: .6rem; padding: .75rem .9rem; }
li span { display: block; font-size: .875rem; opacity: .75; overflow-wrap: anywhere; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: .6rem;
  padding: .9rem; overflow-x: auto; font-size: .875rem; }
"""


@dataclass(frozen=True, slots=True)
class Page:
    """A document that is served as it stands."""

    path: str
    body: str
    content_type: str
    policy: str
    """Its Content-Security-Policy."""
    beneath: bool = False
    """Whether it is found at every address beneath its path, too."""


def pages(catalog: Catalog, contract: Contract, topology: Topology) -> tuple[Page, ...]:
    """The front page, and the reference files that are there."""
    found: list[Page] = []
    if topology.reference is not None:
        found += _reference(Path(topology.reference))
    present = {page.path for page in found}
    return (_front(catalog, contract, present, topology.public), *found)


def _reference(folder: Path) -> list[Page]:
    found = []
    openapi, reference = folder / OPENAPI, folder / REFERENCE
    if openapi.is_file():
        body = openapi.read_text(encoding="utf-8")
        found.append(Page("/openapi.yaml", body, "application/yaml; charset=utf-8", _policy("")))
    if reference.is_file():
        # Its scripts are its own and inline; nothing else is loaded.
        policy = (
            "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
            "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )
        body = reference.read_text(encoding="utf-8")
        found.append(Page("/reference", body, "text/html; charset=utf-8", policy))
    return found


def _front(catalog: Catalog, contract: Contract, present: set[str], address: str) -> Page:
    links = ['<a href="/healthz">Live health</a>']
    if "/reference" in present:
        links.append('<a href="/reference">API reference</a>')
    if "/openapi.yaml" in present:
        links.append('<a href="/openapi.yaml">OpenAPI 3.1</a>')
    services = "\n".join(_service(name, contract) for name in sorted(catalog.services))
    body = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Creavio</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>Creavio</h1>
<p>A community platform that a group can own. This instance is running.</p>
<nav aria-label="About this instance">{" ".join(links)}</nav>
</header>
<main>
<h2>What runs here</h2>
<ul>
{services}
</ul>
<h2>Try it</h2>
<pre><code>curl -s {address}/v1/accounts -d '{{
  "handle": "ada", "email": "ada@example.org",
  "password": "correct horse", "display_name": "Ada"}}'</code></pre>
<p>REST, gRPC and gRPC-Web share this address;
events arrive live at <code>GET /v1/events</code>.</p>
</main>
</body>
</html>
"""
    return Page("/", body, "text/html; charset=utf-8", _policy(STYLE))


def _service(name: str, contract: Contract) -> str:
    rpcs = contract.rpcs_of(name)
    public = sum(rpc.public for rpc in rpcs)
    calls = f"{public} public {'call' if public == 1 else 'calls'}, {len(rpcs) - public} internal"
    return f"<li><strong>{escape(name)}</strong><span>{calls}</span></li>"


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    source = f"style-src 'sha256-{digest}'; " if style else ""
    return (
        f"default-src 'none'; {source}base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
