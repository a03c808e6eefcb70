"""A timeout takes what is done, leaves what is seen, and ends without anybody saying so."""

from __future__ import annotations

from typing import Any

from chassis.masks import Policy, Roles
from creavio.options.v1 import permission_pb2 as p
from services.gateway.engine.community import Community, Person

VIEW, CHANNEL, SEND, MODERATE = (
    p.PERMISSION_VIEW_COMMUNITY,
    p.PERMISSION_VIEW_CHANNEL,
    p.PERMISSION_SEND_MESSAGES,
    p.PERMISSION_MODERATE_MEMBERS,
)
EVERYTHING = Policy(1, (0,), dict.fromkeys((VIEW, CHANNEL, SEND, MODERATE), (1, 0)), {})


def test_whoever_is_timed_out_hears_what_is_said_and_not_what_moderators_hear() -> None:
    clock = [100.0]
    community = Community("com_x", lambda: clock[0])
    bob = Person("usr_bob")
    stream: Any = type("Open", (), {"person": bob})()
    bob.streams.append(stream)
    community.seat(bob, Roles(1, 1, {}))
    community.adopt(EVERYTHING, lambda _: True)
    assert community.audience(MODERATE) == {stream}
    for roles in (Roles(2, 1, {}, timeout_ends=200.0), Roles(3, 1, {}, timeout_ends=300.0)):
        community.seat(bob, roles)
        assert community.audience(VIEW) == community.audience(CHANNEL, "chn_a") == {stream}
        assert community.audience(MODERATE) == set()
        assert not community.allows("usr_bob", SEND, "chn_a")
        assert community.allows("usr_bob", CHANNEL, "chn_a")
        clock[0] += 100.0
        assert community.audience(MODERATE) == {stream}, "it is over"
        assert community.allows("usr_bob", SEND, "chn_a")
