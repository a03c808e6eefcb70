"""A catalog that contradicts itself is refused, and a good one is in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis import catalog as catalogs
from chassis.catalog import CatalogError


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("  a: {contract: c.a.v1, port: 7001, calls: [a]}\n", "circle"),
        (
            "  a: {contract: c.a.v1, port: 7001, calls: [b]}\n"
            "  b: {contract: c.b.v1, port: 7002, calls: [c]}\n"
            "  c: {contract: c.c.v1, port: 7003, calls: [a]}\n",
            "circle: .* → .* → .* → ",
        ),
        (
            "  a: {contract: c.a.v1, port: 7001}\n  b: {contract: c.b.v1, port: 7001}\n",
            "b and a both claim 7001",
        ),
        ("  a: {contract: c.a.v1, port: 7001, calls: [b]}\n", "a calls b, which is not"),
        (
            "  a: {contract: c.a.v1, port: 7001}\n  a: {contract: c.b.v1, port: 7002}\n",
            "a is there twice",
        ),
        ("  a: {port: 7001}\n", "services.a.contract"),
        ("  a: [\n", "catalog.yaml"),
        ("", "services"),
    ],
)
def test_a_catalog_that_contradicts_itself_is_refused(
    tmp_path: Path, text: str, complaint: str
) -> None:
    file = tmp_path / "catalog.yaml"
    file.write_text(f"services:\n{text}", encoding="utf-8")
    with pytest.raises(CatalogError, match=complaint):
        catalogs.load(file)


def test_services_stand_after_those_they_call() -> None:
    seen: set[str] = set()
    for name, entry in catalogs.load().services.items():
        assert seen >= set(entry.calls), name
        seen.add(name)


def test_a_contract_has_one_owner() -> None:
    catalog = catalogs.load()
    assert catalog.owner_of("creavio.chat.v1.MessageCreated") == "chat"
    with pytest.raises(CatalogError, match="no service in the catalog owns"):
        catalog.owner_of("creavio.chatter.v1.MessageCreated")


def test_whoever_may_call_is_known_to_the_called() -> None:
    catalog = catalogs.load()
    for name in catalog.services:
        callers = catalog.callers_of(name)
        assert callers == {n for n, e in catalog.services.items() if name in e.calls}
        assert name not in callers


def test_a_share_of_a_pool_is_two_connections_at_least() -> None:
    catalog = catalogs.load()
    for share in (0.1, 0.4, 1.0):
        for name, entry in catalog.pooled(share).services.items():
            whole = catalog.services[name].database
            if whole is None:
                assert entry.database is None
                continue
            assert entry.database is not None
            assert entry.database.connections == max(2, round(whole.connections * share))
    assert catalog.pooled(1.0) == catalog
