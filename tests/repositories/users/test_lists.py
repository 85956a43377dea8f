"""Lists, search and numbers of users against brute force, in a database that nobody else uses."""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from typing import Any, Final
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import attrs
import pytest

import dal
from dal.config import Config
from dal.provision import connect, prepare_temporary
from dal.records.ids import new_id
from dal.repositories.users import search as user_lists
from dal.search.users import WINDOW_ROWS
from dal.server import PrivateServer
from dal.testing.measure import counting
from tests.conftest import START, Recorder, options

DATABASE: Final = "lists"
TICK: Final = timedelta(microseconds=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
Filters = dict[str, Any]
ALL_FILTERS: Final[list[Filters]] = [
    {"role": role, "is_active": is_active}
    for role in (None, "admin", "user", "viewer")
    for is_active in (None, True, False)
]


@attrs.frozen(kw_only=True)
class Person:
    """A row of users, as root writes it."""

    full_name: str = "Ada"
    email: str = attrs.field(factory=lambda: f"{uuid4()}@lists.example")
    role: str = "user"
    is_active: bool = True
    created_at: datetime = START
    deleted_at: datetime | None = None
    email_verified_at: datetime | None = None
    locked_until: datetime | None = None
    last_login_at: datetime | None = None
    id: UUID = attrs.field(factory=lambda: new_id(START))

    @property
    def is_live(self) -> bool:
        return self.deleted_at is None

    def fits(self, role: str | None, is_active: bool | None) -> bool:
        return self.is_live and role in (None, self.role) and is_active in (None, self.is_active)


def naive(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC).replace(tzinfo=None)


@attrs.frozen
class World:
    """The database, as the application and as root, with a clock and a recorder of its own."""

    db: dal.Database
    config: Config
    clock: dal.ManualClock
    recorder: Recorder
    ask: Callable[..., list[tuple[Any, ...]]]
    many: Callable[[str, Sequence[tuple[Any, ...]]], None]
    n_rows: list[int]

    @property
    def system(self) -> dal.UserRepository:
        return self.db.acting_as(dal.Actor.system("lists")).users

    def put(self, *people: Person) -> list[Person]:
        self.many(
            "INSERT INTO users (id, email, full_name, role, is_active, email_verified_at,"
            " credentials_changed_at, failed_logins, locked_until, last_login_at, preferences,"
            " created_at, updated_at, deleted_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, 0, %s, %s, '{}', %s, %s, %s)",
            [
                (
                    p.id.bytes,
                    p.email,
                    p.full_name,
                    p.role,
                    p.is_active,
                    naive(p.email_verified_at),
                    naive(p.created_at),
                    naive(p.locked_until),
                    naive(p.last_login_at),
                    naive(p.created_at),
                    naive(p.created_at),
                    naive(p.deleted_at),
                )
                for p in people
            ],
        )
        return list(people)

    def set_clock(self, at: datetime) -> None:
        self.clock.move(at - self.clock.now())

    def forget(self) -> None:
        self.recorder.clear()
        self.n_rows.clear()


@pytest.fixture(scope="module")
def database(server: PrivateServer) -> Iterator[tuple[Config, Any, Any]]:
    accounts = prepare_temporary(server, DATABASE)
    admin = dal.config.parse(server.admin_url(DATABASE))
    assert isinstance(admin, Config)
    with closing(connect(admin)) as connection:

        def ask(sql: str, *values: object) -> list[tuple[Any, ...]]:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                found = list(cursor.fetchall())
            connection.commit()
            return found

        def many(sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
            with connection.cursor() as cursor:
                cursor.executemany(sql, rows)
            connection.commit()

        yield accounts.config("dal_application", database=DATABASE), ask, many


@pytest.fixture
async def world(database: tuple[Config, Any, Any]) -> AsyncIterator[World]:
    """An empty database."""
    config, ask, many = database
    for table in ("user_tokens", "users", "audit_logs"):
        ask(f"DELETE FROM {table}")
    clock, recorder = dal.ManualClock(START), Recorder()
    n_rows: list[int] = []

    def on_statement(
        name: str,
        engine: str,
        elapsed_s: float,
        rows: int,
        attempt: int,
        error: BaseException | None,
    ) -> None:
        recorder(name, engine, elapsed_s, rows, attempt, error)
        n_rows.append(rows)

    async with dal.connect(clock=clock, on_statement=on_statement, **options(config)) as db:
        yield World(db, config, clock, recorder, ask, many, n_rows)


Fetch = Callable[..., Awaitable[dal.Page[dal.User]]]


async def pages(fetch: Fetch, **more: Any) -> list[dal.Page[dal.User]]:
    found: list[dal.Page[dal.User]] = []
    after: str | None = None
    while True:
        page = await fetch(after=after, **more)
        found.append(page)
        assert len(page.rows) <= more.get("limit", 50)
        assert len(found) < 10_000
        after = page.next
        if after is None:
            return found


async def ids(fetch: Fetch, **more: Any) -> list[UUID]:
    return [user.id for page in await pages(fetch, **more) for user in page.rows]


def newest_first(people: Sequence[Person]) -> list[UUID]:
    ordered = sorted(people, key=lambda p: (p.created_at, p.id), reverse=True)
    return [person.id for person in ordered]


def crowd(n: int, seed: int = 1) -> list[Person]:
    """People with the same names and times, of every kind, some of them deleted."""
    chance = random.Random(seed)
    names = ["Ada", "ada", "ÁDA", "Ada Lovelace", "Adam", "Bob", "Grace Hopper", "Ad", "Zoë", "zoe"]
    return [
        Person(
            full_name=chance.choice(names),
            email=f"{chance.choice(['ada', 'bob', 'a', 'zoe', 'ad_a'])}{n}@lists.example",
            role=chance.choice(["admin", "user", "user", "viewer"]),
            is_active=chance.random() < 0.7,
            created_at=START + chance.randrange(5) * TICK,
            deleted_at=START + DAY if chance.random() < 0.2 else None,
        )
        for n in range(n)
    ]


# ------------------------------------------------------------------------------ the list


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 500])
async def test_the_list_is_newest_first(world: World, limit: int) -> None:
    people = world.put(*crowd(60))
    for filters in ALL_FILTERS:
        expected = newest_first([p for p in people if p.fits(**filters)])
        assert await ids(world.system.list_all, limit=limit, **filters) == expected
    # A page that is just full is the last one where no more follow.
    n_live = sum(person.is_live for person in people)
    assert len(await pages(world.system.list_all, limit=n_live)) == 1
    assert len(await pages(world.system.list_all, limit=n_live - 1)) == 2
    assert await world.system.count() == n_live


