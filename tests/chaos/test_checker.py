"""The checker notices what it is there for."""

from __future__ import annotations

from collections.abc import Callable
import dataclasses
from pathlib import Path
import time

import pytest

from tests.checking.checker import Load, checking
from tests.checking.nats_store import NatsStore
from tests.checking.record import (
    Acknowledged,
    Listed,
    Message,
    Record,
    Stream,
    Told,
    judge,
)
from tests.live import running

SENT = 6


def message(number: int) -> Message:
    return Message("chn_a", number, f"msg_{number}", f"sender 0: {number}")


def told(number: int) -> Told:
    return Told(f"evt_{number}", message(number))


def record() -> Record:
    """A run in which every promise was kept."""
    numbers = range(1, SENT + 1)
    messages = [message(number) for number in numbers]
    return Record(
        acknowledged=[Acknowledged(message(n), began=n, ended=n + 0.5) for n in numbers],
        streams={
            "steady": Stream(told=[told(n) for n in numbers], opened=1),
            "restless": Stream(told=[told(n) for n in numbers], opened=3),
        },
        lists=[Listed("chn_a", 4.0, tuple(messages[2::-1]), whole=True)],
        kept={"chn_a": messages},
    )


def lose_one(doctored: Record) -> None:
    doctored.kept["chn_a"].remove(message(3))


def lose_the_last(doctored: Record) -> None:
    doctored.kept["chn_a"].pop()


def renumber(doctored: Record) -> None:
    kept = doctored.kept["chn_a"]
    kept[2] = dataclasses.replace(kept[2], content="something else")


def keep_twice(doctored: Record) -> None:
    again = dataclasses.replace(message(2), sequence=SENT + 1, id="msg_again")
    doctored.kept["chn_a"].append(again)
    for stream in doctored.streams.values():
        stream.told.append(Told("evt_again", again))


def acknowledge_as_two(doctored: Record) -> None:
    again = dataclasses.replace(message(2), id="msg_again")
    doctored.acknowledged.append(Acknowledged(again, 8.0, 8.5))


def tell_by_two_events(doctored: Record) -> None:
    doctored.streams["steady"].told.append(Told("evt_again", message(2)))


def swap(doctored: Record) -> None:
    """Two messages change places, and everybody agrees on it."""
    names = {2: 5, 5: 2}

    def swapped(m: Message) -> Message:
        return dataclasses.replace(m, sequence=names.get(m.sequence, m.sequence))

    kept = doctored.kept["chn_a"]
    kept[:] = sorted(map(swapped, kept), key=lambda m: m.sequence)
    doctored.acknowledged[:] = [
        dataclasses.replace(each, message=swapped(each.message)) for each in doctored.acknowledged
    ]
    doctored.lists.clear()
    for stream in doctored.streams.values():
        stream.told[:] = [Told(each.event, swapped(each.message)) for each in stream.told]


def list_upwards(doctored: Record) -> None:
    (page,) = doctored.lists
    doctored.lists[0] = dataclasses.replace(page, messages=page.messages[::-1])


def leave_a_gap(doctored: Record) -> None:
    del doctored.streams["restless"].told[3]


def tell_elsewhere(doctored: Record) -> None:
    moved = dataclasses.replace(message(2), sequence=3)
    doctored.streams["steady"].told.append(Told("evt_2", moved))


def list_too_little(doctored: Record) -> None:
    (page,) = doctored.lists
    doctored.lists[0] = dataclasses.replace(page, messages=page.messages[1:])


def list_what_is_gone(doctored: Record) -> None:
    gone = Message("chn_a", SENT + 1, "msg_gone", "sender 1: 1")
    doctored.lists.append(Listed("chn_a", 9.0, (gone, *doctored.kept["chn_a"][::-1]), whole=True))


def refetch(doctored: Record) -> None:
    doctored.streams["steady"].refetches.append(0.5)


