"""Routes in branches: of a path, Envoy looks only at those it may match.

Envoy goes through a list of routes one by one, for REST once more when a call was turned
into gRPC: the more contracts there are, the more each call costs (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
import re
from typing import Final

from envoy_data_plane.envoy.config.route.v3 import Route, RouteList
from envoy_data_plane.envoy.type.matcher.v3 import HttpRequestHeaderMatchInput
from envoy_data_plane.xds.core.v3 import TypedExtensionConfig
from envoy_data_plane.xds.type.matcher.v3 import (
    Matcher,
    MatcherMatcherTree,
    MatcherMatcherTreeMatchMap,
    MatcherOnMatch,
)

from mesh.wire import packed

_LITERAL: Final = re.compile(r"(?:[\w/-]|\\\W)*(?![?*{])")
_ESCAPE: Final = re.compile(r"\\(\W)")


def branches(routes: Sequence[Route], prefixes: Iterable[str]) -> Matcher:
    """Chooses what the list of routes would choose, the first that matches.

    Each prefix is a branch, with the routes, in their order, that may match a path which
    begins so; of several prefixes of a path the longest counts.
    """
    chosen = tuple(sorted(set(prefixes)))
    headed = [(head_of(route), route) for route in routes]
    tree = {
        prefix: _one_of([route for head, route in headed if _may_match(route, head, prefix)])
        for prefix in chosen
    }
    # What begins with a prefix is found in its branch, or in that of a longer one.
    rest = [route for head, route in headed if not head.startswith(chosen)]
    path = HttpRequestHeaderMatchInput(header_name=":path")
    return Matcher(
        matcher_tree=MatcherMatcherTree(
            input=TypedExtensionConfig(name="path", typed_config=packed(path)),
            prefix_match_map=MatcherMatcherTreeMatchMap(map=tree),
        ),
        on_no_match=_one_of(rest),
    )


def _may_match(route: Route, head: str, prefix: str) -> bool:
    whole = route.match is not None and bool(route.match.path)
    return head.startswith(prefix) or (not whole and prefix.startswith(head))


def head_of(route: Route) -> str:
    """What every path that a route matches begins with."""
    match = route.match
    assert match is not None
    if match.safe_regex is None:
        return match.path or match.prefix or match.path_separated_prefix or ""
    regex = match.safe_regex.regex
    literal = None if "|" in regex else _LITERAL.match(regex)
    return "" if literal is None else _ESCAPE.sub(r"\1", literal[0])


def service_of(path: str) -> str:
    """What the paths of a service's RPCs begin with: `/creavio.chat.v1.MessageService/`."""
    return path[: path.rindex("/") + 1]


def _one_of(routes: Sequence[Route]) -> MatcherOnMatch:
    listed = packed(RouteList(routes=list(routes)))
    return MatcherOnMatch(action=TypedExtensionConfig(name="routes", typed_config=listed))