async def test_nobody(world: World) -> None:
    world.put(Person(deleted_at=START))
    assert await world.system.count() == 0
    for page in (
        await world.system.list_all(),
        await world.system.search("a"),
        await world.system.search("a", match="substring"),
    ):
        # With an empty page an end, or what leads to it.
        assert page.rows == ()
    assert await ids(world.system.search, text="a", match="substring") == []
    assert (await world.system.list_all()).next is None


async def test_rows_are_whole_records(world: World) -> None:
    (person,) = world.put(
        Person(
            role="viewer",
            is_active=False,
            email_verified_at=START,
            locked_until=START + HOUR,
            last_login_at=START - HOUR,
        )
    )
    user = await world.system.get(person.id)
    for page in (
        await world.system.list_all(),
        await world.system.search("ada"),
        await world.system.search(person.email),
        await world.system.search("da", match=dal.Match.SUBSTRING),
    ):
        assert page.rows == (user,)
    assert (user.role, user.is_active, user.locked_until) == ("viewer", False, START + HOUR)


async def test_pages_while_people_come_and_go(world: World) -> None:
    people = world.put(*(Person(created_at=START + n * TICK) for n in range(20)))
    seen: list[UUID] = []
    after: str | None = None
    users = world.system
    gone = {person.id for person in people[:20:4]}
    while True:
        page = await users.list_all(limit=3, after=after)
        seen += [user.id for user in page.rows]
        after = page.next
        if after is None:
            break
        # Newer ones come, and the row at which the page ended goes.
        await users.create(email=f"{uuid4()}@lists.example", full_name="New")
        world.ask("UPDATE users SET deleted_at = %s WHERE id = %s", naive(START), seen[-1].bytes)
        for person_id in gone - set(seen):
            world.ask("UPDATE users SET deleted_at = created_at WHERE id = %s", person_id.bytes)
    assert len(seen) == len(set(seen))
    assert {person.id for person in people} - gone <= set(seen)


