"""One message, to whoever may read its channel."""

from __future__ import annotations

from tests.live import Live


def test_a_member_reads_the_message_as_it_was_sent(live: Live) -> None:
    ada = live.sign_up("ada")
    channel = ada.open_channel(ada.found()["id"])
    sent = ada.send(channel["id"], "Is anybody there?")
    assert ada.do("GET", f"/v1/channels/{channel['id']}/messages/{sent['id']}") == sent


def test_an_outsider_learns_of_no_message(live: Live) -> None:
    ada, mallory = live.sign_up("ada"), live.sign_up("mallory")
    channel = ada.open_channel(ada.found()["id"])
    sent = ada.send(channel["id"], "Among us.")
    reply = mallory.ask("GET", f"/v1/channels/{channel['id']}/messages/{sent['id']}")
    assert reply.status_code == 404
    assert reply.json()["details"][0]["reason"] == "NOT_FOUND"


def test_a_deleted_message_is_not_found(live: Live) -> None:
    ada = live.sign_up("ada")
    channel = ada.open_channel(ada.found()["id"])
    path = f"/v1/channels/{channel['id']}/messages/{ada.send(channel['id'], 'Oops.')['id']}"
    ada.do("DELETE", path)
    assert ada.ask("GET", path).status_code == 404
