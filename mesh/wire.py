"""Envoy's configuration in words: the few shapes that every part of it repeats."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any, Final

import betterproto2
from envoy_data_plane.envoy.config.core.v3 import (
    Address,
    HeaderValue,
    HeaderValueOption,
    HeaderValueOptionHeaderAppendAction,
    Pipe,
    SocketAddress,
    TypedExtensionConfig,
)
from envoy_data_plane.envoy.config.route.v3 import HeaderMatcher, RouteConfiguration
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    HttpFilter,
    Rds,
)
from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher
from envoy_data_plane.google.protobuf import Any as AnyMessage

Routes = Rds | RouteConfiguration
"""A listener's routes: where they are read from as they change, or the routes themselves."""
SOCKET_MODE = 0o600
"""Only the owner may connect: the boundary on one machine is the Unix user."""


def seconds(value: float) -> timedelta:
    """A duration."""
    return timedelta(seconds=value)


def packed(message: betterproto2.Message) -> AnyMessage:
    """A message inside `google.protobuf.Any`."""
    with _prepared_once():
        return AnyMessage.pack(message)


def as_json(message: betterproto2.Message) -> dict[str, object]:
    """The message as Envoy reads it from a JSON file."""
    with _prepared_once():
        # Other casings corrupt names with digits, such as `consecutive_5xx`.
        return message.to_dict(casing=str)  # type: ignore[arg-type]  # any function of a name


_HINTS: Final = "_type_hints"
_VALIDATE: Final = "_validate"
_evaluated: Final[Any] = cache(betterproto2.Message.__dict__[_HINTS].__func__)


def _validate(message: Any) -> None:
    fields = {name: value for name, value in vars(message).items() if name != "_unknown_fields"}
    message.__pydantic_validator__.validate_python(fields)


@contextmanager
def _prepared_once() -> Iterator[None]:
    """Spares betterproto2 most of its work.

    For each message, and each of its fields, it evaluates the annotations of the class
    and compiles its validator; both are the same for ever.
    """
    original = {name: betterproto2.Message.__dict__[name] for name in (_HINTS, _VALIDATE)}
    setattr(betterproto2.Message, _HINTS, classmethod(_evaluated))
    setattr(betterproto2.Message, _VALIDATE, _validate)
    try:
        yield
    finally:
        for name, value in original.items():
            setattr(betterproto2.Message, name, value)


def extension(name: str, message: betterproto2.Message) -> TypedExtensionConfig:
    """A named extension and its configuration."""
    return TypedExtensionConfig(name=name, typed_config=packed(message))


def http_filter(name: str, message: betterproto2.Message) -> HttpFilter:
    """An HTTP filter under the name that routes configure it by."""
    return HttpFilter(name=name, typed_config=packed(message))


def listening_on(endpoint: str) -> Address:
    """Where to listen: `unix:/path`, for the owner alone, or `host:port`."""
    if endpoint.startswith("unix:"):
        return Address(pipe=Pipe(path=endpoint.removeprefix("unix:"), mode=SOCKET_MODE))
    return reaching(endpoint)


def reaching(endpoint: str) -> Address:
    """Where to connect to: `unix:/path` or `host:port`; an IPv6 host in brackets."""
    if endpoint.startswith("unix:"):
        return Address(pipe=Pipe(path=endpoint.removeprefix("unix:")))
    host, _, port = endpoint.rpartition(":")
    return Address(socket_address=SocketAddress(address=host.strip("[]"), port_value=int(port)))


def header(name: str, value: str) -> HeaderValueOption:
    """A header that replaces whatever stands under its name."""
    return HeaderValueOption(
        header=HeaderValue(key=name, value=value),
        append_action=HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
    )


def default_header(name: str, value: str) -> HeaderValueOption:
    """A header for those who have not said otherwise."""
    return HeaderValueOption(
        header=HeaderValue(key=name, value=value),
        append_action=HeaderValueOptionHeaderAppendAction.ADD_IF_ABSENT,
    )


def header_is(name: str, value: str) -> HeaderMatcher:
    """Matches a header's whole value."""
    return HeaderMatcher(name=name, string_match=StringMatcher(exact=value))


def header_starts(name: str, value: str) -> HeaderMatcher:
    """Matches the beginning of a header's value."""
    return HeaderMatcher(name=name, string_match=StringMatcher(prefix=value))
