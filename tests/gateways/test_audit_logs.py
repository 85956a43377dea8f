"""sql/audit_logs/ through AuditLogsGateway."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

import dal
from dal.gateways import AuditLogsGateway
from tests.gateways.helpers import FIRST, NOW, check_tested


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
        **changes,
    }


def test_all_of_it() -> None:
    check_tested(AuditLogsGateway, globals())


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
        **{name: value for name, value in row.items() if name not in ("audit_id", "changes")},
    )
    with pytest.raises(dal.UniqueError) as caught:
        await logs.insert(**row)
    assert caught.value.constraint == "PRIMARY"
    with pytest.raises(dal.ValueRejectedError):
        await logs.insert(**entry(affected=-1))
    for actor_type in (dal.ActorType.SYSTEM, dal.ActorType.ANONYMOUS):
        assert await logs.insert(**entry(actor_type=actor_type, actor_id=None)) == 1


async def ids(
    tx: dal.Session, by: str, value: UUID, at: datetime | None = None, last: UUID | None = None,
    limit: int = 9,
) -> list[UUID]:  # fmt: skip
    key: dict[str, Any] = dict(FIRST) if at is None else {"before_at": at, "before_id": last}
    logs = AuditLogsGateway(tx)
    if by == "actor":
        rows = await logs.list_by_actor(actor_id=value, limit_rows=limit, **key)
    else:
        rows = await logs.list_by_target(
            target_type="template", target_id=value, limit_rows=limit, **key
        )
    return [row.id for row in rows]


async def check_pages(tx: dal.Session, by: str) -> None:
    value = uuid4()
    # Two share their time, so the id breaks the tie.
    made = [
        entry(audit_id=UUID(int=i + value.int // 2), occurred_at=NOW + timedelta(seconds=at),
              **{f"{by}_id": value})
        for i, at in ((1, 0), (2, 5), (3, 5), (4, 3))
    ]  # fmt: skip
    for row in made:
        await AuditLogsGateway(tx).insert(**row)
    await AuditLogsGateway(tx).insert(**entry())
    newest = [made[2], made[1], made[3], made[0]]
    names = [row["audit_id"] for row in newest]
    assert await ids(tx, by, value) == names
    assert await ids(tx, by, value, limit=2) == names[:2]
    for i, row in enumerate(newest):
        assert await ids(tx, by, value, row["occurred_at"], row["audit_id"]) == names[i + 1 :]
    assert await ids(tx, by, uuid4()) == []


async def test_list_by_actor(tx: dal.Session) -> None:
    await check_pages(tx, "actor")


async def test_list_by_target(tx: dal.Session) -> None:
    await check_pages(tx, "target")
    same_id = uuid4()
    for target_type in ("user", "template"):
        await AuditLogsGateway(tx).insert(**entry(target_type=target_type, target_id=same_id))
    assert len(await ids(tx, "target", same_id)) == 1
