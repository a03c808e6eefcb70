"""Where templates are kept, and communities that are about to be founded by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row

from chassis.database import Transaction
from services.community.domain.builtin import BUILT_IN
from services.community.domain.forum import Forum, Sort, Tag
from services.community.domain.onboarding import Rule
from services.community.domain.template import (
    AnswerShape,
    ChannelShape,
    Founding,
    OnboardingShape,
    OverrideShape,
    QuestionShape,
    RoleShape,
    Shape,
    Template,
    TemplateNotFound,
)
from services.community.store.tables import COMMUNITY, TEMPLATE


async def lock_templates(tx: Transaction, creator_id: UUID) -> None:
    """Let nobody else count this person's templates to add one until the transaction ends."""
    key = sa.func.hashtextextended(f"templates of {creator_id}", 0)
    await tx.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


async def add_template(tx: Transaction, template: Template) -> None:
    """Keep a template."""
    await tx.execute(
        sa.insert(TEMPLATE).values(
            code=template.code,
            community_id=template.community_id,
            creator_id=template.creator_id,
            name=template.name,
            shape=asdict(template.shape),
            create_time=template.create_time,
        )
    )


async def template(tx: Transaction, code: str) -> Template:
    """A template, kept or built in. Raises `TemplateNotFound`."""
    if code in BUILT_IN:
        return BUILT_IN[code]
    query = sa.select(TEMPLATE).where(TEMPLATE.c.code == code)
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        raise TemplateNotFound
    return _template(row)


async def templates_of(tx: Transaction, creator_id: UUID) -> Sequence[tuple[str, str, datetime]]:
    """Codes, names and times of a person's templates, the newest first."""
    rows = await tx.execute(
        sa.select(TEMPLATE.c.code, TEMPLATE.c.name, TEMPLATE.c.create_time)
        .where(TEMPLATE.c.creator_id == creator_id)
        .order_by(TEMPLATE.c.create_time.desc())
    )
    return [(row.code, row.name, row.create_time) for row in rows]


async def delete_template(tx: Transaction, code: str, creator_id: UUID) -> None:
    """Forget a template of this person's, if there is one."""
    await tx.execute(
        sa.delete(TEMPLATE).where(TEMPLATE.c.code == code, TEMPLATE.c.creator_id == creator_id)
    )


async def begin_founding(tx: Transaction, community_id: UUID, founding: Founding) -> None:
    """Keep by what a community is about to be founded."""
    kept = {
        "shape": asdict(founding.shape),
        "channels": list(map(str, founding.channel_ids)),
        "roles": list(map(str, founding.role_ids)),
    }
    await tx.execute(
        sa.update(COMMUNITY).where(COMMUNITY.c.id == community_id).values(founding=kept)
    )


async def founding(tx: Transaction, community_id: UUID) -> Founding | None:
    """By what a community is about to be founded; None for no template, or when it is done."""
    query = sa.select(COMMUNITY.c.founding).where(COMMUNITY.c.id == community_id)
    kept = (await tx.execute(query)).scalar_one_or_none()
    if kept is None:
        return None
    # One from before templates had newcomers in them says nothing of roles.
    roles = tuple(map(UUID, kept.get("roles", ())))
    return Founding(_shape(kept["shape"]), tuple(map(UUID, kept["channels"])), roles)


def _template(row: Row[Any]) -> Template:
    shape = _shape(row.shape)
    return Template(row.code, row.name, shape, row.community_id, row.creator_id, row.create_time)


def _shape(kept: dict[str, Any]) -> Shape:
    return Shape(
        tuple(RoleShape(r["name"], r["color"], *_said(r)) for r in kept["roles"]),
        tuple(kept["categories"]),
        tuple(ChannelShape(**{**c, "forum": _forum(c["forum"])}) for c in kept["channels"]),
        tuple(OverrideShape(o["channel"], o["role"], *_said(o)) for o in kept["overrides"]),
        _onboarding(kept.get("onboarding")),
    )


def _onboarding(kept: dict[str, Any] | None) -> OnboardingShape:
    if kept is None:
        return OnboardingShape()
    return OnboardingShape(
        tuple(Rule(**rule) for rule in kept["rules"]),
        kept["welcome"],
        tuple(kept["channels"]),
        kept["must_accept"],
        tuple(
            QuestionShape(**{**question, "answers": tuple(map(_answer, question["answers"]))})
            for question in kept["questions"]
        ),
    )


def _answer(kept: dict[str, Any]) -> AnswerShape:
    roles, channels = tuple(kept["roles"]), tuple(kept["channels"])
    return AnswerShape(kept["title"], kept["emoji"], roles, channels)


def _said(kept: dict[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(kept["allow"]), tuple(kept["deny"])


def _forum(kept: dict[str, Any] | None) -> Forum | None:
    if kept is None:
        return None
    tags = tuple(Tag(**{**tag, "id": None}) for tag in kept["tags"])
    return Forum(kept["guidelines"], tags, kept["tag_required"], Sort(kept["sort"]))
