"""NATS is away or comes back without its tail, and what consumes is held up."""

from __future__ import annotations

from pathlib import Path
import time
from typing import Final

import pytest
import sqlalchemy as sa

from tests.chaos.ordeal import Ordeals
from tests.checking.nats_store import NatsStore
from tests.checking.options import Chaos
from tests.live import Live

ACK_WAIT: Final = 30.0
"""Seconds after which NATS delivers again what was not acknowledged."""
ROLES: Final = 12
CAUGHT_UP_WITHIN: Final = 60.0
"""Seconds until a consumer did what it had to: twice the time of one redelivery."""


def epoch_of(live: Live) -> int:
    """How often chat's log turned out to have lost something."""
    engine = sa.create_engine(live.database_url("creavio_chat"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        return int(connection.execute(sa.text("SELECT max(number) FROM epoch")).scalar_one())


@pytest.mark.timeout(600)
def test_nats_is_away(frail: Live, chaos: Chaos, ordeals: Ordeals, tmp_path: Path) -> None:
    with ordeals.of(frail, "NATS away") as ordeal:
        store = NatsStore(frail, tmp_path)
        store.go_down()
        try:
            ordeal.did("NATS is killed, and not started again")
            # Longer than what rbac and auth announced is believed, and a sweep is put off.
            time.sleep(60.0 if chaos.long else 2.5)
            ordeal.checker.sent_from_now(30)
            ordeal.did("everybody writes all the same")
        finally:
            store.come_back()
        ordeal.did("NATS is started")


@pytest.mark.timeout(600)
def test_nats_loses_its_tail(frail: Live, chaos: Chaos, ordeals: Ordeals, tmp_path: Path) -> None:
    for number in range(5 if chaos.long else 1):
        with ordeals.of(frail, f"NATS loses its tail {number + 1}") as ordeal:
            store = NatsStore(frail, tmp_path / str(number))
            epoch = epoch_of(frail)
            store.remember()
            ordeal.did("all that follows in NATS is not synced")
            ordeal.checker.await_told(ordeal.checker.sent_from_now(30), 30)
            store.go_down()
            try:
                ordeal.did("the power fails, for NATS")
                time.sleep(0.5)
                store.lose_tail()
            finally:
                store.come_back()
            ordeal.did("NATS is started without what was not synced")
        assert epoch_of(frail) > epoch, "chat's log lost nothing"


@pytest.mark.timeout(600)
def test_who_writes_is_paused(frail: Live, chaos: Chaos, ordeals: Ordeals) -> None:
    """Not killed: its connections stay, and so does what it locked."""
    with ordeals.of(frail, "chat paused") as ordeal:
        for parts in (("chat",), ("chat-2",), ("chat", "chat-2")):
            with frail.stopped(*parts):
                ordeal.did(f"{' and '.join(parts)} paused")
                time.sleep(12.0 if chaos.long else 1.5)
            ordeal.did("continued")
            time.sleep(0.5)


@pytest.mark.timeout(600)
def test_a_paused_consumer_catches_up(frail: Live, chaos: Chaos, ordeals: Ordeals) -> None:
    """Each deed in rbac is written down once by community, though it died catching up."""
    with ordeals.of(frail, "consumer paused") as ordeal:
        owner = frail.sign_up("owner")
        community = owner.found()["id"]
        with frail.stopped("community"):
            ordeal.did("community paused")
            roles = [
                owner.do("POST", f"/v1/communities/{community}/roles", json={"name": f"r{n}"})
                for n in range(ROLES)
            ]
            time.sleep(ACK_WAIT + 5 if chaos.long else 2.0)
        ordeal.did(f"continued, after {ROLES} deeds")
        time.sleep(0.05)
        ordeal.kill("community")
        ordeal.await_health()
        wanted = sorted(role["id"] for role in roles)

        def written_down() -> list[str]:
            log = owner.do(
                "GET", f"/v1/communities/{community}/audit-log", params={"page_size": 100}
            )
            entries = [e for e in log["entries"] if e["action"] == "AUDIT_ACTION_ROLE_CREATED"]
            return sorted(entry["target_id"] for entry in entries)

        ends = time.monotonic() + CAUGHT_UP_WITHIN
        while len(written_down()) < ROLES and time.monotonic() < ends:
            time.sleep(0.2)
        time.sleep(1.0)
        assert written_down() == wanted
