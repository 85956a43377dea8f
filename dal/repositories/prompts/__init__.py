"""Prompts of conversations: created in order, listed, deleted and taken back."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NoReturn, cast
from uuid import UUID

from dal.errors import InvalidTransitionError, NotFoundError
from dal.gateways import PromptsGateway
from dal.records.actor import Role
from dal.records.conversations import ConversationRow, ConversationStatus, ParticipantRole
from dal.records.ids import check_id, new_id
from dal.records.page import Key, Page, check_limit, decode_cursor, page_of
from dal.records.prompts import NewPrompt, Prompt, PromptRow
from dal.repositories.base import changing, part
from dal.repositories.conversations.rules import ConversationRules, absent
from dal.repositories.conversations.search import posting_rows, terms_in
from dal.session import Scope

__all__ = ["PromptRepository"]

TARGET: Final = "prompt"
_LIST: Final = "prompts.list_of"
_FIRST: Final[Key] = (0,)


@part("prompts")
class PromptRepository(ConversationRules):
    """Prompts, seen by those who take part in their conversation.

    Each has a number in its conversation, 1, 2, 3 in the order in which they were committed. The
    totals of the conversation change in the same transaction.
    """

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._prompts = PromptsGateway(scope)

    async def get(self, prompt_id: UUID) -> Prompt:
        """A live prompt of a conversation that the actor takes part in; any for the system.

        Raises:
            NotFoundError: not there, deleted with or without its conversation, or not to be seen.
            ValueRejectedError: ``prompt_id`` is no UUID.
        """
        return await self._prompts.get(prompt_id=check_id("prompt_id", prompt_id), **self._reader)

    async def find(self, prompt_id: UUID) -> Prompt | None:
        """As :meth:`get`, or None.

        Raises:
            ValueRejectedError: ``prompt_id`` is no UUID.
        """
        try:
            return await self.get(prompt_id)
        except NotFoundError:
            return None

    async def list_of(
        self, conversation_id: UUID, *, limit: int = 50, after: str | None = None
    ) -> Page[Prompt]:
        """The live prompts of a conversation with their texts, in the order of their numbers.

        Raises:
            NotFoundError: no such live conversation for this actor.
            ValueRejectedError: ``conversation_id``, ``limit`` or ``after``.
        """
        check_id("conversation_id", conversation_id)
        (last,) = cast(tuple[int], decode_cursor(_LIST, after, _FIRST))
        rows = await self._prompts.list_by_conversation(
            conversation_id=conversation_id,
            after_sequence=last,
            limit_rows=check_limit(limit) + 1,
            **self._reader,
        )
        if not rows and not await self._is_there(conversation_id):
            raise absent()
        return page_of(_LIST, rows, limit, lambda row: (row.sequence_number,))

    @changing
    async def create(
        self,
        conversation_id: UUID,
        *,
        user_input: str,
        response: str | None = None,
        token_count: int = 0,
        cost: Decimal | int = 0,
        id: UUID | None = None,  # noqa: A002
    ) -> Prompt:
        """Add a prompt to a conversation that the actor may write in.

        Args:
            token_count: of question and answer.
            cost: in US dollars, with at most ten decimals.
            id: made by the caller, so that a call of unknown outcome can be looked up.

        Raises:
            InvalidTransitionError: the conversation is completed or archived.
            NotFoundError: no such live conversation for this actor.
            PermissionDeniedError: the actor may not write.
            UniqueError: the id is taken.
            ValueRejectedError: a field cannot be stored; ``field`` names it.
        """
        action = "prompt.create"
        new = NewPrompt(
            user_input=user_input, response=response, token_count=token_count, cost=cost, id=id
        )
        check_id("conversation_id", conversation_id)
        actor_id = await self._lock_author(action, None)
        if actor_id is None:
            if await self._is_there(conversation_id):
                self._deny(action, TARGET, None, "prompts are added by who takes part")
            raise absent()
        now = self._scope.clock.now()
        number = await self._conversations.record_prompt(
            conversation_id=conversation_id,
            actor_id=actor_id,
            token_count=new.token_count,
            cost=new.cost,
            now=now,
        )
        if number is None:
            await self._refuse_prompt(action, conversation_id, actor_id)
        made = Prompt(
            id=new.id or new_id(now),
            conversation_id=conversation_id,
            author_id=actor_id,
            sequence_number=number,
            user_input=new.user_input,
            response=new.response,
            token_count=new.token_count,
            cost=new.cost,
            created_at=now,
            updated_at=now,
            deleted_at=None,
        )
        await self._prompts.insert(
            prompt_id=made.id,
            conversation_id=conversation_id,
            author_id=actor_id,
            sequence_number=number,
            user_input=made.user_input,
            response=made.response,
            token_count=made.token_count,
            cost=made.cost,
            now=now,
        )
        await self._post(conversation_id, number, made.user_input, made.response)
        # Of the texts the log keeps nothing: what somebody asked is not its matter.
        changes = {
            "conversation_id": [None, str(conversation_id)],
            "sequence_number": [None, number],
        }
        await self._audit.write(action, TARGET, made.id, changes=changes, at=now)
        return made

    @changing
    async def soft_delete(self, prompt_id: UUID) -> None:
        """Delete a prompt: its author, who may still write, or the owner of the conversation.

        Its number is not given again. It counts in no total from then on.

        Raises:
            NotFoundError: no such live prompt for this actor.
            PermissionDeniedError: the actor takes part, and may not delete it.
            ValueRejectedError: ``prompt_id`` is no UUID.
        """
        action = "prompt.soft_delete"
        conversation = await self._lock_conversation_of(action, prompt_id)
        found = await self._prompts.lock_live(prompt_id=prompt_id)
        prompt = self._checked(action, prompt_id, conversation, found)
        now = self._scope.clock.now()
        await self._prompts.soft_delete(prompt_id=prompt_id, now=now)
        await self._postings.delete_one(
            conversation_id=conversation.id,
            search_terms=terms_in(_postings_of(conversation, prompt)),
            sequence_number=prompt.sequence_number,
        )
        await self._conversations.subtract_prompt(
            conversation_id=conversation.id,
            token_count=prompt.token_count,
            cost=prompt.cost,
            now=now,
        )
        await self._audit.write(action, TARGET, prompt_id, at=now)

    @changing
    async def restore(self, prompt_id: UUID) -> Prompt:
        """Take back the deletion of a prompt, for who may delete it.

        Raises:
            NotFoundError: no such deleted prompt for this actor.
            PermissionDeniedError: the actor takes part, and may not restore it.
            ValueRejectedError: ``prompt_id`` is no UUID.
        """
        action = "prompt.restore"
        conversation = await self._lock_conversation_of(action, prompt_id)
        found = await self._prompts.lock_deleted(prompt_id=prompt_id)
        prompt = self._checked(action, prompt_id, conversation, found)
        now = self._scope.clock.now()
        await self._prompts.restore(prompt_id=prompt_id, now=now)
        await self._postings.insert_many(_postings_of(conversation, prompt))
        await self._conversations.add_prompt(
            conversation_id=conversation.id,
            token_count=prompt.token_count,
            cost=prompt.cost,
            now=now,
        )
        await self._audit.write(action, TARGET, prompt_id, at=now)
        return await self.get(prompt_id)

    async def _post(
        self, conversation_id: UUID, number: int, user_input: str, response: str | None
    ) -> None:
        """Have a prompt of a locked conversation found by its words."""
        owner_id = await self._conversations.find_owner(conversation_id=conversation_id)
        if owner_id is None:
            raise absent()
        await self._postings.insert_many(
            posting_rows(conversation_id, owner_id, number, "", [user_input, response])
        )

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
            if await self.find(prompt_id) is not None:
                self._deny(action, TARGET, prompt_id, "prompts are changed by who takes part")
            raise _no_prompt()
        conversation_id = await self._prompts.find_conversation_including_deleted(
            prompt_id=prompt_id
        )
        row = None
        if conversation_id is not None:
            row = await self._conversations.lock_for_participant(
                conversation_id=conversation_id, actor_id=actor_id
            )
        if row is None:
            raise _no_prompt()
        return row

    def _checked(
        self, action: str, prompt_id: UUID, row: ConversationRow, prompt: PromptRow | None
    ) -> PromptRow:
        """The prompt, where the actor may delete it and take that back."""
        if prompt is None:
            raise _no_prompt()
        is_theirs = prompt.author_id == self._scope.actor.id
        if not row.can_write or not (is_theirs or row.role is ParticipantRole.OWNER):
            self._deny(action, TARGET, prompt_id, "that is for its author, and for the owner")
        return prompt

    async def _refuse_prompt(self, action: str, conversation_id: UUID, actor_id: UUID) -> NoReturn:
        """Say why a conversation takes no prompt of the actor; it is locked since it refused."""
        row = await self._conversations.lock_for_participant(
            conversation_id=conversation_id, actor_id=actor_id
        )
        if row is None:
            raise absent()
        if not row.can_write:
            self._deny(action, TARGET, None, "only who may write adds prompts")
        state = "archived" if row.archived_at is not None else row.status.value
        raise InvalidTransitionError(
            f"a conversation that is {state} takes no prompts",
            current=state,
            wanted=ConversationStatus.ACTIVE,
        )


def _postings_of(row: ConversationRow, prompt: PromptRow) -> list[dict[str, object]]:
    texts = [prompt.user_input, prompt.response]
    return list(posting_rows(row.id, row.owner_id, prompt.sequence_number, "", texts))


def _no_prompt() -> NotFoundError:
    return NotFoundError("no such prompt for this actor")
