"""Questions that newcomers are asked, and the roles that answers give."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
import uuid
from uuid import UUID

import pytest

from chassis import ids
from chassis.errors import Invalid
from services.community import store
from services.community.domain import Changed, Community, new_member
from services.community.domain.onboarding import Newcomer, Onboarding, Rule
from services.community.domain.questions import (
    Answer,
    AnswerRequired,
    Question,
    given,
    kept,
    may_answer,
    still_there,
)
from tests.community.world import BOB, LOST, NOW, Gate, World, fail
from tests.live import Live, Person, refusal

RED = ids.new()
COLOURS = Question(None, "Which?", (Answer(None, "red", "", (RED,)), Answer(None, "blue")))
HOBBIES = Question(
    None, "What?", tuple(Answer(None, f"hobby {n}") for n in range(3)), multiple=True
)
RULES = (Rule("Be kind", ""),)


def answer_ids(question: Question) -> list[UUID]:
    return [answer.id for answer in question.answers if answer.id is not None]


def test_a_question_is_answered_as_it_asks_to_be() -> None:
    one, many = kept((replace(COLOURS, required=True), HOBBIES), ())
    (red, blue), hobbies = answer_ids(one), answer_ids(many)
    may_answer((one, many), [red, *hobbies])
    may_answer((one, many), [blue])
    with pytest.raises(AnswerRequired):
        may_answer((one, many), hobbies)
    with pytest.raises(Invalid):
        may_answer((one, many), [red, blue])
    with pytest.raises(Changed):
        may_answer((one, many), [red, ids.new()])
    assert given((one, many), [red, *hobbies]) == {RED}
    assert given((one, many), [blue]) == set()
    assert still_there((many,), [red, hobbies[0]]) == (hobbies[0],)


def test_questions_stay_those_they_are_and_take_no_answer_from_another() -> None:
    before = kept((COLOURS, HOBBIES), ())
    renamed = replace(before[0], title="And now?", answers=(*before[0].answers, Answer(None, "x")))
    after = kept((renamed,), before)
    assert (after[0].id, after[0].answers[:2]) == (before[0].id, before[0].answers)
    assert after[0].answers[2].id is not None
    for wrong in (
        replace(COLOURS, id=ids.new()),
        replace(before[0], answers=before[1].answers),
        replace(before[0], id=None),
    ):
        with pytest.raises(Changed):
            kept((wrong,), before)
    with pytest.raises(Invalid):
        kept((before[0], before[0]), before)
    with pytest.raises(Invalid):
        kept((replace(before[0], answers=before[0].answers[:1] * 2),), before)


def test_who_is_held_back_is_so_by_what_is_required_alone() -> None:
    (asked,) = kept((replace(COLOURS, required=True),), ())
    met = Onboarding(ids.new(), RULES, 1, must_accept=True, questions=(asked,))
    red = answer_ids(asked)[0]
    newcomer = Newcomer(pending=True)
    for each in (replace(newcomer, accepted_version=1), replace(newcomer, answer_ids=(red,))):
        assert met.further(each).pending
    both = replace(newcomer, accepted_version=1, answer_ids=(red,))
    assert not met.further(both).pending
    assert not met.further(Newcomer()).pending, "nobody is made pending"
    assert not replace(met, questions=(), rules=()).holds_back()
    assert not replace(met, must_accept=False).holds_back()


async def asking(world: World, question: Question) -> tuple[Community, Question]:
    """A community with a rule, and a question, that whoever joins is to answer."""
    community = await world.found()
    (asked,) = kept((question,), ())
    met = Onboarding(community.id, RULES, 1, must_accept=True, questions=(asked,))
    async with world.database.transaction() as tx:
        await store.save_onboarding(tx, met)
    return community, asked


async def joined(world: World, community: Community) -> tuple[str, str]:
    """BOB, who is held back."""
    async with world.database.transaction() as tx:
        await store.add_member(tx, new_member(community.id, BOB, NOW, pending=True))
    await world.memberships.finish_joining(community.id, BOB)
    pair = (ids.text(ids.Kind.COMMUNITY, community.id), ids.text(ids.Kind.USER, BOB))
    assert pair in world.rbac.pending
    return pair


async def does(world: World, community: Community, **what: Any) -> None:
    """Keep what BOB accepts or answers, as the handler does."""
    async with world.database.transaction() as tx:
        before = await store.newcomer_to_change(tx, community.id, BOB)
        met = await store.onboarding(tx, community.id)
        await store.save_newcomer(tx, community.id, BOB, met.further(replace(before, **what)))


@LOST
async def test_an_acceptance_left_halfway_is_finished(world: World, lost: str) -> None:
    community, _ = await asking(world, COLOURS)
    pair = await joined(world, community)
    await does(world, community, accepted_version=1)
    await fail(world, lost, lambda: world.memberships.finish_onboarding(community.id, BOB))
    await world.memberships.resume()
    assert pair not in world.rbac.pending
    asked = world.rbac.asked
    await world.memberships.resume()
    assert world.rbac.asked == asked, "once"


@LOST
async def test_answers_left_halfway_give_their_roles(world: World, lost: str) -> None:
    community, question = await asking(world, replace(COLOURS, required=True))
    pair = await joined(world, community)
    red, blue = answer_ids(question)
    await does(world, community, accepted_version=1)
    await does(world, community, answer_ids=(red,))
    await fail(world, lost, lambda: world.memberships.finish_onboarding(community.id, BOB))
    await world.memberships.resume()
    assert world.rbac.chosen[pair] == {ids.text(ids.Kind.ROLE, RED)}
    assert pair not in world.rbac.pending
    await does(world, community, answer_ids=(blue,))
    await fail(world, lost, lambda: world.memberships.finish_onboarding(community.id, BOB))
    await world.memberships.resume()
    assert world.rbac.chosen[pair] == set()


async def test_what_is_offered_no_more_is_not_given_after_a_crash(world: World) -> None:
    community, question = await asking(world, COLOURS)
    pair = await joined(world, community)
    await does(world, community, answer_ids=(answer_ids(question)[0],))
    async with world.database.transaction() as tx:
        met = await store.onboarding(tx, community.id)
        await store.save_onboarding(tx, replace(met, questions=()))
    await world.pass_time()
    await world.memberships.resume()
    assert world.rbac.chosen[pair] == set()
    assert pair in world.rbac.pending, "an answer accepts no rules"


async def test_who_left_and_came_back_has_nothing_of_a_call_that_came_late(world: World) -> None:
    community, question = await asking(world, COLOURS)
    pair = await joined(world, community)
    await does(world, community, accepted_version=1, answer_ids=(answer_ids(question)[0],))
    gate = world.rbac.gate = Gate()
    late = asyncio.create_task(world.memberships.finish_onboarding(community.id, BOB))
    await gate.reached.wait()
    await world.intend_leaving(community)
    await world.memberships.finish_leaving(community.id, BOB)
    await joined(world, community)
    gate.opened.set()
    await late
    assert pair in world.rbac.pending
    assert not world.rbac.chosen.get(pair)


def path(community: str, verb: str = "") -> str:
    return f"/v1/communities/{community}/onboarding{verb}"


class Table:
    """A community that asks for a colour and for hobbies."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.owner = live.sign_up("owner")
        self.id = str(self.owner.found()["id"])
        self.channel = str(self.owner.open_channel(self.id)["id"])
        self.roles = {name: self.role(name) for name in ("red", "blue", "chess")}

    def role(self, name: str, *allow: str) -> str:
        body = {"name": name, "allow": [f"PERMISSION_{each}" for each in allow]}
        return str(self.owner.do("POST", f"/v1/communities/{self.id}/roles", json=body)["id"])

    def grant(self, person: Person, role: str) -> None:
        body = {"role_id": role}
        self.owner.do("POST", f"/v1/communities/{self.id}/members/{person.id}/roles", json=body)

    def questions(self, *, required: bool = False) -> list[Any]:
        colours = [{"title": n, "role_ids": [self.roles[n]]} for n in ("red", "blue")]
        hobbies = [
            {"title": "chess", "emoji": "♟", "role_ids": [self.roles["chess"]]},
            {"title": "go", "channel_ids": [self.channel]},
        ]
        return [
            {"title": "Which colour?", "required": required, "answers": colours},
            {"title": "What do you play?", "multiple": True, "answers": hobbies},
        ]

    def say(self, by: Person | None = None, **said: Any) -> Any:
        return (by or self.owner).ask("PATCH", path(self.id), json=said)

    def asks(self, **how: bool) -> dict[str, str]:
        """Ask; the answers by their titles."""
        said = self.say(questions=self.questions(**how)).json()
        return {a["title"]: a["id"] for q in said["questions"] for a in q["answers"]}

    def member(self, name: str = "guest") -> Person:
        person = self.live.sign_up(name)
        person.accept(self.owner.invite(self.id))
        return person

    def answer(self, person: Person, *answers: str) -> Any:
        return person.ask("POST", path(self.id, ":answer"), json={"answer_ids": answers})

    def held(self, person: Person) -> set[str]:
        """The names of the roles somebody has, the member role aside."""
        place = f"/v1/communities/{self.id}"
        names = {r["id"]: r["name"] for r in self.owner.do("GET", f"{place}/roles")["roles"]}
        theirs = self.owner.do("GET", f"{place}/members/{person.id}/roles")["role_ids"]
        return {names[role] for role in theirs} - {"member"}


