"""What is exported is the same each time, says what it has, and is told."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dal
from dal.records.audit_export import csv_header, csv_line, json_line
from tests.conftest import START
from tests.repositories.audit.conftest import Log


async def export(log: Log, **asked: Any) -> tuple[bytes, dal.AuditManifest]:
    pieces: list[bytes] = []
    manifest = await log.app.audit.export.write(pieces.append, **asked)
    return b"".join(pieces), manifest


@pytest.mark.parametrize("format_", ["jsonl", "csv"])
async def test_the_same_question_gives_the_same_bytes(log: Log, format_: str) -> None:
    ids = await log.write(12)
    log.clock.move(timedelta(seconds=1))
    until = log.clock.now()
    first, manifest = await export(log, format=format_, until_at=until)
    await log.write(3)
    again, other = await export(log, format=format_, until_at=until)
    assert again == first
    assert manifest == other
    assert manifest.sha256 == sha256(first).hexdigest()
    assert (manifest.count, manifest.bytes) == (12, len(first))
    assert (manifest.first_id, manifest.last_id) == (ids[0], ids[-1])
    if format_ == "jsonl":
        told = [json.loads(line)["id"] for line in first.splitlines()]
    else:
        told = [row["id"] for row in csv.DictReader(io.StringIO(first.decode(), newline=""))]
    assert [UUID(one) for one in told] == ids


async def test_an_export_is_an_entry_that_says_the_question(log: Log) -> None:
    await log.write(2)
    log.clock.move(timedelta(seconds=1))
    _, manifest = await export(log, target_type="note", severity="low", format="csv")
    (entry,) = (await log.app.audit.search(actions=["audit.export"])).rows
    asked = {name: change["to"] for name, change in entry.changes.items()}
    assert asked == {"format": "csv", **manifest.question}
    assert asked["target_type"] == "note"
    # Its own entry is never in it, although nothing later than now is asked for.
    assert manifest.count == 2


async def test_many_windows_are_walked(log: Log) -> None:
    """With filters 5,000 entries at a time, without 1,000."""
    await log.write(1)
    log.fill(5_400)
    for asked, count in (
        ({}, 5_401),
        ({"text": "näme 0"}, 1),
        ({"actions": ["filled.in"]}, 5_400),
        ({"target_type": "no_such"}, 0),
    ):
        data, manifest = await export(log, until_at=START + timedelta(days=900), **asked)
        exported = {"note", "filled"}
        told = [json.loads(line) for line in data.splitlines()]
        assert sum(one["target_type"] in exported for one in told) == count
        assert manifest.count == len(told)


def entry(**changes: Any) -> dal.AuditEntry:
    values: dict[str, Any] = {
        "id": UUID(int=7),
        "occurred_at": START,
        "actor_type": dal.ActorType.SYSTEM,
        "actor_id": None,
        "actor_name": "job",
        "action": "note.add",
        "target_type": "note",
        "target_id": None,
        "outcome": dal.Outcome.SUCCESS,
        "affected": 1,
        "changes": {},
        "request_id": None,
        "ip": None,
        "user_agent": None,
        "category": dal.AuditCategory.DATA,
        "severity": dal.AuditSeverity.LOW,
    }
    return dal.AuditEntry(**{**values, **changes})


def test_a_line_of_json_and_of_csv() -> None:
    one = entry(changes={"b": {"from": None, "to": "é"}, "a": 1}, user_agent='=HYPERLINK("x")')
    assert json_line(one) == (
        b'{"action":"note.add","actor_id":null,"actor_name":"job","actor_type":"system",'
        b'"affected":1,"category":"data","changes":{"a":1,"b":{"from":null,"to":"\xc3\xa9"}},'
        b'"id":"00000000-0000-0000-0000-000000000007","ip":null,'
        b'"occurred_at":"2026-01-01T12:30:00.000000+00:00","outcome":"success",'
        b'"request_id":null,"severity":"low","target_id":null,"target_type":"note",'
        b'"user_agent":"=HYPERLINK(\\"x\\")"}\n'
    )
    assert csv_header().startswith(b"id,occurred_at,actor_type,")
    assert csv_line(one).endswith(b""",,,"'=HYPERLINK(""x"")",data,low\r\n""")


@given(text=st.text(max_size=40), name=st.text(max_size=40))
def test_no_cell_is_a_formula_and_no_line_is_two(text: str, name: str) -> None:
    line = csv_line(entry(user_agent=text, actor_name=name, changes={text: name}))
    header = csv_header().decode().strip().split(",")
    ((*cells,),) = csv.reader(io.StringIO(line.decode(errors="surrogatepass"), newline=""))
    row = dict(zip(header, cells, strict=True))
    for cell in cells:
        assert not cell.lstrip().startswith(tuple("=+-@\t\r\n|%"))
    assert row["user_agent"].removeprefix("'") == text.removeprefix("'")
    assert json.loads(row["changes"]) == {text: name}


async def test_what_is_not_understood_is_refused_before_anything_is_told(log: Log) -> None:
    for asked, field in (
        ({"format": "xml"}, "format"),
        ({"severity": "x"}, "severity"),
        ({"until_at": "now"}, "until_at"),
    ):
        with pytest.raises(dal.ValueRejectedError) as caught:
            await export(log, **asked)
        assert caught.value.field == field
    with pytest.raises(dal.UsageError):
        async with log.app.begin() as tx:
            await tx.audit.export.write(lambda data: None)
    assert log.ids() == []
