"""Whatever is moved wherever, the order is the one that was asked for."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
import pytest

from services.community.domain import order

A, B, C = (UUID(int=n) for n in range(3))


def test_there_is_room_at_the_ends_and_in_between() -> None:
    assert order.between(None, None) == order.GAP
    assert order.between(None, 5) == 5 - order.GAP
    assert order.between(5, None) == 5 + order.GAP
    assert order.between(5, 7) == 6
    for full in ((5, 6), (5, 5), (None, -(1 << 31)), ((1 << 31) - 1, None)):
        assert order.between(*full) is None


def test_a_move_changes_one_position_while_there_is_room() -> None:
    others = [(A, 10), (B, 20)]
    assert order.placed(others, C, A) == {C: 15}
    assert order.placed(others, C, B) == {C: 20 + order.GAP}
    assert order.placed(others, C, None) == {C: 10 - order.GAP}
    with pytest.raises(KeyError):
        order.placed(others, C, C)


def test_where_there_is_no_room_all_are_placed_anew() -> None:
    assert order.placed([(A, 1), (B, 2)], C, A) == {
        A: order.GAP,
        C: 2 * order.GAP,
        B: 3 * order.GAP,
    }
    last = (1 << 31) - 1
    assert order.joined([(A, last)], [C, B]) == {
        A: order.GAP,
        C: 2 * order.GAP,
        B: 3 * order.GAP,
    }


@given(
    st.lists(st.integers(0, 3), max_size=6),
    st.lists(st.tuples(st.integers(0, 8), st.integers(-1, 8)), max_size=60),
)
def test_the_order_is_what_it_would_be_in_a_list(
    positions: list[int], moves: list[tuple[int, int]]
) -> None:
    standing = {UUID(int=n): position for n, position in enumerate(positions)}

    def in_order() -> list[tuple[UUID, int]]:
        return sorted(standing.items(), key=lambda one: (one[1], one[0]))

    expected = [one for one, _ in in_order()]
    for which, after in moves:
        moved = UUID(int=which)
        others = [one for one in in_order() if one[0] != moved]
        expected = [one for one in expected if one != moved]
        behind = UUID(int=after) if after >= 0 and UUID(int=after) in expected else None
        if after >= 0 and behind is None:
            changed = order.joined(others, [moved])
            expected.append(moved)
        else:
            changed = order.placed(others, moved, behind)
            expected.insert(0 if behind is None else expected.index(behind) + 1, moved)
        standing.update(changed)
        assert [one for one, _ in in_order()] == expected
        assert len(set(changed.values())) == len(changed)
