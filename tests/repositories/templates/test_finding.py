"""Templates found by words and filters, in every order, and by nobody who may not see them.

The full-text index sees committed rows alone, and a query or two may miss a fresh one: who asks
for what was just written asks again, a few times, before it is judged.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import product
from random import Random
from typing import Any, Final
from uuid import UUID, uuid4

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dal
from dal.config import Config, parse
from dal.provision import connect, prepare_temporary
from dal.repositories.templates.search import SEARCH_DEPTH
from dal.search import MAX_POSTINGS
from dal.server import Engine, start_temporary
from tests.conftest import CHEAP_HASHES, START, Recorder, new_user, options
from tests.repositories.data import data_file, naughty_strings

AGAIN: Final = 5


@attrs.frozen
class World:
    """A database on a server of its own, so that nobody else's templates are found."""

    db: dal.Database
    clock: dal.ManualClock
    recorder: Recorder
    root: Callable[[str], list[tuple[Any, ...]]]

    @property
    def system(self) -> dal.Session:
        return self.db.acting_as(dal.Actor.system("finding"))

    @property
    def nobody(self) -> dal.Session:
        return self.db.acting_as(dal.Actor.anonymous())

    @staticmethod
    def word() -> str:
        """One that no other test has."""
        return f"w{uuid4().hex}"

    async def user(self) -> dal.Session:
        return self.db.acting_as(dal.Actor.user((await new_user(self.db)).id))


async def world_of(engine: Engine) -> AsyncIterator[World]:
    server = await asyncio.to_thread(start_temporary, engine)
    try:
        accounts = await asyncio.to_thread(prepare_temporary, server)
        admin = parse(server.admin_url("dal"))
        assert isinstance(admin, Config)
        clock, recorder = dal.ManualClock(START), Recorder()
        config = options(accounts.config("dal_application"))
        blocking = connect(admin)

        def root(sql: str) -> list[tuple[Any, ...]]:
            with blocking.cursor() as cursor:
                cursor.execute(sql)
                found = list(cursor.fetchall())
            blocking.commit()
            return found

        async with dal.connect(
            clock=clock, on_statement=recorder, **config, **CHEAP_HASHES
        ) as database:
            yield World(database, clock, recorder, root)
        blocking.close()
    finally:
        await asyncio.to_thread(server.stop)


@pytest.fixture(scope="module")
async def world(engine: Engine) -> AsyncIterator[World]:
    """For what counts everything that is public."""
    async for one in world_of(engine):
        yield one


async def everything(
    session: dal.Session, limit: int = 100, **search: Any
) -> list[dal.TemplateHit]:
    """All pages."""
    hits: list[dal.TemplateHit] = []
    after = None
    while True:
        page = await session.templates.search(limit=limit, after=after, **search)
        hits += page.rows
        if page.next is None:
            return hits
        assert len(page.rows) == limit
        after = page.next


async def ids(session: dal.Session, text: str, **search: Any) -> list[UUID]:
    return [hit.template.id for hit in await everything(session, text=text, **search)]


async def until(ask: Callable[[], Awaitable[Any]], expected: object) -> None:
    """Ask again where the answer is not the one expected: a fresh commit may be missed."""
    answer = None
    for _ in range(AGAIN):
        answer = await ask()
        if answer == expected:
            break
    assert answer == expected


async def finds(session: dal.Session, text: str, expected: set[UUID], **search: Any) -> None:
    async def ask() -> set[UUID]:
        return set(await ids(session, text, **search))

    await until(ask, expected)


# Words


