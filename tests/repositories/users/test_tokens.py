"""Tokens for a mailbox: issued to the system, stored as a hash, used once with what they allow."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

import attrs
import pytest

import dal
from dal.config import Config
from dal.secret import Secret
from tests import conftest
from tests.conftest import START, Recorder, options
from tests.repositories.conftest import Root

CHEAP_HASHES: Final[dict[str, Any]] = dict(conftest.CHEAP_HASHES)
PASSWORD: Final = "correct horse"
NEW: Final = "another horse"
TICK: Final = timedelta(microseconds=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
RESET, VERIFICATION = dal.TokenPurpose.PASSWORD_RESET, dal.TokenPurpose.EMAIL_VERIFICATION


@attrs.frozen
class World:
    """A database with a clock and a recorder of its own, since tokens are about time."""

    db: dal.Database
    clock: dal.ManualClock
    recorder: Recorder
    root: Root

    @property
    def system(self) -> dal.Session:
        return self.db.acting_as(dal.Actor.system("mailer"))

    @property
    def nobody(self) -> dal.Session:
        return self.db.acting_as(dal.Actor.anonymous())

    async def user(self) -> dal.User:
        return await self.system.users.create(
            email=f"{uuid4()}@tokens.example", full_name="Ada", password=PASSWORD
        )

    def acting(self, user: dal.User) -> dal.Session:
        return self.db.acting_as(dal.Actor.user(user.id))

    async def reset(self, user: dal.User, **more: Any) -> dal.IssuedToken:
        issued = await self.system.users.tokens.issue_password_reset(user.email, **more)
        assert issued is not None
        return issued

    async def verification(self, user: dal.User, **more: Any) -> dal.IssuedToken:
        return await self.system.users.tokens.issue_email_verification(user.id, **more)

    async def issue(self, purpose: dal.TokenPurpose, user: dal.User, **more: Any) -> Secret:
        make = self.reset if purpose is RESET else self.verification
        return (await make(user, **more)).token

    async def use(self, purpose: dal.TokenPurpose, token: Any, password: str = NEW) -> dal.User:
        users = self.nobody.users
        if purpose is RESET:
            return await users.tokens.reset_password(token, new_password=password)
        return await users.tokens.verify_email(token)

    async def refused(self, purpose: dal.TokenPurpose, token: Any) -> None:
        with pytest.raises(dal.AuthenticationError) as caught:
            await self.use(purpose, token)
        # One answer, whatever the reason is.
        assert (str(caught.value), vars(caught.value)["statement"]) == (
            "the token is not valid",
            None,
        )
        assert caught.value.__cause__ is caught.value.__context__ is None
        if purpose is RESET:
            assert not await self.nobody.users.tokens.is_password_reset_valid(token)

    def stored(self, user: dal.User) -> list[tuple[Any, ...]]:
        return self.root(
            "SELECT purpose, token_hash, created_at, expires_at FROM user_tokens"
            " WHERE user_id = %s ORDER BY purpose",
            user.id.bytes,
        )

    def password(self, user: dal.User) -> Any:
        found = self.root("SELECT password_hash FROM users WHERE id = %s", user.id.bytes)
        return found[0][0]

    async def lets_in(self, user: dal.User, password: str) -> bool:
        try:
            await self.nobody.users.authenticate(email=user.email, password=password)
        except dal.AuthenticationError:
            return False
        return True

    async def newest(self, user: dal.User) -> dal.AuditEntry:
        rows = (await self.system.audit.list_of_target("user", user.id, limit=500)).rows
        return max(rows, key=lambda entry: (entry.occurred_at, entry.id))

    def n_entries(self) -> int:
        ((n,),) = self.root("SELECT COUNT(*) FROM audit_logs")
        return int(n)


@pytest.fixture
async def world(config: Config, root: Root) -> AsyncIterator[World]:
    clock, recorder = dal.ManualClock(START), Recorder()
    async with dal.connect(
        clock=clock, on_statement=recorder, **options(config), **CHEAP_HASHES
    ) as db:
        yield World(db, clock, recorder, root)


both = pytest.mark.parametrize("purpose", [RESET, VERIFICATION])


# ------------------------------------------------------------------------ life cycles


async def test_a_password_is_reset(world: World) -> None:
    user = await world.user()
    for _ in range(5):
        assert not await world.lets_in(user, "a guess")
    assert not await world.lets_in(user, PASSWORD)
    issued = await world.reset(user)
    assert (issued.user_id, issued.email, issued.purpose) == (user.id, user.email, RESET)
    assert issued.expires_at == START + HOUR
    assert len(issued.token.reveal()) == 43
    entry = await world.newest(user)
    assert (entry.action, entry.outcome) == ("user.issue_password_reset", dal.Outcome.SUCCESS)
    assert entry.changes == {"expires_at": {"from": None, "to": issued.expires_at.isoformat()}}
    # A look does not use it up.
    for _ in range(3):
        assert await world.nobody.users.tokens.is_password_reset_valid(issued.token)
    assert await world.nobody.users.tokens.is_password_reset_valid(issued.token.reveal())
    # To look and to issue does not change the password, nor the lock.
    assert not await world.lets_in(user, PASSWORD)
    changed = await world.nobody.users.tokens.reset_password(issued.token, new_password=NEW)
    assert changed == await world.system.users.get(user.id)
    assert changed.locked_until is None
    assert changed.credentials_changed_at > user.credentials_changed_at
    entry = await world.newest(user)
    assert (entry.action, entry.outcome) == ("user.reset_password", dal.Outcome.SUCCESS)
    assert entry.changes == {}
    assert world.stored(user) == []
    assert not await world.lets_in(user, PASSWORD)
    assert await world.lets_in(user, NEW)
    await world.refused(RESET, issued.token)
    assert await world.lets_in(user, NEW)


async def test_an_address_is_verified(world: World) -> None:
    user = await world.user()
    assert user.email_verified_at is None
    issued = await world.verification(user)
    assert (issued.user_id, issued.email, issued.purpose) == (user.id, user.email, VERIFICATION)
    assert issued.expires_at == START + DAY
    world.clock.move(HOUR)
    verified = await world.nobody.users.tokens.verify_email(issued.token)
    assert verified == attrs.evolve(user, email_verified_at=START + HOUR, updated_at=START + HOUR)
    assert verified == await world.system.users.get(user.id)
    entry = await world.newest(user)
    assert (entry.action, entry.outcome) == ("user.verify_email", dal.Outcome.SUCCESS)
    assert entry.changes == {"email_verified_at": {"from": None, "to": (START + HOUR).isoformat()}}
    assert world.stored(user) == []
    await world.refused(VERIFICATION, issued.token)
    assert await world.lets_in(user, PASSWORD)


async def test_the_first_verification_stays(world: World) -> None:
    user = await world.user()
    first = await world.use(VERIFICATION, await world.issue(VERIFICATION, user))
    world.clock.move(DAY)
    second = await world.use(VERIFICATION, await world.issue(VERIFICATION, user))
    assert second.email_verified_at == first.email_verified_at == START
    assert second == await world.system.users.get(user.id)


@both
async def test_a_text_and_a_secret_are_the_same(world: World, purpose: dal.TokenPurpose) -> None:
    user = await world.user()
    token = await world.issue(purpose, user)
    assert (await world.use(purpose, token.reveal())).id == user.id
    assert (await world.use(purpose, await world.issue(purpose, user))).id == user.id


# --------------------------------------------------------------------- what is stored


def variants(token: str) -> list[bytes]:
    """Ways in which a token could have been written down."""
    raw = base64.urlsafe_b64decode(token + "=")
    text = token.encode()
    return [
        text,
        raw,
        text.hex().encode(),
        raw.hex().encode(),
        base64.b64encode(raw).rstrip(b"="),
        base64.b64encode(text).rstrip(b"="),
        base64.urlsafe_b64encode(text).rstrip(b"="),
    ]


def as_bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


async def test_only_a_hash_is_stored(world: World) -> None:
    user = await world.user()
    reset, verification = await world.reset(user), await world.verification(user)
    assert {row[0]: row[1] for row in world.stored(user)} == {
        issued.purpose: sha256(issued.token.reveal().encode()).digest()
        for issued in (reset, verification)
    }
    used = await world.reset(await world.user())
    await world.use(RESET, used.token)
    await world.refused(RESET, used.token)
    await world.refused(VERIFICATION, reset.token)
    for table in ("user_tokens", "audit_logs", "users"):
        rows = world.root(f"SELECT * FROM {table}")
        dump = b"\n".join(as_bytes(value) for row in rows for value in row).lower()
        for issued in (reset, verification, used):
            for written in variants(issued.token.reveal()):
                assert written.lower() not in dump


async def test_a_hash_in_the_place_of_the_token(world: World) -> None:
    """Who has read the table has no token."""
    user = await world.user()
    for purpose in (RESET, VERIFICATION):
        token = await world.issue(purpose, user)
        digest = sha256(token.reveal().encode()).digest()
        for text in (digest.hex(), base64.urlsafe_b64encode(digest).decode().rstrip("=")):
            await world.refused(purpose, text)
        await world.use(purpose, token)


async def test_no_repr_shows_it(world: World) -> None:
    issued = await world.reset(await world.user())
    shown = f"{issued!r} {issued} {issued.token!r} {issued.token} {attrs.astuple(issued)}"
    assert issued.token.reveal() not in shown
    assert issued.token.reveal()[:8] not in shown


async def test_each_token_is_another(world: World) -> None:
    user = await world.user()
    tokens = [(await world.issue(p, user)).reveal() for p in (RESET, VERIFICATION) * 10]
    assert len(set(tokens)) == 20
    assert {len(base64.urlsafe_b64decode(token + "=")) for token in tokens} == {32}


# ---------------------------------------------------------------- single use, and expiry


@both
async def test_of_many_at_once_one_uses_it(world: World, purpose: dal.TokenPurpose) -> None:
    user = await world.user()
    token = await world.issue(purpose, user)
    passwords = [f"horse number {n}" for n in range(12)]
    results = await asyncio.gather(
        *(world.use(purpose, token, password) for password in passwords),
        return_exceptions=True,
    )
    won = [result for result in results if isinstance(result, dal.User)]
    lost = [result for result in results if not isinstance(result, dal.User)]
    assert len(won) == 1
    assert {type(error) for error in lost} == {dal.AuthenticationError}
    assert won == [await world.system.users.get(user.id)]
    if purpose is RESET:
        # The password is that of the one who was told so.
        n = results.index(won[0])
        assert await world.lets_in(user, passwords[n])
        assert not await world.lets_in(user, passwords[n - 1])
    entries = (await world.system.audit.list_of_target("user", user.id, limit=500)).rows
    action = "user.reset_password" if purpose is RESET else "user.verify_email"
    outcomes = [entry.outcome for entry in entries if entry.action == action]
    assert outcomes.count(dal.Outcome.SUCCESS) == 1


@both
@pytest.mark.parametrize(
    "valid_for", [TICK, timedelta(seconds=1), HOUR, timedelta(days=30), timedelta(days=7) + TICK]
)
async def test_it_expires(world: World, purpose: dal.TokenPurpose, valid_for: timedelta) -> None:
    user = await world.user()
    for late in (timedelta(0), TICK, timedelta(days=400)):
        token = await world.issue(purpose, user, valid_for=valid_for)
        world.clock.move(valid_for + late)
        before = world.password(user)
        await world.refused(purpose, token)
        assert world.password(user) == before
        assert (await world.system.users.get(user.id)).email_verified_at is None
    token = await world.issue(purpose, user, valid_for=valid_for)
    world.clock.move(valid_for - TICK)
    assert (await world.nobody.users.tokens.is_password_reset_valid(token)) is (purpose is RESET)
    assert (await world.use(purpose, token)).id == user.id


@both
@pytest.mark.parametrize(
    "valid_for",
    [timedelta(0), -TICK, -HOUR, timedelta(days=30) + TICK, timedelta.max, 3600, 1.0, "1 h", None],
)
async def test_how_long_it_may_be_valid(
    world: World, purpose: dal.TokenPurpose, valid_for: Any
) -> None:
    user = await world.user()
    kept = await world.issue(purpose, user)
    n_before = world.n_entries()
    with pytest.raises(dal.ValueRejectedError) as caught:
        await world.issue(purpose, user, valid_for=valid_for)
    assert caught.value.field == "valid_for"
    assert world.n_entries() == n_before
    # The one before is still there.
    await world.use(purpose, kept)


@both
async def test_a_new_one_revokes_the_old(world: World, purpose: dal.TokenPurpose) -> None:
    user, other = await world.user(), await world.user()
    others = await world.issue(purpose, other)
    tokens = [await world.issue(purpose, user) for _ in range(3)]
    assert len(world.stored(user)) == 1
    for old in tokens[:-1]:
        await world.refused(purpose, old)
    assert (await world.use(purpose, tokens[-1])).id == user.id
    for old in tokens:
        await world.refused(purpose, old)
    assert (await world.use(purpose, others)).id == other.id


async def test_a_shorter_one_revokes_a_longer_one(world: World) -> None:
    user = await world.user()
    old = await world.issue(RESET, user, valid_for=timedelta(days=30))
    await world.issue(RESET, user, valid_for=TICK)
    world.clock.move(HOUR)
    await world.refused(RESET, old)


async def test_those_who_issue_at_once_leave_one(world: World) -> None:
    user = await world.user()
    issued = await asyncio.gather(*(world.reset(user) for _ in range(10)))
    valid = [i for i in issued if await world.nobody.users.tokens.is_password_reset_valid(i.token)]
    assert len(valid) == 1
    assert len(world.stored(user)) == 1


async def test_a_token_is_for_one_purpose(world: World) -> None:
    user = await world.user()
    reset, verification = await world.reset(user), await world.verification(user)
    before = world.password(user)
    await world.refused(RESET, verification.token)
    with pytest.raises(dal.AuthenticationError):
        await world.use(VERIFICATION, reset.token)
    assert world.password(user) == before
    assert await world.system.users.get(user.id) == user
    # Neither was used up, and using one leaves the other.
    await world.use(RESET, reset.token)
    await world.use(VERIFICATION, verification.token)


# -------------------------------------------------------- consumed together with the change


@both
async def test_a_transaction_that_is_rolled_back(world: World, purpose: dal.TokenPurpose) -> None:
    user = await world.user()
    token = await world.issue(purpose, user)
    before = world.password(user), world.stored(user), await world.system.users.get(user.id)
    for session in (world.nobody, world.system, world.acting(user)):
        with pytest.raises(RuntimeError):  # noqa: PT012
            async with session.begin() as tx:
                if purpose is RESET:
                    await tx.users.tokens.reset_password(token, new_password=NEW)
                else:
                    await tx.users.tokens.verify_email(token)
                # Inside it is used up.
                with pytest.raises(dal.AuthenticationError):
                    await tx.users.tokens.verify_email(token)
                assert not await tx.users.tokens.is_password_reset_valid(token)
                raise RuntimeError
        after = world.password(user), world.stored(user), await world.system.users.get(user.id)
        assert after == before
    assert await world.lets_in(user, PASSWORD)
    assert (await world.use(purpose, token)).id == user.id


@both
async def test_a_transaction_that_is_committed(world: World, purpose: dal.TokenPurpose) -> None:
    user = await world.user()
    token = await world.issue(purpose, user)
    async with world.nobody.begin() as tx:
        if purpose is RESET:
            await tx.users.tokens.reset_password(token, new_password=NEW)
        else:
            await tx.users.tokens.verify_email(token)
    assert world.stored(user) == []
    await world.refused(purpose, token)
    assert await world.lets_in(user, NEW if purpose is RESET else PASSWORD)


@both
async def test_what_is_issued_in_a_transaction_goes_with_it(
    world: World, purpose: dal.TokenPurpose
) -> None:
    user = await world.user()
    kept = await world.issue(purpose, user)
    n_before = world.n_entries()
    with pytest.raises(RuntimeError):  # noqa: PT012
        async with world.system.begin() as tx:
            if purpose is RESET:
                issued = await tx.users.tokens.issue_password_reset(user.email)
            else:
                issued = await tx.users.tokens.issue_email_verification(user.id)
            raise RuntimeError
    assert issued is not None
    assert world.n_entries() == n_before
    await world.refused(purpose, issued.token)
    await world.use(purpose, kept)


async def test_a_change_that_fails_leaves_the_token(world: World) -> None:
    user = await world.user()
    token = await world.issue(RESET, user)
    before = world.password(user)
    for bad in ("x" * 7, "", "x" * 1025, "\ud800" * 9, None, b"x" * 9):
        with pytest.raises(dal.ValueRejectedError) as caught:
            await world.use(RESET, token, bad)  # type: ignore[arg-type]
        assert caught.value.field == "new_password"
    assert world.password(user) == before
    assert await world.nobody.users.tokens.is_password_reset_valid(token)
    await world.use(RESET, token)


async def test_nothing_is_hashed_for_a_token_that_was_made_up(world: World) -> None:
    """Read first; then the transaction in which the attempt is refused and written."""
    request_id = uuid4().hex
    somebody = world.db.acting_as(dal.Actor.anonymous(request_id=request_id))
    world.recorder.clear()
    with pytest.raises(dal.AuthenticationError):
        await somebody.users.tokens.reset_password("made-up", new_password=NEW)
    assert world.recorder.names[:4] == [
        "user_tokens/find_holder",
        "transaction/start",
        "user_tokens/find_holder",
        "transaction/rollback",
    ]
    assert not {"users/update_password", "users/lock_by_id"} & set(world.recorder.names)
    found = world.root(
        "SELECT action, target_id, outcome, changes FROM audit_logs WHERE request_id = %s",
        request_id,
    )
    assert found == [("user.reset_password", None, "failure", "{}")]


# --------------------------------------------------------------- holders who come and go


@both
@pytest.mark.parametrize("how", ["deleted", "inactive"])
async def test_a_holder_who_is_gone_and_comes_back(
    world: World, purpose: dal.TokenPurpose, how: str
) -> None:
    user = await world.user()
    users = world.system.users
    token = await world.issue(purpose, user)
    late = await world.issue(VERIFICATION if purpose is RESET else RESET, user, valid_for=HOUR)
    if how == "deleted":
        await users.soft_delete(user.id)
    else:
        await users.access.deactivate(user.id)
    before = world.password(user)
    await world.refused(purpose, token)
    assert world.password(user) == before
    # Nobody is told, and nothing is written of it.
    n_before = world.n_entries()
    assert await users.tokens.issue_password_reset(user.email) is None
    with pytest.raises(dal.NotFoundError):
        await users.tokens.issue_email_verification(user.id)
    assert world.n_entries() == n_before
    if how == "deleted":
        await users.restore(user.id)
    else:
        await users.access.activate(user.id)
    assert (await world.use(purpose, token)).id == user.id
    world.clock.move(HOUR)
    await world.refused(VERIFICATION if purpose is RESET else RESET, late)


@both
async def test_a_new_address_revokes(world: World, purpose: dal.TokenPurpose) -> None:
    user = await world.user()
    me = world.acting(user)
    token = await world.issue(purpose, user)
    # What is no new address leaves it.
    await me.users.update_details(user.id, full_name="Ada L.", email=user.email.upper())
    assert len(world.stored(user)) == 1
    await me.users.update_details(user.id, email=f"{uuid4()}@tokens.example")
    assert world.stored(user) == []
    await world.refused(purpose, token)
    # Nor does it come back with the old address.
    await me.users.update_details(user.id, email=user.email)
    await world.refused(purpose, token)


async def test_a_new_address_is_not_verified(world: World) -> None:
    user = await world.user()
    await world.use(VERIFICATION, await world.issue(VERIFICATION, user))
    changed = await world.acting(user).users.update_details(
        user.id, email=f"{uuid4()}@tokens.example"
    )
    assert changed.email_verified_at is None
    assert changed == await world.system.users.get(user.id)


async def test_a_password_revokes_a_reset_alone(world: World) -> None:
    user = await world.user()
    reset, verification = await world.reset(user), await world.verification(user)
    await world.acting(user).users.passwords.update(
        user.id, new_password=NEW, current_password=PASSWORD
    )
    await world.refused(RESET, reset.token)
    assert await world.lets_in(user, NEW)
    await world.use(VERIFICATION, verification.token)


async def test_a_user_without_a_password_gets_one_by_a_token(world: World) -> None:
    user = await world.system.users.create(email=f"{uuid4()}@tokens.example", full_name="A")
    await world.use(RESET, await world.issue(RESET, user))
    assert await world.lets_in(user, NEW)


# ---------------------------------------------------------------------------- who and what


async def test_an_unknown_address(world: World) -> None:
    n_before = world.n_entries()
    assert await world.system.users.tokens.issue_password_reset(f"{uuid4()}@nobody.example") is None
    assert world.n_entries() == n_before
    with pytest.raises(dal.NotFoundError):
        await world.system.users.tokens.issue_email_verification(uuid4())
    assert world.n_entries() == n_before
    user = await world.user()
    issued = await world.system.users.tokens.issue_password_reset(f" {user.email.upper()}  ")
    assert issued is not None
    assert issued.email == user.email


async def test_tokens_are_issued_to_the_system(world: World) -> None:
    user, admin = await world.user(), await world.user()
    await world.system.users.access.change_role(admin.id, "admin")
    as_admin = world.db.acting_as(dal.Actor.user(admin.id, role="admin"))
    for session in (world.nobody, world.acting(user), as_admin):
        for address in (user.email, f"{uuid4()}@nobody.example"):
            with pytest.raises(dal.PermissionDeniedError):
                await session.users.tokens.issue_password_reset(address)
        for user_id in (user.id, uuid4()):
            with pytest.raises(dal.PermissionDeniedError):
                await session.users.tokens.issue_email_verification(user_id)
    assert world.stored(user) == []
    entry = await world.newest(user)
    assert (entry.action, entry.outcome) == (
        "user.issue_email_verification",
        dal.Outcome.DENIED,
    )


@pytest.mark.parametrize(
    "token", [None, b"bytes", 1, "x" * 10_000, "x" * 201, "\ud800", "a\udfffb", Secret("x" * 201)]
)
async def test_what_is_no_token(world: World, token: Any) -> None:
    users = world.nobody.users
    n_before = world.n_entries()
    for call in (
        users.tokens.reset_password(token, new_password=NEW),
        users.tokens.verify_email(token),
        users.tokens.is_password_reset_valid(token),
    ):
        with pytest.raises(dal.ValueRejectedError) as caught:
            await call
        assert caught.value.field == "token"
        assert "xxx" not in str(caught.value)
    assert world.n_entries() == n_before


@pytest.mark.parametrize(
    "token", ["", " ", "x", "x" * 43, "x" * 200, "'; --", "\0", "\u202e", "%", Secret("")]
)
async def test_a_token_that_was_made_up(world: World, token: Any) -> None:
    user = await world.user()
    await world.issue(RESET, user)
    for purpose in (RESET, VERIFICATION):
        await world.refused(purpose, token)


@both
async def test_a_token_is_its_letters(world: World, purpose: dal.TokenPurpose) -> None:
    user = await world.user()
    token = (await world.issue(purpose, user)).reveal()
    for other in (token + " ", " " + token, token + "=", token[:-1], token.swapcase(), token * 2):
        await world.refused(purpose, other)
    assert (await world.use(purpose, token)).id == user.id


async def test_what_is_issued_has_the_time_of_its_purpose(world: World) -> None:
    user = await world.user()
    world.clock.move(timedelta(hours=5))
    now = world.clock.now()

    def naive(at: datetime) -> datetime:
        return at.replace(tzinfo=None)

    reset = await world.reset(user, valid_for=timedelta(minutes=5))
    verification = await world.verification(user, valid_for=timedelta(days=30))
    assert [(row[2], row[3]) for row in world.stored(user)] == [
        (naive(now), naive(issued.expires_at)) for issued in (reset, verification)
    ]
