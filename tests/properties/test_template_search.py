"""Searches for whatever can be typed: nothing is an operator, and nobody's private text is felt."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dal
from dal.repositories.templates.search import SEARCH_DEPTH
from dal.search import SCORE_SCALE, TEMPLATES, Counts, impacts, query_terms, weighted
from dal.search.analysis import terms_of
from tests.conftest import options
from tests.properties.conftest import Own
from tests.properties.profiles import property_settings
from tests.properties.test_template_versions import pages, told

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
OPERATORS: Final = "+-*\"()~@<>%_\\';`:&|!?{}[]^$#,./\0\x1a"
MOST_CHARS: Final = 1_000
Found = dict[UUID, float | None]


@attrs.frozen
class Opened:
    """A database in a loop of its own, since examples are synchronous."""

    run: Callable[[Coroutine[Any, Any, Any]], Any]
    db: dal.Database
    own: Own

    @property
    def system(self) -> dal.Session:
        return self.db.acting_as(dal.Actor.system("search"))

    @property
    def nobody(self) -> dal.Session:
        return self.db.acting_as(dal.Actor.anonymous())

    async def user(self) -> tuple[UUID, dal.Session]:
        made = await self.system.users.create(email=f"{uuid4()}@search.example", full_name="S")
        return made.id, self.db.acting_as(dal.Actor.user(made.id))


@pytest.fixture(scope="module")
def opened(own: Own) -> Iterator[Opened]:
    own.empty()
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        stack = AsyncExitStack()
        given_options: dict[str, Any] = options(own.config)
        connected = dal.connect(clock=dal.ManualClock(NOW), **given_options)
        db = runner.run(stack.enter_async_context(connected))
        yield Opened(runner.run, db, own)
        runner.run(stack.aclose())
        own.empty()


async def found_by(me: dal.Session, text: str, **how: Any) -> Found:
    """The ids of all hits with their scores."""
    found = await pages(lambda **page: me.templates.search(text, **how, **page), limit=50)
    hits: list[dal.TemplateHit] = found
    assert len({hit.template.id for hit in hits}) == len(hits)
    for hit in hits:
        assert hit.snippet is None or all(
            0 <= start < end <= len(hit.snippet.text) for start, end in hit.snippet.highlights
        )
    return {hit.template.id: hit.score for hit in hits}


async def exactly(me: dal.Session, text: str, expected: set[UUID], **how: Any) -> Found:
    """What is found, which is what is expected, and counted so."""
    found = await found_by(me, text, **how)
    assert found.keys() == expected
    assert await me.templates.count_search(text, **how) == len(found)
    return found


surrogates = st.characters(categories=["Cs"])
letters = (
    st.characters(exclude_categories=["Cs"])
    | st.sampled_from("ab1 \n" + OPERATORS)
    | st.sampled_from("你好ラーメンกა\u0301")
)
anything = st.text(letters | surrogates, max_size=30)
long_texts = st.tuples(st.text(letters, min_size=1, max_size=5), st.integers(150, 1_100)).map(
    lambda pair: pair[0] * pair[1]
)


def is_text(value: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in value)


@property_settings()
@given(text=anything | long_texts, scope=st.sampled_from(dal.SearchScope), data=st.data())
def test_whatever_is_typed_is_searched_for_or_refused(
    opened: Opened, text: str, scope: dal.SearchScope, data: st.DataObject
) -> None:
    fits = is_text(text) and len(text.strip()) <= MOST_CHARS
    sort = data.draw(st.sampled_from([None, "newest", "rating"]))

    async def ask() -> None:
        _, me = await opened.user()
        stranger = opened.nobody if scope != "mine" else me
        for work in (
            me.templates.search(text, scope=scope, sort=sort),
            stranger.templates.search(text, scope=scope, limit=1),
            me.templates.count_search(text, scope=scope),
        ):
            got = await told(work)
            assert (got is dal.ValueRejectedError) == (not fits)
            assert fits or isinstance(got, type)
        # The filters that take a text of their own.
        for how in ({"author": text}, {"category": text}, {"label": text}, {"tags": [text]},
                    {"any_tags": [text]}):  # fmt: skip
            for asked in (None, "alpha"):
                got = await told(me.templates.search(asked, scope=scope, **how))
                assert got is dal.ValueRejectedError or isinstance(got, dal.Page)
                if not is_text(text):
                    assert got is dal.ValueRejectedError

    opened.run(ask())


@property_settings()
@given(
    stored=st.lists(st.tuples(st.text(letters, max_size=12), st.booleans()), max_size=5),
    data=st.data(),
)
def test_what_is_found_is_what_has_one_of_the_terms(
    opened: Opened, stored: list[tuple[str, bool]], data: st.DataObject
) -> None:
    """Of arbitrary Unicode, stored in any of the texts, against a comparison of terms."""
    places = [data.draw(st.sampled_from(["name", "content", "description"])) for _ in stored]
    begin = data.draw(st.integers(0, 5))
    some = [text for text, _ in stored] or ["x"]
    text = data.draw(st.text(letters, max_size=6) | st.sampled_from(some).map(lambda t: t[begin:]))

    async def look() -> None:
        my_id, me = await opened.user()
        news: list[dict[str, Any]] = [
            {
                "name": "-",
                "content": "",
                place: one,
                "visibility": "public" if is_public else "private",
            }
            for (one, is_public), place in zip(stored, places, strict=True)
        ]
        made = await me.templates.exchange.create_many(dal.NewTemplate(**new) for new in news)
        terms = set(query_terms(text))
        expected = {
            template.id
            for template, (one, _) in zip(made, stored, strict=True)
            if terms & set(terms_of(one))
        }
        if not text.strip():
            # No words: that is a list, of everything.
            expected = {template.id for template in made}
        public = {t.id for t in made if t.visibility is dal.Visibility.PUBLIC}
        await exactly(me, text, expected, scope="mine")
        await exactly(me, text, expected, owner_id=my_id)
        await exactly(opened.nobody, text, expected & public, owner_id=my_id)

    opened.run(look())


KEPT: Final = ("alpha", "bravo", "axb", "100", "a b", "delta kilo", "100%", "a_b", "你好 tango")


@pytest.fixture(scope="module")
def kept(opened: Opened) -> tuple[UUID, dal.Session, dict[str, UUID]]:
    """Templates of one user, one of each text, which also is the author that is credited."""

    async def make() -> tuple[UUID, dal.Session, dict[str, UUID]]:
        my_id, me = await opened.user()
        made = await me.templates.exchange.create_many(
            dal.NewTemplate(name="-", content=text, author_name=text, tags=[text]) for text in KEPT
        )
        return my_id, me, {text: one.id for text, one in zip(KEPT, made, strict=True)}

    made: tuple[UUID, dal.Session, dict[str, UUID]] = opened.run(make())
    return made


@property_settings()
@given(
    words=st.lists(
        st.sampled_from(["alpha", "bravo", "kilo", "100", "a", "你好"]), min_size=1, max_size=20
    ),
    noise=st.lists(st.text(st.sampled_from(OPERATORS), max_size=4), min_size=40, max_size=40),
)
def test_operators_are_noise(
    opened: Opened,
    kept: tuple[UUID, dal.Session, dict[str, UUID]],
    words: list[str],
    noise: list[str],
) -> None:
    """They neither break a query nor widen, narrow or weigh it."""
    _, me, by_text = kept
    around = zip(noise, words, noise[20:], strict=False)
    typed = " ".join(f"{before}{word}{after}" for before, word, after in around)
    terms = set(query_terms(" ".join(words)))
    expected = {by_text[text] for text in KEPT if terms & set(terms_of(text))}

    async def look() -> None:
        plain = await exactly(me, " ".join(words), expected, scope="mine")
        assert await exactly(me, typed, expected, scope="mine") == plain

    opened.run(look())


@pytest.mark.parametrize("text", ["%", "_", "%%", "a%", "al_ha", "alph%", "%lpha", "*", "alph*"])
def test_wildcards_are_literal(
    opened: Opened, kept: tuple[UUID, dal.Session, dict[str, UUID]], text: str
) -> None:
    _, me, by_text = kept
    wanted = {by_text[one] for one in KEPT if set(terms_of(one)) & set(terms_of(text))}
    assert not wanted & {by_text["alpha"], by_text["axb"]}

    async def look() -> None:
        await exactly(me, text, wanted, scope="mine")
        # The filters compare the whole.
        filters: list[dict[str, Any]] = [
            *({field: text} for field in ("author", "category", "label")),
            *({field: [text]} for field in ("tags", "any_tags")),
        ]
        for how in filters:
            got = await told(me.templates.search(scope="mine", **how))
            # Of punctuation alone there is no category.
            assert got is dal.ValueRejectedError or got == dal.Page((), None)
        for author in ("100%", "a_b"):
            hits = (await me.templates.search(scope="mine", author=author)).rows
            assert [hit.template.id for hit in hits] == [by_text[author]]

    opened.run(look())


words = st.sampled_from(["alpha", "bravo", "delta", "kilo", "你好", "\U0001f600"])
phrases = st.lists(words, min_size=1, max_size=5).map(" ".join)


ASKERS: Final = ("first", "second", "nobody", "system")


@property_settings()
@given(
    rows=st.lists(st.tuples(st.booleans(), st.booleans(), phrases, phrases), max_size=12),
    more=st.lists(phrases, max_size=5),
    text=phrases,
    asker=st.sampled_from(ASKERS),
    is_counted=st.booleans(),
)
def test_hits_are_those_of_a_brute_force_over_what_the_asker_may_see(
    opened: Opened,
    rows: list[tuple[bool, bool, str, str]],
    more: list[str],
    text: str,
    asker: str,
    is_counted: bool,
) -> None:
    """BM25, score by score, whatever others keep in private."""
    opened.own.empty()

    async def look() -> None:
        sessions = {"nobody": opened.nobody, "system": opened.system}
        ids = {}
        for name in ("first", "second", "third"):
            ids[name], sessions[name] = await opened.user()
        made = []
        for is_first, is_public, name, content in rows:
            who = "first" if is_first else "second"
            visibility = "public" if is_public else "private"
            new = dal.NewTemplate(name=name, content=content, visibility=visibility)
            made += await sessions[who].templates.exchange.create_many([new])
        if is_counted:
            await opened.system.templates.search_statistics.refresh()
        of_all = {
            one.id: impacts(one.name, [one.content], pivot_terms=TEMPLATES.pivot_terms)
            for one in made
        }
        public = [one.id for one in made if one.visibility is dal.Visibility.PUBLIC]
        holding = Counter(term for one in public for term in of_all[one])
        weights = {
            one.term: one.weight
            for one in weighted(query_terms(text), Counts(len(public), holding))
        }
        expected = [
            (sum(of_all[one.id].get(term, 0) * weight for term, weight in weights.items()), one.id)
            for one in made
            if asker == "system" or one.id in public or one.owner_id == ids.get(asker)
        ]
        expected = sorted((one for one in expected if one[0]), reverse=True)

        async def found() -> list[tuple[int, UUID]]:
            hits = await pages(lambda **page: sessions[asker].templates.search(text, **page), 3)
            return [(round(hit.score * SCORE_SCALE), hit.template.id) for hit in hits]

        assert await found() == expected
        assert await sessions[asker].templates.count_search(text) == len(expected)
        if asker != "system":
            await sessions["third"].templates.exchange.create_many(
                dal.NewTemplate(name=one, content=one) for one in more
            )
            assert await found() == expected

    opened.run(look())


def fewer() -> settings:
    whole = property_settings()
    return settings(whole, max_examples=max(5, whole.max_examples // 2))


@fewer()
@given(
    public=st.lists(phrases, min_size=1, max_size=6),
    mine=st.lists(phrases, max_size=3),
    hidden=st.lists(phrases, min_size=1, max_size=6),
    copies=st.integers(1, 12),
    text=phrases,
)
def test_nobody_feels_the_private_texts_of_others(
    opened: Opened, public: list[str], mine: list[str], hidden: list[str], copies: int, text: str
) -> None:
    """They are not found, not counted, and move no score, however many there are."""
    opened.own.empty()

    async def look() -> None:
        my_id, me = await opened.user()
        _, other = await opened.user()
        _, author = await opened.user()
        shown = await author.templates.exchange.create_many(
            dal.NewTemplate(name=one, content=one, visibility="public") for one in public
        )
        own = await me.templates.exchange.create_many(
            dal.NewTemplate(name="-", content=one) for one in mine
        )
        terms = set(query_terms(text))
        visible = {
            template.id
            for template, one in zip([*shown, *own], [*public, *mine], strict=True)
            if terms & set(terms_of(one))
        }
        for_all = visible - {template.id for template in own}
        await opened.system.templates.search_statistics.refresh()
        before = await exactly(me, text, visible)
        by_nobody = await exactly(opened.nobody, text, for_all)
        numbers = await me.templates.usage.statistics()

        async def is_as_before() -> None:
            assert await exactly(me, text, visible) == before
            assert await exactly(opened.nobody, text, for_all) == by_nobody
            assert await me.templates.usage.statistics() == numbers
            # Also where a filter leaves the actor's own alone.
            assert (await exactly(me, text, visible - for_all, owner_id=my_id)).keys() <= visible

        made = await other.templates.exchange.create_many(
            dal.NewTemplate(name=one, content=one, tags=one.split()[:1]) for one in hidden * copies
        )
        await is_as_before()
        await opened.system.templates.search_statistics.refresh()
        await is_as_before()
        await other.templates.versions.commit(made[0].id, content=f"{text} {text}")
        await other.templates.soft_delete(made[-1].id)
        await opened.system.templates.search_statistics.refresh()
        await is_as_before()

    opened.run(look())


def test_a_page_of_the_largest_size_is_not_the_end_of_a_long_search(opened: Opened) -> None:
    """One's own and others' are more than a page holds; the best are the best 300."""
    opened.own.empty()

    async def look() -> None:
        _, me = await opened.user()
        _, other = await opened.user()
        for owner, visibility in ((me, "private"), (other, "public")):
            await owner.templates.exchange.create_many(
                dal.NewTemplate(name="alpha", content=str(i), visibility=visibility)
                for i in range(260)
            )
        # Counted and listed is what can be paged to, in whatever order: the best of all 520.
        assert await me.templates.count_search("alpha") == SEARCH_DEPTH
        for sort in (dal.Sort.NEWEST, dal.Sort.RELEVANCE):
            hits = await pages(
                lambda sort=sort, **page: me.templates.search("alpha", sort=sort, **page),
                limit=500,
            )
            assert len(hits) == SEARCH_DEPTH
            assert len({hit.template.id for hit in hits}) == SEARCH_DEPTH

    opened.run(look())
    opened.own.empty()
