"""What people write: whom a text mentions, what of it shows, what is an emoji."""

from __future__ import annotations

from typing import Final
import unicodedata

from chassis import ids
from chassis.errors import Invalid
from services.chat.domain import mentions as domain
from services.chat.domain.mentions import MAX_MENTIONS, Mentions, mentions_in, packed, unpacked
from services.chat.domain.text import emoji, shows, written
from tests.fuzz.targets.reading import refuses, text

_IDS: Final = {"\x01": ids.Kind.USER, "\x02": ids.Kind.ROLE, "\x03": ids.Kind.CHANNEL}
_TONES: Final = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_SIGN: Final = {ids.Kind.USER: "@", ids.Kind.ROLE: "@&", ids.Kind.CHANNEL: "#"}


def mentions(data: bytes) -> None:
    """What is mentioned stands in the text, outside of code, and is kept as it is."""
    content = _with_ids(text(data))
    found = _found(content)
    if found is None:
        return
    assert unpacked(packed(found)) == found
    for kind, named in zip(_SIGN, (found.users, found.roles, found.channels), strict=True):
        assert len(set(named)) == len(named)
        assert all(f"<{_SIGN[kind]}{ids.text(kind, each)}>" in content for each in named)
    assert not found.everyone or "@everyone" in content
    targets = domain.targets(found)
    assert len(set(targets)) == len(targets)
    assert len(found.users) + len(found.roles) + len(found.channels) <= MAX_MENTIONS
    # A paragraph before it has no say in it; nor have the ends of its lines.
    assert _found(f"x\n\n{content}") == found
    assert _found(content.replace("\r\n", "\n").replace("\r", "\n")) == found
    fence = "~" * (content.count("~") + 3)
    assert _found(f"{fence}\n{content}\n{fence}") == domain.NONE


def _with_ids(content: str) -> str:
    """With ids where the input has one of three characters: 26 letters are hard to come by."""
    for place, (mark, kind) in enumerate(_IDS.items()):
        content = content.replace(mark, f"{kind}_{place:026}")
    return content


def _found(content: str) -> Mentions | None:
    try:
        return mentions_in(content)
    except Invalid as refused:
        refuses(refused, "content")
        assert content.count("<") > MAX_MENTIONS
        return None


def shown_text(data: bytes) -> None:
    """What counts as written shows something; an emoji is one thing, and hides nothing."""
    said = text(data)
    try:
        assert written(said) == said
        assert shows(said)
        assert said.strip()
    except Invalid:
        assert not any(
            unicodedata.category(letter)[0] in "LNPS"
            and letter not in "\u115f\u1160\u3164\uffa0\u2800"
            for letter in said
        ), said
    try:
        assert emoji(said) == said
    except Invalid as refused:
        refuses(refused, "emoji")
        return
    assert said
    assert not any(
        letter.isspace() or unicodedata.category(letter) in ("Cc", "Cs", "Co") for letter in said
    )
    assert not said.startswith("\u200d")
    assert not said.endswith("\u200d")
    # Nothing can be put before or behind it that shows, or hides.
    for more in ("a", " ", "\u200b", "\u202e", "\U0001f600"):
        # A skin tone by itself is an emoji, and changes what it comes after.
        for longer in (said + more, *([] if said[0] in _TONES else [more + said])):
            try:
                emoji(longer)
            except Invalid:
                continue
            raise AssertionError(f"{longer!r} is one emoji")
