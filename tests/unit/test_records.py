"""Ids, cursors, clocks, actors, and what a caller may give."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dal
from dal.records.clock import END_OF_TIME, START_OF_TIME, check_time, later
from dal.records.ids import MAX_ID, check_id
from dal.records.page import (
    MAX_LIMIT,
    Key,
    check_limit,
    decode_cursor,
    encode_cursor,
    page_of,
)
from dal.records.templates import content_sha256
from dal.records.users import Account, NewUser, checked_full_name, checked_role
from dal.repositories.templates.rows import checked_details

NOW = datetime(2026, 1, 1, tzinfo=UTC)
times = st.datetimes(
    datetime(1000, 1, 1),  # noqa: DTZ001
    datetime(9999, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
keys = st.tuples(times, st.uuids()) | st.tuples(st.integers(0, 2**63)) | st.tuples(
    times, times, st.uuids()
)  # fmt: skip


def first_of(key: Key) -> Key:
    """A key of the same types."""
    firsts: dict[type, Any] = {datetime: END_OF_TIME, UUID: MAX_ID, int: 1}
    return tuple(firsts[type(value)] for value in key)


@given(st.text(max_size=20), keys)
@example("templates.list_mine", (START_OF_TIME, UUID(int=0)))
@example("x", (END_OF_TIME, MAX_ID))
def test_a_cursor_says_where_a_page_ended(of_list: str, key: Key) -> None:
    of_list = of_list.encode("utf-8", "replace").decode()
    cursor = encode_cursor(of_list, key)
    assert cursor.isascii()
    assert decode_cursor(of_list, cursor, first_of(key)) == key
    assert decode_cursor(of_list, None, first_of(key)) == first_of(key)


@given(keys, st.data())
def test_a_cursor_with_a_letter_changed_is_refused(key: Key, data: st.DataObject) -> None:
    cursor = encode_cursor("list", key)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= \n"
    at = data.draw(st.integers(0, len(cursor) - 1))
    letter = data.draw(st.sampled_from(letters))
    changed = cursor[:at] + letter + cursor[at + 1 :]
    wrong = {changed, cursor + letter, letter + cursor, cursor[:at], cursor + "="} - {cursor}
    for other in wrong:
        with pytest.raises(dal.ValueRejectedError) as caught:
            decode_cursor("list", other, first_of(key))
        assert caught.value.field == "after"


def test_every_last_letter_but_one_is_refused() -> None:
    """Base64 does not use all bits of the last letter, so several would decode to the same."""
    cursor = encode_cursor("list", (NOW, UUID(int=7)))
    accepted = []
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        try:
            decode_cursor("list", cursor[:-1] + letter, (NOW, UUID(int=7)))
        except dal.ValueRejectedError:
            continue
        accepted.append(letter)
    assert accepted == [cursor[-1]]


@given(st.text(max_size=80) | st.binary(max_size=10) | st.integers())
def test_anything_else_is_no_cursor(wrong: object) -> None:
    with pytest.raises(dal.ValueRejectedError) as caught:
        decode_cursor("list", wrong, (END_OF_TIME, MAX_ID))  # type: ignore[arg-type]
    assert caught.value.field == "after"


def test_a_cursor_that_no_row_could_have_made() -> None:
    """Its checksum is no secret, so its values are not trusted either."""
    early = encode_cursor("list", (datetime(5, 1, 1, tzinfo=UTC), UUID(int=1)))
    other_types = encode_cursor("list", (1, UUID(int=1)))
    for cursor in (early, other_types, encode_cursor("other", (NOW, UUID(int=1)))):
        with pytest.raises(dal.ValueRejectedError):
            decode_cursor("list", cursor, (END_OF_TIME, MAX_ID))


@pytest.mark.parametrize("limit", [0, -1, 501, True, False, "5", 5.0, None])
def test_limits(limit: Any) -> None:
    with pytest.raises(dal.ValueRejectedError) as caught:
        check_limit(limit)
    assert caught.value.field == "limit"
    assert (check_limit(1), check_limit(MAX_LIMIT)) == (1, 500)


def test_pages() -> None:
    def key(number: int) -> Key:
        return (number,)

    assert page_of("l", [1, 2], 2, key) == dal.Page((1, 2), None)
    assert page_of("l", [1, 2, 3], 2, key) == dal.Page((1, 2), encode_cursor("l", (2,)))
    assert page_of("l", [], 2, key) == dal.Page((), None)


@given(times)
def test_ids_ascend_whatever_the_clock_says(at: datetime) -> None:
    ids = [dal.new_id(at), dal.new_id(at), dal.new_id(at - timedelta(0)), dal.new_id(NOW)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 4
    assert {made.version for made in ids} == {7}


def test_derived_ids() -> None:
    made = dal.derived_id(b"ab", b"c")
    assert made == dal.derived_id(b"ab", b"c")
    assert made.version == 8
    assert len({made, dal.derived_id(b"a", b"bc"), dal.derived_id(b"abc"), dal.derived_id()}) == 4


@pytest.mark.parametrize("value", [None, str(UUID(int=7)), UUID(int=7).bytes, 5])
def test_what_is_no_id(value: object) -> None:
    with pytest.raises(dal.ValueRejectedError) as caught:
        check_id("template_id", value)
    assert caught.value.field == "template_id"


def test_times() -> None:
    assert check_time("at", NOW) == NOW
    for wrong in (
        None,
        "2026-01-01",
        datetime(2026, 1, 1),  # noqa: DTZ001
        datetime(1000, 1, 1, tzinfo=UTC),
        datetime(9999, 1, 1, tzinfo=UTC),
        NOW.date(),
    ):
        with pytest.raises(dal.ValueRejectedError) as caught:
            check_time("at", wrong)
        assert caught.value.field == "at"


@given(times, times)
def test_a_change_is_later_than_the_one_before(now: datetime, before: datetime) -> None:
    at = later(now, before)
    assert at > before
    assert at == max(now, before + timedelta(microseconds=1))
    assert later(NOW, NOW) == NOW + timedelta(microseconds=1)


def test_a_manual_clock_needs_a_zone() -> None:
    with pytest.raises(dal.UsageError):
        dal.ManualClock(datetime(2026, 1, 1))  # noqa: DTZ001
    clock = dal.ManualClock(NOW)
    clock.move(timedelta(seconds=-5))
    assert clock.now() == NOW - timedelta(seconds=5)


def test_actors() -> None:
    mine = uuid4()
    ada = dal.Actor.user(mine, role="admin", ip="::1", user_agent="ua", request_id="r")
    assert (ada.is_user, ada.is_system, ada.id, ada.role) == (True, False, mine, dal.Role.ADMIN)
    assert dal.Actor.system("job").is_system
    nobody = dal.Actor.anonymous()
    assert (nobody.is_user, nobody.is_system, nobody.id) == (False, False, None)
    wrongs: tuple[Callable[[], object], ...] = (
        lambda: dal.Actor.user(str(mine)),  # type: ignore[arg-type]
        lambda: dal.Actor.user(mine, role="root"),
        lambda: dal.Actor.system(""),
        lambda: dal.Actor(type=dal.ActorType.USER),
        lambda: dal.Actor(type=dal.ActorType.USER, id=mine),
        lambda: dal.Actor(type=dal.ActorType.SYSTEM, id=mine, name="x"),
        lambda: dal.Actor(type=dal.ActorType.ANONYMOUS, id=mine),
        lambda: dal.Actor(type="system", name="x"),  # type: ignore[arg-type]
        lambda: attrs.evolve(ada, id=None),
    )
    for wrong in wrongs:
        with pytest.raises(dal.UsageError):
            wrong()
    given_actors: dict[str, Callable[[Any], dal.Actor]] = {
        "ip": lambda v: dal.Actor.user(mine, ip=v),
        "user_agent": lambda v: dal.Actor.anonymous(user_agent=v),
        "request_id": lambda v: dal.Actor.system("x", request_id=v),
        "name": lambda v: dal.Actor.system(v),
    }
    for field, given_actor in given_actors.items():
        for value in ("x" * 300, "\ud800", 5):
            with pytest.raises(dal.ValueRejectedError) as caught:
                given_actor(value)
            assert caught.value.field == field


def test_rows_of_an_import() -> None:
    mine = uuid4()
    made = dal.NewTemplate.from_mapping(
        {
            "name": "n",
            "content": "c",
            "description": None,
            "tags": [" B ", "b", "A"],
            "category": " Two Words ",
            "id": str(mine),
            "created_at": "2024-02-29T23:00:00-05:00",
            "visibility": "public",
        }
    )
    assert made == dal.NewTemplate(
        name="n",
        content="c",
        tags=("B", "A"),
        category="Two Words",
        id=mine,
        created_at=datetime(2024, 3, 1, 4, tzinfo=UTC),
        visibility=dal.Visibility.PUBLIC,
    )
    for row, field in (
        ({"name": "n", "content": "c", "nmae": "x"}, "nmae"),
        ({"name": "n"}, "content"),
        ({"content": "c"}, "name"),
        ({"name": None, "content": "c"}, "name"),
        ({"name": "n", "content": None}, "content"),
        ({"name": "n", "content": "c", "id": "x"}, "id"),
        ({"name": "n", "content": "c", "id": 5}, "id"),
        ({"name": "n", "content": "c", "created_at": "soon"}, "created_at"),
        ({"name": "n", "content": "c", "created_at": "2024-01-01T00:00:00"}, "created_at"),
        ({"name": "n", "content": "c", "created_at": 5}, "created_at"),
        ({"name": "n", "content": "c", "tags": "a,b"}, "tags"),
        ({"name": "n", "content": "c", "visibility": "shared"}, "visibility"),
    ):
        with pytest.raises(dal.ValueRejectedError) as caught:
            dal.NewTemplate.from_mapping(row)
        assert caught.value.field == field


def test_a_details_change_gives_only_what_was_given() -> None:
    keep = dal.KEEP
    all_kept: dict[str, Any] = dict.fromkeys(
        ("name", "description", "author_name", "category", "tags", "visibility"), keep
    )
    assert checked_details(**all_kept) == {}
    given_none = {**all_kept, "description": None, "category": None, "tags": [" x ", "X"]}
    assert checked_details(**given_none) == {"description": None, "category": None, "tags": ("x",)}


def test_the_hash_of_a_version() -> None:
    hashes = {
        content_sha256(*pair)
        for pair in (("a", "b"), ("ab", None), ("ab", ""), ("", "ab"), ("", None), ("a", None))
    }
    assert len(hashes) == 6
    assert {len(h) for h in hashes} == {32}


def test_a_user_to_create_is_checked() -> None:
    made = NewUser(email=" Zo\u00cb@Example.ORG\n", full_name=" Zo\u00eb ")
    assert (made.email, made.full_name, made.role) == (
        "zo\u00eb@example.org",
        " Zo\u00eb ",
        dal.Role.USER,
    )
    assert made.id is None
    good: dict[str, Any] = {"email": "a@b.example", "full_name": "A", "role": "admin"}
    assert NewUser(**good, id=UUID(int=1)).role is dal.Role.ADMIN
    for field, wrongs in {
        "email": ("", "a", "a@", "@b", "a@b@c", "a b@c", "a@b..c", "a" * 255 + "@b", None, 5),
        "full_name": ("", " \t\u3000", "a" * 101, "\ud800", None, 5),
        "role": ("", "root", "Admin", None, 5),
        "id": ("x", 5, str(UUID(int=1))),
    }.items():
        for wrong in wrongs:
            with pytest.raises(dal.ValueRejectedError) as caught:
                NewUser(**{**good, field: wrong})
            assert caught.value.field == field


@given(st.text(max_size=110))
def test_a_name_is_kept_or_refused(name: str) -> None:
    if len(name) <= 100 and name.strip():
        assert checked_full_name(name) == name
        return
    with pytest.raises(dal.ValueRejectedError) as caught:
        checked_full_name(name)
    assert caught.value.field == "full_name"


def test_roles() -> None:
    assert [checked_role(name) for name in ("admin", "user", "viewer")] == list(dal.Role)
    assert all(checked_role(role) is role for role in dal.Role)


def test_what_is_secret_is_in_no_repr() -> None:
    fields = {field.name for field in attrs.fields(dal.User)}
    values: dict[str, Any] = {
        **dict.fromkeys(fields),
        "id": UUID(int=7),
        "email": "a@b.example",
        "full_name": "A",
        "role": dal.Role.USER,
        "is_active": True,
        "created_at": NOW,
    }
    account = Account(**values, failed_logins=3, password_hash="$argon2id$hash")
    assert account.user == dal.User(**values)
    token = dal.Secret("a token")
    issued = dal.IssuedToken(
        UUID(int=7), "a@b.example", dal.TokenPurpose.PASSWORD_RESET, token, NOW
    )
    for shown in (repr(account), str(account), repr(account.user), repr(issued), f"{issued}"):
        assert "argon2" not in shown
        assert "a token" not in shown
    assert "a@b.example" in repr(account)
    assert issued.token.reveal() == "a token"
    # What an account has more than a user is what stays inside.
    inside = {field.name for field in attrs.fields(Account)} - fields
    assert inside == {"failed_logins", "password_hash"}
