"""Values through the whole stack and back: each type, each edge, each trick.

Traps of the driver that end here: A2 (an unknown object is stored as its str), A3 (containers),
A4 (bytes and quotes), A5 (stacked statements), A25 (per cent signs), A28 (aware datetimes).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal.config import Config
from tests.conftest import shown
from tests.faults.helpers import borrowed, database, root_of, statement, system

PARAMS = {
    "id": "BINARY(16)",
    "data": "VARBINARY(64) NULL",
    "label": "VARCHAR(100) NULL",
    "body": "LONGTEXT NULL",
    "kind": "VARCHAR(10) NULL",
    "at": "DATETIME(6) NULL",
    "day": "DATE NULL",
    "price": "DECIMAL(30,18) NULL",
    "ratio": "DOUBLE NULL",
    "doc": "JSON NULL",
    "small": "TINYINT NULL",
    "n": "BIGINT NULL",
    "u": "BIGINT UNSIGNED NULL",
    "yes": "BOOLEAN NULL",
}
COLUMNS = ", ".join(PARAMS)


class Kind(Enum):
    SMALL = "small"
    LARGE = "large"


class Number(IntEnum):
    SEVEN = 7


@attrs.frozen(slots=True)
class Thing:
    """A column of each type."""

    id: UUID
    data: bytes | None
    label: str | None
    body: str | None
    kind: Kind | None
    at: datetime | None
    day: date | None
    price: Decimal | None
    ratio: float | None
    doc: dict[str, Any] | None
    small: int | None
    n: int | None
    u: int | None
    yes: bool | None


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> dal.SqlFolder:
    folder = tmp_path_factory.mktemp("things")
    columns = ", ".join(f"t.{name} AS {name}" for name in PARAMS)
    places = ", ".join(f":{name}" for name in PARAMS)
    statement(
        folder, "things/get", "one Thing", {"id": PARAMS["id"]},
        f"SELECT {columns} FROM tests_things AS t WHERE t.id = :id",
    )  # fmt: skip
    statement(
        folder, "things/insert", "affected", PARAMS,
        f"INSERT INTO tests_things ({COLUMNS}) VALUES ({places})",
    )  # fmt: skip
    statement(folder, "things/count", "value int", {}, "SELECT COUNT(*) AS n FROM tests_things")
    for name, sql_type in PARAMS.items():
        # How many have exactly this value.
        statement(
            folder, f"things/count_by_{name}", "value int", {name: sql_type},
            f"SELECT COUNT(*) AS n FROM tests_things AS t WHERE t.{name} = :{name}",
        )  # fmt: skip
    statement(
        folder, "things/like", "value int", {"label": "VARCHAR(100) NULL"},
        # Per cent signs in the file itself, beside a parameter and in a function.
        "SELECT COUNT(*) AS n FROM tests_things AS t\n"
        "WHERE t.label = CONCAT('%', '%%', :label, '%s', DATE_FORMAT('2026-01-02', '%Y'))",
    )  # fmt: skip
    return dal.sql_folder(folder)


@pytest.fixture(scope="module")
async def own(config: Config, admin: Config) -> AsyncIterator[dal.Database]:
    with root_of(admin) as root:
        root.rows("DROP TABLE IF EXISTS tests_things")
        root.rows(
            """
            CREATE TABLE tests_things (
                id BINARY(16) NOT NULL PRIMARY KEY, data VARBINARY(64) NULL,
                label VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
                body LONGTEXT NULL, kind ENUM('small', 'large') NULL, at DATETIME(6) NULL,
                day DATE NULL, price DECIMAL(30,18) NULL, ratio DOUBLE NULL, doc JSON NULL,
                small TINYINT NULL, n BIGINT NULL, u BIGINT UNSIGNED NULL, yes TINYINT(1) NULL
            )
            """
        )
        root.rows(f"GRANT ALL ON tests_things TO '{config.user}'@'localhost'")
        async with database(config) as db:
            yield db
        root.rows("DROP TABLE tests_things")


async def there_and_back(db: dal.Database, things: dal.SqlFolder, **values: Any) -> Thing:
    row = dict.fromkeys(PARAMS) | {"id": uuid4()} | values
    me = system(db)
    assert await me.affected(things.affected("things/insert"), **row) == 1
    return await me.one(things.one("things/get", Thing), id=row["id"])


EAST = timezone(timedelta(hours=5, minutes=30))
WEST = timezone(-timedelta(hours=9))
WEIRD = "\U0001f600\U00020000 'é\\\" \0 \x1a \n\r\t"
MOST = Decimal("999999999999.999999999999999999")
SAME: list[tuple[str, Any, Any]] = [
    ("data", b"\x00'\\", b"\x00'\\"),
    ("data", bytearray(b"\x00'\\\xff"), b"\x00'\\\xff"),
    ("data", memoryview(b"\x1a\n\r\x00"), b"\x1a\n\r\x00"),
    ("data", b"", b""),
    ("data", bytes(range(64)), bytes(range(64))),
    ("data", b"\xbf' OR 1=1 -- ", b"\xbf' OR 1=1 -- "),
    ("data", UUID(int=39), UUID(int=39).bytes),
    ("label", "", ""),
    ("label", WEIRD, WEIRD),
    ("label", " padded ", " padded "),
    ("label", "%s %% %Y :name ? {}", "%s %% %Y :name ? {}"),
    ("label", "\ufeff\u200d\uffff", "\ufeff\u200d\uffff"),
    ("body", "x" * 300_000 + "'", "x" * 300_000 + "'"),
    ("kind", Kind.LARGE, Kind.LARGE),
    ("kind", "small", Kind.SMALL),
    ("at", datetime(2026, 3, 29, 2, 30, tzinfo=EAST), datetime(2026, 3, 28, 21, 0, tzinfo=UTC)),
    ("at", datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=WEST), datetime(2026, 1, 1, 9, 0, 0, 1, UTC)),
    ("at", datetime(1000, 1, 1, tzinfo=UTC), datetime(1000, 1, 1, tzinfo=UTC)),
    ("at", datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
    ("day", date(2024, 2, 29), date(2024, 2, 29)),
    ("day", date.max, date.max),
    ("price", MOST, MOST),
    ("price", Decimal("-0.000000000000000001"), Decimal("-0.000000000000000001")),
    ("price", Decimal("1E+3"), Decimal(1000)),
    ("price", Decimal("1.50000000000000000000000000"), Decimal("1.5")),
    ("price", Decimal("-0"), Decimal(0)),
    ("price", 5, Decimal(5)),
    ("ratio", 1e308, 1e308),
    ("ratio", 0.1, 0.1),
    ("ratio", -5e-324, -5e-324),
    ("ratio", 3, 3.0),
    ("doc", {"a": [1, None, True, WEIRD]}, {"a": [1, None, True, WEIRD]}),
    ("small", -128, -128),
    ("n", -(2**63), -(2**63)),
    ("n", 2**63 - 1, 2**63 - 1),
    ("n", Number.SEVEN, 7),
    ("u", 2**64 - 1, 2**64 - 1),
    ("u", 0, 0),
    ("yes", True, True),
    ("yes", False, False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "back"), SAME, ids=shown)
async def test_there_and_back(
    own: dal.Database, things: dal.SqlFolder, name: str, value: Any, back: Any
) -> None:
    thing = await there_and_back(own, things, **{name: value})
    got = getattr(thing, name)
    assert got == back
    assert type(got) is type(back)
    others = attrs.asdict(thing, filter=lambda field, _: field.name not in (name, "id"))
    assert set(others.values()) == {None}
    # And the server compares it as the same value.
    if name not in ("doc", "ratio"):
        count = things.value(f"things/count_by_{name}", int)
        assert await system(own).value(count, **{name: value}) >= 1


REFUSED: list[tuple[str, Any]] = [
    *[(name, object()) for name in PARAMS],
    *[(name, [1]) for name in PARAMS if name != "doc"],
    *[(name, {"a": 1}) for name in PARAMS if name != "doc"],
    *[(name, Kind) for name in PARAMS],
    ("id", "not a uuid"),
    ("id", b"short"),
    ("data", "text"),
    ("data", b"x" * 65),
    ("label", b"bytes"),
    ("label", 7),
    ("label", "x" * 101),
    ("label", "\ud800"),
    ("at", datetime(2026, 1, 1)),  # noqa: DTZ001
    ("at", date(2026, 1, 1)),
    ("at", "2026-01-01"),
    ("at", datetime(999, 12, 31, tzinfo=UTC)),
    ("at", datetime.min.replace(tzinfo=EAST)),
    ("day", datetime(2026, 1, 1, tzinfo=UTC)),
    ("day", date(1, 1, 1)),
    ("price", 1.5),
    ("price", True),
    ("price", "1.5"),
    ("price", Decimal("NaN")),
    ("price", Decimal("Infinity")),
    ("price", Decimal("0.0000000000000000001")),
    ("price", Decimal(1000000000000)),
    ("ratio", float("nan")),
    ("ratio", float("inf")),
    ("ratio", "1"),
    ("ratio", True),
    ("doc", {"a": float("nan")}),
    ("doc", {"a": object()}),
    ("doc", {"a": "\ud800"}),
    ("small", 128),
    ("small", True),
    ("n", 2**63),
    ("n", 1.0),
    ("n", "1"),
    ("u", -1),
    ("u", 2**64),
    ("yes", 1),
    ("yes", "true"),
]


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=shown)
async def test_what_does_not_fit_is_not_sent(
    own: dal.Database, things: dal.SqlFolder, name: str, value: Any
) -> None:
    me = system(own)
    before = await me.value(things.value("things/count", int))
    with pytest.raises(dal.ValueRejectedError) as caught:
        await there_and_back(own, things, **{name: value})
    assert caught.value.field == name
    assert caught.value.statement == "things/insert"
    assert caught.value.errno is None
    assert await me.value(things.value("things/count", int)) == before


async def test_per_cent_signs_of_a_file(own: dal.Database, things: dal.SqlFolder) -> None:
    await there_and_back(own, things, label="%%%(%)%s2026")
    assert await system(own).value(things.value("things/like", int), label="(%)") == 1


# ------------------------------------------------------------------------------------- injection

TRICKS = [
    "' OR 1=1 -- ",
    "\\' OR 1=1 -- ",
    "\\\\' OR 1=1 # ",
    "'; DROP TABLE tests_things; -- ",
    '" OR ""="',
    "`; SELECT 1; `",
    "*/ OR 1=1 /*",
    "/*! OR 1=1 */",
    "%' OR '%'='",
    "\0' OR 1=1 -- ",
    "\x1a' OR 1=1 -- ",
    "\u00bf\u0027 OR 1=1 -- ",  # the GBK trick: 0xbf 0x27
    "\u2019 OR 1=1",
    "\uff07 OR 1=1 -- ",  # a full-width apostrophe
    "1 OR 1=1",
    "0x27204f5220313d31",
    "NULL",
    ":id",
    "%s",
    "%(id)s",
    "{0}",
    "?",
    "--",
    "'",
    "\\",
]


@pytest.mark.parametrize("trick", TRICKS)
async def test_a_value_stays_a_value(own: dal.Database, things: dal.SqlFolder, trick: str) -> None:
    me = system(own)
    before = await me.value(things.value("things/count", int))
    thing = await there_and_back(
        own, things, label=trick, body=trick, data=trick.encode(), doc={trick: trick}
    )
    assert (thing.label, thing.body, thing.data) == (trick, trick, trick.encode())
    assert thing.doc == {trick: trick}
    by_label = things.value("things/count_by_label", int)
    by_data = things.value("things/count_by_data", int)
    assert await me.value(by_label, label=trick) == 1
    assert await me.value(by_data, data=trick.encode()) == 1
    assert await me.value(things.value("things/like", int), label=trick) == 0
    assert await me.value(things.value("things/count", int)) == before + 1


@pytest.mark.parametrize("trick", TRICKS)
async def test_a_search_for_a_trick_finds_what_is_the_callers(
    as_ada: dal.Session, as_bob: dal.Session, trick: str
) -> None:
    """It neither breaks a search, nor finds more: what it says are words, or signs between them."""
    text = f"zebra {trick}"
    mine = await as_ada.templates.create(name="mine", content="x", description=text)
    other = await as_ada.templates.create(name="other", content="x", description="quagga")
    theirs = await as_bob.templates.create(name="theirs", content="x", description=text)
    for asked in (text, f"{trick} zebra", f"zebra {trick}nowhere", f'"{trick}" +zebra'):
        page = await as_ada.templates.search(asked)
        found = {hit.template.id for hit in page.rows}
        assert mine.id in found
        assert {other.id, theirs.id}.isdisjoint(found)
        assert all(hit.template.owner_id == as_ada.actor.id for hit in page.rows
                   if hit.template.visibility == "private")  # fmt: skip
    # Alone it finds what has a word of it, and nothing where it has none.
    alone = {hit.template.id for hit in (await as_ada.templates.search(trick)).rows}
    assert {other.id, theirs.id}.isdisjoint(alone)
    if not any(char.isalnum() for char in trick):
        assert alone == set()
    for page in (
        await as_ada.templates.search(category=text),
        await as_ada.templates.search(tags=[text]),
        await as_ada.templates.search(any_tags=[text]),
        await as_ada.templates.search(label=text),
        await as_ada.templates.search(author=text),
        await as_ada.templates.search("zebra", author=text),
    ):
        assert page.rows == ()


# -------------------------------------------------------------------------------------- stacking


async def test_a_second_statement_is_refused(own: dal.Database, things: dal.SqlFolder) -> None:
    async with borrowed(own) as connection:
        for _ in range(2):
            with pytest.raises(dal.ServerError) as caught:
                await connection.run(b"SELECT 1; DELETE FROM tests_things")
            assert caught.value.errno == 1064
            assert (await connection.run(b"SELECT 1")).rows == (("1",),)
            # It stays so when the session was made new.
            await connection.reset()
    assert await system(own).value(things.value("things/count", int)) > 0


async def test_a_value_as_large_as_the_server_takes(
    own: dal.Database, config: Config, admin: Config, things: dal.SqlFolder
) -> None:
    """To the byte; past 16 MiB a packet is split in two on the way."""
    handle = things.affected("things/insert")
    values = dict.fromkeys(PARAMS) | {"id": uuid4(), "body": ""}
    fixed = len(handle.statement.render(values).sql)
    with root_of(admin) as root:
        (before,) = root.rows("SELECT @@global.max_allowed_packet")[0]
        root.rows(f"SET GLOBAL max_allowed_packet = {17 * 2**20}")
        try:
            async with database(config) as db:
                most = db._core.max_allowed_packet
                assert most == 17 * 2**20
                for size in (2**24 - 2 - fixed, most - fixed - 2):
                    thing = await there_and_back(db, things, body="x" * size)
                    assert thing.body is not None
                    assert len(thing.body) == size
                with pytest.raises(dal.ValueRejectedError, match="body: more than") as caught:
                    await there_and_back(db, things, body="x" * (most - fixed - 1))
                assert caught.value.field == "body"
        finally:
            root.rows(f"SET GLOBAL max_allowed_packet = {before}")