# ------------------------------------------------------------------------- by prefix


def fold(text: str) -> str:
    """As the collation of names has it, for the letters of these tests."""
    letters = unicodedata.normalize("NFD", text)
    return "".join(c for c in letters if not unicodedata.combining(c)).casefold()


async def check_prefix(world: World, people: Sequence[Person], text: str, limit: int) -> None:
    for filters in ALL_FILTERS if limit == 3 else ALL_FILTERS[:1]:
        fitting = {p.id: p for p in people if p.fits(**filters)}
        found = await ids(world.system.search, text=text, limit=limit, **filters)
        by_name = [n for n, p in fitting.items() if fold(p.full_name).startswith(fold(text))]
        by_email = [
            n
            for n, p in fitting.items()
            if p.email.startswith(text.lower()) and not fold(p.full_name).startswith(fold(text))
        ]
        assert Counter(found[: len(by_name)]) == Counter(by_name)
        assert found[len(by_name) :] == sorted(by_email, key=lambda n: fitting[n].email)
        ordered = world.ask("SELECT id FROM users ORDER BY full_name, id")
        rank = {UUID(bytes=row[0]): n for n, row in enumerate(ordered)}
        assert found[: len(by_name)] == sorted(by_name, key=rank.__getitem__)


@pytest.mark.parametrize("limit", [1, 3, 7, 500])
@pytest.mark.parametrize("text", ["ada", "ÀD", "a", "Zoe", "bob", "ada1", "ad_", "q", "grace h"])
async def test_a_prefix_of_name_or_address(world: World, text: str, limit: int) -> None:
    people = world.put(*crowd(60))
    await check_prefix(world, people, text, limit)


async def test_who_fits_by_both_is_given_once(world: World) -> None:
    people = world.put(
        *(Person(full_name="Ada", email=f"ada{n}@x.example") for n in range(5)),
        *(Person(full_name="Bob", email=f"ada-b{n}@x.example") for n in range(5)),
    )
    for limit in range(1, 12):
        found = await ids(world.system.search, text="ada", limit=limit)
        assert found[:5] == sorted(person.id for person in people[:5])
        assert found[5:] == [person.id for person in people[5:]]


async def test_what_is_around_the_text_is_not_searched_for(world: World) -> None:
    (ada, _) = world.put(Person(full_name="Ada"), Person(full_name="Bob"))
    for text in ("ada", "  ada ", "\tADA\n"):
        assert await ids(world.system.search, text=text) == [ada.id]


LITERAL: Final = ["%", "_", "\\", "%_", "\\%", "\\\\", "'", '"', "a%b", "a_b", "a\\b", "\\_", "?"]


@pytest.mark.parametrize("text", LITERAL)
async def test_wildcards_are_letters(world: World, text: str) -> None:
    name, email, within, _, _ = world.put(
        Person(full_name=f"{text} name"),
        Person(full_name="Zed", email=f"{text}@x.example"),
        Person(full_name=f"Zed {text} Zed", email=f"z{text}z@x.example"),
        Person(full_name="axb"),
        Person(full_name="Zed", email="axb@x.example"),
    )
    for limit in (1, 500):
        assert await ids(world.system.search, text=text, limit=limit) == [name.id, email.id]
        found = await ids(world.system.search, text=text, match="substring", limit=limit)
        assert set(found) == {name.id, email.id, within.id}
        assert len(found) == 3


BEHIND: Final = [
    "z", "Z", "~", "é", "e\u0301", "\u0301", "ß", "\u200b", "\u6f22", "\ud7a3", "\ue000", "\ufffd",
    "\uffff", "\U00010000", "\U0001f600", "\U00020000", "\U0010ffff", " ", "\x00", "\x7f", "ﬃ",
]  # fmt: skip


