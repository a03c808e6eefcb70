"""What newcomers meet, from the wire and onto it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from chassis import ids
from creavio.community.v1 import onboarding_pb2
from services.community import convert
from services.community.domain.onboarding import Newcomer, Onboarding, Rule
from services.community.domain.questions import Answer, Question, still_there


def rules(messages: Iterable[onboarding_pb2.Rule]) -> tuple[Rule, ...]:
    """The rules that a request says."""
    return tuple(Rule(message.title.strip(), message.text.strip()) for message in messages)


def questions(messages: Iterable[onboarding_pb2.OnboardingQuestion]) -> tuple[Question, ...]:
    """The questions that a request says; new ones have no ids."""
    return tuple(
        Question(
            convert.question_id(message.id) if message.id else None,
            message.title.strip(),
            tuple(map(_answer, message.answers)),
            message.multiple,
            message.required,
        )
        for message in messages
    )


def onboarding(
    value: Onboarding, seen: Collection[UUID], newcomer: Newcomer
) -> onboarding_pb2.Onboarding:
    """What is met by somebody who sees these channels and has come so far."""
    return onboarding_pb2.Onboarding(
        community_id=ids.text(ids.Kind.COMMUNITY, value.community_id),
        rules=[onboarding_pb2.Rule(title=rule.title, text=rule.text) for rule in value.rules],
        rules_version=value.rules_version,
        welcome=value.welcome,
        channel_ids=_channels(value.channel_ids, seen),
        accepted_version=newcomer.accepted_version,
        etag=value.etag,
        must_accept=value.must_accept,
        questions=[_question(question, seen) for question in value.questions],
        answer_ids=map(convert.answer_text, still_there(value.questions, newcomer.answer_ids)),
    )


def _answer(message: onboarding_pb2.OnboardingAnswer) -> Answer:
    return Answer(
        convert.answer_id(message.id, "questions.answers.id") if message.id else None,
        message.title.strip(),
        message.emoji.strip(),
        tuple(
            ids.parse(ids.Kind.ROLE, text, field="questions.answers.role_ids")
            for text in message.role_ids
        ),
        tuple(map(convert.channel_id, message.channel_ids)),
    )


def _question(value: Question, seen: Collection[UUID]) -> onboarding_pb2.OnboardingQuestion:
    assert value.id is not None, "it is kept"
    return onboarding_pb2.OnboardingQuestion(
        id=convert.question_text(value.id),
        title=value.title,
        multiple=value.multiple,
        required=value.required,
        answers=[
            onboarding_pb2.OnboardingAnswer(
                id="" if answer.id is None else convert.answer_text(answer.id),
                title=answer.title,
                emoji=answer.emoji,
                role_ids=[ids.text(ids.Kind.ROLE, role_id) for role_id in answer.role_ids],
                channel_ids=_channels(answer.channel_ids, seen),
            )
            for answer in value.answers
        ],
    )


def _channels(channel_ids: Sequence[UUID], seen: Collection[UUID]) -> list[str]:
    return [convert.channel_text(each) for each in channel_ids if each in seen]
