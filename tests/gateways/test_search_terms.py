"""sql/search_terms/ through SearchTermsGateway."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

import dal
from dal.gateways import SearchTermsGateway
from tests.gateways.helpers import StoredTerm, check_whole_row, stored_terms


async def test_a_row_of_the_tests_is_the_whole_row(tx: dal.Session) -> None:
    await check_whole_row(tx, "search_terms")


def corpus() -> str:
    """Texts that no other test has."""
    return uuid4().hex[:20]


def row(of: str, token: str, documents: int = 1) -> dict[str, Any]:
    return {"corpus": of, "token": token, "documents": documents}


async def test_insert_many(tx: dal.Session) -> None:
    terms, mine, other = SearchTermsGateway(tx), corpus(), corpus()
    assert await terms.insert_many([row(mine, "b", 2**32 - 1), row(mine, "a", 0)]) == 2
    assert await terms.insert_many([row(other, "a", 5)]) == 1
    assert await terms.insert_many([]) == 0
    expected = [StoredTerm(mine, "a", 0), StoredTerm(mine, "b", 2**32 - 1)]
    assert await stored_terms(tx, mine) == expected
    # One that is there takes none of those beside it along.
    with pytest.raises(dal.UniqueError) as caught:
        await terms.insert_many([row(mine, "new"), row(mine, "a")])
    assert caught.value.constraint == "PRIMARY"
    for field, value in (
        ("token", "x" * 85),
        ("token", "\xe9"),
        ("corpus", "x" * 21),
        ("documents", -1),
        ("documents", 2**32),
    ):
        with pytest.raises(dal.ValueRejectedError) as refused:
            await terms.insert_many([{**row(mine, "new"), field: value}])
        assert refused.value.field == field
    assert await stored_terms(tx, mine) == expected
    assert await stored_terms(tx, other) == [StoredTerm(other, "a", 5)]
