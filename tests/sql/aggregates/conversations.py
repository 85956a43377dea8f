"""Conversations and their participants: what their statements are asked with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, cast
from uuid import UUID

from dal.records.clock import END_OF_TIME
from dal.records.ids import MAX_ID
from dal.search.analysis import terms_of
from dal.search.postings import term_hash
from dal.statements import Statement
from tests import fill
from tests.fill import NOBODY, OWNER, STRANGER
from tests.sql.aggregates.common import (
    BEFORE_ALL,
    DELETED_USER,
    FRESH,
    LIMIT,
    NEVER_MISSES,
    Aggregate,
    Numbers,
    Values,
    actor,
    restored_at_now,
    same,
    user_number,
)
from tests.sql.aggregates.users import INACTIVE_USER

# Conversations of OWNER: a live one, one in the trash, and one that somebody else owns.
LIVE: Final = 60
IN_TRASH: Final[Values] = {"conversation_id": fill.conversation_id(48)}


def _is_deleted(n: int) -> bool:
    return fill.conversation_deleted_at(n) is not None


# Deleted one after the other.
_TWO_IN_TRASH: Final[Values] = {
    "conversation_ids": [fill.conversation_id(n) for n in (8, 48)],
}
_DELETED_AT: Final = cast(datetime, fill.conversation_deleted_at(48))
# Two that are idle as long as the other, and one that is archived.
_IDLE_BEFORE: Final = fill.conversation_last_activity_at(56)
_IDLE: Final[Values] = {
    "conversation_ids": [fill.conversation_id(n) for n in (24, 40, 56, 12)],
    "idle_before": _IDLE_BEFORE,
}


def _is_seen(n: int, factor: int) -> bool:
    owner = fill.conversation_owner(n, factor)
    return fill.conversation_deleted_at(n) is None and fill.user_deleted_at(owner) is None


# A live one that OWNER takes part in, and whose owner is deleted.
ORPHAN: Final = next(
    n
    for n in range(1, 200, 4)
    if fill.conversation_deleted_at(n) is None
    and fill.user_deleted_at(fill.conversation_owner(n, 1)) is not None
)
SHARED: Final = next(n for n in range(1, 200, 4) if _is_seen(n, 1) and fill.n_prompts(n) > 10)
# As SHARED, of an odd number and with variations.
_OF_OTHERS_LONG: Final = next(
    n for n in range(1, 200, 4) if _is_seen(n, 1) and fill.n_prompts(n) > 24
)
_ORPHAN_LONG: Final = next(
    n
    for n in range(1, 200, 4)
    if fill.conversation_deleted_at(n) is None
    and fill.user_deleted_at(fill.conversation_owner(n, 1)) is not None
    and fill.n_prompts(n) > 18
)
_NO_VARIATIONS: Final[Mapping[str, Values]] = {
    "one that has none": {"prompt_id": fill.prompt_id(LIVE, 2)},
}
_OF_OTHERS: Final[Values] = {"conversation_id": fill.conversation_id(SHARED)}
_OF_DELETED_OWNER: Final[Mapping[str, Values]] = {
    "a conversation of who is deleted": {"conversation_id": fill.conversation_id(ORPHAN)},
}
_OF_DELETED: Final[Mapping[str, Values]] = {
    **_OF_DELETED_OWNER,
    "a participant who is deleted": actor(DELETED_USER),
}
_DELETED_PROMPT: Final[Values] = {"prompt_id": fill.prompt_id(LIVE, 3)}
_DELETED_PROCESSED: Final[Values] = {"prompt_id": fill.prompt_id(LIVE, 10)}
_PROCESSED_NUMBER: Final = 25
_PROCESSED: Final[Values] = {"prompt_id": fill.prompt_id(LIVE, _PROCESSED_NUMBER)}
_PENDING: Final[Values] = {"prompt_id": fill.prompt_id(LIVE, 5)}
_FAILED: Final[Values] = {"prompt_id": fill.prompt_id(LIVE, 15)}
_DONE: Final[Values] = {"prompt_id": fill.prompt_id(LIVE, 2)}
# As _PROCESSED, of a conversation in the trash.
_IN_TRASH_PROCESSED: Final[Values] = {
    "conversation_id": fill.conversation_id(88),
    "prompt_id": fill.prompt_id(88, _PROCESSED_NUMBER),
}
_NEW_PROMPT: Final[Values] = {
    "prompt_id": fill.prompt_id(FRESH, 1),
    "sequence_number": fill.n_prompts(LIVE) + 1,
    "idempotency_key": "a new key",
}
_NEW_PROMPTS: Final[tuple[Values, ...]] = (
    _NEW_PROMPT,
    {**_NEW_PROMPT, "parent_sequence": None, "response": "So.", "idempotency_key": None},
)
_AS_VIEWER: Final = next(
    n
    for n in range(5, 200, 8)
    if _is_seen(n, 1) and fill.conversation_archived_at(n) is None and n // 4 % 3 == 0
)


def _conversation(n: int) -> Values:
    return {"conversation_id": fill.conversation_id(n)}


def _share(n: int, k: int = 0) -> Values:
    return {
        **_conversation(n),
        "share_id": fill.share_id(n, k),
        "token_hash": fill.share_hash(n, k),
    }


def _a_share(state: str, *, at: int | None = None) -> Values:
    """One of OWNER's conversations that are seen, in this state."""
    return next(
        _share(n, k)
        for n in range(0, 200, 4)
        if n != LIVE and fill.conversation_deleted_at(n) is None and fill.n_prompts(n) > 9
        for k, creator in fill.shares(n, 1).items()
        if creator == OWNER and fill.share_state(n, k) == state and at in (None, n % 3)
    )


def _made_by(who: int) -> Values:
    """An open share of a conversation that is seen, made by somebody else than its owner."""
    return next(
        _share(n, k)
        for n in range(200)
        if fill.conversation_owner(n, 1) != who and _is_seen(n, 1) and fill.n_prompts(n) > 9
        for k, creator in fill.shares(n, 1).items()
        if creator == who and fill.share_state(n, k) == "open"
    )


# Of an owner who is deleted, and OWNER, who takes part, may share it.
ORPHAN_SHARED: Final = next(
    n
    for n in range(1, 200, 8)
    if fill.conversation_deleted_at(n) is None
    and fill.user_deleted_at(fill.conversation_owner(n, 1)) is not None
    and fill.n_prompts(n) > 9
    and fill.share_state(n, 0) == "users"
)
_OPEN: Final = _share(LIVE)
_FOR_USERS: Final = _a_share("users")
_OPENED: Final[tuple[Values, ...]] = (_OPEN, _FOR_USERS, {**_OPEN, "viewer_id": None})
_WORDS: Final[Values] = {"search_terms": sorted(fill.prompt_postings_of(LIVE, 2))}
_WORDS_OF_ONE: Final[Values] = {**_WORDS, "sequence_number": 2}
_IDS_OF_OTHERS: Final[Values] = {"conversation_ids": [fill.conversation_id(SHARED)]}
_LAST_SAID: Final = max(
    fill.prompt_created_at(n, k)
    for n in range(0, 200, 4)
    if _is_seen(n, 1)
    for k in fill.live_prompts(n)
)
_EVERYBODY: Final[Values] = {"first_owner": UUID(int=0), "last_owner": MAX_ID}
_NO_HITS: Final[Mapping[str, Values]] = {
    "one of who is deleted": {"conversation_ids": [fill.conversation_id(ORPHAN)]},
    "a participant who is deleted": {
        **actor(DELETED_USER),
        "conversation_ids": [fill.conversation_id(LIVE)],
    },
}
_REVOKED: Final[Mapping[str, Values]] = {
    "one that was revoked": {"share_id": _a_share("revoked")["share_id"]}
}
_NO_SHARES: Final[Mapping[str, Values]] = {
    "one that was revoked": _a_share("revoked"),
    "one that ends now": _a_share("expired", at=2),
    "one for who is logged in, and nobody is": {**_FOR_USERS, "viewer_id": None},
    "one for who is logged in, and is deleted": {
        **_FOR_USERS,
        "viewer_id": fill.user_id(DELETED_USER),
    },
    "one of who may share no more": _made_by(OWNER),
    "one of who is deleted": _made_by(DELETED_USER),
    "one of who is not active": _made_by(INACTIVE_USER),
    "one of a conversation whose owner is deleted": _share(ORPHAN_SHARED),
}


