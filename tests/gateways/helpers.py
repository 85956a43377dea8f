"""Rows with nothing but what their table asks for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import attrs

import dal
from dal.gateways import (
    CategoriesGateway,
    TagsGateway,
    TemplateLabelsGateway,
    TemplateRatingsGateway,
    TemplatesGateway,
    TemplateTagsGateway,
    TemplateVersionsGateway,
    UsersGateway,
)
from dal.records.clock import END_OF_TIME
from dal.records.ids import MAX_ID
from dal.records.search import SearchCorpus
from dal.records.templates import TemplateLabel, TemplateLabelMove, TemplateRating
from dal.records.variables import Variable
from dal.repositories.base import Reader
from dal.statements import Affected, Many, One, house
from dal.statements.statement import Statement, compile_statement

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
AS_SYSTEM: Reader = {"actor_id": None, "actor_is_system": True}
AS_NOBODY: Reader = {"actor_id": None, "actor_is_system": False}
FIRST: dict[str, Any] = {"before_at": END_OF_TIME, "before_id": MAX_ID}
SQL = Path(__file__).resolve().parents[2] / "sql"

_numbers = count(1)


async def user(tx: dal.Session) -> UUID:
    user_id = uuid4()
    await UsersGateway(tx).insert(
        user_id=user_id,
        email=f"{user_id}@{next(_numbers)}.example",
        full_name="U",
        role=dal.Role.USER,
        password_hash=None,
        now=NOW,
    )
    return user_id


@attrs.frozen(slots=True)
class UserRow:
    """All that is stored of a user, live or deleted."""

    id: UUID
    email: str
    full_name: str
    role: dal.Role
    is_active: bool
    email_verified_at: datetime | None
    password_hash: str | None
    credentials_changed_at: datetime
    failed_logins: int
    locked_until: datetime | None
    last_login_at: datetime | None
    preferences: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @property
    def user(self) -> dal.User:
        """What a statement gives of this row."""
        return dal.User(
            **{field.name: getattr(self, field.name) for field in attrs.fields(dal.User)}
        )


@attrs.frozen(slots=True)
class TokenRow:
    """All that is stored of a token."""

    user_id: UUID
    purpose: dal.TokenPurpose
    token_hash: bytes
    created_at: datetime
    expires_at: datetime


_USER: dict[str, str] = {
    "id": "BINARY(16)",
    "email": "VARCHAR(254)",
    "full_name": "VARCHAR(100)",
    "role": "VARCHAR(6)",
    "is_active": "BOOLEAN",
    "email_verified_at": "DATETIME(6) NULL",
    "password_hash": "VARCHAR(255) NULL",
    "credentials_changed_at": "DATETIME(6)",
    "failed_logins": "INT UNSIGNED",
    "locked_until": "DATETIME(6) NULL",
    "last_login_at": "DATETIME(6) NULL",
    "preferences": "JSON",
    "created_at": "DATETIME(6)",
    "updated_at": "DATETIME(6)",
    "deleted_at": "DATETIME(6) NULL",
}
_TOKEN: dict[str, str] = {
    "user_id": "BINARY(16)",
    "purpose": "VARCHAR(18)",
    "token_hash": "BINARY(32)",
    "created_at": "DATETIME(6)",
    "expires_at": "DATETIME(6)",
}


def _statement(method: str, returns: str, params: Mapping[str, str], sql: str) -> Statement:
    """A statement of the tests: what a table holds, whatever our own statements say."""
    lines = [
        "-- Do what a test wants.",
        f"-- returns: {returns}",
        *(f"-- param: {name} {kind} of a test" for name, kind in params.items()),
        "-- access: n/a",
        "-- deleted: n/a",
        "-- index: n/a",
        "-- reads: 0",
        "-- locks: none",
        sql,
    ]
    return compile_statement(f"tests/{method}", "\n".join(lines))


def _insert(table: str, columns: Mapping[str, str]) -> Affected:
    values = ", ".join(f":{name}" for name in columns)
    sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"
    return Affected(_statement(f"put_{table}", "affected", columns, sql))


def _select(table: str, columns: Mapping[str, str], where: str) -> str:
    return f"SELECT {', '.join(f'{name} AS {name}' for name in columns)} FROM {table} {where}"


_PUT_USER = _insert("users", _USER)
_PUT_TOKEN = _insert("user_tokens", _TOKEN)
_USER_ROW = One(
    _statement(
        "user_row", "one UserRow", {"id": "BINARY(16)"}, _select("users", _USER, "WHERE id = :id")
    ),
    UserRow,
)
_TOKEN_ROWS = Many(
    _statement(
        "token_rows",
        "many TokenRow",
        {"user_id": "BINARY(16)"},
        _select("user_tokens", _TOKEN, "WHERE user_id = :user_id ORDER BY purpose LIMIT 9"),
    ),
    TokenRow,
)
_COLUMNS = Many(
    _statement(
        "columns",
        "many str",
        {"table_name": "VARCHAR(64)"},
        "SELECT column_name AS name FROM information_schema.columns"
        " WHERE table_schema = DATABASE() AND table_name = :table_name ORDER BY name LIMIT 99",
    ),
    str,
)


def user_row(**changes: Any) -> UserRow:
    """A live user in whose row nothing is as it is in a new one, and no two times are the same."""
    values = {
        "id": uuid4(),
        "email": f"{uuid4()}@{next(_numbers)}.example",
        "full_name": "Zoë",
        "role": dal.Role.VIEWER,
        "is_active": True,
        "email_verified_at": NOW - timedelta(days=8),
        "password_hash": "$argon2id$Kept",
        "credentials_changed_at": NOW - timedelta(days=7),
        "failed_logins": 3,
        "locked_until": NOW - timedelta(days=6),
        "last_login_at": NOW - timedelta(days=5),
        "preferences": {"theme": "dark"},
        "created_at": NOW - timedelta(days=9),
        "updated_at": NOW - timedelta(days=4),
        "deleted_at": None,
    }
    assert changes.keys() <= values.keys(), changes
    return UserRow(**{**values, **changes})


async def put_user(tx: dal.Session, row: UserRow) -> UserRow:
    """Store a user in any state, also one that takes several statements of ours to reach."""
    assert await tx.affected(_PUT_USER, **attrs.asdict(row)) == 1
    return row


async def stored_user(tx: dal.Session, user_id: UUID) -> UserRow:
    """All that is stored of a user now."""
    return await tx.one(_USER_ROW, id=user_id)


async def put_token(tx: dal.Session, row: TokenRow) -> TokenRow:
    assert await tx.affected(_PUT_TOKEN, **attrs.asdict(row)) == 1
    return row


async def stored_tokens(tx: dal.Session, user_id: UUID) -> list[TokenRow]:
    """All that is stored of a user's tokens now, that for the password first."""
    return await tx.many(_TOKEN_ROWS, user_id=user_id)


