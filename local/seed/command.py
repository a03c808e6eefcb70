"""The command."""

from __future__ import annotations

from local.console import console, fail, not_running
from local.credentials import Credentials
from local.home import Home
from local.rest import Rest, RestError, address


def seed() -> None:
    """Bring a demo community to life on the running platform; again changes nothing."""
    from local.seed.lantern_street import SCENE
    from local.seed.plant import Planter

    home, out = Home.from_environment(), console()
    try:
        url = address(home)
    except OSError:
        not_running(home)
    password = Credentials(home.secrets).password("demo")
    try:
        with out.status(f"opening {SCENE.name}") as shown:
            planter = Planter(
                SCENE, Rest(url), password, lambda name: shown.update(f"{SCENE.name}: {name}")
            )
            planter.plant()
    except RestError as error:
        fail(f"not seeded, or not wholly: {error}")
    if planter.made:
        out.print(f"{SCENE.name} is open: {len(SCENE.people)} people, {len(SCENE.rooms)} channels")
    else:
        out.print(f"{SCENE.name} is there already; nothing was changed")
    founder = SCENE.people[SCENE.founder]
    others = ", ".join(who.handle for who in list(SCENE.people.values())[1:])
    out.print(f"sign in at {url} as {founder.handle}, or as {others}")
    out.print(f"with the password {password}", markup=False)
    out.print(f"(kept in {home.secrets / 'demo.password'})", markup=False)
