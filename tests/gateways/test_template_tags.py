"""sql/template_tags/ through TemplateTagsGateway."""

from __future__ import annotations

from uuid import uuid4

import pytest

import dal
from tests.gateways.helpers import put_on, tag, template, user


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
