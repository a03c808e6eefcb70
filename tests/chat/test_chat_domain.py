"""What may be written, and by whom it may be changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
import pytest

from chassis.errors import Invalid
from creavio.chat.v1 import message_pb2
from services.chat import convert, domain
from services.chat.domain import Message, MessageNotFound, NonceReused, NotTheAuthor

CHANNEL, ADA, BOB = UUID(int=1), UUID(int=2), UUID(int=3)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)

BLANK = {
    "nothing": "",
    "space": "   ",
    "lines": "\r\n\n\t",
    "no-break space": "\u00a0",
    "ideographic space": "\u3000",
    "line separator": "\u2028\u2029",
    "em and hair spaces": "\u2003\u200a",
    "control separators": "\x1c\x1d\x1e\x1f\x85",
}
characters = st.characters(codec="utf-8", exclude_characters="\0")
written = st.text(characters, min_size=1, max_size=200).filter(lambda text: bool(text.strip()))


def draft(content: str = "hello", nonce: str = "") -> domain.Draft:
    return domain.draft(CHANNEL, ADA, content, nonce, NOW)


def sent(content: str = "hello", nonce: str = "n") -> Message:
    """Ada's message, first in its channel."""
    made = draft(content, nonce)
    return Message(
        made.id, CHANNEL, ADA, content, nonce, sequence=1, revision=1, create_time=made.create_time
    )


def refused_field(refused: pytest.ExceptionInfo[Invalid]) -> str:
    ((field, _),) = refused.value.fields
    return field


@pytest.mark.parametrize("content", BLANK.values(), ids=BLANK.keys())
def test_a_blank_message_is_neither_sent_nor_edited_into(content: str) -> None:
    with pytest.raises(Invalid) as refused:
        draft(content)
    assert refused_field(refused) == "content"
    with pytest.raises(Invalid) as refused:
        domain.edit(sent(), ADA, content, LATER)
    assert refused_field(refused) == "content"


@settings(deadline=None)
@given(written)
def test_a_text_stays_as_it_was_written(content: str) -> None:
    """Whitespace around it, unusual forms and all, also on the wire."""
    assert draft(content).content == content
    edited = domain.edit(sent("before"), ADA, content, LATER)
    assert edited.content == content
    wire = convert.message(edited).SerializeToString()
    assert message_pb2.Message.FromString(wire).content == content


def test_two_drafts_are_two_messages() -> None:
    first, second = draft(), draft()
    assert first.id != second.id
    assert first.create_time == NOW


def test_a_nonce_means_one_text() -> None:
    domain.same(sent("hello"), draft("hello", "n"))
    with pytest.raises(NonceReused) as refused:
        domain.same(sent("hello"), draft("something else", "n"))
    assert refused.value.reason == "IDEMPOTENCY_KEY_REUSED"


def test_a_nonce_is_good_after_its_message_changed() -> None:
    """The first text is not kept: what is sent again is taken for it."""
    domain.same(domain.edit(sent("hello"), ADA, "edited", LATER), draft("hello", "n"))
    gone = domain.delete(sent("hello"), ADA, moderates=False, now=LATER)
    domain.same(gone, draft("hello", "n"))


def test_an_edit_changes_the_text_and_says_when() -> None:
    message = sent()
    edited = domain.edit(message, ADA, "edited", LATER)
    assert edited == replace(message, content="edited", edit_time=LATER)


def test_an_edit_to_the_same_text_is_none() -> None:
    message = sent()
    assert domain.edit(message, ADA, message.content, LATER) is message


def test_nobody_edits_what_somebody_else_wrote() -> None:
    with pytest.raises(NotTheAuthor):
        domain.edit(sent(), BOB, "edited", LATER)


def test_a_deleted_message_is_there_for_no_editor() -> None:
    gone = domain.delete(sent(), ADA, moderates=False, now=LATER)
    for editor in (ADA, BOB):
        with pytest.raises(MessageNotFound):
            domain.edit(gone, editor, "edited", LATER)


def test_a_deleted_message_loses_its_text_and_keeps_its_place() -> None:
    message = sent()
    gone = domain.delete(message, ADA, moderates=False, now=LATER)
    assert gone == replace(message, content="", delete_time=LATER)


def test_only_a_moderator_deletes_what_somebody_else_wrote() -> None:
    with pytest.raises(NotTheAuthor):
        domain.delete(sent(), BOB, moderates=False, now=LATER)
    assert domain.delete(sent(), BOB, moderates=True, now=LATER).delete_time == LATER


def test_deleting_again_changes_nothing() -> None:
    gone = domain.delete(sent(), ADA, moderates=False, now=NOW)
    assert domain.delete(gone, ADA, moderates=False, now=LATER) is gone
    assert domain.delete(gone, BOB, moderates=True, now=LATER) is gone
    with pytest.raises(NotTheAuthor):
        domain.delete(gone, BOB, moderates=False, now=LATER)
