"""Properties of what is stored: pages under inserts, words of a search, secrets, races."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dal
from dal.repositories.audit_writer import AuditWriter
from tests.conftest import options
from tests.properties.conftest import Own
from tests.properties.profiles import property_settings

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
Run = Callable[[Coroutine[Any, Any, Any]], Any]


@attrs.frozen
class Opened:
    """A database in a loop of its own, since examples are synchronous."""

    run: Run
    db: dal.Database
    own: Own

    def user(self) -> dal.Session:
        system = self.db.acting_as(dal.Actor.system("properties"))
        made = self.run(system.users.create(email=f"{uuid4()}@stored.example", full_name="S"))
        return self.db.acting_as(dal.Actor.user(made.id))


@pytest.fixture(scope="module")
def opened(own: Own) -> Iterator[Opened]:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        stack = AsyncExitStack()
        given_options: dict[str, Any] = options(own.config)
        connected = dal.connect(clock=dal.ManualClock(NOW), **given_options)
        db = runner.run(stack.enter_async_context(connected))
        yield Opened(runner.run, db, own)
        runner.run(stack.aclose())


seconds = st.integers(0, 4)


@property_settings()
@given(
    before=st.lists(seconds, min_size=1, max_size=12),
    between=st.lists(st.lists(seconds, max_size=3), max_size=8),
    limit=st.integers(1, 5),
    oldest=st.booleans(),
)
def test_pages_lose_and_repeat_nothing_under_inserts(
    opened: Opened, before: list[int], between: list[list[int]], limit: int, oldest: bool
) -> None:
    me = opened.user()

    async def add(at: list[int]) -> set[Any]:
        made = await me.templates.exchange.create_many(
            dal.NewTemplate(name="p", content="", created_at=NOW + timedelta(seconds=s)) for s in at
        )
        return {template.id for template in made}

    async def read() -> None:
        wanted, seen, after = await add(before), [], None
        more = iter(between)
        while True:
            if oldest:
                hits = await me.templates.search(
                    scope="mine", sort="oldest", limit=limit, after=after
                )
                rows, after = [hit.template for hit in hits.rows], hits.next
            else:
                page = await me.templates.list_mine(limit=limit, after=after)
                rows, after = list(page.rows), page.next
            seen += [(row.created_at, row.id) for row in rows]
            if after is None:
                break
            await add(next(more, []))
        assert seen == sorted(set(seen), reverse=not oldest)
        assert wanted <= {template_id for _, template_id in seen}

    opened.run(read())


# Runs of letters are words, an emoji is one; everything else stands between words.
letters = st.text(st.sampled_from("abb%_\\'\"`;-+*@<>~()  \u0000\U0001f600"), max_size=8)
_RUNS = re.compile("[ab0]+|\U0001f600")
# Of one behind an apostrophe nothing is said here: it may belong to what is before.
_APART = re.compile("'")


def words_of(text: str) -> set[str]:
    return set(_RUNS.findall(text))


@property_settings()
@given(texts=st.lists(letters, min_size=1, max_size=6), text=letters)
@example(texts=["a", "b", "a b"], text="a b")
@example(texts=["a", "b", "a b"], text="a")
@example(texts=["a", "\U0001f600"], text="a\U0001f600")
def test_a_search_finds_what_holds_a_word(opened: Opened, texts: list[str], text: str) -> None:
    """Whatever signs are around the words, of what is one's own alone."""
    texts, text = [_APART.sub(" ", one) for one in texts], _APART.sub(" ", text)
    me, other = opened.user(), opened.user()

    async def read() -> None:
        made = await me.templates.exchange.create_many(
            dal.NewTemplate(name=one, content="") for one in texts
        )
        await other.templates.exchange.create_many(
            dal.NewTemplate(name=one, content="") for one in texts
        )
        # The one stop word of these letters leaves the query, unless there is nothing else.
        wanted = words_of(text) - {"a"} or words_of(text)
        expected = {t.id for t in made if wanted & words_of(t.name) or not text.strip()}

        async def ask() -> set[Any]:
            page = await me.templates.search(text, limit=500)
            # What is public here is another test's.
            owners = {me.actor.id, other.actor.id}
            return {h.template.id for h in page.rows if h.template.owner_id in owners}

        assert await ask() == expected

    opened.run(read())


