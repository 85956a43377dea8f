"""What the statements are asked with, a table an aggregate; here all of them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import tests.sql.aggregates.audit as audit
import tests.sql.aggregates.conversations as conversations
import tests.sql.aggregates.search as search
import tests.sql.aggregates.templates as templates
import tests.sql.aggregates.usage as usage
import tests.sql.aggregates.users as users
import tests.sql.aggregates.vocabulary as vocabulary
from tests.sql.aggregates.common import COMMON, Aggregate

# In the order in which rows can be deleted: children first.
AGGREGATES: Final[Sequence[Aggregate]] = (
    audit.AGGREGATE,
    usage.AGGREGATE,
    conversations.AGGREGATE,
    search.AGGREGATE,
    templates.AGGREGATE,
    vocabulary.AGGREGATE,
    users.AGGREGATE,
)


def together(what: str) -> dict[Any, Any]:
    """One table of all aggregates; nothing is said twice."""
    found: dict[Any, Any] = {}
    for aggregate in (COMMON, *AGGREGATES):
        of_one: Mapping[Any, Any] = getattr(aggregate, what)
        assert not found.keys() & of_one.keys(), f"{what} twice: {found.keys() & of_one.keys()}"
        found |= of_one
    return found


def of(table: str) -> Aggregate:
    """The aggregate that has a table."""
    return next(aggregate for aggregate in AGGREGATES if table in aggregate.tables)
