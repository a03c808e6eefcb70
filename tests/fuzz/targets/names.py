"""Names that people and programs write: ids, handles, tags, languages, codes."""

from __future__ import annotations

import re
from typing import Final
from unicodedata import normalize
from uuid import UUID

from chassis import ids
from chassis.errors import Invalid
from services.auth.domain import is_address, second_factor
from services.chat import convert
from services.community.domain import discovery, naming
from services.user import domain as user
from tests.fuzz.targets.reading import Input, refuses, text


def identifier(data: bytes) -> None:
    """An identifier is of one kind, and the only text for what it names."""
    told = Input(data)
    value = UUID(bytes=told.part()[:16].ljust(16, b"\0"))
    shown = told.changed(ids.text(told.one_of(list(ids.Kind)), value))
    kinds = []
    for kind in ids.Kind:
        assert ids.parse(kind, ids.text(kind, value), field="id") == value
        try:
            found = ids.parse(kind, shown, field="some_id")
        except Invalid as refused:
            refuses(refused, "some_id")
        else:
            assert ids.text(kind, found) == shown, f"{shown!r} is another's"
            kinds.append(kind)
    assert len(kinds) <= 1
    try:
        place = convert.place(shown, "channel_id")
    except Invalid:
        assert not {*kinds} & {ids.Kind.CHANNEL, ids.Kind.CONVERSATION, ids.Kind.THREAD}
    else:
        assert convert.place_id(place) == shown


_HANDLE: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,31}")


def handle(data: bytes) -> None:
    """Handles that differ in their letters' size alone are the same, and look the same."""
    said = text(data)
    assert is_address(said) == ("@" in said)
    if not _HANDLE.fullmatch(said):
        return
    kept = user.canonical_handle(said)
    assert user.canonical_handle(said.upper()) == user.canonical_handle(kept) == kept
    seen = user.skeleton(said)
    assert user.skeleton(kept) == user.skeleton(said.swapcase()) == user.skeleton(seen) == seen


_LEXEME: Final = r"'[^'\\\s\x00]+'"
_TSVECTOR: Final = re.compile(rf"({_LEXEME}:\d+[ABD]( |\Z))*")
_TSQUERY: Final = re.compile(rf"({_LEXEME}(:\*)?( & |\Z))*")
_LANGUAGE: Final = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*")


def community_search(data: bytes) -> None:
    """What is searched by and for is well-formed for PostgreSQL; tags stay what they became."""
    told = Input(data)
    description, said = text(told.part()), told.text()
    assert naming.folded(naming.folded(said)) == naming.folded(said)
    document, question = discovery.document(said, (), description), discovery.question(said)
    assert _TSVECTOR.fullmatch(document), document
    assert _TSQUERY.fullmatch(question), question
    # Found by its own name, whole.
    there = set(re.findall(_LEXEME, document))
    assert set(re.findall(_LEXEME, question)) <= there
    # An accent is the same in one character and in two.
    assert discovery.words(normalize("NFD", said)) == discovery.words(said)
    _tags(said)
    if _LANGUAGE.fullmatch(said):
        language = discovery.language_of(said)
        assert discovery.language_of(language) == discovery.language_of(said.upper()) == language
        assert set(discovery.looked_for((), language)) <= set(discovery.facets((), language))


def _tags(said: str) -> None:
    try:
        tags = discovery.tags_of(said.split(","))
    except Invalid as refused:
        refuses(refused, "tags")
        return
    assert discovery.tags_of(tags) == tags
    assert all(0 < len(tag) <= discovery.TAG_LENGTH for tag in tags)
    assert set(discovery.looked_for(tags, "")) == set(discovery.facets(tags, ""))


def typed_code(data: bytes) -> None:
    """A code is the same however it is typed, and an app's only when it is six digits."""
    said = text(data)
    code = second_factor.typed(said)
    assert second_factor.typed(f" {code[:3]}-{code[3:]} ") == second_factor.typed(code)
    assert second_factor.is_totp(code) == bool(re.fullmatch("[0-9]{6}", code))
