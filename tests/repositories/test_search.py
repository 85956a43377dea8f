"""The search against a brute-force model, and against everything that is not a search."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, Final
from uuid import uuid4

import attrs
import pytest

import dal
from tests.conftest import Recorder, new_user
from tests.repositories.conftest import Root
from tests.repositories.contracts import make_user

WORDS: Final = ("alpha", "BETA", "Gamma", "del%ta", "ep_silon", "ze\\ta", "e't\"a", "beta2")


@attrs.define
class Corpus:
    """Templates of four users, some deleted, one user deleted; how a search should see them."""

    users: list[dal.User]
    sessions: list[dal.Session]
    nobody: dal.Session
    system: dal.Session
    live: list[dal.Template]
    word: str

    def expected(
        self,
        who: int | None,
        *,
        text: str = "",
        tags: tuple[str, ...] = (),
        category: str | None = None,
        scope: str = "visible",
        sort: str = "newest",
    ) -> list[dal.Template]:
        me = None if who is None else self.users[who].id

        def fits(t: dal.Template) -> bool:
            mine, is_public = t.owner_id == me, t.visibility == "public"
            sees = {"visible": mine or is_public, "mine": mine, "public": is_public}[scope]
            texts = [x.lower() for x in (t.name, t.description, t.author_name) if x is not None]
            return (
                sees
                and all(any(word.lower() in x for x in texts) for word in text.split())
                and {tag.strip().lower() for tag in tags} <= {tag.lower() for tag in t.tags}
                and (category is None or t.category == category)
            )

        return sorted(
            filter(fits, self.live),
            key=lambda t: (t.created_at, t.id),
            reverse=sort == "newest",
        )


@pytest.fixture(scope="module")
async def corpus(alone: dal.Database) -> Corpus:
    """On a server of its own: what is public is public to every test."""
    dice = random.Random(7)
    system = alone.acting_as(dal.Actor.system("search"))
    users = [await make_user(system, name) for name in ("Ada", "Bob", "Cyd", "Del")]
    sessions = [alone.acting_as(dal.Actor.user(user.id)) for user in users]
    start = datetime(2025, 3, 30, 1, 59, 59, 999_990, tzinfo=UTC)
    live: list[dal.Template] = []
    for user, session in zip(users, sessions, strict=True):
        made = await session.templates.create_many(
            dal.NewTemplate(
                name=" ".join(dice.choices(WORDS, k=2)),
                content="c",
                description=dice.choice([None, " ".join(dice.choices(WORDS, k=3))]),
                author_name=dice.choice([None, dice.choice(WORDS)]),
                category=dice.choice([None, "One", "Two words"]),
                tags=dice.sample(["Red", "grün", "\U0001f600", "\U0001f601"], k=dice.randrange(4)),
                visibility=dice.choice(["public", "private"]),
                # Many share their time, so that ids break ties.
                created_at=start + timedelta(microseconds=dice.randrange(12)),
            )
            for _ in range(60)
        )
        for template in made:
            if dice.random() < 0.2:
                await session.templates.soft_delete(template.id)
            elif user is not users[3]:
                live.append(template)
    # The last one is deleted with all that is theirs.
    await system.users.soft_delete(users[3].id)
    return Corpus(
        users, sessions, alone.acting_as(dal.Actor.anonymous()), system, live, uuid4().hex
    )


async def everything(session: dal.Session, limit: int, **search: Any) -> list[dal.TemplateSummary]:
    rows: list[dal.TemplateSummary] = []
    after = None
    while True:
        page = await session.templates.search(limit=limit, after=after, **search)
        rows += page.rows
        if page.next is None:
            return rows
        assert len(page.rows) == limit
        after = page.next


TEXTS: Final = ("", "alpha", "BETA gamma", "%", "_", "\\", "'", '"a', "del%ta", "nowhere", "a a A")
TAGS: Final[tuple[tuple[str, ...], ...]] = (
    (), ("red",), ("RED", " grün "), ("\U0001f600",), ("\U0001f600", "\U0001f601"), ("none",),
)  # fmt: skip


@pytest.mark.parametrize("sort", ["newest", "oldest"])
@pytest.mark.parametrize("scope", ["visible", "mine", "public"])
async def test_equals_the_model(corpus: Corpus, scope: str, sort: str) -> None:
    found_any = 0
    combinations = list(product(TEXTS, TAGS, (None, "one", "two-words", "none")))
    random.Random(11).shuffle(combinations)
    for text, tags, category in combinations[:50]:
        search: dict[str, Any] = {
            "text": text, "tags": tags, "category": category, "scope": scope, "sort": sort,
        }  # fmt: skip
        for who in (0, 1, None):
            session = corpus.nobody if who is None else corpus.sessions[who]
            if who is None and scope == "mine":
                continue
            rows = await everything(session, 7, **search)
            expected = corpus.expected(who, **search)
            assert [row.id for row in rows] == [t.id for t in expected], search
            found_any += bool(rows)
            for row, template in zip(rows, expected, strict=True):
                for field in attrs.fields(dal.TemplateSummary):
                    assert getattr(row, field.name) == getattr(template, field.name)
    assert found_any > 15


async def test_a_deleted_user_and_the_system_search_what_is_public(corpus: Corpus) -> None:
    for session in (corpus.sessions[3], corpus.system):
        rows = await everything(session, 100)
        assert [row.id for row in rows] == [t.id for t in corpus.expected(None)]
    assert (await corpus.sessions[3].templates.search(scope="mine")).rows == ()
    for session in (corpus.nobody, corpus.system):
        with pytest.raises(dal.PermissionDeniedError):
            await session.templates.search(scope="mine")


@pytest.mark.parametrize("limit", [1, 2, 13, 100, 500])
async def test_any_page_size_gives_the_same_list(corpus: Corpus, limit: int) -> None:
    me = corpus.sessions[1]
    rows = await everything(me, limit, text="a", sort="oldest")
    expected = corpus.expected(1, text="a", sort="oldest")
    assert [row.id for row in rows] == [t.id for t in expected]


@pytest.mark.parametrize("sort", ["newest", "oldest"])
async def test_no_row_twice_or_lost_under_inserts_between_pages(
    db: dal.Database, sort: str
) -> None:
    user = await new_user(db)
    me = db.acting_as(dal.Actor.user(user.id))
    now = datetime(2025, 6, 1, tzinfo=UTC)

    async def add(n: int, at: datetime) -> list[dal.Template]:
        return await me.templates.create_many(
            dal.NewTemplate(name="page", content="c", created_at=at) for _ in range(n)
        )

    before = {t.id for t in [*await add(15, now), *await add(15, now + timedelta(seconds=1))]}
    seen: list[Any] = []
    after = None
    n_page = 0
    while True:
        page = await me.templates.search("page", scope="mine", sort=sort, limit=4, after=after)
        seen += [row.id for row in page.rows]
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
    """A search finds what holds the text, and nothing that does not."""
    word = uuid4().hex
    other = await new_user(db, "Bob")
    hidden = await db.acting_as(dal.Actor.user(other.id)).templates.create(
        name=f"{word} hidden", content="c", tags=[word], category=word
    )
    bait = await as_ada.templates.create(
        name=f"{word} bait", content="c", tags=[word], category=word, visibility="public"
    )
    for text in INJECTIONS:
        given: dict[str, Any] = {field: [text] if field == "tags" else text}
        if field == "category" and not text.strip(" -_"):
            with pytest.raises(dal.ValueRejectedError) as caught:
                await as_ada.templates.search(**given)
            assert caught.value.field == "category"
            continue
        page = await as_ada.templates.search(scope="mine", limit=500, **given)
        assert page.rows == () or not text.split(), text
        own = await as_ada.templates.create(
            name=f"{text} {word}", content="c", tags=[f"{text} {word}"], category=f"{text} {word}"
        )
        by_field: dict[str, dict[str, Any]] = {
            "text": {"text": f"{text} {word}"},
            "tags": {"tags": [f"{text} {word}"]},
            "category": {"category": f"{text} {word}"},
        }
        given = by_field[field]
        for session in (as_ada, as_nobody):
            rows = (await session.templates.search(limit=500, **given)).rows
            wanted = {own.id} if session is as_ada else set()
            assert hidden.id not in {row.id for row in rows}
            if session is as_nobody:
                assert own.id not in {row.id for row in rows}
            else:
                assert wanted <= {row.id for row in rows}
            if text.split() and field != "category":
                assert bait.id not in {row.id for row in rows}, text
        await as_ada.templates.soft_delete(own.id)
    assert root("SELECT COUNT(*) FROM templates WHERE id = %s", hidden.id.bytes) == [(1,)]


@pytest.mark.parametrize(
    ("name", "found_by", "not_found_by"),
    [
        ("100% sure", ["100%", "%", "0% s", "SURE"], ["1%sure", "100_", "%%"]),
        ("snake_case", ["snake_case", "_", "e_c"], ["snake%case", "snakeXcase", "__"]),
        ("back\\slash", ["\\", "k\\s", "BACK\\SLASH"], ["\\\\", "backslash"]),
        ("plain", ["plain", "lai"], ["%", "_", "\\", "pl_in", "p%n", "[a-z]", "p.*"]),
        ("it's \"so\"", ["it's", "\"so\"", "'"], ["''", "its"]),
        ("Café Ünïcode", ["cafe", "CAFÉ", "unicode"], ["kafe"]),
        ("日本語の文", ["本語", "日本語の文"], ["日語", "中"]),
    ],
)  # fmt: skip
async def test_wildcards_are_letters(
    as_ada: dal.Session, name: str, found_by: list[str], not_found_by: list[str]
) -> None:
    made = await as_ada.templates.create(name=name, content="c")
    for text in found_by:
        rows = (await as_ada.templates.search(text, scope="mine")).rows
        assert [row.id for row in rows] == [made.id], text
    for text in not_found_by:
        assert (await as_ada.templates.search(text, scope="mine")).rows == (), text


async def test_every_word_is_looked_for_in_every_text(as_ada: dal.Session) -> None:
    made = await as_ada.templates.create(
        name="first", description="second", author_name="third", content="fourth"
    )
    hits = await as_ada.templates.search("THIRD first\tsecond  first", scope="mine")
    assert [row.id for row in hits.rows] == [made.id]
    for text in ("first fourth", "firstsecond", "first\u200bsecond"):
        assert (await as_ada.templates.search(text, scope="mine")).rows == ()


async def test_a_tag_that_is_not_there_never_widens(
    as_ada: dal.Session, recorder: Recorder
) -> None:
    made = await as_ada.templates.create(name="n", content="c", tags=["known"])
    recorder.clear()
    nothing = await as_ada.templates.search(tags=["known", uuid4().hex], scope="mine")
    assert nothing == dal.Page((), None)
    # Not asked with fewer tags than were given: not asked at all.
    assert recorder.names == ["tags/list_by_keys"]
    recorder.clear()
    found = await as_ada.templates.search(tags=["KNOWN", " known"], scope="mine")
    assert [row.id for row in found.rows] == [made.id]
    assert recorder.names == ["tags/list_by_keys", "search/templates_own"]
    recorder.clear()
    # No tag asked for is no filter, and no question.
    assert (await as_ada.templates.search(tags=[], scope="mine")).rows == found.rows
    assert recorder.names == ["search/templates_own"]
    recorder.clear()
    assert await as_ada.templates.list_taken_ids([]) == set()
    assert recorder.names == []


async def test_a_cursor_belongs_to_its_list(as_ada: dal.Session, as_bob: dal.Session) -> None:
    made = await as_ada.templates.create_many(
        dal.NewTemplate(name="n x", content="c", tags=["t"], visibility="public") for _ in range(3)
    )
    for content in ("1", "2"):
        for template in made[:2]:
            await as_ada.templates.commit(template.id, content=content)
    searches: list[dict[str, Any]] = [
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
    cursors.append((await as_ada.templates.list_versions(made[0].id, limit=1)).next)
    cursors.append((await as_ada.templates.list_versions(made[1].id, limit=1)).next)
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
            lambda: t.list_versions(made[0].id, after=after),
            lambda: t.list_versions(made[1].id, after=after),
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
        ("text", "a b c d e f g h i"),
        ("text", "x" * 501),
        ("text", 5),
        ("tags", ["a", "b", "c", "d", "e", "f", "g", "h", "i"]),
        ("tags", "text"),
        ("tags", [" "]),
        ("tags", [None]),
        ("tags", 5),
        ("category", ""),
        ("category", "--"),
        ("category", 5),
        ("scope", "all"),
        ("scope", None),
        ("scope", ["mine"]),
        ("sort", "created_at; DROP TABLE users"),
        ("sort", None),
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
    assert recorder.names == []
