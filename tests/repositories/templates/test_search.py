"""The search against a brute-force model, and against everything that is not a search."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, Final
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal.search.analysis import terms_of
from tests.conftest import Recorder, new_user
from tests.repositories.conftest import Root
from tests.repositories.contracts import make_user

# What the templates are made of, and what of it can be looked for: by hand, so that the analysis is
# not judged by itself.
TERMS: Final[dict[str, set[str]]] = {
    "alpha": {"alpha"},
    "BETA": {"beta"},
    "Gamma": {"gamma"},
    "del%ta": {"del", "ta"},
    "ep_silon": {"ep", "silon"},
    "ze\\ta": {"ze", "ta"},
    "e't\"a": {"et", "a"},
    "beta2": {"beta2"},
    "Red": {"red"},
    "grün": {"grun"},
    "\U0001f600": {"\U0001f600"},
    "\U0001f601": {"\U0001f601"},
    "c": {"c"},
}
WORDS: Final = tuple(TERMS)[:8]


@attrs.define
class Corpus:
    """Templates of four users, some deleted, one user deleted; how a search should see them."""

    users: list[dal.User]
    sessions: list[dal.Session]
    nobody: dal.Session
    system: dal.Session
    live: list[dal.Template]
    labels: dict[Any, set[str]]
    word: str

    def expected(
        self,
        who: int | None,
        *,
        text: str = "",
        sort: str | None = None,
        scope: str = "visible",
        by_system: bool = False,
        **filters: Any,
    ) -> list[dal.Template]:
        """What a search finds, in its order; that of relevance is not modelled."""
        me = None if who is None else self.users[who].id
        wanted = TEXTS[text]

        def fits(t: dal.Template) -> bool:
            mine, is_public = t.owner_id == me, t.visibility == "public"
            all_seen = mine or is_public or by_system
            sees = {"visible": all_seen, "mine": mine, "public": is_public}[scope]
            return (
                sees
                and (not text or bool(wanted & terms(t)))
                and all(FILTERS[name](self, t, value) for name, value in filters.items())
            )

        def key(t: dal.Template) -> tuple[Any, Any]:
            of: dict[str, Any] = {
                "popular": t.use_count,
                "trending": t.trend,
                # Ten ratings of 3 are behind each: so one 5 does not win against many 4.8.
                "rating": (t.rating_sum + 30) * 100_000 // (t.rating_count + 10),
            }
            return of.get(str(sort), t.created_at), t.id

        return sorted(filter(fits, self.live), key=key, reverse=sort != "oldest")


def terms(template: dal.Template) -> set[str]:
    """What a template is found by: name, description, author, tags and content."""
    found = set().union(*(TERMS[tag] for tag in template.tags))
    for text in (template.name, template.description, template.author_name, template.content):
        found.update(*(TERMS[word] for word in (text or "").split()))
    return found


def _mean(t: dal.Template) -> float:
    return t.rating_sum / t.rating_count if t.rating_count else 0


START: Final = datetime(2025, 3, 30, 1, 59, 59, 999_990, tzinfo=UTC)
FILTERS: Final[dict[str, Callable[[Corpus, dal.Template, Any], bool]]] = {
    "tags": lambda c, t, v: {x.strip().lower() for x in v} <= {x.lower() for x in t.tags},
    "any_tags": lambda c, t, v: (
        not v or bool({x.strip().lower() for x in v} & {x.lower() for x in t.tags})
    ),
    "category": lambda c, t, v: v is None or t.category == v,
    # As the column compares: whatever the case.
    "author": lambda c, t, v: (t.author_name or "").lower() == v.lower(),
    "owner_id": lambda c, t, v: t.owner_id == v,
    "label": lambda c, t, v: v.strip().lower() in c.labels.get(t.id, ()),
    "visibility": lambda c, t, v: t.visibility == v,
    "min_rating": lambda c, t, v: _mean(t) >= v,
    "created_from": lambda c, t, v: t.created_at >= v,
    "created_before": lambda c, t, v: t.created_at < v,
    "unused": lambda c, t, v: not v or t.use_count == 0,
}


@pytest.fixture(scope="module")
async def corpus(alone: dal.Database) -> Corpus:
    """On a server of its own: what is public is public to every test."""
    dice = random.Random(7)
    system = alone.acting_as(dal.Actor.system("search"))
    users = [await make_user(system, name) for name in ("Ada", "Bob", "Cyd", "Del")]
    sessions = [alone.acting_as(dal.Actor.user(user.id)) for user in users]
    live: list[dal.Template] = []
    labels: dict[Any, set[str]] = {}
    for user, session in zip(users, sessions, strict=True):
        made = await session.templates.exchange.create_many(
            dal.NewTemplate(
                name=" ".join(dice.choices(WORDS, k=2)),
                content="c",
                description=dice.choice([None, " ".join(dice.choices(WORDS, k=3))]),
                author_name=dice.choice([None, dice.choice(WORDS)]),
                category=dice.choice([None, "One", "Two words"]),
                tags=dice.sample(["Red", "grün", "\U0001f600", "\U0001f601"], k=dice.randrange(4)),
                visibility=dice.choice(["public", "private"]),
                # Many share their time, so that ids break ties.
                created_at=START + timedelta(microseconds=dice.randrange(12)),
            )
            for _ in range(60)
        )
        for template in made:
            for label in dice.sample(["production", "staging", "x"], k=dice.choice([0, 0, 1, 2])):
                await session.templates.labels.set(template.id, label, 1)
                labels.setdefault(template.id, set()).add(label)
            if dice.random() < 0.2:
                await session.templates.soft_delete(template.id)
            elif user is not users[3]:
                live.append(template)
    for template in live[::2]:
        raters = (
            users
            if template.visibility == "public"
            else [u for u in users if u.id == template.owner_id]
        )
        for user, session in zip(users, sessions, strict=True):
            if user in raters and dice.random() < 0.6:
                await session.templates.ratings.set(template.id, dice.randint(1, 5))
            if user in raters and dice.random() < 0.4:
                await session.templates.usage.record(template.id)
    # The last one is deleted with all that is theirs, and with what they thought of others'.
    await system.users.soft_delete(users[3].id)
    live = [await system.templates.get(template.id) for template in live]
    assert {t.rating_count for t in live} >= {0, 1, 2, 3}
    nobody = alone.acting_as(dal.Actor.anonymous())
    return Corpus(users, sessions, nobody, system, live, labels, uuid4().hex)


async def everything(session: dal.Session, limit: int, **search: Any) -> list[dal.TemplateHit]:
    rows: list[dal.TemplateHit] = []
    after = None
    while True:
        page = await session.templates.search(limit=limit, after=after, **search)
        rows += page.rows
        if page.next is None:
            return rows
        assert len(page.rows) == limit
        after = page.next


def ids(rows: Iterable[dal.TemplateHit | dal.Template]) -> list[UUID]:
    return [row.template.id if isinstance(row, dal.TemplateHit) else row.id for row in rows]


# A text, and what of it can be looked for.
TEXTS: Final[dict[str, set[str]]] = {
    "": set(),
    "alpha": {"alpha"},
    "BETA gamma": {"beta", "gamma"},
    "%": set(),
    "_": set(),
    "\\": set(),
    "'": set(),
    '"a': {"a"},
    "del%ta": {"del", "ta"},
    "nowhere": set(),
    "a a A": {"a"},
    "a": {"a"},
    "red alpha": {"red", "alpha"},
    "alph": set(),
    "+BETA -alpha": {"beta", "alpha"},
    "red* (GRUN)": {"red", "grun"},
    "\U0001f601": {"\U0001f601"},
    "c": {"c"},
}
TAGS: Final[tuple[tuple[str, ...], ...]] = (
    (), ("red",), ("RED", " grün "), ("\U0001f600",), ("\U0001f600", "\U0001f601"), ("none",),
)  # fmt: skip


@pytest.mark.parametrize("sort", ["newest", "oldest", "popular", "trending", "rating"])
@pytest.mark.parametrize("scope", ["visible", "mine", "public"])
async def test_equals_the_model(corpus: Corpus, scope: str, sort: str) -> None:
    found_any = 0
    combinations = list(product(TEXTS, TAGS, (None, "one", "two-words", "none")))
    random.Random(11).shuffle(combinations)
    for text, tags, category in combinations[:30]:
        search: dict[str, Any] = {
            "text": text, "tags": tags, "category": category, "scope": scope, "sort": sort,
        }  # fmt: skip
        for who in (0, 1, None):
            session = corpus.nobody if who is None else corpus.sessions[who]
            if who is None and scope == "mine":
                continue
            expected = corpus.expected(who, **search)
            rows = await everything(session, 7, **search)
            assert ids(rows) == ids(expected), search
            found_any += bool(rows)
            for hit, template in zip(rows, expected, strict=True):
                for field in attrs.fields(dal.TemplateSummary):
                    assert getattr(hit.template, field.name) == getattr(template, field.name)
                assert (hit.score is None) == (hit.snippet is None) == (text == "")
    assert found_any > 10


@pytest.mark.parametrize("text", ["", "alpha", "BETA gamma", "c"])
@pytest.mark.parametrize("who", [0, None])
async def test_each_filter_and_the_count(corpus: Corpus, who: int | None, text: str) -> None:
    """Each by itself, and with another one; the count is of the same."""
    session = corpus.nobody if who is None else corpus.sessions[who]
    author = corpus.live[0].author_name or "alpha"
    values: list[dict[str, Any]] = [
        {"any_tags": ["RED", "none"]},
        {"any_tags": ["none"]},
        {"any_tags": ["\U0001f601", "red"], "tags": ["grün"]},
        {"any_tags": []},
        {"author": author},
        {"author": author.swapcase()},
        {"owner_id": corpus.users[0].id},
        {"owner_id": corpus.users[1].id},
        {"owner_id": corpus.users[3].id},
        {"label": " Staging "},
        {"label": "nowhere"},
        {"label": "production", "category": "one"},
        {"visibility": "public"},
        {"visibility": "private"},
        {"visibility": "private", "scope": "public"},
        {"min_rating": 3},
        {"min_rating": 3.5, "unused": True},
        {"created_from": START + timedelta(microseconds=5)},
        {"created_before": START + timedelta(microseconds=5)},
        {
            "created_from": START + timedelta(microseconds=3),
            "created_before": START + timedelta(microseconds=4),
        },
        {"unused": True},
        {"unused": False},
    ]
    for given in values:
        expected = corpus.expected(who, text=text, sort="newest", **given)
        rows = await everything(session, 7, text=text, sort="newest", **given)
        assert ids(rows) == ids(expected), given
        assert await session.templates.count_search(text, **given) == len(expected), given


async def test_by_relevance(corpus: Corpus) -> None:
    """The same hits as in any other order, the best first, in pages that fit together."""
    me = corpus.sessions[0]
    for text in ("alpha", "BETA gamma", "red alpha", "c"):
        expected = corpus.expected(0, text=text)
        rows = await everything(me, 500, text=text)
        assert sorted(ids(rows)) == sorted(ids(expected))
        scores = [hit.score or 0 for hit in rows]
        assert scores == sorted(scores, reverse=True)
        assert min(scores) > 0
        assert await everything(me, 7, text=text) == rows
        assert await everything(me, 500, text=text, sort="relevance") == rows


async def test_a_deleted_user_searches_what_is_public_and_the_system_what_there_is(
    corpus: Corpus,
) -> None:
    for text in ("", "c"):
        public = corpus.expected(None, text=text, sort="newest")
        all_live = corpus.expected(None, text=text, sort="newest", by_system=True)
        assert len(all_live) > len(public) > 0
        for session, expected in ((corpus.sessions[3], public), (corpus.system, all_live)):
            rows = await everything(session, 100, text=text, sort="newest")
            assert ids(rows) == ids(expected)
            assert await session.templates.count_search(text) == len(expected)
    for text in ("", "c"):
        assert (await corpus.sessions[3].templates.search(text, scope="mine")).rows == ()
        assert await corpus.sessions[3].templates.count_search(text, scope="mine") == 0
        for session in (corpus.nobody, corpus.system):
            with pytest.raises(dal.PermissionDeniedError):
                await session.templates.search(text, scope="mine")
            with pytest.raises(dal.PermissionDeniedError):
                await session.templates.count_search(text, scope="mine")


async def test_the_numbers_of_words_change_no_hit(corpus: Corpus) -> None:
    """Counted or not, and counted again: the same is found, whoever asks."""
    for _ in range(2):
        await corpus.system.templates.search_statistics.refresh()
        for text, who in product(("alpha", "BETA gamma", "c"), (0, 1, None)):
            session = corpus.nobody if who is None else corpus.sessions[who]
            expected = corpus.expected(who, text=text, sort="newest")
            rows = await everything(session, 500, text=text, sort="newest")
            assert ids(rows) == ids(expected)


@pytest.mark.parametrize("limit", [1, 2, 13, 100, 500])
async def test_any_page_size_gives_the_same_list(corpus: Corpus, limit: int) -> None:
    me = corpus.sessions[1]
    for text in ("", "a", "BETA gamma"):
        expected = corpus.expected(1, text=text, sort="oldest")
        rows = await everything(me, limit, text=text, sort="oldest")
        assert ids(rows) == ids(expected)
        assert len(rows) > 13


@pytest.mark.parametrize("text", [None, "page"])
@pytest.mark.parametrize("sort", ["newest", "oldest"])
async def test_no_row_twice_or_lost_under_inserts_between_pages(
    db: dal.Database, sort: str, text: str | None
) -> None:
    user = await new_user(db)
    me = db.acting_as(dal.Actor.user(user.id))
    now = datetime(2025, 6, 1, tzinfo=UTC)

    async def add(n: int, at: datetime) -> list[dal.Template]:
        return await me.templates.exchange.create_many(
            dal.NewTemplate(name="page", content="c", created_at=at) for _ in range(n)
        )

    before = {t.id for t in [*await add(15, now), *await add(15, now + timedelta(seconds=1))]}
    assert await me.templates.count_search(text, scope="mine") == 30
    seen: list[Any] = []
    after = None
    n_page = 0
    while True:
        page = await me.templates.search(text, scope="mine", sort=sort, limit=4, after=after)
        seen += ids(page.rows)
        n_page += 1
        # Ahead of the reader, behind, and among those of the same time.
        await add(2, now + timedelta(seconds=n_page % 4 - 1))
        if page.next is None or n_page > 60:
            break
        after = page.next
    assert len(seen) == len(set(seen))
    assert before <= set(seen)


INJECTIONS: Final = (
    "\\", "\\\\", "\\'", "'", "''", '"', "%", "%%", "_", "\\%", "\\_", "|%", "\0", "a\0",
    "' OR '1'='1", "\\' OR 1=1 -- ", "') UNION SELECT * FROM users -- ", "1; DROP TABLE templates",
    "/*! SELECT */", "-- ", "# ", "`id`", ":actor_id", ":word_0", "%s", "%(a)s", "{0}", "?",
    # A byte that GBK would take together with the backslash after it.
    "\u00bf\\' OR 1=1 -- ", "\u8a93\\' --", "縗'", "\u00a5'", "\ufe68'", "\u02bc OR 1=1",
    "x' AND SLEEP(9) AND 'x",
    "\x1a", "\U0001f600'", "\u2019 OR 1=1", "CASE WHEN 1 THEN", "NULL", "TRUE",
)  # fmt: skip


@pytest.mark.parametrize("field", ["text", "tags", "category"])
async def test_nothing_is_injected(
    db: dal.Database, as_ada: dal.Session, as_nobody: dal.Session, root: Root, field: str
) -> None:
    """A search finds what holds a word of the text, or what is filed under it, and nothing else."""
    word = uuid4().hex
    other = await new_user(db, "Bob")
    hidden = await db.acting_as(dal.Actor.user(other.id)).templates.create(
        name=f"{word} hidden", content="-", tags=[word], category=word
    )
    bait = await as_ada.templates.create(
        name=f"{word} bait", content="-", tags=[word], category=word, visibility="public"
    )

    async def hits(session: dal.Session, **search: Any) -> set[UUID]:
        return set(ids((await session.templates.search(limit=500, **search)).rows))

    assert bait.id in await hits(as_nobody, text=word)
    for text in INJECTIONS:
        given: dict[str, Any] = {field: [text] if field == "tags" else text}
        if field == "category" and not text.strip(" -_"):
            with pytest.raises(dal.ValueRejectedError) as caught:
                await as_ada.templates.search(**given)
            assert caught.value.field == "category"
            continue
        page = await as_ada.templates.search(scope="mine", limit=500, **given)
        assert page.rows == (), text
        assert await as_ada.templates.count_search(scope="mine", **given) == 0, text
        name = f"{text} {word}"
        own = await as_ada.templates.create(name=name, content="-", tags=[name], category=name)
        by_field: dict[str, dict[str, Any]] = {
            # By the text alone: whatever has the other word is found by that.
            "text": {"text": text},
            "tags": {"tags": [name]},
            "category": {"category": name},
        }
        given = by_field[field]
        # Nothing can be looked for where there are but signs.
        there = field != "text" or any(terms_of(text))
        rows = await hits(as_ada, **given)
        assert (own.id in rows) == there, text
        assert {hidden.id, bait.id}.isdisjoint(rows), text
        assert {hidden.id, own.id, bait.id}.isdisjoint(await hits(as_nobody, **given)), text
        # With a word that the others have, those are found that are to be seen.
        if field == "text":
            both = await hits(as_nobody, text=f"{text} {word}")
            assert bait.id in both
            assert {hidden.id, own.id}.isdisjoint(both)
        await as_ada.templates.soft_delete(own.id)
    assert root("SELECT COUNT(*) FROM templates WHERE id = %s", hidden.id.bytes) == [(1,)]


@pytest.mark.parametrize(
    ("name", "found_by", "not_found_by"),
    [
        ("100% sure", ["100%", "100", "SURE", "sure%"], ["%", "%%", "1%0", "10_", "0% s", "00"]),
        (
            "snake_case",
            ["snake_case", "SNAKE", "case_", "cases"],
            ["_", "__", "snakeXcase", "e_c", "snak%"],
        ),
        ("back\\slash", ["\\back", "BACK\\SLASH", "slash"], ["\\", "\\\\", "backslash", "k\\s"]),
        (
            "plain",
            [
                "plain",
                "+plain",
                "-plain",
                "~plain",
                "<plain",
                ">plain",
                "plain*",
                "(plain",
                "plain)",
                "@plain",
                '"plain"',
                '"plain',
                '"nowhere plain"',
                "+plain +nowhere",
                "+nowhere plain",
                "plain -plain",
                "plain @5",
                '"nowhere plain" @2',
                "++plain",
                "plain**",
                "(((plain",
                "plain | nowhere",
                "plain & nowhere",
                "!plain",
                "NOT plain",
                "plain AND nowhere",
                "plain\0",
                "name:plain",
                "^plain",
                "plain~2",
                "x" * 900 + " plain",
                "plains",
            ],
            [
                "%",
                "_",
                "\\",
                "pl_in",
                "p%n",
                "[a-z]",
                "p.*",
                "lai",
                "pla*",
                "plai*",
                "*",
                "+",
                "-",
                "~",
                "@",
                '"',
                '""',
                "()",
                "<>",
                "* *",
                "+*",
                "nowhere*",
                '+ - * " ( ) ~ @ < >',
                "pl",
                "plainly2",
            ],
        ),
        ('it\'s "so"', ["it's", '"so"', "SO", "it\u2019s"], ["''", "'", '"', "s'"]),
        ("Café Ünïcode", ["cafe", "CAFÉ", "unicode", "cafe\u0301"], ["kafe", "caf"]),
        ("日本語の文", ["本語", "日本語の文", "日本"], ["日語", "中", "文日"]),
        ("go ai c++ 7", ["go", "AI", "7", "ai go"], ["g", "a", "+", "77"]),
    ],
)
async def test_signs_are_no_operators(
    as_ada: dal.Session, name: str, found_by: list[str], not_found_by: list[str]
) -> None:
    """Nor wildcards: they part words, and neither break nor widen nor narrow a search."""
    made = await as_ada.templates.create(name=name, content="-")
    for text in found_by:
        rows = await everything(as_ada, 20, text=text, scope="mine")
        assert ids(rows) == [made.id], text
    for text in not_found_by:
        assert (await as_ada.templates.search(text, scope="mine")).rows == (), text
        assert await as_ada.templates.count_search(text, scope="mine") == 0, text


async def test_any_word_is_looked_for_in_every_text(as_ada: dal.Session) -> None:
    made = await as_ada.templates.create(
        name="first",
        description="second",
        author_name="third",
        content="fourth " * 3_000 + "last",
        tags=["fifth"],
        category="sixth",
        system_prompt="seventh",
    )
    for text in (
        "first", "SECOND", "third", "fourth", "fifth", "last", "THIRD first\tsecond  first",
        "first nowhere", "nowhere fourth", "first\u200bsecond", " ".join(["no"] * 200 + ["first"]),
    ):  # fmt: skip
        rows = await everything(as_ada, 20, text=text, scope="mine")
        assert ids(rows) == [made.id], text
    for text in ("firstsecond", "sixth", "seventh", "irst", "nowhere"):
        assert (await as_ada.templates.search(text, scope="mine")).rows == ()


async def test_what_is_changed_is_found_as_it_is_now(
    as_ada: dal.Session, as_bob: dal.Session
) -> None:
    t = as_ada.templates
    word = f"w{uuid4().hex}"

    async def finds(session: dal.Session, text: str, wanted: bool) -> None:
        """By the text, if it is wanted."""
        rows = await everything(session, 20, text=f"{word}{text}")
        assert ids(rows) == ([made.id] if wanted else []), text

    made = await t.create(name=f"{word}a", content=f"{word}b", visibility="public")
    for session, text in product((as_ada, as_bob), "ab"):
        await finds(session, text, True)
    await t.update_details(made.id, name=f"{word}c", tags=[f"{word}d"])
    for session in (as_ada, as_bob):
        for text, wanted in {"a": False, "b": True, "c": True, "d": True}.items():
            await finds(session, text, wanted)
    await t.versions.commit(made.id, content=f"{word}e")
    for session in (as_ada, as_bob):
        await finds(session, "b", False)
        await finds(session, "e", True)
    await t.versions.rollback(made.id, 1)
    await finds(as_bob, "b", True)
    await finds(as_bob, "e", False)
    await t.versions.delete(made.id, 3)
    await finds(as_bob, "e", True)
    await finds(as_bob, "b", False)
    await t.update_details(made.id, visibility="private")
    await finds(as_ada, "e", True)
    await finds(as_bob, "e", False)
    await t.soft_delete(made.id)
    await finds(as_ada, "e", False)
    await t.restore(made.id)
    await finds(as_ada, "e", True)
    await finds(as_bob, "e", False)
    await t.update_details(made.id, visibility="public")
    await finds(as_bob, "e", True)
    await t.soft_delete(made.id)
    await t.trash.purge(made.id)
    for session in (as_ada, as_bob):
        await finds(session, "e", False)


async def test_a_tag_that_is_not_there_never_widens(
    as_ada: dal.Session, recorder: Recorder
) -> None:
    made = await as_ada.templates.create(name="n", content="c", tags=["known"])
    recorder.clear()
    for given in (
        {"tags": ["known", uuid4().hex]},
        {"any_tags": [uuid4().hex]},
        {"tags": ["known"], "any_tags": [uuid4().hex, uuid4().hex]},
    ):
        for text in (None, "n"):
            recorder.clear()
            nothing = await as_ada.templates.search(text, scope="mine", **given)  # type: ignore[arg-type]
            assert nothing == dal.Page((), None)
            assert await as_ada.templates.count_search(text, scope="mine", **given) == 0  # type: ignore[arg-type]
            # Not asked with fewer tags than were given: not asked at all.
            assert recorder.names == ["tags/list_by_keys"] * 2
    recorder.clear()
    found = await as_ada.templates.search(tags=["KNOWN", " known"], scope="mine")
    assert ids(found.rows) == [made.id]
    assert recorder.names == ["tags/list_by_keys", "search/templates_own"]
    recorder.clear()
    # No tag asked for is no filter, and no question.
    assert (await as_ada.templates.search(tags=[], any_tags=[], scope="mine")).rows == found.rows
    assert recorder.names == ["search/templates_own"]
    recorder.clear()
    assert await as_ada.templates.exchange.list_taken_ids([]) == set()
    assert recorder.names == []


async def test_a_cursor_belongs_to_its_list(as_ada: dal.Session, as_bob: dal.Session) -> None:
    made = await as_ada.templates.exchange.create_many(
        dal.NewTemplate(name="n x", content="c", tags=["t"], visibility="public") for _ in range(3)
    )
    for content in ("1", "2"):
        for template in made[:2]:
            await as_ada.templates.versions.commit(template.id, content=content)
    for template in made[:2]:
        await as_ada.templates.labels.set(template.id, "a", 1)
        await as_ada.templates.labels.set(template.id, "b", 1)
        await as_ada.templates.ratings.set(template.id, 1)
        await as_bob.templates.ratings.set(template.id, 1)
    for text in ("n", "n x"):
        assert await as_ada.templates.count_search(text, scope="mine") == 3
    searches: list[dict[str, Any]] = [
        {"scope": "mine", "sort": "popular"},
        {"scope": "mine", "sort": "rating"},
        {"scope": "mine", "sort": "trending"},
        {"scope": "mine", "text": "n", "sort": "newest"},
        {"scope": "mine", "text": "n", "sort": "rating"},
        {"scope": "mine", "any_tags": ["t"]},
        {"scope": "mine", "visibility": "public"},
        {"scope": "mine", "unused": True},
        {"scope": "mine", "label": "a"},
        {"scope": "mine", "created_from": datetime(2020, 1, 1, tzinfo=UTC)},
        {"scope": "mine"},
        {"scope": "mine", "sort": "oldest"},
        {"scope": "mine", "text": "n"},
        {"scope": "mine", "text": "n x"},
        {"scope": "mine", "tags": ["t"]},
        {"scope": "visible"},
        {"scope": "public"},
    ]
    cursors = [(await as_ada.templates.search(limit=1, **s)).next for s in searches]
    cursors.append((await as_ada.templates.list_mine(limit=1)).next)
    cursors.append((await as_ada.templates.list_public(limit=1)).next)
    cursors.append((await as_ada.templates.versions.list_of(made[0].id, limit=1)).next)
    cursors.append((await as_ada.templates.versions.list_of(made[1].id, limit=1)).next)
    cursors.append((await as_ada.templates.labels.list_moves(made[0].id, limit=1)).next)
    cursors.append((await as_ada.templates.labels.list_moves(made[1].id, limit=1)).next)
    cursors.append((await as_ada.templates.ratings.list_of(made[0].id, limit=1)).next)
    cursors.append((await as_ada.templates.ratings.list_of(made[1].id, limit=1)).next)
    cursors.append((await as_ada.audit.list_mine(limit=1)).next)
    assert len(set(cursors)) == len(cursors)
    assert None not in cursors

    async def use(i: int, after: str | None) -> Any:
        if i < len(searches):
            return await as_ada.templates.search(limit=1, after=after, **searches[i])
        t = as_ada.templates
        lists: list[Callable[[], Awaitable[Any]]] = [
            lambda: t.list_mine(after=after),
            lambda: t.list_public(after=after),
            lambda: t.versions.list_of(made[0].id, after=after),
            lambda: t.versions.list_of(made[1].id, after=after),
            lambda: t.labels.list_moves(made[0].id, after=after),
            lambda: t.labels.list_moves(made[1].id, after=after),
            lambda: t.ratings.list_of(made[0].id, after=after),
            lambda: t.ratings.list_of(made[1].id, after=after),
            lambda: as_ada.audit.list_mine(after=after),
        ]
        return await lists[i - len(searches)]()

    for i, j in product(range(len(cursors)), repeat=2):
        if i == j:
            assert (await use(i, cursors[j])).rows
            continue
        with pytest.raises(dal.ValueRejectedError) as caught:
            await use(i, cursors[j])
        assert caught.value.field == "after", (i, j)
    for wrong in ("", "x", "=", "é", cursors[0] + "A", cursors[0][:-1], 7, b"x", "A" * 300):  # type: ignore[operator, index]
        with pytest.raises(dal.ValueRejectedError) as caught:
            await as_ada.templates.list_mine(after=wrong)  # type: ignore[arg-type]
        assert caught.value.field == "after"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", "x" * 1_001),
        ("text", "a" + " " * 998 + "bc"),
        ("text", 5),
        ("tags", ["a", "b", "c", "d", "e", "f", "g", "h", "i"]),
        ("tags", "text"),
        ("tags", [" "]),
        ("tags", [None]),
        ("tags", 5),
        ("any_tags", ["a", "b", "c", "d", "e", "f", "g", "h", "i"]),
        ("any_tags", "text"),
        ("any_tags", [" "]),
        ("any_tags", None),
        ("author", 5),
        ("author", "x" * 256),
        ("owner_id", "5"),
        ("label", " "),
        ("label", "Latest"),
        ("label", 5),
        ("visibility", "shared"),
        ("visibility", ["public"]),
        ("min_rating", 0),
        ("min_rating", 5.01),
        ("min_rating", 3.001),
        ("min_rating", float("nan")),
        ("min_rating", True),
        ("min_rating", "3"),
        ("created_from", datetime(2020, 1, 1)),  # noqa: DTZ001
        ("created_from", "2020-01-01"),
        ("created_before", 5),
        ("unused", 1),
        ("unused", None),
        ("category", ""),
        ("category", "--"),
        ("category", 5),
        ("scope", "all"),
        ("scope", None),
        ("scope", ["mine"]),
        ("sort", "created_at; DROP TABLE users"),
        ("sort", "relevance"),
        ("limit", 0),
        ("limit", 501),
        ("limit", True),
        ("limit", "5"),
        ("limit", None),
        ("after", "x"),
    ],
)
async def test_what_is_no_search(
    as_ada: dal.Session, recorder: Recorder, field: str, value: object
) -> None:
    arguments: dict[str, Any] = {field: value}
    recorder.clear()
    with pytest.raises(dal.ValueRejectedError) as caught:
        await as_ada.templates.search(**arguments)
    assert caught.value.field == field
    if field not in ("sort", "limit", "after"):
        with pytest.raises(dal.ValueRejectedError) as caught:
            await as_ada.templates.count_search(**arguments)
        assert caught.value.field == field
    assert recorder.names == []
