"""What public communities are found by, and in which orders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby
from typing import Final
import unicodedata

from chassis.errors import Invalid
from services.community.domain.naming import folded

TAGS: Final = 5
TAG_LENGTH: Final = 24
_WORD_LENGTH: Final = 64
"""Longer ones are cut: PostgreSQL takes none above 2,046 bytes."""
_UNSPACED: Final = ((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
"""Scripts without spaces between words: Han, Hiragana and Katakana."""
_ACCENTS: Final = range(0x300, 0x370)


class Order(IntEnum):
    """An order of communities. The contract's numbers; a test compares."""

    NAME = 1
    NEWEST = 2
    MEMBERS = 3
    RELEVANCE = 4


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which public communities are looked for."""

    order: Order
    prefix: str = ""
    """What their folded names begin with."""
    query: str = ""
    """As PostgreSQL's tsquery; empty for none."""
    facets: tuple[str, ...] = ()
    """All of which they have."""


def ordered(asked: int, query: str) -> Order:
    """The order that is asked for; 0 leaves it open. Raises `Invalid`."""
    if asked:
        if asked == Order.RELEVANCE and not query:
            why = "is by relevance, which takes a query"
            raise Invalid(f"order {why}", fields=(("order", why),))
        return Order(asked)
    return Order.RELEVANCE if query else Order.NAME


def tags_of(said: Iterable[str]) -> tuple[str, ...]:
    """Tags as they are kept: small letters, digits and hyphens, none twice. Raises `Invalid`."""
    return tuple(dict.fromkeys(map(_tag, said)))


def language_of(said: str) -> str:
    """A language tag in the letters RFC 5646 (2.1.1) recommends; empty for none."""
    first, *others = said.split("-")
    return "-".join([first.lower(), *map(_subtag, others)])


def facets(tags: Iterable[str], language: str) -> tuple[str, ...]:
    """What a community is filtered by: its tags, its language and all that this one is of.

    So `pt` finds what is in `pt-BR` (RFC 4647, 3.3.1).
    """
    parts = language.split("-") if language else []
    ranges = ("-".join(parts[:n]) for n in range(1, len(parts) + 1))
    return (*(f"#{tag}" for tag in tags), *(f"={each}" for each in ranges))


def looked_for(tags: Iterable[str], language: str) -> tuple[str, ...]:
    """The facets that a community has which is found by these."""
    return (*(f"#{tag}" for tag in tags_of(tags)), *([f"={language}"] if language else []))


def document(name: str, tags: Iterable[str], description: str) -> str:
    """What a community is searched by, as PostgreSQL's tsvector: the name counts most."""
    weighed = [("A", name), *(("B", tag) for tag in tags), ("D", description)]
    found = [(word, weight) for weight, text in weighed for word in words(text)]
    return " ".join(f"'{word}':{place}{weight}" for place, (word, weight) in enumerate(found, 1))


def question(text: str) -> str:
    """What is searched for, as PostgreSQL's tsquery: every word, of the last its beginning.

    Empty where there is no word.
    """
    terms = [f"'{word}'" for word in words(text)]
    if terms and not text[-1].isspace():
        terms[-1] += ":*"
    return " & ".join(terms)


def words(text: str) -> list[str]:
    """The words of a text as they are compared: by letters and digits alone.

    Accents of letters do not count. Where words are not spaced, there is one at each
    letter, with the next.
    """
    return [word[:_WORD_LENGTH] for word in _split(_plain(text))]


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(letter for letter in apart if ord(letter) not in _ACCENTS)
    return unicodedata.normalize("NFKC", bare)


def _split(text: str) -> Iterator[str]:
    for kind, run in groupby(text, _kind):
        word = "".join(run)
        if kind == "unspaced":
            yield from (word[place : place + 2] for place in range(len(word)))
        elif kind == "spaced":
            yield word


def _kind(letter: str) -> str:
    if unicodedata.category(letter)[0] not in "LMN":
        return "none"
    unspaced = any(first <= ord(letter) <= last for first, last in _UNSPACED)
    return "unspaced" if unspaced else "spaced"


def _tag(said: str) -> str:
    tag = "-".join(folded(said).replace("_", " ").split())
    letters: Sequence[str] = tag.replace("-", "")
    if not letters or len(tag) > TAG_LENGTH or any(_kind(each) == "none" for each in letters):
        why = f"has letters and digits, 1 to {TAG_LENGTH} of them, with hyphens between"
        raise Invalid(f"a tag {why}", fields=(("tags", why),))
    return tag


def _subtag(part: str) -> str:
    if len(part) == 4 and part.isalpha():
        return part.title()
    return part.upper() if len(part) == 2 else part.lower()
