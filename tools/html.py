"""The few shapes of HTML the reference is made of. Text in, escaped text out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
import html
import re

from tools.prose import paragraphs


def escape(text: str) -> str:
    """Text as it can stand anywhere, attributes included."""
    return html.escape(text, quote=True)


def code(text: str) -> str:
    """Text as code; long paths may break after a slash or a dot."""
    breakable = re.sub(r"([/.])(?=.)", r"\1<wbr>", escape(text))
    return f"<code>{breakable}</code>"


def inline(text: str) -> str:
    """A sentence in which `backticks` mark code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def prose(comment: str) -> str:
    """A comment, paragraph by paragraph."""
    return "".join(f"<p>{inline(part)}</p>" for part in paragraphs(comment).split("\n\n") if part)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "fields") -> str:
    """A table whose cells are HTML already; empty without rows.

    `kind` is the class its columns are laid out by.
    """
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows)
    if not body:
        return ""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    return f'<table class="{kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and what they stand for, HTML already; those that stand for nothing are left out."""
    return (
        '<dl class="facts">'
        + "".join(f"<div><dt>{escape(k)}</dt><dd>{v}</dd></div>" for k, v in pairs if v)
        + "</dl>"
    )
