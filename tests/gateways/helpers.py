"""Rows with nothing but what their table asks for."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import dal
from dal.gateways import (
    TagsGateway,
    TemplatesGateway,
    TemplateTagsGateway,
    TemplateVersionsGateway,
    UsersGateway,
)
from dal.records.clock import END_OF_TIME
from dal.records.ids import MAX_ID

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
FIRST: dict[str, Any] = {"before_at": END_OF_TIME, "before_id": MAX_ID}
SQL = Path(__file__).resolve().parents[2] / "sql"

_numbers = count(1)


def check_tested(gateway: type, module: dict[str, Any]) -> None:
    """Every method of the gateway has a test of its name (and nothing else has)."""
    methods = {name for name, _ in inspect.getmembers(gateway, inspect.isfunction)}
    methods = {name for name in methods if not name.startswith("_")}
    tests = {name.removeprefix("test_") for name in module if name.startswith("test_")}
    assert methods <= tests, methods - tests


async def user(tx: dal.Session) -> UUID:
    user_id = uuid4()
    await UsersGateway(tx).insert(
        user_id=user_id, email=f"{user_id}@{next(_numbers)}.example", full_name="U", now=NOW
    )
    return user_id


def template_row(owner_id: UUID, **changes: Any) -> dict[str, Any]:
    return {
        "template_id": uuid4(),
        "owner_id": owner_id,
        "category_id": None,
        "name": "n",
        "description": None,
        "author_name": None,
        "visibility": dal.Visibility.PRIVATE,
        "version": 1,
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
        "content_sha256": b"h" * 32,
        "message": None,
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