def _only(case: Values, *names: str) -> Values:
    return {name: value for name, value in case.items() if name in names}


def _by_token(cases: Mapping[str, Values], *more: str) -> Mapping[str, Values]:
    return {why: _only(case, "token_hash", "viewer_id", *more) for why, case in cases.items()}


# Each with one that was revoked before, and one that was not.
_SHARED_TWICE: Final = 16
_OLD_SHARE: Final = (8, 0)


_WHEN_REVOKED: Final = (
    "SELECT COUNT(revoked_at) AS n, MIN(revoked_at) AS first, MAX(revoked_at) AS last,"
    " MIN(expires_at) AS ends, MAX(updated_at) AS changed"
    " FROM conversation_shares WHERE conversation_id = :conversation_id"
)


def _revoked_all(values: Values) -> Values:
    before = {"n": 2, "first": fill.share_expires_at(_SHARED_TWICE, 1)}
    return {**before, **dict.fromkeys(("last", "ends", "changed"), values["now"])}


def _kept(values: Values) -> Values:
    """Only the first one is gone: the next ones are too many, or end at the time itself."""
    return {"first": fill.share_expires_at(9, 0)}


_NOT_PROCESSED: Final[Mapping[str, Values]] = {
    "one that waits": {**_PENDING, "lease_owner": None},
    "one that is answered": {**_DONE, "lease_owner": None},
    "one of another conversation": _conversation(20),
    "one of a conversation in the trash": _IN_TRASH_PROCESSED,
    "one that is deleted": _DELETED_PROCESSED,
}
_NO_WAY: Final[Mapping[str, Values]] = {
    "a conversation of who is deleted": {"prompt_id": fill.prompt_id(ORPHAN, 1)},
    "a participant who is deleted": {
        **actor(DELETED_USER),
        "prompt_id": fill.prompt_id(LIVE, 9),
    },
    "a deleted one": _DELETED_PROCESSED,
}
_NOT_LEASED: Final[Mapping[str, Values]] = {
    "one that waits": _PENDING,
    "one that is deleted": _DELETED_PROCESSED,
}
_NEW_SHARE: Final[Values] = {
    "share_id": fill.share_id(FRESH, 0),
    "token_hash": bytes(range(32)),
}
_NEW: Final[Values] = {"conversation_id": fill.conversation_id(FRESH)}


def _shares_of(factor: int, is_theirs: Callable[[int, int], bool]) -> list[tuple[int, int]]:
    return [
        (n, k)
        for n in range(fill.n_conversations(factor))
        for k, creator in fill.shares(n, factor).items()
        if is_theirs(n, creator)
    ]


def _own_shares(factor: int, values: Values) -> list[tuple[object, ...]]:
    made = _shares_of(factor, lambda n, who: who == OWNER and _is_seen(n, factor))
    before = cast(UUID, values["before_id"])
    ids = sorted((fill.share_id(n, k) for n, k in made), reverse=True)
    listed: list[tuple[object, ...]] = [(i,) for i in ids if i < before]
    return listed[:LIMIT]


def _shown_prompts(factor: int, values: Values) -> list[tuple[object, ...]]:
    (n, _), after = _share_number(values), cast(int, values["after_sequence"])
    last = fill.n_prompts(n) * 2 // 3
    shown: list[tuple[object, ...]] = [(k,) for k in fill.live_prompts(n) if after < k <= last]
    return shown[:LIMIT]


def _own(factor: int, *, deleted: bool) -> list[tuple[object, ...]]:
    found = [
        n
        for n in range(fill.n_conversations(factor))
        if fill.conversation_owner(n, factor) == OWNER
        and (fill.conversation_deleted_at(n) is not None) == deleted
        and n != fill.A_BARE_CONVERSATION
    ]
    return [(len(found),)]


def _revoked(values: Values) -> Values:
    return {"revoked_at": values["now"], "expires_at": values["now"], "updated_at": values["now"]}


def _viewed(values: Values) -> Values:
    n, k = _share_number(values)
    return {"view_count": fill.share_views(n, k)[0] + 1, "last_viewed_at": values["now"]}


def _share_number(values: Values) -> tuple[int, int]:
    return next(
        (n, k)
        for n in range(2_000)
        for k in fill.shares(n, 1)
        if fill.share_hash(n, k) == values["token_hash"]
    )


def _page(
    is_listed: Callable[[int, int], bool],
    key: Callable[[int], tuple[Any, ...]],
    *names: str,
    more: Callable[[int, Values], bool] = lambda n, values: True,
) -> Numbers:
    """The ids of a page: what is listed, last first, behind where it begins."""

    def ids(factor: int, values: Values) -> list[tuple[object, ...]]:
        begin = tuple(values[name] for name in names)
        found = [n for n in range(fill.n_conversations(factor)) if is_listed(n, factor)]
        found = [n for n in found if more(n, values)]
        behind = [n for n in found if (*key(n), fill.conversation_id(n)) < begin]
        ordered = sorted(behind, key=lambda n: (*key(n), n), reverse=True)
        return [(fill.conversation_id(n),) for n in ordered[:LIMIT]]

    return ids


def _is_own(n: int, factor: int) -> bool:
    is_there = n != fill.A_BARE_CONVERSATION
    return is_there and fill.conversation_owner(n, factor) == OWNER


def _activity(n: int) -> tuple[Any, ...]:
    return (fill.conversation_last_activity_at(n),)


def _is_archived(n: int) -> bool:
    return fill.conversation_archived_at(n) is not None


_LISTS: Final[Mapping[str, Numbers]] = {
    "conversations/list_own": _page(
        lambda n, factor: _is_own(n, factor) and not _is_deleted(n) and not _is_archived(n),
        _activity,
        "before_at",
        "before_id",
    ),
    "conversations/list_archived": _page(
        lambda n, factor: _is_own(n, factor) and not _is_deleted(n) and _is_archived(n),
        lambda n: (fill.conversation_archived_at(n), *_activity(n)),
        "before_archived_at",
        "before_at",
        "before_id",
    ),
    "conversations/list_trash": _page(
        lambda n, factor: _is_own(n, factor) and _is_deleted(n),
        lambda n: (fill.conversation_deleted_at(n),),
        "before_deleted_at",
        "before_id",
    ),
    "conversations/list_own_by_status": _page(
        lambda n, factor: _is_own(n, factor) and not _is_deleted(n) and not _is_archived(n),
        _activity,
        "before_at",
        "before_id",
        more=lambda n, values: fill.conversation_status(n) == values["conversation_status"],
    ),
    "conversations/list_own_recent": _page(
        lambda n, factor: _is_own(n, factor) and not _is_deleted(n) and not _is_archived(n),
        _activity,
        "before_at",
        "before_id",
        more=lambda n, values: (
            fill.conversation_last_activity_at(n) >= cast(datetime, values["since_at"])
        ),
    ),
    "conversations/list_pinned": _page(
        lambda n, factor: (
            _is_seen(n, factor)
            and OWNER in fill.participants(n, factor)
            and fill.is_pinned(n, OWNER)
        ),
        _activity,
        "before_at",
        "before_id",
    ),
    "conversations/list_shared": _page(
        lambda n, factor: (
            n % 4 == 1
            and fill.conversation_owner(n, factor) != OWNER
            and _is_seen(n, factor)
            and not _is_archived(n)
        ),
        _activity,
        "before_at",
        "before_id",
    ),
}


