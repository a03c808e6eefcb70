"""Policy files: a policy, and what is expected of it.

A file says which roles there are, how channels override them, and what somebody
with some of the roles may do, and may not. It is decided by the evaluation that
decides on the platform. docs/examples/policy.yaml shows all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
import difflib
from pathlib import Path
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
import yaml

from chassis import ids
from services.rbac.domain.decision import Step
from services.rbac.domain.permissions import IN_CHANNEL, IN_COMMUNITY, Permission
from services.rbac.domain.policy import (
    OWNER,
    ROLES,
    Holdings,
    Kind,
    Override,
    Policy,
    Role,
    override_of,
)
from services.rbac.engine.evaluator import PolicyEngine


class PolicyFileError(Exception):
    """A file is no policy file; the message is a line for each reason, with its place."""


def _known(allowed: frozenset[Permission], where: str) -> Callable[[object], object]:
    names = {permission.name: permission for permission in allowed}

    def permission(name: object) -> object:
        if isinstance(name, str) and name in names:
            return names[name]
        if isinstance(name, str) and name in Permission.__members__:
            raise ValueError(f"{name} is not decided {where}")
        close = difflib.get_close_matches(str(name).upper(), names, 1)
        hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(names)}"
        raise ValueError(f"there is no permission {name}{hint}")

    return permission


_InCommunity: TypeAlias = Annotated[
    Permission, BeforeValidator(_known(IN_COMMUNITY, "in a community"))
]
_InChannel: TypeAlias = Annotated[Permission, BeforeValidator(_known(IN_CHANNEL, "in a channel"))]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RoleEntry(_Part):
    """A role: the first one is every member's, above the last stands the owner's."""

    name: str = Field(min_length=1)
    allow: frozenset[_InCommunity] = frozenset()
    deny: frozenset[_InCommunity] = frozenset()


class OverrideEntry(_Part):
    """What a role may do otherwise in a channel."""

    allow: frozenset[_InChannel] = frozenset()
    deny: frozenset[_InChannel] = frozenset()


class CaseEntry(_Part):
    """What a member who holds these roles besides is expected to be allowed."""

    name: str = ""
    roles: tuple[str, ...] = ()
    channel: str | None = None
    may: tuple[_InCommunity, ...] = ()
    may_not: tuple[_InCommunity, ...] = ()

    @model_validator(mode="after")
    def _expects(self) -> CaseEntry:
        if not self.may and not self.may_not:
            raise ValueError("expects nothing: say what they may, or may_not")
        for permission in sorted(set(self.may) & set(self.may_not)):
            raise ValueError(f"expects {permission.name} to be allowed and denied")
        return self


class PolicyFile(_Part):
    """A policy, and what is expected of it."""

    roles: list[RoleEntry] = Field(min_length=1, max_length=ROLES - 1)
    channels: dict[str, dict[str, OverrideEntry]] = Field(default_factory=dict)
    cases: list[CaseEntry] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_agree(self) -> PolicyFile:
        wrong = [*self._wrong_names()]
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    def _wrong_names(self) -> Iterator[str]:
        names = [role.name for role in self.roles]
        yield from self._wrong_roles(names)
        for channel, overrides in self.channels.items():
            for name in sorted(overrides.keys() - set(names)):
                if name == OWNER:
                    yield f"channels.{channel}.{name}: nothing is allowed or denied to an owner"
                else:
                    yield f"channels.{channel}.{name}: there is no role called {name}"
        for index, case in enumerate(self.cases):
            for place, name in enumerate(case.roles):
                if name not in (*names, OWNER):
                    yield f"cases[{index}].roles[{place}]: there is no role called {name}"
            if case.channel is not None and case.channel not in self.channels:
                yield (
                    f"cases[{index}].channel: there is no channel {case.channel}; "
                    "name it under channels, with {} where it overrides nothing"
                )

    def _wrong_roles(self, names: list[str]) -> Iterator[str]:
        for place, name in enumerate(names):
            if name == OWNER:
                yield f"roles[{place}].name: {OWNER} is there already, above all others"
            elif name in names[:place]:
                yield f"roles[{place}].name: there are two roles called {name}"


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that does not hold."""

    case: int
    """From 0."""
    permission: Permission
    allowed: bool
    """What the policy says."""
    because: str
    """The rule that decided."""