@pytest.fixture
def table(live: Live) -> Table:
    return Table(live)


def test_members_have_the_roles_of_what_they_answer_as_long_as_they_do(table: Table) -> None:
    with table.owner.listening() as managing:
        bob = table.member()
        answers = table.asks()
        with bob.listening() as own:
            said = table.answer(bob, answers["red"], answers["chess"], answers["go"]).json()
            told = own.until("onboarding_answered")
        assert managing.until("onboarding_answered") == told
    assert told["user_id"] == bob.id
    assert told["answer_ids"] == said["answer_ids"] == [answers[n] for n in ("red", "chess", "go")]
    assert bob.do("GET", path(table.id)) == said
    assert said["questions"][1]["answers"][1]["channel_ids"] == [table.channel]
    assert table.held(bob) == {"red", "chess"}
    table.answer(bob, answers["blue"], answers["chess"])
    assert table.held(bob) == {"blue", "chess"}
    table.grant(bob, table.roles["blue"])
    table.answer(bob)
    assert table.held(bob) == {"blue"}, "what was given by hand stays"
    assert table.owner.do("GET", path(table.id))["answer_ids"] == [], "each their own"


def test_what_changes_about_questions_holds_for_who_answers_from_then_on(table: Table) -> None:
    bob, answers = table.member(), table.asks()
    table.answer(bob, answers["red"])
    asked = table.owner.do("GET", path(table.id))["questions"]
    asked[0]["answers"][0]["role_ids"] = [table.roles["blue"]]
    assert table.say(questions=asked[:1]).is_success
    assert table.held(bob) == {"red"}
    assert table.answer(bob, answers["red"]).is_success, "it is the same answer"
    assert table.held(bob) == {"blue"}
    assert refusal(table.answer(bob, answers["chess"])) == (409, "CONCURRENT_CHANGE")
    log = table.owner.do("GET", f"/v1/communities/{table.id}/audit-log")["entries"]
    changed = {each["field"]: each["after"] for each in log[0]["changes"]}
    assert changed == {"asked": "Which colour?", "offered": table.roles["blue"]}, "rest as before"


