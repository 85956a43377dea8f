"""What is counted of conversations: proven to be what there is."""

from __future__ import annotations

from uuid import UUID

import attrs

from dal.gateways import PromptsGateway
from dal.records.conversations import ConversationTotals
from dal.records.ids import check_id
from dal.repositories.audit_writer import changes_between
from dal.repositories.base import changing, part
from dal.repositories.conversations.rules import TARGET, ConversationRules, absent

__all__ = ["ConversationTotalsPart"]


@part("conversations.totals")
class ConversationTotalsPart(ConversationRules):
    """Messages, tokens and cost: ``me.conversations.totals``."""

    @changing
    async def recompute(self, conversation_id: UUID) -> bool:
        """Compare the totals with the sums over the live prompts, for the system; whether they were
        apart. They are the sums afterwards.

        Raises:
            NotFoundError: no such live conversation.
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``conversation_id`` is no UUID.
        """
        action = "conversation.recompute"
        check_id("conversation_id", conversation_id)
        self._only_system_changes(action, TARGET, conversation_id, "for the system alone")
        kept = await self._conversations.lock_totals(conversation_id=conversation_id)
        if kept is None:
            raise absent()
        summed = await PromptsGateway(self._scope).sum_by_conversation(
            conversation_id=conversation_id
        )
        if kept != summed:
            await self._conversations.update_totals(
                conversation_id=conversation_id,
                message_count=summed.message_count,
                token_count=summed.token_count,
                cost=summed.cost,
            )
        changes = changes_between(_told(kept), _told(summed))
        await self._audit.write(action, TARGET, conversation_id, changes=changes)
        return kept != summed


def _told(totals: ConversationTotals) -> dict[str, object]:
    """For the audit log."""
    return {**attrs.asdict(totals), "cost": str(totals.cost)}
