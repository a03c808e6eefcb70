"""The catalog: which services there are, and what each may use.

`catalog.yaml` at the root of the project is the one list of services. It is
read here and nowhere else; whoever needs a fact about a service takes it from
a `Catalog`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
import yaml

CATALOG_FILE = Path(__file__).parents[1] / "catalog.yaml"


class CatalogError(Exception):
    """The catalog contradicts itself; the message says where."""


class DatabaseEntry(BaseModel):
    """The database of a service."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    connections: int = Field(ge=2, le=50)


class ServiceEntry(BaseModel):
    """One service, as the catalog states it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    contract: str
    port: int = Field(ge=1024, le=65535)
    calls: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()
    database: DatabaseEntry | None = None
    secrets: tuple[str, ...] = ()
    replicas: int = Field(default=1, ge=1, le=16)


class _Loader(yaml.SafeLoader):
    """YAML, but a name that is there twice is an error: the second would replace the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                raise yaml.constructor.ConstructorError(
                    problem=f"{name} is there twice", problem_mark=node.start_mark
                )
        return super().construct_mapping(node, deep)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    services: dict[str, ServiceEntry]

    @model_validator(mode="after")
    def _consistent(self) -> _File:
        owners: dict[object, str] = {}
        for name, entry in self.services.items():
            for fact in (entry.port, entry.contract):
                other = owners.setdefault(fact, name)
                if other != name:
                    raise ValueError(f"{name} and {other} both claim {fact}")
            for called in entry.calls:
                if called not in self.services:
                    raise ValueError(f"{name} calls {called}, which is not in the catalog")
        return self


@dataclass(frozen=True, slots=True)
class Catalog:
    """The services by name, callees before their callers."""

    services: dict[str, ServiceEntry]

    def scaled(self, replicas: Mapping[str, int]) -> Catalog:
        """The catalog with other numbers of processes for some services.

        Raises `CatalogError` for a service it does not have, or a number it cannot run.
        """
        services = dict(self.services)
        for name, number in replicas.items():
            if name not in services:
                raise CatalogError(f"replicas: there is no service {name}")
            entry = services[name].model_dump() | {"replicas": number}
            try:
                services[name] = ServiceEntry.model_validate(entry)
            except ValidationError as error:
                raise CatalogError(f"replicas of {name}: {error.errors()[0]['msg']}") from error
        return Catalog(services)

    def pooled(self, share: float) -> Catalog:
        """The catalog with pools of a share of their connections, two at least."""
        services = dict(self.services)
        for name, entry in self.services.items():
            if entry.database is not None:
                number = max(2, round(entry.database.connections * share))
                smaller = DatabaseEntry(connections=number)
                services[name] = entry.model_copy(update={"database": smaller})
        return Catalog(services)

    def callers_of(self, name: str) -> frozenset[str]:
        """The services that may call `name`."""
        return frozenset(n for n, entry in self.services.items() if name in entry.calls)

    def owner_of(self, full_name: str) -> str:
        """The service whose contract defines a message or gRPC service.

        Raises `CatalogError` when no service does.
        """
        for name, entry in self.services.items():
            if full_name.startswith(entry.contract + "."):
                return name
        raise CatalogError(f"no service in the catalog owns {full_name}")


def load(path: Path = CATALOG_FILE) -> Catalog:
    """Read and check the catalog.

    Raises `CatalogError` for a malformed file, a name, port or contract that is
    used twice, a call to an unknown service, or calls that form a circle.
    """
    try:
        text = path.read_text(encoding="utf-8")
        file = _File.model_validate(yaml.load(text, _Loader))  # noqa: S506  # a safe loader
        # Sorted: the same order in every process.
        graph = {name: sorted(entry.calls) for name, entry in file.services.items()}
        order = tuple(TopologicalSorter(graph).static_order())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CatalogError(f"{path.name}: {place}: {first['msg']}") from error
    except CycleError as error:
        raise CatalogError(
            f"{path.name}: calls form a circle: {' → '.join(error.args[1])}"
        ) from error
    except yaml.YAMLError as error:
        raise CatalogError(f"{path.name}: {error}") from error
    return Catalog({name: file.services[name] for name in order})
