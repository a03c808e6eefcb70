"""Messages as their reader sees them."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.calls import principal
from chassis.database import Transaction
from creavio.chat.v1 import chat_events_pb2, message_pb2
from services.chat import convert, events
from services.chat.domain.message import Message
from services.chat.domain.place import Home
from services.chat.store import messages as store
from services.chat.store import polls, reactions, threads


async def shown(tx: Transaction, messages: Sequence[Message]) -> list[message_pb2.Message]:
    """Messages of one place, with what the caller reacted with, what they answer and the
    threads that began at them.

    Each is one question for all of them, asked where there is anything to ask for.
    """
    if not messages:
        return []
    caller = convert.user_id(principal().user_id)
    reacted = await reactions.of_person(tx, caller, messages)
    answered = await store.referenced(tx, messages[0].place, messages)
    begun = await threads.begun_at(tx, messages)
    chosen = await polls.of_person(tx, caller, messages)
    return [
        convert.message(
            message,
            reacted.get(message.id, ()),
            None if message.reply_to is None else answered.get(message.reply_to),
            None if message.thread_id is None else begun.get(message.thread_id),
            chosen.get(message.id, ()),
        )
        for message in messages
    ]


async def change_of(
    tx: Transaction, message: Message, home: Home
) -> chat_events_pb2.MessageUpdated:
    """The event of a message that was edited, pinned or unpinned."""
    answered = await store.referenced(tx, message.place, [message])
    reference = None if message.reply_to is None else answered.get(message.reply_to)
    begun = await threads.begun_at(tx, [message])
    thread = None if message.thread_id is None else begun.get(message.thread_id)
    return events.updated(message, reference, thread, home)
