"""What all of a conversation's methods share: who may, and what is locked first."""

from __future__ import annotations

from typing import Final, NoReturn
from uuid import UUID

from dal.errors import NotFoundError
from dal.gateways import (
    ConversationParticipantsGateway,
    ConversationsGateway,
    ConversationSharesGateway,
    PromptPostingsGateway,
    UsersGateway,
)
from dal.records.actor import Role
from dal.records.conversations import ConversationRow, ConversationSummary, ParticipantRole
from dal.records.ids import check_id
from dal.records.page import Key
from dal.repositories.base import Repository
from dal.session import Scope

__all__ = ["TARGET", "ConversationRules", "absent", "by_activity"]

TARGET: Final = "conversation"
"""What the audit log calls a conversation."""


class ConversationRules(Repository):
    """What the parts of :class:`dal.repositories.conversations.ConversationRepository` share.

    A conversation is seen by those who take part in it, while it and its owner are live. A part
    takes its locks in this order: the acting user and another one, the conversation, its
    participants, its shares.
    """

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._conversations = ConversationsGateway(scope)
        self._participants = ConversationParticipantsGateway(scope)
        self._shares = ConversationSharesGateway(scope)
        self._postings = PromptPostingsGateway(scope)
        self._users = UsersGateway(scope)

    def _me(self) -> UUID:
        return self._user("only a user takes part in conversations")

    async def _is_there(self, conversation_id: UUID) -> bool:
        return await self._conversations.exists(conversation_id=conversation_id, **self._reader)

    def _refuse_viewer(self, action: str, conversation_id: UUID | None) -> None:
        if self._scope.actor.role is Role.VIEWER:
            self._deny(action, TARGET, conversation_id, "a viewer reads, and changes nothing")

    async def _lock_actor(self, action: str, conversation_id: UUID) -> UUID:
        """Lock the acting user against deletion, before anything else is locked."""
        check_id("conversation_id", conversation_id)
        actor_id = self._scope.actor.id
        if actor_id is None:
            await self._refuse(action, conversation_id)
        self._refuse_viewer(action, conversation_id)
        if await self._users.lock_live(user_id=actor_id) is None:
            raise absent()
        return actor_id

    async def _lock(self, action: str, conversation_id: UUID) -> ConversationRow:
        """Lock the actor and a conversation that they take part in."""
        actor_id = await self._lock_actor(action, conversation_id)
        return await self._lock_for(action, conversation_id, actor_id)

    async def _lock_for(
        self, action: str, conversation_id: UUID, actor_id: UUID
    ) -> ConversationRow:
        row = await self._conversations.lock_for_participant(
            conversation_id=conversation_id, actor_id=actor_id
        )
        if row is None:
            await self._refuse(action, conversation_id)
        return row

    async def _lock_writable(self, action: str, conversation_id: UUID) -> ConversationRow:
        """Lock a conversation that the actor may change."""
        row = await self._lock(action, conversation_id)
        if not row.can_write:
            self._deny(action, TARGET, conversation_id, "only who may write changes a conversation")
        return row

    def _refuse_others(self, action: str, row: ConversationRow) -> None:
        """Deny what is the owner's alone."""
        if row.role is not ParticipantRole.OWNER:
            self._deny(action, TARGET, row.id, "that is for the owner of the conversation alone")

    async def _lock_owned(self, action: str, conversation_id: UUID) -> ConversationRow:
        """Lock a conversation of the actor's own."""
        row = await self._lock(action, conversation_id)
        self._refuse_others(action, row)
        return row

    async def _refuse(self, action: str, conversation_id: UUID) -> NoReturn:
        """Denied where the actor sees it and it is not theirs to change, else not found."""
        if await self._is_there(conversation_id):
            self._deny(
                action, TARGET, conversation_id, "conversations are changed by who takes part"
            )
        raise absent()

    async def _refuse_unowned(self, action: str, conversation_id: UUID, actor_id: UUID) -> NoReturn:
        """Denied where the actor takes part in somebody else's, else not found."""
        row = await self._conversations.lock_for_participant(
            conversation_id=conversation_id, actor_id=actor_id
        )
        if row is not None:
            self._refuse_others(action, row)
        raise absent()


def absent() -> NotFoundError:
    """For a conversation that is not there, deleted, or not to be seen by this actor."""
    return NotFoundError("no such conversation for this actor")


def by_activity(row: ConversationSummary) -> Key:
    """What the lists are ordered by."""
    return (row.last_activity_at, row.id)
