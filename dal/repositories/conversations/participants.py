"""Who takes part in a conversation, and what they may do in it."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from dal.errors import NotFoundError, ParentMissingError, UniqueError, ValueRejectedError
from dal.records.conversations import (
    PERMISSIONS,
    ConversationRow,
    Participant,
    ParticipantRole,
    ParticipantRow,
    checked_participant_role,
)
from dal.records.ids import check_id
from dal.records.page import Key, Page, check_limit, decode_cursor, page_of
from dal.repositories.base import changing, part
from dal.repositories.conversations.rules import TARGET, ConversationRules, absent

__all__ = ["ConversationParticipants"]

_FIRST: Key = (UUID(int=0),)


@part("conversations.participants")
class ConversationParticipants(ConversationRules):
    """Participants: ``me.conversations.participants``.

    There is one owner, who adds and removes the others, and can only give the conversation away. A
    collaborator writes, a viewer reads. Who was removed sees nothing from the commit on, and may be
    added again.
    """

    async def list_of(
        self, conversation_id: UUID, *, limit: int = 50, after: str | None = None
    ) -> Page[Participant]:
        """The live participants, the oldest account first.

        Raises:
            NotFoundError: no such live conversation for this actor.
            ValueRejectedError: ``conversation_id``, ``limit`` or ``after``.
        """
        check_id("conversation_id", conversation_id)
        name = "conversations.participants.list_of"
        (last,) = cast(tuple[UUID], decode_cursor(name, after, _FIRST))
        rows = await self._participants.list_by_conversation(
            conversation_id=conversation_id,
            after_user_id=last,
            limit_rows=check_limit(limit) + 1,
            **self._reader,
        )
        # There is always the owner.
        if not rows and not await self._is_there(conversation_id):
            raise absent()
        return page_of(name, rows, limit, lambda row: (row.user_id,))

    @changing
    async def add(
        self, conversation_id: UUID, user_id: UUID, role: ParticipantRole | str = "viewer"
    ) -> None:
        """Let a user take part, for the owner.

        Raises:
            NotFoundError: no such live conversation for this actor.
            ParentMissingError: there is no such live user.
            PermissionDeniedError: the actor is not the owner.
            UniqueError: they take part already.
            ValueRejectedError: an id is no UUID, or ``role`` is neither collaborator nor viewer.
        """
        action = "conversation.add_participant"
        given = checked_participant_role(role)
        check_id("user_id", user_id)
        actor_id = await self._lock_actor(action, conversation_id)
        is_live = await self._users.lock_live(user_id=user_id) is not None
        row = await self._lock_for(action, conversation_id, actor_id)
        self._refuse_others(action, row)
        if not is_live:
            raise ParentMissingError(
                "there is no such live user", constraint="fk_conversation_participants_user"
            )
        there = await self._participants.lock_one(conversation_id=conversation_id, user_id=user_id)
        if there is not None:
            raise UniqueError(
                "the user takes part already", constraint="pk_conversation_participants"
            )
        now = self._scope.clock.now()
        can_write, can_share = PERMISSIONS[given]
        await self._participants.insert(
            conversation_id=conversation_id,
            user_id=user_id,
            participant_role=given,
            can_write=can_write,
            can_share=can_share,
            added_by=actor_id,
            now=now,
        )
        changes = {
            "user_id": {"from": None, "to": str(user_id)},
            "role": {"from": None, "to": given.value},
        }
        await self._audit.write(action, TARGET, conversation_id, changes=changes, at=now)

    @changing
    async def change_role(
        self,
        conversation_id: UUID,
        user_id: UUID,
        role: ParticipantRole | str,
        *,
        can_share: bool | None = None,
    ) -> None:
        """Give a participant another role, for the owner. The permissions are those of the role.

        The same role and permissions again are no change, and no error.

        Args:
            can_share: whether they may give links to others; without it as the role has it.

        Raises:
            NotFoundError: no such live conversation for this actor, or no such participant.
            PermissionDeniedError: the actor is not the owner; or the owner is to be demoted.
            ValueRejectedError: an id is no UUID, ``role`` is neither collaborator nor viewer, or
                ``can_share`` is no bool.
        """
        action = "conversation.change_role"
        given = checked_participant_role(role)
        if can_share is not None and type(can_share) is not bool:
            raise ValueRejectedError("can_share: True, False or None", field="can_share")
        _, there = await self._lock_other(action, conversation_id, user_id)
        may_write, may_share = PERMISSIONS[given]
        if can_share is not None:
            may_share = can_share
        wanted = ParticipantRow(given, may_write, may_share)
        if there == wanted:
            return
        now = self._scope.clock.now()
        await self._participants.update_role(
            conversation_id=conversation_id,
            user_id=user_id,
            participant_role=given,
            can_write=may_write,
            can_share=may_share,
            now=now,
        )
        await self._revoke_if_lost(conversation_id, user_id, there.can_share and not may_share, now)
        changes = {
            "user_id": {"from": str(user_id), "to": str(user_id)},
            "role": {"from": there.role.value, "to": given.value},
            "can_share": {"from": there.can_share, "to": may_share},
        }
        await self._audit.write(action, TARGET, conversation_id, changes=changes, at=now)

    @changing
    async def remove(self, conversation_id: UUID, user_id: UUID) -> None:
        """Take a participant out, for the owner. They see nothing of it from then on.

        Raises:
            NotFoundError: no such live conversation for this actor, or no such participant.
            PermissionDeniedError: the actor is not the owner, or it is the owner who is to go.
            ValueRejectedError: an id is no UUID.
        """
        action = "conversation.remove_participant"
        _, there = await self._lock_other(action, conversation_id, user_id)
        await self._take_out(action, conversation_id, user_id, there)

    @changing
    async def leave(self, conversation_id: UUID) -> None:
        """Take part no more. The owner gives the conversation away first, or deletes it.

        Raises:
            NotFoundError: no such live conversation for this actor.
            PermissionDeniedError: the actor is the owner.
            ValueRejectedError: ``conversation_id`` is no UUID.
        """
        action = "conversation.leave"
        actor_id = await self._lock_actor(action, conversation_id)
        row = await self._lock_for(action, conversation_id, actor_id)
        if row.role is ParticipantRole.OWNER:
            self._deny(action, TARGET, conversation_id, "the owner gives it away, or deletes it")
        mine = ParticipantRow(row.role, row.can_write, row.can_share)
        await self._take_out(action, conversation_id, actor_id, mine)

    @changing
    async def transfer(self, conversation_id: UUID, user_id: UUID) -> None:
        """Give the conversation to another participant. Who gave it stays as a collaborator, and
        their links are revoked.

        Raises:
            NotFoundError: no such live conversation for this actor, or no such live participant.
            PermissionDeniedError: the actor is not the owner.
            ValueRejectedError: an id is no UUID, or the owner's own.
        """
        action = "conversation.transfer"
        check_id("user_id", user_id)
        actor_id = await self._lock_actor(action, conversation_id)
        is_live = await self._users.lock_live(user_id=user_id) is not None
        row = await self._lock_for(action, conversation_id, actor_id)
        self._refuse_others(action, row)
        if user_id == row.owner_id:
            raise ValueRejectedError("user_id: is the owner already", field="user_id")
        there = await self._participants.lock_one(conversation_id=conversation_id, user_id=user_id)
        if there is None or not is_live:
            raise _no_participant()
        now = self._scope.clock.now()
        # The old one first: at no moment there are two.
        for who, role in (
            (actor_id, ParticipantRole.COLLABORATOR),
            (user_id, ParticipantRole.OWNER),
        ):
            can_write, can_share = PERMISSIONS[role]
            await self._participants.update_role(
                conversation_id=conversation_id,
                user_id=who,
                participant_role=role,
                can_write=can_write,
                can_share=can_share,
                now=now,
            )
        await self._revoke_if_lost(conversation_id, actor_id, True, now)
        await self._postings.update_scope(conversation_id=conversation_id, owner_id=user_id)
        await self._conversations.update_owner(
            conversation_id=conversation_id, owner_id=user_id, now=max(now, row.updated_at)
        )
        changes = {"owner_id": {"from": str(actor_id), "to": str(user_id)}}
        await self._audit.write(action, TARGET, conversation_id, changes=changes, at=now)

    @changing
    async def set_pinned(self, conversation_id: UUID, is_pinned: bool) -> None:
        """Pin a conversation in the actor's own lists, or let it go.

        Raises:
            NotFoundError: no such live conversation for this actor.
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``conversation_id`` is no UUID, or ``is_pinned`` no bool.
        """
        action = "conversation.set_pinned"
        if type(is_pinned) is not bool:
            raise ValueRejectedError("is_pinned: True or False", field="is_pinned")
        actor_id = await self._lock_actor(action, conversation_id)
        found = await self._participants.update_pinned(
            conversation_id=conversation_id, actor_id=actor_id, is_pinned=is_pinned
        )
        if not found:
            raise absent()
        # What it was before is not looked up for this.
        changes = {"is_pinned": {"from": None, "to": is_pinned}}
        await self._audit.write(action, TARGET, conversation_id, changes=changes)

    @changing
    async def mark_read(self, conversation_id: UUID, sequence_number: int) -> None:
        """Say up to which prompt the actor has read; what was read stays read.

        Raises:
            NotFoundError: no such live conversation for this actor.
            PermissionDeniedError: the actor is no user, or one who only reads.
            ValueRejectedError: ``conversation_id`` is no UUID, or the number not 0 to 2^32 - 1.
        """
        action = "conversation.mark_read"
        if type(sequence_number) is not int or not 0 <= sequence_number < 2**32:
            raise ValueRejectedError(
                "sequence_number: a whole number, 0 or more", field="sequence_number"
            )
        actor_id = await self._lock_actor(action, conversation_id)
        now = self._scope.clock.now()
        found = await self._participants.update_read(
            conversation_id=conversation_id,
            actor_id=actor_id,
            sequence_number=sequence_number,
            now=now,
        )
        if not found:
            raise absent()
        changes = {"last_read_sequence": {"from": None, "to": sequence_number}}
        await self._audit.write(action, TARGET, conversation_id, changes=changes, at=now)

    async def _lock_other(
        self, action: str, conversation_id: UUID, user_id: UUID
    ) -> tuple[ConversationRow, ParticipantRow]:
        """Lock a conversation of the actor's own and another participant of it."""
        check_id("user_id", user_id)
        row = await self._lock_owned(action, conversation_id)
        there = await self._participants.lock_one(conversation_id=conversation_id, user_id=user_id)
        if there is None:
            raise _no_participant()
        if there.role is ParticipantRole.OWNER:
            self._deny(action, TARGET, conversation_id, "the owner stays; transfer() changes that")
        return row, there

    async def _take_out(
        self, action: str, conversation_id: UUID, user_id: UUID, there: ParticipantRow
    ) -> None:
        now = self._scope.clock.now()
        await self._participants.delete_one(conversation_id=conversation_id, user_id=user_id)
        await self._revoke_if_lost(conversation_id, user_id, there.can_share, now)
        changes = {
            "user_id": {"from": str(user_id), "to": None},
            "role": {"from": there.role.value, "to": None},
        }
        await self._audit.write(action, TARGET, conversation_id, changes=changes, at=now)

    async def _revoke_if_lost(
        self, conversation_id: UUID, user_id: UUID, could_share: bool, now: datetime
    ) -> None:
        """Who may not share any more has shared nothing: their links do not come back either."""
        if could_share:
            await self._shares.revoke_by_participant(
                conversation_id=conversation_id, user_id=user_id, now=now
            )


def _no_participant() -> NotFoundError:
    return NotFoundError("no such participant of this conversation")
