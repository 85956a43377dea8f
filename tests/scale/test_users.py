"""The promises about users that a small table cannot break, on a million of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import attrs
import pytest

import dal
from dal.config import Config, parse
from dal.provision import connect as connect_blocking
from dal.provision import prepare_temporary
from dal.search.users import WINDOW_ROWS
from dal.server import Engine, start_temporary
from dal.session.connection import Connection
from dal.testing.measure import counting, total
from tests.conftest import CHEAP_HASHES, START, Recorder, options
from tests.scale import ROOMY

N_USERS = 1_000_000
_DIGIT = "SELECT 0 AS d" + "".join(f" UNION ALL SELECT {d}" for d in range(1, 10))
# n is 0 to 999,999: every tenth is deleted, every 200,000th an admin, every hundredth not active.
_FILL = f"""
INSERT INTO users (id, email, full_name, role, is_active, credentials_changed_at, failed_logins,
    last_login_at, preferences, created_at, updated_at, deleted_at)
SELECT UNHEX(LPAD(HEX(s.n + 1), 32, '0')), CONCAT('user', s.n, '@example.org'),
    CONCAT(ELT(s.n % 8 + 1, 'Ada', 'Bob', 'Åsa', 'Zoë', 'Li', 'Ana', 'Adam', 'Eve'), ' ', s.n),
    IF(s.n % 200000 = 1, 'admin', IF(s.n % 3 = 0, 'viewer', 'user')), s.n % 100 <> 2, s.at, 0,
    IF(s.n % 4 = 0, NULL, s.at), '{{}}', s.at, s.at, IF(s.n % 10 = 9, s.at, NULL)
FROM (
    SELECT q.n, TIMESTAMP '2025-01-01 00:00:00' + INTERVAL (q.n DIV 3) SECOND AS at
    FROM (
        SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d + 100000 * g.d AS n
        FROM ({_DIGIT}) AS a, ({_DIGIT}) AS b, ({_DIGIT}) AS c, ({_DIGIT}) AS e, ({_DIGIT}) AS f,
            ({_DIGIT}) AS g
    ) AS q
) AS s
"""


@attrs.frozen
class Big:
    """A database of a million users, its statements, and a connection that only counts."""

    db: dal.Database
    recorder: Recorder
    counter: Connection

    @property
    def system(self) -> dal.Session:
        return self.db.acting_as(dal.Actor.system("scale"))


@pytest.fixture(scope="module")
async def big(engine: Engine) -> AsyncIterator[Big]:
    server = await asyncio.to_thread(start_temporary, engine, options=ROOMY)
    try:
        accounts = await asyncio.to_thread(prepare_temporary, server)
        admin = parse(server.admin_url("dal"))
        assert isinstance(admin, Config)
        config = accounts.config("dal_application")
        recorder = Recorder()

        def load() -> None:
            with connect_blocking(admin) as blocking, blocking.cursor() as cursor:
                assert cursor.execute(_FILL) == N_USERS
                blocking.commit()
                cursor.execute("ANALYZE TABLE users, user_tokens")

        await asyncio.to_thread(load)
        async with dal.connect(
            clock=dal.ManualClock(START),
            on_statement=recorder,
            **options(config),
            **CHEAP_HASHES,
        ) as db:
            counter = await Connection.open(admin)
            yield Big(db, recorder, counter)
            await counter.ensure_closed()
    finally:
        await asyncio.to_thread(server.stop)


async def test_a_million_users_are_there(big: Big) -> None:
    numbers = await big.system.users.statistics.get()
    assert numbers.total == await big.system.users.count() == N_USERS * 9 // 10
    assert (numbers.admins, numbers.inactive) == (5, N_USERS // 100)


@pytest.mark.parametrize("page", ["first", "deep"])
@pytest.mark.parametrize(
    "filters",
    [{}, {"role": "viewer"}, {"role": "admin"}, {"is_active": True}, {"is_active": False}],
    ids=str,
)
async def test_a_page_costs_the_same_at_any_depth(
    big: Big, filters: dict[str, str | bool], page: str
) -> None:
    users = big.system.users
    after: str | None = None
    if page == "deep" and filters != {"role": "admin"}:
        for _ in range(15):
            after = (await users.list_all(limit=500, after=after, **filters)).next  # type: ignore[arg-type]
        assert after is not None
    async with counting(big.counter) as fetched:
        rows = (await users.list_all(limit=20, after=after, **filters)).rows  # type: ignore[arg-type]
    assert len(rows) == (5 if filters == {"role": "admin"} else 20)
    assert total(fetched) <= 22, fetched


@pytest.mark.parametrize(
    "text", ["a", "Ada", "asa 77", "ada 777", "user77", "user777777@", "nobody"]
)
async def test_a_search_by_prefix_reads_what_it_gives(big: Big, text: str) -> None:
    after: str | None = None
    for _ in range(3):
        async with counting(big.counter) as fetched:
            page = await big.system.users.search(text, limit=20, after=after)
        # A row behind the last one in each of the two lists; none of names by address here.
        assert total(fetched) <= len(page.rows) + 2, fetched
        after = page.next
        if after is None:
            break


async def test_a_search_within_words_reads_a_window_at_most(big: Big) -> None:
    found = 0
    after: str | None = None
    for _ in range(4):
        async with counting(big.counter) as fetched:
            page = await big.system.users.search("777", match="substring", limit=100, after=after)
        assert total(fetched) <= 2 * WINDOW_ROWS + 4, fetched
        found += len(page.rows)
        after = page.next
        assert after is not None
    assert found > 0


async def test_a_log_in_is_by_key(big: Big) -> None:
    nobody = big.db.acting_as(dal.Actor.anonymous())
    await nobody.users.create(email="zz@example.org", full_name="Z", password="pass word")
    async with counting(big.counter) as fetched:
        await nobody.users.authenticate(email="zz@example.org", password="pass word")
    assert total(fetched) <= 2, fetched
    async with counting(big.counter) as fetched:
        with pytest.raises(dal.AuthenticationError):
            await nobody.users.authenticate(email="user999@example.org", password="pass word")
    assert total(fetched) <= 2, fetched


async def test_the_admins_are_locked_by_their_key(big: Big) -> None:
    admins = (await big.system.users.list_all(role="admin")).rows
    async with counting(big.counter) as fetched:
        await big.system.users.access.change_role(admins[0].id, "user")
    assert total(fetched) <= 10, fetched
    await big.system.users.access.change_role(admins[0].id, "admin")


async def test_new_users_of_a_year_are_one_pass_over_a_key(big: Big) -> None:
    days = await big.system.users.statistics.new_by_day(days=366, time_zone="Europe/Berlin")
    assert days[-1].day == START.date()
    assert len(days) == 366
    async with counting(big.counter) as fetched:
        days = await big.system.users.statistics.new_by_day(days=366, time_zone="Europe/Berlin")
    # Everybody was created within the year; each stretch ends with a row that is not its own.
    created = sum(day.users for day in days)
    assert created == await big.system.users.count()
    assert total(fetched) <= created + 3, fetched
