"""Templates: what a community is like, and nobody's way into anything."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from chassis import ids
from services.community import domain, store
from services.community.domain.builtin import BUILT_IN
from services.community.domain.forum import Forum, Tag
from services.community.domain.onboarding import Rule
from services.community.domain.template import (
    CHANNELS,
    ROLES,
    TEMPLATES,
    AnswerShape,
    ChannelShape,
    Founding,
    OnboardingShape,
    OverrideShape,
    Places,
    QuestionShape,
    RoleShape,
    Shape,
    Template,
    TooMuch,
    laid_out,
    may_have_another_template,
    shape_of,
)
from services.rbac.domain.permissions import MEMBERS_MAY
from tests.community.world import ADA, LOST, NOW, World, fail
from tests.live import Live, Person, refusal

VIEW = 2
MEMBER = RoleShape("member", allow=(1, VIEW, 3))
SHAPE = Shape(
    (MEMBER, RoleShape("Moderators", 7, (4,), (10,))),
    ("First", "Second"),
    (
        ChannelShape("lobby"),
        ChannelShape("news", "What is new", category=1),
        ChannelShape("back", category=0, private=True, forum=Forum("Hm.", (Tag(None, "A"),))),
    ),
    (OverrideShape(2, 0, deny=(VIEW,)), OverrideShape(2, 1, allow=(VIEW,))),
    OnboardingShape(
        (Rule("Be kind", ""),),
        "Hello!",
        (1,),
        must_accept=True,
        questions=(QuestionShape("Why?", (AnswerShape("so", "", (1,), (2, 0)),), required=True),),
    ),
)


async def intend(world: World) -> domain.Community:
    community = await world.intend_founding()
    places = laid_out(SHAPE, community)
    async with world.database.transaction() as tx:
        for category in places.categories:
            await store.add_category(tx, category)
        for channel in places.channels:
            await store.add_channel(tx, channel)
        channel_ids = tuple(channel.id for channel in places.channels)
        founding = Founding(SHAPE, channel_ids, places.role_ids)
        await store.begin_founding(tx, community.id, founding)
        assert await store.founding(tx, community.id) == founding
    return community


@LOST
async def test_a_community_is_there_with_all_of_its_template_or_for_nobody(
    world: World, lost: str
) -> None:
    community = await intend(world)
    await fail(world, lost, lambda: world.memberships.finish_founding(community.id, ADA))
    assert await world.told() == []
    async with world.database.reading() as tx:
        assert await store.communities_of(tx, ADA, None, 10) == []
    await world.memberships.resume()
    await world.memberships.finish_founding(community.id, ADA)
    told = await world.told()
    assert sorted(told) == sorted(
        ["CommunityCreated", "MemberJoined", *["CategoryCreated"] * 2, *["ChannelCreated"] * 3]
    )
    async with world.database.reading() as tx:
        channels = {c.name: c for c in await store.channels_of(tx, community.id, None, 10)}
        categories = [c.name for c in await store.categories_of(tx, community.id)]
        assert await store.founding(tx, community.id) is None
    assert categories == ["First", "Second"]
    policy = world.rbac.shapes[ids.text(ids.Kind.COMMUNITY, community.id)]
    assert [role.name for role in policy.roles] == ["member", "Moderators"]
    assert len({role.role_id for role in policy.roles} - {""}) == 2
    back = ids.text(ids.Kind.CHANNEL, channels["back"].id)
    assert [(o.channel_id, o.role) for o in policy.overrides] == [(back, 0), (back, 1)]
    assert channels["back"].private
    assert channels["back"].forum is not None
    assert channels["back"].forum.tags[0].id is not None


def places() -> Places:
    return laid_out(SHAPE, domain.new_community("x", ADA, NOW))


def test_what_not_every_member_sees_is_left_out_unless_it_is_asked_for() -> None:
    made = places()
    said = made.categories, made.channels, SHAPE.roles, SHAPE.overrides
    met: Any = {"role_ids": made.role_ids, "onboarding": made.onboarding}
    kept = shape_of(*said, include_private=False, **met)
    assert [channel.name for channel in kept.channels] == ["lobby", "news"]
    assert kept.overrides == ()
    assert kept.onboarding.channels == (1,)
    assert kept.onboarding.questions[0].answers[0].channels == (0,), "nor is it suggested"
    assert shape_of(*said, include_private=True, **met) == SHAPE
    gone = shape_of(*said, include_private=True, onboarding=made.onboarding)
    assert gone.onboarding.questions[0].answers[0].roles == (), "a role that is gone"


def test_where_members_see_nothing_only_what_is_opened_is_shown() -> None:
    made = places()
    blind = replace(MEMBER, allow=(1,))
    opened = (OverrideShape(1, 0, allow=(VIEW,)), OverrideShape(0, 1, allow=(VIEW,)))
    kept = shape_of(made.categories, made.channels, (blind,), opened, include_private=False)
    assert [channel.name for channel in kept.channels] == ["news"]
    assert kept.overrides == (OverrideShape(0, 0, allow=(VIEW,)),)


def test_templates_have_their_bounds() -> None:
    (lobby, *_) = places().channels
    shape_of((), [lobby] * CHANNELS, (MEMBER,) * ROLES, (), include_private=False)
    with pytest.raises(TooMuch):
        shape_of((), [lobby] * (CHANNELS + 1), (MEMBER,), (), include_private=False)
    with pytest.raises(TooMuch):
        shape_of((), [lobby], (MEMBER,) * (ROLES + 1), (), include_private=False)
    may_have_another_template(TEMPLATES - 1)
    with pytest.raises(TooMuch):
        may_have_another_template(TEMPLATES)


def test_members_of_what_is_built_in_may_what_members_may_elsewhere() -> None:
    for template in BUILT_IN.values():
        assert set(template.shape.roles[0].allow) == set(MEMBERS_MAY)


def make(person: Person, community: str, **more: Any) -> Any:
    return person.ask(
        "POST", f"/v1/communities/{community}/templates", json={"name": "Ours", **more}
    )


def founded(person: Person, template: str, **more: Any) -> Any:
    body = {"name": "Another", "template": template, **more}
    return person.do("POST", "/v1/communities", json=body)


def channels(person: Person, community: str) -> dict[str, Any]:
    listed = person.do("GET", f"/v1/communities/{community}/channels")["channels"]
    return {each["name"]: each for each in listed}


def given(owner: Person, community: str, person: Person, *permissions: str) -> str:
    allow = [f"PERMISSION_{name}" for name in permissions]
    role = owner.do(
        "POST", f"/v1/communities/{community}/roles", json={"name": "Helpers", "allow": allow}
    )["id"]
    path = f"/v1/communities/{community}/members/{person.id}/roles"
    owner.do("POST", path, json={"role_id": role})
    return str(role)


def test_a_community_is_founded_as_another_one_is(live: Live) -> None:
    ada, bob, eve = (live.sign_up(name) for name in ("ada", "bob", "eve"))
    here = ada.found()["id"]
    place = f"/v1/communities/{here}"
    category = ada.do("POST", f"{place}/categories", json={"name": "Talk"})["id"]
    forum = {
        "guidelines": "Be kind.",
        "tags": [{"name": "Help", "emoji": "🛟"}],
        "tag_required": True,
    }
    for body in (
        {"name": "news", "category_id": category, "topic": "What is new"},
        {"name": "questions", "type": "CHANNEL_TYPE_FORUM", "forum": forum},
        {"name": "back room", "private": True},
    ):
        ada.do("POST", f"{place}/channels", json=body)
    bob.accept(ada.invite(here))
    given(ada, here, bob, "PIN_MESSAGES")
    ada.send(channels(ada, here)["news"]["id"], "Among us.")
    made = make(ada, here, request_id="k").json()
    assert make(ada, here, request_id="k").json() == made
    assert eve.do("GET", f"/v1/templates/{made['code']}") == made
    assert "back room" not in str(made)
    assert bob.id not in str(made)
    with eve.listening() as stream:
        there = founded(eve, made["code"], request_id="f")
        assert founded(eve, made["code"], request_id="f") == there
        stream.until("channel_created")
    now = channels(eve, there["id"])
    assert set(now) == {"news", "questions"}
    assert now["news"]["topic"] == "What is new"
    assert now["news"]["category_id"] not in ("", category)
    (tag,) = now["questions"]["forum"]["tags"]
    assert (tag["name"], tag["emoji"]) == ("Help", "🛟")
    roles = eve.do("GET", f"/v1/communities/{there['id']}/roles")["roles"]
    assert [role["name"] for role in roles] == ["owner", "Helpers", "member"]
    eve.send(now["news"]["id"], "And here.")
    assert [m["content"] for m in eve.messages(now["news"]["id"])] == ["And here."]
    assert bob.ask("GET", f"/v1/communities/{there['id']}").status_code == 404
    log = ada.do("GET", f"{place}/audit-log")["entries"]
    assert log[0]["action"] == "AUDIT_ACTION_TEMPLATE_CREATED"
    assert made["code"] not in str(log)


def test_newcomers_meet_there_what_they_meet_here(live: Live) -> None:
    ada, bob, eve = (live.sign_up(name) for name in ("ada", "bob", "eve"))
    here = ada.found()["id"]
    place = f"/v1/communities/{here}"
    chess = ada.do("POST", f"{place}/roles", json={"name": "chess"})["id"]
    ids_here = [ada.open_channel(here, "games")["id"]]
    body = {"name": "closed", "private": True}
    ids_here.append(ada.do("POST", f"{place}/channels", json=body)["id"])
    answers = [
        {"title": "chess", "emoji": "♟", "role_ids": [chess], "channel_ids": ids_here},
        {"title": "none"},
    ]
    said = {
        "rules": [{"title": "Be kind", "text": "To everybody."}],
        "welcome": "Hello!",
        "channel_ids": ids_here[::-1],
        "must_accept": True,
        "questions": [{"title": "What do you play?", "required": True, "answers": answers}],
    }
    ada.do("PATCH", f"{place}/onboarding", json=said)
    made = make(ada, here).json()
    for known in (chess, *ids_here, "closed"):
        assert known not in str(made)
    there = founded(eve, made["code"])["id"]
    place = f"/v1/communities/{there}"
    met = eve.do("GET", f"{place}/onboarding")
    games = channels(eve, there)["games"]["id"]
    assert (met["rules"], met["welcome"], met["must_accept"]) == (said["rules"], "Hello!", True)
    assert met["channel_ids"] == [games]
    (question,) = met["questions"]
    assert (question["title"], question["required"]) == ("What do you play?", True)
    first = question["answers"][0]
    assert (first["title"], first["emoji"], first["channel_ids"]) == ("chess", "♟", [games])
    bob.accept(eve.invite(there))
    reply = bob.ask("POST", f"/v1/channels/{games}/messages", json={"content": "hello"})
    assert refusal(reply) == (403, "ONBOARDING_REQUIRED")
    bob.do("POST", f"{place}/onboarding:complete", json={"rules_version": met["rules_version"]})
    bob.do("POST", f"{place}/onboarding:answer", json={"answer_ids": [first["id"]]})
    bob.send(games, "hello")
    names = {r["id"]: r["name"] for r in eve.do("GET", f"{place}/roles")["roles"]}
    held = bob.do("GET", f"{place}/members/{bob.id}/roles")["role_ids"]
    assert {names[role] for role in held} == {"member", "chess"}


def test_a_template_has_no_channel_that_its_maker_does_not_see(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    here = ada.found()["id"]
    for name, private in (("secret", True), ("open", False)):
        body = {"name": name, "private": private}
        ada.do("POST", f"/v1/communities/{here}/channels", json=body)
    bob.accept(ada.invite(here))
    given(ada, here, bob, "MANAGE_COMMUNITY", "MANAGE_ROLES", "MANAGE_CHANNELS")
    bobs = make(bob, here, include_private=True).json()
    assert [channel["name"] for channel in bobs["channels"]] == ["open"]
    adas = make(ada, here, include_private=True).json()
    assert {channel["name"] for channel in adas["channels"]} == {"secret", "open"}
    there = founded(ada, adas["code"])["id"]
    bob.accept(ada.invite(there))
    assert set(channels(bob, there)) == {"open"}
    assert channels(ada, there)["secret"]["private"]


@pytest.mark.parametrize("lacks", ["MANAGE_COMMUNITY", "MANAGE_ROLES", "MANAGE_CHANNELS"])
def test_making_one_takes_three_permissions(live: Live, lacks: str) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    here = ada.found()["id"]
    bob.accept(ada.invite(here))
    needed = {"MANAGE_COMMUNITY", "MANAGE_ROLES", "MANAGE_CHANNELS"}
    given(ada, here, bob, *(needed - {lacks}))
    assert refusal(make(bob, here)) == (403, "PERMISSION_DENIED")


def test_only_its_maker_lists_and_deletes_a_template(live: Live) -> None:
    ada, eve = live.sign_up("ada"), live.sign_up("eve")
    made = make(ada, ada.found()["id"]).json()
    path = f"/v1/templates/{made['code']}"
    eve.do("DELETE", path)
    (listed,) = ada.do("GET", "/v1/templates")["templates"]
    assert (listed["code"], listed["channels"], listed["roles"]) == (made["code"], [], [])
    assert eve.do("GET", "/v1/templates")["templates"] == []
    for _ in range(2):
        ada.do("DELETE", path)
    assert refusal(eve.ask("GET", path)) == (404, "NOT_FOUND")
    body = {"name": "Another", "template": made["code"]}
    assert refusal(eve.ask("POST", "/v1/communities", json=body)) == (404, "NOT_FOUND")


async def test_somebody_has_so_many_also_when_several_are_made_at_once(world: World) -> None:
    community = await world.found()

    async def add() -> None:
        made = Template(domain.new_code(), "x", SHAPE, community.id, ADA, NOW)
        async with world.database.transaction() as tx:
            await store.lock_templates(tx, ADA)
            may_have_another_template(len(await store.templates_of(tx, ADA)))
            await store.add_template(tx, made)

    for _ in range(TEMPLATES - 1):
        await add()
    done = await asyncio.gather(*(add() for _ in range(3)), return_exceptions=True)
    assert sorted(map(type, done), key=str) == sorted([type(None), TooMuch, TooMuch], key=str)


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_what_is_built_in_is_there_for_everybody(live: Live, name: str) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    shape = BUILT_IN[name].shape
    assert ada.do("GET", f"/v1/templates/{name}")["categories"] == list(shape.categories)
    here = founded(ada, name)["id"]
    bob.accept(ada.invite(here))
    seen = channels(bob, here)
    assert set(seen) == {channel.name for channel in shape.channels}
    news = seen["announcements"]["id"]
    ada.send(news, "Welcome.")
    reply = bob.ask("POST", f"/v1/channels/{news}/messages", json={"content": "Hm."})
    assert refusal(reply) == (403, "PERMISSION_DENIED")
