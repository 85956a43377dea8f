"""Two filled databases on a server of each engine, for every test here; nothing in them changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import pytest

import dal.gateways  # makes the handles of every statement
from dal.server import PrivateServer, start_temporary
from tests.conftest import ENGINES
from tests.sql.worlds import SIZES, World, open_world, prepare_database

assert dal.gateways.__all__


async def _opened(
    servers: Sequence[PrivateServer], name: str, factor: int, stack: AsyncExitStack
) -> list[World]:
    """A new database of this size on each server."""
    found = []
    for server in servers:
        config = await asyncio.to_thread(prepare_database, server, name, factor)
        world = await open_world(config, server.engine, factor)
        stack.callback(world.connection.close)
        found.append(world)
    return found


@pytest.fixture(scope="package")
async def servers(request: pytest.FixtureRequest) -> AsyncIterator[list[PrivateServer]]:
    """A server of each engine, or the one that ``--engine`` names."""
    chosen = request.config.getoption("--engine")
    engines = [engine for engine in ENGINES if chosen in ("both", engine)]
    async with AsyncExitStack() as stack:
        started = []
        for engine in engines:
            started.append(await asyncio.to_thread(start_temporary, engine))
            stack.push_async_callback(asyncio.to_thread, started[-1].stop)
        yield started


@pytest.fixture(scope="package")
async def worlds(servers: list[PrivateServer]) -> AsyncIterator[list[World]]:
    """Each server at each size."""
    async with AsyncExitStack() as stack:
        of_sizes = [await _opened(servers, f"sql_{size}x", size, stack) for size in SIZES]
        yield [world for of_one in of_sizes for world in of_one]


@pytest.fixture(scope="package")
def small(worlds: list[World]) -> list[World]:
    """Each server at the small size, for what does not depend on the size."""
    return [world for world in worlds if world.factor == SIZES[0]]


@pytest.fixture(scope="package")
async def victims(servers: list[PrivateServer]) -> AsyncIterator[list[World]]:
    """Each server at the small size, for faults.

    A database of their own: MySQL adds the rows that a stopped statement has fetched to the next
    one that uses the table.
    """
    async with AsyncExitStack() as stack:
        yield await _opened(servers, "sql_victim", SIZES[0], stack)
