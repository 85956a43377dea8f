"""sql/audit_logs/ through AuditLogsGateway."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

import dal
from dal.gateways import AuditLogsGateway
from tests.gateways.helpers import FIRST, NOW


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "audit_id": uuid4(),
        "occurred_at": NOW,
        "actor_type": dal.ActorType.USER,
        "actor_id": uuid4(),
        "actor_name": None,
        "action": "template.create",
        "target_type": "template",
        "target_id": uuid4(),
        "outcome": dal.Outcome.SUCCESS,
        "affected": 1,
        "changes": "{}",
        "request_id": None,
        "ip": None,
        "user_agent": None,
        "audit_category": dal.AuditCategory.ACCESS,
        "severity": dal.AuditSeverity.MEDIUM,
        **changes,
    }


async def test_insert(tx: dal.Session) -> None:
    logs = AuditLogsGateway(tx)
    row = entry(
        actor_name="job", affected=2**32 - 1, changes='{"a":{"from":null,"to":"é"}}',
        request_id="r", ip="2001:db8::1", user_agent="ua", outcome=dal.Outcome.DENIED,
    )  # fmt: skip
    assert await logs.insert(**row) == 1
    (found,) = await logs.list_by_actor(actor_id=row["actor_id"], limit_rows=9, **FIRST)
    assert found == dal.AuditEntry(
        id=row["audit_id"],
        changes={"a": {"from": None, "to": "é"}},
        category=dal.AuditCategory.ACCESS,
        **{
            name: value
            for name, value in row.items()
            if name not in ("audit_id", "audit_category", "changes")
        },
    )
    with pytest.raises(dal.UniqueError) as caught:
        await logs.insert(**row)
    assert caught.value.constraint == "PRIMARY"
    with pytest.raises(dal.ValueRejectedError):
        await logs.insert(**entry(affected=-1))
    for actor_type in (dal.ActorType.SYSTEM, dal.ActorType.ANONYMOUS):
        assert await logs.insert(**entry(actor_type=actor_type, actor_id=None)) == 1