async def columns(tx: dal.Session, table: str) -> set[str]:
    """The columns of a table, as the server names them."""
    return set(await tx.many(_COLUMNS, table_name=table))


@attrs.frozen(slots=True)
class StoredTemplate:
    """What the server, counters and categories make of a template."""

    id: UUID
    category_id: UUID | None
    head_version: int
    use_count: int
    trend: int
    rating_sum: int
    rating_count: int
    rating_rank: int
    updated_at: datetime


@attrs.frozen(slots=True)
class StoredVersion:
    """All that is stored of a version; of its variables, the names and defaults."""

    template_id: UUID
    version: int
    content: str
    system_prompt: str | None
    variables: tuple[Variable, ...]
    content_sha256: bytes
    message: str | None
    author_name: str | None
    created_by: UUID
    created_at: datetime


@attrs.frozen(slots=True)
class StoredCategory:
    """All that is stored of a category."""

    id: UUID
    slug: str
    name: str
    created_at: datetime
    updated_at: datetime


_ROW = TypeVar("_ROW")


def _of(record: type[_ROW], table: str, key: str, kind: str, order: str) -> Many[_ROW]:
    """The rows of a table by one column, as they are stored."""
    columns = [field.name for field in attrs.fields(record)]  # type: ignore[arg-type]
    sql = _select(table, dict.fromkeys(columns, ""), f"WHERE {key} = :{key} ORDER BY {order}")
    returns = f"many {record.__name__}"
    return Many(_statement(f"{table}_rows", returns, {key: kind}, f"{sql} LIMIT 9999"), record)


_TEMPLATE_ROWS = _of(StoredTemplate, "templates", "id", "BINARY(16)", "id")
_VERSION_ROWS = _of(StoredVersion, "template_versions", "template_id", "BINARY(16)", "version")
_LABEL_ROWS = _of(TemplateLabel, "template_labels", "template_id", "BINARY(16)", "label")
_MOVE_ROWS = _of(TemplateLabelMove, "template_label_moves", "template_id", "BINARY(16)", "id")
_RATING_ROWS = _of(TemplateRating, "template_ratings", "template_id", "BINARY(16)", "user_id")
_CORPUS_ROWS = _of(SearchCorpus, "search_corpora", "corpus", "VARCHAR(20)", "corpus")
_CATEGORY_ROWS = _of(StoredCategory, "categories", "id", "BINARY(16)", "id")

# A record of these is the whole row of its table; a test of each gateway says so.
WHOLE_ROWS: dict[str, type] = {
    "template_versions": StoredVersion,
    "template_labels": TemplateLabel,
    "template_label_moves": TemplateLabelMove,
    "template_ratings": TemplateRating,
    "search_corpora": SearchCorpus,
    "categories": StoredCategory,
}


