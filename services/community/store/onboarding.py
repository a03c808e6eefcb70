"""Where what newcomers meet is kept, and what members accepted and answered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.community.domain import MemberNotFound, Standing
from services.community.domain.onboarding import Newcomer, Onboarding, Rule
from services.community.domain.questions import Answer, Question
from services.community.store.tables import ADMISSION, CHANNEL, MEMBER, ONBOARDING


async def onboarding(tx: Transaction, community_id: UUID) -> Onboarding:
    """What a newcomer meets; nothing where nothing was ever said."""
    rows = await tx.execute(sa.select(ONBOARDING).where(ONBOARDING.c.community_id == community_id))
    row = rows.one_or_none()
    if row is None:
        return Onboarding(community_id)
    return Onboarding(
        row.community_id,
        tuple(Rule(rule["title"], rule["text"]) for rule in row.rules),
        row.rules_version,
        row.welcome,
        tuple(row.channel_ids),
        row.must_accept,
        tuple(map(_question, row.questions)),
    )


async def save_onboarding(tx: Transaction, onboarding: Onboarding) -> None:
    """Keep what a newcomer meets; the caller holds the lock of the community."""
    values = {
        "rules": [{"title": rule.title, "text": rule.text} for rule in onboarding.rules],
        "rules_version": onboarding.rules_version,
        "welcome": onboarding.welcome,
        "channel_ids": list(onboarding.channel_ids),
        "must_accept": onboarding.must_accept,
        "questions": list(map(_kept, onboarding.questions)),
    }
    await tx.execute(
        insert(ONBOARDING)
        .values(community_id=onboarding.community_id, **values)
        .on_conflict_do_update(index_elements=[ONBOARDING.c.community_id], set_=values)
    )


async def still_there(tx: Transaction, channel_ids: Collection[UUID]) -> frozenset[UUID]:
    """Those among these channels that exist for somebody."""
    rows = await tx.execute(
        sa.select(CHANNEL.c.id).where(
            CHANNEL.c.id.in_(channel_ids), CHANNEL.c.standing == Standing.SETTLED
        )
    )
    return frozenset(rows.scalars())


async def newcomer(tx: Transaction, community_id: UUID, user_id: UUID) -> Newcomer | None:
    """How far a member has come; None for no member."""
    row = (await tx.execute(_newcomer(community_id, user_id))).one_or_none()
    return None if row is None else _to_newcomer(row)


async def newcomer_to_change(tx: Transaction, community_id: UUID, user_id: UUID) -> Newcomer:
    """How far a member has come, while nobody ends the membership. Raises `MemberNotFound`."""
    query = _newcomer(community_id, user_id).with_for_update(key_share=True)
    row = (await tx.execute(query.where(MEMBER.c.standing == Standing.SETTLED))).one_or_none()
    if row is None:
        raise MemberNotFound
    return _to_newcomer(row)


async def save_newcomer(
    tx: Transaction, community_id: UUID, user_id: UUID, newcomer: Newcomer
) -> None:
    """Keep how far a member has come, under the next number, and that rbac is to be told."""
    accepts = MEMBER.c.accepted_version != newcomer.accepted_version
    await tx.execute(
        sa.update(MEMBER)
        .where(MEMBER.c.community_id == community_id, MEMBER.c.user_id == user_id)
        .values(
            accepted_version=newcomer.accepted_version,
            accept_time=sa.case((accepts, sa.func.now()), else_=MEMBER.c.accept_time),
            answer_ids=list(newcomer.answer_ids),
            pending=newcomer.pending,
            admission=ADMISSION.next_value(),
            tell_time=sa.func.now(),
        )
    )


async def settle_newcomer(tx: Transaction, community_id: UUID, user_id: UUID, number: int) -> None:
    """Note that rbac knows what follows from what a member did last, if it was that."""
    await tx.execute(
        sa.update(MEMBER)
        .where(
            MEMBER.c.community_id == community_id,
            MEMBER.c.user_id == user_id,
            MEMBER.c.admission == number,
        )
        .values(tell_time=None)
    )


async def untold(
    tx: Transaction, longer_than: timedelta, limit: int
) -> Sequence[tuple[UUID, UUID]]:
    """Members of whom a crash left rbac without what follows, the oldest first."""
    rows = await tx.execute(
        sa.select(MEMBER.c.community_id, MEMBER.c.user_id)
        .where(
            MEMBER.c.tell_time < sa.func.now() - longer_than,
            MEMBER.c.standing == Standing.SETTLED,
        )
        .order_by(MEMBER.c.tell_time)
        .limit(limit)
    )
    return [(row.community_id, row.user_id) for row in rows]


def _newcomer(community_id: UUID, user_id: UUID) -> sa.Select[Any]:
    return sa.select(
        MEMBER.c.accepted_version, MEMBER.c.answer_ids, MEMBER.c.pending, MEMBER.c.admission
    ).where(MEMBER.c.community_id == community_id, MEMBER.c.user_id == user_id)


def _to_newcomer(row: Row[Any]) -> Newcomer:
    return Newcomer(row.accepted_version, tuple(row.answer_ids), row.pending, row.admission)


def _question(kept: dict[str, Any]) -> Question:
    answers = tuple(
        Answer(
            UUID(answer["id"]),
            answer["title"],
            answer["emoji"],
            tuple(map(UUID, answer["role_ids"])),
            tuple(map(UUID, answer["channel_ids"])),
        )
        for answer in kept["answers"]
    )
    id_, title = UUID(kept["id"]), kept["title"]
    return Question(id_, title, answers, kept["multiple"], kept["required"])


def _kept(question: Question) -> dict[str, Any]:
    return {
        "id": str(question.id),
        "title": question.title,
        "multiple": question.multiple,
        "required": question.required,
        "answers": [
            {
                "id": str(answer.id),
                "title": answer.title,
                "emoji": answer.emoji,
                "role_ids": list(map(str, answer.role_ids)),
                "channel_ids": list(map(str, answer.channel_ids)),
            }
            for answer in question.answers
        ],
    }