@pytest.mark.parametrize(
    ("texts", "found_by", "not_found_by"),
    [
        (
            {"name": "Translating novels", "content": "You are connected."},
            ["translate", "TRANSLATION", "novel", "connection", "who connects novels?"],
            ["connoisseur", "nov", "late"],
        ),
        (
            {"name": "Café Ünïcode", "content": "naïve façade, Straße, Ærø, Łódź"},
            ["cafe", "CAFÉ", "cafe\u0301", "unicode", "naive", "strasse", "aero", "lodz", "façade"],
            ["kafe"],
        ),
        (
            {"name": "n", "content": "日本語の文章を添削します。中文写作助手"},
            ["日本", "本語", "添削", "写作助手", "助手 日本"],
            ["日語", "作文"],
        ),
        (
            {"name": "n", "content": "I am an AI, go to SQL in 3 C"},
            ["AI", "go", "to", "3", "c", "sql", "an"],
            ["si", "4"],
        ),
        (
            {"name": "n", "content": "\U0001f600 rocket\U0001f680ship"},
            ["\U0001f600", "\U0001f680", "rocket"],
            ["\U0001f601", "rocketship"],
        ),
        (
            {"name": "n", "content": "Красивые", "tags": ["Prompt engineering"]},
            ["engineer", "красивый", "КРАСИВАЯ"],
            ["kras"],
        ),
        (
            {"name": "n", "content": "100% sure, snake_case, back\\slash, it's"},
            ["100%", "snake_case", "back\\slash", "it's", "%100", "snake%"],
            ["%", "_", "\\", "10_", "s_re", "su%"],
        ),
    ],
)  # fmt: skip
async def test_words_as_people_write_them(
    as_ada: dal.Session, texts: dict[str, Any], found_by: list[str], not_found_by: list[str]
) -> None:
    made = await as_ada.templates.create(**texts)
    for text in found_by:
        await finds(as_ada, text, {made.id}, scope="mine")
    for text in not_found_by:
        assert await ids(as_ada, text, scope="mine") == [], text


async def test_every_text_is_looked_in_and_follows_each_change(as_ada: dal.Session) -> None:
    word = {
        name: f"{name}{uuid4().hex}"
        for name in ("name", "description", "author_name", "tag", "content", "prompt", "category")
    }
    made = await as_ada.templates.create(
        name=word["name"], description=word["description"], author_name=word["author_name"],
        tags=[word["tag"]], content=word["content"], system_prompt=word["prompt"],
        category=word["category"],
    )  # fmt: skip
    for place in ("name", "description", "author_name", "tag", "content"):
        await finds(as_ada, f"nothing {word[place]}", {made.id}, scope="mine")
    await as_ada.templates.update_details(
        made.id, name="n", description=None, author_name=None, tags=()
    )
    await as_ada.templates.versions.commit(made.id, content="c")
    for place in ("name", "description", "author_name", "tag", "content"):
        await finds(as_ada, word[place], set(), scope="mine")
    await as_ada.templates.versions.rollback(made.id, 1)
    await finds(as_ada, word["content"], {made.id}, scope="mine")
    await as_ada.templates.soft_delete(made.id)
    await finds(as_ada, word["content"], set(), scope="mine")
    await as_ada.templates.restore(made.id)
    await finds(as_ada, word["content"], {made.id}, scope="mine")
    await as_ada.templates.soft_delete(made.id)
    await as_ada.templates.trash.purge(made.id)
    await finds(as_ada, word["content"], set(), scope="mine")


OPERATORS: Final = (
    "+{}", "-{}", "~{}", "<{}", ">{}", "{}*", '"{}"', '"{}', "({})", "(({}", "{})", "@{}", "@4 {}",
    '"{}" @3', "+ - * {}", "{} -", "{} +", "**{}**", "~~{}", "({} -", "<({}>)", "\\{}", "'{}'",
    "{};--", "/*{}*/", "%{}%", "\0{}", "`{}`", "{{{}}}", "#{}", ":{}", "{}:actor_id",
)  # fmt: skip


