"""Conversations and their participants: what their statements are asked with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from dal.records.clock import END_OF_TIME
from dal.records.ids import MAX_ID
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
)

# Conversations of OWNER: a live one, one in the trash, and one that somebody else owns.
LIVE: Final = 20
IN_TRASH: Final[Values] = {"conversation_id": fill.conversation_id(48)}


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
SHARED: Final = next(n for n in range(1, 200, 4) if _is_seen(n, 1))
_OF_OTHERS: Final[Values] = {"conversation_id": fill.conversation_id(SHARED)}
_OF_DELETED_OWNER: Final[Mapping[str, Values]] = {
    "a conversation of who is deleted": {"conversation_id": fill.conversation_id(ORPHAN)},
}
_OF_DELETED: Final[Mapping[str, Values]] = {
    **_OF_DELETED_OWNER,
    "a participant who is deleted": actor(DELETED_USER),
}
_NEW: Final[Values] = {"conversation_id": fill.conversation_id(FRESH)}


def _own(factor: int, *, deleted: bool) -> list[tuple[object, ...]]:
    found = [
        n
        for n in range(fill.n_conversations(factor))
        if fill.conversation_owner(n, factor) == OWNER
        and (fill.conversation_deleted_at(n) is not None) == deleted
    ]
    return [(len(found),)]


def _page(
    is_listed: Callable[[int, int], bool], key: Callable[[int], tuple[Any, ...]], *names: str
) -> Numbers:
    """The ids of a page: what is listed, last first, behind where it begins."""

    def ids(factor: int, values: Values) -> list[tuple[object, ...]]:
        begin = tuple(values[name] for name in names)
        found = [n for n in range(fill.n_conversations(factor)) if is_listed(n, factor)]
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


def _is_deleted(n: int) -> bool:
    return fill.conversation_deleted_at(n) is not None


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


def _middle(statement: Statement, names: set[str], factor: int) -> Values:
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
    nothing = {"archived_at": None, "deleted_at": None, "cost": "0.0000000000"}
    return {**named, **dict.fromkeys(counters, 0), **nothing, "status": "active"}


AGGREGATE: Final = Aggregate(
    tables=("conversation_participants", "conversations"),
    values={
        "added_by": (fill.user_id(OWNER), NEVER_MISSES),
        "after_user_id": (UUID(int=0), MAX_ID),
        "archived_at": (fill.NOW, NEVER_MISSES),
        "before_archived_at": (END_OF_TIME, BEFORE_ALL),
        "can_share": (False, NEVER_MISSES),
        "can_write": (True, NEVER_MISSES),
        "context": ({"about": "nothing"}, NEVER_MISSES),
        "conversation_id": (fill.conversation_id(LIVE), NOBODY),
        "conversation_status": ("completed", NEVER_MISSES),
        "is_pinned": (True, NEVER_MISSES),
        "participant_role": ("collaborator", NEVER_MISSES),
        "settings": ({"model": "another"}, NEVER_MISSES),
        "title": ("A title", NEVER_MISSES),
    },
    cases={
        "conversation_participants/delete_by_conversation": (IN_TRASH,),
        "conversation_participants/insert": ({"user_id": fill.user_id(STRANGER)},),
        "conversation_participants/update_pinned": ({}, {**_OF_OTHERS, "is_pinned": False}),
        "conversations/delete_one": (
            {"conversation_id": fill.conversation_id(fill.A_BARE_CONVERSATION)},
        ),
        "conversations/exists": ({}, _OF_OTHERS),
        "conversations/get": ({}, _OF_OTHERS),
        "conversations/insert": (_NEW,),
        "conversations/lock_for_participant": ({}, _OF_OTHERS),
        "conversations/lock_trash": (IN_TRASH,),
        "conversations/restore": (IN_TRASH,),
        "conversations/update_archived": ({}, {"archived_at": None}),
        "conversations/update_owner": ({"owner_id": fill.user_id(STRANGER)},),
    },
    passed_by={
        "conversation_participants/list_by_conversation": _OF_DELETED,
        "conversation_participants/update_pinned": _OF_DELETED_OWNER,
        "conversations/exists": _OF_DELETED,
        "conversations/get": _OF_DELETED,
        "conversations/lock_for_participant": _OF_DELETED_OWNER,
    },
    gives_without={
        ("conversations/list_archived", "before_at"): "it breaks ties of archived_at",
    },
    numbers={
        **_LISTS,
        "conversations/count_own": lambda factor, _: _own(factor, deleted=False),
        "conversations/count_trash": lambda factor, _: _own(factor, deleted=True),
    },
    rows={
        "conversation_participants": "SELECT * FROM conversation_participants"
        " WHERE conversation_id = :conversation_id AND user_id = :user_id",
        "conversation_participants/update_pinned": "SELECT * FROM conversation_participants"
        " WHERE conversation_id = :conversation_id AND user_id = :actor_id",
        "conversations": "SELECT * FROM conversations WHERE id = :conversation_id",
    },
    written={
        "conversation_participants/update_pinned": same("is_pinned"),
        "conversation_participants/update_role": same(
            "can_write", "can_share", role="participant_role", updated_at="now"
        ),
        "conversations/insert": _new,
        "conversations/restore": restored_at_now,
        "conversations/soft_delete": same(deleted_at="now", updated_at="now"),
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
        "DELETE p FROM conversation_participants AS p LEFT JOIN conversations AS c"
        " ON p.conversation_id = c.id WHERE c.id IS NULL",
        "DELETE p FROM conversation_participants AS p INNER JOIN users AS u ON p.user_id = u.id"
        " WHERE u.deleted_at IS NOT NULL",
    ),
)
