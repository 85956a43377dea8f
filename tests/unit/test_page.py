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
KEYS = st.lists(
    st.one_of(TIMES, st.uuids(), st.integers(0, 2**63 - 1)), min_size=1, max_size=3
).map(tuple)
FIRST: Key = (datetime(2026, 1, 1, tzinfo=UTC), UUID(int=5))


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
    from dal.records import page

    packed = b"t" + (2**64 - 1).to_bytes(8)
    made = base64.urlsafe_b64encode(page._digest("list", packed) + packed).decode().rstrip("=")
    with pytest.raises(dal.ValueRejectedError):
        decode_cursor("list", made, FIRST[:1])


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
