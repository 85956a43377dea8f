"""The promises about conversations that a small table cannot break, on a hundred thousand of one
owner, and a million prompts in a trash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

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
from tests.scale import ROOMY

N_OWN = 100_000
N_IN_TRASH = 200
PROMPTS_OF_EACH = 5_000
PURGE_BATCH = 5_000
_DIGIT = "SELECT 0 AS d" + "".join(f" UNION ALL SELECT {d}" for d in range(1, 10))
_NUMBERS = f"""(
    SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS n
    FROM ({_DIGIT}) AS a, ({_DIGIT}) AS b, ({_DIGIT}) AS c, ({_DIGIT}) AS e, ({_DIGIT}) AS f
)"""
_OWN = f"""
INSERT INTO conversations (id, owner_id, title, context, settings, status, archived_at,
    last_activity_at, last_sequence, message_count, token_count, cost, created_at, updated_at)
SELECT UNHEX(LPAD(HEX(q.n + 1), 32, '0')), %s, CONCAT('talk ', q.n), '{{}}', '{{}}',
    ELT(q.n %% 50 DIV 49 + 1, 'active', 'paused'), IF(q.n %% 10 = 3, %s, NULL),
    %s + INTERVAL (q.n * 7919 %% 100000) SECOND, 0, 0, 0, 0, %s, %s
FROM {_NUMBERS} AS q
"""
_TRASH = f"""
INSERT INTO conversations (id, owner_id, title, context, settings, status,
    last_activity_at, last_sequence, message_count, token_count, cost, created_at, updated_at,
    deleted_at)
SELECT UNHEX(CONCAT('FF', LPAD(HEX(q.n + 1), 30, '0'))), %s, 'gone', '{{}}', '{{}}', 'active',
    %s, {PROMPTS_OF_EACH}, {PROMPTS_OF_EACH}, 0, 0, %s, %s, %s
FROM {_NUMBERS} AS q WHERE q.n < {N_IN_TRASH}
"""
_PEOPLE = """
INSERT INTO conversation_participants (conversation_id, user_id, role, can_write, can_share,
    is_pinned, last_read_sequence, added_by, joined_at, updated_at)
SELECT c.id, c.owner_id, 'owner', 1, 1, 0, 0, c.owner_id, c.created_at, c.updated_at
FROM conversations AS c
"""
_PROMPTS = f"""
INSERT INTO prompts (id, conversation_id, author_id, sequence_number, user_input, token_count,
    cost, created_at, updated_at)
SELECT UNHEX(CONCAT(RIGHT(HEX(c.id), 8), LPAD(HEX(q.n), 24, '0'))), c.id, c.owner_id, q.n + 1,
    'What was asked, in a line of its own.', 0, 0, c.created_at, c.created_at
