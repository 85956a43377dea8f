"""The promises that a small table cannot break, on a million rows: loaded once for the module."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

import dal
from dal.config import Config, parse
from dal.provision import connect as connect_blocking
from dal.provision import prepare_temporary
from dal.server import Engine, start_temporary
from dal.session.connection import Connection
from dal.testing.measure import counting, total
from tests.conftest import START, Recorder, new_user, options
from tests.scale import ROOMY, copy_rows

if TYPE_CHECKING:
    from pymysql.cursors import Cursor

N_OWNERS = 5
BATCHES_PER_OWNER = 5
BATCH = 10_000
# Each template is a row, a version, and two links to tags.
N_ROWS = N_OWNERS * BATCHES_PER_OWNER * BATCH * 4


@attrs.frozen
class Big:
    """A database of a million rows, its clock, and a connection that only counts."""

    db: dal.Database
    clock: dal.ManualClock
    recorder: Recorder
    owners: list[dal.User]
    counter: Connection

    def me(self, n: int) -> dal.Session:
        return self.db.acting_as(dal.Actor.user(self.owners[n].id))


def _copy_for(cursor: Cursor, first: dal.User, owner: dal.User, place: int) -> None:
    """Give ``owner`` all that ``first`` has, a little later.

    The ids differ in a byte that has its highest bit in each id of ours, and not here.
    """
    whose, to = f"UNHEX('{first.id.hex}')", f"UNHEX('{owner.id.hex}')"

    def other(column: str) -> str:
        return f"CONCAT(LEFT({column}, 8), UNHEX('0{place}'), RIGHT({column}, 7))"

    theirs = f"template_id IN (SELECT id FROM templates WHERE owner_id = {whose})"
    later = {
        name: f"{name} + INTERVAL {10 * place} SECOND" for name in ("created_at", "updated_at")
    }
    changed = {"id": other("id"), "owner_id": to, **later}
    copy_rows(cursor, "templates", changed, f"owner_id = {whose}")
    of = {"template_id": other("template_id")}
    copy_rows(cursor, "template_versions", {**of, "created_by": to}, theirs)
    copy_rows(cursor, "template_tags", of, theirs)
    scope = {"scope": f"IF(scope = {whose}, {to}, scope)"}
    copy_rows(cursor, "template_postings", {**of, **scope}, theirs)


@pytest.fixture(scope="module")
async def big(engine: Engine) -> AsyncIterator[Big]:
    server = await asyncio.to_thread(start_temporary, engine, options=ROOMY)
    try:
        accounts = await asyncio.to_thread(prepare_temporary, server)
        admin = parse(server.admin_url("dal"))
        assert isinstance(admin, Config)
        clock, recorder = dal.ManualClock(START), Recorder()
        config = accounts.config("dal_application")
        async with dal.connect(clock=clock, on_statement=recorder, **options(config)) as db:
            owners = [await new_user(db) for _ in range(N_OWNERS)]
            # Among five users a scan would be a good plan; nobody has five users.
            for _ in range(30):
                await asyncio.gather(*(new_user(db) for _ in range(20)))
            me = db.acting_as(dal.Actor.user(owners[0].id))
            for batch in range(BATCHES_PER_OWNER):
                clock.move(timedelta(seconds=1))
                await me.templates.exchange.create_many(
                    dal.NewTemplate(
                        name=f"template {batch} {n}",
                        content="c",
                        tags=(f"tag {n % 50}", f"tag {50 + n % 7}"),
                        visibility="public" if n % 2 else "private",
                    )
                    for n in range(BATCH)
                )
            with connect_blocking(admin) as blocking, blocking.cursor() as cursor:
                for place, owner in enumerate(owners[1:], 1):
                    _copy_for(cursor, owners[0], owner, place)
                blocking.commit()
                clock.move(timedelta(minutes=1))
                cursor.execute("ANALYZE TABLE users, templates, template_versions, template_tags")
            counter = await Connection.open(admin)
            yield Big(db, clock, recorder, owners, counter)
            await counter.ensure_closed()
    finally:
        await asyncio.to_thread(server.stop)


async def test_a_million_rows_are_there(big: Big) -> None:
    system = big.db.acting_as(dal.Actor.system("scale"))
    numbers = await system.templates.usage.statistics()
    assert numbers.templates == numbers.versions == N_ROWS // 4
    assert numbers.tags == 57
    assert numbers.public == numbers.private


@pytest.mark.parametrize("page", ["first", "deep"])
@pytest.mark.parametrize("which", ["list_mine", "list_public", "list_all", "search"])
async def test_a_page_costs_the_same_at_any_depth(big: Big, which: str, page: str) -> None:
    me = big.db.acting_as(dal.Actor.system("scale")) if which == "list_all" else big.me(0)
    pages = getattr(me.templates, which)
    after: str | None = None
    if page == "deep":
        for _ in range(40):
            after = (await pages(limit=500, after=after)).next
        assert after is not None
    async with counting(big.counter) as fetched:
        rows = (await pages(limit=20, after=after)).rows
    assert len(rows) == 20
    # Of each of 21 rows: itself, its owner, two tags, two links and the end of those.
    one_statement = 21 * (1 + 1 + 5) + 3
    # The search is a statement for the actor's own and one for other people's public ones.
    assert total(fetched) <= one_statement * (2 if which == "search" else 1), fetched


async def test_pages_hold_every_row_once(big: Big) -> None:
    me = big.me(1)
    seen: list[dal.TemplateSummary] = []
    after: str | None = None
    while True:
        page = await me.templates.list_mine(limit=500, after=after)
        seen += page.rows
        after = page.next
        if after is None:
            break
    assert len({row.id for row in seen}) == len(seen) == BATCHES_PER_OWNER * BATCH
    assert seen == sorted(seen, key=lambda row: (row.created_at, row.id), reverse=True)


async def test_one_template_is_read_by_its_key(big: Big) -> None:
    me = big.me(2)
    some = (await me.templates.list_mine(limit=1)).rows[0]
    async with counting(big.counter) as fetched:
        await me.templates.get(some.id)
    assert total(fetched) <= 8, fetched


async def test_to_delete_an_owner_of_many_is_one_row_and_comes_back_whole(big: Big) -> None:
    system = big.db.acting_as(dal.Actor.system("scale"))
    everything = await system.templates.count_all()
    big.recorder.clear()
    await system.users.soft_delete(big.owners[3].id)
    assert big.recorder.names == [
        "transaction/start",
        "users/find_by_id",
        "users/lock_by_id",
        "users/soft_delete",
        # What they rated, by the key of the user: none of what they own is touched.
        "templates/subtract_ratings",
        "audit_logs/insert",
        "transaction/commit",
    ]
    assert await system.templates.count_all() == everything - BATCHES_PER_OWNER * BATCH
    await system.users.restore(big.owners[3].id)
    assert await system.templates.count_all() == everything


async def test_trashes_are_emptied_in_batches(big: Big) -> None:
    system, me = big.db.acting_as(dal.Actor.system("scale")), big.me(4)
    for row in (await me.templates.list_mine(limit=250)).rows:
        await me.templates.soft_delete(row.id)
    big.clock.move(timedelta(days=31))
    purged = []
    while n := await system.templates.trash.purge_deleted(older_than=timedelta(days=30), batch=100):
        purged.append(n)
    assert purged == [100, 100, 50]
    assert await me.templates.count_mine() == BATCHES_PER_OWNER * BATCH - 250
    assert await me.templates.trash.count_mine() == 0