async def check_whole_row(tx: dal.Session, table: str) -> None:
    """What the tests read of a table is all that is there."""
    fields = {field.name for field in attrs.fields(WHOLE_ROWS[table])}
    assert await columns(tx, table) == fields


async def stored_template(tx: dal.Session, template_id: UUID) -> StoredTemplate:
    (row,) = await tx.many(_TEMPLATE_ROWS, id=template_id)
    return row


async def stored_versions(tx: dal.Session, template_id: UUID) -> list[StoredVersion]:
    return await tx.many(_VERSION_ROWS, template_id=template_id)


async def stored_labels(tx: dal.Session, template_id: UUID) -> list[TemplateLabel]:
    return await tx.many(_LABEL_ROWS, template_id=template_id)


async def stored_moves(tx: dal.Session, template_id: UUID) -> list[TemplateLabelMove]:
    return await tx.many(_MOVE_ROWS, template_id=template_id)


async def stored_ratings(tx: dal.Session, template_id: UUID) -> list[TemplateRating]:
    return await tx.many(_RATING_ROWS, template_id=template_id)


async def stored_corpora(tx: dal.Session, corpus: str) -> list[SearchCorpus]:
    return await tx.many(_CORPUS_ROWS, corpus=corpus)


async def stored_categories(tx: dal.Session, category_id: UUID) -> list[StoredCategory]:
    return await tx.many(_CATEGORY_ROWS, id=category_id)


def template_row(owner_id: UUID, **changes: Any) -> dict[str, Any]:
    return {
        **{param.name: None for param in house().statement("templates/insert").params},
        "template_id": uuid4(),
        "owner_id": owner_id,
        "name": "n",
        "visibility": dal.Visibility.PRIVATE,
        "version": 1,
        "last_version": 1,
        "created_at": NOW,
        "now": NOW,
        **changes,
    }


def version_row(template_id: UUID, created_by: UUID, **changes: Any) -> dict[str, Any]:
    return {
        "template_id": template_id,
        "version": 1,
        "content": "text",
        "system_prompt": None,
        "variables": [],
        "content_sha256": b"h" * 32,
        "message": None,
        "author_name": None,
        "created_by": created_by,
        "created_at": NOW,
        **changes,
    }


async def template(tx: dal.Session, owner_id: UUID, **changes: Any) -> UUID:
    """A template with its first version."""
    row = template_row(owner_id, **changes)
    assert await TemplatesGateway(tx).insert(**row) == 1
    template_id: UUID = row["template_id"]
    await TemplateVersionsGateway(tx).insert_many([version_row(template_id, owner_id)])
    return template_id


async def tag(tx: dal.Session, key: str | None = None) -> UUID:
    tag_id = uuid4()
    key = key or f"tag {next(_numbers)} {tag_id}"
    rows = [{"tag_id": tag_id, "tag_key": key, "tag_name": key.upper(), "now": NOW}]
    assert await TagsGateway(tx).insert_many(rows) == 1
    return tag_id


async def put_on(tx: dal.Session, template_id: UUID, *tag_ids: UUID) -> int:
    return await TemplateTagsGateway(tx).insert_many(
        {"template_id": template_id, "tag_id": tag_id, "now": NOW} for tag_id in tag_ids
    )


async def category(tx: dal.Session, slug: str | None = None) -> UUID:
    category_id = uuid4()
    slug = slug or f"category-{next(_numbers)}-{category_id}"
    rows = [{"category_id": category_id, "slug": slug, "category_name": "C", "now": NOW}]
    assert await CategoriesGateway(tx).insert_many(rows) == 1
    return category_id


def label_row(template_id: UUID, moved_by: UUID, **changes: Any) -> dict[str, Any]:
    return {
        "template_id": template_id,
        "label": "production",
        "version": 1,
        "moved_by": moved_by,
        "moved_at": NOW,
        **changes,
    }


async def put_label(tx: dal.Session, template_id: UUID, moved_by: UUID, **changes: Any) -> None:
    rows = [label_row(template_id, moved_by, **changes)]
    assert await TemplateLabelsGateway(tx).insert_many(rows) == 1


async def rate(
    tx: dal.Session,
    template_id: UUID,
    user_id: UUID,
    rating: int,
    *,
    feedback: str | None = None,
    now: datetime = NOW,
) -> None:
    """A rating, and the numbers of the template with it."""
    done = await TemplateRatingsGateway(tx).insert(
        template_id=template_id, user_id=user_id, rating=rating, feedback=feedback, now=now
    )
    assert done == 1
    done = await TemplatesGateway(tx).update_rating(
        template_id=template_id, rating_change=rating, count_change=1
    )
    assert done in (0, 1)  # None of a deleted template: it is not to be rated.
