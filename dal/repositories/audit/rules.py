"""What all parts of the audit log share: that it is for the system."""

from __future__ import annotations

import re
from typing import Final

from dal.errors import UsageError, ValueRejectedError
from dal.gateways import AuditLogsGateway
from dal.repositories.base import Repository
from dal.session import Scope

__all__ = ["TARGET", "AuditRules", "checked_type"]

TARGET: Final = "audit"
"""What the log calls itself."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")


def checked_type(value: object) -> str:
    """The name of a kind of entity. Raises ValueRejectedError; the field is ``target_type``."""
    if not isinstance(value, str) or _NAME.fullmatch(value) is None:
        raise ValueRejectedError("target_type: a name such as template", field="target_type")
    return value


class AuditRules(Repository):
    """What the parts of :class:`dal.repositories.audit.AuditLogRepository` share."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._logs = AuditLogsGateway(scope)

    def _only_system_reads(self) -> None:
        self._only_system("only the system reads everybody's entries")

    def _refuse_transaction(self, what: str) -> None:
        """Refuse what takes transactions of its own, or long.

        Raises:
            UsageError: this is within one.
        """
        if self._scope.in_transaction:
            raise UsageError(f"{what} is no part of a transaction")
