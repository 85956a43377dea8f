"""Passwords of accounts, their hashes and the tokens are where they belong, and nowhere else."""

from __future__ import annotations

import asyncio
import logging
import traceback
import warnings
from base64 import b64encode, urlsafe_b64decode
from collections.abc import AsyncIterator, Awaitable
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

import attrs
import pytest

import dal
from dal.config import Config
from dal.records.users import Account
from dal.repositories.users.logins import Comparison
from tests.conftest import START
from tests.faults.helpers import Root, database, system

# What no other text has in it, and in NFC.
OLD: Final = "Öld-zq7xk-passwörd"
NEW: Final = "Néw-vj4wp-passphräse"
GUESS: Final = "Guess-bq9ym-wröng"
NOT_A_PASSWORD: Final = "Shört-hm3"
TYPED: Final = "typed-kd8fj-by-mistake@accounts.example"
COSTS: Final[dict[str, Any]] = {
    "argon2_time_cost": 1, "argon2_memory_kib": 8, "argon2_parallelism": 1,
}  # fmt: skip
OTHER_COSTS: Final[dict[str, Any]] = {**COSTS, "argon2_time_cost": 2}


def ways(secret: str) -> set[str]:
    """How a secret could be written down, as a whole or a good part of it."""
    data = secret.encode()
    return {
        secret,
        secret[1:9],
        secret[-9:],
        ascii(secret)[1:-1],
        data.hex(),
        b64encode(data).decode().rstrip("="),
        str(data)[2:-1],
        data.decode("latin-1"),
        sha256(data).hexdigest(),
    }


@attrs.define
class Seen:
    """All that was told to anybody, and the secrets that must not be in it."""

    secrets: set[str] = attrs.field(factory=set)
    texts: list[str] = attrs.field(factory=list)

    def plant(self, *secrets: str) -> None:
        for secret in secrets:
            self.secrets |= ways(secret)

    def tell(self, *things: object) -> None:
        self.texts += [text for thing in things for text in (str(thing), repr(thing))]

    def tell_error(self, error: BaseException) -> None:
        """Its text, what it holds, and the same of those it came from."""
        pending: list[BaseException | None] = [error]
        while pending:
            one = pending.pop()
            if one is not None:
                self.tell(one, one.args, vars(one), getattr(one, "__notes__", None))
                self.texts += traceback.format_exception(one)
                pending += [one.__cause__, one.__context__]

    def check(self) -> None:
        text = "\n".join(self.texts).lower()
        for secret in self.secrets:
            assert secret.lower() not in text, ascii(secret)
        assert "$argon2" not in text

    async def refused(self, call: Awaitable[object], kind: type[BaseException]) -> None:
        with pytest.raises(kind) as caught:
            await call
        self.tell_error(caught.value)


