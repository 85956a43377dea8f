"""What the contracts of the aggregates share: words, worlds, and the methods there are.

A contract says what every public method does in every case, as a table: a row a method, a word a
case. It stands beside the tests of its aggregate.

=====  ============================================================================
yes    it found, gave, counted or changed the row of the case
no     it did not: None, False, 0, or a list without it
NF     NotFoundError
PD     PermissionDeniedError
UQ     UniqueError
PM     ParentMissingError
AE     AuthenticationError
UE     UsageError
IT     InvalidTransitionError
=====  ============================================================================
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any, Final
from uuid import UUID, uuid4

import attrs

import dal
from dal import (
    AuthenticationError,
    InvalidTransitionError,
    NotFoundError,
    ParentMissingError,
    PermissionDeniedError,
    UniqueError,
    UsageError,
)
from dal.repositories.base import CHANGING_METHODS, FREQUENT_METHODS, PARTS

ERRORS: Final[dict[str, type[dal.DalError]]] = {
    "NF": NotFoundError,
    "PD": PermissionDeniedError,
    "UQ": UniqueError,
    "PM": ParentMissingError,
    "AE": AuthenticationError,
    "UE": UsageError,
    "IT": InvalidTransitionError,
}


@attrs.frozen
class Contract:
    """Of an aggregate: the words of its methods by case, how each is asked, and in which world.

    ``root`` is where a session has the aggregate, with a dot; the tables leave it out.
    """

    root: str
    cases: list[str]
    table: Mapping[str, str]
    asks: Mapping[str, Callable[[Any], Awaitable[bool]]]
    world: Callable[..., Awaitable[World]]

    def word(self, method: str, case: str) -> str:
        """The word of the table."""
        return self.table[method].split()[self.cases.index(case)]

    def changes(self, method: str) -> bool:
        """Whether the method changes data."""
        return f"{self.root}{method}" in CHANGING_METHODS | FREQUENT_METHODS


def public_methods() -> set[str]:
    """Every public method that a caller can reach, as a session says it."""
    return {
        f"{path}.{name}"
        for path, of in PARTS.items()
        for name, _ in inspect.getmembers(of, inspect.isfunction)
        if name[0] != "_"
    }


numbers = count(1)


@attrs.define
class World:
    """One case: who asks, and the template or user that is asked about."""

    case: str
    db: dal.Database
    clock: dal.ManualClock
    system: dal.Session
    me: dal.Session
    owner: dal.User
    as_owner: dal.Session
    id: UUID
    word: str
    template: dal.Template | None = None
    counted: int = 0
    fork_id: UUID = attrs.field(factory=uuid4)
    category_id: UUID = attrs.field(factory=uuid4)
    affected: int = 1

    @property
    def category(self) -> str:
        """The name of the case's category, which no other has."""
        return f"C {self.word}"

    @property
    def slug(self) -> str:
        """Its slug."""
        return f"c-{self.word}"

    @property
    def tag(self) -> str:
        """A tag that no other case's template has."""
        return f"!{self.word}"

    @property
    def target(self) -> str:
        """A category that is there, and has templates."""
        return f"D {self.word}"

    @property
    def for_owner(self) -> UUID | None:
        """Whom the system creates for."""
        return self.owner.id if self.case.startswith("system") else None

    def new(self) -> dal.NewTemplate:
        """A template with the id of the case."""
        return dal.NewTemplate(name="new", content="new", tags=["New", "Näw"], id=self.id)


async def make_user(system: dal.Session, name: str = "Ada") -> dal.User:
    return await system.users.create(
        email=f"{name}.{next(numbers)}.{uuid4().hex[:8]}@contracts.example".lower(),
        full_name=name,
    )
