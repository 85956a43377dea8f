"""Users and their tokens: what their statements are asked with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from dal.records.actor import Role
from dal.records.clock import END_OF_TIME
from dal.records.users import TokenPurpose
from dal.statements import Statement
from tests import fill
from tests.fill import NOBODY, NOW, OWNER, START, STRANGER
from tests.sql.aggregates.common import (
    ADMIN,
    BEFORE_ALL,
    BY_SYSTEM,
    DELETED_USER,
    FRESH,
    LIMIT,
    NEVER_MISSES,
    Aggregate,
    Values,
    actor,
    restored_at_now,
    same,
    user_number,
)

LOCKED_USER: Final = 5
FAILED_USER: Final = 6
INACTIVE_USER: Final = 8
UNLOCKED_USER: Final = 9
DELETED_ADMIN: Final = 13
INACTIVE_ADMIN: Final = 34
NEVER_LOGGED_IN: Final = 57
WINDOW: Final = 20
_NEW_HASH: Final = fill.PASSWORD_HASH.replace("$m=19456", "$m=32768")
_USER_READ: Final[tuple[Values, ...]] = ({}, BY_SYSTEM)


def _user(n: int) -> Values:
    return {"user_id": fill.user_id(n)}


def _login(n: int) -> Values:
    """A user, whose account is as it was when it was created."""
    return {**_user(n), "known_updated_at": fill.user_created_at(n)}


def _token(n: int, purpose: TokenPurpose = TokenPurpose.PASSWORD_RESET) -> Values:
    return {"token_hash": fill.token_hash(n, purpose), "purpose": purpose}


_NEW_TOKEN: Final[Values] = {"token_hash": bytes(range(32))}
_TOKENS: Final[tuple[Values, ...]] = ({}, _token(OWNER, TokenPurpose.EMAIL_VERIFICATION), _token(4))
_NO_ADMINS: Final[Mapping[str, Values]] = {
    "not an admin": actor(OWNER),
    "an admin who is not active": actor(INACTIVE_ADMIN),
    "an admin who is deleted": actor(DELETED_ADMIN),
}
_NO_TOKENS: Final[Mapping[str, Values]] = {
    "a token for something else": {**_token(OWNER), "purpose": TokenPurpose.EMAIL_VERIFICATION},
    "a token that ends now": _token(16),
    "a token that is over": _token(36),
}


def _user_cursor(n: int) -> Values:
    return {"before_at": fill.user_created_at(n), "before_id": fill.user_id(n)}


def _failure(values: Values) -> Values:
    n, most = user_number(values), values["max_failures"]
    assert isinstance(most, int)
    # A lock that is over has forgotten them.
    failures = 1 if fill.user_locked_until(n) else fill.user_failed_logins(n) + 1
    return {
        "failed_logins": failures,
        "locked_until": values["lock_until"] if failures >= most else None,
    }


def _login_at(values: Values) -> datetime:
    """Never back: not before the log-in before, nor before the credentials were changed."""
    n, now = user_number(values), values["now"]
    assert isinstance(now, datetime)
    return max(now, fill.user_created_at(n), fill.user_last_login_at(n) or now)


_UNLOCKED: Final[Values] = {"failed_logins": 0, "locked_until": None}
_CHANGED: Final = same(updated_at="changed_at")
_CREDENTIALS: Final = same(updated_at="changed_at", credentials_changed_at="changed_at")


def _live_users(factor: int) -> list[int]:
    return [n for n in range(fill.n_users(factor)) if fill.user_deleted_at(n) is None]


def _user_statistics(factor: int, values: Values) -> list[tuple[object, ...]]:
    live = _live_users(factor)
    roles = Counter(map(fill.user_role, live))
    locks = [fill.user_locked_until(n) for n in live]
    logins = [fill.user_last_login_at(n) for n in live]

    def since(name: str) -> int:
        return sum(at is not None and at >= values[name] for at in logins)  # type: ignore[operator]

    return [
        (
            len(live),
            sum(map(fill.user_is_active, live)),
            sum(not fill.user_is_active(n) for n in live),
            roles[Role.ADMIN],
            roles[Role.USER],
            roles[Role.VIEWER],
            sum(fill.user_verified_at(n) is not None for n in live),
            sum(until is not None and until > fill.NOW for until in locks),
            logins.count(None),
            since("day_ago"),
            since("week_ago"),
            since("month_ago"),
        )
    ]


def _new_by_day(factor: int, values: Values) -> list[tuple[object, ...]]:
    start, end, offset = values["from_at"], values["until_at"], values["utc_offset_s"]
    assert isinstance(start, datetime)
    assert isinstance(end, datetime)
    assert isinstance(offset, int)
    counts = Counter(
        (at + timedelta(seconds=offset)).date()
        for at in map(fill.user_created_at, _live_users(factor))
        if start <= at < end
    )
    return [*sorted(counts.items())]


def _window_end(factor: int, values: Values) -> list[tuple[object, ...]]:
    """The last one of the window, where it is found by going through all users."""
    at, last, rows = values["before_at"], values["before_id"], values["window_rows"]
    assert isinstance(at, datetime)
    assert isinstance(last, UUID)
    assert isinstance(rows, int)
    keys = [(fill.user_created_at(n), fill.user_id(n)) for n in _live_users(factor)]
    window = sorted((key for key in keys if key < (at, last)), reverse=True)[:rows]
    return [*window[-1:]]


def _active_admins(factor: int, _: Values) -> list[tuple[object, ...]]:
    admins = [
        n for n in _live_users(factor) if fill.user_role(n) is Role.ADMIN and fill.user_is_active(n)
    ]
    return [(fill.user_id(n),) for n in admins[:LIMIT]]


def _by_email(factor: int, values: Values) -> list[tuple[object, ...]]:
    """The ids, newest first."""
    found = [n for n in range(fill.n_users(factor)) if fill.user_email(n) == values["email"]]
    return [(fill.user_id(n),) for n in sorted(found, reverse=True)]


def _holder(factor: int, values: Values) -> list[tuple[object, ...]]:
    """Of valid tokens, which are those that are asked for."""
    return [
        (fill.user_id(n),)
        for n in _live_users(factor)
        for purpose in TokenPurpose
        if fill.token_hash(n, purpose) == values["token_hash"]
    ]


def _n_failures(factor: int, values: Values) -> list[tuple[object, ...]]:
    """Of an account that is not locked: with this failure, and from the first after a lock."""
    (n,) = (n for n in range(fill.n_users(factor)) if fill.user_id(n) == values["user_id"])
    return [(1 if fill.user_locked_until(n) else fill.user_failed_logins(n) + 1,)]


def _middle(statement: Statement, names: set[str], factor: int) -> Values:
    return _user_cursor(50 * factor + 1) if "window_rows" in names else {}


AGGREGATE: Final = Aggregate(
    tables=("users", "user_tokens"),
    values={
        "user_ids": ([fill.user_id(n) for n in (OWNER, STRANGER)], [NOBODY]),
        "changed_at": (NOW, NEVER_MISSES),
        "day_ago": (NOW - timedelta(days=1), NEVER_MISSES),
        "email": ("user0@example.org", "nobody@example.org"),
        "email_verified_at": (NOW, NEVER_MISSES),
        "expires_at": (NOW + timedelta(minutes=90), NEVER_MISSES),
        "from_at": (START, END_OF_TIME),
        "full_name": ("Ada", NEVER_MISSES),
        "is_active": (False, NEVER_MISSES),
        "known_updated_at": (fill.user_created_at(OWNER), END_OF_TIME),
        "lock_until": (NOW + timedelta(minutes=15), NEVER_MISSES),
        "max_failures": (fill.FAILURES_THAT_LOCK, NEVER_MISSES),
        "month_ago": (NOW - timedelta(days=30), NEVER_MISSES),
        "password_hash": (_NEW_HASH, NEVER_MISSES),
        "preferences": ({"theme": "light"}, NEVER_MISSES),
        "purpose": (TokenPurpose.PASSWORD_RESET, "no-such-purpose"),
        "role": ("viewer", NEVER_MISSES),
        "token_hash": (fill.token_hash(OWNER, TokenPurpose.PASSWORD_RESET), bytes(32)),
        # As every created_at of two users: who is created just then is not counted.
        "until_at": (START + timedelta(hours=45), BEFORE_ALL),
        "utc_offset_s": (2 * 3600, NEVER_MISSES),
        "week_ago": (NOW - timedelta(days=7), NEVER_MISSES),
        "window_rows": (WINDOW, NEVER_MISSES),
    },
    cases={
        "user_tokens/consume": _TOKENS,
        "user_tokens/find_holder": _TOKENS,
        "user_tokens/upsert": (_NEW_TOKEN, {**_NEW_TOKEN, **_user(STRANGER)}),
        "users/close": tuple(
            {**_user(n), "email": "gone@example.org"} for n in (OWNER, LOCKED_USER, STRANGER)
        ),
        "users/exists_admin": (actor(ADMIN),),
        "users/find_by_id": _USER_READ,
        "users/find_preferences": _USER_READ,
        "users/find_window_end": ({}, {"window_rows": WINDOW + 1}),
        "users/insert": ({**_user(FRESH), "email": "new@example.org"},),
        # Local days that begin before, with and after those of UTC.
        "users/list_new_by_day": tuple({"utc_offset_s": s} for s in (7_200, 0, -5 * 3_600, 20_700)),
        "users/lock_admin": (actor(ADMIN),),
        "users/record_failure": (
            {},
            _user(FAILED_USER),
            _user(UNLOCKED_USER),
            # The third one, and the first one that locks is the fourth, the third, the second.
            *({**_user(FAILED_USER), "max_failures": n} for n in (4, 3, 2)),
        ),
        "users/record_login": (
            {},
            {"password_hash": None},
            _login(FAILED_USER),
            _login(UNLOCKED_USER),
            # By a clock that goes back: with a log-in before, and with the change of credentials
            # alone.
            {"now": START},
            {**_login(NEVER_LOGGED_IN), "now": START},
        ),
        "users/restore": (_user(DELETED_USER),),
        "users/unlock": tuple(_user(n) for n in (LOCKED_USER, FAILED_USER, UNLOCKED_USER)),
        # Its own address, and another.
        "users/update_details": ({}, {"email": "new@example.org"}),
        "users/update_password": ({}, _user(LOCKED_USER)),
    },
    passed_by={
        "user_tokens/consume": _NO_TOKENS,
        "user_tokens/find_holder": {
            **_NO_TOKENS,
            "a token of who is not active": _token(INACTIVE_USER),
            "a token of who is deleted": _token(DELETED_USER),
        },
        "users/exists_admin": _NO_ADMINS,
        "users/find_credentials_changed_at": {"who is not active": _user(INACTIVE_USER)},
        "users/lock_admin": _NO_ADMINS,
        "users/record_failure": {
            "an account that is locked": _user(LOCKED_USER),
            "a lock that has not ended yet": {
                **_user(UNLOCKED_USER),
                "now": NOW - timedelta(hours=1),
            },
        },
        "users/record_login": {
            "an account that is locked": _login(LOCKED_USER),
            "a lock that has not ended yet": {
                **_login(UNLOCKED_USER),
                "now": NOW - timedelta(hours=1),
            },
            "an account that is not active": _login(INACTIVE_USER),
            "an account without a password": _login(STRANGER),
        },
        "users/unlock": {"an account without a failure": _user(OWNER)},
    },
    numbers={
        "user_tokens/find_holder": _holder,
        "users/count_all": lambda factor, _: [(len(_live_users(factor)),)],
        "users/find_window_end": _window_end,
        "users/get_statistics": _user_statistics,
        "users/list_by_email_including_deleted": _by_email,
        "users/list_new_by_day": _new_by_day,
        "users/lock_admins": _active_admins,
        "users/record_failure": _n_failures,
    },
    rows={
        "user_tokens": "SELECT * FROM user_tokens WHERE user_id = :user_id AND purpose = :purpose",
        "users": "SELECT * FROM users WHERE id = :user_id",
    },
    written={
        "user_tokens/upsert": same(
            "user_id", "purpose", "token_hash", "expires_at", created_at="now"
        ),
        "users/insert": lambda v: {
            **same(id="user_id")(v),
            **same(credentials_changed_at="now", created_at="now", updated_at="now")(v),
            **_UNLOCKED,
            "is_active": True,
            "email_verified_at": None,
            "last_login_at": None,
            "preferences": {},
            "deleted_at": None,
        },
        "users/record_failure": _failure,
        "users/record_login": lambda v: {
            "password_hash": v["password_hash"] or fill.user_password_hash(user_number(v)),
            **_UNLOCKED,
            "last_login_at": _login_at(v),
        },
        "users/close": lambda v: {
            **same("email", "full_name", updated_at="now", deleted_at="now")(v),
            **_UNLOCKED,
            "is_active": False,
            "email_verified_at": None,
            "password_hash": None,
            "last_login_at": None,
            "preferences": {},
        },
        "users/restore": restored_at_now,
        "users/soft_delete": same(deleted_at="now", updated_at="now"),
        "users/unlock": lambda v: {**_CHANGED(v), **_UNLOCKED},
        "users/update_activity": _CREDENTIALS,
        "users/update_details": _CHANGED,
        "users/update_email_verified": _CHANGED,
        "users/update_password": lambda v: {**_CREDENTIALS(v), **_UNLOCKED},
        "users/update_preferences": same(),
        "users/update_role": _CREDENTIALS,
    },
    middle=_middle,
    forget=(
        "DELETE k FROM user_tokens AS k INNER JOIN users AS u ON k.user_id = u.id"
        " WHERE u.deleted_at IS NOT NULL",
        "DELETE FROM users WHERE deleted_at IS NOT NULL",
    ),
)
