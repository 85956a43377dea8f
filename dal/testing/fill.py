"""A database full of rows that are the same each time, at the size that is asked for.

For measuring: 1 is small, 10 is ten times each table that grows. Numbers stand for rows, and what a
row is like follows from its number; so a test can say which rows a statement must find. One
function a table: a new table is one function more, and its place in ``_TABLES``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from dal.provision import connect
from dal.records.actor import Role
from dal.records.templates import content_sha256
from dal.records.users import TokenPurpose
from dal.records.variables import find_variables, variables_json
from dal.search.documents import Document, document, is_private_token
from dal.search.ranking import PRIVATE_THRESHOLD

if TYPE_CHECKING:
    from dal.config import Config

__all__ = [
    "CORPUS",
    "EMPTY_CATEGORY",
    "FAILURES_THAT_LOCK",
    "NOBODY",
    "NOW",
    "N_CATEGORIES",
    "N_TAGS",
    "OWNER",
    "PASSWORD_HASH",
    "START",
    "STRANGER",
    "WORD",
    "audit_id",
    "category_id",
    "fill",
    "head_version",
    "is_public",
    "label_moves",
    "label_moves_id",
    "last_version",
    "n_templates",
    "n_users",
    "owner_of",
    "rating_numbers",
    "rating_updated_at",
    "ratings",
    "search_documents",
    "tag_id",
    "template_category",
    "template_created_at",
    "template_deleted_at",
    "template_id",
    "template_labels",
    "template_prompts",
    "template_tags",
    "template_texts",
    "template_trend",
    "template_uses",
    "template_versions",
    "token_expires_at",
    "token_hash",
    "user_created_at",
    "user_deleted_at",
    "user_email",
    "user_failed_logins",
    "user_id",
    "user_is_active",
    "user_last_login_at",
    "user_locked_until",
    "user_name",
    "user_password_hash",
    "user_preferences",
    "user_role",
    "user_verified_at",
]

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The time of the first row."""

NOW: Final = START + timedelta(days=100)
"""The time at which the rows are looked at: locks and tokens end before it and after it."""

OWNER: Final = 0
"""Number of the live user who owns a tenth of all templates, and has a trash."""

STRANGER: Final = 1
"""Number of a live user who owns nothing and did nothing."""

NOBODY: Final = UUID(int=1)
"""An id that no row has."""

N_CATEGORIES: Final = 20
N_TAGS: Final = 53

EMPTY_CATEGORY: Final = N_CATEGORIES
"""Number of a category more, which no template is filed under."""

CORPUS: Final = "templates"
"""What the counts of words of templates are kept under."""

PASSWORD_HASH: Final = "$argon2id$v=19$m=19456,t=2,p=1$ZmlsbGVkLWluLXNhbHQ$ZmlsbGVkLWluLWhhc2g"  # noqa: S105
"""The hash of a password that nobody knows, of every user who has one."""

FAILURES_THAT_LOCK: Final = 5
"""Failed log-ins of whom a lock was set for."""

WORD: Final = "harbour"
"""A word of the name of every ninth template."""

_USERS, _TEMPLATES, _AUDIT_LOGS = 100, 500, 1_000
_ADMINS: Final = frozenset({4, 13, 14, 24, 34})
# Names that are hard to look for; each has one that is nearly the same.
_NAMES: Final = {
    20: "Zoë Müller",
    22: "zoe muller",
    30: "50% Off",
    32: "500 Miles",
    36: "Rene\u0301 Dupont",  # an accent of its own
    40: "under_score",
    42: "Underscore",
    44: "back\\slash",
    46: "backslash",
    48: "user48",
}
# Deleted users who had the address that a live one has now.
_FORMER_OWNERS: Final = frozenset({33, 43})
_A_DELETED_USER: Final = 3
_CHUNK_ROWS: Final = 1_000

Row = Sequence[object]


def n_users(factor: int) -> int:
    """How many users there are at a size, the deleted ones too."""
    return _USERS * factor


