"""Users: accounts from their creation to the trash and back, and the doors to the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

import attrs

from dal.errors import NotFoundError, StaleVersionError, UniqueError
from dal.gateways import TemplatesGateway
from dal.records.actor import Role
from dal.records.clock import check_time, later
from dal.records.dashboard import UserDashboard
from dal.records.ids import check_id, new_id
from dal.records.keep import KEEP, Keep
from dal.records.page import Page, check_limit, decode_cursor, page_of
from dal.records.personal_data import PersonalRow
from dal.records.transfer import AccountDeletion, AccountTransfer
from dal.records.users import NewUser, User, checked_full_name, normalize_email
from dal.repositories.audit_writer import changes_between
from dal.repositories.base import by_a_part, changing, disclosing, part
from dal.repositories.users.access import UserAccess
from dal.repositories.users.dashboard import UserDashboards
from dal.repositories.users.deletion import UserDeletions, closed_email
from dal.repositories.users.export import UserExports
from dal.repositories.users.logins import UserLogins
from dal.repositories.users.passwords import UserPasswords
from dal.repositories.users.preferences import UserPreferences
from dal.repositories.users.rules import TARGET, UserRules, by_age
from dal.repositories.users.search import UserSearches
from dal.repositories.users.statistics import UserNumbers
from dal.repositories.users.tokens import UserTokens
from dal.repositories.users.transfer import UserTransfers
from dal.repositories.users.trash import UserTrash
from dal.search.users import Match, UserArm, UserSearch, first_key, user_search

__all__ = ["UserRepository"]


@part("users")
class UserRepository(UserRules):
    """Users: created by anybody who may sign up; seen and changed by themselves, by admins and by
    the system.

    An admin is a live, active user whom the database calls so, in a session whose actor says so
    too. At least one of them always stays.
    """

    # ------------------------------------------------------------------- doors

    @property
    def passwords(self) -> UserPasswords:
        """Passwords that change."""
        return UserPasswords(self._scope)

    @property
    def tokens(self) -> UserTokens:
        """Tokens for a mailbox: password resets, e-mail addresses."""
        return UserTokens(self._scope)

    @property
    def access(self) -> UserAccess:
        """Roles, activity, locks."""
        return UserAccess(self._scope)

    @property
    def preferences(self) -> UserPreferences:
        """One document of settings a user."""
        return UserPreferences(self._scope)

    @property
    def trash(self) -> UserTrash:
        """Who was deleted."""
        return UserTrash(self._scope)

    @property
    def statistics(self) -> UserNumbers:
        """Numbers of all users."""
        return UserNumbers(self._scope)

    # ------------------------------------------------------------------ log-in

    @by_a_part
    async def authenticate(self, *, email: str, password: str) -> User:
        """Log a user in by address and password.

        Whatever the reason of a refusal, the answer is the same, and so is the work: an unknown
        address takes as long as a wrong password, and as many statements. The reason, a
        :class:`LoginRefusal`, stands in the audit log. After ``login_max_failures`` failures in a
        row the account is locked for ``login_lock_s``; guesses meanwhile neither succeed nor
        lengthen it.

        Returns:
            The user, with ``last_login_at`` of now.

        Raises:
            AuthenticationError: refused.
            StatementTimeoutError: over the time of ``within()``; there is no answer, and it is not
                counted.
            TransientError: the account was changed each time that the password was compared.
            UsageError: inside a transaction, whose rollback would forget the failure.
            ValueRejectedError: ``email`` is no address, or ``password`` no text or over 1,024
                characters.
        """
        return await UserLogins(self._scope).authenticate(email=email, password=password)

    # -------------------------------------------------------------------- read

    async def find(self, user_id: UUID) -> User | None:
        """A live user: oneself; anyone for an admin and the system; else None.

        Raises:
            ValueRejectedError: ``user_id`` is no UUID.
        """
        check_id("user_id", user_id)
        reader = await self._reader_of(user_id)
        return await self._users.find_by_id(user_id=user_id, **reader)

    async def get(self, user_id: UUID) -> User:
        """As :meth:`find`.

        Raises:
            NotFoundError: not there, deleted, or somebody else.
            ValueRejectedError: ``user_id`` is no UUID.
        """
        user = await self.find(user_id)
        if user is None:
            raise NotFoundError("no such user for this actor")
        return user

    async def find_by_email(self, email: str) -> User | None:
        """The live user with this address, however it is written; for an admin and the system.

        Raises:
            PermissionDeniedError: the actor is neither.
            ValueRejectedError: no address at all.
        """
        address = normalize_email(email)
        await self._only_admins_read()
        return await self._users.find_by_email(email=address)

    async def list_all(
        self,
        *,
        role: Role | str | None = None,
        is_active: bool | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[User]:
        """Live users, newest first, for an admin and the system.

        Args:
            role: only those who have it.
            is_active: only those who may log in, or only those who may not.

        Raises:
            PermissionDeniedError: the actor is neither.
            ValueRejectedError: ``role``, ``is_active``, ``limit`` or ``after``.
        """
        search = UserSearch(role=role, is_active=is_active)
        check_limit(limit)
        key = decode_cursor(search.list_name, after, first_key(UserArm.ALL))
        await self._only_admins_read()
        rows = await self._scope.search(
            user_search(search, UserArm.ALL, after=key, limit_rows=limit + 1)
        )
        return page_of(search.list_name, rows, limit, by_age)

    async def search(
        self,
        text: str,
        *,
        match: Match | str = Match.PREFIX,
        role: Role | str | None = None,
        is_active: bool | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[User]:
        """Live users by name or address, for an admin and the system.

        By prefix, which an index finds: those whose name begins so, by name, then those whose
        address begins so, by address. By substring, which no index finds: newest first, and a page
        looks at no more than 5,000 users, so it may hold fewer than ``limit``, even none, while
        ``next`` leads on. Either way names regardless of case and accents, addresses regardless of
        case; a letter that a name has as two characters, the base and the accent, is found as it is
        stored.

        Args:
            match: ``prefix`` or ``substring``.
            role: only those who have it.
            is_active: only those who may log in, or only those who may not.

        Raises:
            PermissionDeniedError: the actor is neither.
            ValueRejectedError: ``text`` is blank or over 100 characters; ``match``, ``role``,
                ``is_active``, ``limit`` or ``after``.
        """
        return await UserSearches(self._scope).search(
            text, match=match, role=role, is_active=is_active, limit=limit, after=after
        )

    async def dashboard(
        self, user_id: UUID, *, days: int = 30, time_zone: str | tzinfo = "UTC"
    ) -> UserDashboard:
        """Numbers of a user at one glance: conversations, prompts by status, templates, ratings
        given and got, as of now; and what was spent in the last days, today included, by day. Of
        oneself; of anyone for an admin and the system.

        At most eight statements, each of one source. What was spent is exact: in UTC from the daily
        roll-up (its percentiles are within 5 %), in other zones of at most 100,000 attempts.

        Args:
            days: 1 to 366.
            time_zone: an IANA name such as ``Europe/Berlin``, or a tzinfo: when a day begins.

        Raises:
            NotFoundError: not there, deleted, or somebody else.
            ValueRejectedError: ``user_id``, ``days``, ``time_zone``; ``days`` too where more
                attempts than that ended in them.
        """
        return await UserDashboards(self._scope).get(user_id, days=days, time_zone=time_zone)

    @disclosing
    async def export_data(
        self, user_id: UUID, *, after: str | None = None
    ) -> AsyncIterator[PersonalRow]:
        """All that the system holds of a user, as lines of JSON: the account with its preferences,
        templates with their history, labels and tags, ratings, conversations and who takes part,
        links, prompts, what was spent, and audit entries by and about them; trashes too. For
        oneself, and for the system, to whom also who is deleted is there.

        In constant memory: no statement gives more than a thousand rows, and fewer with long texts.
        What is written meanwhile is in it or not. The audit log says that it was done, before the
        first row and each time that it goes on.

        Args:
            after: ``cursor`` of the last row that arrived; it goes on behind that.

        Raises:
            NotFoundError: not there, or somebody else; deleted, but for the system.
            PermissionDeniedError: an admin asks for somebody else.
            ValueRejectedError: ``user_id`` or ``after``.
        """
        async for row in UserExports(self._scope).rows(user_id, after):
            yield row

    async def count(self) -> int:
        """How many live users there are, for an admin and the system.

        Raises:
            PermissionDeniedError: the actor is neither.
        """
        await self._only_admins_read()
        return await self._users.count_all()

    # ------------------------------------------------------------------ change

    async def create(
        self,
        *,
        email: str,
        full_name: str,
        password: str | None = None,
        role: Role | str = Role.USER,
        id: UUID | None = None,  # noqa: A002
    ) -> User:
        """Create a user.

        Args:
            password: without one, nobody logs in by password until one is set.
            role: another than ``user`` is given by an admin or the system.
            id: made by the caller, so that a call of unknown outcome can be looked up.

        Raises:
            PermissionDeniedError: a role, and the actor is neither admin nor the system.
            UniqueError: a live user has this address, or the id is taken.
            ValueRejectedError: ``email``, ``full_name``, ``password``, ``role`` or ``id``.
        """
        new = NewUser(email=email, full_name=full_name, role=role, id=id)
        password_hash: str | None = None
        if password is not None:
            logins = UserLogins(self._scope)
            password_hash = await logins.hashed(logins.new_password("password", password))
        return await self._create(new, password_hash)

    @changing
    async def _create(self, new: NewUser, password_hash: str | None) -> User:
        if new.role is not Role.USER:
            await self._only_admins_change("user.create", new.id)
        now = self._scope.clock.now()
        user = User(
            id=new.id or new_id(now),
            email=new.email,
            full_name=new.full_name,
            role=new.role,
            is_active=True,
            email_verified_at=None,
            credentials_changed_at=now,
            locked_until=None,
            last_login_at=None,
            created_at=now,
            updated_at=now,
            deleted_at=None,
        )
        await self._refuse_taken(user.email, user.id)
        await self._users.insert(
            user_id=user.id,
            email=user.email,
            full_name=user.full_name,
            role=user.role,
            password_hash=password_hash,
            now=now,
        )
        after = {"email": user.email, "full_name": user.full_name, "role": user.role}
        await self._audit.write(
            "user.create", TARGET, user.id, changes=changes_between(None, after), at=now
        )
        return user

    @changing
    async def update_details(
        self,
        user_id: UUID,
        *,
        email: str | Keep = KEEP,
        full_name: str | Keep = KEEP,
        expected_updated_at: datetime | None = None,
    ) -> User:
        """Change the address and the name: one's own, or anyone's for an admin and the system.

        The same values again are no change, and no error. A new address is not verified, and the
        tokens that were sent to the old one are revoked.

        Args:
            expected_updated_at: refuse if somebody changed the account since.

        Raises:
            NotFoundError: not there, deleted, or somebody else.
            PermissionDeniedError: the actor is no admin any more.
            StaleVersionError: changed since ``expected_updated_at``.
            UniqueError: another live user has the address.
            ValueRejectedError: ``email``, ``full_name``, ``user_id`` or ``expected_updated_at``.
        """
        given: dict[str, Any] = {}
        if not isinstance(email, Keep):
            given["email"] = normalize_email(email)
        if not isinstance(full_name, Keep):
            given["full_name"] = checked_full_name(full_name)
        if expected_updated_at is not None:
            expected_updated_at = check_time("expected_updated_at", expected_updated_at)
        before = await self._lock_changeable("user.update_details", user_id)
        if expected_updated_at is not None and before.updated_at != expected_updated_at:
            raise StaleVersionError(
                "somebody changed the account first",
                expected=expected_updated_at,
                actual=before.updated_at,
            )
        old = {field: getattr(before, field) for field in given}
        changes = changes_between(old, given)
        if not changes:
            return before
        now = self._scope.clock.now()
        after = attrs.evolve(before, **given, updated_at=later(now, before.updated_at))
        if after.email != before.email:
            after = attrs.evolve(after, email_verified_at=None)
            await self._refuse_taken(after.email, user_id)
        await self._users.update_details(
            user_id=user_id,
            email=after.email,
            full_name=after.full_name,
            email_verified_at=after.email_verified_at,
            changed_at=after.updated_at,
        )
        if after.email != before.email:
            await self._tokens.delete_by_user(user_id=user_id)
        await self._audit.write("user.update_details", TARGET, user_id, changes=changes, at=now)
        return after

    async def _refuse_taken(self, email: str, user_id: UUID) -> None:
        """Decide without a lock, where one led to a deadlock.

        A duplicate leaves a shared lock on the key until its transaction ends, and MariaDB takes
        two that wait for each other's for a deadlock: those who come again must not meet there.
        """
        if self._scope.attempt == 1:
            return
        holder = await self._users.find_by_email(email=email)
        if holder is not None and holder.id != user_id:
            raise UniqueError(
                "another row has this key already: uq_users_email_live",
                constraint="uq_users_email_live",
            )

    @changing
    async def transfer(self, from_id: UUID, to_id: UUID, *, batch: int = 100) -> AccountTransfer:
        """Give what a user owns to another one, for the system: live conversations, the archived
        ones too, and live templates. What is in a trash stays there.

        One batch a call, a transaction: call again until ``is_done``. Killed at any point, the next
        call goes on. Who gave stays in the conversations as a collaborator, and their links are
        revoked; who got one that they took part in owns it now. Versions, labels, ratings, forks
        and prompts stay as they are: who made them is a fact.

        Args:
            batch: the most conversations and templates of this call, 1 to 10,000.

        Raises:
            NotFoundError: one of the two is not there, or deleted.
            PermissionDeniedError: the actor is not the system; the attempt is in the audit log.
            ValueRejectedError: an id is no UUID, ``to_id`` is who gives, or ``batch``.
        """
        return await UserTransfers(self._scope).transfer(from_id, to_id, batch)

    @changing
    async def soft_delete(self, user_id: UUID) -> None:
        """Put a user into the trash: oneself, or anyone for an admin and the system.

        What the user owns is hidden with them and comes back with them; the address is free.

        Raises:
            LastAdminError: the last live, active admin would be gone.
            NotFoundError: not there, deleted already, or somebody else.
            PermissionDeniedError: the actor is no admin any more.
            ValueRejectedError: ``user_id`` is no UUID.
        """
        action = "user.soft_delete"
        target = await self._lock_target(action, user_id, or_self=True)
        self._keep_an_admin(action, target)
        now = self._scope.clock.now()
        await self._users.soft_delete(user_id=user_id, now=now)
        # What they think of templates counts no more.
        await TemplatesGateway(self._scope).subtract_ratings(user_id=user_id)
        await self._audit.write(action, TARGET, user_id, at=now)

    @by_a_part
    async def delete_account(self, user_id: UUID, *, batch: int = 1000) -> AccountDeletion:
        """End an account for good: one's own, or anyone's for an admin and the system. There is no
        way back.

        From the first moment nobody gets in: no log-in, no token, no link of theirs. Conversations
        in which others take part are given to the collaborator, else the viewer, who came first.
        Public templates stay, of an account called "Former user". Then the account is closed:
        address, name, preferences and password are gone, what was private is hidden at once,
        ratings count no more. Then ratings, participations, templates, conversations and prompts
        that were theirs alone are removed, trashes too.

        What they asked in conversations of others stays there, and what was spent; both name a row
        without a name. The audit log keeps what it says.

        In transactions of at most ``batch`` rows, one entry each. Killed at any point and called
        again, also by oneself, it goes on and ends the same.

        Raises:
            LastAdminError: the last live, active admin would be gone.
            NotFoundError: not there, or somebody else; in the trash, for oneself.
            PermissionDeniedError: the actor is no admin any more.
            ValueRejectedError: ``user_id`` is no UUID, or ``batch`` not 1 to 10,000.
        """
        return await UserDeletions(self._scope).delete_account(user_id, batch)

    @changing
    async def restore(self, user_id: UUID) -> User:
        """Take a user out of the trash, for an admin and the system.

        Raises:
            NotFoundError: not in the trash, or an account that has ended.
            PermissionDeniedError: the actor is neither admin nor the system.
            UniqueError: somebody has the address by now.
            ValueRejectedError: ``user_id`` is no UUID.
        """
        check_id("user_id", user_id)
        self._say_admin("user.restore", user_id)
        now = self._scope.clock.now()
        await self._lock_admins_joined_by(user_id)
        if self._comes_first(user_id):
            await self._only_admins_change("user.restore", user_id)
            restored = await self._users.restore(user_id=user_id, now=now)
        else:
            try:
                restored = await self._users.restore(user_id=user_id, now=now)
            finally:
                # Whatever came of it, who is no admin any more hears that alone, and it is undone.
                await self._only_admins_change("user.restore", user_id)
        user = await self._users.get_including_deleted(user_id=user_id) if restored else None
        if user is None or user.email == closed_email(user_id):
            raise NotFoundError("no such user in the trash")
        await TemplatesGateway(self._scope).add_ratings(user_id=user_id)
        await self._audit.write("user.restore", TARGET, user_id, at=now)
        return user
