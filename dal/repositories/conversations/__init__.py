"""Conversations: what most callers need of them, and the doors to the rest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import attrs

from dal.errors import (
    InvalidTransitionError,
    NotFoundError,
    ParentMissingError,
    StaleVersionError,
)
from dal.records.clock import END_OF_TIME, check_time, later
from dal.records.conversations import (
    DETAILS,
    PERMISSIONS,
    TRANSITIONS,
    Conversation,
    ConversationHit,
    ConversationRow,
    ConversationStatus,
    ConversationSummary,
    NewConversation,
    ParticipantRole,
    checked_detail,
    checked_status,
)
from dal.records.ids import MAX_ID, check_id, new_id
from dal.records.keep import KEEP, Keep
from dal.records.page import Key, Page, check_limit, decode_cursor, page_of, start_by_time
from dal.repositories.audit_writer import changes_between
from dal.repositories.base import changing, part
from dal.repositories.conversations.archiving import ConversationArchiving
from dal.repositories.conversations.exchange import ConversationExchange
from dal.repositories.conversations.lists import ConversationLists
from dal.repositories.conversations.participants import ConversationParticipants
from dal.repositories.conversations.rules import (
    TARGET,
    ConversationRules,
    by_activity,
)
from dal.repositories.conversations.search import ConversationSearches, posting_rows, terms_in
from dal.repositories.conversations.shares import ConversationShares
from dal.repositories.conversations.statistics import ConversationNumbers
from dal.repositories.conversations.totals import ConversationTotalsPart
from dal.repositories.conversations.trash import ConversationTrash
from dal.search import ConversationScope

__all__ = ["ConversationRepository"]

_FIRST_ARCHIVED: Key = (END_OF_TIME, END_OF_TIME, MAX_ID)


@part("conversations")
class ConversationRepository(ConversationRules):
    """Conversations, seen by those who take part in them while they and their owner are live."""

    # ------------------------------------------------------------------- doors

    @property
    def participants(self) -> ConversationParticipants:
        """Who takes part: add, change_role, remove, leave, transfer."""
        return ConversationParticipants(self._scope)

    @property
    def totals(self) -> ConversationTotalsPart:
        """What is counted: recompute."""
        return ConversationTotalsPart(self._scope)

    @property
    def statistics(self) -> ConversationNumbers:
        """Numbers: by status, by day and week, lengths, costs, links."""
        return ConversationNumbers(self._scope)

    @property
    def lists(self) -> ConversationLists:
        """More lists: recent, by_status, pinned."""
        return ConversationLists(self._scope)

    @property
    def archiving(self) -> ConversationArchiving:
        """Many at once: archive_all, archive_idle."""
        return ConversationArchiving(self._scope)

    @property
    def exchange(self) -> ConversationExchange:
        """Many at once: create_many, export."""
        return ConversationExchange(self._scope)

    @property
    def shares(self) -> ConversationShares:
        """Links for others: create, open, extend, revoke."""
        return ConversationShares(self._scope)

    @property
    def trash(self) -> ConversationTrash:
        """What is deleted: seen, counted, purged, and long ago."""
        return ConversationTrash(self._scope)

    # -------------------------------------------------------------------- read

    async def get(self, conversation_id: UUID) -> Conversation:
        """A live conversation that the actor takes part in; any for the system.

        Raises:
            NotFoundError: not there, deleted, its owner deleted, or the actor takes no part.
            ValueRejectedError: ``conversation_id`` is no UUID.
        """
        return await self._conversations.get(
            conversation_id=check_id("conversation_id", conversation_id), **self._reader
        )

    async def find(self, conversation_id: UUID) -> Conversation | None:
        """As :meth:`get`, or None.

        Raises:
            ValueRejectedError: ``conversation_id`` is no UUID.
        """
        try:
            return await self.get(conversation_id)
        except NotFoundError:
            return None

    async def exists(self, conversation_id: UUID) -> bool:
        """Whether :meth:`get` would give it.

        Raises:
            ValueRejectedError: ``conversation_id`` is no UUID.
        """
        return await self._is_there(check_id("conversation_id", conversation_id))

    async def list_mine(
        self, *, limit: int = 50, after: str | None = None
    ) -> Page[ConversationSummary]:
        """The actor's own live conversations that are not archived, the last active first.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``limit`` or ``after``.
        """
        actor_id = self._me()
        at, last = start_by_time("conversations.list_mine", after)
        rows = await self._conversations.list_own(
            actor_id=actor_id, before_at=at, before_id=last, limit_rows=check_limit(limit) + 1
        )
        return page_of("conversations.list_mine", rows, limit, by_activity)

    async def list_archived(
        self, *, limit: int = 50, after: str | None = None
    ) -> Page[ConversationSummary]:
        """The actor's own live conversations that are archived, archived last first.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``limit`` or ``after``.
        """
        actor_id = self._me()
        name = "conversations.list_archived"
        archived_at, at, last = cast(
            tuple[datetime, datetime, UUID], decode_cursor(name, after, _FIRST_ARCHIVED)
        )
        rows = await self._conversations.list_archived(
            actor_id=actor_id,
            before_archived_at=archived_at,
            before_at=at,
            before_id=last,
            limit_rows=check_limit(limit) + 1,
        )
        return page_of(
            name, rows, limit, lambda row: (row.archived_at or END_OF_TIME, *by_activity(row))
        )

    async def list_shared(
        self, *, limit: int = 50, after: str | None = None
    ) -> Page[ConversationSummary]:
        """Live conversations of others that the actor takes part in, the last active first.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``limit`` or ``after``.
        """
        actor_id = self._me()
        at, last = start_by_time("conversations.list_shared", after)
        rows = await self._conversations.list_shared(
            actor_id=actor_id, before_at=at, before_id=last, limit_rows=check_limit(limit) + 1
        )
        return page_of("conversations.list_shared", rows, limit, by_activity)

    async def count_mine(self) -> int:
        """How many live conversations the actor owns, the archived ones too.

        Raises:
            PermissionDeniedError: the actor is no user.
        """
        return await self._conversations.count_own(actor_id=self._me())

    async def search(
        self,
        text: str,
        *,
        scope: ConversationScope | str = ConversationScope.VISIBLE,
        limit: int = 20,
        after: str | None = None,
    ) -> Page[ConversationHit]:
        """Conversations that the actor takes part in, by words of titles, descriptions and prompts,
        the best first; archived ones too. Any of the words, in any form.

        The pages lead to the best 300. A word counts where it says most of a prompt, once for each
        conversation; what is common is known of the public templates, as last counted.

        Args:
            scope: ``mine``, ``shared`` (those of others), or both.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``text``, ``scope``, ``limit`` or ``after``.
        """
        searches = ConversationSearches(self._scope)
        return await searches.search(text, scope=scope, limit=limit, after=after)

    # ------------------------------------------------------------------ change

    @changing
    async def create(
        self,
        *,
        title: str,
        description: str | None = None,
        context: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        id: UUID | None = None,  # noqa: A002
    ) -> Conversation:
        """Create a conversation of the actor's own, who takes part in it as its owner.

        Args:
            context: what every prompt of it is told, a JSON object.
            settings: model, temperature and the like, a JSON object.
            id: made by the caller, so that a call of unknown outcome can be looked up.

        Raises:
            ParentMissingError: the actor is deleted.
            PermissionDeniedError: the actor is no user, or a viewer.
            UniqueError: the id is taken.
            ValueRejectedError: a field cannot be stored; ``field`` names it.
        """
        action = "conversation.create"
        new = NewConversation(
            title=title,
            description=description,
            context={} if context is None else context,
            settings={} if settings is None else settings,
            id=id,
        )
        owner_id = self._scope.actor.id
        if owner_id is None:
            self._deny(action, TARGET, None, "conversations are created by users")
        self._refuse_viewer(action, None)
        now = self._scope.clock.now()
        made = Conversation(
            id=new.id or new_id(now),
            owner_id=owner_id,
            title=new.title,
            description=new.description,
            status=ConversationStatus.ACTIVE,
            archived_at=None,
            last_activity_at=now,
            last_sequence=0,
            active_sequence=None,
            message_count=0,
            token_count=0,
            cost=Decimal(0),
            created_at=now,
            updated_at=now,
            deleted_at=None,
            context=new.context,
            settings=new.settings,
            forked_from_id=None,
            forked_from_sequence=None,
        )
        inserted = await self._conversations.insert(
            conversation_id=made.id,
            owner_id=owner_id,
            title=made.title,
            description=made.description,
            context=made.context,
            settings=made.settings,
            now=now,
        )
        if not inserted:
            raise ParentMissingError(
                "the owner is not there, or deleted", constraint="fk_conversations_owner"
            )
        await self._postings.insert_many(
            posting_rows(made.id, owner_id, 0, made.title, [made.description])
        )
        can_write, can_share = PERMISSIONS[ParticipantRole.OWNER]
        await self._participants.insert(
            conversation_id=made.id,
            user_id=owner_id,
            participant_role=ParticipantRole.OWNER,
            can_write=can_write,
            can_share=can_share,
            added_by=owner_id,
            now=now,
        )
        after = {field: getattr(made, field) for field in DETAILS}
        await self._audit.write(
            action, TARGET, made.id, changes=changes_between(None, after), at=now
        )
        return made

    @changing
    async def update_details(
        self,
        conversation_id: UUID,
        *,
        title: str | Keep = KEEP,
        description: str | Keep | None = KEEP,
        context: Mapping[str, Any] | Keep = KEEP,
        settings: Mapping[str, Any] | Keep = KEEP,
        expected_updated_at: datetime | None = None,
    ) -> Conversation:
        """Change what is said of a conversation, for who may write. What is not given stays.

        The same values again are no change, and no error.

        Args:
            expected_updated_at: refuse if somebody changed the conversation since.

        Raises:
            NotFoundError: no such live conversation for this actor.
            PermissionDeniedError: the actor may not write.
            StaleVersionError: changed since ``expected_updated_at``.
            ValueRejectedError: a field cannot be stored; ``field`` names it.
        """
        action = "conversation.update_details"
        asked = {
            "title": title,
            "description": description,
            "context": context,
            "settings": settings,
        }
        given = {
            field: checked_detail(field, value)
            for field, value in asked.items()
            if not isinstance(value, Keep)
        }
        if expected_updated_at is not None:
            expected_updated_at = check_time("expected_updated_at", expected_updated_at)
        row = await self._lock_writable(action, conversation_id)
        if expected_updated_at is not None and row.updated_at != expected_updated_at:
            raise StaleVersionError(
                "somebody changed the conversation first",
                expected=expected_updated_at,
                actual=row.updated_at,
            )
        changes = changes_between({field: getattr(row, field) for field in given}, given)
        if changes:
            now = self._scope.clock.now()
            after = attrs.evolve(row, **given)
            await self._conversations.update_details(
                conversation_id=row.id,
                title=after.title,
                description=after.description,
                context=after.context,
                settings=after.settings,
                now=later(now, row.updated_at),
            )
            if changes.keys() & {"title", "description"}:
                await self._post_details(row, after)
            await self._audit.write(action, TARGET, row.id, changes=changes, at=now)
        return await self.get(conversation_id)

    async def _post_details(self, before: ConversationRow, after: ConversationRow) -> None:
        """Have it found by its new title and description."""
        old, new = (
            list(posting_rows(row.id, row.owner_id, 0, row.title, [row.description]))
            for row in (before, after)
        )
        await self._postings.delete_one(
            conversation_id=before.id,
            search_terms=terms_in(old),
            sequence_number=0,
        )
        await self._postings.insert_many(new)

    @changing
    async def change_status(
        self, conversation_id: UUID, status: ConversationStatus | str
    ) -> Conversation:
        """Pause, complete or open a conversation again, for who may write.

        active <-> paused, both -> completed, completed -> active. The same status is no change.

        Raises:
            InvalidTransitionError: from completed to paused.
            NotFoundError: no such live conversation for this actor.
            PermissionDeniedError: the actor may not write.
            ValueRejectedError: ``conversation_id`` is no UUID, or ``status`` none.
        """
        action = "conversation.change_status"
        wanted = checked_status(status)
        row = await self._lock_writable(action, conversation_id)
        if wanted is not row.status:
            if wanted not in TRANSITIONS[row.status]:
                raise InvalidTransitionError(
                    f"a conversation that is {row.status} cannot become {wanted}",
                    current=row.status,
                    wanted=wanted,
                )
            now = self._scope.clock.now()
            await self._conversations.update_status(
                conversation_id=row.id,
                conversation_status=wanted,
                now=later(now, row.updated_at),
            )
            changes = changes_between({"status": row.status}, {"status": wanted})
            await self._audit.write(action, TARGET, row.id, changes=changes, at=now)
        return await self.get(conversation_id)

    @changing
    async def archive(self, conversation_id: UUID) -> None:
        """Put a conversation out of the lists, for its owner. One that is archived stays as it is.

        Raises:
            NotFoundError: no such live conversation for this actor.
            PermissionDeniedError: the actor is not the owner.
            ValueRejectedError: ``conversation_id`` is no UUID.
        """
        action = "conversation.archive"
        row = await self._lock_owned(action, conversation_id)
        if row.archived_at is None:
            await self._set_archived(action, row, self._scope.clock.now())

    @changing
    async def unarchive(self, conversation_id: UUID) -> None:
        """Put a conversation into the lists again, for its owner. One that is there stays.

        Raises:
            NotFoundError: no such live conversation for this actor.
            PermissionDeniedError: the actor is not the owner.
            ValueRejectedError: ``conversation_id`` is no UUID.
        """
        action = "conversation.unarchive"
        row = await self._lock_owned(action, conversation_id)
        if row.archived_at is not None:
            await self._set_archived(action, row, None)

    async def _set_archived(
        self, action: str, row: ConversationRow, archived_at: datetime | None
    ) -> None:
        now = self._scope.clock.now()
        await self._conversations.update_archived(
            conversation_id=row.id, archived_at=archived_at, now=later(now, row.updated_at)
        )
        changes = changes_between({"archived_at": row.archived_at}, {"archived_at": archived_at})
        await self._audit.write(action, TARGET, row.id, changes=changes, at=now)

    @changing
    async def soft_delete(self, conversation_id: UUID) -> None:
        """Put a conversation into its owner's trash: it disappears from everybody's view, and its
        links are revoked.

        Raises:
            NotFoundError: no such live conversation for this actor.
            PermissionDeniedError: the actor takes part, and is not the owner.
            ValueRejectedError: ``conversation_id`` is no UUID.
        """
        action = "conversation.soft_delete"
        actor_id = await self._lock_actor(action, conversation_id)
        now = self._scope.clock.now()
        if not await self._conversations.soft_delete(
            conversation_id=conversation_id, actor_id=actor_id, now=now
        ):
            await self._refuse_unowned(action, conversation_id, actor_id)
        await self._shares.revoke_by_conversation(conversation_id=conversation_id, now=now)
        await self._audit.write(action, TARGET, conversation_id, at=now)

    @changing
    async def restore(self, conversation_id: UUID) -> Conversation:
        """Take a conversation out of the trash, as it was, but for its links: it is private.

        Raises:
            NotFoundError: not in the actor's trash.
            PermissionDeniedError: seen, and not in the actor's trash.
            ValueRejectedError: ``conversation_id`` is no UUID.
        """
        action = "conversation.restore"
        actor_id = await self._lock_actor(action, conversation_id)
        now = self._scope.clock.now()
        if not await self._conversations.restore(
            conversation_id=conversation_id, actor_id=actor_id, now=now
        ):
            await self._refuse_unowned(action, conversation_id, actor_id)
        await self._audit.write(action, TARGET, conversation_id, at=now)
        return await self.get(conversation_id)
