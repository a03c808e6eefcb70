"""NATS comes back without the end of its log, as after a power failure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import time

import pytest

from tests.checking.nats_store import NatsStore
from tests.e2e.readers import Reader, eventually
from tests.live import Live, running


@pytest.fixture(scope="module")
def frail() -> Iterator[Live]:
    """Two gateways and two chats, whose NATS forgets."""
    with running(CREAVIO_REPLICAS="chat=2,gateway=2") as platform:
        yield platform


@pytest.mark.timeout(200)
def test_what_the_log_lost_is_told_again(frail: Live, tmp_path: Path) -> None:
    owner, member = frail.sign_up("owner"), frail.sign_up("member")
    community = owner.found()["id"]
    channel = owner.open_channel(community)["id"]
    member.accept(owner.invite(community))
    log = NatsStore(frail, tmp_path)
    with Reader(member).open() as stream, Reader(member).open() as leaver:
        for number in range(5):
            owner.send(channel, f"kept {number}")
        eventually(lambda: "kept 4" in stream.texts(), 5, "not told")
        log.remember()
        for number in range(3):
            owner.send(channel, f"lost {number}")
        eventually(lambda: "lost 2" in leaver.texts(), 10, "not told")
        token = leaver.resume_token
        for number in range(3, 6):
            owner.send(channel, f"lost {number}")
        lost_channel = owner.open_channel(community, "opened and lost")["id"]
        eventually(lambda: "lost 5" in stream.texts(), 10, "not told")
        time.sleep(1.0)  # The positions are recorded, and everybody is done with them.
        log.go_down()
        for number in range(3):
            owner.send(channel, f"meanwhile {number}")
        log.lose_tail()
        log.come_back()
        eventually(lambda: "meanwhile 2" in stream.texts(), 30, "was never told")
        owner.send(channel, "afterwards")
        eventually(lambda: "afterwards" in stream.texts(), 10, "was never told")
        assert stream.ended is None
        said = [f"kept {n}" for n in range(5)] + [f"lost {n}" for n in range(6)]
        said += [f"meanwhile {n}" for n in range(3)] + ["afterwards"]
        assert set(stream.texts()) == set(said)
    with Reader(member).open(token) as back:
        missed = said[said.index("lost 3") :]
        eventually(lambda: set(missed) <= set(back.texts()), 10, "was not told on return")
        assert not back.told("refetch")
        # What the channel was made known by was lost as well.
        assert lost_channel in str([*back.events])
        owner.send(lost_channel, "it works")
        eventually(lambda: "it works" in back.texts(), 5, "not told")
    eventually(frail.healthy, 15, "did not come back")
