"""Cursors: opaque, checked, of one list."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dal
from dal.records.page import Key, check_limit, decode_cursor, encode_cursor, page_of

TIMES = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001
    lambda naive: naive.replace(tzinfo=UTC)
)
# Of one byte to four, NUL and what is no character yet among them; a lone surrogate is no text.
TEXTS = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("\0a\xe9\uffff\U0001f600")),
    max_size=100,
)
KEYS = st.lists(
    st.one_of(TIMES, st.uuids(), st.integers(0, 2**63 - 1), TEXTS), min_size=1, max_size=3
).map(tuple)
FIRST: Key = (datetime(2026, 1, 1, tzinfo=UTC), UUID(int=5))


def bytes_of(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


def spelt(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def made(packed: bytes) -> str:
    """A cursor of ``list`` whose digest is right, whatever it holds."""
    from dal.records import page

    return spelt(page._digest("list", packed) + packed)


@given(KEYS)
def test_there_and_back(key: Key) -> None:
    cursor = encode_cursor("list", key)
    assert decode_cursor("list", cursor, key) == key
    assert cursor.isascii()
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(KEYS, st.integers(0, 200), st.characters())
def test_a_letter_changed(key: Key, at: int, letter: str) -> None:
    cursor = encode_cursor("list", key)
    changed = cursor[: at % len(cursor)] + letter + cursor[at % len(cursor) + 1 :]
    if changed != cursor:
        with pytest.raises(dal.ValueRejectedError) as caught:
            decode_cursor("list", changed, key)
        assert caught.value.field == "after"


@given(KEYS, st.integers(0), st.integers(1, 255))
def test_a_byte_changed(key: Key, at: int, by: int) -> None:
    """In a cursor that is spelt as one: what it holds is of another list, or of none."""
    data = bytearray(bytes_of(encode_cursor("list", key)))
    data[at % len(data)] ^= by
    with pytest.raises(dal.ValueRejectedError) as caught:
        decode_cursor("list", spelt(bytes(data)), key)
    assert caught.value.field == "after"


@given(st.one_of(st.text(), st.binary(), st.integers(), st.text(max_size=500)))
def test_what_is_none(cursor: Any) -> None:
    with pytest.raises(dal.ValueRejectedError) as caught:
        decode_cursor("list", cursor, FIRST)
    assert caught.value.field == "after"


def test_of_another_list_or_order() -> None:
    cursor = encode_cursor("list", FIRST)
    with pytest.raises(dal.ValueRejectedError):
        decode_cursor("other", cursor, FIRST)
    for first in ((FIRST[1], FIRST[0]), FIRST[:1], (*FIRST, 1), (1, FIRST[1])):
        with pytest.raises(dal.ValueRejectedError):
            decode_cursor("list", cursor, first)


@pytest.mark.parametrize("change", ["", "=", "==", "A", "AAAA", " ", "\n"])
def test_a_cursor_is_written_in_one_way(change: str) -> None:
    cursor = encode_cursor("list", FIRST)
    if change:
        with pytest.raises(dal.ValueRejectedError):
            decode_cursor("list", cursor + change, FIRST)
    else:
        assert decode_cursor("list", cursor, FIRST) == FIRST


def test_without_one_it_starts_at_the_start() -> None:
    assert decode_cursor("list", None, FIRST) == FIRST


def test_a_time_that_no_column_holds() -> None:
    with pytest.raises(dal.ValueRejectedError):
        decode_cursor("list", made(b"t" + (2**64 - 1).to_bytes(8)), FIRST[:1])


def test_text_in_a_cursor() -> None:
    assert made(b"s\x00\x02\xc3\xa9") == encode_cursor("list", ("\xe9",))
    assert decode_cursor("list", made(b"s\x00\x00"), ("",)) == ("",)
    # What looks like the end of one text and the start of the next is text.
    key: Key = ("s\0\1", "", "u\0", 5)
    assert decode_cursor("list", encode_cursor("list", key), ("", "", "", 0)) == key


@pytest.mark.parametrize(
    "packed",
    [
        b"s",
        b"s\x00",
        b"s\x00\x01",
        b"s\x00\x02a",
        b"s\x00\x01ab",
        b"s\x00\x01\xe9",
        b"s\x00\x01\xff",
        # Longer than need be, a surrogate, behind the last character.
        b"s\x00\x02\xc0\x80",
        b"s\x00\x03\xed\xa0\x80",
        b"s\x00\x04\xf4\x90\x80\x80",
        b"S\x00\x01a",
    ],
)
def test_text_that_is_none(packed: bytes) -> None:
    with pytest.raises(dal.ValueRejectedError) as caught:
        decode_cursor("list", made(packed), ("",))
    assert caught.value.field == "after"


def test_text_is_of_another_type() -> None:
    pairs: list[tuple[Key, Key]] = [
        (("a",), (1,)),
        ((1,), ("",)),
        (("a", "b"), ("",)),
        (("a",), FIRST[:1]),
    ]
    for key, first in pairs:
        with pytest.raises(dal.ValueRejectedError):
            decode_cursor("list", encode_cursor("list", key), first)


def test_the_longest_texts_are_in_a_cursor() -> None:
    keys: list[Key] = [
        (1, "\U0010ffff" * 254),
        (1, "\U0010ffff" * 100, UUID(int=5)),
        (1, "\U0010ffff" * 254, FIRST[0], UUID(int=5)),
    ]
    for key in keys:
        assert decode_cursor("list", encode_cursor("list", key), key) == key
    # Nothing that a list gives is as long.
    too_long = encode_cursor("list", ("x" * 1_500,))
    assert len(too_long) > 2_000
    with pytest.raises(dal.ValueRejectedError):
        decode_cursor("list", too_long, ("",))


def _key_of(row: datetime) -> Key:
    return (row,)


@pytest.mark.parametrize("n_rows", range(5))
def test_pages(n_rows: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [start + timedelta(seconds=i) for i in range(n_rows)]
    page = page_of("list", rows, 3, _key_of)
    assert page.rows == tuple(rows[:3])
    assert (page.next is None) == (n_rows <= 3)
    if page.next is not None:
        assert decode_cursor("list", page.next, FIRST[:1]) == (rows[2],)


def test_limits() -> None:
    assert [check_limit(limit) for limit in (1, 500)] == [1, 500]
    for wrong in (0, -1, 501, True, 1.0, "1", None):
        with pytest.raises(dal.ValueRejectedError) as caught:
            check_limit(wrong)  # type: ignore[arg-type]
        assert caught.value.field == "limit"
