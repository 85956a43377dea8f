"""For every parameter a value that hits and one that misses, by its name: a name means one thing.

``HITS`` and ``MISSES`` are the table. ``CASES`` says which other values a statement needs to do its
work: a row that is not there yet, a template that is in the trash. ``PASSED_BY`` says which rows a
statement must not find although all its parameters are of rows that are there: an account that is
locked, a token that is over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from dal.records.clock import END_OF_TIME
from dal.records.ids import MAX_ID
from dal.records.users import TokenPurpose
from dal.search.documents import public_tokens
from dal.statements import Statement
from dal.statements.lexer import Kind, tokens
from dal.testing import fill
from dal.testing.fill import NOBODY, NOW, OWNER, START, STRANGER

Values = dict[str, object]

# Templates of OWNER: a live private one of three versions with two tags, a live public one, and
# some in the trash.
PRIVATE: Final = 20
PUBLIC: Final = 60
TRASH: Final = (40, 50, 120)
# Of those in the trash some without a label, which would keep them there.
BARE_TRASH: Final = (50, 130, 210)
# Users: what each number is like stands in fill.
DELETED_USER: Final = 3
ADMIN: Final = 4
LOCKED_USER: Final = 5
FAILED_USER: Final = 6
INACTIVE_USER: Final = 8
UNLOCKED_USER: Final = 9
DELETED_ADMIN: Final = 13
INACTIVE_ADMIN: Final = 34
NEVER_LOGGED_IN: Final = 57
FRESH: Final = 10**6
"""Number of a row that is not there yet."""
# A public template of somebody else that OWNER rated.
RATED: Final = 21
# A template of OWNER that was never used.
UNUSED: Final = 10
# A live public template of a deleted user, and a live user who rated it.
ORPHAN: Final = next(
    n
    for n in range(fill.n_templates(1))
    if fill.is_public(n)
    and fill.template_deleted_at(n) is None
    and fill.user_deleted_at(fill.owner_of(n, 1)) is not None
    and fill.rating_numbers(n, 1)[1] > 1
    and fill.template_labels(n)
)


def _live_rater(n: int) -> int:
    """Who rated a template of others first."""
    return next(
        user
        for user in fill.ratings(n, 1)
        if user not in (fill.owner_of(n, 1), OWNER) and fill.user_deleted_at(user) is None
    )


_TOKENS_THERE: Final = [public_tokens(term).body for term in (fill.WORD, "10")]

LIMIT: Final = 20
WINDOW: Final = 20
_NEW_HASH: Final = fill.PASSWORD_HASH.replace("$m=19456", "$m=32768")
BEFORE_ALL: Final = START - timedelta(days=1)
NEVER_MISSES: Final = object()
"""For what is only written or computed with: it selects nothing."""

# Name: hit, miss.
_TABLE: Final[Mapping[str, tuple[object, object]]] = {
    "action": ("template.update_details", NEVER_MISSES),
    "actor_id": (fill.user_id(OWNER), NOBODY),
    "actor_name": (None, NEVER_MISSES),
    "actor_type": ("user", NEVER_MISSES),
    "affected": (1, NEVER_MISSES),
    "after_id": (UUID(int=0), MAX_ID),
    "audit_id": (fill.audit_id(FRESH), NEVER_MISSES),
    "author_name": ("Ada", NEVER_MISSES),
    "before_at": (END_OF_TIME, BEFORE_ALL),
    "before_deleted_at": (END_OF_TIME, BEFORE_ALL),
    "before_id": (MAX_ID, NEVER_MISSES),
    "before_version": (2**32 - 1, 1),
    "category_id": (fill.category_id(1), NEVER_MISSES),
    "category_name": ("A new category", NEVER_MISSES),
    "changed_at": (NOW, NEVER_MISSES),
    "changes": ("{}", NEVER_MISSES),
    "content": ("Review {{sql}}", NEVER_MISSES),
    "content_sha256": (bytes(32), NEVER_MISSES),
    "corpus": (fill.CORPUS, "no-such-texts"),
    "corpus_terms": (7_000, NEVER_MISSES),
    "count_change": (1, NEVER_MISSES),
    "created_at": (START, NEVER_MISSES),
    "created_by": (fill.user_id(OWNER), NEVER_MISSES),
    "day_ago": (NOW - timedelta(days=1), NEVER_MISSES),
    "deleted_before": (END_OF_TIME, BEFORE_ALL),
    "description": ("What it is for", NEVER_MISSES),
    "documents": (70, NEVER_MISSES),
    "email": ("user0@example.org", "nobody@example.org"),
    "email_verified_at": (NOW, NEVER_MISSES),
    "expires_at": (NOW + timedelta(minutes=90), NEVER_MISSES),
    "feedback": ("A good one", NEVER_MISSES),
    "forked_from_id": (fill.template_id(PUBLIC), NEVER_MISSES),
    "forked_from_version": (1, NEVER_MISSES),
    "from_at": (START, END_OF_TIME),
    "from_version": (1, NEVER_MISSES),
    "full_name": ("Ada", NEVER_MISSES),
    "head_chars": (10, NEVER_MISSES),
    "into_category_id": (fill.category_id(fill.EMPTY_CATEGORY), NEVER_MISSES),
    "ip": (None, NEVER_MISSES),
    "is_active": (False, NEVER_MISSES),
    "is_public": (True, NEVER_MISSES),
    "known_updated_at": (fill.user_created_at(OWNER), END_OF_TIME),
    "label": ("production", "no-such-label"),
    "last_version": (fill.last_version(PRIVATE), NEVER_MISSES),
    "limit_rows": (LIMIT, NEVER_MISSES),
    "lock_until": (NOW + timedelta(minutes=15), NEVER_MISSES),
    "max_failures": (fill.FAILURES_THAT_LOCK, NEVER_MISSES),
    "message": (None, NEVER_MISSES),
    "month_ago": (NOW - timedelta(days=30), NEVER_MISSES),
    "move_id": (fill.label_moves_id(FRESH, 0), NEVER_MISSES),
    "moved_at": (NOW, NEVER_MISSES),
    "moved_by": (fill.user_id(ADMIN), NEVER_MISSES),
    "name": ("A template", NEVER_MISSES),
    "now": (NOW, NEVER_MISSES),
    "occurred_at": (NOW, NEVER_MISSES),
    "or_newest": (False, NEVER_MISSES),
    "outcome": ("success", NEVER_MISSES),
    "owner_id": (fill.user_id(OWNER), NOBODY),
    "password_hash": (_NEW_HASH, NEVER_MISSES),
    "preferences": ({"theme": "light"}, NEVER_MISSES),
    "purpose": (TokenPurpose.PASSWORD_RESET, "no-such-purpose"),
    "rating": (4, NEVER_MISSES),
    "rating_change": (4, NEVER_MISSES),
    "request_id": (None, NEVER_MISSES),
    "role": ("viewer", NEVER_MISSES),
    "search_tokens": (_TOKENS_THERE, ["anosuchword_"]),
    "slug": ("a-new-category", NEVER_MISSES),
    "slugs": (["category-1", "category-2"], ["no-such-category"]),
    "system_prompt": (None, NEVER_MISSES),
    "tag_id": (fill.tag_id(FRESH), NEVER_MISSES),
    "tag_key": ("a-new-tag", NEVER_MISSES),
    "tag_keys": (["tag1", "tag2"], ["no-such-tag"]),
    "tag_name": ("A new tag", NEVER_MISSES),
    "target_id": (fill.template_id(0), NOBODY),
    "target_type": ("template", "no-such-type"),
    "template_id": (fill.template_id(PRIVATE), NOBODY),
    "template_ids": ([fill.template_id(n) for n in TRASH], [NOBODY]),
    "terms": (2, NEVER_MISSES),
    "to_version": (None, NEVER_MISSES),
    "token": ("anewword_", NEVER_MISSES),
    "token_hash": (fill.token_hash(OWNER, TokenPurpose.PASSWORD_RESET), bytes(32)),
    "tokens": (" aa_ ab_", NEVER_MISSES),
    # As every created_at of two users: who is created just then is not counted.
    "until_at": (START + timedelta(hours=45), BEFORE_ALL),
    "user_agent": (None, NEVER_MISSES),
    "user_id": (fill.user_id(OWNER), NOBODY),
    "utc_offset_s": (2 * 3600, NEVER_MISSES),
    "variables": ([{"name": "sql", "default": None}], NEVER_MISSES),
    "version": (fill.head_version(PRIVATE), 99),
    "visibility": ("public", NEVER_MISSES),
    "week_ago": (NOW - timedelta(days=7), NEVER_MISSES),
    "window_rows": (WINDOW, NEVER_MISSES),
}
HITS: Final[Mapping[str, object]] = {name: hit for name, (hit, _) in _TABLE.items()}
MISSES: Final[Mapping[str, object]] = {
    name: miss for name, (_, miss) in _TABLE.items() if miss is not NEVER_MISSES
}

_IN_TRASH: Final[Values] = {"template_id": fill.template_id(TRASH[0])}
_NEW_TEMPLATE: Final[Values] = {"template_id": fill.template_id(FRESH)}
_OF_SOMEBODY: Final[tuple[Values, ...]] = (
    {},
    {"template_id": fill.template_id(PUBLIC), "version": 1},
    {"template_id": fill.template_id(PUBLIC), "version": 1, "actor_id": fill.user_id(STRANGER)},
)
_VISIBLE: Final[tuple[Values, ...]] = (
    *_OF_SOMEBODY,
    {"template_id": fill.template_id(PUBLIC), "version": 1, "actor_id": None},
)
_ANY: Final[tuple[Values, ...]] = ({}, {"template_id": fill.template_id(PUBLIC)})
_OR_NEWEST: Final[tuple[Values, ...]] = (
    {"or_newest": True},
    {"or_newest": True, "label": "no-such-label"},
)
# Never used; by a clock that stands before 2020; used last by a clock that is ahead of this one.
_USES: Final[tuple[Values, ...]] = (
    {"template_id": fill.template_id(UNUSED)},
    {"template_id": fill.template_id(UNUSED), "now": datetime(2019, 12, 31, tzinfo=UTC)},
    {"now": START - timedelta(days=200)},
)
_LIVE_ONES: Final[Values] = {"template_ids": [fill.template_id(n) for n in (PUBLIC, PRIVATE)]}


def _user(n: int) -> Values:
    return {"user_id": fill.user_id(n)}


def _login(n: int) -> Values:
    """A user, whose account is as it was when it was created."""
    return {**_user(n), "known_updated_at": fill.user_created_at(n)}


def _actor(n: int) -> Values:
    return {"actor_id": fill.user_id(n)}


def _token(n: int, purpose: TokenPurpose = TokenPurpose.PASSWORD_RESET) -> Values:
    return {"token_hash": fill.token_hash(n, purpose), "purpose": purpose}


_NEW_TOKEN: Final[Values] = {"token_hash": bytes(range(32))}
_TOKENS: Final[tuple[Values, ...]] = ({}, _token(OWNER, TokenPurpose.EMAIL_VERIFICATION), _token(4))
CASES: Final[Mapping[str, tuple[Values, ...]]] = {
    "categories/delete_one": ({"category_id": fill.category_id(fill.EMPTY_CATEGORY)},),
    "categories/insert_many": ({"category_id": fill.category_id(FRESH)},),
    "search_corpora/upsert": ({}, {"corpus": "other-texts"}),
    "template_label_moves/list_any": _ANY,
    "template_label_moves/list_visible": _VISIBLE,
    "template_labels/insert_many": ({"label": "a-new-label"},),
    "template_labels/list_any": _ANY,
    "template_labels/list_own": (_LIVE_ONES,),
    "template_labels/list_visible": _VISIBLE,
    "template_ratings/find_distribution_any": _ANY,
    "template_ratings/find_distribution_visible": _VISIBLE,
    "template_ratings/find_own": (
        {},
        {"template_id": fill.template_id(PUBLIC)},
        {"template_id": fill.template_id(RATED)},
    ),
    "template_ratings/insert": ({"user_id": fill.user_id(STRANGER)},),
    "template_ratings/list_any": _ANY,
    "template_ratings/list_visible": _VISIBLE,
    "template_tags/insert_many": ({"tag_id": fill.tag_id(5)},),
    "template_versions/find_labelled_any": (*_ANY, *_OR_NEWEST),
    "template_versions/find_labelled_visible": (*_VISIBLE, *_OR_NEWEST),
    "template_versions/get_visible": _VISIBLE,
    "template_versions/insert_many": ({"version": fill.head_version(PRIVATE) + 1},),
    "template_versions/list_own_history": (_LIVE_ONES,),
    "template_versions/list_visible": _VISIBLE,
    "templates/add_ratings": ({}, {"user_id": fill.user_id(DELETED_USER)}),
    "templates/exists_visible": _VISIBLE,
    "templates/get_own_including_deleted": ({}, _IN_TRASH),
    "templates/get_visible": _VISIBLE,
    "templates/insert": (_NEW_TEMPLATE,),
    "templates/insert_many": (_NEW_TEMPLATE,),
    "templates/list_hits": (
        {"template_ids": [fill.template_id(PRIVATE)]},
        _LIVE_ONES,
        {**_LIVE_ONES, "actor_id": None},
    ),
    "templates/lock_visible": _OF_SOMEBODY,
    "templates/purge": ({"template_id": fill.template_id(BARE_TRASH[0])},),
    "templates/purge_many": ({"template_ids": [fill.template_id(n) for n in BARE_TRASH]},),
    "templates/record_use_any": (*_ANY, *_USES),
    "templates/record_use_visible": (*_VISIBLE, *_USES),
    "templates/restore": (_IN_TRASH,),
    "templates/update_head": ({"version": fill.last_version(PRIVATE) + 1},),
    "templates/update_head_back": ({"version": 1},),
    "templates/update_rating": ({}, {"rating_change": -1, "count_change": -1}),
    "templates_search/insert_many": (_IN_TRASH,),
    "templates_search/upsert": ({}, _IN_TRASH),
    "user_tokens/consume": _TOKENS,
    "user_tokens/find_holder": _TOKENS,
    "user_tokens/upsert": (_NEW_TOKEN, {**_NEW_TOKEN, **_user(STRANGER)}),
    "users/exists_admin": (_actor(ADMIN),),
    "users/find_window_end": ({}, {"window_rows": WINDOW + 1}),
    "users/insert": ({**_user(FRESH), "email": "new@example.org"},),
    # Local days that begin before, with and after those of UTC.
    "users/list_new_by_day": tuple({"utc_offset_s": s} for s in (7_200, 0, -5 * 3_600, 20_700)),
    "users/lock_admin": (_actor(ADMIN),),
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
        # By a clock that goes back: with a log-in before, and with the change of credentials alone.
        {"now": START},
        {**_login(NEVER_LOGGED_IN), "now": START},
    ),
    "users/restore": (_user(DELETED_USER),),
    "users/unlock": tuple(_user(n) for n in (LOCKED_USER, FAILED_USER, UNLOCKED_USER)),
    # Its own address, and another.
    "users/update_details": ({}, {"email": "new@example.org"}),
    "users/update_password": ({}, _user(LOCKED_USER)),
}

_NO_ADMINS: Final[Mapping[str, Values]] = {
    "not an admin": _actor(OWNER),
    "an admin who is not active": _actor(INACTIVE_ADMIN),
    "an admin who is deleted": _actor(DELETED_ADMIN),
}
_NO_TOKENS: Final[Mapping[str, Values]] = {
    "a token for something else": {**_token(OWNER), "purpose": TokenPurpose.EMAIL_VERIFICATION},
    "a token that ends now": _token(16),
    "a token that is over": _token(36),
}
_OF_DELETED: Final[Mapping[str, Values]] = {
    "a template of who is deleted": {"template_id": fill.template_id(ORPHAN)},
}
PASSED_BY: Final[Mapping[str, Mapping[str, Values]]] = {
    "template_ratings/find_distribution_any": _OF_DELETED,
    "template_ratings/find_distribution_visible": _OF_DELETED,
    "template_ratings/find_own": {
        "a rating of who is deleted": {
            "template_id": fill.template_id(PUBLIC),
            "actor_id": fill.user_id(DELETED_USER),
        },
        "a template of who is deleted": {
            "template_id": fill.template_id(ORPHAN),
            "actor_id": fill.user_id(_live_rater(ORPHAN)),
        },
        "a private template of somebody else": _actor(_live_rater(PRIVATE)),
    },
    "template_ratings/list_any": _OF_DELETED,
    "template_ratings/list_visible": _OF_DELETED,
    "template_versions/find_labelled_any": {
        "a label that is not there": {"label": "no-such-label"},
    },
    "template_versions/find_labelled_visible": {
        "a label that is not there": {"label": "no-such-label"},
    },
    "templates/update_head": {
        "the number of a version that was deleted": {"version": fill.last_version(PRIVATE)},
    },
    "templates/list_purgeable": {
        "the time at which the first were deleted": {
            "deleted_before": fill.template_deleted_at(TRASH[0])
        },
    },
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
        "a lock that has not ended yet": {**_user(UNLOCKED_USER), "now": NOW - timedelta(hours=1)},
    },
    "users/record_login": {
        "an account that is locked": _login(LOCKED_USER),
        "a lock that has not ended yet": {**_login(UNLOCKED_USER), "now": NOW - timedelta(hours=1)},
        "an account that is not active": _login(INACTIVE_USER),
        "an account without a password": _login(STRANGER),
    },
    "users/unlock": {"an account without a failure": _user(OWNER)},
}

# Chooses rows, and is written too: that it chooses must not depend on where it stands in the text.
ALSO_CHOOSES: Final = frozenset({("templates/update_head", "version")})

# A statement that gives something even where this parameter misses, and why.
GIVES_WITHOUT: Final[Mapping[tuple[str, str], str]] = {
    ("categories/list_visible_counts", "actor_id"): "what is public",
    ("tags/list_visible_counts", "actor_id"): "what is public",
    ("templates/get_visible_statistics", "actor_id"): "what is public",
    ("templates/lock_parents", "slugs"): "the owner, without a category",
    ("templates/list_trash", "before_at"): "it breaks ties of deleted_at",
}


def _template_cursor(n: int) -> Values:
    return {"before_at": fill.template_created_at(n), "before_id": fill.template_id(n)}


def _trash_cursor(n: int) -> Values:
    return {"before_deleted_at": fill.template_deleted_at(n), **_template_cursor(n)}


def _audit_cursor(n: int) -> Values:
    return {"before_at": START + timedelta(minutes=n // 20), "before_id": fill.audit_id(n)}


def _move_cursor(k: int) -> Values:
    *_, at = fill.label_moves(PRIVATE)[k]
    return {"before_at": at, "before_id": fill.label_moves_id(PRIVATE, k)}


def _rating_cursor(k: int, factor: int) -> Values:
    user = list(fill.ratings(PRIVATE, factor))[k]
    return {
        "before_at": fill.rating_updated_at(PRIVATE, k),
        "before_id": fill.user_id(user),
    }


def _user_cursor(n: int) -> Values:
    return {"before_at": fill.user_created_at(n), "before_id": fill.user_id(n)}


def _cursors(statement: Statement, factor: int) -> tuple[Values, ...]:
    """Where pages start: at the top, and at a row in the middle that ties with the next."""
    names = {param.name for param in statement.params}
    if "before_deleted_at" in names:
        return ({}, _trash_cursor(160 * factor + 50))
    if "window_rows" in names:
        return ({}, _user_cursor(50 * factor + 1))
    if statement.name.startswith("template_label_moves/"):
        return ({}, _move_cursor(15)) if "before_at" in names else ({},)
    if statement.name.startswith("template_ratings/"):
        return ({}, _rating_cursor(15, factor)) if "before_at" in names else ({},)
    if "after_id" in names:
        return ({}, {"after_id": fill.template_id(250 * factor)})
    if "before_at" in names:
        middle: Callable[[int], Values] = (
            _audit_cursor if statement.name.startswith("audit_logs/") else _template_cursor
        )
        return ({}, middle(250 * factor // 20 * 20 + 10))
    if "before_version" in names:
        return ({}, {"before_version": 3})
    return ({},)


def raw(value: object) -> str | bytes | None:
    """A value as it comes over the wire."""
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S.%f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    return str(int(value)) if isinstance(value, bool) else str(value)


def hits(statement: Statement, factor: int) -> list[Values]:
    """Every set of values with which the statement must do its work."""
    names = [param.name for param in statement.params]
    found = []
    for case in CASES.get(statement.name, ({},)):
        for cursor in _cursors(statement, factor):
            merged: Mapping[str, Any] = {**HITS, **case, **cursor}
            values = {name: merged[name] for name in names}
            if values not in found:
                found.append(values)
    return found


def selecting(statement: Statement) -> set[str]:
    """The parameters that choose rows: those behind WHERE."""
    names = {name for of, name in ALSO_CHOOSES if of == statement.name}
    behind = False
    for token in tokens(statement.sql):
        if token.kind is Kind.WORD and token.text.upper() == "WHERE":
            behind = True
        elif token.kind is Kind.PARAM and behind:
            names.add(token.text[1:])
    # ON stands before WHERE; a parameter there chooses rows as well.
    if " IN :" in statement.sql:
        names.update(p.name for p in statement.params if f" IN :{p.name}" in statement.sql)
    return names


def misses(statement: Statement, factor: int) -> list[tuple[str, Values]]:
    """Sets of values with which the statement must find nothing, and what is wrong with them."""
    first = hits(statement, factor)[0]
    return [
        *(
            (f"a {name} that is not there", {**first, name: MISSES[name]})
            for name in sorted(selecting(statement) & MISSES.keys())
            if (statement.name, name) not in GIVES_WITHOUT
        ),
        *(
            (what, {**first, **values})
            for what, values in PASSED_BY.get(statement.name, {}).items()
        ),
    ]
