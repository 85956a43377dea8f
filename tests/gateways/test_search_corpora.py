"""sql/search_corpora/ through SearchCorporaGateway."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

import dal
from dal.gateways import SearchCorporaGateway
from dal.records.search import SearchCorpus
from tests.gateways.helpers import NOW, check_whole_row, stored_corpora


async def test_a_row_of_the_tests_is_the_whole_row(tx: dal.Session) -> None:
    await check_whole_row(tx, "search_corpora")


async def put(tx: dal.Session, corpus: str, **changes: Any) -> int:
    values = {"documents": 3, "now": NOW, **changes}
    return await SearchCorporaGateway(tx).upsert(corpus=corpus, **values)


async def test_upsert(tx: dal.Session) -> None:
    mine, other = uuid4().hex[:20], uuid4().hex[:20]
    assert await put(tx, mine) == await put(tx, other) == 1
    assert await stored_corpora(tx, mine) == [SearchCorpus(mine, 3, NOW)]
    # In the place of what was there, also where the clock was put back.
    early = NOW - timedelta(days=1)
    assert await put(tx, mine, documents=2**32 - 1, now=early) == 2
    assert await stored_corpora(tx, mine) == [SearchCorpus(mine, 2**32 - 1, early)]
    assert await stored_corpora(tx, other) == [SearchCorpus(other, 3, NOW)]
    for changes, field in (
        ({"documents": -1}, "documents"),
        ({"documents": 2**32}, "documents"),
    ):
        for corpus in (mine, uuid4().hex[:20]):
            with pytest.raises(dal.ValueRejectedError) as refused:
                await put(tx, corpus, **changes)
            assert refused.value.field == field
    for corpus in ("x" * 21, "\xe9"):
        with pytest.raises(dal.ValueRejectedError) as refused:
            await put(tx, corpus)
        assert refused.value.field == "corpus"
    assert await stored_corpora(tx, mine) == [SearchCorpus(mine, 2**32 - 1, early)]
