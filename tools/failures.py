"""How each RPC can fail: the reasons a caller must expect, by HTTP status."""

from __future__ import annotations

import re
from typing import Final

from tools.model import Enum, Model, Rpc
from tools.prose import paragraphs

REASONS: Final = "creavio.errors.v1.Reason"
_PREFIX: Final = "REASON_"
STATUS: Final[dict[str, int]] = {
    "INVALID_FIELD": 400,
    "MALFORMED_REQUEST": 400,
    "INVALID_PAGE_TOKEN": 400,
    "INVALID_RESUME_TOKEN": 400,
    "REQUEST_TOO_LARGE": 413,
    "METHOD_NOT_FOUND": 404,
    "UNAUTHENTICATED": 401,
    "WRONG_CREDENTIALS": 401,
    "INVALID_REFRESH_TOKEN": 401,
    "PERMISSION_DENIED": 403,
    "ONBOARDING_REQUIRED": 403,
    "CALLER_NOT_ALLOWED": 403,
    "SESSION_REVOKED": 401,
    "ROLE_TOO_HIGH": 403,
    "EXCEEDS_OWN_PERMISSIONS": 403,
    "BANNED": 403,
    "CLAIM_REFUSED": 403,
    "INVALID_LINK": 401,
    "WRONG_CODE": 401,
    "INVALID_CHALLENGE": 401,
    "REGISTRATION_CLOSED": 403,
    "SIGN_UP_CODE_REFUSED": 403,
    "EMAIL_NOT_VERIFIED": 403,
    "CROSS_SITE": 403,
    "NOT_FOUND": 404,
    "INVITE_NOT_FOUND": 404,
    "HANDLE_TAKEN": 409,
    "EMOJI_NAME_TAKEN": 409,
    "CALLED_OFF": 400,
    "IDEMPOTENCY_KEY_REUSED": 409,
    "LAST_OWNER": 400,
    "CONCURRENT_CHANGE": 409,
    "LAST_ADMINISTRATOR": 400,
    "LIMIT_REACHED": 400,
    "EMAIL_TAKEN": 409,
    "SECOND_FACTOR_ENABLED": 400,
    "REPLY_NOT_FOUND": 400,
    "THREAD_EXISTS": 409,
    "THREAD_LOCKED": 403,
    "NOT_REACHABLE": 403,
    "ACCOUNT_DEACTIVATED": 400,
    "ACCOUNT_DELETED": 400,
    "NOT_A_GROUP": 400,
    "POLL_CLOSED": 400,
    "NO_POLL": 400,
    "POSTS_ONLY": 400,
    "NOT_A_FORUM": 400,
    "TAG_REQUIRED": 400,
    "ADMINISTRATIVE_ROLE": 400,
    "ANSWER_REQUIRED": 400,
    "OWNS_COMMUNITIES": 400,
    "HANDLE_CHANGE_TOO_SOON": 400,
    "RATE_LIMITED": 429,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
    "INTERNAL": 500,
    "INSUFFICIENT_SCOPE": 403,
    "SIGN_IN_REQUIRED": 403,
    "INVALID_REDIRECT_URI": 400,
    "INVALID_AUTHORIZATION": 400,
    "INVALID_PASSKEY": 401,
    "INVALID_PROVIDER_ANSWER": 401,
}
"""The HTTP status each reason arrives with."""


def reasons(model: Model) -> dict[str, str]:
    """What every reason means, without the prefix of its enum."""
    enum: Enum = model.enums[REASONS]
    return {
        value.name.removeprefix(_PREFIX): paragraphs(value.comment)
        for value in enum.values
        if value.number
    }


def documented(rpc: Rpc) -> tuple[str, ...]:
    """The reasons an RPC's comment names in its paragraph `Fails with …`."""
    for paragraph in rpc.comment.split("\n\n"):
        if paragraph.startswith("Fails with "):
            return tuple(re.findall(r"\b[A-Z]{2,}(?:_[A-Z]+)+\b", paragraph))
    return ()


def unknown(model: Model, rpc: Rpc) -> tuple[str, ...]:
    """The reasons an RPC's comment names that `creavio.errors.v1.Reason` or `STATUS` lacks."""
    known = reasons(model).keys() & STATUS.keys()
    return tuple(reason for reason in documented(rpc) if reason not in known)


def of_rpc(model: Model, rpc: Rpc) -> dict[int, dict[str, str]]:
    """The reasons an RPC over REST can fail with, by status: what each means.

    None of them may be `unknown`.
    """
    known = reasons(model)
    found: dict[int, dict[str, str]] = {}
    for reason in sorted({*_implied(model, rpc), *documented(rpc)}, key=list(known).index):
        found.setdefault(STATUS[reason], {})[reason] = known[reason]
    return dict(sorted(found.items()))


def _implied(model: Model, rpc: Rpc) -> set[str]:
    """The reasons that follow from an RPC's policy and request."""
    policy = rpc.policy
    fields = {field.name for field in model.messages[rpc.request].fields}
    when = {
        "MALFORMED_REQUEST": True,
        "INTERNAL": True,
        "UNAVAILABLE": True,
        "INVALID_FIELD": bool(fields),
        "INVALID_PAGE_TOKEN": "page_token" in fields,
        "REQUEST_TOO_LARGE": any(binding.body for binding in rpc.http),
        "UNAUTHENTICATED": policy.access != "ANONYMOUS",
        "SESSION_REVOKED": policy.access != "ANONYMOUS",
        "SIGN_IN_REQUIRED": policy.in_person,
        "INSUFFICIENT_SCOPE": policy.access in ("SIGNED_IN", "PERMISSION") and not policy.in_person,
        "EMAIL_NOT_VERIFIED": policy.access in ("SIGNED_IN", "PERMISSION")
        and policy.idempotency != "READ"
        and not policy.open_to_unverified,
        # Whoever may not see a place is told that there is none.
        "PERMISSION_DENIED": policy.access == "PERMISSION"
        and not policy.permission.startswith("VIEW_"),
        "NOT_FOUND": policy.access == "PERMISSION",
        "IDEMPOTENCY_KEY_REUSED": policy.idempotency == "KEYED",
        "RATE_LIMITED": policy.rate_limit != "NONE",
        "DEADLINE_EXCEEDED": policy.deadline > 0,
    }
    return {reason for reason, holds in when.items() if holds}
