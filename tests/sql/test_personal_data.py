"""The statements that find all that the system holds of a user, checked like files."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from dal.search.personal_data import WAYS, Way, every_personal_shape, personal_rows
from dal.statements import Dynamic
from dal.statements.lexer import Kind, tokens
from dal.testing.measure import explain, full_scans, keys_used
from tests import fill
from tests.sql import server_checks as checks
from tests.sql.test_statements import none_of
from tests.sql.worlds import World

_LITERALS = {Kind.STRING, Kind.NUMBER, Kind.VARIABLE, Kind.EXECUTABLE_COMMENT, Kind.COMMENT}
_USER = fill.user_id(fill.OWNER)
# Of a quarter of a small table MySQL may as well read the whole key.
_WITH_FEW = fill.user_id(5)
_ALL_ROWS = 100_000
# Nothing of these is filled in: the test of the method has some.
_NOT_FILLED = {"template_version_of_others", "audit_about"}
_OF_KIND = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.kind)


async def _rows(world: World, query: Dynamic[Any]) -> list[Any]:
    found = (await world.answer(query.handle.statement, query.values)).rows
    return query.handle.decoder.rows(found)


def test_no_shape_holds_a_literal() -> None:
    for kind, query in every_personal_shape(_USER):
        found = {token.kind for token in tokens(query.handle.statement.sql)}
        assert not found & _LITERALS, kind


async def test_every_shape_is_prepared_as_the_record(small: list[World]) -> None:
    faults = []
    for world in small:
        for kind, query in every_personal_shape(_USER):
            found = await checks.check_prepare(world, query.handle)
            faults += [f"{world}: {kind}: {fault}" for fault in found]
    none_of(faults)


async def test_every_shape_reads_by_the_key_that_it_says(worlds: list[World]) -> None:
    faults = []
    for world in worlds:
        for way in WAYS:
            kind, user = way.kind, _USER if way.parent is None else _WITH_FEW
            query = personal_rows(way, user, after=way.first, limit_rows=way.at_once)
            statement = query.handle.statement
            plan = await explain(world.connection, statement.render(query.values).sql)
            if set(statement.header.index.split(", ")) != keys_used(plan):
                faults.append(f"{world}: {kind}: {sorted(keys_used(plan))}")
            faults += [f"{world}: {kind}: full scan of {table}" for table in full_scans(plan)]
    none_of(faults)


def _expected(way: Way) -> str:
    """How many rows a user has, by a statement that has no pages."""
    hers = f"x'{_USER.hex}'"
    of = f"t.{way.column} = {hers}"
    if way.parent is not None:
        of = f"t.{way.parent_id} IN (SELECT id FROM {way.parent} WHERE {way.column} = {hers})"
    if way.only is not None:
        of += f" AND t.{way.only[0]} = '{way.only[1]}'"
    if way.but is not None:
        of += f" AND NOT t.{way.but} <=> {hers}"
    return f"SELECT COUNT(*) FROM {way.table} AS t WHERE {of}"


@_OF_KIND
async def test_pages_give_each_row_of_the_user_once(small: list[World], way: Way) -> None:
    found_somewhere = False
    for world in small:
        (count,) = (await world.run(_expected(way))).rows[0]
        whole = await _rows(world, personal_rows(way, _USER, after=way.first, limit_rows=_ALL_ROWS))
        keys = [tuple(getattr(row, name) for name in way.key) for row in whole]
        assert len(whole) == int(str(count))
        assert keys == sorted(keys, key=lambda key: [_order(value) for value in key])
        size = max(1, len(whole) // 5)
        paged: list[Any] = []
        after = way.first
        while True:
            page = await _rows(world, personal_rows(way, _USER, after=after, limit_rows=size))
            paged += page
            if len(page) < size:
                break
            after = tuple(getattr(page[-1], name) for name in way.key)
        assert paged == whole
        found_somewhere |= bool(whole)
    assert found_somewhere or way.kind in _NOT_FILLED, "nothing of the kind is filled in"


def _order(value: object) -> object:
    return value.bytes if isinstance(value, UUID) else value


@_OF_KIND
async def test_a_page_reads_what_it_gives(worlds: list[World], way: Way) -> None:
    for world in worlds:
        query = personal_rows(way, _USER, after=way.first, limit_rows=5)
        reads = query.handle.statement.header.reads
        if not reads.startswith("rows + "):
            continue
        rows = await _rows(world, query)
        read = (await checks.fetched(world, query.handle, query.values)).total()
        assert read <= len(rows) + int(reads.removeprefix("rows + ")), (world, read)