async def test_nothing_typed_is_an_operator(as_ada: dal.Session, as_bob: dal.Session) -> None:
    word, other = f"w{uuid4().hex}", f"w{uuid4().hex}"
    made = await as_ada.templates.create(name="n", content=word)
    longer = await as_ada.templates.create(name="n", content=f"{word}more")
    both = await as_ada.templates.create(name="n", content=f"{word} {other}")
    hidden = await as_bob.templates.create(name="n", content=f"{word} {other}")
    await finds(as_ada, word, {made.id, both.id}, scope="mine")
    for shape in OPERATORS:
        text = shape.format(word)
        await finds(as_ada, text, {made.id, both.id}, owner_id=made.owner_id)
    # No word is required, none is forbidden.
    for text in (f"{word} -{other}", f"+{other} {word}", f'"{other} {word}"', f"{other} @ {word}"):
        await finds(as_ada, text, {made.id, both.id}, owner_id=made.owner_id)
        assert hidden.id not in await ids(as_ada, text)
    await finds(as_ada, f"{word}more", {longer.id})
    for nothing in (
        "+",
        "-",
        "*",
        '"',
        '""',
        "()",
        "( )",
        "@",
        "~",
        "<>",
        "+-*",
        "@4",
        "%",
        "_",
        ".",
    ):
        assert await ids(as_ada, f"{nothing}", owner_id=made.owner_id) == []
        assert await as_ada.templates.count_search(nothing, owner_id=made.owner_id) == 0


async def test_naughty_texts_never_raise(as_ada: dal.Session) -> None:
    texts = naughty_strings()
    made = await as_ada.templates.exchange.create_many(
        dal.NewTemplate(name="n", content=text, id=uuid4()) for text in texts
    )
    mine = {template.id for template in made}

    async def ask(text: str) -> None:
        page = await as_ada.templates.search(text[:1_000], scope="mine", limit=1)
        assert {hit.template.id for hit in page.rows} <= mine

    for at in range(0, len(texts), 40):
        await asyncio.gather(*map(ask, texts[at : at + 40]))


@settings(
    max_examples=40, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    query=st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
)
def test_arbitrary_unicode_never_raises(unicode_finder: Any, text: str, query: str) -> None:
    unicode_finder(text, query)


@pytest.fixture(scope="module")
def unicode_finder(accounts: Any) -> Any:
    """Stores one text and asks for another and for itself; Hypothesis is not asynchronous."""
    config = options(accounts.config("dal_application"))

    with asyncio.Runner() as runner:

        async def open_one() -> tuple[Any, dal.Session]:
            opened = dal.connect(**config, **CHEAP_HASHES)
            database = await opened.__aenter__()
            user = await new_user(database)
            return opened, database.acting_as(dal.Actor.user(user.id))

        opened, me = runner.run(open_one())

        async def ask(text: str, query: str) -> None:
            made = await me.templates.create(name=text, content=text, description=text)
            mine = [
                hit.template.id for hit in (await me.templates.search(query, scope="mine")).rows
            ]
            assert set(mine) <= {row.id for row in (await me.templates.list_mine()).rows}
            hits = await everything(me, text=text, scope="mine")
            for hit in hits:
                if hit.snippet is not None:
                    for start, end in hit.snippet.highlights:
                        assert 0 <= start < end <= len(hit.snippet.text)
            await me.templates.soft_delete(made.id)
            await me.templates.trash.purge(made.id)

        yield lambda text, query: runner.run(ask(text, query))
        runner.run(opened.__aexit__(None, None, None))


# Chinese

_HAN_RUN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]{2,}")