def n_templates(factor: int) -> int:
    """How many templates there are at a size, the deleted ones too."""
    return _TEMPLATES * factor


def _id(table: int, n: int) -> UUID:
    """A UUIDv7 that ascends with ``n``, as ids of rows made one after the other do."""
    milliseconds = int((START + timedelta(seconds=n)).timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | table << 64 | 0b10 << 62 | n)


def user_id(n: int) -> UUID:
    """The id of user ``n``."""
    return _id(1, n)


def category_id(n: int) -> UUID:
    """The id of category ``n``."""
    return _id(2, n)


def tag_id(n: int) -> UUID:
    """The id of tag ``n``."""
    return _id(3, n)


def template_id(n: int) -> UUID:
    """The id of template ``n``."""
    return _id(4, n)


def audit_id(n: int) -> UUID:
    """The id of audit entry ``n``."""
    return _id(5, n)


def user_deleted_at(n: int) -> datetime | None:
    """Every tenth user is deleted."""
    return START + timedelta(days=30, seconds=n) if n % 10 == 3 else None


def user_created_at(n: int) -> datetime:
    """The same time for two in a row; days go by."""
    return START + timedelta(hours=n // 2)


def user_email(n: int) -> str:
    """The address: the user's own, but for two of the deleted, who had OWNER's."""
    return f"user{OWNER if n in _FORMER_OWNERS else n}@example.org"


def user_name(n: int) -> str:
    """The full name."""
    return _NAMES.get(n, f"User {n}")


def user_role(n: int) -> Role:
    """Five admins, of whom 4, 14 and 24 are live and active; each tenth user is a viewer."""
    if n in _ADMINS:
        return Role.ADMIN
    return Role.VIEWER if n % 10 == 7 else Role.USER


def user_is_active(n: int) -> bool:
    """All but each tenth user and the admin 34."""
    return n % 10 != 8 and n != 34


def user_verified_at(n: int) -> datetime | None:
    """When it was shown that the address is the user's: of every second one, and of all deleted."""
    is_verified = n % 2 == 0 or n % 10 == 3
    return user_created_at(n) + timedelta(hours=1) if is_verified else None


def user_failed_logins(n: int) -> int:
    """Some have failed often enough for a lock, some twice."""
    return {5: FAILURES_THAT_LOCK, 6: 2, 9: FAILURES_THAT_LOCK}.get(n % 10, 0)


def user_locked_until(n: int) -> datetime | None:
    """Each tenth user is locked; of as many the lock is over by NOW, of user 9 exactly then."""
    if n % 10 == 5:
        return NOW + timedelta(days=100)
    return NOW - timedelta(hours=n // 10) if n % 10 == 9 else None


def user_last_login_at(n: int) -> datetime | None:
    """Within 50 days before NOW; 2, 14 and 60 exactly 1, 7 and 30 days before."""
    return None if n % 4 == 1 else NOW - timedelta(hours=n % 100 * 12)


def user_password_hash(n: int) -> str | None:
    """Each tenth user, STRANGER among them, has no password."""
    return None if n % 10 == 1 else PASSWORD_HASH


def user_preferences(n: int) -> dict[str, object]:
    """Two forms, and nothing for some."""
    forms: Sequence[dict[str, object]] = (
        {},
        {"theme": "dark", "page_rows": n},
        {"editor": {"tabs": [n, n + 1]}, "language": "de"},
    )
    return forms[n % 3]


def token_hash(n: int, purpose: TokenPurpose) -> bytes:
    """What is stored of the token that user ``n`` has, or would have, for a purpose."""
    return sha256(f"token of user {n}: {purpose}".encode()).digest()


def token_expires_at(n: int, purpose: TokenPurpose) -> datetime | None:
    """When the token of user ``n`` ends; None where there is none.

    Every second user has one for the address, every fourth one for the password, and the deleted
    have both. Those of users 6, 16, 26 and so on are over by NOW, of 6 and 16 exactly then.
    """
    if n % (4 if purpose is TokenPurpose.PASSWORD_RESET else 2) and n % 10 != 3:
        return None
    return NOW - timedelta(hours=n // 20) if n % 10 == 6 else NOW + timedelta(hours=1 + n % 24)


def owner_of(n: int, factor: int) -> int:
    """The number of the owner of template ``n``: OWNER's are the multiples of ten."""
    return OWNER if n % 10 == 0 else 2 + n * 7 % (n_users(factor) - 2)


def is_public(n: int) -> bool:
    """Every third template is public."""
    return n % 3 == 0


def head_version(n: int) -> int:
    """The number of the newest version of template ``n``."""
    return 1 + n // 10 % 4


def last_version(n: int) -> int:
    """The highest number given: of every fourth template the newest version was deleted."""
    return head_version(n) + (n % 4 == 0)


def template_versions(n: int) -> range:
    """The numbers of the versions of template ``n``: of every fourth the first one was deleted."""
    return range(1 + (n % 4 == 3 and head_version(n) > 1), head_version(n) + 1)


def template_uses(n: int) -> int:
    """How often template ``n`` was used: a seventh never, others as often as some other."""
    return 0 if n % 7 == 3 else 1 + n * 37 % 90


def template_trend(n: int) -> int:
    """The trend of template ``n``; by NOW it would be 327 * 10^9 after one use, most have more."""
    return (320 * 10**9 + n * 7919 % 97 * 137_000_001) * (template_uses(n) > 0)


def template_prompts(n: int, version: int) -> tuple[str, str | None]:
    """Content and system prompt of a version."""
    content = f"Version {version} of template {n}: " + "{{text}} " * 10
    return content, None if n % 2 else "Be brief, in {{language=English}}."


def ratings(n: int, factor: int) -> dict[int, int]:
    """What users, by their numbers, gave template ``n``, in the order of time.

    None to four of them; OWNER and a deleted user rated half of OWNER's templates, OWNER one of
    sixty others, and one of a hundred templates has thirty more. STRANGER rated nothing.
    """
    raters = n_users(factor) - 2
    given = dict.fromkeys((OWNER, _A_DELETED_USER) if n % 20 == 0 else ())
    given |= dict.fromkeys((OWNER,) if n % 60 == 21 else ())
    given |= dict.fromkeys(2 + (n * 7 + k * 3) % raters for k in range(30 * (n % 100 == 20)))
    given |= dict.fromkeys(2 + (n * 7 + k * 3) % raters for k in range((n + 3) % 5))
    return {user: 1 + (n // 20 + n * 3 + user) % (5 if n % 8 else 2) for user in given}


def rating_updated_at(n: int, k: int) -> datetime:
    """When rating ``k`` of template ``n`` was last changed: the same time for two in a row."""
    return template_created_at(n) + timedelta(days=1 + k // 2 % 3, hours=k // 2)


def rating_numbers(n: int, factor: int) -> tuple[int, int]:
    """Sum and number of the ratings of live users."""
    of_live = [rating for u, rating in ratings(n, factor).items() if user_deleted_at(u) is None]
    return sum(of_live), len(of_live)


def template_labels(n: int) -> dict[str, int]:
    """The labels of template ``n`` and the versions they are on: many have none.

    One of a hundred templates has so many that they fill a page.
    """
    if n % 4 == 3 or n % 20 == 10:
        return {}
    head = head_version(n)
    labels = {"production": max(1, head - 1)}
    if head > 2:
        labels["staging"] = 1
    if n % 100 == 60:
        labels |= {f"release-{k:02}": 1 + k % head for k in range(24)}
    return labels


def label_moves(n: int) -> list[tuple[str, int | None, int | None, datetime]]:
    """How the labels of template ``n`` came where they are: the label, from, to, when.

    Two are at the same time; of one of a hundred templates a label was moved many times, and
    taken off.
    """
    at = template_created_at(n)
    moves: list[tuple[str, int | None, int | None, datetime]] = []
    for label, version in template_labels(n).items():
        if version > 1:
            moves.append((label, None, 1, at + timedelta(hours=1)))
        moves.append((label, 1 if version > 1 else None, version, at + timedelta(hours=2)))
    if n % 100 == 20:
        on = [None, *(1 + k % head_version(n) for k in range(24)), None]
        for k, (before, after) in enumerate(pairwise(on)):
            moves.append(("canary", before, after, at + timedelta(hours=3 + k // 2)))
    return moves


def label_moves_id(n: int, k: int) -> UUID:
    """The id of move ``k`` of the labels of template ``n``."""
    return _id(6, n * 64 + k)


def search_documents(factor: int) -> Iterator[tuple[int, Document]]:
    """Each template that is not deleted, by its number, as the search has it."""
    for n in range(n_templates(factor)):
        if template_deleted_at(n) is None:
            name, description, author_name = template_texts(n)
            yield (
                n,
                document(
                    name=name,
                    description=description,
                    author_name=author_name,
                    tags=sorted(f"Tag{tag}" for tag in template_tags(n, factor)),
                    content=template_prompts(n, head_version(n))[0],
                    owner_id=user_id(owner_of(n, factor)),
                    is_public=is_public(n),
                ),
            )


def template_created_at(n: int) -> datetime:
    """The same time for twenty in a row, so that two of OWNER tie."""
    return START + timedelta(minutes=n // 20)


def template_deleted_at(n: int) -> datetime | None:
    """A quarter of OWNER's templates, two at a time, and an eleventh of the others."""
    is_deleted = n // 20 % 4 == 2 if n % 10 == 0 else n % 11 == 4
    return START + timedelta(days=40, minutes=n // 100) if is_deleted else None


def template_texts(n: int) -> tuple[str, str | None, str | None]:
    """Name, description and credited author of template ``n``."""
    return (
        f"Template {n}" + f" of the {WORD}" * (n % 9 == 0),
        None if n % 5 == 1 else f"What template {n} is for",
        None if n % 4 == 1 else f"Author {n % 30}",
    )


def template_category(n: int) -> int | None:
    """The number of the category of template ``n``."""
    return None if n % 7 == 2 else (n * 3 + n // 10) % N_CATEGORIES


def template_tags(n: int, factor: int) -> list[int]:
    """The numbers of the tags of template ``n``: up to two, and one that only the deleted carry.

    Of the last three tags one is carried by deleted templates alone, one by templates of deleted
    users alone, and one by private templates of OWNER alone.
    """
    usual, of_deleted, of_orphans, of_owner = N_TAGS - 3, N_TAGS - 3, N_TAGS - 2, N_TAGS - 1
    tags = set() if n % 13 == 6 else {n % usual, (n * 3 + 17) % usual}
    if template_deleted_at(n) is not None:
        tags.add(of_deleted)
    elif user_deleted_at(owner_of(n, factor)) is not None:
        tags.add(of_orphans)
    elif n % 100 == 10 and not is_public(n):
        tags.add(of_owner)
    return sorted(tags)


def _users(factor: int) -> Iterator[Row]:
    for n in range(n_users(factor)):
        created_at, deleted_at = user_created_at(n), user_deleted_at(n)
        yield (
            user_id(n),
            user_email(n),
            user_name(n),
            user_role(n),
            user_is_active(n),
            user_verified_at(n),
            user_password_hash(n),
            created_at,
            user_failed_logins(n),
            user_locked_until(n),
            user_last_login_at(n),
            json.dumps(user_preferences(n)),
            created_at,
            deleted_at or created_at,
            deleted_at,
        )


def _user_tokens(factor: int) -> Iterator[Row]:
    for n in range(n_users(factor)):
        for purpose in TokenPurpose:
            expires_at = token_expires_at(n, purpose)
            if expires_at is not None:
                at = expires_at - timedelta(days=1)
                yield (user_id(n), purpose, token_hash(n, purpose), at, expires_at)


def _categories(_: int) -> Iterator[Row]:
    for n in (*range(N_CATEGORIES), EMPTY_CATEGORY):
        yield (category_id(n), f"category-{n}", f"Category {n}", START, START)


def _tags(_: int) -> Iterator[Row]:
    for n in range(N_TAGS):
        yield (tag_id(n), f"tag{n}", f"Tag{n}", START, START)


def _templates(factor: int) -> Iterator[Row]:
    for n in range(n_templates(factor)):
        created_at, deleted_at = template_created_at(n), template_deleted_at(n)
        category = template_category(n)
        yield (
            template_id(n),
            user_id(owner_of(n, factor)),
            None if category is None else category_id(category),
            *template_texts(n),
            "public" if is_public(n) else "private",
            head_version(n),
            last_version(n),
            template_uses(n),
            template_trend(n),
            *rating_numbers(n, factor),
            template_id(n - 3) if n % 17 == 3 else None,
            1 if n % 17 == 3 else None,
            created_at,
            deleted_at or created_at,
            deleted_at,
        )


def _template_versions(factor: int) -> Iterator[Row]:
    for n in range(n_templates(factor)):
        for version in template_versions(n):
            content, prompt = template_prompts(n, version)
            yield (
                template_id(n),
                version,
                content,
                prompt,
                json.dumps(variables_json(find_variables(content, prompt))),
                content_sha256(content, prompt),
                None if version == 1 else f"change {version}",
                template_texts(n)[2],
                user_id(owner_of(n, factor)),
                template_created_at(n) + timedelta(seconds=version),
            )


def _template_labels(factor: int) -> Iterator[Row]:
    for n in range(n_templates(factor)):
        for label, version in template_labels(n).items():
            at = template_created_at(n) + timedelta(hours=2)
            yield (template_id(n), label, version, user_id(owner_of(n, factor)), at)


def _template_label_moves(factor: int) -> Iterator[Row]:
    for n in range(n_templates(factor)):
        for k, (label, before, after, at) in enumerate(label_moves(n)):
            moved_by = user_id(owner_of(n, factor))
            yield (label_moves_id(n, k), template_id(n), label, before, after, moved_by, at)


def _template_ratings(factor: int) -> Iterator[Row]:
    for n in range(n_templates(factor)):
        for k, (user, rating) in enumerate(ratings(n, factor).items()):
            created_at = template_created_at(n) + timedelta(days=1, hours=k // 2)
            updated_at = rating_updated_at(n, k)
            why = None if k % 3 else f"What user {user} thinks of template {n}"
            yield (template_id(n), user_id(user), rating, why, created_at, updated_at)


def _templates_search(factor: int) -> Iterator[Row]:
    for n, found in search_documents(factor):
        yield (
            template_id(n),
            is_public(n),
            found.n_terms,
            found.tokens,
            template_created_at(n),
        )


def _search_terms(factor: int) -> Iterator[Row]:
    """In how many texts each word was, before the newest tenth of the templates came."""
    counts: Counter[str] = Counter()
    for n, found in search_documents(factor):
        if n < n_templates(factor) * 9 // 10:
            counts.update(set(found.tokens.split()))
    for token, documents in sorted(counts.items()):
        if documents >= PRIVATE_THRESHOLD or not is_private_token(token):
            yield (CORPUS, token, documents)


def _search_corpora(factor: int) -> Iterator[Row]:
    counted = [
        found.n_terms
        for n, found in search_documents(factor)
        if is_public(n) and n < n_templates(factor) * 9 // 10
    ]
    yield (CORPUS, len(counted), sum(counted), START)


def _template_tags(factor: int) -> Iterator[Row]:
    for n in range(n_templates(factor)):
        for tag in template_tags(n, factor):
            yield (template_id(n), tag_id(tag), template_created_at(n))


def _audit_logs(factor: int) -> Iterator[Row]:
    for n in range(_AUDIT_LOGS * factor):
        by_user = n % 5 != 1
        actor = OWNER if n % 10 == 0 else 2 + n % (n_users(factor) - 2)
        yield (
            audit_id(n),
            START + timedelta(minutes=n // 20),
            "user" if by_user else "system",
            user_id(actor) if by_user else None,
            None if by_user else "import",
            "template.update_details",
            "template",
            # Template 0 is one that is changed all the time.
            template_id(0 if n % 10 == 5 else n % n_templates(factor)),
            "denied" if n % 50 == 7 else "success",
            1,
            json.dumps({"name": {"from": f"Template {n}", "to": f"Template {n + 1}"}}),
            None if n % 3 else f"request-{n}",
            None,
            None,
        )


# Table, its columns, its rows at a size; parents first.
_TABLES: Final[Sequence[tuple[str, str, Callable[[int], Iterator[Row]]]]] = (
    (
        "users",
        "id, email, full_name, role, is_active, email_verified_at, password_hash,"
        " credentials_changed_at, failed_logins, locked_until, last_login_at, preferences,"
        " created_at, updated_at, deleted_at",
        _users,
    ),
    ("user_tokens", "user_id, purpose, token_hash, created_at, expires_at", _user_tokens),
    ("categories", "id, slug, name, created_at, updated_at", _categories),
    ("tags", "id, tag_key, name, created_at, updated_at", _tags),
    (
        "templates",
        "id, owner_id, category_id, name, description, author_name, visibility, head_version,"
        " last_version, use_count, trend, rating_sum, rating_count, forked_from_id,"
        " forked_from_version, created_at, updated_at, deleted_at",
        _templates,
    ),
    (
        "template_versions",
        "template_id, version, content, system_prompt, variables, content_sha256, message,"
        " author_name, created_by, created_at",
        _template_versions,
    ),
    (
        "template_labels",
        "template_id, label, version, moved_by, moved_at",
        _template_labels,
    ),
    (
        "template_label_moves",
        "id, template_id, label, from_version, to_version, moved_by, moved_at",
        _template_label_moves,
    ),
    (
        "template_ratings",
        "template_id, user_id, rating, feedback, created_at, updated_at",
        _template_ratings,
    ),
    (
        "templates_search",
        "template_id, is_public, terms, tokens, updated_at",
        _templates_search,
    ),
    ("search_terms", "corpus, token, documents", _search_terms),
    ("search_corpora", "corpus, documents, terms, updated_at", _search_corpora),
    ("template_tags", "template_id, tag_id, created_at", _template_tags),
    (
        "audit_logs",
        "id, occurred_at, actor_type, actor_id, actor_name, action, target_type, target_id,"
        " outcome, affected, changes, request_id, ip, user_agent",
        _audit_logs,
    ),
)


def _stored(value: object) -> Any:
    """As the blocking driver takes it."""
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, StrEnum):
        return value.value
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def fill(admin: Config, factor: int) -> None:
    """Fill the empty tables of the current database, and analyse them.

    Statistics stay as they are then only where the server does not recalculate them by itself, as
    the private servers do not.

    Raises:
        ConnectError: the server cannot be reached.
    """
    with closing(connect(admin)) as connection, connection.cursor() as cursor:
        for table, columns, rows_at in _TABLES:
            places = ", ".join(["%s"] * len(columns.split(",")))
            insert = f"INSERT INTO {table} ({columns}) VALUES ({places})"  # noqa: S608
            rows = [tuple(map(_stored, row)) for row in rows_at(factor)]
            connection.begin()
            for start in range(0, len(rows), _CHUNK_ROWS):
                cursor.executemany(insert, rows[start : start + _CHUNK_ROWS])
            connection.commit()
        cursor.execute(f"ANALYZE TABLE {', '.join(table for table, _, _ in _TABLES)}")
