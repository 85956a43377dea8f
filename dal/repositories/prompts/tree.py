"""What follows what in a conversation: the way up, what is below, and changing it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Final, cast
from uuid import UUID

from dal.errors import ParentMissingError, ValueRejectedError
from dal.records.conversations import ConversationRow, ParticipantRole
from dal.records.ids import check_id
from dal.records.new_prompts import NewPrompt
from dal.records.page import Key, Page, check_limit, decode_cursor, page_of
from dal.records.prompts import Prompt, PromptPlace, PromptRow
from dal.repositories.base import by_a_part, changing, part
from dal.repositories.conversations.rules import absent
from dal.repositories.prompts.creation import PromptCreation
from dal.repositories.prompts.rules import TARGET, PromptRules, no_prompt, postings_of

__all__ = ["PromptTree"]

MAX_PATH: Final = 100_000
"""The most prompts that are read of a way up."""

_FIRST: Final[Key] = (0,)
_AT_ONCE: Final = 500


@part("prompts.tree")
class PromptTree(PromptRules):
    """Branches of conversations: ``me.prompts.tree``.

    A prompt follows one of a lower number in the same conversation, or none: so no way leads back
    to where it began. What a live prompt follows is live.
    """

    @by_a_part
    async def follow_up(
        self,
        parent_id: UUID,
        *,
        user_input: str,
        max_attempts: int = 3,
        idempotency_key: str | None = None,
        id: UUID | None = None,  # noqa: A002
    ) -> Prompt:
        """Ask on from a prompt, with its system prompt, model and settings.

        Raises:
            As ``prompts.create``; NotFoundError: no such live prompt for this actor.
        """
        parent = await self._get(check_id("parent_id", parent_id))
        new = NewPrompt(
            user_input=user_input,
            system_prompt=parent.system_prompt,
            provider=parent.provider,
            model=parent.model,
            settings=parent.settings,
            max_attempts=max_attempts,
            idempotency_key=idempotency_key,
            parent_id=parent.id,
            id=id,
        )
        return await PromptCreation(self._scope).create(parent.conversation_id, new)

    async def get_path(self, prompt_id: UUID, *, limit: int = MAX_PATH) -> tuple[Prompt, ...]:
        """A prompt and those that it follows, the oldest first: the context to send.

        Args:
            limit: the nearest so many, itself among them; 1 to 100,000.

        Raises:
            NotFoundError: no such live prompt for this actor.
            ValueRejectedError: ``prompt_id`` or ``limit``.
        """
        check_id("prompt_id", prompt_id)
        if type(limit) is not int or not 1 <= limit <= MAX_PATH:
            raise ValueRejectedError(f"limit: a whole number, 1 to {MAX_PATH}", field="limit")
        found = await self._prompts.list_path(prompt_id=prompt_id, limit_rows=limit, **self._reader)
        if not found:
            raise no_prompt()
        return tuple(reversed(found))

    async def get_ancestors(self, prompt_id: UUID, *, limit: int = 1_000) -> tuple[Prompt, ...]:
        """Those that a prompt follows, up to its root, the oldest first, without itself.

        Args:
            limit: the nearest so many, 1 to 99,999.

        Raises:
            As :meth:`get_path`.
        """
        if type(limit) is not int or not 1 <= limit < MAX_PATH:
            raise ValueRejectedError(f"limit: a whole number, 1 to {MAX_PATH - 1}", field="limit")
        return (await self.get_path(prompt_id, limit=limit + 1))[:-1]

    async def get_depth(self, prompt_id: UUID) -> int:
        """How many prompts a prompt follows, up to its root; 0 for a root.

        Raises:
            NotFoundError: no such live prompt for this actor.
            ValueRejectedError: ``prompt_id`` is no UUID.
        """
        check_id("prompt_id", prompt_id)
        found = await self._prompts.find_depth(prompt_id=prompt_id, **self._reader)
        if found is None:
            raise no_prompt()
        return found - 1

    async def list_children(
        self, prompt_id: UUID, *, limit: int = 50, after: str | None = None
    ) -> Page[Prompt]:
        """The live prompts that follow this one, in the order of their numbers.

        Raises:
            NotFoundError: no such live prompt for this actor.
            ValueRejectedError: ``prompt_id``, ``limit`` or ``after``.
        """
        return await self._beside(self._prompts.list_children, "children", prompt_id, limit, after)

    async def list_siblings(
        self, prompt_id: UUID, *, limit: int = 50, after: str | None = None
    ) -> Page[Prompt]:
        """The live prompts that follow what this one follows, itself among them; of a root, all
        roots of the conversation.

        Raises:
            NotFoundError: no such live prompt for this actor.
            ValueRejectedError: ``prompt_id``, ``limit`` or ``after``.
        """
        return await self._beside(self._prompts.list_siblings, "siblings", prompt_id, limit, after)

    async def list_leaves(
        self, conversation_id: UUID, *, limit: int = 50, after: str | None = None
    ) -> Page[Prompt]:
        """The live prompts of a conversation that none follows: where its branches end.

        Raises:
            NotFoundError: no such live conversation for this actor.
            ValueRejectedError: ``conversation_id``, ``limit`` or ``after``.
        """
        of_list = "prompts.tree.leaves"
        check_id("conversation_id", conversation_id)
        rows = await self._prompts.list_leaves(
            conversation_id=conversation_id,
            after_sequence=_start(of_list, after),
            limit_rows=check_limit(limit) + 1,
            **self._reader,
        )
        if not rows and not await self._is_there(conversation_id):
            raise absent()
        return _page(of_list, rows, limit)

    @changing
    async def set_active(self, prompt_id: UUID) -> None:
        """Say where the conversation stands: the next prompt that names none follows this one.

        Raises:
            NotFoundError: no such live prompt for this actor.
            PermissionDeniedError: the actor may not write.
            ValueRejectedError: ``prompt_id`` is no UUID.
        """
        action = "prompt.set_active"
        row = await self._lock_conversation_of(action, prompt_id)
        found = await self._prompts.lock_live(prompt_id=prompt_id)
        if found is None:
            raise no_prompt()
        if not row.can_write:
            self._deny(action, TARGET, prompt_id, "only who may write says that")
        await self._conversations.update_active(
            conversation_id=row.id, active_sequence=found.sequence_number
        )
        changes = {
            "active_sequence": {"from": row.active_sequence, "to": found.sequence_number},
        }
        await self._audit.write(action, TARGET, prompt_id, changes=changes)

    @changing
    async def reparent(self, prompt_id: UUID, parent_id: UUID | None) -> Prompt:
        """Have a prompt, and with it all that is below, follow another one, or None: a root.

        For its author, who may still write, and the owner of the conversation. A variation that
        follows something else is none any more.

        Raises:
            NotFoundError: no such live prompt for this actor.
            ParentMissingError: no such live prompt in the conversation.
            PermissionDeniedError: the actor takes part, and may not.
            ValueRejectedError: ``parent_id`` is the prompt itself or came after it, as all do that
                are below: a prompt follows an earlier one.
        """
        action = "prompt.reparent"
        row = await self._lock_conversation_of(action, prompt_id)
        found = await self._prompts.lock_live(prompt_id=prompt_id)
        prompt = self._checked(action, prompt_id, row, found)
        parent = await self._new_parent(row, prompt, parent_id)
        now = self._scope.clock.now()
        await self._prompts.update_parent(prompt_id=prompt_id, parent_sequence=parent, now=now)
        if prompt.variation_group is not None and parent != prompt.parent_sequence:
            await self._prompts.leave_variations(prompt_id=prompt_id)
        changes = {"parent_sequence": {"from": prompt.parent_sequence, "to": parent}}
        await self._audit.write(action, TARGET, prompt_id, changes=changes, at=now)
        return await self._get(prompt_id)

    @changing
    async def soft_delete_subtree(self, prompt_id: UUID) -> int:
        """Delete a prompt and all that is below it; how many.

        For the owner of the conversation; for somebody else who may write, where all of it is
        theirs.

        Raises:
            NotFoundError: no such live prompt for this actor.
            PermissionDeniedError: the actor takes part, and may not.
            ValueRejectedError: ``prompt_id`` is no UUID.
        """
        action = "prompt.soft_delete_subtree"
        row, prompt = await self._lock_own(action, prompt_id)
        places: list[PromptPlace] = []
        last = 0
        while True:
            some = await self._prompts.list_descendants(
                conversation_id=row.id,
                sequence_number=prompt.sequence_number,
                after_sequence=last,
                limit_rows=_AT_ONCE,
            )
            places += some
            if len(some) < _AT_ONCE:
                break
            last = some[-1].sequence_number
        return await self._delete(action, row, prompt, places)

    @changing
    async def soft_delete_after(self, prompt_id: UUID) -> int:
        """Delete a prompt and all that came after it in the conversation, on any branch; how many.

        Raises:
            As :meth:`soft_delete_subtree`.
        """
        action = "prompt.soft_delete_after"
        row, prompt = await self._lock_own(action, prompt_id)
        places: list[PromptPlace] = []
        last = prompt.sequence_number - 1
        while True:
            some = await self._prompts.list_from(
                conversation_id=row.id, after_sequence=last, limit_rows=_AT_ONCE
            )
            places += some
            if len(some) < _AT_ONCE:
                break
            last = some[-1].sequence_number
        return await self._delete(action, row, prompt, places)

    @changing
    async def restore_subtree(self, prompt_id: UUID) -> int:
        """Take back the deletion of a prompt, and of all below it that was deleted with it.

        Returns:
            How many there are again.

        Raises:
            NotFoundError: no such deleted prompt for this actor.
            PermissionDeniedError: the actor takes part, and may not.
            ValueRejectedError: ``prompt_id`` is no UUID.
        """
        action = "prompt.restore_subtree"
        row = await self._lock_conversation_of(action, prompt_id)
        found = await self._prompts.lock_deleted(prompt_id=prompt_id)
        prompt = self._checked(action, prompt_id, row, found)
        now = self._scope.clock.now()
        back: list[PromptRow] = []
        last = 0
        while True:
            some = await self._prompts.list_deleted_descendants(
                conversation_id=row.id,
                sequence_number=prompt.sequence_number,
                after_sequence=last,
                limit_rows=_AT_ONCE,
            )
            back += some
            if len(some) < _AT_ONCE:
                break
            last = some[-1].sequence_number
        self._refuse_theirs(action, prompt_id, row, {one.author_id for one in back})
        await self._follow_live(row.id, prompt, now)
        for begin in range(0, len(back), _AT_ONCE):
            some_rows = back[begin : begin + _AT_ONCE]
            for one in some_rows:
                # Its variations may have come back before, and follow something else.
                if one.variation_group is not None and one.id != prompt.id:
                    await self._follow_live(row.id, one, now, is_followed_back=True)
            await self._prompts.restore_many(prompt_ids=[one.id for one in some_rows], now=now)
            await self._postings.insert_many(
                posting for one in some_rows for posting in postings_of(row, one)
            )
        await self._conversations.add_prompts(
            conversation_id=row.id,
            active_sequence=back[-1].sequence_number,
            message_count=len(back),
            token_count=sum(one.token_count for one in back),
            cost=sum((one.cost for one in back), Decimal(0)),
            now=now,
        )
        await self._audit.write(action, TARGET, prompt_id, affected=len(back), at=now)
        return len(back)

    # ------------------------------------------------------------------- rules

    async def _beside(
        self,
        listed: Callable[..., Awaitable[list[Prompt]]],
        name: str,
        prompt_id: UUID,
        limit: int,
        after: str | None,
    ) -> Page[Prompt]:
        """A page of what stands around a prompt."""
        of_list = f"prompts.tree.{name}"
        rows = await listed(
            prompt_id=check_id("prompt_id", prompt_id),
            after_sequence=_start(of_list, after),
            limit_rows=check_limit(limit) + 1,
            **self._reader,
        )
        if not rows:
            await self._get(prompt_id)
        return _page(of_list, rows, limit)

    async def _lock_own(self, action: str, prompt_id: UUID) -> tuple[ConversationRow, PromptRow]:
        row = await self._lock_conversation_of(action, prompt_id)
        found = await self._prompts.lock_live(prompt_id=prompt_id)
        return row, self._checked(action, prompt_id, row, found)

    def _refuse_theirs(
        self, action: str, prompt_id: UUID, row: ConversationRow, authors: set[UUID]
    ) -> None:
        """What others asked is the owner's to delete."""
        if row.role is not ParticipantRole.OWNER and authors - {self._scope.actor.id}:
            self._deny(action, TARGET, prompt_id, "some of it is of others")

    async def _new_parent(
        self, row: ConversationRow, prompt: PromptRow, parent_id: UUID | None
    ) -> int | None:
        if parent_id is None:
            return None
        parent = await self._prompts.lock_live(prompt_id=check_id("parent_id", parent_id))
        if parent is None or parent.conversation_id != row.id:
            raise ParentMissingError(
                "no such live prompt in this conversation", constraint="fk_prompts_parent"
            )
        if parent.sequence_number >= prompt.sequence_number:
            raise ValueRejectedError(
                "parent_id: a prompt follows an earlier one", field="parent_id"
            )
        return parent.sequence_number

    async def _delete(
        self, action: str, row: ConversationRow, prompt: PromptRow, places: Sequence[PromptPlace]
    ) -> int:
        """Delete prompts of a locked conversation with all that follows them."""
        self._refuse_theirs(action, prompt.id, row, {one.author_id for one in places})
        now = self._scope.clock.now()
        for begin in range(0, len(places), _AT_ONCE):
            some = places[begin : begin + _AT_ONCE]
            await self._prompts.soft_delete_many(prompt_ids=[one.id for one in some], now=now)
            await self._postings.delete_numbers(
                conversation_id=row.id, sequence_numbers=[one.sequence_number for one in some]
            )
        gone = {one.sequence_number for one in places}
        active = row.active_sequence
        await self._conversations.subtract_prompts(
            conversation_id=row.id,
            active_sequence=prompt.parent_sequence if active in gone else active,
            message_count=len(places),
            token_count=sum(one.token_count for one in places),
            cost=sum((one.cost for one in places), Decimal(0)),
            now=now,
        )
        await self._audit.write(action, TARGET, prompt.id, affected=len(places), at=now)
        return len(places)


def _start(of_list: str, after: str | None) -> int:
    (last,) = cast(tuple[int], decode_cursor(of_list, after, _FIRST))
    return last


def _page(of_list: str, rows: Sequence[Prompt], limit: int) -> Page[Prompt]:
    return page_of(of_list, rows, limit, lambda row: (row.sequence_number,))