FROM conversations AS c CROSS JOIN {_NUMBERS} AS q
WHERE c.deleted_at IS NOT NULL AND q.n < {PROMPTS_OF_EACH} AND c.id BETWEEN %s AND %s
"""


@attrs.frozen
class Big:
    """The database, its clock, whose conversations they are, and a connection that only counts."""

    db: dal.Database
    clock: dal.ManualClock
    recorder: Recorder
    many: dal.Session
    few: dal.Session
    counter: Connection

    @property
    def system(self) -> dal.Session:
        return self.db.acting_as(dal.Actor.system("scale"))


def trash_id(n: int) -> bytes:
    return bytes.fromhex(f"ff{n + 1:030x}")


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
            many, few = [await new_user(db) for _ in range(2)]
            for _ in range(30):
                await asyncio.gather(*(new_user(db) for _ in range(20)))
            at = START.replace(tzinfo=None)
            with connect_blocking(admin) as blocking, blocking.cursor() as cursor:
                cursor.execute(_OWN, (many.id.bytes, at, at, at, at))
                cursor.execute(_TRASH, (few.id.bytes, at, at, at, at))
                cursor.execute(_PEOPLE)
                blocking.commit()
                for begin in range(0, N_IN_TRASH, 20):
                    cursor.execute(_PROMPTS, (trash_id(begin), trash_id(begin + 19)))
                    blocking.commit()
                cursor.execute(
                    "ANALYZE TABLE users, conversations, conversation_participants, prompts"
                )
            as_few = db.acting_as(dal.Actor.user(few.id))
            for n in range(10):
                clock.move(timedelta(seconds=1))
                await as_few.conversations.create(title=f"one of ten {n}")
            counter = await Connection.open(admin)
            as_many = db.acting_as(dal.Actor.user(many.id))
            yield Big(db, clock, recorder, as_many, as_few, counter)
            await counter.ensure_closed()
    finally:
        await asyncio.to_thread(server.stop)


@pytest.mark.parametrize("which", ["list_mine", "list_archived", "recent", "by_status"])
@pytest.mark.parametrize("who", ["many", "few"])
async def test_a_page_reads_six_rows_a_row_at_most(big: Big, who: str, which: str) -> None:
    mine = getattr(big, who).conversations
    doors = {
        "list_mine": mine.list_mine,
        "list_archived": mine.list_archived,
        "recent": lambda **how: mine.lists.recent(within=timedelta(days=4000), **how),
        "by_status": lambda **how: mine.lists.by_status("paused", **how),
    }
    after = None
    for depth in range(3):
        async with counting(big.counter) as fetched:
            page = await doors[which](limit=20, after=after)
        if who == "many":
            assert len(page.rows) == 20
        assert total(fetched) <= 6 * len(page.rows) + 5, (depth, fetched)
        after = page.next
        if after is None:
            break


async def test_the_idle_are_archived_in_batches(big: Big) -> None:
    # The longest idle of a hundred thousand; a batch reads what it changes, and no more.
    big.clock.move(timedelta(days=400))
    async with counting(big.counter) as fetched:
        archived = await big.system.conversations.archiving.archive_idle(
            older_than=timedelta(days=365), batch=100
        )
    assert archived == 100
    assert total(fetched) <= 3 * 100 + 5, fetched
    big.clock.move(-timedelta(days=400))


async def test_a_million_prompts_are_purged_while_others_read_and_write(big: Big) -> None:
    """A reader and a writer beside each batch see what they would see alone, and lose nothing."""
    mine = big.few.conversations
    talk = await mine.create(title="while it goes on")
    purge = big.system.conversations.trash.purge_deleted

    async def read() -> int:
        page = await big.many.conversations.list_mine(limit=20)
        return len(page.rows) + len((await big.few.prompts.list_of(talk.id, limit=5)).rows)

    async with counting(big.counter) as fetched:
        removed = [await purge(older_than=timedelta(0), batch=PURGE_BATCH)]
    # A batch reads what it removes, its key and its row, and no more.
    assert total(fetched) <= 4 * PURGE_BATCH, fetched
    seen = 0
    await big.few.prompts.create(talk.id, user_input="still here")
    while not removed or removed[-1]:
        n, shown, made = await asyncio.gather(
            purge(older_than=timedelta(0), batch=PURGE_BATCH),
            read(),
            big.few.prompts.create(talk.id, user_input="still here"),
        )
        removed.append(n)
        assert made.sequence_number == len(removed)
        assert 20 + min(5, seen) <= shown <= 20 + min(5, len(removed))
        seen = len(removed)
        if seen == 1:
            # Half purged: it does not come back, and is not shown.
            with pytest.raises(dal.NotFoundError):
                await mine.restore(UUID(bytes=trash_id(0)))
    assert sum(removed) == N_IN_TRASH * (PROMPTS_OF_EACH + 1)
    # No batch is larger than was said, and so no lock is held for longer.
    assert max(removed) <= PURGE_BATCH + 100
    assert (await mine.get(talk.id)).message_count == len(removed)
    assert await mine.trash.count_mine() == 0
    assert await big.many.conversations.count_mine() == N_OWN
