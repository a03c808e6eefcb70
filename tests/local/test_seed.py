"""A demo community comes to life, once."""

from __future__ import annotations

import stat

import pytest

from local.databases import connected, database_of
from local.home import Home
from local.seed.lantern_street import SCENE
from tests.live import Live, Person
from tests.local.commands import complaint, creavio

SERVICES = ("auth", "user", "rbac", "community", "chat")


def told(live: Live) -> dict[str, int]:
    """How many events each service told, but sign-ins, which change nothing here."""
    counts = {}
    for service in SERVICES:
        with connected(live.home, database_of(service)) as connection:
            query = "SELECT count(*) FROM outbox WHERE type NOT LIKE '%Session%'"
            ((counts[service],),) = connection.execute(query).fetchall()
    return counts


def somebody(live: Live, key: str) -> Person:
    password = (live.home.secrets / "demo.password").read_text()
    handle = SCENE.people[key].handle
    with live.client() as client:
        session = client.post("/v1/sessions", json={"login": handle, "password": password})
    assert session.is_success, session.text
    return Person(live, handle, session.json())


@pytest.fixture(scope="module")
def seeded(live: Live) -> Live:
    """A platform that was seeded."""
    done = creavio(live.home, "seed")
    assert done.returncode == 0, done.stderr
    assert "7 people, 6 channels" in done.stdout
    assert SCENE.people["mira"].handle in done.stdout
    return live


def test_seeding_twice_changes_nothing(seeded: Live) -> None:
    before = told(seeded)
    again = creavio(seeded.home, "seed")
    assert again.returncode == 0, again.stderr
    assert "nothing was changed" in again.stdout
    assert told(seeded) == before


def test_a_newcomer_finds_it_and_steps_inside(seeded: Live) -> None:
    newcomer = seeded.sign_up()
    found = newcomer.do("GET", "/v1/communities:discover")["communities"]
    place = next(one for one in found if one["name"] == SCENE.name)
    assert place["description"] == SCENE.about
    newcomer.do("POST", f"/v1/communities/{place['id']}:join")
    channels = newcomer.do("GET", f"/v1/communities/{place['id']}/channels")["channels"]
    assert {one["name"] for one in channels} == {r.name for r in SCENE.rooms if r.only == ""}


def test_it_says_how_to_sign_in_and_keeps_the_password_to_itself(seeded: Live) -> None:
    file = seeded.home.secrets / "demo.password"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() in creavio(seeded.home, "seed").stdout
    assert somebody(seeded, "odette").do("GET", "/v1/users/me")["bio"]


def test_there_is_something_to_see(seeded: Live) -> None:
    mira = somebody(seeded, "mira")
    (community,) = [
        c for c in mira.do("GET", "/v1/communities")["communities"] if c["name"] == SCENE.name
    ]
    path = f"/v1/communities/{community['id']}"
    roles = {r["name"]: r["color"] for r in mira.do("GET", f"{path}/roles")["roles"]}
    assert {part.name: part.color for part in SCENE.parts}.items() <= roles.items()
    channels = {c["name"]: c for c in mira.do("GET", f"{path}/channels")["channels"]}
    assert set(channels) == {room.name for room in SCENE.rooms}
    for room in SCENE.rooms:
        messages = mira.messages(channels[room.name]["id"])
        assert [m["content"] for m in messages] == [line.text for line in room.lines]
        assert [bool(m.get("pin_time")) for m in messages] == [line.pinned for line in room.lines]
        reactions = [{r["emoji"]: r["count"] for r in m["reactions"]} for m in messages]
        assert reactions == [{e: len(p) for e, p in line.reactions.items()} for line in room.lines]
    assert mira.do("GET", "/v1/conversations")["conversations"]


def test_the_keyholders_are_among_themselves(seeded: Live) -> None:
    pell, ines = somebody(seeded, "pell"), somebody(seeded, "ines")
    seen = {}
    for person in (pell, ines):
        (community,) = person.do("GET", "/v1/communities")["communities"]
        path = f"/v1/communities/{community['id']}/channels"
        seen[person.handle] = {c["name"] for c in person.do("GET", path)["channels"]}
    assert seen[ines.handle] - seen[pell.handle] == {"keyholders"}


def test_what_was_cut_off_is_finished(seeded: Live) -> None:
    mira = somebody(seeded, "mira")
    (community,) = mira.do("GET", "/v1/communities")["communities"]
    channels = mira.do("GET", f"/v1/communities/{community['id']}/channels")["channels"]
    channel = next(c["id"] for c in channels if c["name"] == "cake")
    before = mira.messages(channel)
    pell = somebody(seeded, "pell")
    mine = next(m for m in before if m["author_id"] == pell.id)
    pell.ask("DELETE", f"/v1/channels/{channel}/messages/{mine['id']}")
    assert creavio(seeded.home, "seed").returncode == 0
    after = mira.messages(channel)
    assert sorted(m["content"] for m in after) == sorted(m["content"] for m in before)


def test_handles_that_are_somebody_elses_are_said_in_one_line(seeded: Live) -> None:
    file = seeded.home.secrets / "demo.password"
    kept = file.read_text()
    try:
        file.write_text("another password")
        assert "mira.lantern is an account here already" in complaint(creavio(seeded.home, "seed"))
    finally:
        file.write_text(kept)


def test_without_a_platform_it_says_so(home: Home) -> None:
    done = creavio(home, "seed")
    assert done.returncode == 3
    assert "nothing runs" in done.stderr
    assert not home.root.exists()


def test_the_scene_is_whole() -> None:
    """Everybody named in it is in it, and what is answered was said before."""
    people = set(SCENE.people)
    for lines in (*(r.lines for r in SCENE.rooms), *(a.lines for a in SCENE.asides)):
        said: list[str] = []
        for line in lines:
            assert line.who in people
            assert all(people.issuperset(who) for who in line.reactions.values())
            assert not line.answers or any(text.startswith(line.answers) for text in said)
            said.append(line.text)
        assert len({(line.who, line.text) for line in lines}) == len(lines)
    assert {part.name for part in SCENE.parts} >= {room.only for room in SCENE.rooms if room.only}
