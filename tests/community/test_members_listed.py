"""Who is in a community, for those who are in it."""

from __future__ import annotations

from tests.live import Live, Person, refusal


def listed(person: Person, community: str, size: int = 50) -> list[str]:
    """Everybody, page by page."""
    found: list[str] = []
    token = ""
    while True:
        query = {"page_size": size, "page_token": token}
        page = person.do("GET", f"/v1/communities/{community}/members", params=query)
        assert len(page["members"]) <= size
        found += [member["user_id"] for member in page["members"]]
        token = page["next_page_token"]
        if not token:
            return found


def test_members_are_listed_in_the_order_of_joining(live: Live) -> None:
    people = [live.sign_up(name) for name in ("ada", "bob", "eve", "joe", "kim")]
    ada, bob, *_ = people
    community = ada.found()["id"]
    invite = ada.invite(community)
    for person in people[1:]:
        person.accept(invite)
    everybody = [person.id for person in people]
    for size in (1, 2, 5, 50):
        assert listed(bob, community, size) == everybody
    page = bob.do("GET", f"/v1/communities/{community}/members", params={"page_size": 1})
    assert page["members"][0]["community_id"] == community
    assert page["members"][0]["join_time"]


def test_a_page_goes_on_behind_who_left_meanwhile(live: Live) -> None:
    people = [live.sign_up(name) for name in ("ada", "bob", "eve", "joe")]
    ada, bob, eve, joe = people
    community = ada.found()["id"]
    invite = ada.invite(community)
    for person in people[1:]:
        person.accept(invite)
    place = f"/v1/communities/{community}/members"
    page = ada.do("GET", place, params={"page_size": 2})
    assert [member["user_id"] for member in page["members"]] == [ada.id, bob.id]
    # The one the page ended with is gone, and one who was to come too.
    ada.do("DELETE", f"{place}/{bob.id}")
    ada.do("DELETE", f"{place}/{eve.id}")
    rest = ada.do("GET", place, params={"page_token": page["next_page_token"]})
    assert [member["user_id"] for member in rest["members"]] == [joe.id]
    assert rest["next_page_token"] == ""


def test_who_is_not_in_it_learns_nothing(live: Live) -> None:
    ada, bob, eve = live.sign_up("ada"), live.sign_up("bob"), live.sign_up("eve")
    community, other = ada.found()["id"], ada.found()["id"]
    place = f"/v1/communities/{community}/members"
    bob.accept(ada.invite(community))
    assert refusal(eve.ask("GET", place)) == (404, "NOT_FOUND")
    token = ada.do("GET", place, params={"page_size": 1})["next_page_token"]
    # A page's token is for who was given it, and there.
    elsewhere = f"/v1/communities/{other}/members"
    for person, path in ((bob, place), (ada, elsewhere)):
        reply = person.ask("GET", path, params={"page_token": token})
        assert refusal(reply) == (400, "INVALID_PAGE_TOKEN")
    ada.do("DELETE", f"{place}/{bob.id}")
    assert refusal(bob.ask("GET", place)) == (404, "NOT_FOUND")
    assert listed(ada, community) == [ada.id]
    assert refusal(ada.ask("GET", place, params={"page_size": 101}))[0] == 400
