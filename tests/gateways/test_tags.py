"""sql/tags/ through TagsGateway."""

from __future__ import annotations

from uuid import uuid4

import pytest

import dal
from dal.gateways import TagsGateway
from dal.records.vocabulary import Tag
from tests.gateways.helpers import tag


async def test_insert_many(tx: dal.Session) -> None:
    key = uuid4().hex
    for other in ("", "é", "e", "\U0001f600", "\U0001f601", "\0", "e\u0301"):
        await tag(tx, key + other)
    with pytest.raises(dal.UniqueError) as caught:
        await tag(tx, key)
    assert caught.value.constraint == "uq_tags_tag_key"
    with pytest.raises(dal.ValueRejectedError) as refused:
        await tag(tx, "x" * 101)
    assert refused.value.field == "tag_key"


async def test_list_by_keys(tx: dal.Session) -> None:
    tags, key = TagsGateway(tx), uuid4().hex
    second, first = await tag(tx, f"{key}b"), await tag(tx, f"{key}a")
    await tag(tx, f"{key}c")
    assert await tags.list_by_keys(tag_keys=[f"{key}b", f"{key}a", f"{key}none"]) == [
        Tag(first, f"{key}a", f"{key}a".upper()),
        Tag(second, f"{key}b", f"{key}b".upper()),
    ]
    # Byte by byte.
    assert await tags.list_by_keys(tag_keys=[f"{key}B", f"{key}á"]) == []
    assert await tags.list_by_keys(tag_keys=[]) == []
    with pytest.raises(dal.ValueRejectedError):
        await tags.list_by_keys(tag_keys=[key, None])  # type: ignore[list-item]
