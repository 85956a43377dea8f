"""Every statement that the search over conversations can become, checked like a file; what is to be
found is told by Python from the rows that were filled in."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

import pytest

from dal.search import (
    ConversationScope,
    conversation_best,
    conversation_reaches,
    query_terms,
    term_hash,
)
from dal.search.query import Weighted
from dal.testing.measure import counting, explain, full_scans, keys_used, total
from tests import fill
from tests.fill import OWNER, STRANGER
from tests.sql import server_checks as checks
from tests.sql.aggregates.common import DELETED_USER
from tests.sql.worlds import World

_MADE_KEYS: Final = frozenset({"key0", "<auto_key0>", "<auto_key1>", "distinct_key"})
# Aliases of tables.
_TABLES: Final = frozenset({"p", "c", "o", "m", "a", "d"})
_WHO: Final = (OWNER, STRANGER, DELETED_USER, 5)
_TEXTS: Final = ("question 7", "conversation about 64", "answer", "nowhere")
scopes = pytest.mark.parametrize("scope", list(ConversationScope))
texts = pytest.mark.parametrize("text", _TEXTS)


def _weighted(text: str) -> list[Weighted]:
    """The more often a word is, the less it weighs here; of equal weight none."""
    return [
        Weighted(term_hash(term), 1_000 + 10 * i, 0) for i, term in enumerate(query_terms(text))
    ]


def _statement(scope: ConversationScope, who: int, text: str, limit_rows: int = 100_000) -> Any:
    reaches = conversation_reaches(scope, fill.user_id(who))
    return conversation_best(reaches, _weighted(text), limit_rows=limit_rows)


def _expected(factor: int, scope: ConversationScope, who: int, text: str) -> list[tuple[Any, int]]:
    """Conversations that somebody takes part in, by the best of their prompts for each word."""
    found = defaultdict[Any, int](int)
    for n in range(fill.n_conversations(factor)):
        people = fill.participants(n, factor)
        owner = fill.conversation_owner(n, factor)
        gone = fill.conversation_deleted_at(n) or fill.user_deleted_at(owner)
        if gone or who not in people or fill.user_deleted_at(who):
            continue
        if scope is (ConversationScope.SHARED if who == owner else ConversationScope.MINE):
            continue
        parts = [fill.prompt_postings_of(n, k) for k in (0, *fill.live_prompts(n))]
        for one in _weighted(text):
            best = max(part.get(one.term, 0) for part in parts)
            found[fill.conversation_id(n)] += best * one.weight
    scored = [(i, score) for i, score in found.items() if score]
    return sorted(scored, key=lambda it: (it[1], it[0]), reverse=True)


@scopes
@texts
@pytest.mark.parametrize("who", _WHO)
async def test_what_is_found_is_what_there_is(
    worlds: list[World], scope: ConversationScope, text: str, who: int
) -> None:
    dynamic = _statement(scope, who, text)
    # More than there are: of a share alone, which ones are read depends on how they tie.
    values = {**dynamic.values, "share_rows": 1_000_000}
    for world in worlds:
        answer = await world.answer(dynamic.handle.statement, values)
        found = dynamic.handle.decoder.rows(answer.rows)
        expected = _expected(world.factor, scope, who, text)
        assert [(row.id, row.score) for row in found] == expected, world


@scopes
async def test_the_statement_is_what_its_header_says(
    worlds: list[World], scope: ConversationScope
) -> None:
    dynamic = _statement(scope, OWNER, _TEXTS[0])
    named = set(dynamic.handle.statement.header.index.split(", "))
    for world in worlds:
        # A sum of what is never NULL, which the servers do not know.
        faults = await checks.check_prepare(world, dynamic.handle)
        assert [fault for fault in faults if not fault.startswith("score (")] == [], world
        steps = await explain(world.connection, dynamic.handle.statement.render(dynamic.values).sql)
        assert keys_used(steps) - _MADE_KEYS <= named, world
        assert [scan for scan in full_scans(steps) if scan in _TABLES] == [], world


async def test_a_common_word_is_read_as_far_as_its_share(worlds: list[World]) -> None:
    dynamic = _statement(ConversationScope.MINE, OWNER, "question", limit_rows=20)
    sql = dynamic.handle.statement.render({**dynamic.values, "share_rows": 50}).sql
    for world in worlds:
        async with counting(world.connection) as fetched:
            answer = await world.run(sql)
        assert answer.rows
        # Of each posting the conversation and its owner, and some that lie in the trash before
        # them; then what is given.
        assert total(fetched) <= 3 * 50 + 2 * 20 + 100, (world, fetched)
