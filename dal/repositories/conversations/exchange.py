"""Conversations in bulk: brought in with their prompts, and taken out."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import attrs

from dal.errors import NotFoundError, ParentMissingError, UsageError, ValueRejectedError
from dal.gateways import PromptsGateway
from dal.records.conversations import PERMISSIONS, Conversation, Participant, ParticipantRole
from dal.records.ids import MAX_ID, check_id, derived_id, new_id
from dal.records.imported_conversations import (
    MAX_PROMPTS,
    ConversationExport,
    ImportedConversation,
    ImportedPrompt,
    place_followed,
)
from dal.records.prompts import Prompt, PromptStatus
from dal.repositories.base import changing, disclosing, part
from dal.repositories.conversations.rules import TARGET, ConversationRules
from dal.repositories.conversations.search import posting_rows, searched

__all__ = ["ConversationExchange"]

_AS_GIVEN: Final = (
    "user_input", "system_prompt", "response", "template_id", "template_version", "provider",
    "model", "token_count", "cost", "max_attempts", "error_code", "error_message", "finish_reason",
    "latency_ms", "first_token_ms",
)  # fmt: skip
_COPIED: Final = (
    "user_input", "system_prompt", "response", "template_id", "template_version", "provider",
    "model", "settings", "max_attempts", "error_code", "error_message", "finish_reason",
    "created_at",
)  # fmt: skip
_ROWS_AT_ONCE: Final = 500
_CONVERSATIONS_AT_ONCE: Final = 100
_IDS_AT_ONCE: Final = 5_000


@attrs.frozen(slots=True)
class _Planned:
    """A conversation that is to be brought in, with what is decided of it."""

    new: ImportedConversation
    id: UUID
    owner_id: UUID
    created_at: datetime
    people: dict[UUID, ParticipantRole]

    @classmethod
    def of(cls, new: ImportedConversation, owner_id: UUID, now: datetime) -> _Planned:
        owner_id = new.owner_id or owner_id
        times = [prompt.created_at or now for prompt in new.prompts]
        began = new.created_at or min([now, *times])
        return cls(new, new.id or new_id(now), owner_id, began, new.people(owner_id))

    def row(self, now: datetime) -> dict[str, object]:
        """As the table has it: the totals are those of the prompts."""
        new = self.new
        times = [prompt.created_at or now for prompt in new.prompts]
        return {
            "conversation_id": self.id,
            "owner_id": self.owner_id,
            "title": new.title,
            "description": new.description,
            "context": new.context,
            "settings": new.settings,
            "conversation_status": new.status,
            "archived_at": new.archived_at,
            "last_activity_at": max([self.created_at, *times]),
            "last_sequence": len(new.prompts),
            "active_sequence": len(new.prompts) or None,
            "message_count": len(new.prompts),
            "token_count": sum(prompt.token_count for prompt in new.prompts),
            "cost": sum((prompt.cost for prompt in new.prompts), Decimal(0)),
            "origin_id": None,
            "origin_sequence": None,
            "created_at": self.created_at,
            "now": now,
        }

    def participant_rows(self, now: datetime) -> Iterator[dict[str, object]]:
        for user_id, role in self.people.items():
            can_write, can_share = PERMISSIONS[role]
            yield {
                "conversation_id": self.id,
                "user_id": user_id,
                "participant_role": role,
                "can_write": can_write,
                "can_share": can_share,
                "added_by": self.owner_id,
                "now": now,
            }

    def prompt_rows(self, now: datetime) -> Iterator[dict[str, object]]:
        numbers: Counter[int] = Counter()
        for number, prompt in enumerate(self.new.prompts, 1):
            of = prompt.variation_of
            first = self.new.prompts[(of or number) - 1]
            numbers.update([] if of is None else [of])
            yield {
                "prompt_id": prompt.id or self._prompt_id(number),
                "conversation_id": self.id,
                "author_id": prompt.author_id or self.owner_id,
                "sequence_number": number,
                "parent_sequence": place_followed(of or number, first) or None,
                "prompt_status": prompt.status,
                **{name: getattr(prompt, name) for name in _AS_GIVEN},
                "prompt_settings": prompt.settings,
                "variation_group": None if of is None else self._group_id(of),
                "variation_number": None if of is None else numbers[of],
                "is_selected": prompt.is_selected,
                "prompt_rating": prompt.rating,
                "feedback": prompt.feedback,
                "rated_at": prompt.rated_at or (prompt.rating and now),
                "attempt": 0 if prompt.status is PromptStatus.CANCELLED else 1,
                "queued_at": None,
                "finished_at": prompt.created_at or now,
                "idempotency_key": None,
                "created_at": prompt.created_at or now,
                "now": now,
            }

    def posting_rows(self) -> Iterator[dict[str, object]]:
        new = self.new
        yield from posting_rows(self.id, self.owner_id, 0, new.title, [new.description])
        for number, prompt in enumerate(new.prompts, 1):
            texts = searched(prompt.user_input, prompt.response, prompt.status)
            yield from posting_rows(self.id, self.owner_id, number, "", texts)

    def _group_id(self, number: int) -> UUID:
        return derived_id(self.id.bytes, b"variations", number.to_bytes(4))

    def _prompt_id(self, number: int) -> UUID:
        """The same each time, so that an import that is repeated meets what it made."""
        return derived_id(self.id.bytes, number.to_bytes(4))


@part("conversations.exchange")
class ConversationExchange(ConversationRules):
    """Many conversations at once: ``me.conversations.exchange``."""

    @changing
    async def create_many(
        self, conversations: Iterable[ImportedConversation], *, owner_id: UUID | None = None
    ) -> int:
        """Bring in conversations with everybody who takes part and all prompts: all, or none.

        The prompts are numbered 1, 2, 3 in the order given, and the totals are their sums. One
        read locks all users; then there is an INSERT per 1 MiB and table.

        A user brings in what is their own and their own words. The system brings in everybody's.

        Args:
            owner_id: for the system, whose those are that do not say.

        Returns:
            How many there were.

        Raises:
            ParentMissingError: an owner, participant or author is not there, or deleted.
            PermissionDeniedError: nobody; a viewer; or a user for somebody else, or with words of
                somebody else.
            UniqueError: one of the ids is taken, or is given twice.
            UsageError: the system says not whose.
            ValueRejectedError: no ImportedConversation, or one who only reads asked something.
        """
        action = "conversation.create_many"
        news = _checked(conversations)
        owner = self._owner(action, owner_id)
        if not news:
            return 0
        if not self._by_system:
            self._refuse_others_words(action, news, owner)
        now = self._scope.clock.now()
        planned = [_Planned.of(new, owner, now) for new in news]
        await self._lock_users({who for one in planned for who in one.people})
        await self._conversations.insert_many(one.row(now) for one in planned)
        await self._participants.insert_many(
            row for one in planned for row in one.participant_rows(now)
        )
        await PromptsGateway(self._scope).insert_many(
            row for one in planned for row in one.prompt_rows(now)
        )
        await self._postings.insert_many(row for one in planned for row in one.posting_rows())
        changes = {"owner_id": {"from": None, "to": owner}}
        await self._audit.write(
            action, TARGET, None, changes=changes, affected=len(planned), at=now
        )
        return len(planned)

    @changing
    async def fork(
        self,
        prompt_id: UUID,
        *,
        title: str | None = None,
        id: UUID | None = None,  # noqa: A002
    ) -> Conversation:
        """Copy a prompt and what it follows, up to its root, into a new conversation of the actor's
        own: for going another way without the others.

        The copies are the actor's words now, in one line, and took nothing: what was spent is
        counted where it was spent. What waited for its answer is cancelled in the copy. The fork
        says where it came from.

        Args:
            title: by default that of the conversation.

        Raises:
            NotFoundError: no such live prompt for this actor.
            PermissionDeniedError: nobody, the system, or a viewer.
            UniqueError: the id is taken.
            ValueRejectedError: ``prompt_id``, ``title`` or ``id``.
        """
        action = "conversation.fork"
        check_id("prompt_id", prompt_id)
        actor_id = self._owner_of_fork(action)
        path = await PromptsGateway(self._scope).list_path(
            prompt_id=prompt_id, limit_rows=MAX_PROMPTS, **self._reader
        )
        if not path:
            raise NotFoundError("no such prompt for this actor")
        await self._lock_users({actor_id})
        origin = await self._conversations.get(
            conversation_id=path[0].conversation_id, **self._reader
        )
        now = self._scope.clock.now()
        new = ImportedConversation(
            title=origin.title if title is None else title,
            description=origin.description,
            context=origin.context,
            settings=origin.settings,
            id=id,
            prompts=[_copied(prompt) for prompt in reversed(path)],
        )
        planned = _Planned.of(new, actor_id, now)
        row = {
            **planned.row(now),
            "origin_id": origin.id,
            "origin_sequence": path[0].sequence_number,
            "last_activity_at": now,
            "created_at": now,
        }
        await self._conversations.insert_many([row])
        await self._participants.insert_many(planned.participant_rows(now))
        await PromptsGateway(self._scope).insert_many(planned.prompt_rows(now))
        await self._postings.insert_many(planned.posting_rows())
        changes = {
            "forked_from_id": {"from": None, "to": origin.id},
            "forked_from_sequence": {"from": None, "to": path[0].sequence_number},
        }
        await self._audit.write(action, TARGET, planned.id, changes=changes, at=now)
        return await self._conversations.get(conversation_id=planned.id, **self._reader)

    async def list_taken_ids(self, conversation_ids: Iterable[UUID]) -> set[UUID]:
        """Which of these ids are conversations of the actor already, the trash too, and for the
        system of anybody; for imports.

        Raises:
            PermissionDeniedError: nobody asks.
            ValueRejectedError: an id is no UUID.
        """
        if not self._by_system:
            self._me()
        if not isinstance(conversation_ids, Iterable):
            raise ValueRejectedError("conversation_ids: a list of UUIDs", field="conversation_ids")
        ids = [check_id("conversation_ids", one) for one in conversation_ids]
        taken: set[UUID] = set()
        for begin in range(0, len(ids), _IDS_AT_ONCE):
            taken.update(
                await self._conversations.list_taken_ids(
                    conversation_ids=ids[begin : begin + _IDS_AT_ONCE], **self._reader
                )
            )
        return taken

    @disclosing
    async def export(self) -> AsyncIterator[ConversationExport]:
        """The actor's own live conversations, archived ones too, newest first, each with all that
        was said; one at a time is held in memory. The audit log says that it was done.

        No statement stays open between them: what is created meanwhile is not seen, what is
        deleted before its turn is left out.

        Raises:
            PermissionDeniedError: the actor is no user.
        """
        actor_id = self._me()
        await self._disclose("conversation.export", TARGET)
        last = MAX_ID
        while True:
            rows = await self._conversations.list_own_whole(
                actor_id=actor_id, before_id=last, limit_rows=_CONVERSATIONS_AT_ONCE
            )
            for row in rows:
                people = [one async for one in self._people_of(row)]
                # There is always the owner, unless it is gone since the page was read.
                if people:
                    prompts = [one async for one in self._prompts_of(row)]
                    yield ConversationExport(row, tuple(people), tuple(prompts))
            if len(rows) < _CONVERSATIONS_AT_ONCE:
                return
            last = rows[-1].id

    # ------------------------------------------------------------------- rules

    def _owner(self, action: str, owner_id: UUID | None) -> UUID:
        """Whose those are that do not say."""
        if owner_id is not None:
            check_id("owner_id", owner_id)
        if self._by_system:
            if owner_id is None:
                raise UsageError("the system owns no conversations: pass owner_id")
            return owner_id
        actor_id = self._scope.actor.id
        if actor_id is None:
            self._deny(action, TARGET, None, "conversations are created by users")
        self._refuse_viewer(action, None)
        if owner_id not in (None, actor_id):
            self._deny(action, TARGET, None, "a user creates their own conversations alone")
        return actor_id

    def _owner_of_fork(self, action: str) -> UUID:
        """Who forks."""
        actor_id = self._scope.actor.id
        if actor_id is None:
            self._deny(action, TARGET, None, "conversations are forked by users")
        self._refuse_viewer(action, None)
        return actor_id

    def _refuse_others_words(
        self, action: str, news: list[ImportedConversation], owner: UUID
    ) -> None:
        """Nobody puts words into somebody else's mouth, or a conversation into their lists."""
        owners = {new.owner_id for new in news}
        authors = {prompt.author_id for new in news for prompt in new.prompts}
        if not (owners | authors) <= {None, owner}:
            self._deny(action, TARGET, None, "a user brings in their own words alone")

    async def _lock_users(self, wanted: set[UUID]) -> None:
        """Lock everybody who takes part against deletion, the oldest account first."""
        ids = sorted(wanted)
        found = 0
        for begin in range(0, len(ids), _IDS_AT_ONCE):
            found += len(
                await self._users.lock_many_live(user_ids=ids[begin : begin + _IDS_AT_ONCE])
            )
        if found < len(ids):
            raise ParentMissingError(
                "an owner, participant or author is not there, or deleted",
                constraint="fk_conversation_participants_user",
            )

    async def _people_of(self, row: Conversation) -> AsyncIterator[Participant]:
        last = UUID(int=0)
        while True:
            found = await self._participants.list_by_conversation(
                conversation_id=row.id,
                after_user_id=last,
                limit_rows=_ROWS_AT_ONCE,
                **self._reader,
            )
            for one in found:
                yield one
            if len(found) < _ROWS_AT_ONCE:
                return
            last = found[-1].user_id

    async def _prompts_of(self, row: Conversation) -> AsyncIterator[Prompt]:
        prompts = PromptsGateway(self._scope)
        last = 0
        while True:
            found = await prompts.list_by_conversation(
                conversation_id=row.id,
                after_sequence=last,
                limit_rows=_ROWS_AT_ONCE,
                **self._reader,
            )
            for one in found:
                yield one
            if len(found) < _ROWS_AT_ONCE:
                return
            last = found[-1].sequence_number


def _copied(prompt: Prompt) -> ImportedPrompt:
    """What a fork has of a prompt."""
    is_over = prompt.status not in (PromptStatus.PENDING, PromptStatus.PROCESSING)
    return ImportedPrompt(
        **{name: getattr(prompt, name) for name in _COPIED},
        status=prompt.status if is_over else PromptStatus.CANCELLED,
    )


def _checked(conversations: object) -> list[ImportedConversation]:
    if not isinstance(conversations, Iterable):
        raise _no_list()
    news = list(conversations)
    if not all(isinstance(new, ImportedConversation) for new in news):
        raise _no_list()
    return news


def _no_list() -> ValueRejectedError:
    return ValueRejectedError(
        "conversations: a list of ImportedConversation", field="conversations"
    )
