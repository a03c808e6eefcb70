"""Who is there and who writes, across two gateways, told to those who share a place."""

from __future__ import annotations

import time

from tests.e2e.readers import Reader, eventually, reading
from tests.live import Live


def statuses(stream: Reader, person: str) -> list[str]:
    """What was told of somebody's presence, in order."""
    told = (presence for _, presence in stream.told("presence"))
    return [p["status"].removeprefix("PRESENCE_STATUS_") for p in told if p["user_id"] == person]


def test_coming_and_going_is_told_to_whoever_shares_a_place(pair: Live) -> None:
    ada, bob, eve = (pair.sign_up(name) for name in ("ada", "bob", "eve"))
    community = ada.found()["id"]
    bob.accept(ada.invite(community))
    presences = f"/v1/communities/{community}/presences"
    with reading(ada, 4) as hers, reading(eve, 2) as outside:
        with reading(bob, 2):
            for stream in hers:
                eventually(
                    lambda s=stream: statuses(s, bob.id)[-1:] == ["ONLINE"],  # type: ignore[misc]
                    5,
                    "nobody saw bob come",
                )
            bob.do("POST", "/v1/presence", json={"status": "PRESENCE_STATUS_DO_NOT_DISTURB"})
            for stream in hers:
                eventually(
                    lambda s=stream: statuses(s, bob.id)[-1:] == ["DO_NOT_DISTURB"],  # type: ignore[misc]
                    5,
                    "nobody saw bob's sign",
                )
            there = {p["user_id"] for p in ada.do("GET", presences)["presences"]}
            assert there == {ada.id, bob.id}
            assert eve.ask("GET", presences).status_code == 404
        for stream in hers:
            eventually(
                lambda s=stream: statuses(s, bob.id)[-1:] == ["OFFLINE"],  # type: ignore[misc]
                15,
                "nobody saw bob go",
            )
        assert all(not statuses(s, bob.id) and not statuses(s, ada.id) for s in outside)


def test_typing_is_told_to_who_sees_the_channel(pair: Live) -> None:
    ada, bob, eve = (pair.sign_up(name) for name in ("ada", "bob", "eve"))
    community = ada.found()["id"]
    channel = ada.open_channel(community)["id"]
    body = {"name": "vault", "private": True}
    vault = ada.do("POST", f"/v1/communities/{community}/channels", json=body)["id"]
    for person in (bob, eve):
        person.accept(ada.invite(community))
    with reading(bob, 2) as his, reading(ada, 2) as hers:
        ada.do("POST", f"/v1/channels/{vault}:typing", json={})
        for _ in range(3):
            ada.do("POST", f"/v1/channels/{channel}:typing", json={})
        for stream in his:
            eventually(lambda s=stream: bool(s.told("typing")), 3, "not told")  # type: ignore[misc]
        time.sleep(0.5)
        for stream in his:
            assert [t for _, t in stream.told("typing")] == [
                {"channel_id": channel, "user_id": ada.id}
            ]
        assert not any(stream.told("typing") for stream in hers)
    assert bob.ask("POST", f"/v1/channels/{vault}:typing", json={}).status_code == 404