@pytest.mark.parametrize("prefix", ["a", "ab", "\u6f22", "\U0001f600", "\U00020000", "\ufffd"])
async def test_whatever_follows_the_prefix(world: World, prefix: str) -> None:
    """No letter is behind the end of the range that the index is read in."""
    by_name = world.put(
        *(
            Person(full_name=prefix + letters, email=f"q{n}@x.example")
            for n, letters in enumerate([*BEHIND, *(b * 20 for b in BEHIND), ""])
        )
    )
    emails = {
        dal.normalize_email(f"{prefix}{letters}y@x.example")
        for letters in BEHIND
        if unicodedata.category(letters[0]) not in ("Cc", "Cf", "Zs", "Mn")
    }
    by_email = world.put(*(Person(full_name="Q", email=email) for email in emails))
    for match in dal.Match:
        for limit in (4, 500):
            found = await ids(world.system.search, text=prefix, match=match, limit=limit)
            assert len(found) == len(set(found))
            missing = {person.id for person in (*by_name, *by_email)} - set(found)
            told = [ascii(p.full_name + " " + p.email) for p in (*by_name, *by_email)
                    if p.id in missing]  # fmt: skip
            assert not told


async def test_case_and_accents(world: World) -> None:
    (person, other) = world.put(
        Person(full_name="Élodie Ünal", email="élodie@x.example"),
        Person(full_name="Q", email="elodie@x.example"),
    )
    for text in ("élodie", "ELODIE", "e\u0301lodie", "Elodie U"):
        for match in dal.Match:
            found = await ids(world.system.search, text=text, match=match)
            # Names regardless of accents, addresses not.
            expected = {person.id}
            if text == "ELODIE":
                expected.add(other.id)
            assert set(found) == expected
    assert await ids(world.system.search, text="ÉLODIE@") == [person.id]
    assert await ids(world.system.search, text="E\u0301LODIE@X", match="substring") == [person.id]
    assert await ids(world.system.search, text="elodie@") == [other.id]


async def test_names_that_are_equal_to_the_collation(world: World) -> None:
    """Case, accents and spaces at the end make no order: the id does."""
    names = ["Ada", "ADA", "ada ", "Ada  ", "Áda", "àdá", "ada\u200b", "\u200bada"]
    people = world.put(*(Person(full_name=name) for name in names * 3))
    for limit in (1, 2, 5, 500):
        found = await ids(world.system.search, text="ada", limit=limit)
        assert len(found) == len(set(found))
        assert set(found) >= {p.id for p in people if p.full_name[0] != "\u200b"}


# ------------------------------------------------------------------------ by substring


async def check_substring(
    world: World, people: Sequence[Person], text: str, limit: int, filters: Filters
) -> list[dal.Page[dal.User]]:
    fitting = [
        p
        for p in people
        if p.fits(**filters) and (fold(text) in fold(p.full_name) or text.lower() in p.email)
    ]
    found = await pages(world.system.search, text=text, match="substring", limit=limit, **filters)
    assert [user.id for page in found for user in page.rows] == newest_first(fitting)
    return found


@pytest.mark.parametrize("window", [1, 7, 32, 5000])
@pytest.mark.parametrize("text", ["da", "ÓE", "lovelace", "_a", "example", "@", "nobody"])
async def test_a_part_of_name_or_address(
    world: World, text: str, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_lists, "WINDOW_ROWS", window)
    people = world.put(*crowd(40))
    for limit in (1, 4, 500):
        every = window == 7 and limit == 4 and text in ("da", "example")
        for filters in ALL_FILTERS if every else ALL_FILTERS[:1]:
            world.forget()
            found = await check_substring(world, people, text, limit, filters)
            # A window is looked at once, or once more for each page that it fills.
            n_live = sum(person.is_live for person in people)
            n_found = sum(len(page.rows) for page in found)
            assert len(found) <= n_live // window + n_found // limit + 2
            assert len(world.recorder.names) <= 2 * len(found)


