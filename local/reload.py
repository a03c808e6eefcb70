"""The inner loop: a saved file runs.

    services/<name>/**    that service is ended in good order and forked anew
    chassis/**            every service
    gen/**, catalog.yaml  a new warm parent, every service, the edge's routes
    proto/**              generated first, which changes gen/
    edge/**, mesh/**      the routes
    web/out/index.html    the routes: the web app was built anew

A file that does not compile changes nothing: what runs goes on, and its health
says why it is stale.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
import hashlib
from pathlib import Path
import sys
import time

from chassis import catalog as catalogs
from local.bus import PlanError, plan_anew
from local.keeper import Keeper, StartError
from local.parts import Options, Parts, instances_of
from local.process import clean_environment

_WATCHED = ("services", "chassis", "gen", "proto", "edge", "mesh", "web/out", "catalog.yaml")
_HELD = ("services", "chassis", "gen")
"""What a warm parent with code imports of it."""
_IGNORED = frozenset({"__pycache__", ".git", ".mypy_cache", ".ruff_cache"})
_CODE = frozenset({".py", ".pyi", ".proto", ".yaml", ".json", ".html", ".bin"})
_QUIET_MS = 40
_GROUP_MS = 400


@dataclass(slots=True)
class Change:
    """What a set of saved files asks for."""

    services: set[str] = field(default_factory=set)
    every_service: bool = False
    contracts: bool = False
    generate: bool = False
    routes: bool = False


def change_of(files: Iterable[str]) -> Change:
    """What saved files, named from the project's root, ask for."""
    change = Change()
    for file in files:
        folder, *rest = Path(file).parts
        if folder == "services":
            if len(rest) > 1:
                change.services.add(rest[0])
            else:
                change.every_service = True
        elif folder == "chassis":
            change.every_service = True
        elif folder == "proto":
            change.generate = True
        elif folder in ("edge", "mesh"):
            change.routes = True
        elif folder == "web":
            change.routes |= file == "web/out/index.html"
        else:
            change.contracts = True
    return change


class Reloader:
    """Brings what runs up to the code as it is."""

    def __init__(self, options: Options, parts: Parts, tell: Callable[[str], None]) -> None:
        self._options = options
        self._parts = parts
        self._tell = tell
        self._root = options.catalog_file.parent
        self._turn = asyncio.Lock()

    async def watch(self) -> None:
        """Reload whatever is saved, until cancelled."""
        # Imported here: it brings a thread, and only this mode needs it.
        from watchfiles import awatch

        files = Files(self._root)
        paths = [self._root / name for name in _WATCHED if (self._root / name).exists()]
        self._tell("watching for saved files")
        try:
            async for _ in awatch(*paths, step=_QUIET_MS, debounce=_GROUP_MS):
                if changed := files.changed():
                    await self._apply(changed)
        except (OSError, RuntimeError) as error:
            # The kernel's limit on watches, for one.
            self._tell(f"saved files are no longer noticed: {error}")

    async def reload(self, service: str) -> str | None:
        """Run a service's code as it is now (`all`: every one's); what went wrong."""
        keepers = self._parts.services if service == "all" else self._parts.of_service(service)
        if not keepers:
            return f"no service {service} in the catalog"
        folders = {"chassis", f"services/{service}" if service != "all" else "services"}
        broken = broken_file(
            file for folder in folders for file in (self._root / folder).rglob("*.py")
        )
        if broken:
            _mark(keepers, broken)
            return broken
        async with self._turn:
            return await self._restart(keepers)

    async def _apply(self, changed: list[str]) -> None:
        change = change_of(changed)
        broken = broken_file(self._root / file for file in changed if file.endswith(".py"))
        if broken:
            _mark(self._touched(change), broken)
            self._tell(f"not reloaded: {broken}")
            return
        async with self._turn:
            if change.generate and not await self._generate():
                return
            if change.contracts:
                await self._renew()
            elif change.routes:
                await self._routes()
            if not change.contracts and (keepers := self._touched(change)):
                await self._restart(keepers)

    def _touched(self, change: Change) -> list[Keeper]:
        if change.every_service or change.contracts:
            return self._parts.services
        return [k for name in sorted(change.services) for k in self._parts.of_service(name)]

    async def _restart(self, keepers: list[Keeper]) -> str | None:
        began = time.monotonic()
        try:
            warm = self._parts.warm
            if warm is not None and warm.holds_code and saved_since(self._root, warm.began):
                # What is forked would run the code as it was at the start.
                warm.holds_code = False
                await warm.prepare()
                keepers = self._parts.services
                await self._replace_warm_parent()
        except StartError as error:
            return str(error)
        _mark(keepers, "")
        await restart(keepers)
        failed = [f"{k.name} is {k.story}" for k in keepers if k.state != "ok"]
        names = ", ".join(keeper.name for keeper in keepers)
        trouble = "; ".join(failed) or None
        self._tell(trouble or f"{names} reloaded in {time.monotonic() - began:.1f} s")
        return trouble

    async def _replace_warm_parent(self) -> None:
        """End every service in good order, and put the prepared warm parent in place."""
        await asyncio.gather(*(keeper.hold() for keeper in self._parts.services))
        await self._parts.keepers["warm"].restart()

    async def _generate(self) -> bool:
        self._tell("generating from the contracts")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tools.proto"),
            cwd=self._root,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=clean_environment(),
        )
        output, _ = await process.communicate()
        if process.returncode != 0:
            self._tell(f"not generated:\n{output.decode(errors='replace').strip()}")
        return process.returncode == 0

    async def _renew(self) -> None:
        """New contracts or a new catalog: nothing of the old is left running."""
        began, warm = time.monotonic(), self._parts.warm
        assert warm is not None, "what is saved is watched where services are forked"
        try:
            catalog = self._options.catalog()
            plan, _ = await asyncio.gather(plan_anew(self._options.catalog_file), warm.prepare())
        except (catalogs.CatalogError, PlanError, StartError) as error:
            _mark(self._parts.services, str(error))
            self._tell(f"not reloaded: {error}")
            return
        _mark(self._parts.services, "")
        try:
            await self._replace_warm_parent()
            await self._parts.adopt(catalog, plan, warm)
        except StartError as error:
            self._tell(str(error))
        for keeper in self._parts.services:
            keeper.start()
            keeper.release()
        for keeper in self._parts.services:
            if not await keeper.settled():
                self._tell(f"{keeper.name} is {keeper.story}")
        self._tell(f"everything reloaded in {time.monotonic() - began:.1f} s")

    async def _routes(self) -> None:
        try:
            await self._parts.render(routes_only=True)
            self._tell("routes reloaded; a changed listener needs a new start")
        except StartError as error:
            self._tell(f"routes not reloaded: {error}")


