"""Templates, between the contract's messages, rbac's and the domain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from chassis import ids
from chassis.wire import timestamp
from creavio.community.v1 import channel_pb2, onboarding_pb2, template_pb2
from creavio.options.v1 import permission_pb2
from creavio.rbac.v1 import policy_shape_pb2
from services.community.convert import forum_message
from services.community.domain.template import (
    ChannelShape,
    Founding,
    OnboardingShape,
    OverrideShape,
    RoleShape,
    Template,
)


def template(value: Template) -> template_pb2.Template:
    """A template as it stands on the wire."""
    shape = value.shape
    return template_pb2.Template(
        code=value.code,
        name=value.name,
        categories=shape.categories,
        channels=[_channel(channel) for channel in shape.channels],
        roles=[
            template_pb2.TemplateRole(
                name=role.name,
                color=role.color,
                allow=_numbers(role.allow),
                deny=_numbers(role.deny),
            )
            for role in shape.roles
        ],
        create_time=None if value.create_time is None else timestamp(value.create_time),
        onboarding=_onboarding(shape.onboarding),
    )


def listed(code: str, name: str, create_time: datetime) -> template_pb2.Template:
    """A template as it is listed among others."""
    return template_pb2.Template(code=code, name=name, create_time=timestamp(create_time))


def policy(value: Founding) -> policy_shape_pb2.PolicyShape:
    """The roles of a community that is founded by a template, for rbac."""
    names = [ids.text(ids.Kind.CHANNEL, channel_id) for channel_id in value.channel_ids]
    role_ids = [ids.text(ids.Kind.ROLE, role_id) for role_id in value.role_ids]
    role_ids = role_ids or [""] * len(value.shape.roles)
    return policy_shape_pb2.PolicyShape(
        roles=[
            policy_shape_pb2.RoleShape(
                name=role.name,
                color=role.color,
                allow=_numbers(role.allow),
                deny=_numbers(role.deny),
                role_id=role_id,
            )
            for role, role_id in zip(value.shape.roles, role_ids, strict=True)
        ],
        overrides=[
            policy_shape_pb2.OverrideShape(
                channel_id=names[each.channel],
                role=each.role,
                allow=_numbers(each.allow),
                deny=_numbers(each.deny),
            )
            for each in value.shape.overrides
        ],
    )


def roles(message: policy_shape_pb2.PolicyShape) -> tuple[RoleShape, ...]:
    """Roles as rbac tells of them."""
    return tuple(
        RoleShape(role.name, role.color, tuple(role.allow), tuple(role.deny))
        for role in message.roles
    )


def role_ids(message: policy_shape_pb2.PolicyShape) -> list[UUID]:
    """The ids of roles as rbac tells of them."""
    return [ids.parse(ids.Kind.ROLE, role.role_id, field="role_id") for role in message.roles]


def overrides(
    message: policy_shape_pb2.PolicyShape, channel_ids: Sequence[str]
) -> tuple[OverrideShape, ...]:
    """Overrides as rbac tells of them, the channels by their numbers among these."""
    numbers = {channel_id: number for number, channel_id in enumerate(channel_ids)}
    return tuple(
        OverrideShape(numbers[each.channel_id], each.role, tuple(each.allow), tuple(each.deny))
        for each in message.overrides
    )


def _onboarding(value: OnboardingShape) -> template_pb2.TemplateOnboarding | None:
    if value == OnboardingShape():
        return None
    return template_pb2.TemplateOnboarding(
        rules=[onboarding_pb2.Rule(title=rule.title, text=rule.text) for rule in value.rules],
        welcome=value.welcome,
        channels=value.channels,
        must_accept=value.must_accept,
        questions=[
            template_pb2.TemplateQuestion(
                title=question.title,
                multiple=question.multiple,
                required=question.required,
                answers=[
                    template_pb2.TemplateAnswer(
                        title=answer.title,
                        emoji=answer.emoji,
                        roles=answer.roles,
                        channels=answer.channels,
                    )
                    for answer in question.answers
                ],
            )
            for question in value.questions
        ],
    )


def _channel(value: ChannelShape) -> template_pb2.TemplateChannel:
    return template_pb2.TemplateChannel(
        name=value.name,
        topic=value.topic,
        category=value.category,
        private=value.private,
        type=channel_pb2.CHANNEL_TYPE_FORUM if value.forum else channel_pb2.CHANNEL_TYPE_TEXT,
        forum=None if value.forum is None else forum_message(value.forum),
    )


def _numbers(permissions: Iterable[int]) -> list[permission_pb2.Permission.ValueType]:
    return [permission_pb2.Permission.ValueType(number) for number in permissions]
