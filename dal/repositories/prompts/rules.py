"""What all of a prompt's methods share: who may, and what is locked first."""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from dal.errors import InvalidTransitionError, NotFoundError
from dal.gateways import (
    ConversationsGateway,
    PromptPostingsGateway,
    PromptsGateway,
    UsersGateway,
)
from dal.records.actor import Role
from dal.records.conversations import ConversationRow, ParticipantRole
from dal.records.ids import check_id
from dal.records.prompts import Prompt, PromptRow, PromptStatus, PromptWork
from dal.repositories.base import Repository
from dal.repositories.conversations.search import posting_rows, searched
from dal.session import Scope

__all__ = ["TARGET", "PromptRules", "no_prompt", "no_step", "postings_of"]

Work = TypeVar("Work", bound=PromptWork)

TARGET: Final = "prompt"
"""What the audit log calls a prompt."""


class PromptRules(Repository):
    """What the parts of :class:`dal.repositories.prompts.PromptRepository` share.

    A prompt is seen by those who take part in its conversation, while both are live. Locks go from
    the parent down: the acting user, the conversation, the prompt; the counters of a template last.
    """

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._conversations = ConversationsGateway(scope)
        self._postings = PromptPostingsGateway(scope)
        self._prompts = PromptsGateway(scope)
        self._users = UsersGateway(scope)

    async def _is_there(self, conversation_id: UUID) -> bool:
        return await self._conversations.exists(conversation_id=conversation_id, **self._reader)

    async def _get(self, prompt_id: UUID) -> Prompt:
        return await self._prompts.get(prompt_id=prompt_id, **self._reader)

    async def _work(self, action: str, prompt_id: UUID) -> PromptWork:
        """A prompt whose next step the actor may take: the system, or who may write.

        It is read without a lock: the step is one UPDATE that asks again where the prompt stands.
        """
        self._check_worked(action, prompt_id)
        work = await self._prompts.find_work(prompt_id=prompt_id, **self._reader)
        return self._may_work(action, prompt_id, work)

    def _check_worked(self, action: str, prompt_id: UUID) -> None:
        """Refuse who reads only, before anything is read."""
        check_id("prompt_id", prompt_id)
        if self._scope.actor.role is Role.VIEWER:
            self._deny(action, TARGET, prompt_id, "a viewer reads, and changes nothing")

    def _may_work(self, action: str, prompt_id: UUID, work: Work | None) -> Work:
        """The prompt, where the actor may take its next step."""
        if work is None:
            raise no_prompt()
        if not self._by_system and not work.can_write:
            self._deny(action, TARGET, prompt_id, "only who may write works at prompts")
        return work

    async def _lock_author(self, action: str, prompt_id: UUID | None) -> UUID | None:
        """Lock the acting user; None where nobody, or who is deleted, asks."""
        actor = self._scope.actor
        if actor.role is Role.VIEWER:
            self._deny(action, TARGET, prompt_id, "a viewer reads, and changes nothing")
        if actor.id is None or await self._users.lock_live(user_id=actor.id) is None:
            return None
        return actor.id

    async def _lock_conversation_of(self, action: str, prompt_id: UUID) -> ConversationRow:
        """Lock the conversation of a prompt, if the actor takes part in it."""
        check_id("prompt_id", prompt_id)
        actor_id = await self._lock_author(action, prompt_id)
        if actor_id is None:
            if await self._prompts.find_work(prompt_id=prompt_id, **self._reader) is not None:
                self._deny(action, TARGET, prompt_id, "prompts are changed by who takes part")
            raise no_prompt()
        conversation_id = await self._prompts.find_conversation_including_deleted(
            prompt_id=prompt_id
        )
        row = None
        if conversation_id is not None:
            row = await self._conversations.lock_for_participant(
                conversation_id=conversation_id, actor_id=actor_id
            )
        if row is None:
            raise no_prompt()
        return row

    def _checked(
        self, action: str, prompt_id: UUID, row: ConversationRow, prompt: PromptRow | None
    ) -> PromptRow:
        """The prompt, where the actor may delete it and take that back."""
        if prompt is None:
            raise no_prompt()
        is_theirs = prompt.author_id == self._scope.actor.id
        if not row.can_write or not (is_theirs or row.role is ParticipantRole.OWNER):
            self._deny(action, TARGET, prompt_id, "that is for its author, and for the owner")
        return prompt

    async def _follow_live(
        self,
        conversation_id: UUID,
        prompt: PromptRow,
        now: datetime,
        *,
        is_followed_back: bool = False,
    ) -> None:
        """Have a prompt that comes back follow what its live variations follow, or the nearest one
        on the way up that is live. ``is_followed_back``: what it follows comes back with it.
        """
        parent = prompt.parent_sequence
        beside = (
            []
            if prompt.variation_group is None
            else await self._prompts.list_variation_places(group_id=prompt.variation_group)
        )
        if beside:
            parent = beside[0].parent_sequence
        elif parent is not None and not is_followed_back:
            found = await self._prompts.find_live_ancestor(
                conversation_id=conversation_id, sequence_number=parent
            )
            parent = found.sequence_number if found is not None and found.is_live else None
        if parent != prompt.parent_sequence:
            await self._prompts.update_parent(prompt_id=prompt.id, parent_sequence=parent, now=now)


def postings_of(row: ConversationRow, prompt: PromptRow) -> list[dict[str, object]]:
    """What a prompt of a locked conversation is found by."""
    texts = searched(prompt.user_input, prompt.response, prompt.status)
    return list(posting_rows(row.id, row.owner_id, prompt.sequence_number, "", texts))


def no_prompt() -> NotFoundError:
    """For a prompt that is not there, deleted with or without its parents, or not to be seen."""
    return NotFoundError("no such prompt for this actor")


def no_step(current: PromptStatus, wanted: PromptStatus, why: str = "") -> InvalidTransitionError:
    """For a step that a prompt does not take from where it stands."""
    return InvalidTransitionError(
        why or f"a prompt that is {current.value} does not become {wanted.value}",
        current=current,
        wanted=wanted,
    )