async def test_a_window_is_five_thousand_users(world: World) -> None:
    """A page may be empty, while ``next`` leads on."""
    n = 6_000
    oldest = Person(full_name="The needle", created_at=START - DAY, id=new_id(START))
    middle = Person(full_name="Q", email="a.needle@x.example", created_at=START + 999 * TICK)
    world.put(
        oldest,
        middle,
        *(Person(full_name="Hay", created_at=START + k * TICK) for k in range(n)),
        *(Person(full_name="needle", deleted_at=START) for _ in range(50)),
    )
    world.forget()
    found = await pages(world.system.search, text="needle", match="substring", limit=10)
    assert [[user.id for user in page.rows] for page in found if page.rows] == [
        [middle.id, oldest.id]
    ]
    assert [len(page.rows) for page in found] == [0, 2, 0]
    assert Counter(world.recorder.names) == {
        "users/find_window_end": 3,
        "search/users_window": 2,
    }
    assert max(world.n_rows) == 2
    # With what everybody has, each page is full.
    everybody = await pages(world.system.search, text="a", match="substring", limit=500)
    assert sum(len(page.rows) for page in everybody) == n + 2
    assert WINDOW_ROWS == 5_000


# ------------------------------------------------------------------------ cursors and input


async def test_a_cursor_is_for_the_search_that_gave_it(world: World) -> None:
    world.put(*crowd(40))
    users = world.system
    searches: list[tuple[Fetch, dict[str, Any]]] = [
        (users.list_all, {}),
        (users.list_all, {"role": "user"}),
        (users.list_all, {"is_active": True}),
        (users.list_all, {"is_active": False}),
        (users.search, {"text": "a"}),
        (users.search, {"text": "ad"}),
        (users.search, {"text": "a", "role": "user"}),
        (users.search, {"text": "a", "is_active": True}),
        (users.search, {"text": "a", "match": "substring"}),
        (users.search, {"text": "d", "match": "substring"}),
        (users.search, {"text": "a", "match": "substring", "role": "user"}),
    ]
    cursors = [(await fetch(limit=1, **more)).next for fetch, more in searches]
    assert None not in cursors
    world.forget()
    for n, (fetch, more) in enumerate(searches):
        for m, cursor in enumerate(cursors):
            if n != m:
                with pytest.raises(dal.ValueRejectedError) as caught:
                    await fetch(after=cursor, **more)
                assert caught.value.field == "after"
    # Refused before anything is asked.
    assert world.recorder.names == []
    for n, (fetch, more) in enumerate(searches):
        assert (await fetch(after=cursors[n], limit=7, **more)).rows
        # The limit is no part of a search, nor is how the text is typed.
        if more.get("text") == "a":
            assert (await fetch(after=cursors[n], **{**more, "text": " a "})).rows


@pytest.mark.parametrize("cursor", ["", "x", "A" * 3000, "é", 5, b"x", "AAAAAAAAAAAA", "../.."])
async def test_what_is_no_cursor(world: World, cursor: Any) -> None:
    users = world.system
    for call in (
        users.list_all(after=cursor),
        users.search("a", after=cursor),
        users.search("a", match="substring", after=cursor),
    ):
        with pytest.raises(dal.ValueRejectedError) as caught:
            await call
        assert caught.value.field == "after"


@pytest.mark.parametrize(
    ("field", "given"),
    [
        *(("limit", limit) for limit in (0, -1, 501, True, 1.5, "10", None)),
        *(("role", role) for role in ("root", "", "ADMIN", 1, "user ")),
        *(("is_active", active) for active in (1, 0, "true", "")),
    ],
)
async def test_bad_filters(world: World, field: str, given: Any) -> None:
    users = world.system
    for call in (
        users.list_all(**{field: given}),
        users.search("a", **{field: given}),
        users.search("a", match="substring", **{field: given}),
    ):
        with pytest.raises(dal.ValueRejectedError) as caught:
            await call
        assert caught.value.field == field
    assert world.recorder.names == []


@pytest.mark.parametrize("text", ["", " ", "\t\n", "x" * 101, "\ud800", None, 1, b"a"])
async def test_bad_text(world: World, text: Any) -> None:
    for match in dal.Match:
        with pytest.raises(dal.ValueRejectedError) as caught:
            await world.system.search(text, match=match)
        assert caught.value.field == "text"
    assert world.recorder.names == []


async def test_the_longest_text(world: World) -> None:
    for letter in ("x", "%", "\\", "\U0001f600", "\ufb2c", "\u1f82"):
        text = letter * 100
        (person,) = world.put(Person(full_name=text))
        for match in dal.Match:
            assert await ids(world.system.search, text=text, match=match) == [person.id]


