"""What the token of a program may call: a bot's, a personal one, an app's.

The contract says it: what is `in_person` none of them, what changes nothing those
with the scope `read`, everything else those with `write`.
"""

from __future__ import annotations

from typing import Final

from chassis.calls import Principal
from chassis.contract import Rpc
from chassis.errors import Denied

READ: Final = "read"
WRITE: Final = "write"


def require_scope(rpc: Rpc, principal: Principal) -> None:
    """Return when a token is of the kind that may call an RPC.

    Raises `Denied`: SIGN_IN_REQUIRED where only people may, else INSUFFICIENT_SCOPE.
    """
    if principal.scopes is None:
        return
    if rpc.policy.in_person:
        raise Denied("this takes a session that a person signed in to", reason="SIGN_IN_REQUIRED")
    needed = READ if rpc.reads else WRITE
    if needed not in principal.scopes:
        raise Denied(f"the token lacks the scope {needed}", reason="INSUFFICIENT_SCOPE")
