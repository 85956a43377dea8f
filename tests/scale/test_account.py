"""An account of 10^4 prompts, 10^3 conversations and 200 templates: exported, given away and ended,
killed on the way, beside somebody who shared everything with it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from typing import Any
from uuid import UUID

import attrs
import pytest

import dal
from dal.config import Config, parse
from dal.provision import connect as connect_blocking
from dal.provision import prepare_temporary
from dal.repositories.users.deletion import KEEPER_ID
from dal.server import Engine, start_temporary
from tests.conftest import START, Recorder, new_user, options
from tests.scale import ROOMY
from tests.scale.memory import resident_bytes

N_CONVERSATIONS = 1_000
PROMPTS_OF_EACH = 10
N_TEMPLATES = 200
KILLS = 10
_MINE = {
    "template": N_TEMPLATES,
    "template_version": N_TEMPLATES,
    "rating": N_TEMPLATES,
    "conversation": N_CONVERSATIONS,
    "prompt": N_CONVERSATIONS * PROMPTS_OF_EACH,
}


@attrs.frozen
class Place:
    """The database as the application and as the sealer, who is in it, and root."""

    db: dal.Database
    system: dal.Session
    sealer: dal.Session
    recorder: Recorder
    ada: dal.User
    bob: dal.User
    heir: dal.User
    root: Callable[..., list[tuple[Any, ...]]]

    def of_bob(self) -> dict[str, list[tuple[Any, ...]]]:
        """What Bob has of his own, but for the ratings that others gave him."""
        mine = "SELECT id FROM templates WHERE owner_id = %s"
        talks = "SELECT id FROM conversations WHERE owner_id = %s AND title LIKE 'bob %%'"
        return {
            table: self.root(f"SELECT {what} FROM {table} WHERE {where}", self.bob.id.bytes)
            for table, what, where in (
                ("users", "*", "id = %s"),
                ("templates", "id, name, head_version, use_count", "owner_id = %s ORDER BY id"),
                ("template_versions", "*", f"template_id IN ({mine}) ORDER BY 1, 2"),
                ("template_ratings", "template_id, rating", "user_id = %s ORDER BY 1"),
                ("conversations", "*", "owner_id = %s AND title LIKE 'bob %%' ORDER BY id"),
                ("prompts", "*", f"conversation_id IN ({talks}) ORDER BY id"),
            )
        }


async def _fill(place: Place) -> None:
    """Half of what Ada has is shared with Bob; all that he has is shared with her."""
    for user, other, name, share in (
        (place.ada, place.bob, "ada", 2),
        (place.bob, place.ada, "bob", 1),
    ):
        me = place.db.acting_as(dal.Actor.user(user.id))
        n_talks = N_CONVERSATIONS if name == "ada" else N_CONVERSATIONS // 10
        for begin in range(0, n_talks, 100):
            await place.system.conversations.exchange.create_many(
                [
                    dal.ImportedConversation(
                        title=f"{name} {n}",
                        participants=((other.id, "collaborator"),) if n % share == 0 else (),
                        prompts=[
                            dal.ImportedPrompt(
                                user_input=f"What of {name} {n}, {k}?", response="That.",
                                author_id=user.id,
                            )
                            for k in range(PROMPTS_OF_EACH)
                        ],
                    )
                    for n in range(begin, begin + 100)
                ],
                owner_id=user.id,
            )  # fmt: skip
        await me.templates.exchange.create_many(
            [
                dal.NewTemplate(
                    name=f"{name} {n}", content=f"Of {name} {n}", tags=[f"t{n % 7}"],
                    visibility="public" if n % share == 0 else "private",
                )
                for n in range(N_TEMPLATES)
            ]
        )  # fmt: skip
    for user, owner in ((place.ada, place.bob), (place.bob, place.ada)):
        me = place.db.acting_as(dal.Actor.user(user.id))
        for (id_,) in place.root(
            "SELECT id FROM templates WHERE owner_id = %s AND visibility = 'public'", owner.id.bytes
        ):
            await me.templates.ratings.set(UUID(bytes=id_), 4)


@pytest.fixture(scope="module")
async def place(engine: Engine) -> AsyncIterator[Place]:
    server = await asyncio.to_thread(start_temporary, engine, options=ROOMY)
    try:
        accounts = await asyncio.to_thread(prepare_temporary, server)
        admin = parse(server.admin_url("dal"))
        assert isinstance(admin, Config)
        clock, recorder = dal.ManualClock(START), Recorder()
        app, sealer = (accounts.config(role) for role in ("dal_application", "dal_sealer"))
        with closing(connect_blocking(admin)) as blocking:

            def root(sql: str, *values: object) -> list[tuple[Any, ...]]:
                with blocking.cursor() as cursor:
                    cursor.execute(sql, values)
                    return list(cursor.fetchall())

            async with (
                dal.connect(clock=clock, on_statement=recorder, **options(app)) as db,
                dal.connect(clock=clock, **options(sealer)) as sealing,
            ):
                ada, bob, heir = [await new_user(db, name) for name in ("Ada", "Bob", "Heir")]
                job = dal.Actor.system("scale")
                made = Place(
                    db, db.acting_as(job), sealing.acting_as(job), recorder, ada, bob, heir, root
                )
                await _fill(made)
                root("ANALYZE TABLE users, conversations, conversation_participants, prompts")
                yield made
    finally:
        await asyncio.to_thread(server.stop)


async def _killed(
    place: Place, work: Callable[[], Awaitable[object]], kills: int, statements: int
) -> int:
    """Do it, killed so often on the way, each time so many statements after it began."""
    done = 0
    while done < kills:
        place.recorder.clear()
        task = asyncio.ensure_future(work())
        while not task.done() and len(place.recorder.names) < statements:  # noqa: ASYNC110
            await asyncio.sleep(0)
        if task.done():
            await task
            return done
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        done += 1
    await work()
    return done


async def test_1_all_of_it_is_exported_in_constant_memory(place: Place) -> None:
    kinds: Counter[str] = Counter()
    n_bytes = 0
    early = 0
    async for row in place.system.users.export_data(place.ada.id):
        kinds[row.kind] += 1
        n_bytes += len(row.line)
        if kinds.total() == 3_000:
            early = resident_bytes()
    grown = resident_bytes() - early
    assert {kind: kinds[kind] for kind in _MINE} == _MINE
    assert n_bytes > 5_000_000
    assert grown < 4 * 2**20, f"{grown} bytes more at the end than after 3,000 rows"


async def test_2_all_of_it_is_given_to_another_killed_on_the_way(place: Place) -> None:
    before = place.of_bob()

    async def give() -> None:
        while not (
            await place.system.users.transfer(place.ada.id, place.heir.id, batch=200)
        ).is_done:
            pass

    # A batch is about 2,000 statements.
    assert await _killed(place, give, 3, 3_000) == 3
    counts = {
        table: place.root(f"SELECT COUNT(*) FROM {table} WHERE owner_id = %s", place.heir.id.bytes)[
            0
        ][0]
        for table in ("conversations", "templates")
    }
    assert counts == {"conversations": N_CONVERSATIONS, "templates": N_TEMPLATES}
    assert place.of_bob() == before
    # And back, without the heir, who would else go on with all of it.
    while not (await place.system.users.transfer(place.heir.id, place.ada.id, batch=1_000)).is_done:
        pass
    place.root("DELETE FROM conversation_participants WHERE user_id = %s", place.heir.id.bytes)
    place.root("COMMIT")


async def test_3_the_account_ends_killed_ten_times_and_bob_loses_nothing(place: Place) -> None:
    before = place.of_bob()
    assert len(before["conversations"]) == N_CONVERSATIONS // 10
    shared = place.root(
        "SELECT COUNT(*) FROM conversations WHERE owner_id = %s AND title LIKE 'ada %%'"
        " AND id IN (SELECT conversation_id FROM conversation_participants WHERE user_id = %s)",
        place.ada.id.bytes,
        place.bob.id.bytes,
    )
    assert shared == [(N_CONVERSATIONS // 2,)]

    async def end() -> None:
        await place.system.users.delete_account(place.ada.id, batch=100)

    assert await _killed(place, end, KILLS, 900) == KILLS
    assert place.of_bob() == before
    has = place.root(
        "SELECT COUNT(*), COALESCE(SUM(c.message_count), 0) FROM conversations AS c"
        " WHERE c.owner_id = %s AND c.title LIKE 'ada %%' AND c.deleted_at IS NULL",
        place.bob.id.bytes,
    )
    n = N_CONVERSATIONS // 2
    assert [*map(int, has[0])] == [n, n * PROMPTS_OF_EACH]
    assert place.root("SELECT COUNT(*) FROM conversations WHERE title LIKE 'ada %%'") == [(n,)]
    asked = place.root("SELECT COUNT(*) FROM prompts WHERE author_id = %s", place.ada.id.bytes)
    assert asked == [(n * PROMPTS_OF_EACH,)]
    kept = place.root(
        "SELECT COUNT(*), SUM(owner_id = %s) FROM templates WHERE name LIKE 'ada %%'",
        KEEPER_ID.bytes,
    )
    assert [*map(int, kept[0])] == [N_TEMPLATES // 2, N_TEMPLATES // 2]
    for table, column in (
        ("conversations", "owner_id"),
        ("templates", "owner_id"),
        ("template_ratings", "user_id"),
        ("conversation_participants", "user_id"),
    ):
        left = place.root(f"SELECT COUNT(*) FROM {table} WHERE {column} = %s", place.ada.id.bytes)
        assert left == [(0,)], table
    sums = place.root(
        "SELECT COUNT(*) FROM templates AS t WHERE (t.rating_sum, t.rating_count) <>"
        " (SELECT COALESCE(SUM(r.rating), 0), COUNT(*) FROM template_ratings AS r"
        " WHERE r.template_id = t.id)"
    )
    assert sums == [(0,)]


async def test_4_the_log_verifies(place: Place) -> None:
    await place.sealer.audit.seals.seal()
    found = await place.sealer.audit.seals.verify(None)
    assert found.is_ok
    assert found.unsealed == 0
    assert found.entries == place.root("SELECT COUNT(*) FROM audit_logs")[0][0]
