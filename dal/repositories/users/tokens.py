"""Tokens for a mailbox: to set a forgotten password, to show that an address is one's own."""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Final, NoReturn
from uuid import UUID

import attrs

from dal.errors import AuthenticationError, NotFoundError, ValueRejectedError
from dal.records.audit import Outcome
from dal.records.clock import later
from dal.records.ids import check_id
from dal.records.text import free_text
from dal.records.users import IssuedToken, TokenPurpose, User, normalize_email
from dal.repositories.base import changing, part
from dal.repositories.users.logins import UserLogins
from dal.repositories.users.rules import TARGET, UserRules
from dal.secret import Secret

__all__ = ["UserTokens"]

_TOKEN_BYTES: Final = 32
_MAX_TOKEN_CHARS: Final = 200
_LONGEST: Final = timedelta(days=30)
# Whoever holds a token is believed to read the mailbox.
_WHY: Final = "tokens are issued to the system, which mails them"
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


@part("users.tokens")
class UserTokens(UserRules):
    """Tokens for a mailbox, issued and taken in: ``me.users.tokens``.

    A user has one valid token for a purpose at most: a new one is stored in the place of the old.
    What is stored is SHA-256 of 256 random bits, so the database lets nobody in.
    """

    @changing
    async def issue_password_reset(
        self, email: str, *, valid_for: timedelta = _HOUR
    ) -> IssuedToken | None:
        """A token with which the password can be set once, for the system to send by mail. None
        where nobody who may log in has the address: tell whoever asked the same either way, and
        before it is done, since it takes longer where somebody has.

        Raises:
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``email`` is no address, or ``valid_for`` is not up to 30 days.
        """
        address = normalize_email(email)
        _check_valid_for(valid_for)
        self._only_system_changes("user.issue_password_reset", TARGET, None, _WHY)
        user = await self._users.find_by_email(email=address)
        if user is None or not user.is_active:
            return None
        return await self._issue(
            "user.issue_password_reset",
            user.id,
            TokenPurpose.PASSWORD_RESET,
            valid_for,
            address=address,
        )

    @changing
    async def issue_email_verification(
        self, user_id: UUID, *, valid_for: timedelta = _DAY
    ) -> IssuedToken:
        """A token that shows that its holder reads the mail of a user's address, for the system.

        Raises:
            NotFoundError: not there, deleted, or not active.
            PermissionDeniedError: the actor is not the system.
            ValueRejectedError: ``user_id`` is no UUID, or ``valid_for`` is not up to 30 days.
        """
        check_id("user_id", user_id)
        _check_valid_for(valid_for)
        self._only_system_changes("user.issue_email_verification", TARGET, user_id, _WHY)
        issued = await self._issue(
            "user.issue_email_verification", user_id, TokenPurpose.EMAIL_VERIFICATION, valid_for
        )
        if issued is None:
            raise NotFoundError("no such user for this actor")
        return issued

    async def is_password_reset_valid(self, token: str | Secret) -> bool:
        """Whether :meth:`reset_password` would take the token at this moment. It is not used up.

        Raises:
            ValueRejectedError: ``token`` is no text.
        """
        holder = await self._tokens.find_holder(
            token_hash=_token_hash(token),
            purpose=TokenPurpose.PASSWORD_RESET,
            now=self._scope.clock.now(),
        )
        return holder is not None

    async def reset_password(self, token: str | Secret, *, new_password: str) -> User:
        """Set the password of the token's user, and use the token up. A lock ends.

        Raises:
            AuthenticationError: not a valid token: unknown, used, replaced, expired, or of a user
                who is deleted or not active.
            ValueRejectedError: ``new_password`` is shorter than the policy, or ``token`` is no
                text; the token stays valid.
        """
        token_hash = _token_hash(token)
        logins = UserLogins(self._scope)
        new = logins.new_password("new_password", new_password)
        # First, so that nobody has passwords hashed for a token that was made up.
        is_valid = await self.is_password_reset_valid(token)
        new_hash = await logins.hashed(new) if is_valid else ""
        return await self._reset_password(token_hash, new_hash)

    @changing
    async def _reset_password(self, token_hash: bytes, new_hash: str) -> User:
        action = "user.reset_password"
        user = await self._consumed(action, token_hash, TokenPurpose.PASSWORD_RESET, new_hash != "")
        return await self._set_password(action, user, new_hash, self._scope.clock.now())

    @changing
    async def verify_email(self, token: str | Secret) -> User:
        """Note that the address of the token's user is theirs, and use the token up.

        Raises:
            AuthenticationError: not a valid token: unknown, used, replaced, expired, or of a user
                who is deleted or not active, or whose address has changed since.
            ValueRejectedError: ``token`` is no text.
        """
        action = "user.verify_email"
        now = self._scope.clock.now()
        user = await self._consumed(
            action, _token_hash(token), TokenPurpose.EMAIL_VERIFICATION, True
        )
        verified_at, at = user.email_verified_at or now, later(now, user.updated_at)
        await self._users.update_email_verified(
            user_id=user.id, email_verified_at=verified_at, changed_at=at
        )
        changes = {"email_verified_at": {"from": user.email_verified_at, "to": verified_at}}
        await self._audit.write(action, TARGET, user.id, changes=changes, at=now)
        return attrs.evolve(user, email_verified_at=verified_at, updated_at=at)

    # ------------------------------------------------------------------- rules

    async def _issue(
        self,
        action: str,
        user_id: UUID,
        purpose: TokenPurpose,
        valid_for: timedelta,
        *,
        address: str | None = None,
    ) -> IssuedToken | None:
        user = await self._users.lock_by_id(user_id=user_id)
        # The address may have changed since it was looked up: the new one is another mailbox.
        if user is None or not user.is_active or (address or user.email) != user.email:
            return None
        now = self._scope.clock.now()
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        expires_at = now + valid_for
        await self._tokens.upsert(
            user_id=user.id,
            purpose=purpose,
            token_hash=_token_hash(token),
            now=now,
            expires_at=expires_at,
        )
        changes = {"expires_at": {"from": None, "to": expires_at}}
        await self._audit.write(action, TARGET, user.id, changes=changes, at=now)
        return IssuedToken(user.id, user.email, purpose, Secret(token), expires_at)

    async def _consumed(
        self, action: str, token_hash: bytes, purpose: TokenPurpose, was_valid: bool
    ) -> User:
        """The locked user whose token it was. Of many who try at once, one gets here.

        The user is locked before the token is taken, as everybody does.
        """
        now = self._scope.clock.now()
        holder = await self._tokens.find_holder(token_hash=token_hash, purpose=purpose, now=now)
        if holder is None or not was_valid:
            self._refuse_token(action, holder)
        user = await self._users.lock_by_id(user_id=holder)
        if user is None or not user.is_active:
            self._refuse_token(action, holder)
        if not await self._tokens.consume(token_hash=token_hash, purpose=purpose, now=now):
            self._refuse_token(action, holder)
        return user

    def _refuse_token(self, action: str, user_id: UUID | None) -> NoReturn:
        self._keep_attempt(action, TARGET, user_id, Outcome.FAILURE)
        raise AuthenticationError("the token is not valid")


def _check_valid_for(valid_for: object) -> None:
    if not isinstance(valid_for, timedelta) or not timedelta(0) < valid_for <= _LONGEST:
        raise ValueRejectedError(
            "valid_for: a timedelta, more than 0 and at most 30 days", field="valid_for"
        )


def _token_hash(token: object) -> bytes:
    text = token.reveal() if isinstance(token, Secret) else token
    return sha256(free_text("token", text, max_chars=_MAX_TOKEN_CHARS).encode()).digest()