@pytest.mark.parametrize("match", ["", "infix", "PREFIX", None, 1])
async def test_bad_match(world: World, match: Any) -> None:
    with pytest.raises(dal.ValueRejectedError) as caught:
        await world.system.search("a", match=match)
    assert caught.value.field == "match"


async def test_who_may_look(world: World) -> None:
    people = world.put(Person(role="admin"), Person(role="admin", is_active=False), Person(),
                       Person(role="admin", deleted_at=START))  # fmt: skip

    def calls(actor: dal.Actor) -> list[Awaitable[Any]]:
        users = world.db.acting_as(actor).users
        return [
            users.list_all(),
            users.search("a"),
            users.search("a", match="substring"),
            users.count(),
            users.statistics.get(),
            users.statistics.new_by_day(),
            users.trash.list_by_email_including_deleted("a@b.example"),
        ]

    admin, *others = people
    for call in calls(dal.Actor.user(admin.id, role="admin")):
        await call
    for actor in (
        dal.Actor.anonymous(),
        dal.Actor.user(admin.id),
        dal.Actor.user(uuid4(), role="admin"),
        *(dal.Actor.user(other.id, role="admin") for other in others),
        dal.Actor.user(others[1].id, role="viewer"),
    ):
        for call in calls(actor):
            with pytest.raises(dal.PermissionDeniedError):
                await call


async def test_who_had_an_address(world: World) -> None:
    people = world.put(
        *(
            Person(email="ada@x.example", deleted_at=START + k * DAY, id=new_id(START + k * DAY))
            for k in range(3)
        ),
        Person(email="ada@x.example", id=new_id(START + 9 * DAY)),
        Person(email="bob@x.example"),
    )
    found = await world.system.trash.list_by_email_including_deleted(" ADA@x.example ")
    assert [user.id for user in found] == [person.id for person in people[3::-1]]
    assert (
        await world.system.trash.list_by_email_including_deleted("ada@x.example", limit=2)
        == found[:2]
    )


# ------------------------------------------------------------------------------ reads


async def test_what_a_page_reads(world: World, server: PrivateServer) -> None:
    """However many there are, a page reads what it gives, and one row more."""
    world.put(
        *(
            Person(
                full_name=f"Ada {k:04}",
                email=f"ada{k:04}@x.example" if k % 2 else f"zoe{k:04}@x.example",
                role="viewer" if k % 3 else "user",
                is_active=k % 5 > 0,
                created_at=START + (k % 100) * TICK,
            )
            for k in range(3_000)
        )
    )
    world.ask("ANALYZE TABLE users")
    root = dal.config.parse(server.admin_url(DATABASE))
    assert isinstance(root, Config)
    users = world.system
    cases: list[tuple[Fetch, dict[str, Any], int]] = [
        (users.list_all, {}, 21),
        (users.list_all, {"role": "user"}, 21),
        (users.list_all, {"is_active": False}, 21),
        (users.search, {"text": "ada"}, 21),
        (users.search, {"text": "zoe"}, 21),
        # The window: its end, and what is in it up to the page's last.
        (users.search, {"text": "ada 0", "match": "substring"}, 3_000 + 3_000 + 1),
    ]
    async with dal.connect(**options(root)) as watching:
        connection = await watching.pool.borrow()
        try:
            for fetch, more, most in cases:
                after: str | None = None
                for n in range(3):
                    world.forget()
                    async with counting(connection) as read:
                        page = await fetch(limit=20, after=after, **more)
                    assert len(page.rows) == 20
                    # MySQL counts the row at which a range starts or ends as well.
                    assert sum(read.values()) <= most + 2, (more, n, read)
                    assert len(world.recorder.names) <= 2
                    assert max(world.n_rows) <= 21
                    after = page.next
        finally:
            watching.pool.release(connection)


