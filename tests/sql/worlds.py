"""Filled databases to check statements in: two sizes on each server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import attrs

from dal.config import Config, parse
from dal.provision import create_database, load_schema
from dal.server import PrivateServer
from dal.session.connection import Connection, RawResult
from dal.statements import Statement
from tests.fill import fill

SIZES = (1, 10)


@attrs.frozen
class Schema:
    """What information_schema says of the tables that statements are about."""

    soft_deletable: frozenset[str]
    unique_keys: Mapping[str, Sequence[frozenset[str]]]
    enums: Mapping[tuple[str, str], frozenset[str]]


@attrs.frozen
class World:
    """A filled database and a connection to it, as root: rights are checked elsewhere."""

    engine: str
    factor: int
    connection: Connection
    schema: Schema

    def __str__(self) -> str:
        return f"{self.engine} {self.factor}x"

    async def run(self, sql: str | bytes) -> RawResult:
        """Run one statement."""
        return await self.connection.run(sql.encode() if isinstance(sql, str) else sql)

    @asynccontextmanager
    async def undone(self) -> AsyncIterator[None]:
        """A transaction that is rolled back, however the block ends."""
        await self.run("START TRANSACTION")
        try:
            yield
        finally:
            await self.run("ROLLBACK")

    async def answer(
        self,
        statement: Statement,
        values: Mapping[str, object],
        before: Sequence[str] = (),
    ) -> RawResult:
        """What the statement gives with these values, after others that are undone with it."""
        async with self.undone():
            for sql in before:
                await self.run(sql)
            return await self.run(statement.render(values).sql)


async def _schema(connection: Connection) -> Schema:
    tables = await connection.run(
        b"SELECT TABLE_NAME FROM information_schema.COLUMNS"
        b" WHERE TABLE_SCHEMA = DATABASE() AND COLUMN_NAME = 'deleted_at'"
    )
    parts = await connection.run(
        b"SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS"
        b" WHERE TABLE_SCHEMA = DATABASE() AND NON_UNIQUE = 0"
    )
    enums = await connection.run(
        b"SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE FROM information_schema.COLUMNS"
        b" WHERE TABLE_SCHEMA = DATABASE() AND DATA_TYPE = 'enum'"
    )
    keys: dict[tuple[str, str], set[str]] = {}
    for table, index, column in parts.rows:
        keys.setdefault((str(table), str(index)), set()).add(str(column))
    unique: dict[str, list[frozenset[str]]] = {}
    for (table_name, _), columns in keys.items():
        unique.setdefault(table_name, []).append(frozenset(columns))
    return Schema(
        frozenset(str(row[0]) for row in tables.rows),
        unique,
        {(str(t), str(c)): frozenset(str(kind)[6:-2].split("','")) for t, c, kind in enums.rows},
    )


def prepare_database(server: PrivateServer, name: str, factor: int) -> Config:
    """A new database on a private server, filled at a size."""
    config = parse(server.admin_url(name))
    assert isinstance(config, Config)
    create_database(config, name)
    load_schema(config, name)
    fill(config, factor)
    return config


async def open_world(config: Config, engine: str, factor: int) -> World:
    """The world of a database that :func:`prepare_database` has made."""
    connection = await Connection.open(config)
    return World(engine, factor, connection, await _schema(connection))
