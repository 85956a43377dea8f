"""A database full of rows that are the same each time, at the size that is asked for.

For measuring: 1 is small, 10 is ten times each table that grows. Numbers stand for rows, and what a
row is like follows from its number; so a test can say which rows a statement must find. One
function a table: a new table is one function more, and its place in ``_TABLES``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from dal.provision import connect
from dal.records.templates import content_sha256

if TYPE_CHECKING:
    from dal.config import Config

__all__ = [
    "NOBODY",
    "N_CATEGORIES",
    "N_TAGS",
    "OWNER",
    "START",
    "STRANGER",
    "WORD",
    "audit_id",
    "category_id",
    "fill",
    "head_version",
    "is_public",
    "n_templates",
    "n_users",
    "owner_of",
    "tag_id",
    "template_category",
    "template_created_at",
    "template_deleted_at",
    "template_id",
    "template_tags",
    "template_texts",
    "user_deleted_at",
    "user_id",
]

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The time of the first row."""

OWNER: Final = 0
"""Number of the live user who owns a tenth of all templates, and has a trash."""

STRANGER: Final = 1
"""Number of a live user who owns nothing and did nothing."""

NOBODY: Final = UUID(int=1)
"""An id that no row has."""

N_CATEGORIES: Final = 20
N_TAGS: Final = 52

WORD: Final = "harbour"
"""A word of the name of every ninth template."""

_USERS, _TEMPLATES, _AUDIT_LOGS = 100, 500, 1_000
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


def owner_of(n: int, factor: int) -> int:
    """The number of the owner of template ``n``: OWNER's are the multiples of ten."""
    return OWNER if n % 10 == 0 else 2 + n * 7 % (n_users(factor) - 2)


def is_public(n: int) -> bool:
    """Every third template is public."""
    return n % 3 == 0


def head_version(n: int) -> int:
    """How many versions template ``n`` has."""
    return 1 + n // 10 % 4


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

    The last tag but one is carried by deleted templates alone, the last by templates of deleted
    users alone.
    """
    usual, of_deleted, of_orphans = N_TAGS - 2, N_TAGS - 2, N_TAGS - 1
    tags = set() if n % 13 == 6 else {n % usual, (n * 3 + 17) % usual}
    if template_deleted_at(n) is not None:
        tags.add(of_deleted)
    elif user_deleted_at(owner_of(n, factor)) is not None:
        tags.add(of_orphans)
    return sorted(tags)


def _users(factor: int) -> Iterator[Row]:
    for n in range(n_users(factor)):
        at = START + timedelta(seconds=n)
        yield (user_id(n), f"user{n}@example.org", f"User {n}", at, at, user_deleted_at(n))


def _categories(_: int) -> Iterator[Row]:
    for n in range(N_CATEGORIES):
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
            created_at,
            deleted_at or created_at,
            deleted_at,
        )


def _template_versions(factor: int) -> Iterator[Row]:
    for n in range(n_templates(factor)):
        for version in range(1, head_version(n) + 1):
            content = f"Version {version} of template {n}: " + "{{text}} " * 10
            prompt = None if n % 2 else "Be brief."
            yield (
                template_id(n),
                version,
                content,
                prompt,
                content_sha256(content, prompt),
                None if version == 1 else f"change {version}",
                user_id(owner_of(n, factor)),
                template_created_at(n) + timedelta(seconds=version),
            )


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
    ("users", "id, email, full_name, created_at, updated_at, deleted_at", _users),
    ("categories", "id, slug, name, created_at, updated_at", _categories),
    ("tags", "id, tag_key, name, created_at, updated_at", _tags),
    (
        "templates",
        "id, owner_id, category_id, name, description, author_name, visibility, head_version,"
        " created_at, updated_at, deleted_at",
        _templates,
    ),
    (
        "template_versions",
        "template_id, version, content, system_prompt, content_sha256, message, created_by,"
        " created_at",
        _template_versions,
    ),
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
