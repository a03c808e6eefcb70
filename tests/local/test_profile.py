"""What the profiles promise of pools, and that a service is told."""

from __future__ import annotations

from chassis import catalog as catalogs
from chassis.config import load
from local.credentials import Credentials
from local.home import Home, Instance
from local.instance import ServiceInstance
from local.parts import Options
from local.profile import COMPACT, USUAL, Profile


def pools(home: Home, profile: Profile) -> dict[str, int]:
    services = Options(home, profile=profile).catalog().services
    return {name: e.database.connections for name, e in services.items() if e.database}


def test_the_usual_profile_takes_the_catalog_at_its_word(home: Home) -> None:
    assert Options(home, profile=USUAL).catalog() == catalogs.load()


def test_compact_pools_are_under_half_of_the_usual_ones_and_nobody_is_left_without(
    home: Home,
) -> None:
    usual, compact = pools(home, USUAL), pools(home, COMPACT)
    assert compact.keys() == usual.keys()
    assert min(compact.values()) >= 2
    assert sum(compact.values()) < sum(usual.values()) / 2


def test_a_service_is_told_its_pool_and_its_log(home: Home) -> None:
    home.root.mkdir()
    home.prepare()
    for profile in (USUAL, COMPACT):
        entry = Options(home, profile=profile).catalog().services["chat"]
        instance = ServiceInstance(
            home,
            Instance("chat"),
            entry,
            Credentials(home.secrets),
            "nats://127.0.0.1:1",
            "http://localhost:8080",
        )
        config = load(instance.prepare())
        assert config.database_connections == pools(home, profile)["chat"]
        assert config.log_file == home.log("chat")
        assert config.env_file == home.env_file(Instance("chat"))
        instance.close()
