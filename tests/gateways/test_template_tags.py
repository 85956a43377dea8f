"""sql/template_tags/ through TemplateTagsGateway."""

from __future__ import annotations

from uuid import uuid4

import pytest

import dal
from dal.gateways import TemplateTagsGateway
from tests.gateways.helpers import check_tested, put_on, tag, template, user


def test_all_of_it() -> None:
    check_tested(TemplateTagsGateway, globals())


async def test_insert_many(tx: dal.Session) -> None:
    owner = await user(tx)
    template_id, one, two = await template(tx, owner), await tag(tx), await tag(tx)
    assert await put_on(tx, template_id, one, two) == 2
    with pytest.raises(dal.UniqueError) as caught:
        await put_on(tx, template_id, one)
    assert caught.value.constraint == "PRIMARY"
    with pytest.raises(dal.ParentMissingError) as missing:
        await put_on(tx, template_id, uuid4())
    assert missing.value.constraint == "fk_template_tags_tag"
    with pytest.raises(dal.ParentMissingError) as missing:
        await put_on(tx, uuid4(), one)
    assert missing.value.constraint == "fk_template_tags_template"


async def test_delete_by_template(tx: dal.Session) -> None:
    owner, links = await user(tx), TemplateTagsGateway(tx)
    template_id, other, one, two = (
        await template(tx, owner), await template(tx, owner), await tag(tx), await tag(tx)
    )  # fmt: skip
    await put_on(tx, template_id, one, two)
    await put_on(tx, other, one)
    assert await links.delete_by_template(template_id=template_id) == 2
    assert await links.delete_by_template(template_id=template_id) == 0
    # Nothing is left of it, and nothing else was taken.
    assert await put_on(tx, template_id, one, two) == 2
    assert await links.delete_by_template(template_id=other) == 1
