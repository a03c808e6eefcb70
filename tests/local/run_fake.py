"""The platform with fake services: `python -m tests.local.run_fake PORT [CATALOG] [MODE]`.

MODE is `reload`, to run what is saved, or `compact`, to have all services in one process.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
import sys

from chassis import catalog as catalogs
from local.home import AlreadyRunningError, Home
from local.keeper import StartError
from local.parts import Options
from local.profile import COMPACT, USUAL
from local.supervisor import Supervisor


def main(port: str, catalog: str = str(catalogs.CATALOG_FILE), mode: str = "") -> None:
    """Run on `CREAVIO_HOME` until told to stop."""
    options = Options(
        Home.from_environment(),
        int(port),
        reload=mode == "reload",
        serve="tests.local.fake_service:serve",
        catalog_file=Path(catalog),
        profile=COMPACT if mode == "compact" else USUAL,
    )
    try:
        asyncio.run(Supervisor(options, lambda text: print(text, flush=True)).run())  # noqa: T201  # the test reads it
    except (AlreadyRunningError, StartError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
