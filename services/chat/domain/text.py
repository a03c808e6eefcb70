"""What counts as something written."""

from __future__ import annotations

import re
from typing import Final
import unicodedata

from chassis.errors import Invalid

# Default_Ignorable_Code_Point of the Unicode Character Database, and what besides
# shows nothing: controls, interlinear annotation, the blank Braille pattern.
_INVISIBLE: Final = (
    r"\s\x00-\x1f\x7f-\xa0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
    r"\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_SHOWN: Final = re.compile(f"[^{_INVISIBLE}]")

_JOINER: Final = "\u200d"
_EXTENDS: Final = re.compile("[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
"""Variation selectors, the keycap, skin tones, the tags of regional flags."""
_REGIONAL: Final = re.compile("[\U0001f1e6-\U0001f1ff]")
_PICTOGRAPHS: Final = 0x1F000


def shows(text: str) -> bool:
    """Whether anything in a text would show."""
    return _SHOWN.search(text) is not None


def written(content: str) -> str:
    """The text, as it is. Raises `Invalid` when nothing in it would show."""
    if not shows(content):
        raise Invalid("content must not be blank", fields=(("content", "must not be blank"),))
    return content


def emoji(text: str) -> str:
    """The emoji, as it is.

    Raises `Invalid` unless it is one thing to the eye, and nothing hides in it: a
    letter or a symbol, what is joined to it, or the two halves of a flag. That it is
    one in the tables of emoji is not asked: they grow every year.
    """
    if not _one_cluster(text):
        raise Invalid("emoji must be one emoji", fields=(("emoji", "must be one emoji"),))
    return text


def _one_cluster(text: str) -> bool:
    before = ""
    bases = 0
    for character in text:
        if character == _JOINER or _EXTENDS.match(character):
            if before in ("", _JOINER):
                # A lone skin tone is an emoji; else something has to be there to extend.
                if not "\U0001f3fb" <= character <= "\U0001f3ff":
                    return False
                bases += before != _JOINER
        elif not _stands_alone(character):
            return False
        elif before != _JOINER:
            bases += 1
        before = character
    flag = len(text) == 2 and all(map(_REGIONAL.match, text))
    return (bases <= 1 or flag) and before not in ("", _JOINER)


def _stands_alone(character: str) -> bool:
    if not _SHOWN.match(character):
        return False
    kind = unicodedata.category(character)
    # Pictographs newer than Python's tables are unassigned to it.
    new = kind == "Cn" and _PICTOGRAPHS <= ord(character) < 2 * _PICTOGRAPHS
    return kind[0] not in "MZC" or new
