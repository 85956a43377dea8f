"""A published log of a cloud account: it comes in, is searched, exported, sealed and verified."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

import dal
from dal.cli.audit import Entries
from dal.cli.importing import Importer, Report
from tests.repositories.audit.conftest import Log
from tests.repositories.data import data_file, file_of, script_adapters

N_EVENTS: Final = 2_900


def events() -> list[dict[str, Any]]:
    path = data_file("cloudtrail_invictus.jsonl")
    return list(script_adapters("cloudtrail")["cloudtrail_invictus"].rows(path))


async def put(session: dal.Session, rows: list[Any]) -> Report:
    return await Importer(kind=Entries()).run(file_of(rows), session)


async def found(log: Log, **asked: Any) -> int:
    n, after = 0, None
    while True:
        page = await log.app.audit.search(**asked, limit=500, after=after)
        n += len(page.rows)
        if (after := page.next) is None:
            return n


async def test_a_real_log_comes_in_and_answers(log: Log) -> None:
    rows = events()
    report = await put(log.app, rows)
    assert (report.rows, report.imported, report.bad) == (N_EVENTS, N_EVENTS, [])
    again = await put(log.app, rows)
    assert (again.imported, again.already_there) == (0, N_EVENTS)

    outcomes = Counter(row["outcome"] for row in rows)
    for outcome, n in outcomes.items():
        assert await found(log, outcome=outcome, until_at=datetime(2024, 1, 1, tzinfo=UTC)) == n
    actors = Counter(row["actor_id"] for row in rows if row["actor_id"])
    busiest, n = actors.most_common(1)[0]
    assert await found(log, actor_id=UUID(busiest)) == n
    in_text = sum("stratus-red-team" in json.dumps(row) for row in rows)
    assert 0 < await found(log, text="stratus-red-team") <= in_text
    # At any depth, and as the server compares: errorcode too.
    assert await found(log, field="errorCode") == sum(
        '"errorcode":' in json.dumps(row["changes"]).lower() for row in rows
    )
    assert await found(log, actions=["iam.CreateAccessKey"]) == sum(
        row["action"] == "iam.CreateAccessKey" for row in rows
    )

    # Nothing under a key that names a secret is stored.
    kept = log.root("SELECT changes FROM audit_logs WHERE changes LIKE '%%accessKeyId%%'")
    assert kept
    for (text,) in kept:
        assert all(value == "[redacted]" for value in _values(json.loads(text), "accessKeyId"))

    log.clock.move(timedelta(days=1))
    whole: list[bytes] = []
    manifest = await log.app.audit.export.write(whole.append)
    # And what the two imports say of themselves.
    assert (
        manifest.count
        == N_EVENTS
        + log.root("SELECT COUNT(*) FROM audit_logs WHERE action = 'audit.import'")[0][0]
    )
    sealed = await log.sealer.audit.seals.seal()
    assert sealed.entries == manifest.count + 1
    verified = await log.sealer.audit.seals.verify()
    assert (verified.is_ok, verified.entries) == (True, sealed.entries)
    # What was exported comes back as it was.
    log.root("TRUNCATE TABLE audit_logs")
    report = await put(log.app, [json.loads(line) for line in b"".join(whole).splitlines()])
    assert (report.imported, report.bad) == (manifest.count, [])
    verified = await log.sealer.audit.seals.verify()
    assert verified.broken is not None
    # Only the entry of the export itself was not in it.
    assert verified.broken.kind is dal.BreakKind.REMOVED
    assert verified.broken.audit_id is not None
    assert str(verified.broken.audit_id).encode() not in b"".join(whole)


def _values(value: Any, key: str) -> list[Any]:
    """What stands under a key, at any depth."""
    if isinstance(value, list):
        return [found for item in value for found in _values(item, key)]
    if not isinstance(value, dict):
        return []
    return [
        found
        for name, item in value.items()
        for found in ([item] if name == key else _values(item, key))
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": "x"}, "id"),
        ({"occurred_at": "2020-01-01T00:00:00"}, "occurred_at"),
        ({"occurred_at": 5}, "occurred_at"),
        ({"actor_type": "robot"}, "actor_type"),
        ({"actor_id": 5}, "actor_id"),
        ({"actor_name": "x" * 101}, "actor_name"),
        ({"action": "create"}, "action"),
        ({"action": None}, "action"),
        ({"target_type": "A B"}, "target_type"),
        ({"target_id": "x"}, "target_id"),
        ({"outcome": "fine"}, "outcome"),
        ({"affected": -1}, "affected"),
        ({"affected": True}, "affected"),
        ({"changes": []}, "changes"),
        ({"request_id": "x" * 65}, "request_id"),
        ({"ip": "x" * 46}, "ip"),
        ({"user_agent": "x" * 256}, "user_agent"),
        ({"category": "x"}, "category"),
        ({"severity": "x"}, "severity"),
        ({"password": "x"}, "password"),
    ],
)
def test_a_value_that_is_refused_is_named(change: dict[str, Any], field: str) -> None:
    good = {
        "occurred_at": "2020-01-01T00:00:00Z",
        "actor_type": "user",
        "action": "a.b",
        "target_type": "a",
    }
    assert dal.ImportedAuditEntry.from_mapping(good).severity == "low"
    with pytest.raises(dal.ValueRejectedError) as caught:
        dal.ImportedAuditEntry.from_mapping({**good, **change})
    assert caught.value.field == field
