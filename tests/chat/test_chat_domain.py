"""What may be written, and by whom it may be changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
import pytest

from chassis.errors import Invalid
from creavio.chat.v1 import message_pb2
from services.chat import convert
from services.chat.domain import conversation as conversations
from services.chat.domain import message as domain
from services.chat.domain.message import (
    MAX_EMOJI,
    MAX_PINS,
    Fingerprints,
    Message,
    MessageNotFound,
    NonceReused,
    NotTheAuthor,
    Reaction,
)
from services.chat.domain.place import LimitReached, Place
from services.chat.domain.text import emoji

CHANNEL, ADA, BOB, EVE = Place(UUID(int=1)), UUID(int=2), UUID(int=3), UUID(int=4)
FINGERPRINTS = Fingerprints("a secret")
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
    "zero width": "\u200b\u200c\u200d\u2060\ufeff",
    "directions": "\u202e\u2066\u061c\u200f",
    "soft hyphen": "\u00ad \u00ad",
    "selectors and tags": "\ufe0f\U000e0067\U000e0100",
    "fillers": "\u3164\u115f\u1160\uffa0\u2800\u034f",
    "controls": "\x01\x07\x7f",
}
characters = st.characters(codec="utf-8", exclude_characters="\0")
written = st.builds(
    lambda before, seen, after: before + seen + after,
    st.text(characters, max_size=100),
    st.sampled_from("a中😀é.\ufffd"),
    st.text(characters, max_size=100),
)


def draft(content: str = "hello", nonce: str = "") -> domain.Draft:
    return domain.draft(CHANNEL, ADA, content, nonce, NOW, FINGERPRINTS)


def sent(content: str = "hello", nonce: str = "n") -> Message:
    """Ada's message, first in its channel."""
    made = draft(content, nonce)
    return Message(
        made.id,
        CHANNEL,
        ADA,
        content,
        nonce,
        sequence=1,
        revision=1,
        create_time=made.create_time,
        fingerprint=made.fingerprint,
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


def changed() -> dict[str, Message]:
    """Ada's message, "hello", as it may have become."""
    return {
        "edited": domain.edit(sent("hello"), ADA, "edited", LATER),
        "deleted": domain.delete(sent("hello"), ADA, moderates=False, now=LATER),
        "pinned": domain.pin(sent("hello"), 0, LATER),
    }


@pytest.mark.parametrize("how", changed().keys())
def test_a_nonce_means_its_first_text_also_after_that_changed(how: str) -> None:
    domain.same(changed()[how], draft("hello", "n"))
    for other in ("edited", "something else"):
        with pytest.raises(NonceReused):
            domain.same(changed()[how], draft(other, "n"))


def test_what_is_older_than_fingerprints_is_taken_for_what_is_sent_again() -> None:
    for message in (changed()["edited"], changed()["deleted"]):
        domain.same(replace(message, fingerprint=None), draft("something else", "n"))
    with pytest.raises(NonceReused):
        domain.same(replace(sent("hello"), fingerprint=None), draft("other", "n"))


def test_a_fingerprint_says_nothing_to_who_has_no_key() -> None:
    mark = FINGERPRINTS.of(CHANNEL, ADA, "n", "hello")
    assert mark == FINGERPRINTS.of(CHANNEL, ADA, "n", "hello")
    others = {
        Fingerprints("another secret").of(CHANNEL, ADA, "n", "hello"),
        FINGERPRINTS.of(Place(UUID(int=9)), ADA, "n", "hello"),
        FINGERPRINTS.of(CHANNEL, BOB, "n", "hello"),
        FINGERPRINTS.of(CHANNEL, ADA, "m", "hello"),
        FINGERPRINTS.of(CHANNEL, ADA, "nh", "ello"),
        FINGERPRINTS.of(CHANNEL, ADA, "n", "hullo"),
    }
    assert len(others) == 6
    assert mark not in others
    assert FINGERPRINTS.of(CHANNEL, ADA, "", "hello") is None
    assert "fingerprint" not in repr(sent())


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
    busy = domain.react(domain.pin(message, 0, NOW), "\U0001f44d")
    gone = domain.delete(busy, ADA, moderates=False, now=LATER)
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


def reacted(*emoji: str) -> Message:
    message = sent()
    for each in emoji:
        message = domain.react(message, each)
    return message


def test_reactions_stand_in_the_order_in_which_they_came_first() -> None:
    message = reacted("a", "b", "a", "c", "b", "a")
    assert message.reactions == (Reaction("a", 3), Reaction("b", 2), Reaction("c", 1))
    message = domain.unreact(domain.unreact(message, "c"), "a")
    assert message.reactions == (Reaction("a", 2), Reaction("b", 2))
    # What was gone comes anew.
    message = domain.unreact(domain.unreact(message, "a"), "a")
    assert domain.react(message, "a").reactions == (Reaction("b", 2), Reaction("a", 1))
    assert domain.count_of(message, "a") == 0


def test_a_message_takes_twenty_different_emoji() -> None:
    full = reacted(*(chr(0x1F600 + number) for number in range(MAX_EMOJI)))
    with pytest.raises(LimitReached) as refused:
        domain.react(full, "\U0001f44d")
    assert refused.value.reason == "LIMIT_REACHED"
    assert domain.count_of(domain.react(full, "\U0001f600"), "\U0001f600") == 2
    room = domain.unreact(full, "\U0001f600")
    assert len(domain.react(room, "\U0001f44d").reactions) == MAX_EMOJI


def test_a_place_keeps_fifty_pins() -> None:
    with pytest.raises(LimitReached):
        domain.pin(sent(), MAX_PINS, NOW)
    pinned = domain.pin(sent(), MAX_PINS - 1, NOW)
    assert pinned.pin_time == NOW
    # Nothing changes, so there is no limit to reach.
    assert domain.pin(pinned, MAX_PINS, LATER) is pinned
    assert domain.unpin(pinned) == replace(pinned, pin_time=None)
    assert domain.unpin(domain.unpin(pinned)) == domain.unpin(pinned)


def test_nothing_happens_to_a_deleted_message() -> None:
    gone = domain.delete(sent(), ADA, moderates=False, now=LATER)
    changes: tuple[Callable[[], Message], ...] = (
        lambda: domain.react(gone, "a"),
        lambda: domain.unreact(gone, "a"),
        lambda: domain.pin(gone, 0, LATER),
        lambda: domain.unpin(gone),
    )
    for change in changes:
        with pytest.raises(MessageNotFound):
            change()


EMOJI = {
    "thumb": "\U0001f44d",
    "with a skin tone": "\U0001f44d\U0001f3fd",
    "a skin tone": "\U0001f3fd",
    "heart": "\u2764\ufe0f",
    "family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "rainbow flag": "\U0001f3f3\ufe0f\u200d\U0001f308",
    "flag": "\U0001f1f3\U0001f1f1",
    "flag of a region": "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "keycap": "1\ufe0f\u20e3",
    "newer than Python's tables": "\U0001fae9",
    "a letter": "\u00e9",
}
NO_EMOJI = {
    "a word": "no",
    "two": "\U0001f44d\U0001f44d",
    "three halves of flags": "\U0001f1f3\U0001f1f1\U0001f1f3",
    "space": " ",
    "space after": "\U0001f44d ",
    "no-break space": "\u00a0",
    "line": "\U0001f44d\n",
    "control": "\x07",
    "override": "\u202e\U0001f44d",
    "isolate": "\U0001f44d\u2066",
    "mark": "\u200f",
    "zero width": "\u200b",
    "joiner alone": "\u200d",
    "joiner at the end": "\U0001f44d\u200d",
    "joiners": "\U0001f44d\u200d\u200d\U0001f44d",
    "selector alone": "\ufe0f",
    "keycap alone": "\u20e3",
    "skin tone and a letter": "\U0001f3fda",
    "zalgo": "Z\u0323\u0335\u0348",
    "private": "\ue000",
    "nothing": "",
}


@pytest.mark.parametrize("text", EMOJI.values(), ids=EMOJI.keys())
def test_an_emoji_is_one_thing(text: str) -> None:
    assert emoji(text) == text


@pytest.mark.parametrize("text", NO_EMOJI.values(), ids=NO_EMOJI.keys())
def test_what_hides_or_is_more_than_one_is_no_emoji(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        emoji(text)
    assert refused_field(refused) == "emoji"


def test_two_people_are_a_pair_whoever_begins() -> None:
    one = conversations.begin(ADA, [BOB], NOW)
    other = conversations.begin(BOB, [ADA], NOW)
    assert one.pair == other.pair == (ADA, BOB)
    assert one.id != other.id
    group = conversations.begin(BOB, [EVE, ADA], NOW)
    assert group.pair is None
    assert group.member_ids == (ADA, BOB, EVE)


def test_nobody_talks_to_themselves() -> None:
    for others in ([ADA], [BOB, ADA]):
        with pytest.raises(Invalid) as refused:
            conversations.begin(ADA, others, NOW)
        assert refused_field(refused) == "user_ids"
