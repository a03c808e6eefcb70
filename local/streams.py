"""Makes the streams and durables of a plan in NATS."""

from __future__ import annotations

import asyncio

import nats
from nats.js import JetStreamContext, api
from nats.js.errors import BadRequestError

from chassis.subjects import LIVE
from local.bus import ADMIN, BusPlan, Durable, Stream
from local.keeper import StartError

_KEPT_SECONDS = 7 * 24 * 3600
_DUPLICATE_WINDOW_SECONDS = 120
_STREAM_NAME_IN_USE = 10058


async def provision(url: str, password: str, plan: BusPlan) -> None:
    """Make every stream and durable of the plan; doing it again changes nothing.

    Raises `StartError` when the server does not take them.
    """
    try:
        client = await nats.connect(
            url,
            user=ADMIN,
            password=password,
            inbox_prefix=f"_INBOX_{ADMIN}",
            connect_timeout=5,
            allow_reconnect=False,
        )
        try:
            jetstream = client.jetstream(timeout=10)
            await asyncio.gather(*(_ensure_stream(jetstream, s) for s in plan.streams))
            await asyncio.gather(*(_ensure_durable(jetstream, d) for d in plan.durables))
        finally:
            await client.close()
    except (nats.errors.Error, OSError) as error:
        raise StartError(f"streams: {error}") from error


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
    await jetstream.add_consumer(
        durable.stream,
        api.ConsumerConfig(
            durable_name=durable.name,
            deliver_policy=api.DeliverPolicy.ALL,
            ack_policy=api.AckPolicy.EXPLICIT,
            ack_wait=30,
            max_ack_pending=1024,
            filter_subjects=list(durable.filters),
        ),
    )