async def test_every_run_of_han_characters_of_a_title_finds_its_template(world: World) -> None:
    rows = [
        json.loads(line)
        for line in data_file("lobe_chat_agents_i18n.jsonl").read_bytes().decode().split("\n")
        if line
    ]
    me = await world.user()
    chinese = [row for row in rows if row["locale"] == "zh-CN"]
    assert len(chinese) == 505
    made = await me.templates.exchange.create_many(
        dal.NewTemplate(
            name=row["title"], description=row["description"], content=row["system_role"],
            tags=[tag for tag in row["tags"] if tag.strip()], category=row["category"],
            visibility="public",
        )
        for row in chinese
    )  # fmt: skip
    await world.system.templates.search_statistics.refresh()
    wanted: dict[str, set[UUID]] = {}
    for template in made:
        for run in _HAN_RUN.findall(template.name):
            wanted.setdefault(run, set()).add(template.id)
    assert len(wanted) > 400
    asked: dict[str, str | None] = dict.fromkeys(wanted)

    async def missed(run: str) -> set[UUID]:
        left, after = set(wanted[run]), asked[run]
        while left:
            page = await world.nobody.templates.search(run, limit=20, after=after)
            left -= {hit.template.id for hit in page.rows}
            after = page.next
            if after is None:
                break
        return left

    left = list(wanted)
    for _ in range(AGAIN):
        lacking = []
        for at in range(0, len(left), 8):
            batch = left[at : at + 8]
            answers = await asyncio.gather(*map(missed, batch))
            lacking += [run for run, answer in zip(batch, answers, strict=True) if answer]
        left = lacking
        if not left:
            break
    assert left == []
    # Not found by everything: what is in no text finds nothing.
    assert await ids(world.nobody, "龘靐") == []
    for template in made:
        await me.templates.soft_delete(template.id)
    await world.system.templates.search_statistics.refresh()


# Filters, orders, pages

WORDS: Final = ("alpha", "beta", "gamma", "delta")


@attrs.frozen
class Corpus:
    """Templates of three users and what is known of each."""

    sessions: list[dal.Session]
    live: list[dal.TemplateSummary]
    labels: Mapping[UUID, set[str]]
    words: Mapping[UUID, set[str]]


@pytest.fixture(scope="module")
async def corpus(world: World) -> Corpus:
    dice = Random(8)
    sessions = [await world.user() for _ in range(4)]
    labels: dict[UUID, set[str]] = {}
    words: dict[UUID, set[str]] = {}
    trash: set[UUID] = set()
    for session in sessions:
        news = []
        for _ in range(30):
            chosen = dice.sample(WORDS, k=dice.randrange(1, 4))
            news.append(
                dal.NewTemplate(
                    name=chosen[0],
                    content=" ".join(chosen) + " filler" * dice.randrange(30),
                    author_name=dice.choice([None, "Ann", "Bea"]),
                    category=dice.choice([None, "One", "Two words"]),
                    tags=dice.sample(
                        ["Red", "grün", "\U0001f600", "\U0001f601"], dice.randrange(4)
                    ),
                    visibility=dice.choice(["public", "private"]),
                    labels=dice.choice([{}, {"production": 1}, {"production": 1, "own": 1}]),
                    created_at=datetime(2025, 3, 1 + dice.randrange(20), tzinfo=UTC),
                )
            )
        for new, template in zip(
            news, await session.templates.exchange.create_many(news), strict=True
        ):
            labels[template.id] = {label for label, _ in new.labels}
            words[template.id] = set(new.content.split())
            for _ in range(dice.choice([0, 0, 1, 3])):
                await session.templates.usage.record(template.id)
                world.clock.move(timedelta(hours=dice.randrange(48)))
            if template.visibility == "public":
                for other in dice.sample(sessions, k=dice.randrange(4)):
                    await other.templates.ratings.set(template.id, dice.randint(1, 5))
            if dice.random() < 0.15:
                await session.templates.soft_delete(template.id)
                trash.add(template.id)
    # The last one is deleted with all that is theirs.
    assert sessions[3].actor.id is not None
    await world.system.users.soft_delete(sessions[3].actor.id)
    live: list[dal.TemplateSummary] = []
    for session in sessions[:3]:
        live += (await session.templates.list_mine(limit=500)).rows
    assert trash.isdisjoint(template.id for template in live)
    return Corpus(sessions, live, labels, words)


