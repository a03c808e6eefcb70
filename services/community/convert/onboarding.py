"""What newcomers meet, from the wire and onto it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chassis import ids
from creavio.community.v1 import onboarding_pb2
from services.community.domain.onboarding import Onboarding, Rule


def rules(messages: Iterable[onboarding_pb2.Rule]) -> tuple[Rule, ...]:
    """The rules that a request says."""
    return tuple(Rule(message.title.strip(), message.text.strip()) for message in messages)


def onboarding(
    value: Onboarding, channel_ids: Sequence[str], accepted_version: int
) -> onboarding_pb2.Onboarding:
    """What is met by somebody who sees these channels and accepted this version."""
    return onboarding_pb2.Onboarding(
        community_id=ids.text(ids.Kind.COMMUNITY, value.community_id),
        rules=[onboarding_pb2.Rule(title=rule.title, text=rule.text) for rule in value.rules],
        rules_version=value.rules_version,
        welcome=value.welcome,
        channel_ids=channel_ids,
        accepted_version=accepted_version,
        etag=value.etag,
        must_accept=value.must_accept,
    )
