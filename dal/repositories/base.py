"""What every repository shares: a scope, and how a changing method gets its transaction."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Concatenate, Final, NoReturn, ParamSpec, TypeVar, cast
from uuid import UUID

from dal.errors import PermissionDeniedError, UsageError
from dal.records.audit import Outcome
from dal.repositories.audit_writer import AuditWriter
from dal.session import Scope
from dal.session.transaction import Transaction

__all__ = ["CHANGING_METHODS", "Repository", "changing"]

P = ParamSpec("P")
T = TypeVar("T")
Repo = TypeVar("Repo", bound="Repository")

CHANGING_METHODS: Final[set[str]] = set()
"""``Class.method`` of every method that changes data: each writes one audit entry.

A method that does something before its transaction (hashing a password takes long) has the part
that changes data under its own name with an underscore in front: it is in here without.
"""

_MARK: Final = "_changes_data"
# An admin who left and came back between two looks is locked out of order; with many who do so at
# the same moment one transaction can lose three times.
_ATTEMPTS: Final = 6


class Repository:
    """An aggregate's rules, over one actor's scope."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._audit = AuditWriter(scope)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        # A part of a repository, which several classes make up, is none itself.
        if cls.__name__.endswith("Repository"):
            marked = (name for name in dir(cls) if hasattr(getattr(cls, name), _MARK))
            CHANGING_METHODS.update(f"{cls.__name__}.{name.lstrip('_')}" for name in marked)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._scope!r}>"

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
