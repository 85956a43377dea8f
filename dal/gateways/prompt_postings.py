"""The table prompt_postings. Written from the .sql files: edit those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import attrs

from dal.session import Executor
from dal.statements import house

__all__ = ["PromptPostingsGateway"]

_DELETE_BY_CONVERSATION = house().affected("prompt_postings/delete_by_conversation")
_DELETE_NUMBERS = house().affected("prompt_postings/delete_numbers")
_DELETE_ONE = house().affected("prompt_postings/delete_one")
_INSERT_MANY = house().bulk("prompt_postings/insert_many")
_UPDATE_SCOPE = house().affected("prompt_postings/update_scope")


@attrs.frozen(slots=True)
class PromptPostingsGateway:
    """A method per file of ``sql/prompt_postings/``."""

    executor: Executor

    async def delete_by_conversation(self, *, conversation_id: UUID, limit_rows: int) -> int:
        """Remove postings of a conversation that is locked, in a trash."""
        return await self.executor.affected(
            _DELETE_BY_CONVERSATION, conversation_id=conversation_id, limit_rows=limit_rows
        )

    async def delete_numbers(
        self, *, conversation_id: UUID, sequence_numbers: Sequence[int]
    ) -> int:
        """Have prompts of a conversation that is locked found by no word any more."""
        return await self.executor.affected(
            _DELETE_NUMBERS, conversation_id=conversation_id, sequence_numbers=sequence_numbers
        )

    async def delete_one(
        self, *, conversation_id: UUID, search_terms: Sequence[int], sequence_number: int
    ) -> int:
        """Have a prompt of a conversation that is locked not found by its words any more."""
        return await self.executor.affected(
            _DELETE_ONE,
            conversation_id=conversation_id,
            search_terms=search_terms,
            sequence_number=sequence_number,
        )

    async def insert_many(self, rows: Iterable[Mapping[str, object]]) -> int:
        """Have prompts of conversations that are locked found by their words."""
        return await self.executor.insert_many(_INSERT_MANY, rows)

    async def update_scope(self, *, owner_id: UUID, conversation_id: UUID) -> int:
        """Have a conversation that is locked found by its new owner."""
        return await self.executor.affected(
            _UPDATE_SCOPE, owner_id=owner_id, conversation_id=conversation_id
        )