async def restart(keepers: Iterable[Keeper]) -> None:
    """Restart services side by side, and the processes of each one after the other.

    So a service that has several can be reached all the while.
    """
    services: dict[str, list[Keeper]] = {}
    for keeper in keepers:
        living = {instance.service for instance in instances_of(keeper)}
        service = living.pop() if len(living) == 1 else keeper.name
        services.setdefault(service, []).append(keeper)

    async def in_turn(processes: list[Keeper]) -> None:
        for keeper in processes:
            await keeper.restart()

    await asyncio.gather(*(in_turn(processes) for processes in services.values()))


def _mark(keepers: Iterable[Keeper], note: str) -> None:
    for keeper in keepers:
        keeper.note = note


def saved_since(root: Path, moment: float) -> bool:
    """Whether code of services was saved, copied or moved here since a moment (`time.time`).

    By the time of change that the file system keeps: no copy or checkout sets it back.
    """
    for file in (file for name in _HELD for file in (root / name).rglob("*.py")):
        with suppress(FileNotFoundError):
            if file.stat().st_ctime > moment:
                return True
    return False


def broken_file(files: Iterable[Path]) -> str | None:
    """What is wrong with the first Python file that does not compile."""
    for file in files:
        try:
            compile(file.read_bytes(), str(file), "exec")
        except FileNotFoundError:
            continue
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None)
            reason = getattr(error, "msg", None) or error
            return f"{file.parent.name}/{file.name}:{line or 1}: {reason}"
    return None


class Files:
    """The content of the watched files, to tell a change from a touch."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known = self._read()

    def changed(self) -> list[str]:
        """The files that differ from the last time, named from the root."""
        now = self._read()
        names = {n for n in now.keys() | self._known.keys() if now.get(n) != self._known.get(n)}
        self._known = now
        return sorted(names)

    def _read(self) -> dict[str, bytes]:
        return {
            str(file.relative_to(self._root)): hashlib.sha256(content).digest()
            for name in _WATCHED
            for file, content in _contents(self._root / name)
        }


def _contents(place: Path) -> Iterable[tuple[Path, bytes]]:
    files = [place] if place.is_file() else place.rglob("*")
    for file in files:
        if file.suffix in _CODE and not _IGNORED.intersection(file.parts):
            try:
                yield file, file.read_bytes()
            except (FileNotFoundError, IsADirectoryError):
                continue
