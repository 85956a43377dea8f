"""Audit entries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Final
from uuid import UUID

from tests.fill.sizes import (
    OWNER,
    START,
    Row,
    Tables,
    n_templates,
    n_users,
    row_id,
)
from tests.fill.templates import template_id
from tests.fill.users import user_id

__all__ = ["audit_id"]

_AUDIT_LOGS: Final = 1_000


def audit_id(n: int) -> UUID:
    """The id of audit entry ``n``."""
    return row_id(5, n)


def _audit_logs(factor: int) -> Iterator[Row]:
    for n in range(_AUDIT_LOGS * factor):
        by_user = n % 5 != 1
        actor = OWNER if n % 10 == 0 else 2 + n % (n_users(factor) - 2)
        yield {
            "id": audit_id(n),
            "occurred_at": START + timedelta(minutes=n // 20),
            "actor_type": "user" if by_user else "system",
            "actor_id": user_id(actor) if by_user else None,
            "actor_name": None if by_user else "import",
            "action": "template.update_details",
            "target_type": "template",
            # Template 0 is one that is changed all the time.
            "target_id": template_id(0 if n % 10 == 5 else n % n_templates(factor)),
            "outcome": "denied" if n % 50 == 7 else "success",
            "affected": 1,
            "changes": json.dumps({"name": {"from": f"Template {n}", "to": f"Template {n + 1}"}}),
            "request_id": None if n % 3 else f"request-{n}",
            "ip": None,
            "user_agent": None,
        }


TABLES: Final[Tables] = {
    "audit_logs": _audit_logs,
}
