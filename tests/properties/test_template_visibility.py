"""Who sees what: every list, search, count and statistic of every actor is the brute-force set."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

import dal
from dal.records.ids import MAX_ID
from dal.records.text import category_slug, tag_key
from tests.properties.conftest import Own
from tests.properties.profiles import property_settings
from tests.properties.test_template_versions import NOBODY, START, SYSTEM, Actors, pages, told

N_OWNERS: Final = 3
# One more who owns nothing and rates all that is public.
OTHER: Final = N_OWNERS
ACTORS: Final = (SYSTEM, NOBODY, *range(N_OWNERS + 1))
WORDS: Final = ("alpha", "bravo", "delta", "kilo", "tango")


@attrs.define
class Row:
    """A template as it should be."""

    owner: int
    name: str
    description: str | None
    author_name: str | None
    category: str | None
    tags: list[str]
    visibility: dal.Visibility
    content: str
    age: int
    deleted: bool
    label: str | None
    uses: int
    rating: int | None
    id: UUID = MAX_ID

    @property
    def keys(self) -> set[str]:
        return {tag_key(tag) for tag in self.tags}

    @property
    def slug(self) -> str | None:
        return None if self.category is None else category_slug(self.category)

    @property
    def words(self) -> set[str]:
        texts = (self.name, self.description, self.author_name, self.content, *self.tags)
        return {word for text in texts if text for word in text.lower().split()}

    @property
    def is_public(self) -> bool:
        return self.visibility is dal.Visibility.PUBLIC

    @property
    def created_at(self) -> Any:
        return START - timedelta(days=self.age)


words = st.sampled_from(WORDS)
texts = st.lists(words, min_size=1, max_size=2).map(" ".join)
tags = st.lists(st.sampled_from(["Red", "red", "alpha", "\U0001f600", "\U0001f601"]), max_size=3)
categories = st.none() | st.sampled_from(["One", "one ", "Two words"])
authors = st.none() | st.sampled_from(["tango", "Kilo Alpha"])
label_names = st.none() | st.sampled_from(["production", "staging"])
rows = st.builds(
    Row,
    owner=st.integers(0, N_OWNERS - 1),
    name=texts,
    description=st.none() | texts,
    author_name=authors,
    category=categories,
    tags=tags,
    visibility=st.sampled_from(dal.Visibility),
    content=texts,
    age=st.integers(0, 3),
    deleted=st.sampled_from([False, False, False, True]),
    label=label_names,
    uses=st.integers(0, 2),
    rating=st.none() | st.integers(1, 5),
    id=st.just(MAX_ID),
)
filters: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "category": st.sampled_from(["ONE", "two-words"]),
        "tags": st.lists(st.sampled_from(["RED", "\U0001f600"]), min_size=1, max_size=2),
        "any_tags": st.lists(st.sampled_from(["red", "\U0001f601", "none"]), min_size=1),
        "author": st.just("tango"),
        "owner": st.integers(0, N_OWNERS - 1),
        "label": st.sampled_from(["production", "STAGING"]),
        "visibility": st.sampled_from(dal.Visibility),
        "min_rating": st.sampled_from([1, 3, 4.5]),
        "created_from": st.integers(0, 3).map(lambda days: START - timedelta(days=days)),
        "created_before": st.integers(0, 3).map(lambda days: START - timedelta(days=days)),
        "unused": st.booleans(),
    },
)
few_filters: st.SearchStrategy[dict[str, Any]] = st.just({}) | filters.filter(
    lambda chosen: len(chosen) <= 2
)


def passes(row: Row, chosen: dict[str, Any]) -> bool:
    """Whether a filter leaves the row in."""
    checks: dict[str, Callable[[Any], bool]] = {
        "category": lambda value: row.slug == category_slug(value),
        "tags": lambda value: {tag_key(tag) for tag in value} <= row.keys,
        "any_tags": lambda value: bool({tag_key(tag) for tag in value} & row.keys),
        "author": lambda value: row.author_name == value,
        "owner": lambda value: row.owner == value,
        "label": lambda value: row.label == value.lower(),
        "visibility": lambda value: row.visibility is value,
        "min_rating": lambda value: row.rating is not None and row.rating >= value,
        "created_from": lambda value: row.created_at >= value,
        "created_before": lambda value: row.created_at < value,
        "unused": lambda value: not (value and row.uses),
    }
    return all(checks[name](value) for name, value in chosen.items())


class World(Actors):
    """Built once, then looked at by everybody."""

    rows: list[Row]
    gone: set[int]

    async def build(self, made: list[Row], gone: set[int], refreshed: bool) -> None:
        self.rows, self.gone = made, set()
        for owner in range(N_OWNERS):
            mine = [row for row in made if row.owner == owner]
            templates = self.session(owner).templates
            created = await templates.exchange.create_many(
                dal.NewTemplate(
                    name=row.name,
                    description=row.description,
                    author_name=row.author_name,
                    category=row.category,
                    tags=row.tags,
                    visibility=row.visibility,
                    content=row.content,
                    created_at=row.created_at,
                )
                for row in mine
            )
            for row, template in zip(mine, created, strict=True):
                row.id = template.id
                if row.label is not None:
                    await templates.labels.set(row.id, row.label, 1)
                for _ in range(row.uses):
                    await self.system.templates.usage.record(row.id)
                if not row.is_public:
                    row.rating = None
                elif row.rating is not None:
                    await self.session(OTHER).templates.ratings.set(row.id, row.rating)
                if row.deleted:
                    await templates.soft_delete(row.id)
        for owner in gone:
            await self.system.users.soft_delete(self.users[owner].id)
        self.gone = gone
        if refreshed:
            await self.system.templates.search_statistics.refresh()

    def lives(self, row: Row) -> bool:
        return not row.deleted and row.owner not in self.gone

    def visible(self, actor: int) -> list[Row]:
        return [
            row
            for row in self.rows
            if self.lives(row) and (row.is_public or actor in (SYSTEM, row.owner))
        ]

    async def check_lists(self, actor: int) -> None:
        templates, seen = self.session(actor).templates, self.visible(actor)
        denied = dal.PermissionDeniedError
        public = [row for row in seen if row.is_public]
        mine = [row for row in seen if row.owner == actor]
        trash = [r for r in self.rows if r.deleted and r.owner == actor and actor not in self.gone]
        assert await listed(templates.list_public) == newest_first(public)
        assert await templates.count_public() == len(public)
        if actor >= 0:
            assert await listed(templates.list_mine) == newest_first(mine)
            assert [t.id async for t in templates.exchange.stream()] == newest_first(mine)
            exported = [one.template.id async for one in templates.exchange.export()]
            assert exported == newest_first(mine)
            assert set(await listed(templates.trash.list_mine)) == {row.id for row in trash}
            assert await templates.count_mine() == len(mine)
            assert await templates.trash.count_mine() == len(trash)
        else:
            assert await told(templates.list_mine()) is denied
            assert await told(templates.trash.count_mine()) is denied
        if actor == SYSTEM:
            assert await listed(templates.list_all) == newest_first(seen)
            assert await templates.count_all() == len(seen)
        else:
            assert await told(templates.list_all()) is denied
            assert await told(templates.count_all()) is denied
        for row in self.rows:
            assert await templates.exists(row.id) == (row in seen)

    async def check_numbers(self, actor: int) -> None:
        me, seen = self.session(actor), self.visible(actor)
        slugs = await me.categories.list_counts()
        assert {c.slug: c.templates for c in slugs} == Counter(row.slug for row in seen)
        keys = await me.tags.list_counts()
        assert {c.tag_key: c.templates for c in keys} == Counter(k for r in seen for k in r.keys)
        for counts in (slugs, keys):
            numbers = [one.templates for one in counts]
            assert numbers == sorted(numbers, reverse=True)
        ratings = [row.rating for row in seen if row.rating is not None]
        assert await me.templates.usage.statistics() == dal.TemplateStatistics(
            templates=len(seen),
            public=sum(row.is_public for row in seen),
            private=sum(not row.is_public for row in seen),
            deleted=sum(
                row.deleted and row.owner not in self.gone and actor in (SYSTEM, row.owner)
                for row in self.rows
            ),
            versions=len(seen),
            authors=len({row.author_name for row in seen} - {None}),
            tags=len({key for row in seen for key in row.keys}),
            ratings=len(ratings),
            rating_sum=sum(ratings),
            uses=sum(row.uses for row in seen),
            never_used=sum(not row.uses for row in seen),
        )

    async def check_searches(
        self, actor: int, text: str, chosen: dict[str, Any], sorts: tuple[dal.Sort, dal.Sort]
    ) -> None:
        templates, seen = self.session(actor).templates, self.visible(actor)
        how = dict(chosen)
        if "owner" in how:
            how["owner_id"] = self.users[how.pop("owner")].id
        for scope in dal.SearchScope:
            if scope is dal.SearchScope.MINE and actor < 0:
                for asked in (None, text):
                    work = templates.search(asked, scope=scope, **how)
                    assert await told(work) is dal.PermissionDeniedError
                    count = templates.count_search(asked, scope=scope, **how)
                    assert await told(count) is dal.PermissionDeniedError
                continue
            fit = [r for r in seen if passes(r, chosen)]
            if scope is dal.SearchScope.MINE:
                fit = [row for row in fit if row.owner == actor]
            elif scope is dal.SearchScope.PUBLIC:
                fit = [row for row in fit if row.is_public]
            hits = [row for row in fit if row.words & set(text.split())]
            by, by_words = sorts
            if by is not dal.Sort.RELEVANCE:
                await check_search(templates, None, fit, sort=by, scope=scope, **how)
            await check_search(templates, text, hits, sort=by_words, scope=scope, **how)


async def check_search(
    templates: dal.TemplateRepository, asked: str | None, expected: list[Row], **how: Any
) -> None:
    sort = how["sort"]
    found = await pages(lambda **page: templates.search(asked, **how, **page), limit=5)
    got = [hit.template.id for hit in found]
    assert len(got) == len(set(got))
    if sort is dal.Sort.RELEVANCE:
        assert set(got) == {row.id for row in expected}
        scores = [hit.score for hit in found]
        assert scores == sorted(scores, reverse=True)
        assert all(score > 0 for score in scores)
    elif sort is dal.Sort.TRENDING:
        # All uses are of one moment.
        assert got == ordered(expected, lambda row: row.uses)
    else:
        assert got == ordered(expected, KEYS[sort], ascending=sort is dal.Sort.OLDEST)
    filters_alone = {name: value for name, value in how.items() if name != "sort"}
    assert await templates.count_search(asked, **filters_alone) == len(expected)


KEYS: Final[dict[dal.Sort, Callable[[Row], Any]]] = {
    dal.Sort.NEWEST: lambda row: row.created_at,
    dal.Sort.OLDEST: lambda row: row.created_at,
    dal.Sort.POPULAR: lambda row: row.uses,
    dal.Sort.RATING: lambda row: (
        3 if row.rating is None else (30 + row.rating) * 100_000 // 11 / 100_000
    ),
}


def ordered(of: list[Row], key: Callable[[Row], Any], *, ascending: bool = False) -> list[UUID]:
    return [r.id for r in sorted(of, key=lambda r: (key(r), r.id), reverse=not ascending)]


def newest_first(of: list[Row]) -> list[UUID]:
    return ordered(of, lambda row: row.created_at)


async def listed(view: Callable[..., Awaitable[dal.Page[Any]]]) -> list[UUID]:
    return [row.id for row in await pages(view, limit=4)]


def fewer() -> settings:
    """An example is some hundred statements."""
    whole = property_settings()
    return settings(whole, max_examples=max(5, whole.max_examples // 4))


@fewer()
@given(
    made=st.lists(rows, max_size=14),
    gone=st.sets(st.integers(0, N_OWNERS - 1), max_size=2),
    refreshed=st.booleans(),
    text=texts,
    chosen=few_filters,
    sorts=st.tuples(st.sampled_from(dal.Sort), st.sampled_from(dal.Sort)),
)
def test_everybody_sees_the_brute_force_set(
    own: Own,
    made: list[Row],
    gone: set[int],
    refreshed: bool,
    text: str,
    chosen: dict[str, Any],
    sorts: tuple[dal.Sort, dal.Sort],
) -> None:
    world = World(own)
    try:
        world.open(N_OWNERS + 1)

        async def look() -> None:
            await world.build(made, gone, refreshed)
            # Several at once, on as many connections: nothing changes meanwhile.
            await asyncio.gather(*(world.check_lists(actor) for actor in ACTORS))
            await asyncio.gather(*(world.check_numbers(actor) for actor in ACTORS))
            await asyncio.gather(
                *(world.check_searches(actor, text, chosen, sorts) for actor in ACTORS)
            )

        world.run(look())
    finally:
        world.teardown()
