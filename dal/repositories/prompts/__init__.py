"""Prompts of conversations: asked, worked at, answered, listed, deleted and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, cast
from uuid import UUID

from dal.errors import NotFoundError
from dal.records.ids import check_id
from dal.records.new_prompts import NewPrompt, PromptAnswer, PromptFailure
from dal.records.page import Key, Page, check_limit, decode_cursor, page_of
from dal.records.prompts import Prompt, PromptHit, PromptStatus
from dal.repositories.base import by_a_part, changing, frequent, part
from dal.repositories.conversations.rules import absent
from dal.repositories.conversations.search import terms_in
from dal.repositories.prompts.analytics import PromptAnalytics
from dal.repositories.prompts.costs import PromptCosts
from dal.repositories.prompts.creation import PromptCreation
from dal.repositories.prompts.lifecycle import PromptLifecycle
from dal.repositories.prompts.queue import PromptQueue
from dal.repositories.prompts.ratings import PromptRatings
from dal.repositories.prompts.rules import TARGET, PromptRules, postings_of
from dal.repositories.prompts.search import PromptSearches
from dal.repositories.prompts.tree import PromptTree
from dal.repositories.prompts.variations import PromptVariations
from dal.search import ConversationScope

__all__ = ["PromptRepository"]

_LIST: Final = "prompts.list_of"
_FIRST: Final[Key] = (0,)


@part("prompts")
class PromptRepository(PromptRules):
    """Prompts, seen by those who take part in their conversation.

    Each has a number in its conversation, 1, 2, 3 in the order in which they were committed. The
    totals of the conversation change in the same transaction. What a prompt goes through:

        create -> pending -> start -> processing -> complete -> completed
                     ^                    |  |
                     +-- retry -- failed -+  +-> cancelled (from pending too)
    """

    @property
    def tree(self) -> PromptTree:
        """What follows what: paths, children, branches, deleting and taking back what is below."""
        return PromptTree(self._scope)

    @property
    def queue(self) -> PromptQueue:
        """Claiming what waits, for workers."""
        return PromptQueue(self._scope)

    @property
    def costs(self) -> PromptCosts:
        """Prices, what attempts cost, and what they would cost elsewhere."""
        return PromptCosts(self._scope)

    @property
    def analytics(self) -> PromptAnalytics:
        """Numbers: what was answered, what it took, how long, by whom; series and the best."""
        return PromptAnalytics(self._scope)

    @property
    def variations(self) -> PromptVariations:
        """Other answers to a prompt, or other ways to ask, side by side."""
        return PromptVariations(self._scope)

    @property
    def ratings(self) -> PromptRatings:
        """What people think of answers."""
        return PromptRatings(self._scope)

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

    async def search(
        self,
        text: str,
        *,
        scope: ConversationScope | str = ConversationScope.VISIBLE,
        conversation_id: UUID | None = None,
        author_id: UUID | None = None,
        status: PromptStatus | str | None = None,
        limit: int = 20,
        after: str | None = None,
    ) -> Page[PromptHit]:
        """The live prompts that have any of the words, in any form, in question or answer, those
        that fit best first, the newest where they fit alike; at most the best 300.

        Only what the actor takes part in is looked at. An answer is found when it is whole.

        Args:
            scope: visible, mine (conversations of one's own) or shared (of others).
            conversation_id: in one conversation alone, whatever the scope; in one that the actor
                takes no part in nothing is found.
            author_id: what this user asked.
            status: what stands there.

        Raises:
            PermissionDeniedError: nobody asks, or the system.
            ValueRejectedError: a field is not what it is to be; ``field`` names it.
        """
        return await PromptSearches(self._scope).search(
            text,
            scope=scope,
            conversation_id=conversation_id,
            author_id=author_id,
            status=status,
            limit=limit,
            after=after,
        )

    @by_a_part
    async def create(
        self,
        conversation_id: UUID,
        *,
        user_input: str,
        system_prompt: str | None = None,
        response: str | None = None,
        parent_id: UUID | None = None,
        template_id: UUID | None = None,
        template_version: int | None = None,
        provider: str | None = None,
        model: str | None = None,
        settings: Mapping[str, Any] | None = None,
        usage: Mapping[str, int] | None = None,
        cost: Decimal | int | None = None,
        finish_reason: str | None = None,
        latency_ms: int | None = None,
        first_token_ms: int | None = None,
        max_attempts: int = 3,
        idempotency_key: str | None = None,
        id: UUID | None = None,  # noqa: A002
    ) -> Prompt:
        """Add a prompt to a conversation that the actor may write in.

        With a response it is completed; without one it is pending, and waits for who starts it or
        claims it.

        Args:
            parent_id: the prompt that it follows; by default where the conversation stands, which
                is the one that was added last.
            template_id: what it was made of: a template that the actor sees.
            template_version: of the template; by default the newest.
            model: the one that is wanted; with a response, the one that gave it.
            settings: an object, temperature and the like; None stands for the conversation's.
            usage: tokens by type, as ``{"input": 812, "cache_read": 4096, "output": 220}``; types
                are disjoint (:class:`dal.UsageType`), and a model's others go by their own names.
            cost: in US dollars, with at most 18 decimals; by default what ``usage`` costs at the
                prices of the model that hold now, and 0 for what has none: ``.costs``.
            max_attempts: how often it may be started, 1 to 100.
            idempotency_key: the same one again in this conversation gives the first prompt back,
                whatever else is said.
            id: made by the caller, so that a call of unknown outcome can be looked up.

        Raises:
            InvalidTransitionError: the conversation is completed or archived.
            NotFoundError: no such live conversation for this actor.
            ParentMissingError: no such prompt in the conversation, or no such version of a
                template for this actor.
            PermissionDeniedError: the actor may not write.
            UniqueError: the id is taken, or the key by a prompt that is deleted.
            ValueRejectedError: a field cannot be stored; ``field`` names it.
        """
        new = NewPrompt(
            user_input=user_input,
            system_prompt=system_prompt,
            response=response,
            parent_id=parent_id,
            template_id=template_id,
            template_version=template_version,
            provider=provider,
            model=model,
            settings=settings,
            usage=usage,
            cost=cost,
            finish_reason=finish_reason,
            latency_ms=latency_ms,
            first_token_ms=first_token_ms,
            max_attempts=max_attempts,
            idempotency_key=idempotency_key,
            id=id,
        )
        return await PromptCreation(self._scope).create(conversation_id, new)

    @by_a_part
    async def start(self, prompt_id: UUID) -> Prompt:
        """Begin the next attempt of a prompt that is pending; who takes part and may write, or the
        system. A worker that shares its work with others claims: ``.queue``.

        Raises:
            InvalidTransitionError: it is not pending.
            NotFoundError: no such live prompt for this actor.
            PermissionDeniedError: the actor may not write.
            ValueRejectedError: ``prompt_id`` is no UUID.
        """
        return await PromptLifecycle(self._scope).start(prompt_id)

    @frequent
    async def append_partial(
        self, prompt_id: UUID, text: str, *, offset: int, worker: str | None = None
    ) -> int:
        """Append to the answer of a prompt that is processed, while it comes in.

        Each call writes the answer anew: send what came in a second, not each token.

        Args:
            offset: how many characters the answer has so far, 0 at first: so that a call that is
                repeated does not append twice.
            worker: who claimed it, as in :meth:`complete`.

        Returns:
            How many characters it has now.

        Raises:
            InvalidTransitionError: it is not processed, or by another worker.
            NotFoundError: no such live prompt for this actor.
            PermissionDeniedError: the actor may not write.
            StaleVersionError: the answer has another length; ``actual`` says which.
            ValueRejectedError: a value cannot be stored; ``field`` names it.
        """
        return await PromptLifecycle(self._scope).append_partial(prompt_id, text, offset, worker)

    @by_a_part
    async def complete(
        self,
        prompt_id: UUID,
        *,
        response: str,
        usage: Mapping[str, int] | None = None,
        cost: Decimal | int | None = None,
        provider: str | None = None,
        model: str | None = None,
        finish_reason: str | None = None,
        latency_ms: int | None = None,
        first_token_ms: int | None = None,
        worker: str | None = None,
    ) -> None:
        """Give a prompt that is processed its answer; the totals count it in the same transaction.

        The same again changes nothing, so that who got no answer can say it again.

        Args:
            response: the whole answer, whatever was appended before.
            usage: tokens by type, as ``{"input": 812, "cache_read": 4096, "output": 220}``; types
                are disjoint (:class:`dal.UsageType`), and a model's others go by their own names.
            cost: in US dollars, with at most 18 decimals; by default what ``usage`` costs at the
                prices of the model that hold now, and 0 for what has none: ``.costs``.
            model: who answered; by default who was wanted. So with ``provider``.
            latency_ms: from the request to the whole answer; ``first_token_ms`` to its begin.
            worker: who claimed it from the queue, under the name given there.

        Raises:
            InvalidTransitionError: it is not processed, or by another worker, or was answered in
                another way.
            NotFoundError: no such live prompt for this actor.
            PermissionDeniedError: the actor may not write.
            ValueRejectedError: a field cannot be stored; ``field`` names it.
        """
        answer = PromptAnswer(
            response=response,
            usage=usage,
            cost=cost,
            provider=provider,
            model=model,
            finish_reason=finish_reason,
            latency_ms=latency_ms,
            first_token_ms=first_token_ms,
        )
        await PromptLifecycle(self._scope).complete(prompt_id, answer, worker)

    @by_a_part
    async def fail(
        self,
        prompt_id: UUID,
        *,
        error_code: str,
        error_message: str | None = None,
        usage: Mapping[str, int] | None = None,
        cost: Decimal | int | None = None,
        provider: str | None = None,
        model: str | None = None,
        latency_ms: int | None = None,
        worker: str | None = None,
    ) -> None:
        """Say that an attempt failed, and why; what it took counts all the same.

        Args:
            error_code: a word, as ``rate_limited``; up to 64 characters.
            error_message: in words, up to 2,000 characters; whoever takes part reads it.

        Raises:
            As :meth:`complete`.
        """
        failure = PromptFailure(
            error_code=error_code,
            error_message=error_message,
            usage=usage,
            cost=cost,
            provider=provider,
            model=model,
            latency_ms=latency_ms,
        )
        await PromptLifecycle(self._scope).fail(prompt_id, failure, worker)

    @by_a_part
    async def cancel(self, prompt_id: UUID) -> None:
        """Have a prompt that is pending or processed answered by nobody; what came in so far stays.

        For its author, the owner of the conversation, and the system.

        Raises:
            InvalidTransitionError: it is over already.
            NotFoundError: no such live prompt for this actor.
            PermissionDeniedError: it is somebody else's to cancel.
            ValueRejectedError: ``prompt_id`` is no UUID.
        """
        await PromptLifecycle(self._scope).cancel(prompt_id)

    @by_a_part
    async def retry(self, prompt_id: UUID) -> None:
        """Have a prompt that failed wait for its next attempt.

        Raises:
            InvalidTransitionError: it has not failed, or as often as it may.
            NotFoundError: no such live prompt for this actor.
            PermissionDeniedError: the actor may not write.
            ValueRejectedError: ``prompt_id`` is no UUID.
        """
        await PromptLifecycle(self._scope).retry(prompt_id)

    @changing
    async def soft_delete(self, prompt_id: UUID) -> None:
        """Delete a prompt: its author, who may still write, or the owner of the conversation.

        What followed it follows what it followed. Its number is not given again. It counts in no
        total from then on.

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
            search_terms=terms_in(postings_of(conversation, prompt)),
            sequence_number=prompt.sequence_number,
        )
        is_active = conversation.active_sequence == prompt.sequence_number
        await self._prompts.update_children(
            conversation_id=conversation.id,
            sequence_number=prompt.sequence_number,
            parent_sequence=prompt.parent_sequence,
            now=now,
        )
        await self._conversations.subtract_prompts(
            conversation_id=conversation.id,
            active_sequence=prompt.parent_sequence if is_active else conversation.active_sequence,
            message_count=1,
            token_count=prompt.token_count,
            cost=prompt.cost,
            now=now,
        )
        await self._audit.write(action, TARGET, prompt_id, at=now)

    @changing
    async def restore(self, prompt_id: UUID) -> Prompt:
        """Take back the deletion of a prompt, for who may delete it.

        It follows what it followed, or the nearest one on the way up that is there; what followed
        it stays where it went. What was pending or processed then is cancelled: nobody is at work
        at it any more.

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
        await self._follow_live(conversation.id, prompt, now)
        await self._prompts.restore(prompt_id=prompt_id, now=now)
        await self._postings.insert_many(postings_of(conversation, prompt))
        await self._conversations.add_prompts(
            conversation_id=conversation.id,
            active_sequence=prompt.sequence_number,
            message_count=1,
            token_count=prompt.token_count,
            cost=prompt.cost,
            now=now,
        )
        await self._audit.write(action, TARGET, prompt_id, at=now)
        return await self.get(prompt_id)
