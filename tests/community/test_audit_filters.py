"""An audit log is read by who, what, to whom and when, and asks no more of the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
import pytest
import sqlalchemy as sa

from chassis.testing import plan_of
from services.community import store
from services.community.domain.audit import Action, Deed, Wanted
from tests.community.world import ADA, BOB, EVE, World
from tests.live import Live, refusal

BEGAN = datetime.now(UTC)
ACTIONS = (Action.BAN_CREATED, Action.BAN_DELETED, Action.MEMBER_REMOVED)
MOMENTS = st.sampled_from([None, *(BEGAN + timedelta(seconds=s) for s in (-3_600, -2, 0, 1, 99))])
WANTED = st.builds(
    Wanted,
    st.sampled_from([None, ADA, BOB, EVE]),
    st.sampled_from([None, *ACTIONS]),
    st.sampled_from([None, "usr_a", "usr_b"]),
    MOMENTS,
    MOMENTS,
)


async def test_what_is_wanted_is_found_and_nothing_else(world: World) -> None:
    community, other = await world.found(), await world.found()
    deeds: list[Deed] = []
    async with world.database.transaction() as tx:
        for number in range(60):
            deed = Deed(
                (community, other)[number % 7 == 0].id,
                (ADA, BOB)[number % 2],
                ACTIONS[number % 3],
                ("usr_a", "usr_b")[number % 5 == 0],
                # Some are told of late: they were done before they were written down.
                create_time=BEGAN - timedelta(seconds=number % 4 * 2),
            )
            deeds.append(deed)
            await store.write_down(tx, deed)
    for wanted in _examples():
        expected = [
            deed.id
            for deed in reversed(deeds)
            if deed.community_id == community.id and _is(deed, wanted)
        ]
        found: list[UUID] = []
        async with world.database.reading() as tx:
            while True:
                before = found[-1] if found else None
                page = await store.deeds_of(tx, community.id, before, 7, wanted)
                found += [deed.id for deed in page]
                if len(page) < 7:
                    break
        assert found == expected, wanted


def _is(deed: Deed, wanted: Wanted) -> bool:
    return (
        wanted.actor_id in (None, deed.actor_id)
        and wanted.action in (None, deed.action)
        and wanted.target_id in (None, deed.target_id)
        and (wanted.after is None or deed.create_time >= wanted.after)
        and (wanted.before is None or deed.create_time < wanted.before)
    )


def _examples() -> list[Wanted]:
    """Every combination that hypothesis would think of, and each only once."""
    found: set[Wanted] = {Wanted()}

    @settings(max_examples=150, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(WANTED)
    def draw(wanted: Wanted) -> None:
        found.add(wanted)

    draw()
    return list(found)


async def test_each_question_goes_by_an_index_in_its_order(world: World) -> None:
    community = await world.found()
    async with world.database.transaction() as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO audit SELECT uuidv7(), :community, gen_random_uuid(), 1 + n % 12,"
                " 'usr_' || n, '', '', '[]', now() FROM generate_series(1, 20000) AS n"
            ),
            {"community": community.id},
        )
        await tx.execute(sa.text("ANALYZE audit"))
    for wanted, indexes in (
        # Of somebody who did little, either finds it at once.
        (Wanted(actor_id=BOB), ("audit_by_actor", "audit_actor")),
        (Wanted(target_id="usr_7"), ("audit_by_target",)),
        (Wanted(before=BEGAN - timedelta(days=30)), ("audit_",)),
        (Wanted(after=BEGAN + timedelta(days=30)), ("audit_",)),
    ):
        plan = await plan_of(
            world.database,
            lambda tx, wanted=wanted: store.deeds_of(tx, community.id, None, 51, wanted),  # type: ignore[misc]  # the one of this round
        )
        assert any(index in plan for index in indexes), plan
        assert "Seq Scan" not in plan, plan


def test_people_ask_by_all_of_it_and_pages_belong_to_their_question(live: Live) -> None:
    ada = live.sign_up("ada")
    here = ada.found()["id"]
    log = f"/v1/communities/{here}/audit-log"
    people = [live.sign_up("bob") for _ in range(3)]
    for person in people:
        ada.do("POST", f"/v1/communities/{here}/bans", json={"user_id": person.id})
    ada.do("DELETE", f"/v1/communities/{here}/bans/{people[0].id}")

    def found(**query: str) -> list[str]:
        return [e["action"] for e in ada.do("GET", log, params=query)["entries"]]

    banned = "AUDIT_ACTION_BAN_CREATED"
    assert found(action=banned) == [banned] * 3
    assert found(target_id=people[0].id) == ["AUDIT_ACTION_BAN_DELETED", banned]
    assert found(actor_id=ada.id, target_id=people[1].id) == [banned]
    assert found(actor_id=people[0].id) == []
    now = datetime.now(UTC)
    later, earlier = (f"{now + timedelta(hours=h):%Y-%m-%dT%H:%M:%SZ}" for h in (1, -1))
    assert len(found(after_time=earlier, before_time=later)) == 4
    assert found(after_time=later) == found(before_time=earlier) == []
    page = ada.do("GET", log, params={"action": banned, "page_size": 2})
    rest = {"action": banned, "page_token": page["next_page_token"]}
    assert len(ada.do("GET", log, params=rest)["entries"]) == 1
    other = ada.ask("GET", log, params={"page_token": page["next_page_token"]})
    assert refusal(other) == (400, "INVALID_PAGE_TOKEN")


@pytest.mark.parametrize("query", [{"actor_id": "com_x"}, {"target_id": "' OR 1=1"}])
def test_what_names_nothing_is_refused(live: Live, query: dict[str, str]) -> None:
    ada = live.sign_up("ada")
    reply = ada.ask("GET", f"/v1/communities/{ada.found()['id']}/audit-log", params=query)
    assert refusal(reply)[0] == 400
