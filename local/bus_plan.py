"""What NATS must hold and whom it lets do what, from catalog and contracts.

Every service has a user of its own. It publishes only what it emits, hears only
answers to itself and the live events it follows, and takes from its durables;
it can neither make nor change a stream or consumer. The supervisor's own user
does that.

`python -m local.bus_plan CATALOG` writes the plan as JSON, for a process that has
older contracts loaded already, or none.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
import sys

from chassis import catalog as catalogs
from chassis import contract as contracts
from chassis.catalog import Catalog
from chassis.contract import Contract
from chassis.subjects import LIVE, filters_for, stream_of, subject_root, subjects_of
from creavio.auth.v1 import auth_events_pb2
from creavio.options.v1 import event_pb2
from local.bus import ADMIN, BusPlan, Durable, PlanError, Stream, User, dump

_DELIVERS = "gateway"
"""Follows every live event and reads back what a stream's follower missed."""
_FOLLOWED_BY_ALL = (
    subjects_of("rbac"),  # What changes voids what every service keeps of permissions.
    f"{subject_root(auth_events_pb2.SessionRevoked.DESCRIPTOR.full_name)}.>",
    subject_root(auth_events_pb2.SessionsHeartbeat.DESCRIPTOR.full_name),
)


_SAID_BY_ALL = subject_root(auth_events_pb2.TokenUsed.DESCRIPTOR.full_name)
"""What every service tells auth."""


def plan(catalog: Catalog, contract: Contract) -> BusPlan:
    """What follows from a catalog and its contracts."""
    emitters = sorted({event.service for event in contract.events.values()})
    durables = tuple(_durables(catalog))
    admin = User(ADMIN, ("creavio.>", f"{LIVE}>", "$JS.>"), (f"_INBOX_{ADMIN}.>",))
    return BusPlan(
        streams=tuple(Stream(stream_of(name), subjects_of(name)) for name in emitters),
        durables=durables,
        users=(
            admin,
            *(_user(name, name in emitters, durables, contract) for name in catalog.services),
        ),
    )


def load(catalog_file: Path) -> BusPlan:
    """The plan of a catalog file and the contracts as this process knows them."""
    catalog = catalogs.load(catalog_file)
    try:
        return plan(catalog, contracts.load(catalog))
    except ModuleNotFoundError as error:
        raise PlanError(f"{error.name} is not generated: make proto") from error


def _durables(catalog: Catalog) -> Iterable[Durable]:
    for name, entry in catalog.services.items():
        by_owner: dict[str, list[str]] = {}
        for event_type in entry.consumes:
            by_owner.setdefault(catalog.owner_of(event_type), []).append(event_type)
        for owner, types in by_owner.items():
            yield Durable(name, stream_of(owner), tuple(filters_for(types)))


def _user(service: str, emits: bool, durables: Iterable[Durable], contract: Contract) -> User:
    publish = [subjects_of(service), f"{LIVE}{subjects_of(service)}", f"{LIVE}{_SAID_BY_ALL}"]
    subscribe = [
        f"_INBOX_{service}.>",
        f"{LIVE}{subjects_of(service)}",  # Its replicas hear each other.
        *(f"{LIVE}{subjects}" for subjects in _FOLLOWED_BY_ALL),
    ]
    if emits:
        publish += [*_reading(stream_of(service)), f"$JS.API.STREAM.MSG.GET.{stream_of(service)}"]
    for durable in durables:
        if durable.name == service:
            # What it consumes it may hear of at once as well.
            subscribe += [f"{LIVE}{subject}" for subject in durable.filters]
            publish += [
                f"$JS.API.CONSUMER.MSG.NEXT.{durable.stream}.{service}",
                f"$JS.ACK.{durable.stream}.{service}.>",
            ]
    if service == "auth":
        subscribe.append(f"{LIVE}{_SAID_BY_ALL}")
    if service == _DELIVERS:
        subscribe.append(f"{LIVE}creavio.>")
        for stream in _streams_for_people(contract):
            publish += _reading(stream)
    return User(service, tuple(dict.fromkeys(publish)), tuple(dict.fromkeys(subscribe)))


def _reading(stream: str) -> list[str]:
    return [
        f"$JS.API.STREAM.INFO.{stream}",
        f"$JS.API.DIRECT.GET.{stream}",
        f"$JS.API.DIRECT.GET.{stream}.>",
    ]


def _streams_for_people(contract: Contract) -> list[str]:
    return sorted(
        {
            stream_of(event.service)
            for event in contract.events.values()
            if event.policy.audience == event_pb2.EVENT_AUDIENCE_STREAM
        }
    )


def main(catalog_file: str) -> None:
    """Write the plan as JSON to standard output."""
    try:
        sys.stdout.buffer.write(dump(load(Path(catalog_file))))
    except (catalogs.CatalogError, PlanError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
