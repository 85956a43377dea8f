"""Links to conversations: given, opened, counted, extended, revoked."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NoReturn, cast
from uuid import UUID

import attrs

from dal.errors import InvalidTransitionError, NotFoundError
from dal.gateways import PromptsGateway
from dal.records.audit import Outcome
from dal.records.clock import ago, later
from dal.records.conversations import ConversationRow, ParticipantRole
from dal.records.ids import MAX_ID, check_id, new_id
from dal.records.keep import KEEP, Keep
from dal.records.page import Page, check_batch, check_limit, decode_cursor, page_of
from dal.records.shares import (
    IssuedShare,
    NewShare,
    OpenedShare,
    OpenShareRow,
    Share,
    SharedPrompt,
    ShareScope,
    checked_max_views,
    checked_valid_for,
    next_page,
    page_start,
    share_token_hash,
    shown_through,
)
from dal.repositories.audit_writer import changes_between
from dal.repositories.base import changing, part
from dal.repositories.conversations.rules import TARGET, ConversationRules, absent
from dal.secret import Secret

__all__ = ["ConversationShares"]

_TOKEN_BYTES: Final = 32
_MONTH: Final = timedelta(days=30)
_LIMITS: Final = ("expires_at", "max_views", "through_sequence")


@part("conversations.shares")
class ConversationShares(ConversationRules):
    """Links by which others read a conversation: ``me.conversations.shares``.

    A link opens nothing from the moment on at which it is revoked or ends, its views are used up,
    the conversation is deleted, or who created it is deleted, not active, or may not share any
    more. A conversation that is restored has no links that work, and neither has somebody who may
    share again. What is stored is SHA-256 of 256 random bits, so the database opens nothing.
    """

    async def list_of(
        self, conversation_id: UUID, *, limit: int = 50, after: str | None = None
    ) -> Page[Share]:
        """The shares of a conversation, newest first; none for who takes part and may not share.

        Raises:
            NotFoundError: no such live conversation for this actor.
            ValueRejectedError: ``conversation_id``, ``limit`` or ``after``.
        """
        check_id("conversation_id", conversation_id)
        name = "conversations.shares.list_of"
        rows = await self._shares.list_by_conversation(
            conversation_id=conversation_id,
            before_id=_start(name, after),
            limit_rows=check_limit(limit) + 1,
            **self._reader,
        )
        if not rows and not await self._is_there(conversation_id):
            raise absent()
        return page_of(name, rows, limit, lambda row: (row.id,))

    async def list_mine(self, *, limit: int = 50, after: str | None = None) -> Page[Share]:
        """What the actor shared, newest first, also what has ended; not of what is in the trash.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``limit`` or ``after``.
        """
        actor_id = self._me()
        name = "conversations.shares.list_mine"
        rows = await self._shares.list_own(
            actor_id=actor_id, before_id=_start(name, after), limit_rows=check_limit(limit) + 1
        )
        return page_of(name, rows, limit, lambda row: (row.id,))

    @changing
    async def create(
        self,
        conversation_id: UUID,
        *,
        scope: ShareScope | str = ShareScope.LINK,
        through_sequence: int | None = None,
        valid_for: timedelta = _MONTH,
        max_views: int | None = None,
    ) -> IssuedShare:
        """Make a link to a conversation, for who may share it.

        Args:
            scope: ``link`` for anyone who has it, ``users`` for who is logged in too.
            through_sequence: the number of the last prompt that it shows; without it those that are
                there now, so what is asked later is not shown.
            max_views: how often it can be opened; without it any number of times.

        Raises:
            NotFoundError: no such live conversation for this actor.
            PermissionDeniedError: the actor may not share it.
            ValueRejectedError: a field cannot be stored; ``field`` names it.
        """
        action = "conversation.create_share"
        new = NewShare(
            scope=scope,
            through_sequence=through_sequence,
            valid_for=valid_for,
            max_views=max_views,
        )
        row = await self._lock_shareable(action, conversation_id)
        now = self._scope.clock.now()
        creator_id = self._me()
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        share = Share(
            id=new_id(now),
            conversation_id=row.id,
            created_by=creator_id,
            scope=new.scope,
            through_sequence=new.shown(row.last_sequence),
            expires_at=now + new.valid_for,
            max_views=new.max_views,
            view_count=0,
            last_viewed_at=None,
            revoked_at=None,
            created_at=now,
            updated_at=now,
        )
        await self._shares.insert(
            share_id=share.id,
            conversation_id=row.id,
            created_by=creator_id,
            token_hash=share_token_hash(token),
            page_key=secrets.token_bytes(_TOKEN_BYTES),
            share_scope=share.scope,
            through_sequence=share.through_sequence,
            expires_at=share.expires_at,
            max_views=share.max_views,
            now=now,
        )
        changes = {
            **_about(share.id, new=True),
            **changes_between(None, {"scope": share.scope, **_limits(share)}),
        }
        await self._audit.write(action, TARGET, row.id, changes=changes, at=now)
        return IssuedShare(share, Secret(token))

    @changing
    async def open(self, token: str | Secret, *, limit: int = 50) -> OpenedShare:
        """Open a link, which counts as a view, for everybody whom its scope lets in.

        Of many who open the last views at once, as many get in as there are views.

        Raises:
            NotFoundError: not a valid token, whatever the reason is.
            ValueRejectedError: ``token`` is no text, or ``limit``.
        """
        action = "conversation.open_share"
        token_hash = share_token_hash(token)
        check_limit(limit)
        now = self._scope.clock.now()
        found = await self._find_open(token_hash, now)
        if found is None:
            self._refuse_token(action, None)
        if not await self._shares.record_view(
            conversation_id=found.conversation_id,
            token_hash=token_hash,
            viewer_id=self._scope.actor.id,
            now=now,
        ):
            self._refuse_token(action, found)
        rows = await self._prompts_of(token_hash, 0, limit, now)
        await self._audit.write(
            action, TARGET, found.conversation_id, changes=_about(found.id), at=now
        )
        return OpenedShare(
            share_id=found.id,
            title=found.title,
            description=found.description,
            created_at=found.created_at,
            prompts=_page(found, rows, limit, opened_at=now),
        )

    async def read_on(
        self, token: str | Secret, *, after: str, limit: int = 50
    ) -> Page[SharedPrompt]:
        """More prompts of a link that was opened within the hour; counts as no view.

        Args:
            after: ``next`` of the page before.

        Raises:
            NotFoundError: the token is not valid any more.
            ValueRejectedError: ``token``, ``limit``, or ``after`` is not of this link or too old.
        """
        token_hash = share_token_hash(token)
        check_limit(limit)
        now = self._scope.clock.now()
        found = await self._find_open(token_hash, now)
        if found is None:
            raise _no_share()
        last, opened_at = page_start(found.page_key, after, now)
        rows = await self._prompts_of(token_hash, last, limit, now)
        return _page(found, rows, limit, opened_at=opened_at)

    @changing
    async def extend(
        self,
        share_id: UUID,
        *,
        valid_for: timedelta | Keep = KEEP,
        max_views: int | Keep | None = KEEP,
        through_sequence: int | Keep = KEEP,
    ) -> Share:
        """Change how long from now on, how often and how far a link is valid; one that has ended
        too. What is not given stays.

        For who created it and the owner of the conversation, while they may share it.

        Raises:
            InvalidTransitionError: it is revoked: make a new one.
            NotFoundError: no such share for this actor.
            PermissionDeniedError: the actor takes part, and may not change it.
            ValueRejectedError: a field cannot be stored; ``field`` names it. Views that were had
                cannot be taken back.
        """
        action = "conversation.extend_share"
        until = None if isinstance(valid_for, Keep) else checked_valid_for(valid_for)
        row, share = await self._lock_share(action, share_id)
        if not row.can_share:
            self._deny(action, TARGET, row.id, "only who may share extends a share")
        if share.revoked_at is not None:
            raise InvalidTransitionError(
                "what is revoked stays so: make a new share", current="revoked", wanted="valid"
            )
        views = share.max_views if isinstance(max_views, Keep) else checked_max_views(max_views)
        now = self._scope.clock.now()
        after = attrs.evolve(
            share,
            expires_at=share.expires_at if until is None else now + until,
            max_views=None if views is None else max(views, share.view_count),
            through_sequence=shown_through(
                through_sequence, row.last_sequence, otherwise=share.through_sequence
            ),
        )
        if after == share:
            return share
        after = attrs.evolve(after, updated_at=later(now, share.updated_at))
        await self._shares.update_limits(
            share_id=share.id,
            expires_at=after.expires_at,
            max_views=after.max_views,
            through_sequence=after.through_sequence,
            now=after.updated_at,
        )
        changes = {**_about(share.id), **changes_between(_limits(share), _limits(after))}
        await self._audit.write(action, TARGET, row.id, changes=changes, at=now)
        return after

    @changing
    async def revoke(self, share_id: UUID) -> None:
        """Have a link open nothing any more, for who created it and the owner. Revoked stays so.

        Raises:
            NotFoundError: no such share for this actor.
            PermissionDeniedError: the actor takes part, and may not revoke it.
            ValueRejectedError: ``share_id`` is no UUID.
        """
        action = "conversation.revoke_share"
        row, share = await self._lock_share(action, share_id)
        if share.revoked_at is not None:
            return
        now = self._scope.clock.now()
        await self._shares.revoke_one(share_id=share.id, now=now)
        await self._audit.write(action, TARGET, row.id, changes=_about(share.id), at=now)

    @changing
    async def revoke_all(self, conversation_id: UUID) -> int:
        """Revoke every link to a conversation, for its owner; how many there were.

        Raises:
            NotFoundError: no such live conversation for this actor.
            PermissionDeniedError: the actor is not the owner.
            ValueRejectedError: ``conversation_id`` is no UUID.
        """
        action = "conversation.revoke_shares"
        row = await self._lock_owned(action, conversation_id)
        now = self._scope.clock.now()
        revoked = await self._shares.revoke_by_conversation(conversation_id=row.id, now=now)
        if revoked:
            await self._audit.write(action, TARGET, row.id, affected=revoked, at=now)
        return revoked

    @changing
    async def revoke_mine(self) -> int:
        """Revoke every link that the actor made; how many there were.

        Raises:
            NotFoundError: the actor is deleted.
            PermissionDeniedError: the actor is no user, or a viewer.
        """
        action = "conversation.revoke_own_shares"
        actor_id = self._scope.actor.id
        if actor_id is None:
            self._deny(action, TARGET, None, "only a user shares")
        self._refuse_viewer(action, None)
        if await self._users.lock_live(user_id=actor_id) is None:
            raise absent()
        now = self._scope.clock.now()
        revoked = await self._shares.revoke_own(actor_id=actor_id, now=now)
        if revoked:
            await self._audit.write(action, TARGET, None, affected=revoked, at=now)
        return revoked

    @changing
    async def purge_expired(self, *, older_than: timedelta = _MONTH, batch: int = 1000) -> int:
        """Remove links that ended at least so long ago, revoked ones too, for the system; how many.

        One batch a call: call again until it is less than ``batch``.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``older_than`` is no time or negative, or ``batch`` not 1 to 10,000.
        """
        action = "conversation.purge_shares"
        self._only_system_changes(action, TARGET, None, "for the system alone")
        now = self._scope.clock.now()
        removed = await self._shares.delete_expired(
            expired_before=ago(now, older_than), limit_rows=check_batch(batch)
        )
        if removed:
            await self._audit.write(action, TARGET, None, affected=removed, at=now)
        return removed

    # ------------------------------------------------------------------- rules

    async def _lock_shareable(self, action: str, conversation_id: UUID) -> ConversationRow:
        row = await self._lock(action, conversation_id)
        if not row.can_share:
            self._deny(action, TARGET, conversation_id, "only who may share makes links")
        return row

    async def _lock_share(self, action: str, share_id: UUID) -> tuple[ConversationRow, Share]:
        """Lock a share that is the actor's, or of a conversation of theirs."""
        check_id("share_id", share_id)
        conversation_id = await self._shares.find_conversation(share_id=share_id)
        if conversation_id is None:
            raise _no_share()
        try:
            row = await self._lock(action, conversation_id)
        except NotFoundError:
            raise _no_share() from None
        share = await self._shares.lock_one(share_id=share_id)
        if share is None:
            raise _no_share()
        is_theirs = share.created_by == self._scope.actor.id
        if not is_theirs and row.role is not ParticipantRole.OWNER:
            self._deny(action, TARGET, row.id, "that is for who made the link, and for the owner")
        return row, share

    async def _find_open(self, token_hash: bytes, now: datetime) -> OpenShareRow | None:
        return await self._shares.find_open(
            token_hash=token_hash, viewer_id=self._scope.actor.id, now=now
        )

    async def _prompts_of(
        self, token_hash: bytes, last: int, limit: int, now: datetime
    ) -> Sequence[SharedPrompt]:
        return await PromptsGateway(self._scope).list_by_share(
            token_hash=token_hash,
            viewer_id=self._scope.actor.id,
            now=now,
            after_sequence=last,
            limit_rows=limit + 1,
        )

    def _refuse_token(self, action: str, found: OpenShareRow | None) -> NoReturn:
        conversation_id = None if found is None else found.conversation_id
        self._keep_attempt(action, TARGET, conversation_id, Outcome.FAILURE)
        raise _no_share()


def _start(name: str, after: str | None) -> UUID:
    (last,) = cast(tuple[UUID], decode_cursor(name, after, (MAX_ID,)))
    return last


def _page(
    found: OpenShareRow, rows: Sequence[SharedPrompt], limit: int, *, opened_at: datetime
) -> Page[SharedPrompt]:
    shown = tuple(rows[:limit])
    if len(rows) <= limit:
        return Page(shown, None)
    return Page(shown, next_page(found.page_key, shown[-1].sequence_number, opened_at))


def _limits(share: Share) -> dict[str, object]:
    return {field: getattr(share, field) for field in _LIMITS}


def _about(share_id: UUID, *, new: bool = False) -> dict[str, object]:
    """Which share it is about, as the audit log has it."""
    return {"share_id": {"from": None if new else str(share_id), "to": str(share_id)}}


def _no_share() -> NotFoundError:
    return NotFoundError("no such share, or it is not valid any more")
