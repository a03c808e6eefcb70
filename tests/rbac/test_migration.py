"""A database of the release before becomes one of this release, with what it held."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from uuid import UUID

from chassis.database import Database
from services.rbac.domain.permissions import IN_COMMUNITY, Permission
from services.rbac.domain.policy import INSTANCE, Kind
from services.rbac.store import people, policies
from tests.migrating import as_it_was, upgraded

TABLE, QUIET = (UUID(int=n) for n in (1, 2))
MEMBER, OWNER, QUIET_MEMBER, QUIET_OWNER = (UUID(int=n) for n in (11, 12, 21, 22))
ADA, BOB = UUID(int=101), UUID(int=102)

BEFORE = f"""
    UPDATE revision SET value = 41;
    INSERT INTO community VALUES ('{TABLE}', 1), ('{QUIET}', 3);
    INSERT INTO role VALUES
        ('{MEMBER}', '{TABLE}', 'member', 0), ('{OWNER}', '{TABLE}', 'owner', 1),
        ('{QUIET_MEMBER}', '{QUIET}', 'member', 0), ('{QUIET_OWNER}', '{QUIET}', 'owner', 1);
    INSERT INTO rule SELECT '{MEMBER}', n, true FROM unnest(ARRAY[1, 2, 3, 5]) AS n;
    INSERT INTO rule SELECT '{OWNER}', n, true FROM generate_series(1, 7) AS n;
    INSERT INTO rule VALUES ('{QUIET_MEMBER}', 1, true), ('{QUIET_MEMBER}', 10, false);
    INSERT INTO person VALUES ('{TABLE}', '{ADA}', 1), ('{TABLE}', '{BOB}', 2);
    INSERT INTO binding VALUES
        ('{TABLE}', '{ADA}', '{MEMBER}'), ('{TABLE}', '{ADA}', '{OWNER}'),
        ('{TABLE}', '{BOB}', '{MEMBER}');
"""  # noqa: S608  # put together from constants


async def test_what_was_there_before_is_there_after(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> None:
    async with scratch("rbac") as database:
        await as_it_was(database, "rbac", "0002", BEFORE)
        await upgraded(database, "rbac")
        async with database.reading() as tx:
            table, quiet = await policies.policy(tx, TABLE), await policies.policy(tx, QUIET)
            instance = await policies.policy(tx, INSTANCE)
            ada, bob = await people.standings(tx, [(TABLE, ADA), (TABLE, BOB)])
            missed = await people.changes_after(tx, 41, 10)
            nothing = await people.changes_after(tx, 42, 10)
        async with database.transaction() as tx:
            # What they have was given to them, and no answer takes it.
            assert not await people.choose(tx, TABLE, ADA, [])
            (after,) = await people.standings(tx, [(TABLE, ADA)])
    assert [(r.id, r.number, r.kind) for r in table.roles] == [
        (MEMBER, 0, Kind.MEMBER),
        (OWNER, 1, Kind.OWNER),
    ]
    member, owner = table.roles
    assert member.allow == {Permission(n) for n in (1, 2, 3, 5, 10)}, "and reactions"
    assert owner.allow == IN_COMMUNITY, "what came since as well"
    assert quiet.roles[0].allow == {Permission.VIEW_COMMUNITY}
    assert quiet.roles[0].deny == {Permission.ADD_REACTIONS}, "a no stays a no"
    assert (table.version, quiet.version) == (2, 4), "kept masks are void"
    assert (table.next_number, quiet.next_number) == (2, 2)
    assert [role.name for role in instance.roles] == ["administrator"]
    assert (ada.holdings.roles, ada.binding.version) == (frozenset({MEMBER, OWNER}), 1)
    assert (bob.holdings.roles, bob.binding.numbers) == (frozenset({MEMBER}), 1)
    assert ada.revision == 42
    assert (ada.holdings.chosen, after.holdings) == (frozenset(), ada.holdings)
    assert {binding.user_id for binding in missed.bindings} == {ADA, BOB}
    assert {community for community, _ in missed.policies} == {TABLE, QUIET, INSTANCE}
    assert (nothing.bindings, nothing.policies) == ([], [])
