"""The audit log: what their statements are asked with."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from dal.statements import Statement
from tests import fill
from tests.fill import NOBODY, NOW, START
from tests.sql.aggregates.common import (
    FRESH,
    NEVER_MISSES,
    Aggregate,
    Values,
)


def _audit_cursor(n: int) -> Values:
    return {"before_at": START + timedelta(minutes=n // 20), "before_id": fill.audit_id(n)}


def _middle(statement: Statement, names: set[str], factor: int) -> Values:
    return _audit_cursor(250 * factor // 20 * 20 + 10) if "before_at" in names else {}


AGGREGATE: Final = Aggregate(
    tables=("audit_logs",),
    values={
        "action": ("template.update_details", NEVER_MISSES),
        "actor_name": (None, NEVER_MISSES),
        "actor_type": ("user", NEVER_MISSES),
        "affected": (1, NEVER_MISSES),
        "audit_id": (fill.audit_id(FRESH), NEVER_MISSES),
        "changes": ("{}", NEVER_MISSES),
        "ip": (None, NEVER_MISSES),
        "occurred_at": (NOW, NEVER_MISSES),
        "outcome": ("success", NEVER_MISSES),
        "request_id": (None, NEVER_MISSES),
        "target_id": (fill.template_id(0), NOBODY),
        "target_type": ("template", "no-such-type"),
        "user_agent": (None, NEVER_MISSES),
    },
    middle=_middle,
)
