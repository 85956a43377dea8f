"""Private servers, a database with our tables, and sessions of actors, for every suite.

Every test that takes ``engine`` (or anything that is made of it) runs on both servers, unless
``--engine`` names one. A server that cannot be had fails the run.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import attrs
import pytest

import dal
from dal.config import Config
from dal.provision import Accounts, prepare_temporary
from dal.server import Engine, PrivateServer, start_temporary
from tests.durations import Durations

# Registers the profiles, whichever suites run: pytest is told one by name.
from tests.properties import profiles

# A test that logs in a hundred times is not about how long argon2id takes.
CHEAP_HASHES: dict[str, Any] = {
    "argon2_time_cost": 1,
    "argon2_memory_kib": 8,
    "argon2_parallelism": 1,
}
ENGINES: tuple[Engine, ...] = ("mariadb", "mysql")
START = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)


_ADDRESS = re.compile(" at 0x[0-9a-f]+")


def shown(value: object, most: int = 30) -> str:
    """A value in the name of a test, which is the same in every process."""
    return _ADDRESS.sub("", ascii(value))[:most]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=(*ENGINES, "both"),
        default="both",
        help="the server to test on (both unless given)",
    )


def pytest_configure(config: pytest.Config) -> None:
    profiles.load(config)
    if config.pluginmanager.has_plugin("xdist"):
        from tests import schedule

        config.pluginmanager.register(schedule)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Durations())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--engine")
        engines = ENGINES if chosen == "both" else (chosen,)
        metafunc.parametrize("engine", engines, indirect=True, scope="session")


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Engine:
    """``mariadb`` or ``mysql``."""
    chosen: Engine = request.param
    return chosen


@pytest.fixture(scope="session")
def server(engine: Engine) -> Iterator[PrivateServer]:
    """A temporary server, shared by the whole run; do not kill it.

    Its packets are smaller than a private server's, so that a prompt can be too large for one.
    """
    started = start_temporary(engine, options=["--max-allowed-packet=18M"])
    yield started
    started.stop()


ACCOUNTS: dict[str, Accounts] = {}
"""Those of the server of an engine, for what is done by the account of another role."""


@pytest.fixture(scope="session")
def accounts(server: PrivateServer, engine: Engine) -> Accounts:
    """A database with our tables and rights, and an account a role."""
    ACCOUNTS[engine] = prepare_temporary(server)
    return ACCOUNTS[engine]


@pytest.fixture(scope="session")
def config(accounts: Accounts) -> Config:
    """How to connect as the application, whose rights are those of sql/grants.sql."""
    return accounts.config("dal_application")


@pytest.fixture(scope="session")
def admin(server: PrivateServer, accounts: Accounts) -> Config:
    """How to connect as root, to look at or break what the application cannot."""
    parsed = dal.config.parse(server.admin_url("dal"))
    assert isinstance(parsed, Config)
    return parsed


@attrs.define
class Recorder:
    """What ``on_statement`` told: names of statements in order, and those that failed."""

    names: list[str] = attrs.field(factory=list)
    attempts: list[int] = attrs.field(factory=list)
    errors: list[BaseException] = attrs.field(factory=list)

    def __call__(
        self,
        name: str,
        engine: str,
        elapsed_s: float,
        rows: int,
        attempt: int,
        error: BaseException | None,
    ) -> None:
        self.names.append(name)
        self.attempts.append(attempt)
        if error is not None:
            self.errors.append(error)

    def clear(self) -> None:
        self.names.clear()
        self.attempts.clear()
        self.errors.clear()


@pytest.fixture(scope="session")
def clock() -> dal.ManualClock:
    """The clock of ``db``; move it forward only, since the whole run shares it."""
    return dal.ManualClock(START)


@pytest.fixture(scope="session")
def recorder_of_run() -> Recorder:
    return Recorder()


@pytest.fixture
def recorder(recorder_of_run: Recorder) -> Recorder:
    """The statements of this test on ``db``."""
    recorder_of_run.clear()
    return recorder_of_run


def options(config: Config) -> dict[str, Any]:
    """A configuration as keywords of ``dal.connect``."""
    return {
        field.name: getattr(config, field.name)
        for field in attrs.fields(Config)
        if getattr(config, field.name) != field.default
    }


@pytest.fixture(scope="session")
async def db(
    config: Config, clock: dal.ManualClock, recorder_of_run: Recorder
) -> AsyncIterator[dal.Database]:
    """The application's database, shared by the whole run: each test makes users of its own."""
    async with dal.connect(
        clock=clock, on_statement=recorder_of_run, **options(config), **CHEAP_HASHES
    ) as database:
        yield database


@pytest.fixture
def system(db: dal.Database) -> dal.Session:
    """The system's session."""
    return db.acting_as(dal.Actor.system("tests"))


_numbers = count(1)


async def new_user(db: dal.Database, name: str = "Ada") -> dal.User:
    """A live user with an address nobody else has."""
    system = db.acting_as(dal.Actor.system("tests"))
    return await system.users.create(
        email=f"{name}{next(_numbers)}@example.org".lower(), full_name=name
    )


@pytest.fixture
async def ada(db: dal.Database) -> dal.User:
    """A live user."""
    return await new_user(db, "Ada")


@pytest.fixture
async def bob(db: dal.Database) -> dal.User:
    """Another live user."""
    return await new_user(db, "Bob")


@pytest.fixture
def as_ada(db: dal.Database, ada: dal.User) -> dal.Session:
    """Ada's session."""
    return db.acting_as(dal.Actor.user(ada.id))


@pytest.fixture
def as_bob(db: dal.Database, bob: dal.User) -> dal.Session:
    """Bob's session."""
    return db.acting_as(dal.Actor.user(bob.id))


@pytest.fixture
async def grace(db: dal.Database, system: dal.Session) -> dal.User:
    """A live admin."""
    user = await new_user(db, "Grace")
    return await system.users.access.change_role(user.id, dal.Role.ADMIN)


@pytest.fixture
def as_admin(db: dal.Database, grace: dal.User) -> dal.Session:
    """Grace's session, as an admin."""
    return db.acting_as(dal.Actor.user(grace.id, role=dal.Role.ADMIN))


@pytest.fixture
def as_nobody(db: dal.Database) -> dal.Session:
    """The session of somebody who is not logged in."""
    return db.acting_as(dal.Actor.anonymous())


@pytest.fixture(scope="module")
async def alone(engine: Engine, clock: dal.ManualClock) -> AsyncIterator[dal.Database]:
    """A database on a server of this module's own, for what counts everything in it."""
    own = await asyncio.to_thread(start_temporary, engine)
    try:
        accounts = await asyncio.to_thread(prepare_temporary, own)
        own_config = accounts.config("dal_application")
        async with dal.connect(clock=clock, **options(own_config), **CHEAP_HASHES) as database:
            yield database
    finally:
        await asyncio.to_thread(own.stop)
