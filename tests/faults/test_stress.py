"""Crowds. A seed is printed with each run; DAL_STRESS_SEED repeats it.

2,000 tasks over a pool of 10, a third of them cancelled; 50 writers of children under parents that
others soft-delete.
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from uuid import UUID

import pytest

import dal
from dal.config import Config
from tests.conftest import Recorder
from tests.faults.helpers import (
    Root,
    Row,
    Sql,
    all_back,
    database,
    root_of,
    statement,
    system,
    until,
)

N_TASKS = 2_000
N_WRITERS = 50


@pytest.fixture
def seed() -> int:
    chosen = int(os.environ.get("DAL_STRESS_SEED", random.SystemRandom().getrandbits(32)))
    print(f"DAL_STRESS_SEED={chosen}")  # noqa: T201  shown when the test fails
    return chosen


async def test_a_third_of_2000_tasks_is_cancelled(
    config: Config, root: Root, sql: Sql, seed: int
) -> None:
    dice = random.Random(seed)
    rows = ", ".join(f"({i}, 0, 'of {i}')" for i in range(N_TASKS))
    root.rows(f"INSERT INTO tests_rows VALUES {rows}")
    before = root.connections(config.user)
    committed: set[int] = set()
    async with database(config, pool_max=10, acquire_timeout_s=60.0) as db:
        me = system(db)

        async def read(i: int) -> None:
            assert await me.one(sql.rows_get, id=i) == Row(i, 0, f"of {i}")

        async def write(i: int) -> None:
            async with me.begin() as tx:
                assert await tx.affected(sql.rows_set, id=i, n=i) == 1
                async with tx.begin() as part:
                    assert (await part.one(sql.rows_get, id=i)).n == i
            committed.add(i)

        async def endless(i: int) -> None:
            await me.value(sql.rows_endless, id=i)

        victims = dice.sample(range(N_TASKS), N_TASKS // 3)
        # Only who will be cancelled may ask for what has no end.
        kinds = {i: dice.choice([read, write, endless]) for i in victims}
        tasks = [
            asyncio.create_task(kinds.get(i, dice.choice([read, write]))(i)) for i in range(N_TASKS)
        ]
        for victim in victims:
            for _ in range(dice.randrange(8)):
                await asyncio.sleep(0)
            tasks[victim].cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)

        for i, outcome in enumerate(outcomes):
            if i in kinds and outcome is not None:
                assert isinstance(outcome, asyncio.CancelledError), (i, outcome)
            else:
                assert outcome is None, (i, outcome)
        assert sum(outcome is not None for outcome in outcomes) > N_TASKS // 10
        # The server runs none of them, and has no connection that nobody knows.
        await until(lambda: not root.running("dal:rows/"), "a quiet server")
        await all_back(db)
        killer = db.pool._killer is not None
        await until(
            lambda: root.connections(config.user) == before + db.pool.size + killer,
            "as many connections as the pool knows",
        )
        # Every later caller is served, and gets what is theirs.
        later = dice.sample(range(N_TASKS), 200)
        found = await asyncio.gather(*(me.one(sql.rows_get, id=i) for i in later))
        assert [row.id for row in found] == later
        assert [row.note for row in found] == [f"of {i}" for i in later]
        await all_back(db)
    # Who was told "committed" was; a cancelled one was as a whole or not at all.
    changed = {row[0] for row in root.rows("SELECT id FROM tests_rows WHERE n = id AND id > 0")}
    assert changed >= committed - {0}
    assert root.value("SELECT COUNT(*) FROM tests_rows WHERE n NOT IN (0, id)") == 0
    await until(lambda: root.connections(config.user) == before, "the ends of all connections")


@pytest.fixture
def counts(tmp_path: Path) -> dal.SqlFolder:
    for name, table, column in (
        ("templates/count_of_owner", "templates", "owner_id"),
        ("template_versions/count_of_template", "template_versions", "template_id"),
    ):
        statement(
            tmp_path, name, "value int", {"parent_id": "BINARY(16)"},
            f"SELECT COUNT(*) AS n FROM {table} AS c WHERE c.{column} = :parent_id",
        )  # fmt: skip
    return dal.sql_folder(tmp_path)


async def test_50_writers_under_parents_that_others_delete(
    config: Config, admin: Config, counts: dal.SqlFolder, seed: int
) -> None:
    """Who deletes a parent counts its children in the same transaction: never is there one more.

    Two levels at once: templates under users, versions under templates.
    """
    dice = random.Random(seed)
    templates_of = counts.value("templates/count_of_owner", int)
    versions_of = counts.value("template_versions/count_of_template", int)
    recorder = Recorder()
    at_death: dict[UUID, int] = {}
    refused = {"user": 0, "template": 0}
    made = {"template": 0, "version": 0}

    async with database(config, pool_max=20, on_statement=recorder) as db:
        root_session = system(db)
        owners = [
            await root_session.users.create(email=f"stress{seed}-{i}@example.org", full_name="O")
            for i in range(10)
        ]
        as_owner = [db.acting_as(dal.Actor.user(owner.id)) for owner in owners]
        templates = {
            owner.id: [
                await me.templates.create(name=f"t{i}", content="0", tags=["stress"])
                for i in range(3)
            ]
            for owner, me in zip(owners, as_owner, strict=True)
        }

        async def writer(number: int) -> None:
            for step in range(12):
                k = dice.randrange(len(owners))
                me, owner = as_owner[k], owners[k]
                if dice.random() < 0.5:
                    try:
                        await me.templates.create(
                            name=f"w{number}.{step}", content="x", category=f"c{dice.randrange(3)}"
                        )
                        made["template"] += 1
                    except dal.ParentMissingError:
                        assert owner.id in at_death or owner.id in dying
                        refused["user"] += 1
                else:
                    template = dice.choice(templates[owner.id])
                    try:
                        await me.templates.versions.commit(template.id, content=f"{number}.{step}")
                        made["version"] += 1
                    except (dal.NotFoundError, dal.ParentMissingError):
                        assert {template.id, owner.id} & (at_death.keys() | dying)
                        refused["template"] += 1

        dying: set[UUID] = set()

        async def bury_user(k: int) -> None:
            owner = owners[k].id
            dying.add(owner)

            async def unit(tx: dal.Session) -> int:
                await tx.users.soft_delete(owner)
                return await tx.value(templates_of, parent_id=owner)

            at_death[owner] = await root_session.run(unit)

        async def bury_template(k: int) -> None:
            template = templates[owners[k].id][0].id
            dying.add(template)

            async def unit(tx: dal.Session) -> int:
                await tx.templates.soft_delete(template)
                return await tx.value(versions_of, parent_id=template)

            at_death[template] = await as_owner[k].run(unit)

        async def at_some_time(work: object, k: int) -> None:
            # When about so many statements have been run.
            moment = dice.randrange(200, 2_000)
            await until(lambda: len(recorder.names) >= moment or writers.done(), "the moment")
            await work(k)  # type: ignore[operator]

        writers = asyncio.gather(*(writer(i) for i in range(N_WRITERS)))
        burials = [at_some_time(bury_template, k) for k in range(7)]
        burials += [at_some_time(bury_user, k) for k in range(7, 10)]
        await asyncio.gather(writers, *burials)
        await all_back(db)
        assert min(made.values()) > 20, made
        assert sum(refused.values()) > 0, refused

    with root_of(admin) as look:
        for parent, n_then in at_death.items():
            (n_now,) = look.rows(
                "SELECT (SELECT COUNT(*) FROM templates WHERE owner_id = %s)"
                " + (SELECT COUNT(*) FROM template_versions WHERE template_id = %s)",
                parent.bytes,
                parent.bytes,
            )[0]
            assert n_now == n_then, f"{n_now - n_then} children after the death of {parent}"
        assert len(at_death) == 10
    # The parent is always locked first, so nobody waits in a circle.
    deadlocks = [error for error in recorder.errors if isinstance(error, dal.DeadlockError)]
    assert deadlocks == []
