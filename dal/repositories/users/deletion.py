"""The end of an account, some rows at a time: what others take part in stays with them, what is
private is gone.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from itertools import groupby
from typing import Final
from uuid import UUID

import attrs

from dal.errors import NotFoundError, UniqueError
from dal.gateways import (
    ConversationParticipantsGateway,
    ConversationsGateway,
    ConversationSharesGateway,
    PromptPostingsGateway,
    PromptsGateway,
    TemplateLabelsGateway,
    TemplateRatingsGateway,
    TemplatesGateway,
)
from dal.records.actor import Role
from dal.records.ids import check_id
from dal.records.page import check_batch
from dal.records.transfer import AccountDeletion
from dal.records.users import User
from dal.repositories.base import changing
from dal.repositories.users.rules import TARGET, UserRules, after_credentials
from dal.repositories.users.transfer import UserTransfers
from dal.session import Scope

__all__ = ["KEEPER_ID", "UserDeletions", "closed_email"]

KEEPER_ID: Final = UUID("00000000-0000-8000-8000-000000000001")
"""The account that has the public templates of those who are gone: made with the first of them."""

_ACTION: Final = "user.delete_account"
_GONE_NAME: Final = "Former user"
# Nobody has an address there: RFC 2606.
_KEEPER_EMAIL: Final = "former-users@accounts.invalid"
_POSTINGS_A_PROMPT: Final = 10
_PEOPLE_AT_ONCE: Final = 1_000


@attrs.define(slots=True)
class _Step:
    """What one transaction may still do, and what it has done."""

    left: int
    now: datetime
    done: dict[str, int] = attrs.field(factory=dict)

    def count(self, what: str, n: int) -> None:
        if n:
            self.left -= n
            self.done[what] = self.done.get(what, 0) + n


class UserDeletions(UserRules):
    """Deletions of accounts, for the face. No door of its own."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._conversations = ConversationsGateway(scope)
        self._participants = ConversationParticipantsGateway(scope)
        self._shares = ConversationSharesGateway(scope)
        self._templates = TemplatesGateway(scope)

    async def delete_account(self, user_id: UUID, batch: int) -> AccountDeletion:
        """See :meth:`dal.repositories.users.UserRepository.delete_account`."""
        check_id("user_id", user_id)
        most = check_batch(batch)
        total = AccountDeletion()
        while True:
            done, is_done = await self.step(user_id, most)
            total = AccountDeletion(
                *(
                    getattr(total, field.name) + done.get(field.name, 0)
                    for field in attrs.fields(AccountDeletion)
                )
            )
            if is_done:
                return total

    @changing
    async def step(self, user_id: UUID, most: int) -> tuple[dict[str, int], bool]:
        """One transaction of it: what it did, and whether nothing is left.

        First nobody gets in any more; then others get what they take part in; then the account is
        closed, and with it all that was theirs alone is hidden at once; then that is removed.
        """
        user = await self._lock_ending(user_id)
        step = _Step(most, self._scope.clock.now())
        if user.deleted_at is None:
            await self._lock_out(user, step)
        await self._give_conversations(user_id, step)
        if step.left > 0:
            await self._keep_templates(user_id, step)
        if step.left > 0:
            await self._close(user, step)
        for remove in (
            self._remove_opinions,
            self._remove_templates,
            self._remove_conversations,
        ):
            if step.left > 0:
                await remove(user_id, step)
        if step.done:
            changes = {what: {"from": n, "to": 0} for what, n in step.done.items()}
            await self._audit.write(_ACTION, TARGET, user_id, changes=changes, at=step.now)
        return step.done, step.left > 0

    async def _lock_ending(self, user_id: UUID) -> User:
        """Lock a user whose account is to end: live, or closed or in the trash before.

        Raises:
            LastAdminError: the last live, active admin would be gone.
            NotFoundError: not there, or somebody else; in the trash, for oneself.
            PermissionDeniedError: the actor is no admin any more.
        """
        if user_id == KEEPER_ID:
            raise self._absent()
        seen: User | None = None
        with suppress(NotFoundError):
            seen = await self._users.get_including_deleted(user_id=user_id)
        if seen is None or seen.deleted_at is None:
            target = await self._lock_target(_ACTION, user_id, or_self=True)
            self._keep_an_admin(_ACTION, target)
            return target.user
        # Who ended their own account may go on with that, and with nothing else.
        if not self._is_self(user_id) or seen.email != closed_email(user_id):
            self._may_be_admin()
            await self._only_admins_change(_ACTION, user_id)
        user = await self._users.lock_including_deleted(user_id=user_id)
        if user is None:
            raise self._absent()
        return user

    async def _lock_out(self, user: User, step: _Step) -> None:
        if user.is_active:
            step.done["is_active"] = 1
            await self._users.update_activity(
                user_id=user.id, is_active=False, changed_at=after_credentials(step.now, user)
            )
        await self._tokens.delete_by_user(user_id=user.id)
        await self._shares.revoke_own(actor_id=user.id, now=step.now)

    async def _give_conversations(self, user_id: UUID, step: _Step) -> None:
        people = await self._conversations.list_successors(
            owner_id=user_id, limit_rows=_PEOPLE_AT_ONCE
        )
        first = [next(of_one) for _, of_one in groupby(people, lambda one: one.conversation_id)]
        chosen = first[: step.left]
        live = set(
            await self._users.lock_many_live(user_ids=sorted({one.user_id for one in chosen}))
            if chosen
            else ()
        )
        transfers = UserTransfers(self._scope)
        given = 0
        for one in chosen:
            # Who went meanwhile is looked past by the next step.
            if one.user_id in live and await transfers.give_conversation(
                one.conversation_id, user_id, one.user_id, step.now
            ):
                await self._participants.delete_one(
                    conversation_id=one.conversation_id, user_id=user_id
                )
                given += 1
        step.count("conversations_given", given)
        if len(people) == _PEOPLE_AT_ONCE or given < len(first):
            # There may be more: what is not seen here must not be removed below.
            step.left = 0

    async def _keep_templates(self, user_id: UUID, step: _Step) -> None:
        ids = await self._templates.lock_public_of_owner(owner_id=user_id, limit_rows=step.left)
        if ids:
            await self._make_keeper(step.now)
            await self._templates.update_owner(template_ids=ids, owner_id=KEEPER_ID, now=step.now)
        step.count("templates_kept", len(ids))

    async def _make_keeper(self, now: datetime) -> None:
        if await self._find_any(KEEPER_ID) is None:
            # Two may come at the same time: one of them makes it.
            with suppress(UniqueError):
                await self._users.insert(
                    user_id=KEEPER_ID,
                    email=_KEEPER_EMAIL,
                    full_name=_GONE_NAME,
                    role=Role.VIEWER,
                    password_hash=None,
                    now=now,
                )
                await self._users.update_activity(
                    user_id=KEEPER_ID, is_active=False, changed_at=now
                )

    async def _close(self, user: User, step: _Step) -> None:
        email = closed_email(user.id)
        if user.email == email:
            return
        await self._users.close(user_id=user.id, email=email, full_name=_GONE_NAME, now=step.now)
        await self._tokens.delete_by_user(user_id=user.id)
        if user.deleted_at is None:
            await self._templates.subtract_ratings(user_id=user.id)
        step.done["accounts"] = 1

    async def _remove_opinions(self, user_id: UUID, step: _Step) -> None:
        ratings = TemplateRatingsGateway(self._scope)
        step.count("ratings", await ratings.delete_by_user(user_id=user_id, limit_rows=step.left))
        if step.left > 0:
            step.count(
                "participations",
                await self._participants.delete_by_user(user_id=user_id, limit_rows=step.left),
            )

    async def _remove_templates(self, user_id: UUID, step: _Step) -> None:
        ids = await self._templates.lock_any_of_owner(owner_id=user_id, limit_rows=step.left)
        if ids:
            await self._templates.soft_delete_many(template_ids=ids, now=step.now)
            await TemplateLabelsGateway(self._scope).delete_in_trash(template_ids=ids)
            await self._templates.purge_many(template_ids=ids)
        step.count("templates_purged", len(ids))

    async def _remove_conversations(self, user_id: UUID, step: _Step) -> None:
        ids = await self._conversations.lock_any_of_owner(owner_id=user_id, limit_rows=step.left)
        if not ids:
            return
        await self._conversations.soft_delete_many(conversation_ids=ids, now=step.now)
        words = step.left * _POSTINGS_A_PROMPT
        for conversation_id in ids:
            gone = await PromptPostingsGateway(self._scope).delete_by_conversation(
                conversation_id=conversation_id, limit_rows=words
            )
            words -= gone
            if gone:
                step.done["words"] = step.done.get("words", 0) + gone
            if words <= 0:
                step.left = 0
                return
            step.count(
                "prompts_purged",
                await PromptsGateway(self._scope).delete_by_conversation(
                    conversation_id=conversation_id, limit_rows=step.left
                ),
            )
            if step.left <= 0:
                return
            await self._shares.delete_by_conversation(conversation_id=conversation_id)
            await self._participants.delete_by_conversation(conversation_id=conversation_id)
            await self._conversations.delete_one(conversation_id=conversation_id)
            step.count("conversations_purged", 1)
            if step.left <= 0:
                return


def closed_email(user_id: UUID) -> str:
    """The address of an account that has ended, which nobody can have."""
    return f"{user_id.hex}@accounts.invalid"
