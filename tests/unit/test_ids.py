"""Ids: UUIDv7 that ascend, UUIDv8 that are derived."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dal.records import ids
from dal.records.ids import MAX_ID, derived_id, new_id

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator that has seen no time yet: that of the process may be far ahead."""
    monkeypatch.setattr(ids, "_generator", ids._Generator())


def milliseconds(of: UUID) -> int:
    return of.int >> 80


def test_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh(monkeypatch)
    for made in (new_id(NOW), new_id(NOW + timedelta(days=30_000))):
        assert made.version == 7
        assert made.variant == RFC_4122
    assert milliseconds(new_id(NOW + timedelta(days=30_001))) == int(
        (NOW + timedelta(days=30_001)).timestamp() * 1000
    )


def test_they_ascend_whatever_the_clock_does(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh(monkeypatch)
    times = [NOW, NOW, NOW + timedelta(milliseconds=1), NOW - timedelta(days=1), NOW] * 2_000
    made = [new_id(at) for at in times]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    # MySQL compares the bytes.
    assert [m.bytes for m in made] == sorted(m.bytes for m in made)


def test_a_counter_that_is_full_goes_into_the_next_millisecond(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fresh(monkeypatch)
    first = new_id(NOW)
    ids._generator._counter = 2**42 - 1
    second, third = new_id(NOW), new_id(NOW)
    assert first < second < third
    assert milliseconds(second) == milliseconds(first) + 1
    for made in (second, third):
        assert made.version == 7
        assert made.variant == RFC_4122


def test_threads_make_no_two_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh(monkeypatch)
    made: list[list[UUID]] = [[] for _ in range(4)]

    def work(into: list[UUID]) -> None:
        into.extend(new_id(NOW) for _ in range(2_000))

    threads = [threading.Thread(target=work, args=(into,)) for into in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for of_thread in made:
        assert of_thread == sorted(of_thread)
    assert len({one for of_thread in made for one in of_thread}) == 8_000


@given(st.integers(0, 2**48 - 1))
def test_the_greatest_is_greater(at: int) -> None:
    assert ids._Generator().next(at) < MAX_ID


@given(st.lists(st.binary(max_size=8), max_size=4), st.lists(st.binary(max_size=8), max_size=4))
def test_derived_ids(one: list[bytes], other: list[bytes]) -> None:
    made = derived_id(*one)
    assert made.version == 8
    assert made.variant == RFC_4122
    assert (made == derived_id(*other)) == (one == other)
