"""Every statement that a search over the audit log can become, checked like a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest

import dal
from dal.records.audit import AuditEntry, AuditKey
from dal.records.page import Key
from dal.search.audit import (
    FIRST_KEY,
    OLDEST_KEY,
    AuditSearch,
    WayIn,
    audit_search,
    audit_window_end,
    every_audit_shape,
)
from dal.statements import Dynamic
from dal.statements.lexer import Kind, tokens
from dal.testing.measure import explain, full_scans, keys_used
from tests import fill
from tests.sql import server_checks as checks
from tests.sql.test_statements import none_of
from tests.sql.worlds import World

_ALL_ROWS = 100_000
_LITERALS = {Kind.STRING, Kind.NUMBER, Kind.VARIABLE, Kind.EXECUTABLE_COMMENT, Kind.COMMENT}
_T0 = fill.template_id(0)
# What is asked; all that can be of one kind is tried by itself and with others.
_SEARCHES: list[dict[str, Any]] = [
    {},
    {"actor_id": fill.user_id(5)},
    {"actor_id": fill.user_id(9), "outcome": "denied"},
    {"target_type": "template", "target_id": _T0},
    {"target_type": "template", "target_id": _T0, "actor_id": fill.user_id(fill.OWNER)},
    {"target_type": "user"},
    {"outcome": "denied"},
    {"outcome": "failure"},
    {"category": "authentication"},
    {"category": "authentication", "outcome": "failure"},
    {"category": "data", "severity": "high"},
    {"severity": "medium"},
    {"severity": "low", "outcome": "success"},
    {"severity": "critical"},
    {"actions": ["user.authenticate", "no.such"]},
    {"request_id": "request-300"},
    {"ip": "192.0.2.3"},
    {"text": "TEMPLATE 99"},
    {"text": "192.0.2."},
    {"text": "authenticate"},
    {"text": "%"},
    {"text": "_"},
    {"text": '"'},
    {"field": "name"},
    {"field": "nam"},
    {"field": "from"},
    {
        "from_at": fill.START + timedelta(minutes=3),
        "until_at": fill.START + timedelta(minutes=5),
    },
    {"outcome": "denied", "until_at": fill.START + timedelta(minutes=5)},
    {"text": "TEMPLATE 9", "outcome": "denied", "from_at": fill.START + timedelta(minutes=9)},
]


def _found(row: dict[str, Any], asked: dict[str, Any]) -> Iterator[bool]:
    """Whether each of the filters lets an entry through."""
    ranks = ["low", "medium", "high", "critical"]
    for name, value in asked.items():
        if name == "text":
            texts = [row[c] for c in ("action", "target_type", "actor_name", "request_id", "ip")]
            in_json = json.dumps(value)[1:-1].lower()
            in_text = any(value.lower() in (text or "").lower() for text in texts)
            yield in_text or in_json in row["changes"].lower()
        elif name == "field":
            yield f'"{value}":' in row["changes"]
        elif name == "actions":
            yield row["action"] in value
        elif name == "severity":
            yield ranks.index(row["severity"]) >= ranks.index(value)
        elif name == "from_at":
            yield row["occurred_at"] >= value
        elif name == "until_at":
            yield row["occurred_at"] < value
        else:
            yield row[name] == value


def expected(asked: dict[str, Any], factor: int) -> list[UUID]:
    """What is to be found, in order, by looking at every entry that was filled in."""
    rows: list[dict[str, Any]] = [
        fill.audit_entry(n, factor) for n in range(fill.n_entries(factor))
    ]
    found = [row for row in rows if all(_found(row, asked))]
    found.sort(key=lambda row: (row["occurred_at"], row["id"]), reverse=True)
    return [row["id"] for row in found]


async def _answer(world: World, query: Dynamic[Any]) -> list[Any]:
    rows = (await world.answer(query.handle.statement, query.values)).rows
    return query.handle.decoder.rows(rows)


def _statement(search: AuditSearch, after: Key = FIRST_KEY) -> Dynamic[AuditEntry]:
    return audit_search(search, after=after, window_rows=_ALL_ROWS, limit_rows=_ALL_ROWS)


def _shapes() -> Iterator[tuple[str, AuditSearch, Dynamic[Any]]]:
    for label, search in every_audit_shape("Template 1", _T0):
        for key in (FIRST_KEY, OLDEST_KEY):
            told = f"{label} old" if key is OLDEST_KEY else label
            old = key is OLDEST_KEY
            page = audit_search(search, after=key, window_rows=60, limit_rows=20, oldest_first=old)
            yield told, search, page
            end = audit_window_end(search, after=key, window_rows=20, oldest_first=old)
            yield f"{told} end", search, end


def test_no_shape_holds_a_literal() -> None:
    ways = set()
    for label, search, query in _shapes():
        found = {token.kind for token in tokens(query.handle.statement.sql)}
        assert not found & _LITERALS, label
        ways.add((search.way_in, search.passes_over))
    assert ways == {(way, passes) for way in WayIn for passes in (True, False)} - {
        (WayIn.SECURITY, False)
    }


async def test_every_shape_is_prepared_as_the_record(small: list[World]) -> None:
    faults = []
    for world in small:
        for label, _, query in _shapes():
            found = await checks.check_prepare(world, query.handle)
            faults += [f"{world}: {label}: {fault}" for fault in found]
    none_of(faults)


async def test_every_shape_reads_by_the_key_that_it_says(worlds: list[World]) -> None:
    faults = []
    for world in worlds:
        for label, search, query in _shapes():
            statement = query.handle.statement
            plan = await explain(world.connection, statement.render(query.values).sql)
            wanted = {f"ix_audit_logs_{search.way_in}"}
            if not label.endswith("end"):
                wanted.add("PRIMARY")
            assert statement.header.index == ", ".join(sorted(wanted, reverse=True))
            if keys_used(plan) != wanted:
                faults.append(f"{world}: {label}: {sorted(keys_used(plan))}")
            # What is selected from the window is read through. From the newest on MySQL says that
            # it scans the key, of which it reads the window: the next test but one counts.
            scans = [t for t in full_scans(plan) if t not in ("w", "k", "<derived2>")]
            faults += [f"{world}: {label}: full scan of {table}" for table in scans]
    none_of(faults)


@pytest.mark.parametrize("asked", _SEARCHES, ids=lambda asked: " ".join(asked) or "all")
async def test_a_search_finds_what_there_is(small: list[World], asked: dict[str, Any]) -> None:
    search = AuditSearch.of(**asked)
    for world in small:
        found = [entry.id for entry in await _answer(world, _statement(search))]
        assert found == expected(asked, world.factor), world
        if not {"nam", "critical", '"', "%"} & {str(value) for value in asked.values()}:
            assert found, "finds nothing"


@pytest.mark.parametrize("oldest_first", [False, True], ids=["newest", "oldest"])
@pytest.mark.parametrize("asked", _SEARCHES[:12], ids=lambda asked: " ".join(asked) or "all")
async def test_windows_follow_each_other_and_read_no_more_than_themselves(
    worlds: list[World], asked: dict[str, Any], oldest_first: bool
) -> None:
    search, window = AuditSearch.of(**asked), 60
    for world in worlds:
        walked: list[UUID] = []
        after: Key = OLDEST_KEY if oldest_first else FIRST_KEY
        while True:
            query = audit_search(
                search,
                after=after,
                window_rows=window,
                limit_rows=_ALL_ROWS,
                oldest_first=oldest_first,
            )
            walked += [entry.id for entry in await _answer(world, query)]
            read = (await checks.fetched(world, query.handle, query.values)).total()
            # Of the key with its ends, and of the rows themselves.
            assert read <= 2 * window + 3, (world, read)
            end = audit_window_end(
                search, after=after, window_rows=window, oldest_first=oldest_first
            )
            rows: list[AuditKey] = await _answer(world, end)
            if not rows:
                break
            after = (cast(datetime, rows[0].occurred_at), rows[0].id)
        whole = expected(asked, world.factor)
        assert walked == (whole[::-1] if oldest_first else whole), world


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"text": 5}, "text"),
        ({"text": "x" * 101}, "text"),
        ({"field": ""}, "field"),
        ({"actions": "user.create"}, "actions"),
        ({"actions": ["x"] * 3 + [str(n) for n in range(20)]}, "actions"),
        ({"category": "secret"}, "category"),
        ({"severity": "grave"}, "severity"),
        ({"outcome": ""}, "outcome"),
        ({"actor_id": "0"}, "actor_id"),
        ({"target_id": _T0}, "target_type"),
        ({"target_type": "x" * 33}, "target_type"),
        ({"request_id": 1}, "request_id"),
        ({"ip": "x" * 46}, "ip"),
        ({"from_at": "2026"}, "from_at"),
        ({"until_at": fill.START, "from_at": fill.START}, "until_at"),
    ],
)
def test_what_is_not_understood_is_refused(asked: dict[str, Any], field: str) -> None:
    with pytest.raises(dal.ValueRejectedError) as caught:
        AuditSearch.of(**asked)
    assert caught.value.field == field
