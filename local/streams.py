"""Makes the streams and durables of a plan in NATS, and keeps them.

A durable remembers numbers. Where a stream lost its end, the same numbers are given
to other events, and a durable that stands beyond the cut would skip them. The owner
of the stream says by a higher epoch from which number on it is another
(`chassis.epoch`); a durable that was there is made anew to begin at that number.
What is delivered twice so, the consumers' inbox makes harmless.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
import json

import nats
from nats.aio.client import Client
from nats.js import JetStreamContext, api
from nats.js.errors import BadRequestError, NotFoundError

from chassis.bus import abandon
from chassis.positions import FIRST_EPOCH, Epoch, common_end
from chassis.subjects import LIVE
from local.bus import ADMIN, BusPlan, Durable, Stream
from local.keeper import StartError

_KEPT_SECONDS = 7 * 24 * 3600
_DUPLICATE_WINDOW_SECONDS = 120
_STREAM_NAME_IN_USE = 10058
_HEALTH = "$SYS.REQ.SERVER.PING.HEALTHZ"
_EPOCH = "creavio.epoch"
"""In a durable's metadata: the epoch of the stream it reads on from."""


@asynccontextmanager
async def connected(url: str, password: str, user: str = ADMIN) -> AsyncIterator[Client]:
    """A connection, by default one that may make streams; it does not come back when lost."""
    client = Client()
    try:
        await client.connect(
            url,
            user=user,
            password=password,
            inbox_prefix=f"_INBOX_{user}".encode(),
            connect_timeout=5,
            allow_reconnect=False,
        )
        yield client
    finally:
        try:
            await client.close()
        finally:
            abandon(client)


async def provision(url: str, password: str, plan: BusPlan) -> None:
    """Make every stream and durable of the plan; doing it again changes nothing.

    Raises `StartError` when the server does not take them.
    """
    try:
        async with connected(url, password) as client:
            jetstream = client.jetstream(timeout=10)
            await asyncio.gather(*(_ensure_stream(jetstream, s) for s in plan.streams))
            await asyncio.gather(*(_ensure_durable(jetstream, d) for d in plan.durables))
    except (nats.errors.Error, OSError) as error:
        raise StartError(f"streams: {error}") from error


async def write_error(system: Client) -> str:
    """Why a stream takes nothing any more; empty when each does. Asks as `SYSTEM`.

    A write that failed once (the disk was full) has the server refuse every later one to
    this stream until it is started anew; no answer to a client says so, its health does.
    Raises nats' errors when the server does not answer.
    """
    answer = await system.request(_HEALTH, b"", timeout=5)
    said = str(json.loads(answer.data).get("data", {}).get("error", ""))
    return said if "write error" in said else ""


async def keep(client: Client, plan: BusPlan) -> None:
    """Make what is missing, and set back the durables of streams that were cut.

    Raises nats' errors when the server does not answer.
    """
    jetstream = client.jetstream(timeout=5)
    there = {info.config.name for info in await jetstream.streams_info()}
    for stream in plan.streams:
        if stream.name not in there:
            await _ensure_stream(jetstream, stream)
    for name in sorted({durable.stream for durable in plan.durables}):
        durables = [durable for durable in plan.durables if durable.stream == name]
        await _keep_durables(jetstream, name, durables)


async def _keep_durables(
    jetstream: JetStreamContext,
    stream: str,
    durables: list[Durable],
) -> None:
    # The durables first: what is published and delivered between the two looks must
    # not seem to be delivered beyond the end.
    there = {info.name: info for info in await jetstream.consumers_info(stream)}
    end = (await jetstream.stream_info(stream)).state.last_seq
    newest = await _epoch_at(jetstream, stream, end)
    for durable in durables:
        info = there.get(durable.name)
        if info is None:
            await _ensure_durable(jetstream, durable)
            continue
        known = int((info.config.metadata or {}).get(_EPOCH, FIRST_EPOCH.number))
        begin, epoch = end + 1, known
        if newest is not None and newest.epoch > known:
            parted = await common_end(
                lambda at: _epoch_at(jetstream, stream, at),
                known,
                Epoch(newest.epoch, newest.epoch_start),
            )
            # When it cannot be known, everything that is kept is delivered again.
            begin, epoch = (0 if parted is None else parted) + 1, newest.epoch
        if _delivered(info) >= begin:
            with suppress(NotFoundError):
                await jetstream.delete_consumer(stream, durable.name)
            begin = min(begin, _done(info) + 1)
            await jetstream.add_consumer(stream, _fresh(durable, begin, epoch))
        elif epoch != known:
            metadata = (info.config.metadata or {}) | {_EPOCH: str(epoch)}
            await jetstream.add_consumer(stream, info.config.evolve(metadata=metadata))


def _delivered(info: api.ConsumerInfo) -> int:
    return info.delivered.stream_seq if info.delivered else 0


def _done(info: api.ConsumerInfo) -> int:
    """Up to where everything was acknowledged."""
    return info.ack_floor.stream_seq if info.ack_floor else 0


@dataclass(frozen=True, slots=True)
class _Dated:
    epoch: int
    epoch_start: int


async def _epoch_at(jetstream: JetStreamContext, stream: str, number: int) -> _Dated | None:
    """The epoch of an event; None when it is not kept."""
    if number == 0:
        return None
    try:
        headers = (await jetstream.get_msg(stream, number)).headers or {}
    except NotFoundError:
        return None
    return _Dated(
        int(headers.get("ce-epoch", FIRST_EPOCH.number)),
        int(headers.get("ce-epochstart", FIRST_EPOCH.first)),
    )


async def _ensure_stream(jetstream: JetStreamContext, stream: Stream) -> None:
    config = api.StreamConfig(
        name=stream.name,
        subjects=[stream.subjects],
        retention=api.RetentionPolicy.LIMITS,
        storage=api.StorageType.FILE,
        discard=api.DiscardPolicy.OLD,
        max_age=_KEPT_SECONDS,
        duplicate_window=_DUPLICATE_WINDOW_SECONDS,
        allow_direct=True,
        republish=api.RePublish(src=stream.subjects, dest=f"{LIVE}{stream.subjects}"),
        num_replicas=1,
    )
    try:
        await jetstream.add_stream(config)
    except BadRequestError as error:
        if error.err_code != _STREAM_NAME_IN_USE:
            raise
        await jetstream.update_stream(config)


async def _ensure_durable(jetstream: JetStreamContext, durable: Durable) -> None:
    try:
        there = (await jetstream.consumer_info(durable.stream, durable.name)).config
    except NotFoundError:
        await jetstream.add_consumer(durable.stream, _fresh(durable, 1, FIRST_EPOCH.number))
        return
    # Where it began cannot be changed, and is none of the plan's business.
    wanted = _fresh(durable, 1, FIRST_EPOCH.number)
    await jetstream.add_consumer(
        durable.stream,
        there.evolve(
            ack_wait=wanted.ack_wait,
            max_ack_pending=wanted.max_ack_pending,
            filter_subjects=wanted.filter_subjects,
        ),
    )


def _fresh(durable: Durable, begin: int, epoch: int) -> api.ConsumerConfig:
    return api.ConsumerConfig(
        durable_name=durable.name,
        deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=begin,
        ack_policy=api.AckPolicy.EXPLICIT,
        ack_wait=30,
        max_ack_pending=1024,
        filter_subjects=list(durable.filters),
        metadata={_EPOCH: str(epoch)},
    )
