"""Every statement that the search can become, checked like a file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product
from uuid import UUID

import pytest

from dal.records.page import Key
from dal.records.templates import TemplateSummary
from dal.search.templates import Arm, Sort, TemplateSearch, every_shape, template_search
from dal.statements import Dynamic
from dal.statements.lexer import Kind, tokens
from dal.testing import fill
from dal.testing.fill import OWNER, WORD
from dal.testing.measure import explain, full_scans, keys_used
from tests.sql import server_checks as checks
from tests.sql.test_statements import none_of
from tests.sql.values import LIMIT
from tests.sql.worlds import World

_ME = fill.user_id(OWNER)
_TAG = 0
_CATEGORY = 0
_ALL_ROWS = 100_000
# A filter may lead the plan: then these keys are the way in, and the rows are sorted.
_KEYS_OF_FILTERS = frozenset(
    {"uq_categories_slug", "ix_templates_category", "ix_template_tags_tag"}
)
_LITERALS = {Kind.STRING, Kind.NUMBER, Kind.VARIABLE, Kind.EXECUTABLE_COMMENT, Kind.COMMENT}
_FILTERS: list[dict[str, object]] = [
    {},
    {"text": WORD.upper()},
    {"text": f"{WORD} template"},
    {"text": "author 7"},
    {"category": f"category-{_CATEGORY}"},
    {"tags": [f"tag{_TAG}"]},
    {"text": WORD, "category": f"category-{_CATEGORY}", "tags": [f"tag{_TAG}"]},
]

samples = pytest.mark.parametrize(
    ("arm", "sort", "filters"),
    list(product(Arm, Sort, _FILTERS)),
    ids=lambda value: "+".join(value) or "all" if isinstance(value, dict) else str(value),
)


@cache
def shapes() -> list[tuple[str, Dynamic[TemplateSummary]]]:
    return list(every_shape(_ME, fill.tag_id(_TAG), WORD, f"category-{_CATEGORY}"))


def sample(
    arm: Arm, sort: Sort, filters: dict[str, object], after: Key | None = None, limit: int = LIMIT
) -> Dynamic[TemplateSummary]:
    return template_search(
        TemplateSearch(sort=sort, **filters),  # type: ignore[arg-type]
        arm,
        actor_id=_ME,
        tag_ids=[fill.tag_id(_TAG)] if "tags" in filters else [],
        after=after or sort.first_key,
        limit_rows=limit,
    )


def expected(arm: Arm, sort: Sort, filters: dict[str, object], factor: int) -> list[UUID]:
    """What is to be found, by looking at every template that was filled in."""
    words = str(filters.get("text", "")).lower().split()
    found = []
    for n in range(fill.n_templates(factor)):
        owner = fill.owner_of(n, factor)
        texts = [text.lower() for text in fill.template_texts(n) if text is not None]
        in_arm = {
            Arm.OWN: owner == OWNER,
            Arm.PUBLIC: fill.is_public(n),
            Arm.PUBLIC_OF_OTHERS: fill.is_public(n) and owner != OWNER,
        }[arm]
        if (
            in_arm
            and fill.template_deleted_at(n) is None
            and fill.user_deleted_at(owner) is None
            and all(any(word in text for text in texts) for word in words)
            and ("category" not in filters or fill.template_category(n) == _CATEGORY)
            and ("tags" not in filters or _TAG in fill.template_tags(n, factor))
        ):
            found.append(n)
    found.sort(
        key=lambda n: (fill.template_created_at(n), fill.template_id(n)),
        reverse=sort is Sort.NEWEST,
    )
    return [fill.template_id(n) for n in found]


async def answer(world: World, query: Dynamic[TemplateSummary]) -> Sequence[TemplateSummary]:
    rows = (await world.answer(query.handle.statement, query.values)).rows
    return query.handle.decoder.rows(rows)


def test_no_shape_holds_a_literal() -> None:
    labels = set()
    for label, query in shapes():
        found = {token.kind for token in tokens(query.handle.statement.sql)}
        assert not found & _LITERALS, label
        labels.add(label)
    assert len(labels) == len(Arm) * len(Sort) * 2 * 9 * 9


async def test_every_shape_is_prepared_as_the_record(small: list[World]) -> None:
    faults = []
    for world in small:
        for label, query in shapes():
            found = await checks.check_prepare(world, query.handle)
            faults += [f"{world}: {label}: {fault}" for fault in found]
    none_of(faults)


async def test_every_shape_finds_its_rows_by_a_key(worlds: list[World]) -> None:
    """On the large tables: in small ones a scan is as good, and MySQL knows it."""
    faults = []
    for world in worlds:
        if world.factor == 1:
            continue
        for label, query in shapes():
            statement = query.handle.statement
            plan = await explain(world.connection, statement.render(query.values).sql)
            is_plain = " 0 words 0 tags" in label and "category" not in label
            allowed = set(statement.header.index.split(", "))
            if not is_plain:
                allowed |= _KEYS_OF_FILTERS
            faults += [f"{world}: {label}: full scan of {table}" for table in full_scans(plan)]
            if not keys_used(plan) <= allowed:
                faults.append(f"{world}: {label}: {sorted(keys_used(plan))}")
    none_of(faults)


@samples
async def test_a_search_finds_what_there_is(
    small: list[World], arm: Arm, sort: Sort, filters: dict[str, object]
) -> None:
    for world in small:
        rows = await answer(world, sample(arm, sort, filters, limit=_ALL_ROWS))
        ids = expected(arm, sort, filters, world.factor)
        assert [row.id for row in rows] == ids, world
        assert ids or (arm is not Arm.OWN and len(filters) > 1)


@samples
async def test_pages_of_a_search_follow_each_other(
    small: list[World], arm: Arm, sort: Sort, filters: dict[str, object]
) -> None:
    for world in small:
        ids = expected(arm, sort, filters, world.factor)
        limit = max(1, len(ids) // 3)
        walked: list[UUID] = []
        after: Key = sort.first_key
        while rows := await answer(world, sample(arm, sort, filters, after, limit)):
            assert len(rows) <= limit
            walked += [row.id for row in rows]
            after = (rows[-1].created_at, rows[-1].id)
            assert len(walked) <= len(ids)
        assert walked == ids, world


@pytest.mark.parametrize("arm", Arm)
@pytest.mark.parametrize("sort", Sort)
async def test_a_page_without_filters_reads_what_it_gives(
    worlds: list[World], arm: Arm, sort: Sort
) -> None:
    faults = []
    for world in worlds:
        ids = expected(arm, sort, {}, world.factor)
        middle = int.from_bytes(ids[len(ids) // 2].bytes[8:]) & 0xFFFFFF
        after = (fill.template_created_at(middle), fill.template_id(middle))
        for start in (None, after):
            query = sample(arm, sort, {}, start)
            found = await checks.check_reads(world, query.handle, query.values)
            faults += [f"{world}: {fault}" for fault in found]
    none_of(faults)