def test_required_questions_belong_to_what_is_to_be_accepted(table: Table) -> None:
    answers = table.asks(required=True)
    rules = [{"title": "Be kind", "text": ""}]
    table.say(must_accept=True, rules=rules)
    bob, eve = table.member(), table.member()
    place = f"/v1/channels/{table.channel}/messages"

    def held_back(person: Person) -> bool:
        reply = person.ask("POST", place, json={"content": "hello"})
        assert reply.is_success or refusal(reply) == (403, "ONBOARDING_REQUIRED")
        return not reply.is_success

    accepted = {"rules_version": "1"}
    bob.do("POST", path(table.id, ":complete"), json=accepted)
    assert held_back(bob)
    assert refusal(table.answer(bob, answers["chess"])) == (400, "ANSWER_REQUIRED")
    both = table.answer(bob, answers["red"], answers["blue"])
    assert refusal(both) == (400, "INVALID_FIELD")
    assert held_back(bob)
    assert table.answer(bob, answers["red"]).is_success
    assert not held_back(bob)
    assert table.answer(eve, answers["red"]).is_success
    assert held_back(eve)
    eve.do("POST", path(table.id, ":complete"), json=accepted)
    assert not held_back(eve)
    assert refusal(table.answer(bob)) == (400, "ANSWER_REQUIRED"), "nor is it taken back"
    assert not held_back(bob)


def test_a_bot_is_asked_nothing(table: Table) -> None:
    table.asks(required=True)
    table.say(must_accept=True)
    body = {"handle": f"clock_{uuid.uuid4().hex[:8]}", "display_name": "Clock"}
    bot = table.owner.do("POST", "/v1/bots", json=body)["user"]["id"]
    place = f"/v1/communities/{table.id}"
    table.owner.do("POST", f"{place}/bots", json={"user_id": bot})
    asked = {"permission": "PERMISSION_SEND_MESSAGES", "user_id": bot}
    assert table.owner.do("GET", f"{place}/permissions:explain", params=asked)["allowed"]


def test_a_manager_accepts_the_rules_before_they_manage(table: Table) -> None:
    table.say(must_accept=True, rules=[{"title": "Be kind", "text": ""}])
    bob, eve = table.member(), table.member()
    table.grant(bob, table.role("manager", "MANAGE_COMMUNITY"))
    assert refusal(table.say(bob, must_accept=False)) == (403, "ONBOARDING_REQUIRED")
    with bob.listening() as stream:
        eve.do("POST", path(table.id, ":complete"), json={"rules_version": "1"})
        bob.do("POST", path(table.id, ":complete"), json={"rules_version": "1"})
        told = stream.until("onboarding_completed")
    assert told["user_id"] == bob.id, "what managers are told is not told before"
    assert table.say(bob, must_accept=False).is_success


