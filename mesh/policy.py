"""Who may call what, and what is safe to try again.

Plain facts, without a word of Envoy: other renderings of the mesh stand on them too.
"""

from __future__ import annotations

from dataclasses import dataclass

from chassis.catalog import Catalog
from chassis.contract import Contract, Rpc


@dataclass(frozen=True, slots=True)
class Reach:
    """What one service may call."""

    callees: tuple[str, ...]
    """The services all of whose RPCs are open to it: the catalog's `calls`."""
    open: tuple[Rpc, ...]
    """The RPCs of other services that anybody may read."""
    rpcs: tuple[Rpc, ...]
    """All of this, RPC by RPC."""


def reach_of(source: str, catalog: Catalog, contract: Contract) -> Reach:
    """What `source` may call."""
    callees = tuple(sorted(catalog.services[source].calls))
    every = [contract.rpcs[path] for path in sorted(contract.rpcs)]
    opened = tuple(rpc for rpc in every if rpc.open_to_services and rpc.service not in callees)
    return Reach(
        callees=callees,
        open=opened,
        rpcs=tuple(rpc for rpc in every if rpc.service in callees or rpc in opened),
    )


def may_repeat(rpc: Rpc) -> bool:
    """Whether a call whose fate is unknown is sent again.

    Only when the contract calls the RPC repeatable. A live stream is resumed by
    its client, who knows what it has seen.
    """
    return rpc.repeatable and not rpc.lasting