async def test_the_statements(world: World) -> None:
    (admin, *_) = world.put(Person(full_name="Grace", role="admin"), *(Person() for _ in range(9)))
    system, by_admin = world.system, world.db.acting_as(
        dal.Actor.user(admin.id, role="admin")
    ).users  # fmt: skip
    for users, first in ((system, []), (by_admin, ["users/exists_admin"])):
        both = ["search/users_name", "search/users_email"]
        cases: list[tuple[Callable[[], Awaitable[Any]], list[str]]] = [
            (users.list_all, ["search/users_all"]),
            (lambda u=users: u.search("ada"), both),  # type: ignore[misc]
            # A page that names fill does not look at addresses.
            (lambda u=users: u.search("ada", limit=3), both[:1]),  # type: ignore[misc]
            (
                lambda u=users: u.search("ada", match="substring"),  # type: ignore[misc]
                ["users/find_window_end", "search/users_window"],
            ),
            (users.count, ["users/count_all"]),
            (users.statistics.get, ["users/get_statistics"]),
            (users.statistics.new_by_day, ["users/list_new_by_day"]),
        ]
        for call, names in cases:
            world.forget()
            await call()
            assert world.recorder.names == [*first, *names]


# -------------------------------------------------------------------------- statistics


async def test_statistics(world: World) -> None:
    chance = random.Random(7)
    now = START + 100 * DAY
    world.set_clock(now)
    edges = [
        now + far + near
        for far in (timedelta(0), -DAY, -7 * DAY, -30 * DAY)
        for near in (-TICK, timedelta(0), TICK)
    ]
    people = world.put(
        *(
            Person(
                role=chance.choice(["admin", "user", "viewer"]),
                is_active=chance.random() < 0.5,
                deleted_at=chance.choice([None, None, None, START]),
                email_verified_at=chance.choice([None, START]),
                locked_until=chance.choice([None, now - TICK, now, now + TICK, now + DAY]),
                last_login_at=chance.choice([None, *edges]),
            )
            for _ in range(400)
        )
    )
    live = [person for person in people if person.is_live]

    def since(days: int) -> int:
        return sum(
            person.last_login_at is not None and person.last_login_at >= now - days * DAY
            for person in live
        )

    assert await world.system.statistics.get() == dal.UserStatistics(
        total=len(live),
        active=sum(person.is_active for person in live),
        inactive=sum(not person.is_active for person in live),
        admins=sum(person.role == "admin" for person in live),
        users=sum(person.role == "user" for person in live),
        viewers=sum(person.role == "viewer" for person in live),
        email_verified=sum(person.email_verified_at is not None for person in live),
        locked=sum(p.locked_until is not None and p.locked_until > now for p in live),
        never_logged_in=sum(person.last_login_at is None for person in live),
        daily_active=since(1),
        weekly_active=since(7),
        monthly_active=since(30),
    )


async def test_statistics_of_nobody(world: World) -> None:
    world.put(Person(deleted_at=START))
    found = await world.system.statistics.get()
    assert set(attrs.asdict(found).values()) == {0}


async def check_days(
    world: World, people: Sequence[Person], days: int, tz: tzinfo, given: str | tzinfo
) -> list[dal.UsersOfDay]:
    found = await world.system.statistics.new_by_day(days=days, time_zone=given)
    today = world.clock.now().astimezone(tz).date()
    counted = Counter(p.created_at.astimezone(tz).date() for p in people if p.is_live)
    wanted = [today - n * DAY for n in reversed(range(days))]
    assert found == [dal.UsersOfDay(day, counted[day]) for day in wanted]
    return found


# A zone, a time in the days after its clock has changed, and how many stretches there are.
ZONES: Final = [
    ("UTC", datetime(2026, 3, 31, tzinfo=UTC), 1),
    ("Asia/Kathmandu", datetime(2026, 3, 31, 18, 15, tzinfo=UTC), 1),
    ("Europe/Berlin", datetime(2026, 3, 31, 12, tzinfo=UTC), 2),
    ("Europe/Berlin", datetime(2026, 10, 26, 12, tzinfo=UTC), 2),
    ("America/New_York", datetime(2026, 3, 9, 3, 59, 59, tzinfo=UTC), 2),
    ("America/New_York", datetime(2026, 11, 1, 12, tzinfo=UTC), 2),
    ("Australia/Lord_Howe", datetime(2026, 4, 6, tzinfo=UTC), 2),
    ("America/Sao_Paulo", datetime(2018, 11, 5, tzinfo=UTC), 2),
    ("Pacific/Apia", datetime(2012, 1, 1, tzinfo=UTC), 2),
    ("America/St_Johns", datetime(2010, 11, 8, 12, tzinfo=UTC), 2),
    ("Africa/Casablanca", datetime(2026, 3, 24, tzinfo=UTC), 3),
    ("Pacific/Kiritimati", datetime(2026, 1, 1, 10, tzinfo=UTC), 1),
    ("Etc/GMT+12", datetime(2026, 1, 1, 11, 59, tzinfo=UTC), 1),
]


