"""Whom a text mentions, and who is not mentioned by what only looks like it."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.errors import Invalid
from creavio.chat.v1 import chat_events_pb2, message_pb2
from creavio.options.v1 import permission_pb2 as p
from services.chat.domain.mentions import (
    MAX_MENTIONS,
    Mentions,
    mentions_in,
    packed,
    targets,
    unpacked,
)
from tests.chat.world import MEMBER, OWNER, World

ADA, ROLE, CHANNEL = UUID(int=7), UUID(int=8), UUID(int=9)
TO_ADA = f"<@{ids.text(ids.Kind.USER, ADA)}>"
TO_ROLE = f"<@&{ids.text(ids.Kind.ROLE, ROLE)}>"
TO_CHANNEL = f"<#{ids.text(ids.Kind.CHANNEL, CHANNEL)}>"
ONLY_ADA = Mentions(users=(ADA,))


@pytest.mark.parametrize(
    "text",
    [
        TO_ADA,
        f"x{TO_ADA}y",
        f"{TO_ADA} {TO_ADA}",
        f"**{TO_ADA}**",
        f"> {TO_ADA}",
        f"\\\\{TO_ADA}",
        f"`code` {TO_ADA} `code`",
        f"`` ` `` {TO_ADA}",
        f"` {TO_ADA} ``",
        f"\\` {TO_ADA} `",
        f"a ` b\n\n{TO_ADA} ` c",
        f"```\ncode\n```\n{TO_ADA}",
        f"```\n{TO_ROLE}\n```{TO_ADA}\n````\n{TO_ADA}",
        f"~~~ `\n~~~\n{TO_ADA}",
        f"```a`b\n{TO_ADA}",
        f"    ```\n{TO_ADA}",
        f"\u202e{TO_ADA}",
    ],
)
def test_a_mention(text: str) -> None:
    assert mentions_in(text) == ONLY_ADA


@pytest.mark.parametrize(
    "text",
    [
        f"`{TO_ADA}`",
        f"`` ` {TO_ADA} ``",
        f"` a\n{TO_ADA} `",
        f"```{TO_ADA}```",
        f"```\n{TO_ADA}\n```",
        f"```\n{TO_ADA}",
        f"   ~~~py\n\n{TO_ADA}\n```\n{TO_ADA}\n~~~",
        f"````\n```\n{TO_ADA}\n````",
        f"\r\n```\r\n{TO_ADA}\r\n```\r\n",
        f"\\{TO_ADA}",
        f"\\\\\\{TO_ADA}",
        f"<@{'usr_' + 'z' * 26}>",
        TO_ADA[:-1],
        TO_ADA.upper(),
        TO_ADA.replace("usr", "msg"),
        TO_ADA.replace("<@", "<@&"),
        TO_ADA.replace("<@", "<\u200b@"),
        "@everyone".replace("e", "\u0435"),
        "a@everyone",
        "@everyone_",
        "@everyone1",
        "@@everyone",
        "\\@everyone",
        "`@everyone`",
        "",
    ],
)
def test_no_mention(text: str) -> None:
    assert not mentions_in(text)


def test_each_kind_once_and_in_the_order_of_the_text() -> None:
    bob = f"<@{ids.text(ids.Kind.USER, UUID(int=1))}>"
    text = f"@everyone, {TO_ROLE} {TO_ADA}{bob} see {TO_CHANNEL} {TO_ADA} (@everyone)"
    assert mentions_in(text) == Mentions((ADA, UUID(int=1)), (ROLE,), (CHANNEL,), everyone=True)


def test_fifty_are_mentioned_at_most() -> None:
    def text(people: int) -> str:
        return "".join(f"<@{ids.text(ids.Kind.USER, UUID(int=n))}>" for n in range(people))

    assert len(mentions_in(text(MAX_MENTIONS)).users) == MAX_MENTIONS
    mentions_in(text(MAX_MENTIONS) * 2 + "@everyone")
    for more in (text(MAX_MENTIONS + 1), text(MAX_MENTIONS) + TO_ROLE):
        with pytest.raises(Invalid) as refused:
            mentions_in(more)
        assert [name for name, _ in refused.value.fields] == ["content"]


@given(st.lists(st.sampled_from(["`", "``", "```", "~~~", "\n", "\n\n", " ", "\\", TO_ADA, "x"])))
def test_any_text_is_read_and_code_mentions_nobody(parts: list[str]) -> None:
    text = "".join(parts)
    assert mentions_in(text) in (ONLY_ADA, Mentions())
    fence = "`" * (len(text) + 3)  # longer than any run inside: nothing in the text closes it
    assert not mentions_in(f"{fence}\n{text}\n{fence}")
    assert mentions_in(f"{TO_ADA}\n\n{text}") == ONLY_ADA


def test_a_text_of_nothing_but_backticks_is_read_at_once() -> None:
    runs = "".join("`" * (n % 40 + 1) + " " for n in range(170))
    assert mentions_in(runs + TO_ADA) in (ONLY_ADA, Mentions())


uuids = st.lists(st.uuids(), max_size=6, unique=True).map(tuple)


@given(st.builds(Mentions, uuids, uuids, uuids, st.booleans()))
def test_what_is_stored_is_what_was_mentioned(mentions: Mentions) -> None:
    assert unpacked(packed(mentions)) == mentions
    assert (packed(mentions) is None) == (not mentions)
    assert len(set(targets(mentions))) == len(mentions.users) + len(mentions.roles) + (
        mentions.everyone
    )


def test_nobody_counterfeits_everyone() -> None:
    """Whatever id somebody writes, it means something else than everybody."""
    nil = f"<@{ids.text(ids.Kind.USER, UUID(int=0))}>"
    written = targets(mentions_in(nil))
    assert len(written) == 1
    assert written != targets(mentions_in("@everyone"))


async def meant(world: World, channel: str) -> list[tuple[int, bytes]]:
    query = sa.text("SELECT sequence, target FROM mention WHERE channel_id = :id ORDER BY 1, 2")
    place = ids.parse(ids.Kind.CHANNEL, channel, field="")
    async with world.database.reading() as tx:
        rows = await tx.execute(query, {"id": place})
        return [(row.sequence, bytes(row.target)) for row in rows]


async def test_mentions_are_told_kept_and_changed_with_the_text(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    plain = await ada.send(channel, "nobody")
    assert not plain.HasField("mentions")
    text = f"{TO_ADA} {TO_ROLE} {TO_CHANNEL} @everyone"
    sent = await ada.send(channel, text, "n")
    assert sent.mentions == message_pb2.Mentions(
        user_ids=[ids.text(ids.Kind.USER, ADA)],
        role_ids=[ids.text(ids.Kind.ROLE, ROLE)],
        channel_ids=[ids.text(ids.Kind.CHANNEL, CHANNEL)],
    ), "everyone is mentioned by who may"
    assert await ada.send(channel, text, "n") == sent
    assert await ada.listed(channel) == [plain, sent]
    event = (await world.told())[-1]
    assert isinstance(event, chat_events_pb2.MessageCreated)
    assert event.message == sent
    assert await meant(world, channel) == [
        (2, target) for target in sorted(targets(Mentions((ADA,), (ROLE,))))
    ]
    edited = await ada.edit(sent, f"`{TO_ADA}` {TO_ROLE}")
    assert edited.mentions == message_pb2.Mentions(role_ids=[ids.text(ids.Kind.ROLE, ROLE)])
    assert await meant(world, channel) == [(2, *targets(Mentions(roles=(ROLE,))))]
    back = await ada.edit(sent, TO_ADA)
    assert (await world.told())[-1] == chat_events_pb2.MessageUpdated(
        message=back, community_id=community
    )
    assert await meant(world, channel) == [(2, *targets(ONLY_ADA))]
    await ada.delete(sent)
    assert await meant(world, channel) == []
    assert not (await ada.changes(channel)).messages[-1].HasField("mentions")


async def test_everyone_is_mentioned_by_who_may(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    member = world.person(community)
    may = world.person(community, MEMBER | {p.PERMISSION_MENTION_EVERYONE})
    assert not (await member.send(channel, "@everyone")).HasField("mentions")
    sent = await may.send(channel, "@everyone")
    assert sent.mentions.everyone
    assert [number for number, _ in await meant(world, channel)] == [2]
    # Nor by an edit, nor with a permission of somewhere else.
    mine = await member.send(channel, "hello")
    assert not (await member.edit(mine, "@everyone")).HasField("mentions")
    talk = (await may.converse(member)).id
    assert not (await may.send(talk, "@everyone")).HasField("mentions")


async def test_a_flood_of_mentions_is_refused(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community, OWNER)
    flood = "".join(f"<@{ids.text(ids.Kind.USER, ids.new())}>" for _ in range(51))
    first = await ada.send(channel, "hello")
    for attempt in (ada.send(channel, flood), ada.edit(first, flood)):
        with pytest.raises(Invalid) as refused:
            await attempt
        assert [name for name, _ in refused.value.fields] == ["content"]
    assert await meant(world, channel) == []
    assert [message.content for message in await ada.listed(channel)] == ["hello"]