def _tied_and_shared(factor: int) -> int:
    """One that OWNER takes part in, as in the one before it of the same time."""

    def is_listed(n: int) -> bool:
        return _is_seen(n, factor) and fill.conversation_archived_at(n) is None

    half = fill.n_conversations(factor) // 2
    return next(n for n in range(half // 8 * 8 + 5, 0, -8) if is_listed(n) and is_listed(n - 4))


_OF_ONE_PROMPT: Final = frozenset(
    {"prompts/list_children", "prompts/list_siblings", "prompts/list_deleted_descendants"}
)


def _middle(statement: Statement, names: set[str], factor: int) -> Values:
    if statement.name in _OF_ONE_PROMPT:
        return {"after_sequence": 1}
    if "after_sequence" in names:
        return {"after_sequence": 5}
    if "after_user_id" in names:
        return {"after_user_id": fill.user_id(2)}
    if "before_archived_at" in names:
        n = 72
        archived_at = fill.conversation_archived_at(n)
        return {"before_archived_at": archived_at, **_cursor(n)}
    if "before_deleted_at" in names:
        n = 108
        deleted_at = fill.conversation_deleted_at(n)
        return {"before_deleted_at": deleted_at, "before_id": fill.conversation_id(n)}
    if "before_at" not in names:
        return {}
    if statement.name == "conversations/list_shared":
        return _cursor(_tied_and_shared(factor))
    return _cursor(100 * factor // 40 * 40 + 20)


def _cursor(n: int) -> Values:
    return {
        "before_at": fill.conversation_last_activity_at(n),
        "before_id": fill.conversation_id(n),
    }


def _new(values: Values) -> Values:
    """Nobody has said anything in it."""
    named = same(
        "owner_id", "title", "description", "context", "settings",
        id="conversation_id", created_at="now", updated_at="now", last_activity_at="now",
    )(values)  # fmt: skip
    counters = ("last_sequence", "message_count", "token_count")
    nothing = {
        "archived_at": None,
        "deleted_at": None,
        "cost": "0.000000000000000000",
        "active_sequence": None,
    }
    return {**named, **dict.fromkeys(counters, 0), **nothing, "status": "active"}


def _new_share(values: Values) -> Values:
    """Nobody has opened it."""
    named = same(
        "conversation_id", "created_by", "token_hash", "page_key", "through_sequence",
        "expires_at", "max_views",
        id="share_id", scope="share_scope", created_at="now", updated_at="now",
    )(values)  # fmt: skip
    return {**named, "view_count": 0, "last_viewed_at": None, "revoked_at": None}


def _number(values: Values) -> int:
    """The number of the conversation that is asked about."""
    return next(n for n in range(2_000) if fill.conversation_id(n) == values["conversation_id"])


def _counted(sign: int) -> Callable[[Values], Values]:
    """The totals with a prompt more or less."""

    def totals(values: Values) -> Values:
        messages, tokens, cost = fill.conversation_totals(_number(values))
        by, price = cast(int, values["token_count"]), cast(Decimal, values["cost"])
        return {
            "message_count": messages + sign,
            "token_count": tokens + (1 if sign > 0 else -1) * by,
            "cost": cost + (1 if sign > 0 else -1) * price,
            "last_activity_at": values["now"],
        }

    return totals


def _recorded(values: Values) -> Values:
    number = fill.n_prompts(_number(values)) + 1
    return {**_counted(1)(values), "last_sequence": number, "active_sequence": number}


def _added(values: Values) -> Values:
    """Where nothing is, the conversation goes on from what came back."""
    active = fill.active_prompt(_number(values)) or values["active_sequence"]
    return {**_counted(cast(int, values["message_count"]))(values), "active_sequence": active}


def _subtracted(values: Values) -> Values:
    by = -cast(int, values["message_count"])
    return {**_counted(by)(values), **same("active_sequence")(values)}


_PROMPT_AND_TOTALS: Final = (
    "SELECT q.*, c.token_count AS tokens, c.cost AS price, c.last_activity_at AS active_at"
    " FROM prompts AS q INNER JOIN conversations AS c ON q.conversation_id = c.id"
    " WHERE q.id = :prompt_id"
)


_TWO_PROMPTS: Final = (
    "SELECT q.*, r.deleted_at AS other_deleted FROM prompts AS q INNER JOIN prompts AS r"
    " ON q.conversation_id = r.conversation_id AND r.sequence_number = {1}"
    f" WHERE q.conversation_id = UNHEX('{fill.conversation_id(LIVE).hex}')"
    " AND q.sequence_number = {0}"
)


def _finished(status: str, *columns: str) -> Callable[[Values], Values]:
    """What a prompt of LIVE is after its attempt, and the totals beside it."""

    def after(values: Values) -> Values:
        tokens, cost = fill.prompt_numbers(_PROCESSED_NUMBER)
        _, all_tokens, all_cost = fill.conversation_totals(LIVE)
        by, price = cast(int, values["token_count"]), cast(Decimal, values["cost"])
        return {
            **same(*columns, finished_at="now", updated_at="now", active_at="now")(values),
            "status": status,
            "token_count": tokens + by,
            "cost": cost + price,
            "tokens": all_tokens + by,
            "price": all_cost + price,
            "lease_owner": None,
            "lease_until": None,
        }

    return after


def _new_prompt(values: Values) -> Values:
    """Of no attempt yet."""
    named = same(
        "conversation_id", "author_id", "sequence_number", "parent_sequence", "user_input",
        "system_prompt", "response", "template_id", "template_version", "provider", "model",
        "token_count", "cost", "attempt", "max_attempts", "error_code", "error_message",
        "finish_reason", "latency_ms", "first_token_ms", "queued_at", "finished_at",
        "idempotency_key", "variation_group", "variation_number", "is_selected",
        id="prompt_id", status="prompt_status", settings="prompt_settings", created_at="now",
        updated_at="now",
    )(values)  # fmt: skip
    nothing = (
        "deleted_at", "started_at", "lease_owner", "lease_until", "selected_group", "rating",
        "feedback", "rated_at",
    )  # fmt: skip
    return {**named, **dict.fromkeys(nothing)}


def _retried(values: Values) -> Values:
    return {
        "status": "pending",
        "queued_at": values["now"],
        "finished_at": None,
        "updated_at": values["now"],
    }


def _started(values: Values) -> Values:
    return {
        **same("lease_owner", "lease_until", started_at="now", updated_at="now")(values),
        "status": "processing",
        "attempt": 2,
        **dict.fromkeys(("response", "error_code", "error_message")),
    }


def _cancelled(values: Values) -> Values:
    return {
        "status": "cancelled",
        "finished_at": values["now"],
        "updated_at": values["now"],
        "lease_owner": None,
        "lease_until": None,
    }


def _appended(values: Values) -> Values:
    return {"response": values["response_part"], "updated_at": values["now"]}


# Two whose lease ended first, a later one, one that ends now, one that does not end yet, and the
# third.
_FIRST_TO_EXPIRE: Final = (
    "SELECT a.*, b.status AS b_status, b.queued_at AS b_queued, b.finished_at AS b_finished,"
    " c.status AS c_status, d.status AS d_status, e.status AS e_status, f.status AS f_status"
    " FROM prompts AS a"
    + "".join(
        f" INNER JOIN prompts AS {name} ON {name}.id = UNHEX('{fill.prompt_id(n, k).hex}')"
        for name, n, k in (
            ("b", 12, 10), ("c", 27, 25), ("d", 58, 25), ("e", 26, 25), ("f", 18, 10),
        )
    )
    + f" WHERE a.id = UNHEX('{fill.prompt_id(15, 10).hex}')"
)  # fmt: skip


_ALL_EXPIRED: Final = {"c_status": "failed", "d_status": "pending", "f_status": "pending"}


def _requeued(values: Values) -> Values:
    now, is_all = values["now"], cast(int, values["limit_rows"]) > 2
    return {
        "status": "failed",
        "finished_at": now,
        "error_code": "lease_expired",
        "lease_owner": None,
        "lease_until": None,
        "updated_at": now,
        "b_status": "pending",
        "b_queued": now,
        "b_finished": None,
        **(_ALL_EXPIRED if is_all else {}),
    }


def _taken_back(values: Values) -> Values:
    if values["prompt_id"] == _DELETED_PROMPT["prompt_id"]:
        return restored_at_now(values)
    return {**_cancelled(values), **restored_at_now(values)}


def _read(values: Values) -> Values:
    n, number = _number(values), cast(int, values["sequence_number"])
    up_to = max(fill.last_read(n), min(number, fill.n_prompts(n)))
    return {"last_read_sequence": up_to, "last_accessed_at": values["now"]}


def _left(values: Values) -> Values:
    """Which prompts are there still, when the last ones were removed."""
    there, removed = fill.n_prompts(_number(values)), cast(int, values["limit_rows"])
    left = max(0, there - removed)
    return {"highest": left or None, "n": left}


def _place(values: Values) -> tuple[int, int]:
    """The conversation and the number of the prompt that is asked about."""
    return next(
        (n, k)
        for n in range(2_000)
        for k in range(1, fill.n_prompts(n) + 1)
        if fill.prompt_id(n, k) == values["prompt_id"]
    )


def _way_up(n: int, k: int) -> list[int]:
    above = fill.prompt_parent(k)
    return [k] if above is None else [k, *_way_up(n, above)]


def _path(factor: int, values: Values) -> list[tuple[object, ...]]:
    n, k = _place(values)
    return [(fill.prompt_id(n, j),) for j in _way_up(n, k)[: cast(int, values["limit_rows"])]]


def _nearest(factor: int, values: Values) -> list[tuple[object, ...]]:
    way = _way_up(_number(values), cast(int, values["sequence_number"]))
    return [(next(k for k in way if not fill.prompt_is_deleted(k)), 1)]


def _following(n: int, k: int | None, *, deleted: bool = False) -> list[int]:
    return [
        j
        for j in range(1, fill.n_prompts(n) + 1)
        if fill.prompt_is_deleted(j) == deleted and fill.prompt_parent(j) == k
    ]


def _children(factor: int, values: Values) -> list[tuple[object, ...]]:
    n, k = _place(values)
    after = cast(int, values["after_sequence"])
    return [(fill.prompt_id(n, j),) for j in _following(n, k) if j > after]


def _siblings(factor: int, values: Values) -> list[tuple[object, ...]]:
    n, k = _place(values)
    after = cast(int, values["after_sequence"])
    return [(fill.prompt_id(n, j),) for j in _following(n, fill.prompt_parent(k)) if j > after]


def _variations(factor: int, values: Values) -> list[tuple[object, ...]]:
    n, _ = _place(values)
    live = [k for k in fill.VARIATIONS if k in fill.live_prompts(n)]
    return [(fill.prompt_id(n, k),) for k in live]


def _leaves(factor: int, values: Values) -> list[tuple[object, ...]]:
    n, after = _number(values), cast(int, values["after_sequence"])
    found = [k for k in fill.live_prompts(n) if k > after and not _following(n, k)]
    return [(fill.prompt_id(n, k),) for k in found[:LIMIT]]


def _below(factor: int, values: Values) -> list[tuple[object, ...]]:
    n, todo = _number(values), [cast(int, values["sequence_number"])]
    found: list[int] = []
    while todo:
        found.append(todo.pop())
        todo += _following(n, found[-1])
    listed = [k for k in sorted(found) if k > cast(int, values["after_sequence"])]
    return [(fill.prompt_id(n, k),) for k in listed[:LIMIT]]


def _deleted_below(factor: int, values: Values) -> list[tuple[object, ...]]:
    """One was deleted together with it."""
    n, after = _number(values), cast(int, values["after_sequence"])
    found: list[tuple[object, ...]] = [
        (fill.prompt_id(n, k),) for k in (cast(int, values["sequence_number"]), 24) if k > after
    ]
    return found[:LIMIT]


def _next(factor: int, values: Values) -> list[tuple[object, ...]]:
    """The one that waits longest."""
    waiting = [
        (fill.prompt_queued_at(n, k), fill.prompt_id(n, k))
        for n in range(fill.n_conversations(factor))
        for k in fill.live_prompts(n)
        if fill.prompt_status(k) == "pending"
        and fill.prompt_queued_at(n, k) <= cast(datetime, values["now"])
    ]
    return [(i,) for _, i in sorted(waiting)[:1]]


def _owned(factor: int, values: Values) -> list[int]:
    """The conversations that are counted: seen, and of these owners."""
    first, last = cast(UUID, values["first_owner"]), cast(UUID, values["last_owner"])
    return [
        n
        for n in range(fill.n_conversations(factor))
        if _is_seen(n, factor) and first <= fill.user_id(fill.conversation_owner(n, factor)) <= last
    ]


def _statistics(factor: int, values: Values) -> list[tuple[object, ...]]:
    found = _owned(factor, values)
    status = Counter(map(fill.conversation_status, found))
    totals = [fill.conversation_totals(n) for n in found]
    lengths = sorted(messages for messages, _, _ in totals)
    return [
        (
            len(found),
            *(status[one] for one in ("active", "paused", "completed")),
            sum(map(_is_archived, found)),
            sum(lengths),
            sum(tokens for _, tokens, _ in totals),
            sum((cost for _, _, cost in totals), Decimal(0)),
            *(lengths[-(-len(lengths) * percent // 100) - 1] for percent in (50, 95)),
        )
    ]


def _created_by_day(factor: int, values: Values) -> list[tuple[object, ...]]:
    offset = timedelta(seconds=cast(int, values["utc_offset_s"]))
    start, end = cast(datetime, values["from_at"]), cast(datetime, values["until_at"])
    times = map(fill.conversation_created_at, _owned(factor, values))
    counts = Counter((at + offset).date() for at in times if start <= at < end)
    rows: list[tuple[object, ...]] = [*sorted(counts.items())]
    return rows[:LIMIT]


def _costliest(factor: int, values: Values) -> list[tuple[object, ...]]:
    ranked = sorted((-fill.conversation_totals(n)[2], n) for n in _owned(factor, values))
    return [(fill.conversation_id(n),) for _, n in ranked[:LIMIT]]


def _authors(factor: int, values: Values) -> list[tuple[object, ...]]:
    since = cast(datetime, values["since_at"])
    return [
        (
            len(
                {
                    fill.conversation_owner(n, factor)
                    for n in _owned(factor, values)
                    if any(fill.prompt_created_at(n, k) >= since for k in fill.live_prompts(n))
                }
            ),
        )
    ]


def _share_statistics(factor: int, values: Values) -> list[tuple[object, ...]]:
    first, last = cast(UUID, values["first_owner"]), cast(UUID, values["last_owner"])
    found = _shares_of(factor, lambda _, who: first <= fill.user_id(who) <= last)
    views = [fill.share_views(n, k)[0] for n, k in found]
    revoked = [fill.share_is_revoked(n, k) for n, k in found]
    over = [fill.share_expires_at(n, k) <= fill.NOW for n, k in found]
    ended = sum(late and not gone for late, gone in zip(over, revoked, strict=True))
    return [(len(found), sum(map(bool, views)), sum(views), sum(revoked), ended)]


def _heads(factor: int, values: Values) -> list[tuple[object, ...]]:
    """The prompt of each conversation that has most of the words, of these the shortest, first."""
    asked = set(cast(list[int], values["search_terms"]))
    found: list[tuple[object, ...]] = []
    for n in range(200):
        i = fill.conversation_id(n)
        if i not in cast(list[UUID], values["conversation_ids"]) or not _is_seen(n, factor):
            continue
        held = {
            k: [impact for term, impact in fill.prompt_postings_of(n, k).items() if term in asked]
            for k in fill.live_prompts(n)
        }
        ranked = sorted((-len(has), -sum(has), k) for k, has in held.items() if has)
        found += [(i, k) for _, _, k in ranked[:1]]
    return found


def _words_left(values: Values) -> Values:
    """How many words of its prompts are left, and the first of them."""
    n = _number(values)
    there = sorted(
        term for k in (0, *fill.live_prompts(n)) for term in fill.prompt_postings_of(n, k)
    )
    left = there[cast(int, values["limit_rows"]) :]
    return {"n": len(left), "lowest": left[0] if left else None}


def _idle(factor: int, values: Values) -> list[tuple[object, ...]]:
    before = cast(datetime, values["idle_before"])
    found = [
        (*_activity(n), fill.conversation_id(n))
        for n in range(fill.n_conversations(factor))
        if _is_seen(n, factor) and not _is_archived(n) and _activity(n) < (before,)
    ]
    return [(row[-1],) for row in sorted(found)[:LIMIT]]


def _successors(factor: int, values: Values) -> list[tuple[object, ...]]:
    """Who takes part in the live ones of an owner, and is there."""
    roles = ["owner", "collaborator", "viewer"]
    found = [
        (fill.conversation_id(n), roles.index(role), fill.user_id(user))
        for n in range(fill.n_conversations(factor))
        if fill.user_id(fill.conversation_owner(n, factor)) == values["owner_id"]
        and fill.conversation_deleted_at(n) is None
        for user, role in fill.participants(n, factor).items()
        if role != "owner" and fill.user_deleted_at(user) is None
    ]
    return [(talk, user) for talk, _, user in sorted(found)[:LIMIT]]


def _taking_part(values: Values) -> Values:
    """In how many conversations a user is still, when the first ones were left."""
    user = user_number(values)
    of_role: dict[str, list[int]] = {"owner": [], "collaborator": [], "viewer": []}
    for n in range(fill.n_conversations(1)):
        if (role := fill.participants(n, 1).get(user)) is not None:
            of_role[role].append(n)
    owned = len(of_role.pop("owner"))
    left = [n for ns in of_role.values() for n in ns][cast(int, values["limit_rows"]) :]
    lowest = fill.conversation_id(left[0]).bytes if left else None
    return {"owned": owned, "n": len(left), "first": lowest}


def _purgeable(factor: int, values: Values) -> list[tuple[object, ...]]:
    before = cast(datetime, values["deleted_before"])
    found = [
        (at, fill.conversation_archived_at(n) or fill.START, _activity(n), fill.conversation_id(n))
        for n in range(fill.n_conversations(factor))
        if (at := fill.conversation_deleted_at(n)) is not None and at < before
    ]
    return [(row[-1],) for row in sorted(found)[:LIMIT]]


def _prompts(factor: int, values: Values) -> list[tuple[object, ...]]:
    n, after = _number(values), cast(int, values["after_sequence"])
    listed = [k for k in fill.live_prompts(n) if k > after]
    return [(fill.prompt_id(n, k),) for k in listed[:LIMIT]]


AGGREGATE: Final = Aggregate(
    tables=(
        "prompts",
        "prompt_postings",
        "conversation_shares",
        "conversation_participants",
        "conversations",
    ),
    values={
        "first_owner": (fill.user_id(OWNER), MAX_ID),
        "last_owner": (fill.user_id(OWNER), UUID(int=0)),
        "idle_before": (END_OF_TIME, BEFORE_ALL),
        "since_at": (fill.START, END_OF_TIME),
        "conversation_ids": (
            [fill.conversation_id(LIVE), fill.conversation_id(8)],
            [NOBODY],
        ),
        "last_activity_at": (fill.NOW - timedelta(days=2), NEVER_MISSES),
        "last_sequence": (2, NEVER_MISSES),
        "page_key": (bytes(32), NEVER_MISSES),
        "viewer_id": (fill.user_id(OWNER), NEVER_MISSES),
        "expired_before": (fill.share_expires_at(*_OLD_SHARE), BEFORE_ALL),
        "max_views": (12, NEVER_MISSES),
        "share_id": (fill.share_id(LIVE, 0), NOBODY),
        "share_scope": ("users", NEVER_MISSES),
        "through_sequence": (7, NEVER_MISSES),
        "added_by": (fill.user_id(OWNER), NEVER_MISSES),
        "after_sequence": (0, 2**31 - 1),
        "after_user_id": (UUID(int=0), MAX_ID),
        "archived_at": (fill.NOW, NEVER_MISSES),
        "before_archived_at": (END_OF_TIME, BEFORE_ALL),
        "can_share": (False, NEVER_MISSES),
        "can_write": (True, NEVER_MISSES),
        "context": ({"about": "nothing"}, NEVER_MISSES),
        "conversation_id": (fill.conversation_id(LIVE), NOBODY),
        "conversation_status": ("completed", NEVER_MISSES),
        "author_id": (fill.user_id(OWNER), NEVER_MISSES),
        "cost": (Decimal("0.500000000000000000"), NEVER_MISSES),
        "is_pinned": (True, NEVER_MISSES),
        "message_count": (7, NEVER_MISSES),
        "participant_role": ("collaborator", NEVER_MISSES),
        "prompt_id": (fill.prompt_id(LIVE, 2), NOBODY),
        "active_sequence": (1, NEVER_MISSES),
        "attempt": (1, 9),
        "error_code": ("overloaded", NEVER_MISSES),
        "error_message": (None, NEVER_MISSES),
        "finish_reason": ("length", NEVER_MISSES),
        "finished_at": (None, NEVER_MISSES),
        "first_token_ms": (25, NEVER_MISSES),
        "idempotency_key": (fill.prompt_key(LIVE, 1), "another"),
        "latency_ms": (250, NEVER_MISSES),
        "lease_owner": (fill.WORKER, "another"),
        "lease_until": (fill.NOW + timedelta(minutes=1), NEVER_MISSES),
        "max_attempts": (5, NEVER_MISSES),
        "model": ("another-model", NEVER_MISSES),
        "offset_chars": (0, 7),
        "origin_id": (fill.conversation_id(20), NEVER_MISSES),
        "origin_sequence": (None, NEVER_MISSES),
        "prompt_ids": ([fill.prompt_id(LIVE, 2), fill.prompt_id(LIVE, 4)], [NOBODY]),
        "sequence_numbers": ([1, 2], [10**6]),
        "parent_sequence": (2, NEVER_MISSES),
        "prompt_settings": ({"temperature": 1}, NEVER_MISSES),
        "prompt_status": ("pending", NEVER_MISSES),
        "provider": ("another-provider", NEVER_MISSES),
        "queued_at": (fill.NOW, NEVER_MISSES),
        "response": (None, NEVER_MISSES),
        "response_part": ("So ", NEVER_MISSES),
        "template_version": (None, NEVER_MISSES),
        "sequence_number": (25, NEVER_MISSES),
        "settings": ({"model": "another"}, NEVER_MISSES),
        "title": ("A title", NEVER_MISSES),
        "token_count": (1_000, NEVER_MISSES),
        "variation_group": (None, NEVER_MISSES),
        "variation_number": (None, NEVER_MISSES),
        "is_selected": (False, NEVER_MISSES),
        "prompt_rating": (5, NEVER_MISSES),
        "rated_at": (fill.NOW, NEVER_MISSES),
        "group_id": (fill.prompt_id(LIVE, 18), NOBODY),
        "user_input": ("What?", NEVER_MISSES),
    },
    cases={
        "conversation_shares/delete_by_conversation": (IN_TRASH,),
        "conversation_shares/delete_expired": (
            {"limit_rows": 1},
            {"expired_before": fill.share_expires_at(9, 0)},
        ),
        "conversation_shares/find_open": _OPENED,
        "conversation_shares/insert": (_NEW_SHARE, {**_NEW_SHARE, "max_views": None}),
        "conversation_shares/list_by_conversation": ({}, _conversation(20)),
        "conversation_shares/revoke_by_conversation": (_conversation(_SHARED_TWICE),),
        "conversation_shares/record_view": _OPENED,
        "conversation_shares/revoke_by_participant": (
            {**_conversation(_SHARED_TWICE), "user_id": fill.user_id(OWNER)},
        ),
        "conversation_participants/delete_by_conversation": (IN_TRASH,),
        "conversation_participants/insert": ({"user_id": fill.user_id(STRANGER)},),
        "conversation_participants/update_pinned": ({}, {**_OF_OTHERS, "is_pinned": False}),
        "conversation_participants/update_read": (
            {},
            {"sequence_number": 5},
            {"sequence_number": 99},
        ),
        "prompts/delete_by_conversation": (IN_TRASH, {**IN_TRASH, "limit_rows": 5}),
        "prompts/find_conversation_including_deleted": ({}, _DELETED_PROMPT),
        "prompts/get": ({}, {"prompt_id": fill.prompt_id(SHARED, 1)}),
        "prompts/insert": _NEW_PROMPTS,
        "prompts/start": (_PENDING,),
        "prompts/cancel": (_PENDING, _PROCESSED),
        "prompts/retry": (_FAILED,),
        "prompts/complete": (_PROCESSED,),
        "prompts/fail": (_PROCESSED,),
        "prompts/append_response": (_PROCESSED,),
        "prompts/extend_lease": (_PROCESSED, {**_PROCESSED, "lease_until": fill.START}),
        "prompts/lock_next": ({}, {"now": fill.prompt_queued_at(LIVE, 5)}),
        "prompts/release": (_PROCESSED,),
        "prompts/requeue_expired": ({"limit_rows": 2}, {"limit_rows": 10_000}),
        "prompts/find_work": ({}, {"prompt_id": fill.prompt_id(SHARED, 1)}),
        "prompts/find_priced_work": ({}, {"prompt_id": fill.prompt_id(SHARED, 1)}),
        "conversations/add_prompts": ({}, _conversation(0)),
        "prompts/find_live_ancestor": ({"sequence_number": 24}, {"sequence_number": 23}),
        "prompts/list_descendants": ({"sequence_number": 4}, {"sequence_number": 25}),
        "prompts/list_deleted_descendants": ({"sequence_number": 17},),
        "prompts/list_from": ({}, {"after_sequence": 7}),
        "prompts/list_leaves": ({}, _OF_OTHERS),
        "prompts/list_hits": (
            {},
            {"prompt_ids": [fill.prompt_id(SHARED, 1), fill.prompt_id(LIVE, 1)]},
        ),
        "prompts/list_children": tuple({"prompt_id": fill.prompt_id(n, 7)} for n in (LIVE, SHARED)),
        "prompts/list_siblings": tuple({"prompt_id": fill.prompt_id(n, 9)} for n in (LIVE, SHARED)),
        "prompts/list_variations": tuple(
            {"prompt_id": fill.prompt_id(n, 19)} for n in (LIVE, _OF_OTHERS_LONG)
        ),
        "prompts/start_variations": ({"group_id": NOBODY},),
        "prompts/select_variation": ({"prompt_id": fill.prompt_id(_OF_OTHERS_LONG, 19)},),
        "prompts/leave_variations": ({"prompt_id": fill.prompt_id(LIVE, 18)},),
        "prompts/update_parent": ({"prompt_id": fill.prompt_id(LIVE, 5)},),
        "prompts/list_path": (
            {"prompt_id": fill.prompt_id(SHARED, 9)},
            {"prompt_id": fill.prompt_id(LIVE, 9), "limit_rows": 3},
        ),
        "prompts/find_depth": ({}, {"prompt_id": fill.prompt_id(SHARED, 9)}),
        "prompts/soft_delete": ({}, {"prompt_id": fill.prompt_id(LIVE, 18)}),
        "prompts/soft_delete_many": (
            {"prompt_ids": [fill.prompt_id(LIVE, 18), fill.prompt_id(LIVE, 4)]},
        ),
        "prompts/restore_many": (
            {"prompt_ids": [fill.prompt_id(LIVE, 3), fill.prompt_id(LIVE, 10)]},
        ),
        "prompts/update_children": ({"sequence_number": 7},),
        "prompts/list_by_conversation": ({}, _OF_OTHERS),
        "prompts/list_by_share": _OPENED,
        "prompts/lock_deleted": (_DELETED_PROMPT,),
        "prompts/restore": (_DELETED_PROMPT, _DELETED_PROCESSED),
        "conversations/delete_one": (
            {"conversation_id": fill.conversation_id(fill.A_BARE_CONVERSATION)},
        ),
        "conversations/exists": ({}, _OF_OTHERS),
        "conversations/get": ({}, _OF_OTHERS),
        "conversation_participants/delete_many": (_TWO_IN_TRASH,),
        "conversation_shares/delete_many": (_TWO_IN_TRASH,),
        "prompt_postings/delete_by_conversation": (IN_TRASH, {**IN_TRASH, "limit_rows": 5}),
        "prompt_postings/delete_one": (_WORDS_OF_ONE,),
        "prompt_postings/insert_many": (
            {"sequence_number": fill.n_prompts(LIVE) + 1, "scope": fill.user_id(OWNER)},
        ),
        "prompt_postings/update_scope": ({"owner_id": fill.user_id(STRANGER)},),
        "prompts/list_heads": (
            _WORDS,
            {**_WORDS, **_IDS_OF_OTHERS},
            {"search_terms": [term_hash(term) for term in terms_of("question")]},
            {"search_terms": [term_hash(str(LIVE))]},
        ),
        "conversations/list_hits": ({}, _IDS_OF_OTHERS),
        "conversation_participants/delete_by_user": (
            {"user_id": fill.user_id(OWNER)},
            {"user_id": fill.user_id(OWNER), "limit_rows": 2},
        ),
        "conversations/soft_delete_many": ({"conversation_ids": [fill.conversation_id(LIVE)]},),
        "conversations/delete_many": (
            {"conversation_ids": [fill.conversation_id(fill.A_BARE_CONVERSATION)]},
        ),
        "conversations/archive_idle": (_IDLE,),
        "conversations/list_idle": ({}, {"idle_before": fill.conversation_last_activity_at(16)}),
        "conversations/list_own_by_status": ({}, {"conversation_status": "active"}),
        "conversations/list_own_recent": (
            {},
            {"since_at": fill.conversation_last_activity_at(80)},
        ),
        "conversations/list_purgeable": ({}, {"deleted_before": _DELETED_AT}),
        "conversations/lock_purgeable": (
            _TWO_IN_TRASH,
            {**_TWO_IN_TRASH, "deleted_before": _DELETED_AT},
        ),
        "conversations/get_statistics": ({}, _EVERYBODY),
        "conversations/list_created_by_day": (
            {"utc_offset_s": 7_200, "until_at": fill.NOW},
            {"utc_offset_s": -18_000, "until_at": fill.NOW, **_EVERYBODY},
            {
                "utc_offset_s": 0,
                "from_at": fill.conversation_created_at(16),
                "until_at": fill.conversation_created_at(80),
            },
        ),
        "conversations/list_costliest": ({}, _EVERYBODY),
        "prompts/count_authors": ({}, {"since_at": _LAST_SAID}),
        "conversation_shares/get_statistics": ({}, _EVERYBODY),
        "conversations/insert": (_NEW,),
        "conversations/insert_many": (_NEW,),
        "conversation_participants/insert_many": ({"user_id": fill.user_id(STRANGER)},),
        "prompts/insert_many": _NEW_PROMPTS,
        "conversations/lock_for_participant": ({}, _OF_OTHERS),
        "conversations/lock_trash": (IN_TRASH,),
        "conversations/restore": (IN_TRASH,),
        "conversations/update_archived": ({}, {"archived_at": None}),
        "conversations/update_owner": ({"owner_id": fill.user_id(STRANGER)},),
    },
    passed_by={
        "conversation_participants/list_by_conversation": _OF_DELETED,
        "conversation_participants/update_pinned": _OF_DELETED_OWNER,
        "conversation_participants/update_read": _OF_DELETED_OWNER,
        "conversation_shares/find_open": _by_token(_NO_SHARES),
        "conversation_shares/list_by_conversation": {
            **_OF_DELETED,
            "one that the actor may not share": _conversation(_AS_VIEWER),
            "one of who is deleted, that the actor may share": _conversation(ORPHAN_SHARED),
        },
        "conversation_shares/list_own": {"one who is deleted": actor(DELETED_USER)},
        "conversation_shares/record_view": {
            **_by_token(
                {
                    **_NO_SHARES,
                    "one whose views are used up": _a_share("spent"),
                    "one of another conversation": {**_OPEN, **_conversation(20)},
                },
                "conversation_id",
            ),
        },
        "conversation_shares/revoke_one": {
            "one that was revoked": _only(_a_share("revoked"), "share_id")
        },
        "conversation_shares/update_limits": {
            "one that was revoked": _only(_a_share("revoked"), "share_id")
        },
        "prompts/list_by_share": _by_token(_NO_SHARES),
        "prompts/list_heads": _NO_HITS,
        "conversations/list_hits": _NO_HITS,
        "conversations/exists": _OF_DELETED,
        "conversations/get": _OF_DELETED,
        "conversations/record_prompt": {
            **_OF_DELETED_OWNER,
            "an archived one": _conversation(12),
            "one that is completed": _conversation(20),
            "one that the actor only reads": _conversation(_AS_VIEWER),
        },
        "conversations/list_shared": {"a participant who is deleted": actor(DELETED_USER)},
        "conversations/list_pinned": {"a participant who is deleted": actor(DELETED_USER)},
        "conversations/restore": {
            "one that is being purged": _conversation(fill.A_BARE_CONVERSATION),
            "one of somebody else's that the actor takes part in": _conversation(
                next(n for n in range(1, 200, 4) if _is_deleted(n))
            ),
        },
        "prompts/start": {
            "one that is answered": _DONE,
            "one that failed": _FAILED,
            "one that is deleted": {"prompt_id": fill.prompt_id(LIVE, 17)},
        },
        "prompts/cancel": {
            "one that is answered": _DONE,
            "one that failed": _FAILED,
            "one that is deleted": _DELETED_PROCESSED,
        },
        "prompts/retry": {
            "one that is deleted": {"prompt_id": fill.prompt_id(LIVE, 24)},
            "one that is answered": _DONE,
            "one that failed as often as it may": {"prompt_id": fill.prompt_id(30, 30)},
        },
        "prompts/complete": _NOT_PROCESSED,
        "prompts/fail": _NOT_PROCESSED,
        "prompts/extend_lease": _NOT_LEASED,
        "prompts/release": _NOT_LEASED,
        "prompts/append_response": {
            "one that is answered": {**_DONE, "lease_owner": None, "offset_chars": 8},
            "one that is deleted": _DELETED_PROCESSED,
            "one that has another length": {"offset_chars": 1},
        },
        "prompts/find_by_idempotency_key": {
            "one that is deleted": {"idempotency_key": fill.prompt_key(LIVE, 3)},
        },
        "prompts/find_work": {
            "a conversation of who is deleted": {"prompt_id": fill.prompt_id(ORPHAN, 1)},
            "a participant who is deleted": actor(DELETED_USER),
        },
        "prompts/find_priced_work": {
            "a conversation of who is deleted": {"prompt_id": fill.prompt_id(ORPHAN, 1)},
            "a participant who is deleted": actor(DELETED_USER),
        },
        "prompts/get": {
            "a conversation of who is deleted": {"prompt_id": fill.prompt_id(ORPHAN, 1)},
            "a participant who is deleted": actor(DELETED_USER),
        },
        "prompts/list_by_conversation": _OF_DELETED,
        "prompts/list_leaves": _OF_DELETED,
        "prompts/list_children": {
            "a conversation of who is deleted": {"prompt_id": fill.prompt_id(ORPHAN, 1)},
            "a participant who is deleted": actor(DELETED_USER),
        },
        "prompts/list_variations": {
            **_NO_VARIATIONS,
            "a conversation of who is deleted": {"prompt_id": fill.prompt_id(_ORPHAN_LONG, 19)},
            "a participant who is deleted": {
                **actor(DELETED_USER),
                "prompt_id": fill.prompt_id(LIVE, 19),
            },
            "a deleted one": {"prompt_id": fill.prompt_id(LIVE, 24)},
        },
        "prompts/select_variation": {
            **_NO_VARIATIONS,
            "a deleted one": {"prompt_id": fill.prompt_id(_OF_OTHERS_LONG, 24)},
        },
        "prompts/leave_variations": {
            "a deleted one": {"prompt_id": fill.prompt_id(LIVE, 24)},
        },
        "prompts/start_variations": {
            "one that has variations": {"prompt_id": fill.prompt_id(LIVE, 19)},
            "a deleted one": _DELETED_PROMPT,
        },
        "prompts/update_rating": {
            "one that waits": _PENDING,
            "a deleted one": _DELETED_PROMPT,
        },
        "prompts/list_hits": {
            "a conversation of who is deleted": {"prompt_ids": [fill.prompt_id(ORPHAN, 1)]},
            "a participant who is deleted": actor(DELETED_USER),
            "a deleted one": {"prompt_ids": [fill.prompt_id(LIVE, 3)]},
        },
        "prompts/list_siblings": _NO_WAY,
        "prompts/list_path": _NO_WAY,
        "prompts/find_depth": _NO_WAY,
        "conversations/lock_for_participant": _OF_DELETED_OWNER,
    },
    gives_without={
        ("conversations/list_archived", "before_at"): "it breaks ties of archived_at",
    },
    numbers={
        **_LISTS,
        "conversations/list_successors": _successors,
        "conversations/record_prompt": lambda _, values: [(fill.n_prompts(_number(values)) + 1,)],
        "prompts/list_by_conversation": _prompts,
        "prompts/list_path": _path,
        "prompts/find_depth": lambda _, values: [(len(_way_up(*_place(values))),)],
        "prompts/find_live_ancestor": _nearest,
        "prompts/list_children": _children,
        "prompts/list_siblings": _siblings,
        "prompts/list_leaves": _leaves,
        "prompts/list_hits": lambda _, values: [
            (one,) for one in sorted(cast(list[UUID], values["prompt_ids"]))
        ],
        "prompts/list_variations": _variations,
        "prompts/list_variation_places": lambda _, values: [
            (fill.prompt_id(LIVE, k),) for k in (18, 19, 21)
        ],
        "prompts/find_last_variation": lambda _, values: [(4,)],
        "prompts/list_descendants": _below,
        "prompts/list_deleted_descendants": _deleted_below,
        "prompts/list_from": _prompts,
        "prompts/list_by_share": _shown_prompts,
        "prompts/list_heads": _heads,
        "conversations/get_statistics": _statistics,
        "conversations/list_created_by_day": _created_by_day,
        "conversations/list_costliest": _costliest,
        "prompts/count_authors": _authors,
        "conversation_shares/get_statistics": _share_statistics,
        "conversation_shares/list_own": _own_shares,
        "prompts/lock_next": _next,
        "prompts/sum_by_conversation": lambda _, values: [
            fill.conversation_totals(_number(values))
        ],
        "conversations/list_idle": _idle,
        "conversations/list_purgeable": _purgeable,
        "conversations/lock_purgeable": lambda _, values: [
            (i,)
            for n, i in ((8, fill.conversation_id(8)), (48, fill.conversation_id(48)))
            if cast(datetime, fill.conversation_deleted_at(n))
            < cast(datetime, values["deleted_before"])
        ],
        "conversations/count_own": lambda factor, _: _own(factor, deleted=False),
        "conversations/count_trash": lambda factor, _: _own(factor, deleted=True),
    },
    rows={
        "conversation_participants": "SELECT * FROM conversation_participants"
        " WHERE conversation_id = :conversation_id AND user_id = :user_id",
        "conversation_participants/update_pinned": "SELECT * FROM conversation_participants"
        " WHERE conversation_id = :conversation_id AND user_id = :actor_id",
        "conversation_participants/update_read": "SELECT * FROM conversation_participants"
        " WHERE conversation_id = :conversation_id AND user_id = :actor_id",
        "conversations/archive_idle": "SELECT COUNT(*) AS n FROM conversations"
        " WHERE archived_at = :now AND updated_at = :now",
        "conversations/archive_own": "SELECT c.*, d.archived_at AS earlier"
        " FROM conversations AS c INNER JOIN conversations AS d"
        f" ON d.id = UNHEX('{fill.conversation_id(12).hex}') WHERE c.owner_id = :actor_id"
        f" AND c.id = UNHEX('{fill.conversation_id(LIVE).hex}')",
        "prompt_postings/delete_one": "SELECT COUNT(*) AS n FROM prompt_postings"
        " WHERE conversation_id = :conversation_id AND sequence_number = :sequence_number",
        "prompt_postings/delete_by_conversation": "SELECT COUNT(*) AS n, MIN(term) AS lowest"
        " FROM prompt_postings WHERE conversation_id = :conversation_id",
        "prompt_postings/update_scope": "SELECT COUNT(*) AS n FROM prompt_postings"
        " WHERE conversation_id = :conversation_id AND scope <> :owner_id",
        "conversation_shares": "SELECT * FROM conversation_shares WHERE id = :share_id",
        "conversation_shares/record_view": "SELECT * FROM conversation_shares"
        " WHERE token_hash = :token_hash",
        "conversation_shares/delete_expired": "SELECT MIN(expires_at) AS first,"
        " SUM(expires_at = :expired_before) AS n FROM conversation_shares",
        "conversation_shares/revoke_by_conversation": _WHEN_REVOKED,
        "conversation_shares/revoke_by_participant": f"{_WHEN_REVOKED} AND created_by = :user_id",
        "conversation_shares/revoke_own": "SELECT s.*, r.revoked_at AS earlier"
        " FROM conversation_shares AS s INNER JOIN conversation_shares AS r"
        f" ON r.id = UNHEX('{fill.share_id(20, 0).hex}') WHERE s.created_by = :actor_id"
        f" AND s.id = UNHEX('{fill.share_id(LIVE, 0).hex}')",
        "conversations": "SELECT * FROM conversations WHERE id = :conversation_id",
        "conversations/soft_delete_many": "SELECT * FROM conversations"
        f" WHERE id = UNHEX('{fill.conversation_id(LIVE).hex}')",
        "conversation_participants/delete_by_user": "SELECT COALESCE(SUM(role = 'owner'), 0)"
        " AS owned, COALESCE(SUM(role <> 'owner'), 0) AS n,"
        " COALESCE(MIN(IF(role = 'collaborator', conversation_id, NULL)),"
        " MIN(IF(role = 'viewer', conversation_id, NULL))) AS first"
        " FROM conversation_participants WHERE user_id = :user_id",
        "prompts": "SELECT * FROM prompts WHERE id = :prompt_id",
        "prompts/deselect_variation": "SELECT COUNT(*) AS n FROM prompts"
        " WHERE selected_group = :group_id",
        "prompts/restore_many": _TWO_PROMPTS.format(10, 3),
        "prompts/soft_delete_many": _TWO_PROMPTS.format(18, 4),
        "prompts/update_children": "SELECT COUNT(*) AS n, MIN(sequence_number) AS first"
        " FROM prompts WHERE conversation_id = :conversation_id"
        " AND parent_sequence = :parent_sequence AND updated_at = :now",
        "prompt_postings/delete_numbers": "SELECT COUNT(*) AS n FROM prompt_postings"
        " WHERE conversation_id = :conversation_id AND sequence_number IN (1, 2)",
        "prompts/complete": _PROMPT_AND_TOTALS,
        "prompts/requeue_expired": _FIRST_TO_EXPIRE,
        "prompts/fail": _PROMPT_AND_TOTALS,
        "prompts/delete_by_conversation": "SELECT MAX(sequence_number) AS highest, COUNT(*) AS n"
        " FROM prompts WHERE conversation_id = :conversation_id",
    },
    written={
        "conversation_participants/update_pinned": same("is_pinned"),
        "conversation_participants/update_role": same(
            "can_write", "can_share", role="participant_role", updated_at="now"
        ),
        "conversation_participants/update_read": _read,
        "conversation_shares/insert": _new_share,
        "conversation_shares/record_view": _viewed,
        "conversation_shares/delete_expired": _kept,
        "conversation_shares/revoke_by_conversation": _revoked_all,
        "conversation_shares/revoke_by_participant": _revoked_all,
        "conversation_shares/revoke_one": _revoked,
        "conversation_shares/revoke_own": _revoked,
        "conversation_shares/update_limits": same(
            "expires_at", "max_views", "through_sequence", updated_at="now"
        ),
        "conversation_participants/delete_by_user": _taking_part,
        "conversations/soft_delete_many": same(deleted_at="now"),
        "conversations/add_prompts": _added,
        "conversations/record_prompt": _recorded,
        "conversations/subtract_prompts": _subtracted,
        "conversations/update_totals": same("message_count", "token_count", "cost"),
        "prompts/delete_by_conversation": _left,
        "prompt_postings/delete_one": lambda values: {"n": 0},
        "prompt_postings/delete_by_conversation": _words_left,
        "prompt_postings/update_scope": lambda values: {"n": 0},
        "prompts/insert": _new_prompt,
        "prompts/restore": _taken_back,
        "prompts/restore_many": lambda values: {
            **_cancelled(values),
            **restored_at_now(values),
            "other_deleted": None,
        },
        "prompts/soft_delete_many": lambda values: {
            **same(deleted_at="now", updated_at="now")(values),
            "is_selected": False,
            "selected_group": None,
            "other_deleted": values["now"],
        },
        "prompts/update_parent": same("parent_sequence", updated_at="now"),
        "prompts/update_children": lambda values: {
            "n": 2,
            "first": 8,
        },
        "prompt_postings/delete_numbers": lambda values: {"n": 0},
        "conversations/update_active": same("active_sequence"),
        "prompts/update_rating": same("feedback", "rated_at", rating="prompt_rating"),
        "prompts/start_variations": lambda values: {
            "variation_group": values["group_id"],
            "variation_number": 1,
            "is_selected": True,
            "selected_group": values["group_id"],
        },
        "prompts/select_variation": lambda values: {
            "is_selected": True,
            "selected_group": fill.prompt_id(_OF_OTHERS_LONG, 18),
        },
        "prompts/deselect_variation": lambda values: {"n": 0},
        "prompts/leave_variations": lambda values: {
            "variation_group": None,
            "variation_number": None,
            "is_selected": False,
            "selected_group": None,
        },
        "prompts/start": _started,
        "prompts/cancel": _cancelled,
        "prompts/retry": _retried,
        "prompts/append_response": _appended,
        "prompts/extend_lease": lambda values: {
            "lease_until": max(fill.lease_until(LIVE), cast(datetime, values["lease_until"]))
        },
        "prompts/release": lambda values: {
            "status": "pending",
            "attempt": 0,
            "lease_owner": None,
            "lease_until": None,
            "updated_at": values["now"],
        },
        "prompts/requeue_expired": _requeued,
        "prompts/complete": _finished(
            "completed",
            "response",
            "finish_reason",
            "provider",
            "model",
            "latency_ms",
            "first_token_ms",
        ),
        "prompts/fail": _finished(
            "failed",
            "error_code",
            "error_message",
            "provider",
            "model",
            "latency_ms",
            "first_token_ms",
        ),
        "prompts/soft_delete": lambda values: {
            **same(deleted_at="now", updated_at="now")(values),
            "is_selected": False,
            "selected_group": None,
        },
        "conversations/insert": _new,
        "conversations/restore": restored_at_now,
        "conversations/soft_delete": same(deleted_at="now", updated_at="now"),
        "conversations/archive_idle": lambda _: {"n": 2},
        "conversations/archive_own": lambda values: {
            "archived_at": values["now"],
            "updated_at": values["now"],
        },
        "conversations/update_archived": same("archived_at", updated_at="now"),
        "conversations/update_details": same(updated_at="now"),
        "conversations/update_owner": same("owner_id", updated_at="now"),
        "conversations/update_status": same(status="conversation_status", updated_at="now"),
    },
    middle=_middle,
    forget=(
        "DELETE c FROM conversations AS c INNER JOIN users AS u ON c.owner_id = u.id"
        " WHERE u.deleted_at IS NOT NULL",
        "DELETE FROM conversations WHERE deleted_at IS NOT NULL",
        "DELETE FROM prompts WHERE deleted_at IS NOT NULL",
        "DELETE q FROM prompts AS q LEFT JOIN conversations AS c"
        " ON q.conversation_id = c.id WHERE c.id IS NULL",
        "DELETE w FROM prompt_postings AS w LEFT JOIN conversations AS c"
        " ON w.conversation_id = c.id WHERE c.id IS NULL",
        "DELETE s FROM conversation_shares AS s LEFT JOIN conversations AS c"
        " ON s.conversation_id = c.id WHERE c.id IS NULL",
        "DELETE p FROM conversation_participants AS p LEFT JOIN conversations AS c"
        " ON p.conversation_id = c.id WHERE c.id IS NULL",
        "DELETE p FROM conversation_participants AS p INNER JOIN users AS u ON p.user_id = u.id"
        " WHERE u.deleted_at IS NOT NULL",
    ),
)
