"""The table conversation_shares. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import attrs

from dal.records.conversation_statistics import ShareStatistics
from dal.records.shares import OpenShareRow, Share
from dal.session import Executor
from dal.statements import house

__all__ = ["ConversationSharesGateway"]

_DELETE_BY_CONVERSATION = house().affected("conversation_shares/delete_by_conversation")
_DELETE_EXPIRED = house().affected("conversation_shares/delete_expired")
_DELETE_MANY = house().affected("conversation_shares/delete_many")
_FIND_CONVERSATION = house().find("conversation_shares/find_conversation", UUID)
_FIND_OPEN = house().find("conversation_shares/find_open", OpenShareRow)
_GET_STATISTICS = house().one("conversation_shares/get_statistics", ShareStatistics)
_INSERT = house().affected("conversation_shares/insert")
_LIST_BY_CONVERSATION = house().many("conversation_shares/list_by_conversation", Share)
_LIST_OWN = house().many("conversation_shares/list_own", Share)
_LOCK_ONE = house().find("conversation_shares/lock_one", Share)
_RECORD_VIEW = house().affected("conversation_shares/record_view")
_REVOKE_BY_CONVERSATION = house().affected("conversation_shares/revoke_by_conversation")
_REVOKE_BY_PARTICIPANT = house().affected("conversation_shares/revoke_by_participant")
_REVOKE_ONE = house().affected("conversation_shares/revoke_one")
_REVOKE_OWN = house().affected("conversation_shares/revoke_own")
_UPDATE_LIMITS = house().affected("conversation_shares/update_limits")


@attrs.frozen(slots=True)
class ConversationSharesGateway:
    """A method per file of ``sql/conversation_shares/``."""

    executor: Executor

    async def delete_by_conversation(self, *, conversation_id: UUID) -> int:
        """Remove all shares of a conversation that is locked, in the trash."""
        return await self.executor.affected(
            _DELETE_BY_CONVERSATION, conversation_id=conversation_id
        )

    async def delete_expired(self, *, expired_before: datetime, limit_rows: int) -> int:
        """Remove shares that ended long ago, the oldest first."""
        return await self.executor.affected(
            _DELETE_EXPIRED, expired_before=expired_before, limit_rows=limit_rows
        )

    async def delete_many(self, *, conversation_ids: Sequence[UUID]) -> int:
        """Remove all shares of conversations that are locked, in a trash."""
        return await self.executor.affected(_DELETE_MANY, conversation_ids=conversation_ids)

    async def find_conversation(self, *, share_id: UUID) -> UUID | None:
        """Find the conversation of a share, which is locked before the share."""
        return await self.executor.find(_FIND_CONVERSATION, share_id=share_id)

    async def find_open(
        self, *, token_hash: bytes, now: datetime, viewer_id: UUID | None
    ) -> OpenShareRow | None:
        """Find what a valid token opens; whether views are left is not asked."""
        return await self.executor.find(
            _FIND_OPEN, token_hash=token_hash, now=now, viewer_id=viewer_id
        )

    async def get_statistics(
        self, *, now: datetime, first_owner: UUID, last_owner: UUID
    ) -> ShareStatistics:
        """Count the shares that some users created, their views, and what became of them.

        Raises:
            NotFoundError: there is no such row.
        """
        return await self.executor.one(
            _GET_STATISTICS, now=now, first_owner=first_owner, last_owner=last_owner
        )

    async def insert(
        self,
        *,
        share_id: UUID,
        conversation_id: UUID,
        created_by: UUID,
        token_hash: bytes,
        page_key: bytes,
        share_scope: str,
        through_sequence: int,
        expires_at: datetime,
        max_views: int | None,
        now: datetime,
    ) -> int:
        """Create a share of a conversation that is locked, for who may share it."""
        return await self.executor.affected(
            _INSERT,
            share_id=share_id,
            conversation_id=conversation_id,
            created_by=created_by,
            token_hash=token_hash,
            page_key=page_key,
            share_scope=share_scope,
            through_sequence=through_sequence,
            expires_at=expires_at,
            max_views=max_views,
            now=now,
        )

    async def list_by_conversation(
        self,
        *,
        actor_id: UUID | None,
        conversation_id: UUID,
        before_id: UUID,
        actor_is_system: bool,
        limit_rows: int,
    ) -> list[Share]:
        """Page through the shares of a live conversation, newest first, for who may share it."""
        return await self.executor.many(
            _LIST_BY_CONVERSATION,
            actor_id=actor_id,
            conversation_id=conversation_id,
            before_id=before_id,
            actor_is_system=actor_is_system,
            limit_rows=limit_rows,
        )

    async def list_own(self, *, actor_id: UUID, before_id: UUID, limit_rows: int) -> list[Share]:
        """Page through the shares that the actor created, newest first."""
        return await self.executor.many(
            _LIST_OWN, actor_id=actor_id, before_id=before_id, limit_rows=limit_rows
        )

    async def lock_one(self, *, share_id: UUID) -> Share | None:
        """Lock a share of a conversation that is locked, before it is changed."""
        return await self.executor.find(_LOCK_ONE, share_id=share_id)

    async def record_view(
        self, *, now: datetime, conversation_id: UUID, token_hash: bytes, viewer_id: UUID | None
    ) -> int:
        """Count a view of a valid token, while there are views left."""
        return await self.executor.affected(
            _RECORD_VIEW,
            now=now,
            conversation_id=conversation_id,
            token_hash=token_hash,
            viewer_id=viewer_id,
        )

    async def revoke_by_conversation(self, *, now: datetime, conversation_id: UUID) -> int:
        """Revoke all shares of a conversation that is locked."""
        return await self.executor.affected(
            _REVOKE_BY_CONVERSATION, now=now, conversation_id=conversation_id
        )

    async def revoke_by_participant(
        self, *, now: datetime, conversation_id: UUID, user_id: UUID
    ) -> int:
        """Revoke what a participant shared of a conversation that is locked."""
        return await self.executor.affected(
            _REVOKE_BY_PARTICIPANT, now=now, conversation_id=conversation_id, user_id=user_id
        )

    async def revoke_one(self, *, now: datetime, share_id: UUID) -> int:
        """Revoke a share that is locked."""
        return await self.executor.affected(_REVOKE_ONE, now=now, share_id=share_id)

    async def revoke_own(self, *, now: datetime, actor_id: UUID) -> int:
        """Revoke all shares that the actor created."""
        return await self.executor.affected(_REVOKE_OWN, now=now, actor_id=actor_id)

    async def update_limits(
        self,
        *,
        expires_at: datetime,
        max_views: int | None,
        through_sequence: int,
        now: datetime,
        share_id: UUID,
    ) -> int:
        """Change how long, how often and how far a share that is locked is valid."""
        return await self.executor.affected(
            _UPDATE_LIMITS,
            expires_at=expires_at,
            max_views=max_views,
            through_sequence=through_sequence,
            now=now,
            share_id=share_id,
        )
