"""Prints what happens, and goes on where it was when it is started again.

CREAVIO_PASSWORD=… python follow.py http://127.0.0.1:8080 LOGIN token.txt
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
import sys

import betterproto2

from creavio_sdk import Client, pages
from creavio_sdk.contracts.creavio.community.v1 import (
    CommunityServiceStub,
    ListCommunitiesRequest,
)


async def fetch(client: Client) -> None:
    """What a client shows before anything happens, and when something was missed."""
    communities = client.service(CommunityServiceStub).list_communities
    async for community in pages(communities, ListCommunitiesRequest(), lambda p: p.communities):
        print("in", community.name, flush=True)


async def main(url: str, login: str, kept: Path) -> None:
    async with Client(url) as client:
        await client.sign_in(login, os.environ["CREAVIO_PASSWORD"])
        stream = client.events(kept.read_text() if kept.exists() else "")
        async for event in stream:
            kind, payload = betterproto2.which_one_of(event, "payload")
            if (event.ready is not None and not event.ready.resumed) or event.refetch is not None:
                await fetch(client)
            print(kind, payload, flush=True)
            # The token stands behind what was told: kept once that is done, whole or not at all.
            fresh = kept.with_suffix(".new")
            fresh.write_text(stream.resume_token)
            fresh.replace(kept)


asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
