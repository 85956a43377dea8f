"""Every statement that a search for users can become, checked like a file."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import product

import pytest

from dal.records.actor import Role
from dal.records.clock import START_OF_TIME
from dal.records.ids import MAX_ID
from dal.records.page import Key
from dal.records.users import User
from dal.search.users import Match, UserArm, UserSearch, every_user_shape, first_key, user_search
from dal.statements import Dynamic, house
from dal.statements.lexer import Kind, tokens
from dal.testing.measure import explain, full_scans, keys_used
from tests import fill
from tests.sql import server_checks as checks
from tests.sql.aggregates.common import LIMIT
from tests.sql.test_statements import none_of
from tests.sql.worlds import World

_ALL_ROWS = 100_000
_WINDOW = 20
_NO_END: Key = (START_OF_TIME, fill.NOBODY)
_LITERALS = {Kind.STRING, Kind.NUMBER, Kind.VARIABLE, Kind.EXECUTABLE_COMMENT, Kind.COMMENT}
_KEYS = {
    "all": "ix_users_created",
    "all role": "ix_users_role",
    "all activity": "ix_users_activity",
    "all role activity": "ix_users_role",
    "name": "ix_users_name",
    "email": "uq_users_email_live",
    "window": "ix_users_created",
}
# With what is in fill: in names alone, in addresses alone, in both; marks of LIKE; accents.
_PREFIXES = [
    "user 1", "USER 1", "  user 1 ", "user", "user1", "User4", "user48", "user0@example.org",
    "zoë", "ZOE M", "rené", "Rene\u0301 d", "50%", "50", "under_", "under", "back\\", "back",
    "%", "_", "\\", "ser 1", "nobody", "user0@example.orf",
]  # fmt: skip
_PARTS = [
    "ser 1", "EXAMPLE", "r48", "48", "ë m", "ULL", "0%", "r_s", "k\\s", "%", "_", "\\", "user",
    "3@example.org", "nobody",
]  # fmt: skip
_FILTERS: list[dict[str, object]] = [
    {},
    {"role": Role.ADMIN},
    {"role": "viewer"},
    {"is_active": True},
    {"is_active": False},
    {"role": Role.ADMIN, "is_active": True},
    {"role": Role.USER, "is_active": False},
]

filters = pytest.mark.parametrize(
    "chosen", _FILTERS, ids=lambda chosen: " ".join(map(str, chosen.values())) or "all"
)


def _searches(chosen: dict[str, object]) -> list[UserSearch]:
    texts: list[tuple[str | None, Match]] = [
        (None, Match.PREFIX),
        *((text, Match.PREFIX) for text in _PREFIXES),
        *((text, Match.SUBSTRING) for text in _PARTS),
    ]
    return [UserSearch(text=text, match=match, **chosen) for text, match in texts]


def _statement(
    search: UserSearch,
    arm: UserArm,
    after: Key | None = None,
    limit_rows: int = _ALL_ROWS,
    until: Key = _NO_END,
) -> Dynamic[User]:
    return user_search(
        search,
        arm,
        after=after or first_key(arm),
        limit_rows=limit_rows,
        until=until if arm is UserArm.WINDOW else None,
    )


async def _answer(world: World, query: Dynamic[User]) -> list[User]:
    rows = (await world.answer(query.handle.statement, query.values)).rows
    return query.handle.decoder.rows(rows)


def _folded(text: str) -> str:
    """Without case and accents, letter by letter as LIKE sees it: what stands as an accent of its
    own stays.
    """
    return "".join(unicodedata.normalize("NFD", c)[0] for c in text.casefold())


def _numbers(users: Sequence[User]) -> list[int]:
    return [user.id.int & 0xFFFFFFFF for user in users]


def _live(factor: int) -> list[int]:
    return [n for n in range(fill.n_users(factor)) if fill.user_deleted_at(n) is None]


def _newest_first(n: int) -> Key:
    return (fill.user_created_at(n), fill.user_id(n))


def _fits(search: UserSearch, n: int) -> bool:
    return (search.role is None or fill.user_role(n) is search.role) and (
        search.is_active is None or fill.user_is_active(n) is search.is_active
    )


def expected(search: UserSearch, arm: UserArm, factor: int) -> list[int]:
    """Who is to be found, in order, by looking at every user who was filled in."""
    of_filters = [n for n in _live(factor) if _fits(search, n)]
    of_filters.sort(key=_newest_first, reverse=True)
    if search.text is None:
        return of_filters
    folded, lower = _folded(search.text), search.text.lower()

    def by_name(n: int) -> bool:
        return _folded(fill.user_name(n)).startswith(folded)

    if arm is UserArm.NAME:
        found = [n for n in of_filters if by_name(n)]
        return sorted(found, key=lambda n: (_folded(fill.user_name(n)), fill.user_id(n)))
    if arm is UserArm.EMAIL:
        found = [n for n in of_filters if fill.user_email(n).startswith(lower) and not by_name(n)]
        return sorted(found, key=fill.user_email)
    return [
        n for n in of_filters if folded in _folded(fill.user_name(n)) or lower in fill.user_email(n)
    ]


def _key_of(arm: UserArm, user: User) -> Key:
    if arm is UserArm.NAME:
        return (user.full_name, user.id)
    return (user.email,) if arm is UserArm.EMAIL else (user.created_at, user.id)


def test_no_shape_holds_a_literal() -> None:
    labels = set()
    for label, query in every_user_shape("user 1"):
        found = {token.kind for token in tokens(query.handle.statement.sql)}
        assert not found & _LITERALS, label
        labels.add(label)
    assert len(labels) == len(UserArm) * 2 * 2


async def test_every_shape_is_prepared_as_the_record(small: list[World]) -> None:
    faults = []
    for world in small:
        for label, query in every_user_shape("user 1"):
            found = await checks.check_prepare(world, query.handle)
            faults += [f"{world}: {label}: {fault}" for fault in found]
    none_of(faults)


@pytest.mark.parametrize("text", ["user", "user 1", "zoë", "50%", "nobody"])
async def test_every_shape_finds_its_rows_by_the_key_that_it_says(
    worlds: list[World], text: str
) -> None:
    """Also where most rows fit, and where none does: the key is said, and nothing is sorted."""
    faults = []
    for world in worlds:
        for label, query in every_user_shape(text):
            statement = query.handle.statement
            plan = await explain(world.connection, statement.render(query.values).sql)
            wanted = _KEYS.get(label, _KEYS[label.partition(" ")[0]])
            assert statement.header.index == wanted
            faults += [f"{world}: {label}: full scan of {table}" for table in full_scans(plan)]
            if keys_used(plan) != {wanted}:
                faults.append(f"{world}: {label}: {sorted(keys_used(plan))}")
            if any("filesort" in step.extra or "temporary" in step.extra for step in plan):
                faults.append(f"{world}: {label}: sorts: {[step.extra for step in plan]}")
    none_of(faults)


@filters
async def test_a_search_finds_who_there_is(small: list[World], chosen: dict[str, object]) -> None:
    for world in small:
        n_found = 0
        for search in _searches(chosen):
            for arm in search.arms:
                found = _numbers(await _answer(world, _statement(search, arm)))
                assert found == expected(search, arm, world.factor), (world, search, arm)
                n_found += len(found)
        assert n_found > len(_live(world.factor)) / 20


async def test_the_texts_find_what_they_were_chosen_for() -> None:
    """Each mark of LIKE finds the name that has it and no other; accents and case are nothing."""

    def found(text: str, arm: UserArm) -> list[str]:
        match = Match.SUBSTRING if arm is UserArm.WINDOW else Match.PREFIX
        search = UserSearch(text=text, match=match)
        return [fill.user_name(n) for n in expected(search, arm, 1)]

    assert found("50%", UserArm.NAME) == ["50% Off"]
    assert found("under_", UserArm.NAME) == ["under_score"]
    assert found("back\\", UserArm.NAME) == ["back\\slash"]
    assert found("ZOË", UserArm.NAME) == ["Zoë Müller", "zoe muller"]
    assert (
        found("Rene\u0301 d", UserArm.NAME) == found("RENE", UserArm.NAME) == [fill.user_name(36)]
    )
    assert found("user48", UserArm.NAME) == ["user48"]
    assert found("user48", UserArm.EMAIL) == []
    assert found("user47", UserArm.EMAIL) == ["User 47"]
    assert "user48" in found("r48", UserArm.WINDOW)


@pytest.mark.parametrize("text", _PREFIXES)
async def test_names_and_addresses_give_nobody_twice(small: list[World], text: str) -> None:
    search = UserSearch(text=text)
    for world in small:
        found = [_numbers(await _answer(world, _statement(search, arm))) for arm in search.arms]
        both = [n for of_arm in found for n in of_arm]
        folded, lower = _folded(search.text or ""), (search.text or "").lower()
        assert len(set(both)) == len(both)
        assert set(both) == {
            n
            for n in _live(world.factor)
            if _folded(fill.user_name(n)).startswith(folded) or fill.user_email(n).startswith(lower)
        }


@filters
@pytest.mark.parametrize("limit_rows", [1, 7])
async def test_pages_of_a_search_follow_each_other(
    small: list[World], chosen: dict[str, object], limit_rows: int
) -> None:
    searches = [
        UserSearch(**chosen),
        *(UserSearch(text=t, **chosen) for t in ("user 1", "user", "zoe")),
        UserSearch(text="r 1", match=Match.SUBSTRING, **chosen),
    ]
    for world, search in product(small, searches):
        for arm in search.arms:
            whole = expected(search, arm, world.factor)
            walked: list[int] = []
            after = first_key(arm)
            while rows := await _answer(world, _statement(search, arm, after, limit_rows)):
                assert len(rows) <= limit_rows
                walked += _numbers(rows)
                after = _key_of(arm, rows[-1])
                assert len(walked) <= len(whole)
            assert walked == whole, (world, search, arm)


@filters
async def test_a_page_reads_what_it_says(worlds: list[World], chosen: dict[str, object]) -> None:
    """A list by one filter or none, and names without a filter, read what they give."""
    faults, n_bounded = [], 0
    for world in worlds:
        for search in (
            UserSearch(**chosen),
            UserSearch(text="user 1", **chosen),
        ):
            for arm in search.arms:
                whole = await _answer(world, _statement(search, arm))
                starts = [first_key(arm), *(_key_of(arm, u) for u in whole[len(whole) // 2 :][:1])]
                for after in starts:
                    query = _statement(search, arm, after, LIMIT)
                    n_bounded += query.handle.statement.header.reads.startswith("rows + ")
                    found = await checks.check_reads(world, query.handle, query.values)
                    faults += [f"{world}: {arm} {search}: {fault}" for fault in found]
    none_of(faults)
    assert n_bounded >= (len(chosen) < 2) * len(worlds)


async def test_addresses_read_what_they_give_and_whom_the_names_gave(worlds: list[World]) -> None:
    for world in worlds:
        for text in ("user4", "user48", "user"):
            search = UserSearch(text=text)
            query = _statement(search, UserArm.EMAIL)
            n_prefix = sum(fill.user_email(n).startswith(text) for n in _live(world.factor))
            by_table = await checks.fetched(world, query.handle, query.values)
            assert by_table.total() <= n_prefix + 1, (world, text)


@pytest.mark.parametrize("text", ["ser 1", "%", "example.org", "nobody"])
async def test_windows_follow_each_other_and_read_no_more_than_themselves(
    worlds: list[World], text: str
) -> None:
    search = UserSearch(text=text, match=Match.SUBSTRING)
    ending = house().handles["users/find_window_end"]
    decoder = checks.decoder_of(ending)
    assert decoder is not None
    for world in worlds:
        walked: list[int] = []
        n_windows = 0
        after = first_key(UserArm.WINDOW)
        while True:
            asked = {"before_at": after[0], "before_id": after[1], "window_rows": _WINDOW}
            rows = (await world.answer(ending.statement, asked)).rows
            if not rows:
                break
            (end,) = decoder.rows(rows)
            query = _statement(search, UserArm.WINDOW, after, until=(end.created_at, end.id))
            walked += _numbers(await _answer(world, query))
            by_table = await checks.fetched(world, query.handle, query.values)
            # Of one time and a part of two others; each of the three may end with one row more.
            assert by_table.total() <= _WINDOW + 3, world
            n_windows += 1
            after = (end.created_at, end.id)
        assert n_windows == -(-len(_live(world.factor)) // _WINDOW)
        assert walked == expected(search, UserArm.WINDOW, world.factor), world


async def test_a_page_ends_within_a_window(small: list[World]) -> None:
    """What is left of the window is asked for by the same end, from the last row that was given."""
    search = UserSearch(text="user", match=Match.SUBSTRING)
    until = _newest_first(40)
    for world in small:
        whole = [n for n in expected(search, UserArm.WINDOW, world.factor) if n >= 40]
        walked: list[int] = []
        after: Key = (first_key(UserArm.WINDOW)[0], MAX_ID)
        while rows := await _answer(world, _statement(search, UserArm.WINDOW, after, 7, until)):
            walked += _numbers(rows)
            after = _key_of(UserArm.WINDOW, rows[-1])
            assert len(walked) <= len(whole)
        assert walked == whole
        assert walked[-1] == 40
