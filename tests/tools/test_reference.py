"""The reference: one page that holds everything and fetches nothing."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
import re

import pytest

from tools import failures, proto, reference
from tools.model import Model
from tools.schema import component

VOID = {"meta", "wbr", "circle", "path", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """What stands in a page, and whether its elements close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def values(self, attribute: str) -> list[str]:
        return [value for _, attrs in self.elements if (value := attrs.get(attribute)) is not None]


@pytest.fixture(scope="session")
def source() -> str:
    return (proto.ROOT / proto.REFERENCE).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def page(source: str) -> Page:
    parsed = Page()
    parsed.feed(source)
    return parsed


def test_the_same_contracts_give_the_same_page(model: Model, source: str) -> None:
    assert reference.render(model) == reference.render(model) == source


def test_every_element_is_closed(page: Page) -> None:
    assert page.open == []


def test_nothing_is_run_or_fetched(page: Page, source: str) -> None:
    tags = [tag for tag, _ in page.elements]
    assert not {"script", "link", "img", "iframe", "object"} & set(tags)
    assert tags.count("style") == 1
    assert page.values("style") == page.values("src") == []
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
    assert "url(" not in source
    assert "@import" not in source


def test_every_link_leads_somewhere_on_the_page(page: Page) -> None:
    anchors = page.values("id")
    assert len(anchors) == len(set(anchors))
    links = page.values("href")
    assert links
    assert {link.removeprefix("#") for link in links} <= set(anchors)


def test_every_public_call_is_there_and_no_internal_one(page: Page, model: Model) -> None:
    anchors = set(page.values("id"))
    text = "".join(page.text)
    for service in model.services.values():
        for rpc in service.rpcs:
            assert (f"{component(service.name)}.{rpc.name}" in anchors) == rpc.public
            named = re.search(re.escape(rpc.path.removeprefix("/")) + r"\b", text)
            assert bool(named) == rpc.public


def test_every_event_permission_and_reason_is_there(page: Page, model: Model) -> None:
    anchors = set(page.values("id"))
    assert {component(event.name) for event in model.events} <= anchors
    for value in model.enums["creavio.options.v1.Permission"].values:
        name = value.name.removeprefix("PERMISSION_")
        assert (f"permission.{name}" in anchors) == bool(value.number)
    text = "".join(page.text)
    assert all(reason in text for reason in failures.reasons(model))


def test_what_a_contract_says_is_text_not_markup(model: Model) -> None:
    name = "creavio.chat.v1.Message"
    message = model.messages[name]
    spoiled = Model(
        model.services,
        {**model.messages, name: replace(message, comment="<b>&amp;")},
        model.enums,
    )
    assert "&lt;b&gt;&amp;amp;" in reference.render(spoiled)
    assert "<b>&amp;" not in reference.render(spoiled)