class _Loader(yaml.SafeLoader):
    """YAML in which nothing is said twice: of two keys alike the first would be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _wrong("a list or a mapping is no name", key)
            if key.value in seen:
                raise _wrong(f"{key.value} is said twice", key)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (AttributeError, IndexError, KeyError):  # PyYAML's, for `!!int ""` and the like
            raise _wrong(f"it is not what its tag says ({node.tag})", node) from None


def _wrong(problem: str, node: yaml.Node) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def load(path: Path) -> PolicyFile:
    """Read a policy file. Raises `PolicyFileError`."""
    try:
        content = yaml.load(path.read_text(), _Loader)  # noqa: S506  # a SafeLoader
        return PolicyFile.model_validate(content)
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyFileError(f"{path}: {error}") from None
    except yaml.YAMLError as error:
        raise PolicyFileError(f"{path}: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        raise PolicyFileError("\n".join(f"{path}: {line}" for line in _lines(error))) from None
    except ValueError as error:  # What YAML takes for a number or a date, and is none.
        raise PolicyFileError(f"{path}: {error}") from None
    except RecursionError:
        raise PolicyFileError(f"{path}: it is nested too deeply") from None


def failures(file: PolicyFile) -> list[Failure]:
    """The expectations that do not hold, in the order of the file."""
    policy, channels = _policy(file)
    ids = {role.name: role.id for role in policy.roles}
    engine, found = PolicyEngine(), []
    for index, case in enumerate(file.cases):
        channel_id = channels[case.channel] if case.channel is not None else None
        somebody = Holdings(frozenset({policy.roles[0].id, *(ids[name] for name in case.roles)}))
        for expected, permissions in ((True, case.may), (False, case.may_not)):
            for permission in permissions:
                last = engine.decide(policy, somebody, permission, channel_id)[-1]
                if last.allowed != expected:
                    because = _because(last, case.channel)
                    found.append(Failure(index, permission, last.allowed, because))
    return found


def _policy(file: PolicyFile) -> tuple[Policy, dict[str, UUID]]:
    roles = [
        Role(
            ids.new(),
            place,
            entry.name,
            Kind.CUSTOM if place else Kind.MEMBER,
            entry.allow - entry.deny,
            entry.deny,
        )
        for place, entry in enumerate(file.roles)
    ]
    roles.append(Role(ids.new(), len(roles), OWNER, Kind.OWNER, IN_COMMUNITY))
    by_name = {role.name: role.id for role in roles}
    channels = {name: ids.new() for name in file.channels}
    overrides: dict[UUID, dict[UUID, Override]] = {}
    for name, entries in file.channels.items():
        here = {by_name[role]: override_of(e.allow, e.deny) for role, e in entries.items()}
        overrides[channels[name]] = {role_id: said for role_id, said in here.items() if said}
    return Policy(ids.new(), 1, tuple(roles), overrides), channels


def _because(step: Step, channel: str | None) -> str:
    where = f" in {channel}" if step.channel_id is not None else ""
    if step.role is None:
        return f"no role speaks of {step.permission.name}"
    verb = "allows" if step.allowed else "denies"
    return f"{step.role.name} {verb} {step.permission.name}{where}"


def _lines(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        place = ""
        for part in problem["loc"]:
            if isinstance(part, int):
                place += f"[{part}]"
            else:
                # A key may be anything, a line break too.
                name = part if part.isprintable() else repr(part)
                place += f".{name}" if place else name
        said = str(problem["msg"]).removeprefix("Value error, ")
        yield from (f"{place}: {line}" if place else line for line in said.splitlines())
