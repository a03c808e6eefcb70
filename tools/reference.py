"""Writes the reference: one page of HTML for those who build on the contracts.

Self-contained: one style sheet in the page, no script, nothing fetched. It tells
what `tools.openapi` tells, from the same model, and the events besides.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools import reference_start
from tools.html import code, escape, inline, prose, table
from tools.model import Enum, Message, Model, Service
from tools.operation import Operations, field_rows
from tools.permissions import condition, described_permissions
from tools.prose import paragraphs
from tools.schema import component

_STYLE: Final = Path(__file__).with_name("reference.css")
_EVENTS: Final = "events"
_PERMISSIONS: Final = "permissions"
_OBJECTS: Final = "objects"


def render(model: Model) -> str:
    """The page: the same bytes for the same contracts."""
    return "".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            "<title>Creavio API reference</title>\n",
            '<meta name="description" content="Every call, event and permission of Creavio.">\n',
            f"<style>\n{_STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n",
            '<a class="skip" href="#main">Skip to the content</a>\n<div class="frame">\n',
            _side(model),
            '<main id="main">\n',
            *_main(model),
            "</main>\n</div>\n</body>\n</html>\n",
        )
    )


def _main(model: Model) -> Iterator[str]:
    yield reference_start.render(model)
    operations = Operations(model)
    for service in _public(model):
        rpcs = "\n".join(operations.render(rpc) for rpc in service.rpcs if rpc.public)
        yield _section(component(service.name), service.short, prose(service.comment), rpcs)
    yield _section(
        _EVENTS,
        "Events",
        "<p>What happens is told to the services, and what its policy names also to the people "
        'it concerns, on <a href="#gateway.v1.GatewayService.Subscribe">the event stream</a>. '
        "An event reaches nobody whom its policy does not name.</p>",
        "\n".join(_event(model, event) for event in model.events),
    )
    yield _section(
        _PERMISSIONS,
        "Permissions",
        "<p>What the roles of a community allow and deny.</p>",
        table(("Permission", "What it allows"), described_permissions(model)),
    )
    yield _section(
        _OBJECTS,
        "Objects",
        "<p>What calls answer and events carry.</p>",
        "\n".join(
            _object(model, model.messages[name])
            if name in model.messages
            else _names(model.enums[name])
            for name in operations.objects()
        ),
    )
    yield "<footer>Generated from the contracts: change them, not this page.</footer>\n"


def _public(model: Model) -> list[Service]:
    return [one for one in model.services.values() if any(rpc.public for rpc in one.rpcs)]


def _section(anchor: str, title: str, introduction: str, content: str) -> str:
    return (
        f'<section id="{escape(anchor)}" aria-labelledby="{escape(anchor)}-title">\n'
        f'<header><h2 id="{escape(anchor)}-title">{escape(title)}</h2>{introduction}</header>\n'
        f"{content}\n</section>\n"
    )


def _event(model: Model, event: Message) -> str:
    policy = event.event
    if policy is None:
        return ""
    streamed = policy.audience == "STREAM"
    tag = (
        '<span class="tag stream">stream</span>'
        if streamed
        else '<span class="tag">services</span>'
    )
    seen = "".join(
        f"<li>{condition(one.scope, one.field, one.require)}</li>" for one in policy.visible_to
    )
    seers = f"<h4>Who sees it</h4><ul>{seen}</ul>" if seen else ""
    return (
        f"{_opening(event)}{tag}</header>\n"
        f"<p>{code(event.name)}</p>{prose(event.comment)}{seers}"
        f"<h4>Fields</h4>{field_rows(model, event.fields, sent=False)}</article>"
    )


def _object(model: Model, message: Message) -> str:
    rows = field_rows(model, message.fields, sent=False) or "<p>It has no fields.</p>"
    return f"{_opening(message)}</header>\n{prose(message.comment)}{rows}</article>"


def _names(enum: Enum) -> str:
    rows = [(code(v.name), inline(paragraphs(v.comment))) for v in enum.values if v.number]
    named = table(("Name", "Meaning"), rows)
    return f"{_opening(enum)}</header>\n{prose(enum.comment)}{named}</article>"


def _opening(thing: Message | Enum) -> str:
    anchor, name = escape(component(thing.name)), escape(thing.name.rpartition(".")[2])
    return f'<article id="{anchor}"><header><h3><a href="#{anchor}">{name}</a></h3>'


def _side(model: Model) -> str:
    groups = [
        (
            component(service.name),
            service.short.removesuffix("Service"),
            [
                (f"{component(service.name)}.{rpc.name}", rpc.name)
                for rpc in service.rpcs
                if rpc.public
            ],
        )
        for service in _public(model)
    ]
    groups.append(
        (_EVENTS, "Events", [(component(event.name), event.short) for event in model.events])
    )
    listed = "".join(
        f"<details><summary>{inline(title)}</summary><ul>"
        + "".join(f'<li><a href="#{escape(a)}">{escape(name)}</a></li>' for a, name in entries)
        + "</ul></details>"
        for _, title, entries in groups
    )
    tops = "".join(
        f'<a class="top" href="#{anchor}">{title}</a>'
        for anchor, title in ((_PERMISSIONS, "Permissions"), (_OBJECTS, "Objects"))
    )
    return (
        f'<div class="side"><a class="brand" href="#main">{reference_start.MARK}Creavio API</a>'
        '<nav aria-label="Reference"><a class="top" href="#start">Start here</a>'
        f'<a class="top" href="#errors">Errors</a>{listed}{tops}</nav></div>\n'
    )