@pytest.mark.parametrize(("name", "now", "n_stretches"), ZONES)
async def test_new_users_of_a_day(world: World, name: str, now: datetime, n_stretches: int) -> None:
    tz = UTC if name == "UTC" else ZoneInfo(name)
    world.set_clock(now)
    chance = random.Random(now.toordinal())
    moments = {now - n * timedelta(minutes=30) for n in range(-60, 48 * 12)}
    # Around each midnight, and around each change of the clock.
    for before, after in pairwise(sorted(moments)):
        if before.astimezone(tz).utcoffset() != after.astimezone(tz).utcoffset():
            moments |= {before + n * timedelta(minutes=1) for n in range(31)}
    for n in range(14):
        midnight = datetime.combine(now.astimezone(tz).date() - n * DAY, datetime.min.time(), tz)
        for fold_ in (0, 1):
            at = midnight.replace(fold=fold_).astimezone(UTC)
            moments |= {at - TICK, at, at + TICK}
    people = world.put(
        *(
            Person(
                created_at=at,
                id=new_id(at),
                deleted_at=now if chance.random() < 0.1 else None,
            )
            for at in sorted(moments)
        )
    )
    for days in (1, 2, 3, 5, 7, 8, 30):
        await check_days(world, people, days, tz, name)
    await check_days(world, people, 30, tz, tz)
    world.forget()
    await world.system.statistics.new_by_day(days=45, time_zone=name)
    assert world.recorder.names == ["users/list_new_by_day"] * n_stretches


async def test_days_without_anybody(world: World) -> None:
    found = await world.system.statistics.new_by_day()
    assert found == [dal.UsersOfDay(START.date() - n * DAY, 0) for n in reversed(range(30))]
    person = Person(created_at=START - 366 * DAY)
    world.put(person)
    for days in (1, 366):
        found = await check_days(world, [person], days, UTC, "UTC")
        assert len(found) == days
        assert sum(day.users for day in found) == 0
    world.clock.move(-DAY)
    found = await check_days(world, [person], 366, UTC, UTC)
    assert found[0] == dal.UsersOfDay(person.created_at.date(), 1)


async def test_a_zone_of_a_fixed_offset(world: World) -> None:
    chance = random.Random(3)
    people = world.put(*(Person(created_at=START - chance.random() * 10 * DAY) for _ in range(200)))
    for seconds in (-86_399, -12 * 3600, -1, 0, 1, 19_800, 20_700, 86_399):
        tz = timezone(timedelta(seconds=seconds))
        await check_days(world, people, 9, tz, tz)


@pytest.mark.parametrize("days", [0, -1, 367, 10**9, True, False, 1.5, "30", None])
async def test_how_many_days(world: World, days: Any) -> None:
    with pytest.raises(dal.ValueRejectedError) as caught:
        await world.system.statistics.new_by_day(days=days)
    assert caught.value.field == "days"
    assert world.recorder.names == []


@pytest.mark.parametrize(
    "name",
    ["", "Europe", "Europe/Nowhere", "Mars/Base", "../UTC", "/etc/passwd", "localtime", "UTC\0",
     "posix/UTC", "right/UTC", "\ud800", "a" * 300, None, 5, b"UTC",
     timezone(timedelta(microseconds=1)), tzinfo()],  # type: ignore[abstract]
    ids=lambda value: ascii(value)[:20],
)  # fmt: skip
async def test_an_unknown_zone(world: World, name: Any) -> None:
    with pytest.raises(dal.ValueRejectedError) as caught:
        await world.system.statistics.new_by_day(time_zone=name)
    assert caught.value.field == "time_zone"
    assert world.recorder.names == []
