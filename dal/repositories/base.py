"""What every part of an aggregate shares: a scope, who asks, and how a changing method gets its
transaction.

``Repository`` <- the rules of an aggregate <- its parts. A part inherits no part: one that needs
another makes it from the scope, as the audit writer is made.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, Concatenate, Final, NoReturn, ParamSpec, TypedDict, TypeVar, cast
from uuid import UUID

from dal.errors import PermissionDeniedError, UsageError
from dal.records.audit import Outcome
from dal.repositories.audit_writer import AuditWriter
from dal.session import Scope
from dal.session.transaction import Transaction

__all__ = [
    "CHANGING_METHODS",
    "DISCLOSING_METHODS",
    "FREQUENT_METHODS",
    "PARTS",
    "Reader",
    "Repository",
    "by_a_part",
    "changing",
    "disclosing",
    "frequent",
    "part",
]

P = ParamSpec("P")
T = TypeVar("T")
Repo = TypeVar("Repo", bound="Repository")
Cls = TypeVar("Cls", bound="type[Repository]")
F = TypeVar("F", bound=Callable[..., Any])

PARTS: Final[dict[str, type[Repository]]] = {}
"""Path from the session -> part: ``templates`` is a face, ``templates.versions`` a part of it."""

CHANGING_METHODS: Final[set[str]] = set()
"""``templates.versions.commit``: every method that changes data; each writes one audit entry.

A method that does something before its transaction (hashing a password takes long) has the part
that changes data under its own name with an underscore in front: it is in here without.
"""

FREQUENT_METHODS: Final[set[str]] = set()
"""``prompts.append_partial``: what changes data too often for an entry each; it belongs to a change
that has one before and after it, or it is summed, as uses are. A denied attempt is kept all the
same.
"""

DISCLOSING_METHODS: Final[set[str]] = set()
"""``templates.exchange.export``: what only reads, but so much that each time is an entry."""

_MARK: Final = "_changes_data"
_FREQUENT: Final = "_changes_data_often"
_DISCLOSES: Final = "_discloses_data"
# An admin who left and came back between two looks is locked out of order; with many who do so at
# the same moment one transaction can lose three times.
_ATTEMPTS: Final = 6


def part(path: str) -> Callable[[Cls], Cls]:
    """Register a part under the path by which a session reaches it."""

    def register(cls: Cls) -> Cls:
        PARTS[path] = cls
        for mark, methods in (
            (_MARK, CHANGING_METHODS),
            (_FREQUENT, FREQUENT_METHODS),
            (_DISCLOSES, DISCLOSING_METHODS),
        ):
            marked = (name for name in dir(cls) if hasattr(getattr(cls, name), mark))
            methods.update(f"{path}.{name.lstrip('_')}" for name in marked)
        CHANGING_METHODS.difference_update(FREQUENT_METHODS)
        return cls

    return register


def by_a_part(method: F) -> F:
    """A face's method whose change is made by a part that has no door of its own."""
    setattr(method, _MARK, True)
    return method


def frequent(method: F) -> F:
    """A method that changes data and writes no entry, over the one that has the transaction."""
    setattr(method, _FREQUENT, True)
    return method


def disclosing(method: F) -> F:
    """A method that reads, and writes an entry about that before it gives anything."""
    setattr(method, _DISCLOSES, True)
    return method


class Reader(TypedDict):
    """Who asks, as the statements take it that serve every kind of reader."""

    actor_id: UUID | None
    actor_is_system: bool


class Repository:
    """The rules of the house, over one actor's scope. Who is asking is decided here alone."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._audit = AuditWriter(scope)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._scope!r}>"

    @property
    def _by_system(self) -> bool:
        """Whether a part of the system itself asks."""
        return self._scope.actor.is_system

    @property
    def _reader(self) -> Reader:
        return {"actor_id": self._scope.actor.id, "actor_is_system": self._by_system}

    def _user(self, why: str) -> UUID:
        """The id of the user who asks.

        Raises:
            PermissionDeniedError: nobody, or the system.
        """
        actor_id = self._scope.actor.id
        if actor_id is None:
            raise PermissionDeniedError(why)
        return actor_id

    def _only_system(self, why: str = "for the system alone") -> None:
        """Refuse everybody else a read.

        Raises:
            PermissionDeniedError: the actor is not the system.
        """
        if not self._by_system:
            raise PermissionDeniedError(why)

    def _only_system_changes(
        self, action: str, target_type: str, target_id: UUID | None, why: str
    ) -> None:
        """Refuse everybody else a change, and keep the attempt.

        Raises:
            PermissionDeniedError: the actor is not the system.
        """
        if not self._by_system:
            self._deny(action, target_type, target_id, why)

    def _deny(self, action: str, target_type: str, target_id: UUID | None, why: str) -> NoReturn:
        """Refuse, and keep the attempt.

        Raises:
            PermissionDeniedError: always.
        """
        self._keep_attempt(action, target_type, target_id, Outcome.DENIED)
        raise PermissionDeniedError(why)

    def _keep_attempt(
        self, action: str, target_type: str, target_id: UUID | None, outcome: Outcome
    ) -> None:
        """Have an attempt written after the transaction, which is rolled back by what follows."""
        scope = self._scope
        if not scope.in_transaction:
            return

        async def write(ended: Transaction) -> None:
            await AuditWriter(scope.on(ended)).write(
                action, target_type, target_id, outcome=outcome, affected=0
            )

        scope.after_end(write)

    async def _disclose(
        self,
        action: str,
        target_type: str,
        changes: Mapping[str, object] | None = None,
        *,
        target_id: UUID | None = None,
    ) -> None:
        """Write that much is about to be read: nothing is given where that cannot be written."""

        async def work(tx: Scope) -> None:
            await AuditWriter(tx).write(action, target_type, target_id, changes=changes, affected=0)

        await self._scope.run(work, attempts=_ATTEMPTS)


def changing(
    method: Callable[Concatenate[Repo, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Repo, P], Coroutine[Any, Any, T]]:
    """A method that changes data: all of it in one transaction, or nothing of it.

    In a caller's transaction it is a savepoint of that; alone it is a transaction of its own that
    is repeated after a deadlock. So an iterator is read before the first attempt: the second would
    find it empty, and succeed with nothing.

    The method raises UsageError in a transaction under REPEATABLE READ, which is for reading.
    """

    @functools.wraps(method)
    async def whole(self: Repo, *args: P.args, **kwargs: P.kwargs) -> T:
        if self._scope.reads_from_a_snapshot:
            raise UsageError(
                "REPEATABLE READ is for reading: a change would overwrite what it does not see"
            )
        given: Any = [_kept(value) for value in args]
        named: Any = {name: _kept(value) for name, value in kwargs.items()}

        async def work(tx: Scope) -> T:
            return await method(type(self)(tx), *given, **named)

        return await self._scope.run(work, attempts=_ATTEMPTS)

    setattr(whole, _MARK, True)
    # mypy sees a _Wrapped whose self has a name.
    return cast(Callable[Concatenate[Repo, P], Coroutine[Any, Any, T]], whole)


def _kept(value: object) -> object:
    return list(value) if isinstance(value, Iterator) else value
