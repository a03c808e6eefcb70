"""A branch holds whatever of the list may match: the first that matches is the same."""

from __future__ import annotations

from collections.abc import Sequence
import re

from envoy_data_plane.envoy.config.route.v3 import Route, RouteList, RouteMatch
from envoy_data_plane.envoy.type.matcher.v3 import RegexMatcher
from envoy_data_plane.xds.type.matcher.v3 import Matcher, MatcherOnMatch
from hypothesis import given
from hypothesis import strategies as st
import pytest

from mesh.branches import branches, head_of, service_of

SEGMENTS = st.sampled_from(["v1", "users", "me", "u", "a-b", "usr_1:block", "x"])
PATHS = st.lists(SEGMENTS, max_size=4).map(lambda parts: "/" + "/".join(parts))
MATCHES = st.one_of(
    PATHS.map(lambda path: RouteMatch(path=path)),
    PATHS.map(lambda path: RouteMatch(prefix=path)),
    PATHS.map(lambda path: RouteMatch(path_separated_prefix=path.rstrip("/") or "/v1")),
    st.tuples(PATHS, st.sampled_from(["", "[^/:]+", "/[^/:]+", "/.+", "/x?", "/x*/x", "|/x"])).map(
        lambda parts: RouteMatch(
            safe_regex=RegexMatcher(regex=re.escape(parts[0].rstrip("/")) + parts[1])
        )
    ),
)
ROUTES = st.lists(MATCHES, max_size=12).map(
    lambda matches: [Route(name=str(n), match=match) for n, match in enumerate(matches)]
)


def matches(route: Route, path: str) -> bool:
    """What Envoy says of a path, whatever the method and the headers are."""
    match = route.match
    assert match is not None
    if match.safe_regex is not None:
        return re.fullmatch(match.safe_regex.regex, path) is not None
    if match.path_separated_prefix:
        beneath = match.path_separated_prefix
        return path == beneath or path.startswith(f"{beneath}/")
    if match.path:
        return path == match.path
    return path.startswith(match.prefix or "")


def candidates(routes: Sequence[Route], path: str) -> list[str]:
    return [route.name for route in routes if matches(route, path)]


def routes_of(branch: MatcherOnMatch | None) -> list[Route]:
    assert branch is not None
    assert branch.action is not None
    assert branch.action.typed_config is not None
    listed = branch.action.typed_config.unpack()
    assert isinstance(listed, RouteList)
    return listed.routes


def chosen(matcher: Matcher, path: str) -> list[Route]:
    """The branch of a path: that of its longest prefix."""
    assert matcher.matcher_tree is not None
    assert matcher.matcher_tree.prefix_match_map is not None
    tree = matcher.matcher_tree.prefix_match_map.map
    prefixes = [prefix for prefix in tree if path.startswith(prefix)]
    return routes_of(tree[max(prefixes, key=len)] if prefixes else matcher.on_no_match)


@given(routes=ROUTES, prefixes=st.lists(PATHS, min_size=1, max_size=5), path=PATHS)
def test_a_branch_chooses_as_the_list_does(
    routes: list[Route], prefixes: list[str], path: str
) -> None:
    branch = chosen(branches(routes, prefixes), path)
    assert candidates(branch, path) == candidates(routes, path)


def test_a_branch_is_shorter_than_the_list() -> None:
    routes = [
        Route(name="me", match=RouteMatch(path="/v1/users/me")),
        Route(name="channel", match=RouteMatch(path="/v1/channels")),
        Route(name="home", match=RouteMatch(path="/")),
        Route(name="rest", match=RouteMatch(prefix="/")),
    ]
    tree = branches(routes, ["/v1/users", "/v1/channels"])
    assert [route.name for route in chosen(tree, "/v1/users/me")] == ["me", "rest"]
    assert [route.name for route in chosen(tree, "/")] == ["home", "rest"]


@pytest.mark.parametrize(
    ("regex", "head"),
    [
        (r"/v1/users/[^/:]+", "/v1/users/"),
        (r"/v1/second\-factor:try", "/v1/second-factor"),
        (r"/v1/me?", "/v1/m"),
        (r"/v1/a\-*", "/v1/a"),
        (r"/v1/me|/v2", ""),
        (r".+", ""),
    ],
)
def test_the_head_of_an_expression_is_what_it_surely_begins_with(regex: str, head: str) -> None:
    assert head_of(Route(match=RouteMatch(safe_regex=RegexMatcher(regex=regex)))) == head


def test_the_paths_of_a_service() -> None:
    assert service_of("/creavio.chat.v1.MessageService/Get") == "/creavio.chat.v1.MessageService/"
