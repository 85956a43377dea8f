"""Promises that a review found broken, each by the program that broke it."""

from __future__ import annotations

import asyncio
from enum import Enum

import pytest

import dal
from dal.statements import house
from tests.conftest import Recorder


async def test_a_snapshot_is_for_reading(as_ada: dal.Session) -> None:
    """Else a change in it would write back what somebody has changed since, without an entry."""
    made = await as_ada.templates.create(name="n", content="c", visibility="public")
    async with as_ada.begin(isolation="REPEATABLE READ") as tx:
        assert await tx.templates.count_mine() == 1
        with pytest.raises(dal.UsageError, match="for reading"):
            await tx.templates.update_details(made.id, name="n2")
    assert await as_ada.templates.get(made.id) == made


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "SERIALIZABLE"])
async def test_a_change_sees_what_it_overwrites(as_ada: dal.Session, isolation: str) -> None:
    made = await as_ada.templates.create(name="n", content="c", visibility="public")
    async with as_ada.begin(isolation=isolation) as tx:  # type: ignore[arg-type]
        if isolation == "READ COMMITTED":
            await tx.templates.count_mine()
            hide = as_ada.templates.update_details(made.id, visibility="private")
            await asyncio.create_task(hide)
        await tx.templates.update_details(made.id, name="n2")
    after = await as_ada.templates.get(made.id)
    assert after.name == "n2"
    assert after.visibility == ("private" if isolation == "READ COMMITTED" else "public")


async def test_a_write_stopped_alone_is_of_unknown_outcome(
    as_ada: dal.Session, db: dal.Database
) -> None:
    made = await as_ada.templates.create(name="n", content="c")
    handle = house().affected("templates/soft_delete")
    values = {"template_id": made.id, "actor_id": made.owner_id, "now": made.created_at}
    async with as_ada.begin() as tx:
        # The row is locked, so the statement is on the server when its time is up.
        await tx.templates.update_details(made.id, name="m")
        with pytest.raises(dal.OutcomeUnknownError) as caught:
            await asyncio.create_task(as_ada.within(0.2).affected(handle, **values))
    assert caught.value.statement == "templates/soft_delete"


async def test_savepoints_of_two_tasks_do_not_interleave(as_ada: dal.Session) -> None:
    inside, done = asyncio.Event(), asyncio.Event()

    async with as_ada.begin() as tx:

        async def one() -> None:
            async with tx.begin() as part:
                await part.templates.create(name="one", content="c")
                inside.set()
                await done.wait()

        async def two() -> None:
            await inside.wait()
            try:
                with pytest.raises(dal.UsageError, match="two tasks"):
                    await tx.templates.create(name="two", content="c")
            finally:
                done.set()

        await asyncio.gather(one(), two())
    names = [row.name for row in (await as_ada.templates.list_mine()).rows]
    assert names == ["one"]


async def test_a_transaction_over_its_deadline_is_not_committed(as_ada: dal.Session) -> None:
    loop = asyncio.get_running_loop()
    with pytest.raises(dal.StatementTimeoutError):  # noqa: PT012 - the end of the block raises
        async with as_ada.within(0.5).begin() as tx:
            made = await tx.templates.create(name="n", content="c")
            ends = loop.time() + 0.5
            while loop.time() < ends:  # noqa: ASYNC110 - time itself is what must pass
                await asyncio.sleep(0)
    assert not await as_ada.templates.exists(made.id)


class Colour(str, Enum):  # noqa: UP042 - as older programs write it
    RED = "vermilion"


class Loud(str):
    __slots__ = ()

    def __str__(self) -> str:
        return self.upper()


async def test_text_is_its_characters_whatever_it_prints_as(as_ada: dal.Session) -> None:
    made = await as_ada.templates.create(
        name=Loud("name"), content=Loud("text"), category=Colour.RED, tags=[Colour.RED]
    )
    fresh = await as_ada.templates.get(made.id)
    assert (fresh.name, fresh.content, fresh.category) == ("name", "text", "vermilion")
    assert fresh.tags == {"vermilion"}
    found = await as_ada.templates.search(category=Colour.RED, tags=[Colour.RED], scope="mine")
    assert [hit.template.id for hit in found.rows] == [made.id]
    again = await as_ada.templates.versions.commit(made.id, content="text")
    assert again.version == 1


@pytest.mark.parametrize("name", ["cre\u0301mes", "cr\u00e9mes"])
async def test_a_name_is_found_by_its_own_text(as_ada: dal.Session, name: str) -> None:
    made = await as_ada.templates.create(name=name, content="c")
    found = await as_ada.templates.search(name, scope="mine")
    assert [hit.template.id for hit in found.rows] == [made.id]


async def test_the_system_is_told_of_what_is_not_there(
    system: dal.Session, ada: dal.User, recorder: Recorder
) -> None:
    absent = dal.new_id(ada.created_at)
    with pytest.raises(dal.NotFoundError):
        await system.templates.soft_delete(absent)
    assert "audit_logs/insert" not in recorder.names


async def test_tags_are_not_cut(as_ada: dal.Session) -> None:
    """MariaDB cuts JSON_ARRAYAGG at group_concat_max_len."""
    tags = [f"{n:02d}" + "\U0001f600" * 98 for n in range(64)]
    made = await as_ada.templates.create(name="n", content="c", tags=tags)
    assert (await as_ada.templates.get(made.id)).tags == set(tags)
