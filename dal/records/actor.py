"""Who acts: every session has an actor, and every statement that reads rows of somebody asks it."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

import attrs

from dal.errors import UsageError
from dal.records.text import optional_text

__all__ = ["Actor", "ActorType", "Role"]


class ActorType(StrEnum):
    """What kind of actor; stored in the audit log."""

    USER = "user"
    SYSTEM = "system"
    ANONYMOUS = "anonymous"


class Role(StrEnum):
    """What a user may do: an admin manages users, a viewer changes their own account alone."""

    ADMIN = "admin"
    USER = "user"
    VIEWER = "viewer"


_MAX_CHARS = {"name": 100, "ip": 45, "user_agent": 255, "request_id": 64}


@attrs.frozen(slots=True, kw_only=True)
class Actor:
    """A user, the system, or nobody in particular; with where the request came from.

    Make one with :meth:`user`, :meth:`system` or :meth:`anonymous`.

    Raises:
        UsageError: the parts do not fit each other: a user without an id would see other rows than
            meant, and a nameless job would say nothing in the audit log.
        ValueRejectedError: a text is too long; ``field`` names it.
    """

    type: ActorType
    id: UUID | None = None
    name: str | None = None
    role: Role | None = None
    ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None

    def __attrs_post_init__(self) -> None:
        fits = {
            ActorType.USER: isinstance(self.id, UUID) and isinstance(self.role, Role),
            ActorType.SYSTEM: self.id is None and self.role is None and bool(self.name),
            ActorType.ANONYMOUS: self.id is None and self.role is None,
        }
        if not isinstance(self.type, ActorType) or not fits[self.type]:
            raise UsageError("make an Actor with Actor.user, Actor.system or Actor.anonymous")
        for field, max_chars in _MAX_CHARS.items():
            optional_text(field, getattr(self, field), max_chars=max_chars)

    @classmethod
    def user(
        cls,
        user_id: UUID,
        *,
        role: Role | str = Role.USER,
        ip: str | None = None,
        user_agent: str | None = None,
        request_id: str | None = None,
    ) -> Actor:
        """A user who is logged in; the caller vouches for id and role.

        Pass the role that the log-in gave: without it a viewer acts as a user.

        Raises:
            UsageError: the id is no UUID, or there is no such role.
            ValueRejectedError: a text is too long; ``field`` names it.
        """
        if not isinstance(user_id, UUID):
            raise UsageError("Actor.user takes the user's id, a uuid.UUID")
        try:
            role = Role(role)
        except ValueError:
            raise UsageError(f"there is no such role: one of {', '.join(Role)}") from None
        return cls(
            type=ActorType.USER,
            id=user_id,
            role=role,
            ip=ip,
            user_agent=user_agent,
            request_id=request_id,
        )

    @classmethod
    def system(cls, name: str, *, request_id: str | None = None) -> Actor:
        """A part of the system itself: a job, an import, an operator's command.

        Raises:
            UsageError: no name, which the audit log needs.
        """
        if not name:
            raise UsageError("Actor.system takes the name of the job")
        return cls(type=ActorType.SYSTEM, name=name, request_id=request_id)

    @classmethod
    def anonymous(
        cls,
        *,
        ip: str | None = None,
        user_agent: str | None = None,
        request_id: str | None = None,
    ) -> Actor:
        """Somebody who is not logged in: sees what is public."""
        return cls(type=ActorType.ANONYMOUS, ip=ip, user_agent=user_agent, request_id=request_id)

    @property
    def is_system(self) -> bool:
        """Whether this is a part of the system."""
        return self.type is ActorType.SYSTEM

    @property
    def is_user(self) -> bool:
        """Whether this is a user."""
        return self.type is ActorType.USER
