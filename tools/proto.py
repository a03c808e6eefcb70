"""Publishes the contracts: `proto/` in, `gen/` out.

    python -m tools.proto           bring gen/ up to date
    python -m tools.proto --check   change nothing; fail when gen/ is not what
                                    proto/ says, or when a contract breaks one
                                    that main has published

Both lint the contracts first. The same contracts give the same bytes anywhere,
and after the first run nothing is fetched (until `package-lock.json` changes).
"""

from __future__ import annotations

import argparse
from pathlib import Path
import sys
from tempfile import TemporaryDirectory

from tools import (
    asyncapi,
    breaking,
    changelog,
    faults,
    openapi,
    packages,
    policies,
    reader,
    reference,
    third_party,
)
from tools.commands import CommandError, run
from tools.descriptors import published
from tools.faults import ContractError
from tools.model import Model
from tools.third_party import ResolveError
from tools.tree import Difference, compare, files, publish

ROOT = Path(__file__).parents[1]
CONTRACTS = "proto"
DESCRIPTORS = "gen/descriptors/creavio.binpb"
OPENAPI = "gen/openapi/creavio.openapi.yaml"
ASYNCAPI = "gen/asyncapi/creavio.asyncapi.yaml"
REFERENCE = "gen/reference/index.html"
CHANGELOG = "gen/changelog/README.md"
SDK = "gen/sdk"
TYPESCRIPT = "gen/ts"
GENERATED = (
    *("gen/python", "gen/descriptors", "gen/openapi", "gen/asyncapi", "gen/reference"),
    "gen/changelog",
    *(SDK, TYPESCRIPT),
)
# Read by nobody who calls: what the platform demands of a call, it says when it refuses one.
# What an answer that is no reply is made of.
_ERRORS = (
    "creavio.errors.v1.Reason",
    "google.rpc.BadRequest",
    "google.rpc.ErrorInfo",
    "google.rpc.RetryInfo",
    "google.rpc.Status",
)
_OPTIONS = (
    "buf.validate",
    "google.api",
    "creavio.options.v1.event",
    "creavio.options.v1.rpc",
    "creavio.options.v1.RpcPolicy",
    "creavio.options.v1.EventPolicy",
)


class StaleError(Exception):
    """`gen/` and `proto/` do not agree; the message says where."""


def generate(root: Path, out: Path) -> None:
    """Generate everything that is published into `out`, a folder beside `root`.

    Raises `CommandError` with what buf or a plugin said, and `ContractError` for what
    cannot be published.
    """
    built = run("buf", "build", "--as-file-descriptor-set", "--output", "-#format=binpb", cwd=root)
    model = reader.load(built)
    faults.check(model)
    run("buf", "generate", "--output", str(out), cwd=root)
    path = out / DESCRIPTORS
    path.parent.mkdir(parents=True)
    path.write_bytes(published(built))
    _clients(root, out, model)
    for name, text in (
        (OPENAPI, openapi.render(model)),
        (ASYNCAPI, asyncapi.render(model)),
        (CHANGELOG, changelog.render(root, model)),
        (REFERENCE, reference.render(model)),
        (f"{SDK}/policies.py", policies.python(model)),
        (f"{TYPESCRIPT}/policies.ts", policies.typescript(model)),
    ):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _clients(root: Path, out: Path, model: Model) -> None:
    """Messages and stubs for those who call from outside: public RPCs, and what they say."""
    kept = [*(f"{rpc.service}.{rpc.name}" for rpc in model.public_rpcs), *_ERRORS]
    run(
        *("buf", "generate", ".", "--template", "buf.gen.clients.yaml", "--output", str(out)),
        *(part for name in kept for part in ("--type", name)),
        *(part for name in _OPTIONS for part in ("--exclude-type", name)),
        cwd=root,
    )


def update(root: Path) -> Difference:
    """Format and lint the contracts, bring `gen/` up to date, say what that changed."""
    third_party.resolve(root)
    packages.install(root)
    run("buf", "format", "--write", CONTRACTS, cwd=root)
    run("buf", "lint", cwd=root)
    with TemporaryDirectory(prefix="creavio-gen-") as folder:
        generate(root, Path(folder))
        difference = compare(root, Path(folder), GENERATED)
        publish(difference, root, Path(folder))
    return difference


def check(root: Path) -> None:
    """Return when `update` would change nothing and nothing published is broken.

    Raises `StaleError`, `CommandError`, `ContractError` or `breaking.BreakingError`.
    """
    third_party.resolve(root)
    packages.install(root)
    run("buf", "lint", cwd=root)
    run("buf", "format", "--diff", "--exit-code", CONTRACTS, cwd=root)
    with TemporaryDirectory(prefix="creavio-gen-") as folder:
        generate(root, Path(folder))
        difference = compare(root, Path(folder), GENERATED)
    if difference:
        raise StaleError(f"gen/ is stale, `make proto` would change it:\n{difference}")
    if missing := breaking.untracked(root, tuple(files(root, GENERATED))):
        listed = "\n".join(f"  {name}" for name in missing)
        raise StaleError(f"generated files that git does not know; add them:\n{listed}")
    breaking.check(root)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.proto", description="Publish contracts.")
    parser.add_argument("--check", action="store_true", help="change nothing, fail on differences")
    arguments = parser.parse_args()
    try:
        if arguments.check:
            check(ROOT)
            sys.stdout.write("gen/ is what the contracts say.\n")
        else:
            difference = update(ROOT)
            sys.stdout.write(f"{difference or 'gen/ was up to date.'}\n")
    except (
        breaking.BreakingError,
        CommandError,
        ContractError,
        ResolveError,
        StaleError,
    ) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
