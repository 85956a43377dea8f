"""The table user_tokens. Written from the .sql files: edit those."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import attrs

from dal.session import Executor
from dal.statements import house

__all__ = ["UserTokensGateway"]

_CONSUME = house().affected("user_tokens/consume")
_DELETE_BY_PURPOSE = house().affected("user_tokens/delete_by_purpose")
_DELETE_BY_USER = house().affected("user_tokens/delete_by_user")
_FIND_HOLDER = house().find("user_tokens/find_holder", UUID)
_UPSERT = house().affected("user_tokens/upsert")


@attrs.frozen(slots=True)
class UserTokensGateway:
    """A method per file of ``sql/user_tokens/``."""

    executor: Executor

    async def consume(self, *, token_hash: bytes, purpose: str, now: datetime) -> int:
        """Use a valid token up."""
        return await self.executor.affected(
            _CONSUME, token_hash=token_hash, purpose=purpose, now=now
        )

    async def delete_by_purpose(self, *, user_id: UUID, purpose: str) -> int:
        """Revoke the token that a user has for a purpose."""
        return await self.executor.affected(_DELETE_BY_PURPOSE, user_id=user_id, purpose=purpose)

    async def delete_by_user(self, *, user_id: UUID) -> int:
        """Revoke all tokens of a user."""
        return await self.executor.affected(_DELETE_BY_USER, user_id=user_id)

    async def find_holder(self, *, token_hash: bytes, purpose: str, now: datetime) -> UUID | None:
        """Find the live, active user to whom a valid token belongs."""
        return await self.executor.find(
            _FIND_HOLDER, token_hash=token_hash, purpose=purpose, now=now
        )

    async def upsert(
        self, *, user_id: UUID, purpose: str, token_hash: bytes, now: datetime, expires_at: datetime
    ) -> int:
        """Issue a token in place of the one that the user has for this purpose."""
        return await self.executor.affected(
            _UPSERT,
            user_id=user_id,
            purpose=purpose,
            token_hash=token_hash,
            now=now,
            expires_at=expires_at,
        )
