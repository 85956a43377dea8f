"""Many rows in few statements, counted; pages by key; IN lists. Traps A3, A22, A23."""

# ruff: noqa: PT012 - how a whole block ends is what is tested
from __future__ import annotations

import math

import pytest

import dal
from dal.config import Config
from tests.conftest import Recorder
from tests.faults.helpers import Root, Row, Sql, database, statement, system


@pytest.mark.parametrize("n_rows", [0, 1, 10_000, 60_000])
async def test_so_many_rows_so_many_statements(
    config: Config, root: Root, sql: Sql, n_rows: int
) -> None:
    recorder = Recorder()
    note = "n" * 80
    async with database(config, on_statement=recorder) as db:
        bulk = sql.folder.bulk("bulk/insert")
        async with system(db).begin() as tx:
            rows = ({"id": i, "note": note} for i in range(n_rows))
            assert await tx.insert_many(bulk, rows) == n_rows
    n_bytes = sum(len(str(i)) + len(note) + 7 for i in range(n_rows))
    sent = [name for name in recorder.names if name == "bulk/insert"]
    assert len(sent) == math.ceil(n_bytes / (2**20 - 200))
    assert root.value("SELECT COUNT(*) FROM tests_bulk") == n_rows


async def test_a_bad_row_among_many_leaves_none(config: Config, root: Root, sql: Sql) -> None:
    async with database(config) as db:
        bulk = sql.folder.bulk("bulk/insert")
        cases: list[tuple[object, type[dal.DalError]]] = [
            (0, dal.UniqueError),
            ("x", dal.ValueRejectedError),
        ]
        for bad, error in cases:
            rows: list[dict[str, object]] = [
                *({"id": i, "note": "n" * 100} for i in range(20_000)),
                {"id": bad, "note": None},
            ]
            with pytest.raises(error):
                async with system(db).begin() as tx:
                    await tx.insert_many(bulk, rows)
    assert root.value("SELECT COUNT(*) FROM tests_bulk") == 0


async def test_bulk_outside_a_transaction(config: Config, root: Root, sql: Sql) -> None:
    async with database(config) as db:
        with pytest.raises(dal.UsageError, match="inside a transaction"):
            await system(db).insert_many(sql.folder.bulk("bulk/insert"), [{"id": 1, "note": None}])


async def test_a_file_that_is_no_bulk_insert(
    config: Config, root: Root, sql: Sql, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.raises(dal.StatementError, match="rows/set"):
        sql.folder.bulk("rows/set")
    folder = tmp_path_factory.mktemp("bulk")
    statement(
        folder, "bulk/select", "affected", {"id": "INT"},
        "INSERT INTO tests_bulk (id) SELECT :id AS id FROM tests_hundred WHERE n = 1",
    )  # fmt: skip
    with pytest.raises(dal.StatementError, match="bulk/select"):
        dal.sql_folder(folder).bulk("bulk/select")


async def test_lists(config: Config, root: Root, sql: Sql) -> None:
    root.rows("INSERT INTO tests_rows (id, n) VALUES (1, 10), (2, 20), (3, 30)")
    recorder = Recorder()
    async with database(config, on_statement=recorder) as db:
        me = system(db)
        for ids in ([3, 1], (3, 1), {1, 3}, frozenset({1, 3})):
            assert await me.many(sql.rows_among, ids=ids) == [Row(1, 10, None), Row(3, 30, None)]
        recorder.clear()
        # Never all rows, and nothing is sent.
        assert await me.many(sql.rows_among, ids=[]) == []
        assert recorder.names == []
        for wrong in ("13", b"13", 1, None, [None], [1, None], [[1]], {"a": 1}.items(), ["1"]):
            with pytest.raises(dal.ValueRejectedError) as caught:
                await me.many(sql.rows_among, ids=wrong)
            assert caught.value.field == "ids"
        with pytest.raises(dal.ValueRejectedError, match="at most"):
            await me.many(sql.rows_among, ids=range(10_001))


@pytest.mark.parametrize("limit", [1, 2, 5, 6, 7, 500])
async def test_a_stream_of_pages(config: Config, root: Root, sql: Sql, limit: int) -> None:
    root.rows(
        "INSERT INTO tests_rows (id, n) VALUES (1, 1), (2, 2), (3, 3), (5, 5), (8, 8), (9, 9)"
    )
    recorder = Recorder()
    async with database(config, on_statement=recorder) as db:
        seen = [
            row.id
            async for row in system(db).stream(
                sql.rows_page, lambda row: {"after_id": row.id}, after_id=0, limit_rows=limit
            )
        ]
        assert seen == [1, 2, 3, 5, 8, 9]
        assert len(recorder.names) == 6 // limit + 1
        with pytest.raises(dal.UsageError, match="limit_rows"):
            async for _ in system(db).stream(sql.rows_page, lambda _: {}, after_id=0):
                pytest.fail("streams without a limit")


async def test_one_find_value(config: Config, root: Root, sql: Sql) -> None:
    root.rows("INSERT INTO tests_rows (id, n) VALUES (1, 1), (2, 2)")
    async with database(config) as db:
        me = system(db)
        assert await me.find(sql.rows_find, id=9) is None
        with pytest.raises(dal.NotFoundError) as caught:
            await me.one(sql.rows_get, id=9)
        assert caught.value.statement == "rows/get"
        # Matched, though nothing is changed (A24).
        assert await me.affected(sql.rows_set, id=1, n=1) == 1
        assert await me.affected(sql.rows_set, id=9, n=1) == 0
        with pytest.raises(dal.UsageError, match="missing"):
            await me.one(sql.rows_get)
        with pytest.raises(dal.UsageError, match="unknown"):
            await me.one(sql.rows_get, id=1, other=2)
