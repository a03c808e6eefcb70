"""What is refused, and why."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.errors import Conflict, Denied, FailedPrecondition, Invalid, NotFound
from services.rbac.domain.permissions import Permission


class CommunityNotProvisioned(NotFound):
    """The community has no roles: it was never provisioned."""

    def __init__(self) -> None:
        super().__init__("there is no such community")


class RoleNotFound(NotFound):
    """The community has no such role."""

    def __init__(self) -> None:
        super().__init__("there is no such role here")


class MemberNotFound(NotFound):
    """The person is no member of the community."""

    def __init__(self) -> None:
        super().__init__("there is no such member here")


class ChannelNotFound(NotFound):
    """There is no such channel, or the caller cannot see it."""

    def __init__(self) -> None:
        super().__init__("there is no such channel here")


class Lacks(Denied):
    """The caller may know of the place, but lacks what the call needs there."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(f"this needs the permission {permission.name}, which you do not have here")


class RoleTooHigh(Denied):
    """A role or a member is not below the caller's highest role."""

    reason = "ROLE_TOO_HIGH"

    def __init__(self) -> None:
        super().__init__("this is not below your own highest role")


class ExceedsOwnPermissions(Denied):
    """The change decides about permissions that the caller does not hold there."""

    reason = "EXCEEDS_OWN_PERMISSIONS"

    def __init__(self, permissions: Iterable[Permission]) -> None:
        names = ", ".join(sorted({permission.name for permission in permissions}))
        super().__init__(f"this changes what you do not have yourself: {names}")


class AdministrativeRole(FailedPrecondition):
    """The role allows more than members may give themselves."""

    reason = "ADMINISTRATIVE_ROLE"

    def __init__(self, name: str) -> None:
        super().__init__(f"the role {name} allows more than members may give themselves")


class ClaimRefused(Denied):
    """The code is wrong, or somebody administrates the instance already."""

    reason = "CLAIM_REFUSED"

    def __init__(self) -> None:
        super().__init__("this code does not make you the administrator")


class LastOwner(FailedPrecondition):
    """A community always has an owner."""

    reason = "LAST_OWNER"

    def __init__(self) -> None:
        super().__init__("the last owner stays: a community always has one")


class LastAdministrator(FailedPrecondition):
    """An instance that was claimed always has an administrator."""

    reason = "LAST_ADMINISTRATOR"

    def __init__(self) -> None:
        super().__init__("the last administrator stays: add another one first")


class LimitReached(FailedPrecondition):
    """There are as many as there can be."""

    reason = "LIMIT_REACHED"

    def __init__(self, limit: int, what: str) -> None:
        super().__init__(f"there are never more than {limit} {what}")


class Changed(Conflict):
    """What the request speaks of is not what is there now."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} changed meanwhile: read it again")


class Meaningless(Invalid):
    """A field asks for what can never be."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field} {why}", fields=((field, why),))
