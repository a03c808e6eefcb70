"""What a token may call, as the contract says.

That of a program, a bot's, a personal one, an app's: what is `in_person` none of them,
what changes nothing those with the scope `read`, everything else those with `write`.
That of somebody who is to verify their e-mail address first: what changes nothing, or
is `open_to_unverified`.
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


def require_verified(rpc: Rpc, principal: Principal) -> None:
    """Return when somebody may call an RPC although their e-mail address is not verified.

    Raises `Denied` (EMAIL_NOT_VERIFIED) when they are to verify it first.
    """
    if principal.unverified and not (rpc.reads or rpc.policy.open_to_unverified):
        raise Denied(
            "verify your e-mail address first, and refresh the session",
            reason="EMAIL_NOT_VERIFIED",
        )
