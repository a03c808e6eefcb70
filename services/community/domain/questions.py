"""Questions that newcomers are asked, and what follows from their answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.errors import FailedPrecondition, Invalid
from services.community.domain import Changed

QUESTIONS: Final = 8
ANSWERS: Final = 16
"""To one question."""


class AnswerRequired(FailedPrecondition):
    """A question has to be answered and is not."""

    reason = "ANSWER_REQUIRED"

    def __init__(self, title: str) -> None:
        super().__init__(f"this has to be answered: {title}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What may be chosen."""

    id: UUID | None
    """None until it is kept."""
    title: str
    emoji: str = ""
    role_ids: tuple[UUID, ...] = ()
    """What it gives."""
    channel_ids: tuple[UUID, ...] = ()
    """What it suggests."""


@dataclass(frozen=True, slots=True)
class Question:
    """What newcomers are asked."""

    id: UUID | None
    """None until it is kept."""
    title: str
    answers: tuple[Answer, ...]
    multiple: bool = False
    required: bool = False

    def chosen(self, answer_ids: Collection[UUID]) -> list[Answer]:
        """Its answers among these."""
        return [answer for answer in self.answers if answer.id in answer_ids]


def kept(questions: Iterable[Question], before: Iterable[Question]) -> tuple[Question, ...]:
    """Questions as they are kept: new ones have ids, and the others are those there were.

    Raises `Changed` for a question, or an answer to it, that is not there, and `Invalid`
    for one that is named twice.
    """
    questions = tuple(questions)
    known = {question.id: {answer.id for answer in question.answers} for question in before}
    for question in questions:
        if question.id and question.id not in known:
            raise Changed("the questions")
        if not known.get(question.id, set()) | {None} >= {a.id for a in question.answers}:
            raise Changed("the answers")
    said = [q.id for q in questions] + [a.id for q in questions for a in q.answers]
    named = [each for each in said if each]
    if len(set(named)) < len(named):
        why = "name a question or an answer twice"
        raise Invalid(f"questions {why}", fields=(("questions", why),))
    return tuple(
        replace(
            question,
            id=question.id or ids.new(),
            answers=tuple(replace(a, id=a.id or ids.new()) for a in question.answers),
        )
        for question in questions
    )


def may_answer(questions: Iterable[Question], answer_ids: Collection[UUID]) -> None:
    """Return when somebody may choose these answers, and no others.

    Raises `Changed` for one that is not there, `AnswerRequired`, and `Invalid` for several
    where one is taken.
    """
    left = set(answer_ids)
    for question in questions:
        chosen = question.chosen(left)
        if question.required and not chosen:
            raise AnswerRequired(question.title)
        if len(chosen) > 1 and not question.multiple:
            why = f"has several where one is taken: {question.title}"
            raise Invalid(f"answer_ids {why}", fields=(("answer_ids", why),))
        left -= {answer.id for answer in chosen}
    if left:
        raise Changed("the questions")


def unanswered(questions: Iterable[Question], answer_ids: Collection[UUID]) -> bool:
    """Whether a required question has none of these answers."""
    return any(q.required and not q.chosen(answer_ids) for q in questions)


def still_there(questions: Iterable[Question], answer_ids: Iterable[UUID]) -> tuple[UUID, ...]:
    """Those of these answers that may be chosen."""
    there = {answer.id for question in questions for answer in question.answers}
    return tuple(each for each in answer_ids if each in there)


def given(questions: Iterable[Question], answer_ids: Collection[UUID]) -> frozenset[UUID]:
    """The roles that these answers give."""
    chosen = (answer for question in questions for answer in question.chosen(answer_ids))
    return frozenset(role_id for answer in chosen for role_id in answer.role_ids)


def offered(questions: Iterable[Question]) -> frozenset[UUID]:
    """The roles that some answer gives."""
    answers = (answer for question in questions for answer in question.answers)
    return frozenset(role_id for answer in answers for role_id in answer.role_ids)


def suggested(questions: Iterable[Question]) -> frozenset[UUID]:
    """The channels that some answer suggests."""
    answers = (answer for question in questions for answer in question.answers)
    return frozenset(channel_id for answer in answers for channel_id in answer.channel_ids)