def leave_a_gap_and_tell_of_it(doctored: Record) -> None:
    del doctored.streams["restless"].told[3]
    doctored.streams["restless"].refetches.append(4.5)


def leave_a_gap_after_another(doctored: Record) -> None:
    del doctored.streams["restless"].told[3]
    doctored.streams["restless"].refetches.append(3.5)


def refuse_badly(doctored: Record) -> None:
    doctored.unexpected.append("REST: 404 NOT_FOUND")


def stay_connected(doctored: Record) -> None:
    for stream in doctored.streams.values():
        stream.opened = 1


def test_a_run_that_kept_every_promise_is_good() -> None:
    verdict = judge(record())
    assert verdict.good, verdict
    assert (verdict.acknowledged, verdict.seen, verdict.connections) == (SENT, SENT, 4)


@pytest.mark.parametrize(
    ("doctor", "faults"),
    [
        (lose_one, {"lost", "never told", "missing from a list", "out of order"}),
        (lose_the_last, {"lost", "never told"}),
        (renumber, {"lost", "never told", "missing from a list", "out of order"}),
        (keep_twice, {"doubled"}),
        (acknowledge_as_two, {"lost", "never told", "doubled", "out of order"}),
        (tell_by_two_events, {"doubled"}),
        (swap, {"out of order"}),
        (list_upwards, {"out of order"}),
        (leave_a_gap, {"never told"}),
        (tell_elsewhere, {"out of order"}),
        (list_too_little, {"missing from a list"}),
        (list_what_is_gone, {"missing from a list"}),
        (refetch, {"told to refetch"}),
        (leave_a_gap_and_tell_of_it, {"told to refetch"}),
        (leave_a_gap_after_another, {"told to refetch", "never told"}),
        (refuse_badly, {"refused without a reason"}),
    ],
)
def test_what_is_wrong_is_named(doctor: Callable[[Record], None], faults: set[str]) -> None:
    doctored = record()
    doctor(doctored)
    verdict = judge(doctored)
    assert not verdict.good
    assert {name for name, number in verdict.faults.items() if number} == faults


def test_what_is_told_again_under_its_id_is_counted_and_no_fault() -> None:
    repeated = record()
    repeated.streams["restless"].told.append(told(SENT))
    verdict = judge(repeated)
    assert verdict.good
    assert verdict.repeated == 1


@pytest.mark.timeout(240)
def test_the_checker_notices_when_the_outbox_is_off(tmp_path: Path) -> None:
    """A platform that forgets what it could not publish at once keeps it, and tells nobody."""
    forgetful = str(Path(__file__).parent / "without_outbox")
    with (
        running(PYTHONPATH=forgetful) as live,
        checking(live, Load(channels=2, unary=4, bidi=2)) as checker,
    ):
        nats = NatsStore(live, tmp_path)
        nats.go_down()
        try:
            for _ in range(3):
                forgotten = checker.sent_from_now(30)
        finally:
            nats.come_back()
        # A log is read in its order: who is told of a later message will not be told of these.
        ends = time.monotonic() + 60
        later: list[set[Message]] = []
        while not any(map(checker.told_everybody, later)):
            assert time.monotonic() < ends, "nothing is told any more"
            later.append(checker.sent_from_now(30))
        verdict = checker.finish(within=0.1)
    assert {name for name, number in verdict.faults.items() if number} == {"never told"}
    for message in forgotten:
        assert any(message.id in told for told in verdict.never_told)


@pytest.mark.parametrize(
    ("doctor", "untried"),
    [
        (lambda doctored: doctored.acknowledged.clear(), "nothing was acknowledged"),
        (lambda doctored: doctored.lists.clear(), "1 channels were never listed"),
        (stay_connected, "nobody came back to a stream"),
    ],
)
def test_what_was_not_tried_is_not_good(doctor: Callable[[Record], None], untried: str) -> None:
    doctored = record()
    doctor(doctored)
    verdict = judge(doctored)
    assert not verdict.good
    assert verdict.untried == (untried,)
