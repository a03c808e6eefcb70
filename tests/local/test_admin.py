"""Who runs the machine says who administrates the instance."""

from __future__ import annotations

from collections.abc import Iterator
import uuid

import pytest

from local.home import Home
from local.operator import token_for
from tests.live import Live, Person, running
from tests.local.commands import complaint, creavio

ADMINISTRATORS = "/v1/instance/administrators"


@pytest.fixture(scope="module")
def fresh() -> Iterator[Live]:
    """A platform that nobody administrates."""
    with running() as live:
        yield live


def administers(person: Person) -> bool:
    return person.ask("GET", ADMINISTRATORS).is_success


def test_the_first_administrator_and_the_next(fresh: Live) -> None:
    made = creavio(fresh.home, "admin", "create", "keeper", "--email", "k@example.org", answer="\n")
    assert made.returncode == 0, made.stderr
    password = made.stdout.split()[-1]
    with fresh.client() as client:
        reply = client.post("/v1/sessions", json={"login": "keeper", "password": password})
    keeper = Person(fresh, "keeper", reply.json())
    assert administers(keeper)
    member = fresh.sign_up("member")
    assert not administers(member)
    for _ in range(2):  # Again changes nothing.
        assert creavio(fresh.home, "admin", "promote", member.handle.upper()).returncode == 0
        assert administers(member)
    for _ in range(2):
        assert creavio(fresh.home, "admin", "demote", member.handle).returncode == 0
        assert not administers(member)
    assert "promote another one first" in complaint(
        creavio(fresh.home, "admin", "demote", "keeper")
    )
    assert administers(keeper)


def test_a_given_password_is_used_and_not_shown(live: Live) -> None:
    handle = f"admin-{uuid.uuid4().hex[:8]}"
    made = creavio(
        live.home,
        *("admin", "create", handle, "--email", "a@example.org"),
        answer="correct horse battery\n",
    )
    assert made.returncode == 0, made.stderr
    assert "battery" not in made.stdout
    assert administers(live.sign_in(handle))


def test_what_goes_wrong_is_one_line(live: Live, home: Home) -> None:
    taken = live.sign_up("taken").handle
    again = creavio(live.home, "admin", "create", taken, "--email", "a@example.org", answer="\n")
    assert f"creavio admin promote {taken}" in complaint(again)
    short = creavio(live.home, "admin", "create", "tiny", "--email", "a@example.org", answer="x\n")
    assert "password" in complaint(short)
    nobody = creavio(live.home, "admin", "promote", "nobody-at-all")
    assert complaint(nobody) == "nobody here is called nobody-at-all"
    assert creavio(home, "admin", "promote", "x").returncode == 3


def test_a_token_of_another_instance_is_nobodys(live: Live, fresh: Live) -> None:
    person = live.sign_up("somebody")
    forged = Person(
        live, person.handle, person.session | {"access_token": token_for(fresh.home, person.id)}
    )
    assert forged.ask("GET", "/v1/users/me").status_code == 401
    genuine = Person(
        live, person.handle, person.session | {"access_token": token_for(live.home, person.id)}
    )
    assert genuine.ask("GET", "/v1/users/me").is_success
