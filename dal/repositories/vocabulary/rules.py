"""Who may change the words that all share."""

from __future__ import annotations

from typing import Final

from dal.gateways import UsersGateway
from dal.records.actor import Role
from dal.repositories.base import Repository

__all__ = ["TARGET", "VocabularyRules"]

TARGET: Final = "category"
"""What the audit log calls a category. Tags are changed with their templates alone."""


class VocabularyRules(Repository):
    """What categories and tags share."""

    async def _only_admins(self, action: str) -> None:
        """Refuse all but the system, and an admin, who stays one until the transaction ends."""
        actor = self._scope.actor
        if self._by_system:
            return
        if (
            actor.id is None
            or actor.role is not Role.ADMIN
            or await UsersGateway(self._scope).lock_admin(actor_id=actor.id) is None
        ):
            self._deny(action, TARGET, None, "for admins and the system")