@property_settings()
@given(text=st.text(max_size=40))
def test_no_text_breaks_a_search(opened: Opened, text: str) -> None:
    me = opened.user()

    async def read() -> None:
        if any("\ud800" <= char <= "\udfff" for char in text):
            with pytest.raises(dal.ValueRejectedError):
                await me.templates.search(text)
            return
        made = await me.templates.create(name=text, content="")
        page = await me.templates.search(text, limit=500, scope="mine")
        assert {hit.template.id for hit in page.rows} <= {made.id}
        assert await me.templates.count_search(text, scope="mine") <= 1

    opened.run(read())


plain_keys = st.sampled_from(["name", "a", "tags", "to", "from", "owner_id"])
secret_keys = st.sampled_from(
    ["password", "PassWord", "apiKey", "reset-token", "client_secret", "password_hash", "Cookie"]
)
secrets = st.text(st.sampled_from("qxzjkvw0123456789"), min_size=16, max_size=700)


@st.composite
def hidden(draw: st.DrawFn) -> tuple[str, dict[str, object]]:
    """A secret, and changes that hold it at some depth below a key that names it."""
    secret = draw(secrets)
    value: object = {draw(secret_keys): draw(st.sampled_from([secret, [secret], {"a": secret}]))}
    for _ in range(draw(st.integers(0, 36))):
        shape = draw(st.integers(0, 2))
        if shape == 0:
            value = [value, draw(st.integers())]
        elif shape == 1:
            value = (None, value)
        else:
            value = {draw(plain_keys): value, "kept": "kept"}
    return secret, {draw(plain_keys): value}


@property_settings()
@given(planted=hidden())
def test_a_planted_secret_is_in_no_stored_byte(
    opened: Opened, planted: tuple[str, dict[str, object]]
) -> None:
    secret, changes = planted
    me, target = opened.user(), uuid4()

    async def write() -> None:
        async with me.begin() as tx:
            await AuditWriter(tx).write("template.commit", "template", target, changes=changes)

    opened.run(write())
    (row,) = opened.own.ask("SELECT * FROM audit_logs WHERE target_id = %s", target.bytes)
    for value in row:
        data = value if isinstance(value, bytes) else str(value).encode()
        assert secret.encode() not in data
    ((kept,),) = opened.own.ask("SELECT changes FROM audit_logs WHERE target_id = %s", target.bytes)
    assert json.loads(kept).keys() == changes.keys()


@property_settings()
@given(
    commits=st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=2, max_size=8),
    guarded=st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_commits_at_once_are_numbered_without_a_gap(
    opened: Opened, commits: list[str], guarded: list[bool]
) -> None:
    """N real tasks on one template, then a look at what they left."""
    me = opened.user()

    async def race() -> None:
        made = await me.templates.create(name="n", content="start")
        results = await asyncio.gather(
            *(
                me.templates.versions.commit(
                    made.id, content=f"{text}{i // 2}", expected_head=1 if guard else None
                )
                for i, (text, guard) in enumerate(zip(commits, guarded, strict=False))
            ),
            return_exceptions=True,
        )
        stale = [r for r in results if isinstance(r, BaseException)]
        assert all(isinstance(r, dal.StaleVersionError) for r in stale)
        done = [r for r in results if isinstance(r, dal.TemplateVersion)]
        listed = (await me.templates.versions.list_of(made.id, limit=500)).rows
        assert [v.version for v in listed] == list(range(len(listed), 0, -1))
        assert {v.version for v in done} == set(range(2, len(listed) + 1))
        for version in done:
            assert await me.templates.versions.get(made.id, version.version) == version
        entries = (await me.audit.list_mine()).rows
        assert len([e for e in entries if e.action == "template.commit"]) == len(listed) - 1

    opened.run(race())