def test_nobody_offers_power_nor_what_they_could_not_give(table: Table) -> None:
    def offering(*roles: str) -> Any:
        answers = [{"title": "me", "role_ids": [role]} for role in roles]
        return [{"title": "Who?", "answers": answers}]

    power = table.role("power", "MANAGE_MESSAGES")
    helper = table.role("helper", "MANAGE_COMMUNITY", "MANAGE_ROLES")
    plain = table.role("plain", "MANAGE_COMMUNITY")
    order = [helper, power, plain, *table.roles.values()]
    body = {"role_ids": order}
    table.owner.do("POST", f"/v1/communities/{table.id}/roles:reorder", json=body)
    bob, eve = table.member(), table.member()
    table.grant(bob, helper)
    table.grant(eve, plain)
    nowhere = ids.text(ids.Kind.ROLE, ids.new())
    for person, role, why in (
        (table.owner, power, (400, "ADMINISTRATIVE_ROLE")),
        (bob, power, (403, "EXCEEDS_OWN_PERMISSIONS")),
        (bob, helper, (403, "ROLE_TOO_HIGH")),
        (bob, nowhere, (404, "NOT_FOUND")),
        (eve, table.roles["red"], (403, "PERMISSION_DENIED")),
    ):
        refused = table.say(person, questions=offering(table.roles["blue"], role))
        assert refusal(refused) == why
    assert table.owner.do("GET", path(table.id))["questions"] == []
    assert table.say(bob, questions=offering(table.roles["red"])).is_success
    asked = eve.do("GET", path(table.id))["questions"]
    asked[0]["title"] = "Who are you?"
    assert table.say(eve, questions=asked).is_success, "what is offered already she words"


def test_a_role_that_has_power_by_now_or_is_gone_is_given_to_nobody(table: Table) -> None:
    bob, answers = table.member(), table.asks()
    place = f"/v1/communities/{table.id}/roles"
    powerful = {"allow": ["PERMISSION_BAN_MEMBERS"]}
    table.owner.do("PATCH", f"{place}/{table.roles['red']}", json=powerful)
    table.owner.do("DELETE", f"{place}/{table.roles['chess']}")
    assert table.answer(bob, answers["red"], answers["chess"]).is_success
    assert table.held(bob) == set()
    reply = bob.ask("POST", f"/v1/communities/{table.id}/bans", json={"user_id": table.owner.id})
    assert refusal(reply) == (403, "PERMISSION_DENIED")


def test_who_is_not_in_it_answers_nothing_and_who_leaves_keeps_nothing(table: Table) -> None:
    bob, eve, answers = table.member(), table.live.sign_up("eve"), table.asks()
    assert refusal(table.answer(eve, answers["red"])) == (404, "NOT_FOUND")
    table.answer(bob, answers["red"])
    bob.do("POST", f"/v1/communities/{table.id}:leave")
    assert refusal(table.answer(bob, answers["red"])) == (404, "NOT_FOUND")
    bob.accept(table.owner.invite(table.id))
    assert table.held(bob) == set()
    assert bob.do("GET", path(table.id))["answer_ids"] == []


def test_a_channel_is_suggested_to_those_alone_who_see_it(table: Table) -> None:
    body = {"name": "closed", "private": True}
    closed = table.owner.do("POST", f"/v1/communities/{table.id}/channels", json=body)["id"]
    asked = [{"title": "Where?", "answers": [{"title": "there", "channel_ids": [closed]}]}]
    bob = table.member()
    table.grant(bob, table.role("manager", "MANAGE_COMMUNITY"))
    assert refusal(table.say(bob, questions=asked)) == (404, "NOT_FOUND")
    said = table.say(questions=asked).json()["questions"]
    assert said[0]["answers"][0]["channel_ids"] == [closed]
    seen = bob.do("GET", path(table.id))["questions"]
    assert seen[0]["answers"][0]["channel_ids"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        [{"title": "x", "answers": [{"title": "x"}]}] * 9,
        [{"title": "x", "answers": []}],
        [{"title": "x", "answers": [{"title": "x"}] * 17}],
        [{"title": " ", "answers": [{"title": "x"}]}],
        [{"title": "x", "answers": [{"title": "x" * 51}]}],
        [{"title": "x", "answers": [{"title": "x", "role_ids": ["rol_1"]}]}],
        [{"id": "qst_1", "title": "x", "answers": [{"title": "x"}]}],
    ],
    ids=["many", "unanswerable", "many answers", "blank", "long", "no role", "no id"],
)
def test_there_is_an_end_to_what_is_asked(table: Table, wrong: Any) -> None:
    assert refusal(table.say(questions=wrong)) == (400, "INVALID_FIELD")
