"""sql/templates_search/ through TemplatesSearchGateway."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

import dal
from dal.gateways import TemplatesGateway, TemplatesSearchGateway
from tests.gateways.helpers import (
    NOW,
    StoredText,
    check_whole_row,
    put_text,
    stored_texts,
    template,
    text_row,
    user,
)


async def test_a_row_of_the_tests_is_the_whole_row(tx: dal.Session) -> None:
    await check_whole_row(tx, "templates_search")


async def test_insert_many(tx: dal.Session) -> None:
    owner, texts = await user(tx), TemplatesSearchGateway(tx)
    one, two = await template(tx, owner), await template(tx, owner)
    # More than TEXT holds.
    long = "a" * 70_000
    rows = [text_row(one), text_row(two, is_public=True, terms=2**32 - 1, tokens=long)]
    assert await texts.insert_many(rows) == 2
    assert await texts.insert_many([]) == 0
    first = [StoredText(one, False, 2, "xa xb", NOW)]
    assert await stored_texts(tx, one) == first
    assert await stored_texts(tx, two) == [StoredText(two, True, 2**32 - 1, long, NOW)]
    with pytest.raises(dal.UniqueError) as caught:
        await texts.insert_many([text_row(one, tokens="other")])
    assert caught.value.constraint == "PRIMARY"
    with pytest.raises(dal.ParentMissingError) as missing:
        await texts.insert_many([text_row(uuid4())])
    assert missing.value.constraint == "fk_templates_search_template"
    three = await template(tx, owner)
    for field, value in (("tokens", "\xe9"), ("terms", -1), ("terms", 2**32)):
        with pytest.raises(dal.ValueRejectedError) as refused:
            await texts.insert_many([text_row(three, **{field: value})])
        assert refused.value.field == field
    assert await stored_texts(tx, one) == first
    assert await stored_texts(tx, three) == []


async def test_upsert(tx: dal.Session) -> None:
    owner, texts = await user(tx), TemplatesSearchGateway(tx)
    mine, other = await template(tx, owner), await template(tx, owner)
    await put_text(tx, other)
    assert await texts.upsert(**text_row(mine)) == 1
    assert await stored_texts(tx, mine) == [StoredText(mine, False, 2, "xa xb", NOW)]
    early = NOW - timedelta(days=1)
    new = text_row(mine, is_public=True, terms=0, tokens="", now=early)
    assert await texts.upsert(**new) == 2
    assert await stored_texts(tx, mine) == [StoredText(mine, True, 0, "", early)]
    assert await stored_texts(tx, other) == [StoredText(other, False, 2, "xa xb", NOW)]
    with pytest.raises(dal.ParentMissingError) as missing:
        await texts.upsert(**text_row(uuid4()))
    assert missing.value.constraint == "fk_templates_search_template"
    with pytest.raises(dal.ValueRejectedError) as refused:
        await texts.upsert(**text_row(mine, tokens="\xe9"))
    assert refused.value.field == "tokens"
    assert await stored_texts(tx, mine) == [StoredText(mine, True, 0, "", early)]


async def test_a_purge_takes_it_along(tx: dal.Session) -> None:
    owner, templates = await user(tx), TemplatesGateway(tx)
    mine = await template(tx, owner)
    await put_text(tx, mine)
    await templates.soft_delete(template_id=mine, actor_id=owner, now=NOW)
    assert await templates.purge(template_id=mine, actor_id=owner) == 1
    assert await stored_texts(tx, mine) == []