def fits(corpus: Corpus, t: dal.TemplateSummary, who: UUID | None, search: dict[str, Any]) -> bool:
    mine, is_public = t.owner_id == who, t.visibility == "public"
    mean = Fraction(t.rating_sum, t.rating_count) if t.rating_count else None
    tags = {tag.lower() for tag in t.tags}
    least = search.get("min_rating")
    return (
        {"visible": mine or is_public, "mine": mine, "public": is_public}[
            search.get("scope", "visible")
        ]
        and ("text" not in search or not corpus.words[t.id].isdisjoint(search["text"].split()))
        and search.get("category", t.category) == t.category
        and {tag.lower() for tag in search.get("tags", ())} <= tags
        and ("any_tags" not in search or not tags.isdisjoint(search["any_tags"]))
        and search.get("author", t.author_name) == t.author_name
        and search.get("owner_id", t.owner_id) == t.owner_id
        and ("label" not in search or search["label"] in corpus.labels[t.id])
        and search.get("visibility", t.visibility) == t.visibility
        and (least is None or (mean is not None and mean >= Fraction(str(least))))
        and t.created_at >= search.get("created_from", t.created_at)
        and ("created_before" not in search or t.created_at < search["created_before"])
        and not (search.get("unused") and t.use_count)
    )


ORDERS: Final[dict[str, Callable[[dal.TemplateSummary], Any]]] = {
    "newest": lambda t: (t.created_at, t.id),
    "oldest": lambda t: (t.created_at, t.id),
    "popular": lambda t: (t.use_count, t.id),
    "trending": lambda t: (t.trend, t.id),
    "rating": lambda t: ((t.rating_sum + 30) * 100_000 // (t.rating_count + 10), t.id),
}


def filters(corpus: Corpus) -> dict[str, list[Any]]:
    return {
        "category": ["one", "two-words"],
        "tags": [["red"], ["RED", "grün"], ["\U0001f600"]],
        "any_tags": [["red", "\U0001f601"], ["\U0001f600", "none at all"]],
        "author": ["Ann"],
        "owner_id": [corpus.live[0].owner_id, corpus.live[-1].owner_id],
        "label": ["production", "own"],
        "visibility": ["public", "private"],
        "min_rating": [1, 3.5, 5],
        "created_from": [datetime(2025, 3, 9, tzinfo=UTC)],
        "created_before": [datetime(2025, 3, 12, tzinfo=UTC)],
        "unused": [True],
        "scope": ["mine", "public"],
    }


def searches(corpus: Corpus) -> list[dict[str, Any]]:
    """Each filter alone, with and without a text, and many together."""
    dice = Random(12)
    choices = filters(corpus)
    alone = [{name: value} for name, values in choices.items() for value in values]
    several = [
        {name: dice.choice(choices[name]) for name in dice.sample(sorted(choices), k=count)}
        for count in (2, 2, 3, 3) * 4
    ]
    texts: list[dict[str, Any]] = [{}, {"text": "alpha"}, {"text": "gamma delta"}]
    return [
        {**one, **text}
        for number, one in enumerate([{}, *alone, *several])
        for text in (texts if number < 5 else [texts[0], texts[1 + number % 2]])
    ]


async def test_every_search_is_what_a_brute_force_finds(corpus: Corpus, world: World) -> None:
    hit_any = 0
    sorts = [*ORDERS, "relevance"]
    for number, search in enumerate(searches(corpus)):
        for who, session in enumerate([*corpus.sessions, world.nobody]):
            if who > 1 and number % 4:
                continue
            if session.actor.id is None and search.get("scope") == "mine":
                continue
            # Of a deleted user nothing is their own any more.
            me = None if who == 3 else session.actor.id
            expected = [t for t in corpus.live if fits(corpus, t, me, search)]
            sort = sorts[(number + who) % len(sorts)]
            if sort == "relevance" and "text" not in search:
                sort = "newest"
            hits = await everything(session, limit=7 if expected else 3, sort=sort, **search)
            found = [hit.template for hit in hits]
            assert len(found) == len({t.id for t in found})
            if sort == "relevance":
                scores = [hit.score or 0 for hit in hits]
                assert scores == sorted(scores, reverse=True)
                found.sort(key=lambda t: t.id)
                expected.sort(key=lambda t: t.id)
            else:
                expected.sort(key=ORDERS[sort], reverse=sort != "oldest")
            # As the lists show them, in every field.
            assert found == expected, (search, sort, who)
            assert await session.templates.count_search(**search) == len(found)
            for hit in hits:
                assert (hit.score is None) == ("text" not in search)
                assert (hit.snippet is None) == ("text" not in search)
            hit_any += bool(found)
    assert hit_any > 80


@pytest.mark.parametrize("text", [None, "alpha beta"])
async def test_any_page_size_gives_the_same_list(corpus: Corpus, text: str | None) -> None:
    me = corpus.sessions[1]
    for sort in (*ORDERS, None):
        whole = await everything(me, 500, text=text, sort=sort)
        assert len(whole) > 30
        for limit in (4, 13):
            assert await everything(me, limit, text=text, sort=sort) == whole


async def test_a_cursor_is_of_its_search(corpus: Corpus) -> None:
    me = corpus.sessions[0].templates
    asked: list[dict[str, Any]] = [
        {}, {"text": "alpha"}, {"text": "alpha beta"}, {"sort": "popular"}, {"label": "own"},
        {"text": "alpha", "sort": "rating"}, {"min_rating": 1}, {"any_tags": ["red", "grün"]},
    ]  # fmt: skip
    cursors = [(await me.search(limit=1, **search)).next for search in asked]
    assert None not in cursors
    for i, search in enumerate(asked):
        for j, cursor in enumerate(cursors):
            if i != j:
                with pytest.raises(dal.ValueRejectedError) as caught:
                    await me.search(limit=1, after=cursor, **search)
                assert caught.value.field == "after"


async def test_a_snippet_shows_why(as_ada: dal.Session) -> None:
    word = uuid4().hex
    made = await as_ada.templates.create(
        name="A name", description="Of other things",
        content=f"{'filler ' * 200}here are the running{word}\nand Translations of it{' x' * 300}",
        tags=[f"tag{word}"],
    )  # fmt: skip
    await finds(as_ada, f"running{word}", {made.id})
    (hit,) = (await as_ada.templates.search(f"RUNNING{word} translate", scope="mine")).rows
    assert hit.snippet is not None
    text = hit.snippet.text
    marked = [text[start:end] for start, end in hit.snippet.highlights]
    assert marked == [f"running{word}", "Translations"]
    assert len(text) <= 200
    assert "\n" not in text
    assert text.startswith("…")
    assert text.endswith("…")
    (hit,) = (await as_ada.templates.search(f"tag{word}", scope="mine")).rows
    assert hit.snippet is not None
    assert hit.snippet.text == f"tag{word}"
    assert hit.snippet.highlights == ((0, len(f"tag{word}")),)
    (hit,) = (await as_ada.templates.search("name", scope="mine")).rows
    assert hit.snippet == dal.Snippet("A name", ((2, 6),))


# What a search costs, and who is found


MANY: Final = MAX_POSTINGS + 100


def scored(hits: Sequence[dal.TemplateHit]) -> list[tuple[UUID, float | None]]:
    return [(hit.template.id, hit.score) for hit in hits]


async def test_others_private_rows_are_neither_found_nor_counted_nor_ranked(
    corpus: Corpus, world: World
) -> None:
    ada, bob = corpus.sessions[0], await world.user()
    await world.system.templates.search_statistics.refresh()
    asked: list[dict[str, Any]] = [
        {"text": "alpha"}, {"text": "alpha beta gamma delta"}, {"text": "filler delta"},
        {"text": "gamma", "sort": "newest"}, {"text": "beta", "scope": "public"},
        {"text": "beta filler", "tags": ["red"]}, {"text": "filler", "scope": "mine"}, {},
    ]  # fmt: skip

    async def seen() -> list[Any]:
        return [
            (
                scored(await everything(session, **search)),
                await session.templates.count_search(**search),
            )
            for search in asked
            for session in (ada, world.nobody)
            if session is ada or search.get("scope") != "mine"
        ]

    async def around() -> list[Any]:
        return [
            await ada.templates.usage.statistics(),
            await ada.tags.list_counts(),
            await world.nobody.categories.list_counts(),
            await world.nobody.templates.usage.statistics(),
        ]

    before, numbers = await seen(), await around()
    made = await bob.templates.exchange.create_many(
        dal.NewTemplate(
            name="alpha beta", content="alpha beta gamma delta filler " * 3, tags=["Red"],
            category="One",
        )
        for _ in range(60)
    )  # fmt: skip
    mine = {template.id for template in made}
    await finds(bob, "alpha", mine, scope="mine")
    assert mine <= set(await ids(bob, "alpha"))
    assert await seen() == before
    counted = await world.system.templates.search_statistics.refresh()
    assert await seen() == before
    assert await around() == numbers
    ((public,),) = world.root(
        "SELECT COUNT(*) FROM templates WHERE visibility = 'public' AND deleted_at IS NULL"
    )
    assert 0 < counted.documents <= public
    # They are Bob's to find, whatever was counted.
    await finds(bob, "delta", mine, scope="mine")
    assert mine <= set(await ids(bob, "alpha beta"))
    for template in made:
        await bob.templates.soft_delete(template.id)
    assert await seen() == before


async def test_a_common_word_is_found_beside_a_rare_one(world: World) -> None:
    """However many have it, and though one word is rare or in no text at all."""
    me = await world.user()
    word = world.word()
    await me.templates.exchange.create_many(
        dal.NewTemplate(name=f"n{n}", content=word, visibility="public") for n in range(MANY)
    )
    typo = await me.templates.create(name="typo", content=f"rare{word}", visibility="public")
    for is_counted in (False, True):
        if is_counted:
            await world.system.templates.search_statistics.refresh()
        for text in (word, f"{word} rare{word}", f"{word} no{word}"):
            assert await me.templates.count_search(text) == SEARCH_DEPTH, text
        best = (await me.templates.search(f"{word} rare{word}")).rows[0]
        assert best.template.id == typo.id


async def test_ones_own_are_found_by_a_word_that_all_of_them_have(world: World) -> None:
    me, word = await world.user(), world.word()
    await me.templates.exchange.create_many(
        dal.NewTemplate(name=f"n{n}", content=f"{word} weekly") for n in range(900)
    )
    await world.system.templates.search_statistics.refresh()
    for scope, text in product(("mine", "visible"), (word, f"weekly {word}")):
        assert await me.templates.count_search(text, scope=scope) == SEARCH_DEPTH
    assert await world.nobody.templates.count_search(word) == 0


async def test_the_system_searches_all_that_it_sees(world: World) -> None:
    me, word = await world.user(), world.word()
    made = await me.templates.create(name="x", content=word)
    for text in (word, None):
        hits = (await world.system.templates.search(text, owner_id=made.owner_id)).rows
        assert [hit.template.id for hit in hits] == [made.id]
        count = await world.system.templates.count_search(text, owner_id=made.owner_id)
        assert count == 1
    assert await world.system.templates.count_search(word, scope="public") == 0


async def test_what_is_counted_is_public_and_of_live_users(world: World) -> None:
    owner = await world.system.users.create(email=f"{uuid4()}@x.example", full_name="O")
    session = world.db.acting_as(dal.Actor.user(owner.id))
    before = await world.system.templates.search_statistics.refresh()
    await session.templates.create(name="x", content="y", visibility="public")
    await session.templates.create(name="x", content="y")
    counted = await world.system.templates.search_statistics.refresh()
    assert counted.documents == before.documents + 1
    await world.system.users.soft_delete(owner.id)
    counted = await world.system.templates.search_statistics.refresh()
    assert counted.documents == before.documents == await world.system.templates.count_public()
