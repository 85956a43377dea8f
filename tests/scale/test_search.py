"""What a search by words costs among 100,000 templates: bounded, whatever is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any, Final

import attrs
import pytest

import dal
from dal.config import Config, parse
from dal.provision import connect as connect_blocking
from dal.provision import prepare_temporary
from dal.repositories.templates.search import SEARCH_DEPTH
from dal.search import MAX_POSTINGS, query_terms, term_hash
from dal.server import Engine, start_temporary
from dal.session.connection import Connection
from dal.testing.measure import counting, total
from tests.conftest import START, Recorder, new_user, options
from tests.scale import ROOMY

N_OWNERS: Final = 5
BATCHES_PER_OWNER: Final = 4
BATCH: Final = 5_000
N_TEMPLATES: Final = N_OWNERS * BATCHES_PER_OWNER * BATCH
# The word of this rank is in about one of so many templates.
RANKS: Final = (1, 2, 3, 5, 10, 30, 100, 300, 1_000, 3_000, 10_000)


@attrs.frozen
class Big:
    """A database of many texts, and a connection that only counts."""

    db: dal.Database
    recorder: Recorder
    owners: list[dal.Session]
    counter: Connection
    frequencies: dict[int, int]

    def holding(self, word: str) -> int:
        """How many public templates hold a word."""
        (term,) = query_terms(word)
        return self.frequencies.get(term_hash(term), 0)


def _new(n: int) -> dal.NewTemplate:
    words = [f"rank{rank}" for rank in RANKS if n % rank == 0]
    return dal.NewTemplate(
        name=f"template {n}",
        content=" ".join([*words, f"only{n}", f"few{n // 8}"]),
        visibility="private" if n % 10 == 9 else "public",
    )


@pytest.fixture(scope="module")
async def big(engine: Engine) -> AsyncIterator[Big]:
    server = await asyncio.to_thread(start_temporary, engine, options=ROOMY)
    try:
        accounts = await asyncio.to_thread(prepare_temporary, server)
        admin = parse(server.admin_url("dal"))
        assert isinstance(admin, Config)
        recorder = Recorder()
        config = accounts.config("dal_application")
        async with dal.connect(
            clock=dal.ManualClock(START), on_statement=recorder, **options(config)
        ) as db:
            owners = [
                db.acting_as(dal.Actor.user((await new_user(db)).id)) for _ in range(N_OWNERS)
            ]
            for batch in range(N_OWNERS * BATCHES_PER_OWNER):
                await owners[batch % N_OWNERS].templates.exchange.create_many(
                    _new(n) for n in range(batch * BATCH, (batch + 1) * BATCH)
                )
            await db.acting_as(dal.Actor.system("scale")).templates.search_statistics.refresh()
            with connect_blocking(admin) as blocking, blocking.cursor() as cursor:
                cursor.execute("ANALYZE TABLE users, templates, template_postings, search_terms")
                cursor.execute("SELECT term, documents FROM search_terms")
                frequencies = dict(cursor.fetchall())
            counter = await Connection.open(admin)
            yield Big(db, recorder, owners, counter, frequencies)
            await counter.ensure_closed()
    finally:
        await asyncio.to_thread(server.stop)


def test_the_statistics_are_those_of_the_texts(big: Big) -> None:
    public = [n for n in range(N_TEMPLATES) if n % 10 != 9]
    for rank in RANKS:
        assert big.holding(f"rank{rank}") == sum(n % rank == 0 for n in public)
    assert big.holding("only7") == 1
    assert big.holding("only9") == 0


async def test_what_is_read_is_bounded(big: Big) -> None:
    dice = Random(5)
    words = [f"rank{rank}" for rank in RANKS] + ["template", "only8", "few3", "nowhere"]
    texts = ["template", "rank1", "rank1 rank2 template", "rank1 nowhere"]
    texts += [" ".join(dice.sample(words, k=dice.randrange(1, 8))) for _ in range(20)]
    nobody = big.db.acting_as(dal.Actor.anonymous())
    for text in texts:
        for session in (nobody, big.owners[1]):
            async with counting(big.counter) as fetched:
                page = await session.templates.search(text, limit=20)
            assert page.rows or text == "nowhere", text
            # Of each posting its template and its owner, in public and of one's own; and what is
            # shown.
            assert total(fetched) <= 2 * 3 * MAX_POSTINGS + 1_000, (text, fetched)


async def test_what_few_have_is_found_beside_what_all_have(big: Big) -> None:
    nobody = big.db.acting_as(dal.Actor.anonymous())
    rows = (await nobody.templates.search("rank1 template only8 rank2")).rows
    assert rows[0].template.name == "template 8"


async def test_the_pages_end_where_the_docs_say(big: Big) -> None:
    nobody = big.db.acting_as(dal.Actor.anonymous())
    for text in ("template", "rank100", "rank1000"):
        seen: list[Any] = []
        after = None
        while True:
            page = await nobody.templates.search(text, limit=100, after=after)
            seen += [hit.template.id for hit in page.rows]
            after = page.next
            if after is None:
                break
        assert len(set(seen)) == len(seen) == await nobody.templates.count_search(text)
        assert len(seen) == min(big.holding(text), SEARCH_DEPTH)
