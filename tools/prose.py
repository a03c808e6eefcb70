"""Comments of the contracts as running text."""

from __future__ import annotations

import re


def paragraphs(comment: str) -> str:
    """The comment with every paragraph on one line."""
    return "\n\n".join(" ".join(part.split()) for part in comment.split("\n\n"))


def summary(comment: str) -> str:
    """The first sentence, without its full stop."""
    text = paragraphs(comment).split("\n\n", maxsplit=1)[0]
    return re.split(r"(?<=[a-z)`])[.;:](?=\s|$)", text, maxsplit=1)[0].rstrip(".")
