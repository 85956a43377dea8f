"""Every .sql file on every server, at two sizes: what its header says is so."""

from __future__ import annotations

from collections import Counter

import pytest

import dal.gateways
from dal.statements import Bulk, Handle, house
from dal.testing.measure import budget
from dal.testing.prepare import prepare, with_question_marks
from tests.sql import server_checks as checks
from tests.sql.locks import check_locks
from tests.sql.values import ALSO_CHOOSES, CASES, GIVES_WITHOUT, HITS, MISSES, PASSED_BY, hits
from tests.sql.worlds import World
from tests.sql.written import WRITTEN, check_written

assert dal.gateways.__all__  # imported for the handles it makes

HANDLES = dict(sorted(house().handles.items()))
all_statements = pytest.mark.parametrize("handle", HANDLES.values(), ids=HANDLES.keys())


def none_of(faults: list[str]) -> None:
    if faults:
        pytest.fail("\n".join(faults), pytrace=False)


def _of(world: World, faults: list[str]) -> list[str]:
    return [f"{world}: {fault}" for fault in faults]


@all_statements
async def test_prepare_tells_the_record_and_the_parameters(
    handle: Handle, small: list[World]
) -> None:
    faults = []
    for world in small:
        faults += _of(world, await checks.check_prepare(world, handle))
    none_of(faults)


async def test_no_field_is_nullable_for_nothing(small: list[World]) -> None:
    for world in small:
        may_be_none, fields = set(), set()
        for handle in HANDLES.values():
            decoder = checks.decoder_of(handle)
            if decoder is None:
                continue
            text, _ = with_question_marks(handle.statement.sql)
            columns = (await prepare(world.connection, text)).columns
            may_be_none |= checks.nullable_columns(handle, columns)
            record = getattr(handle, "record", object)
            fields |= {(record.__name__, f.name) for f in decoder.fields if f.nullable}
        assert fields - may_be_none == set(), f"{world}: the server never gives NULL there"


@all_statements
async def test_hits_find_misses_do_not_and_nothing_warns(
    handle: Handle, small: list[World]
) -> None:
    faults = []
    for world in small:
        faults += _of(world, await checks.check_runs(world, handle))
    none_of(faults)


@all_statements
async def test_the_plan_uses_the_keys_of_the_header(handle: Handle, worlds: list[World]) -> None:
    faults = []
    for world in worlds:
        for values in hits(handle.statement, world.factor):
            faults += _of(world, await checks.check_plan(world, handle.statement, values))
    none_of(faults)


@all_statements
async def test_reads_are_within_the_budget(handle: Handle, worlds: list[World]) -> None:
    faults = []
    for world in worlds:
        for values in hits(handle.statement, world.factor):
            faults += _of(world, await checks.check_reads(world, handle, values))
    none_of(faults)


@all_statements
async def test_reads_are_the_same_on_both_servers(handle: Handle, worlds: list[World]) -> None:
    """Within one row, which is the row behind the last one that is asked for."""
    first = checks.asked_for(hits(handle.statement, 1)[0])
    if budget(handle.statement.header.reads, rows=0, tags=0, passed=0, **first) is None:
        return
    seen: dict[tuple[int, str], dict[str, Counter[str]]] = {}
    for world in worlds:
        for values in hits(handle.statement, world.factor):
            by_table = await checks.fetched(world, handle, values)
            seen.setdefault((world.factor, str(values)), {})[world.engine] = by_table
    for of_engines in seen.values():
        totals = [by_table.total() for by_table in of_engines.values()]
        assert max(totals) - min(totals) <= 1, of_engines


@all_statements
async def test_the_locks_are_those_of_the_header(handle: Handle, small: list[World]) -> None:
    faults = []
    for world in small:
        faults += _of(world, await check_locks(world, handle))
    none_of(faults)


@all_statements
async def test_a_stranger_gets_nothing(handle: Handle, small: list[World]) -> None:
    faults = []
    for world in small:
        faults += _of(world, await checks.check_access(world, handle))
    none_of(faults)


@all_statements
async def test_what_is_deleted_is_given_as_the_header_says(
    handle: Handle, small: list[World]
) -> None:
    faults = []
    for world in small:
        faults += _of(world, await checks.check_deleted(world, handle))
    none_of(faults)


@all_statements
async def test_what_counts_everything_counts_right(handle: Handle, small: list[World]) -> None:
    faults = []
    for world in small:
        faults += _of(world, await checks.check_numbers(world, handle))
    none_of(faults)


@all_statements
async def test_pages_follow_each_other(handle: Handle, small: list[World]) -> None:
    faults = []
    for world in small:
        faults += _of(world, await checks.check_order(world, handle))
    none_of(faults)


@all_statements
async def test_what_is_written_is_what_is_said(handle: Handle, small: list[World]) -> None:
    faults = []
    for world in small:
        faults += _of(world, await check_written(world, handle))
    none_of(faults)


def test_the_table_of_values_is_about_what_there_is() -> None:
    names = {param.name for s in house().statements.values() for param in s.params}
    assert names == HITS.keys()
    assert names > MISSES.keys()
    assert house().statements.keys() >= CASES.keys()
    assert house().statements.keys() >= {name for name, _ in GIVES_WITHOUT}
    assert house().statements.keys() >= {name for name, _ in ALSO_CHOOSES}
    assert house().statements.keys() >= WRITTEN.keys()
    for name, rows in PASSED_BY.items():
        params = {param.name for param in house().statements[name].params}
        assert all(values.keys() <= params for values in rows.values()), name


def test_every_file_has_a_handle() -> None:
    assert house().handles.keys() == house().statements.keys()
    assert any(isinstance(handle, Bulk) for handle in HANDLES.values())
