"""The catalog and the contracts tell one story."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis import catalog as catalogs
from chassis.catalog import Catalog, CatalogError
from tools.model import Model


@pytest.fixture
def catalog() -> Catalog:
    return catalogs.load()


def test_every_contract_in_the_catalog_exists(catalog: Catalog, model: Model) -> None:
    packages = {name.rpartition(".")[0] for name in model.services}
    assert {entry.contract for entry in catalog.services.values()} == packages


def test_every_consumed_event_is_emitted_by_another(catalog: Catalog, model: Model) -> None:
    emitted = {event.name for event in model.events}
    for name, entry in catalog.services.items():
        for consumed in entry.consumes:
            assert consumed in emitted
            assert catalog.owner_of(consumed) != name


def test_what_only_services_may_call_is_called_by_one(catalog: Catalog, model: Model) -> None:
    for service in model.services.values():
        if any(rpc.policy.access == "SERVICE" for rpc in service.rpcs):
            assert catalog.callers_of(catalog.owner_of(service.name)), service.name


def test_a_called_service_serves_something_to_services(catalog: Catalog, model: Model) -> None:
    serving = {
        catalog.owner_of(service.name)
        for service in model.services.values()
        if any(rpc.policy.access == "SERVICE" for rpc in service.rpcs)
    }
    for entry in catalog.services.values():
        assert set(entry.calls) <= serving


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: {contract: creavio.a.v1, port: 7001, calls: [b]}", "not in the catalog"),
        (
            "a: {contract: creavio.a.v1, port: 7001, calls: [b]}\n"
            "  b: {contract: creavio.b.v1, port: 7002, calls: [a]}",
            "circle",
        ),
        (
            "a: {contract: creavio.a.v1, port: 7001}\n  b: {contract: creavio.b.v1, port: 7001}",
            "both claim 7001",
        ),
        (
            "a: {contract: creavio.a.v1, port: 7001}\n  b: {contract: creavio.a.v1, port: 7002}",
            "both claim creavio.a.v1",
        ),
        ("a: {contract: creavio.a.v1, port: 80}", "services.a.port"),
        ("a: {contract: creavio.a.v1, port: 7001, speed: high}", "services.a.speed"),
    ],
)
def test_a_catalog_that_contradicts_itself_is_refused(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_text(f"services:\n  {text}\n", encoding="utf-8")
    with pytest.raises(CatalogError, match=complaint):
        catalogs.load(path)
