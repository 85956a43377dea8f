"""What a user owns, given to another one: conversations and templates, some at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from dal.errors import NotFoundError, ValueRejectedError
from dal.gateways import (
    ConversationParticipantsGateway,
    ConversationsGateway,
    ConversationSharesGateway,
    PromptPostingsGateway,
    TemplatePostingsGateway,
    TemplatesGateway,
)
from dal.records.conversations import PERMISSIONS, ParticipantRole
from dal.records.ids import MAX_ID, check_id
from dal.records.page import check_batch
from dal.records.transfer import AccountTransfer
from dal.repositories.users.rules import TARGET, UserRules
from dal.session import Scope

__all__ = ["UserTransfers"]

_ACTION: Final = "user.transfer"


class UserTransfers(UserRules):
    """Transfers, for the face. No door of its own."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._conversations = ConversationsGateway(scope)
        self._participants = ConversationParticipantsGateway(scope)
        self._shares = ConversationSharesGateway(scope)
        self._templates = TemplatesGateway(scope)

    async def transfer(self, from_id: UUID, to_id: UUID, batch: int) -> AccountTransfer:
        """See :meth:`dal.repositories.users.UserRepository.transfer`."""
        check_id("from_id", from_id)
        check_id("to_id", to_id)
        most = check_batch(batch)
        self._only_system_changes(_ACTION, TARGET, from_id, "accounts are joined by the system")
        if from_id == to_id:
            raise ValueRejectedError("to_id: is who gives", field="to_id")
        # Nobody is deleted, and nothing is created by who gives, until this ends.
        live = await self._users.lock_many_live(user_ids=[from_id, to_id])
        if len(live) < 2:
            raise NotFoundError("no such user for this actor")
        now = self._scope.clock.now()
        talks = await self._give_conversations(from_id, to_id, most, now)
        left = most - len(talks)
        templates = await self._give_templates(from_id, to_id, left, now) if left else []
        is_done = len(talks) + len(templates) < most
        if talks or templates:
            changes = {
                "owner_id": {"from": str(from_id), "to": str(to_id)},
                "conversations": {"from": None, "to": talks},
                "templates": {"from": None, "to": templates},
            }
            given = len(talks) + len(templates)
            await self._audit.write(
                _ACTION, TARGET, from_id, changes=changes, affected=given, at=now
            )
        return AccountTransfer(len(talks), len(templates), is_done)

    async def _give_conversations(
        self, from_id: UUID, to_id: UUID, most: int, now: datetime
    ) -> list[UUID]:
        owned = await self._conversations.list_own_whole(
            actor_id=from_id, before_id=MAX_ID, limit_rows=most
        )
        return [
            conversation_id
            for conversation_id in sorted(talk.id for talk in owned)
            if await self.give_conversation(conversation_id, from_id, to_id, now)
        ]

    async def give_conversation(
        self, conversation_id: UUID, from_id: UUID, to_id: UUID, now: datetime
    ) -> bool:
        """Give a conversation whose owner is locked to somebody who is, too; whether it was still
        the owner's.
        """
        await self._conversations.lock_including_deleted(conversation_id=conversation_id)
        owner = await self._participants.lock_one(conversation_id=conversation_id, user_id=from_id)
        if owner is None or owner.role is not ParticipantRole.OWNER:
            return False
        # First: one that was deleted since it was listed stays as it is.
        if not await self._conversations.update_owner(
            conversation_id=conversation_id, owner_id=to_id, now=now
        ):
            return False
        there = await self._participants.lock_one(conversation_id=conversation_id, user_id=to_id)
        can_write, can_share = PERMISSIONS[ParticipantRole.COLLABORATOR]
        # The old one first: at no moment there are two.
        await self._participants.update_role(
            conversation_id=conversation_id,
            user_id=from_id,
            participant_role=ParticipantRole.COLLABORATOR,
            can_write=can_write,
            can_share=can_share,
            now=now,
        )
        can_write, can_share = PERMISSIONS[ParticipantRole.OWNER]
        if there is None:
            await self._participants.insert(
                conversation_id=conversation_id,
                user_id=to_id,
                participant_role=ParticipantRole.OWNER,
                can_write=can_write,
                can_share=can_share,
                added_by=from_id,
                now=now,
            )
        else:
            await self._participants.update_role(
                conversation_id=conversation_id,
                user_id=to_id,
                participant_role=ParticipantRole.OWNER,
                can_write=can_write,
                can_share=can_share,
                now=now,
            )
        # Who may not share any more has shared nothing.
        await self._shares.revoke_by_participant(
            conversation_id=conversation_id, user_id=from_id, now=now
        )
        await PromptPostingsGateway(self._scope).update_scope(
            conversation_id=conversation_id, owner_id=to_id
        )
        return True

    async def _give_templates(
        self, from_id: UUID, to_id: UUID, most: int, now: datetime
    ) -> list[UUID]:
        ids = await self._templates.lock_of_owner(owner_id=from_id, limit_rows=most)
        if ids:
            await self._templates.update_owner(template_ids=ids, owner_id=to_id, now=now)
            await TemplatePostingsGateway(self._scope).update_scope(
                template_ids=ids, old_owner_id=from_id, owner_id=to_id
            )
        return ids
