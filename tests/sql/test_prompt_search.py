"""Every statement that the search over prompts can become, checked like a file; what is to be found
is told by Python from the rows that were filled in."""

from __future__ import annotations

from typing import Any, Final

import pytest

from dal.search import PromptSearch, prompt_best, prompt_reaches, query_terms, term_hash
from dal.search.query import Weighted
from dal.testing.measure import counting, explain, full_scans, keys_used, total
from tests import fill
from tests.fill import OWNER, STRANGER
from tests.sql import server_checks as checks
from tests.sql.aggregates.common import DELETED_USER
from tests.sql.aggregates.conversations import LIVE, SHARED
from tests.sql.worlds import World

_MADE_KEYS: Final = frozenset({"key0", "<auto_key0>", "<auto_key1>", "distinct_key"})
_TABLES: Final = frozenset({"p", "c", "o", "m", "a", "d", "q"})
_ASKED: Final[tuple[dict[str, Any], ...]] = (
    {}, {"scope": "mine"}, {"scope": "shared"}, {"status": "completed"},
    {"author_id": fill.user_id(OWNER), "scope": "visible"},
    {"conversation_id": fill.conversation_id(LIVE)},
    {"conversation_id": fill.conversation_id(SHARED), "status": "failed"},
)  # fmt: skip
asked = pytest.mark.parametrize("how", _ASKED, ids=lambda how: "-".join(map(str, how)) or "all")


def _weighted(text: str) -> list[Weighted]:
    return [
        Weighted(term_hash(term), 1_000 + 10 * i, 0) for i, term in enumerate(query_terms(text))
    ]


def _statement(how: dict[str, Any], who: int, text: str, limit_rows: int = 100_000) -> Any:
    search = PromptSearch(text=text, **how)
    reaches = prompt_reaches(search, fill.user_id(who))
    return prompt_best(reaches, _weighted(text), limit_rows=limit_rows)


def _expected(factor: int, how: dict[str, Any], who: int, text: str) -> list[tuple[Any, int]]:
    found = []
    for n in range(fill.n_conversations(factor)):
        people = fill.participants(n, factor)
        owner = fill.conversation_owner(n, factor)
        gone = fill.conversation_deleted_at(n) or fill.user_deleted_at(owner)
        if gone or who not in people or fill.user_deleted_at(who):
            continue
        if how.get("conversation_id", fill.conversation_id(n)) != fill.conversation_id(n):
            continue
        if how.get("scope") == ("shared" if who == owner else "mine"):
            continue
        if how.get("author_id", fill.user_id(owner)) != fill.user_id(owner):
            continue
        for k in fill.live_prompts(n):
            if how.get("status", fill.prompt_status(k)) != fill.prompt_status(k):
                continue
            held = fill.prompt_postings_of(n, k)
            score = sum(held.get(one.term, 0) * one.weight for one in _weighted(text))
            found += [(fill.prompt_id(n, k), score)] if score else []
    return sorted(found, key=lambda it: (it[1], it[0]), reverse=True)


@asked
@pytest.mark.parametrize("text", ["question 7", "answer", "conversation about 64", "nowhere"])
@pytest.mark.parametrize("who", [OWNER, STRANGER, DELETED_USER, 5])
async def test_what_is_found_is_what_there_is(
    worlds: list[World], how: dict[str, Any], text: str, who: int
) -> None:
    dynamic = _statement(how, who, text)
    values = {**dynamic.values, "share_rows": 1_000_000}
    for world in worlds:
        answer = await world.answer(dynamic.handle.statement, values)
        found = dynamic.handle.decoder.rows(answer.rows)
        expected = _expected(world.factor, how, who, text)
        assert [(row.id, row.score) for row in found] == expected, world


@asked
async def test_the_statement_is_what_its_header_says(
    worlds: list[World], how: dict[str, Any]
) -> None:
    dynamic = _statement(how, OWNER, "question 7")
    named = set(dynamic.handle.statement.header.index.split(", "))
    for world in worlds:
        # A sum of what is never NULL, which the servers do not know.
        faults = await checks.check_prepare(world, dynamic.handle)
        assert [fault for fault in faults if not fault.startswith("score (")] == [], world
        steps = await explain(world.connection, dynamic.handle.statement.render(dynamic.values).sql)
        assert keys_used(steps) - _MADE_KEYS <= named, world
        assert [scan for scan in full_scans(steps) if scan in _TABLES] == [], world


async def test_a_common_word_is_read_as_far_as_its_share(worlds: list[World]) -> None:
    dynamic = _statement({"scope": "mine"}, OWNER, "question", limit_rows=20)
    sql = dynamic.handle.statement.render({**dynamic.values, "share_rows": 50}).sql
    for world in worlds:
        async with counting(world.connection) as fetched:
            answer = await world.run(sql)
        assert answer.rows
        assert total(fetched) <= 4 * 50 + 2 * 20 + 150, (world, fetched)