class Keeper(logging.Handler):
    """Keeps all records; pytest's own forgets them before a fixture ends."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
async def seen(root: Root) -> AsyncIterator[Seen]:
    """Collects what the loggers, the warnings and the audit log are told, then looks through it."""
    told, keeper, loggers = Seen(), Keeper(), logging.getLogger()
    told.plant(OLD, NEW, GUESS, NOT_A_PASSWORD)
    # An address is no secret, but what somebody typed for one may be.
    told.secrets |= {TYPED, "kd8fj"}
    loop = asyncio.get_running_loop()
    before, level = loop.get_debug(), loggers.level
    loop.set_debug(True)
    loggers.addHandler(keeper)
    loggers.setLevel(logging.DEBUG)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield told
            logging.getLogger("dal").debug("the last")
    finally:
        loop.set_debug(before)
        loggers.setLevel(level)
        loggers.removeHandler(keeper)
    assert keeper.records[-1].getMessage() == "the last"
    for record in keeper.records:
        told.tell(record, record.getMessage(), record.args, vars(record))
    told.tell(*(warning.message for warning in warned))
    for row in root.rows("SELECT * FROM audit_logs"):
        told.texts += [cell.hex() if isinstance(cell, bytes) else str(cell) for cell in row]
    hashes = root.rows(
        "SELECT password_hash FROM users"
        " WHERE email LIKE '%@accounts.example' AND password_hash LIKE '$argon2id$%'"
    )
    assert hashes
    for (stored,) in hashes:
        told.secrets |= {stored, stored.rsplit("$", 1)[1], stored.encode().hex()}
    told.check()


async def user_of(me: dal.Session, password: str = OLD) -> dal.User:
    return await me.users.create(
        email=f"{uuid4()}@accounts.example", full_name="Ada", password=password
    )


def stored_hash(root: Root, user: dal.User) -> str:
    stored: str = root.value("SELECT password_hash FROM users WHERE id = %s", user.id.bytes)
    return stored


async def test_a_whole_life(config: Config, root: Root, seen: Seen) -> None:
    """Sign up, log in, fail, be locked, change, forget and reset: nothing of it is told."""

    def hook(*told: object) -> None:
        seen.tell(told)

    async with database(config, on_statement=hook, **COSTS) as db:
        me, nobody = system(db), db.acting_as(dal.Actor.anonymous())
        user = await user_of(me)
        seen.secrets.add(stored_hash(root, user))
        own = db.acting_as(dal.Actor.user(user.id))
        seen.tell(user, await nobody.users.authenticate(email=user.email, password=OLD))
        for _ in range(5):
            await seen.refused(
                nobody.users.authenticate(email=user.email, password=GUESS),
                dal.AuthenticationError,
            )
        await seen.refused(
            nobody.users.authenticate(email=user.email, password=OLD), dal.AuthenticationError
        )
        await seen.refused(
            nobody.users.authenticate(email=TYPED, password=GUESS), dal.AuthenticationError
        )
        await seen.refused(
            own.users.passwords.update(user.id, new_password=NEW, current_password=GUESS),
            dal.AuthenticationError,
        )
        seen.tell(await me.users.access.unlock(user.id))
        seen.tell(await own.users.passwords.update(user.id, new_password=NEW, current_password=OLD))
        seen.secrets.add(stored_hash(root, user))
        issued = await me.users.tokens.issue_password_reset(user.email)
        assert issued is not None
        verification = await me.users.tokens.issue_email_verification(user.id)
        for each in (issued, verification):
            token = each.token.reveal()
            seen.plant(token)
            seen.secrets |= {urlsafe_b64decode(token + "=").hex()}
            seen.tell(each, each.token, attrs.asdict(each), [each], {"token": each.token})
        await seen.refused(
            nobody.users.tokens.reset_password(verification.token, new_password=NEW),
            dal.AuthenticationError,
        )
        seen.tell(await nobody.users.tokens.is_password_reset_valid(issued.token))
        seen.tell(await nobody.users.tokens.reset_password(issued.token, new_password=OLD))
        await seen.refused(
            nobody.users.tokens.reset_password(issued.token, new_password=NEW),
            dal.AuthenticationError,
        )
        seen.tell(await nobody.users.tokens.verify_email(verification.token))
        seen.tell(await me.users.passwords.update(user.id, new_password=NEW))
        seen.tell(db, me, me.users, vars(me), vars(me.users), db.pool, vars(db.pool))
        for entry in (await me.audit.list_of_target("user", user.id, limit=500)).rows:
            seen.tell(entry, attrs.asdict(entry))
    async with database(config, on_statement=hook, **OTHER_COSTS) as db:
        # And the hash is made anew.
        before = stored_hash(root, user)
        seen.tell(await system(db).users.authenticate(email=user.email, password=NEW))
        assert stored_hash(root, user) != before
        seen.secrets |= {before}


async def test_what_is_refused_is_not_repeated(config: Config, root: Root, seen: Seen) -> None:
    async with database(config, **COSTS, password_min_chars=12) as db:
        me, user = system(db), await user_of(system(db))
        own = db.acting_as(dal.Actor.user(user.id))
        address = user.email
        issued = await me.users.tokens.issue_password_reset(address)
        assert issued is not None
        seen.plant(issued.token.reveal())
        for bad in (NOT_A_PASSWORD, NEW * 100, NEW + "\ud800", (NEW.encode())):
            for call in (
                me.users.create(email=TYPED, full_name="A", password=bad),  # type: ignore[arg-type]
                me.users.passwords.update(user.id, new_password=bad),  # type: ignore[arg-type]
                own.users.passwords.update(
                    user.id,
                    new_password=bad,  # type: ignore[arg-type]
                    current_password=OLD,
                ),
                me.users.tokens.reset_password(issued.token, new_password=bad),  # type: ignore[arg-type]
            ):
                await seen.refused(call, dal.ValueRejectedError)
        for bad in (NEW * 100, NEW + "\ud800", (NEW.encode())):
            await seen.refused(
                me.users.authenticate(email=address, password=bad),  # type: ignore[arg-type]
                dal.ValueRejectedError,
            )
            await seen.refused(
                own.users.passwords.update(
                    user.id,
                    new_password=NEW,
                    current_password=bad,  # type: ignore[arg-type]
                ),
                dal.ValueRejectedError,
            )
        for no_address in (OLD, f"{OLD} {TYPED}", f"{TYPED}@{TYPED}", TYPED + "x" * 300):
            await seen.refused(
                me.users.authenticate(email=no_address, password=OLD), dal.ValueRejectedError
            )
        for no_token in (issued.token.reveal() * 10, issued.token.reveal() + "\ud800"):
            await seen.refused(me.users.tokens.verify_email(no_token), dal.ValueRejectedError)
        await seen.refused(
            own.users.passwords.update(user.id, new_password=NEW), dal.ValueRejectedError
        )
        async with own.begin() as tx:
            await seen.refused(tx.users.authenticate(email=address, password=OLD), dal.UsageError)
            await seen.refused(own.users.authenticate(email=address, password=OLD), dal.UsageError)
            await seen.refused(
                tx.users.passwords.update(user.id, new_password=NEW, current_password=OLD),
                dal.UsageError,
            )


async def test_errors_of_the_server(config: Config, root: Root, seen: Seen) -> None:
    """A statement with the hash in it fails: by a key that is taken, by a connection that is gone,
    by a table that is not as it was.
    """

    def hook(*told: object) -> None:
        seen.tell(told)
        if isinstance(told[5], BaseException):
            seen.tell_error(told[5])

    async with database(config, on_statement=hook, **COSTS) as db:
        me = system(db)
        user = await user_of(me)
        # The address is taken, and so is the id.
        await seen.refused(
            me.users.create(email=user.email, full_name="A", password=NEW), dal.UniqueError
        )
        await seen.refused(
            me.users.create(
                email=f"{uuid4()}@accounts.example", full_name="A", password=NEW, id=user.id
            ),
            dal.UniqueError,
        )
        # A lock that another transaction has.
        async with me.begin() as tx:
            await tx.users.update_details(user.id, full_name="B")
            change = me.within(0.5).users.passwords.update(user.id, new_password=NEW)
            await seen.refused(asyncio.create_task(change), dal.DalError)
        try:
            root.rows("ALTER TABLE users RENAME COLUMN password_hash TO password_hush")
            for call in (
                user_of(me, NEW),
                me.users.passwords.update(user.id, new_password=NEW),
                me.users.authenticate(email=user.email, password=OLD),
            ):
                await seen.refused(call, dal.DalError)
        finally:
            root.rows("ALTER TABLE users RENAME COLUMN password_hush TO password_hash")
        for damaged in ("$argon2id$v=19$m=8,t=1,p=1$" + NEW.encode().hex(), "plain-zq7xk", ""):
            root.rows("UPDATE users SET password_hash = %s WHERE id = %s", damaged, user.id.bytes)
            await seen.refused(
                me.users.authenticate(email=user.email, password=OLD), dal.AuthenticationError
            )
            await me.users.access.unlock(user.id)
        await me.users.passwords.update(user.id, new_password=NEW)


async def test_a_log_in_that_is_cancelled(config: Config, root: Root, seen: Seen) -> None:
    async with database(config, **COSTS) as db:
        me = system(db)
        user = await user_of(me)
        task = asyncio.create_task(me.users.authenticate(email=user.email, password=OLD))
        seen.tell(task)
        await asyncio.sleep(0)
        seen.tell(task, *asyncio.all_tasks())
        task.cancel()
        await seen.refused(task, asyncio.CancelledError)
        seen.tell(task)


# ------------------------------------------------------------------------------ default reads


def fields_of(record: type[Any]) -> set[str]:
    return {field.name for field in attrs.fields(record)}


async def test_no_default_read_has_the_hash(config: Config, root: Root, seen: Seen) -> None:
    """Whatever is given back has no field for it, and no text in which it stands."""
    async with database(config, **COSTS) as db:
        me = system(db)
        user = await user_of(me)
        users = me.users
        found: list[Any] = [
            user,
            await users.find(user.id),
            await users.get(user.id),
            await db.acting_as(dal.Actor.user(user.id)).users.get(user.id),
            await users.trash.get_including_deleted(user.id),
            await users.find_by_email(user.email),
            await users.authenticate(email=user.email, password=OLD),
            await users.access.unlock(user.id),
            await users.update_details(user.id, full_name="Zq7"),
            await users.access.change_role(user.id, "viewer"),
            await users.access.deactivate(user.id),
            await users.access.activate(user.id),
            await users.passwords.update(user.id, new_password=NEW),
            *(await users.list_all()).rows,
            *(await users.search("zq7")).rows,
            *(await users.search(user.email)).rows,
            *(await users.search("q7", match="substring")).rows,
            *(await users.trash.list_by_email_including_deleted(user.email)),
        ]
        await users.soft_delete(user.id)
        found += [await users.restore(user.id)]
        assert len(found) > 17
        for record in found:
            assert type(record) is dal.User
        seen.tell(*found)
        seen.tell(await users.statistics.get(), await users.statistics.new_by_day(days=1))
        seen.tell(await users.preferences.get(user.id), await users.count())
    secret = {"password_hash", "password", "failed_logins", "token_hash"}
    for name in dal.__all__:
        thing = getattr(dal, name)
        if isinstance(thing, type) and attrs.has(thing) and thing is not dal.Config:
            assert not fields_of(thing) & secret, name
    assert "Account" not in dal.__all__


def test_the_record_with_the_hash_does_not_show_it() -> None:
    values: dict[str, Any] = dict.fromkeys(fields_of(Account))
    account = Account(**{**values, "email": "a@b.example", "password_hash": "$argon2id$" + OLD})
    for text in (repr(account), str(account), f"{account}", repr([account]), repr(account.user)):
        assert OLD not in text
        assert "argon2" not in text
    assert "password_hash" not in fields_of(type(account.user))


def test_a_comparison_does_not_show_it() -> None:
    values: dict[str, Any] = dict.fromkeys(fields_of(Account))
    account = Account(**{**values, "created_at": START, "password_hash": "$argon2id$" + OLD})
    for is_right in (True, False):
        text = repr(Comparison(account, is_right, "$argon2id$" + NEW))
        assert OLD not in text
        assert NEW not in text
