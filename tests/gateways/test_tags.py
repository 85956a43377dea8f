"""sql/tags/ through TagsGateway."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

import dal
from dal.gateways import TagsGateway, TemplatesGateway, UsersGateway
from dal.records.vocabulary import Tag, TagCount
from tests.gateways.helpers import NOW, check_tested, put_on, tag, template, user


def test_all_of_it() -> None:
    check_tested(TagsGateway, globals())


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


async def tagged(tx: dal.Session, key: str) -> tuple[UUID, UUID, UUID]:
    """Two owners and a deleted one, whose templates carry tags a and b; nothing carries c."""
    owner, other, gone = await user(tx), await user(tx), await user(tx)
    a, b = await tag(tx, f"{key}a"), await tag(tx, f"{key}b")
    await tag(tx, f"{key}c")
    for who, visibility, tags in (
        (owner, "private", [a]), (owner, "public", [a, b]), (owner, "private", [b]),
        (other, "private", [a]), (other, "public", [b]), (other, "public", [b]),
        (gone, "public", [a]), (gone, "private", [a, b]), (owner, "private", []),
    ):  # fmt: skip
        template_id = await template(tx, who, visibility=visibility)
        if tags:
            await put_on(tx, template_id, *tags)
    deleted = await template(tx, owner, visibility="public")
    await put_on(tx, deleted, a, b)
    await TemplatesGateway(tx).soft_delete(template_id=deleted, actor_id=owner, now=NOW)
    await UsersGateway(tx).soft_delete(user_id=gone, now=NOW)
    return owner, other, gone


async def test_list_counts(tx: dal.Session) -> None:
    tags, key = TagsGateway(tx), uuid4().hex
    owner, _, _ = await tagged(tx, key)
    found = await tags.list_counts(limit_rows=10_000)
    assert [count for count in found if count.tag_key.startswith(key)] == [
        TagCount(f"{key}b", f"{key}b".upper(), 4),
        TagCount(f"{key}a", f"{key}a".upper(), 3),
    ]
    order = [(-count.templates, count.tag_key.encode()) for count in found]
    assert order == sorted(order)
    assert await tags.list_counts(limit_rows=1) == found[:1]
    await UsersGateway(tx).soft_delete(user_id=owner, now=NOW)
    found = await tags.list_counts(limit_rows=10_000)
    assert [(c.tag_key[-1], c.templates) for c in found if c.tag_key.startswith(key)] == [
        ("b", 2), ("a", 1),
    ]  # fmt: skip


async def test_list_visible_counts(tx: dal.Session) -> None:
    tags, key = TagsGateway(tx), uuid4().hex
    owner, other, gone = await tagged(tx, key)

    async def counts(actor: UUID | None) -> list[tuple[str, int]]:
        found = await tags.list_visible_counts(actor_id=actor, limit_rows=10_000)
        order = [(-count.templates, count.tag_key.encode()) for count in found]
        assert order == sorted(order)
        return [(c.tag_key[-1], c.templates) for c in found if c.tag_key.startswith(key)]

    assert await counts(owner) == [("b", 4), ("a", 2)]
    assert await counts(other) == [("b", 3), ("a", 2)]
    for nobody in (gone, None, uuid4()):
        assert await counts(nobody) == [("b", 3), ("a", 1)]
    assert len(await tags.list_visible_counts(actor_id=owner, limit_rows=1)) == 1
    await UsersGateway(tx).soft_delete(user_id=owner, now=NOW)
    assert await counts(owner) == [("b", 2)]
