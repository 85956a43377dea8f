"""sql/template_versions/ through TemplateVersionsGateway."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal.gateways import TemplatesGateway, TemplateVersionsGateway
from dal.records.variables import Variable
from tests.gateways.helpers import (
    NOW,
    check_whole_row,
    put_label,
    stored_labels,
    stored_template,
    stored_versions,
    template,
    user,
    version_row,
)


async def test_a_row_of_the_tests_is_the_whole_row(tx: dal.Session) -> None:
    await check_whole_row(tx, "template_versions")


VARIABLES = [{"name": "b", "default": None}, {"name": "\xe9", "default": ""}]


async def versions_of(tx: dal.Session, owner: UUID, n: int, **changes: object) -> UUID:
    template_id = await template(tx, owner, **changes)
    await TemplateVersionsGateway(tx).insert_many(
        version_row(
            template_id,
            owner,
            version=i,
            content="é" * i,
            system_prompt="p",
            content_sha256=bytes([i]) * 32,
            message=f"m{i}",
            variables=VARIABLES,
            author_name=f"a{i}",
            created_at=NOW + timedelta(seconds=i),
        )
        for i in range(2, n + 1)
    )
    return template_id


async def test_insert_many(tx: dal.Session) -> None:
    owner, versions = await user(tx), TemplateVersionsGateway(tx)
    template_id = await template(tx, owner)
    row = version_row(
        template_id, owner, version=2, variables=VARIABLES, author_name="\xe9" * 255, message="m"
    )
    assert await versions.insert_many([row]) == 1
    stored = (await stored_versions(tx, template_id))[1]
    variables = (Variable("b", None), Variable("\xe9", ""))
    assert attrs.asdict(stored, recurse=False) == {**row, "variables": variables}
    for wrong, error, constraint in (
        ({"version": 2}, dal.UniqueError, "PRIMARY"),
        ({"version": 0}, dal.CheckError, "ck_template_versions_version"),
        ({"version": 3, "created_by": uuid4()}, dal.ParentMissingError,
         "fk_template_versions_created_by"),
        ({"version": 3, "template_id": uuid4()}, dal.ParentMissingError,
         "fk_template_versions_template"),
    ):  # fmt: skip
        with pytest.raises(error) as caught:
            await versions.insert_many([{**version_row(template_id, owner), **wrong}])
        assert isinstance(caught.value, dal.ConstraintError)
        assert caught.value.constraint == constraint
    for field, value in (("content_sha256", b"short"), ("message", "x" * 501), ("content", None),
                         ("author_name", "x" * 256), ("variables", None)):  # fmt: skip
        with pytest.raises(dal.ValueRejectedError) as refused:
            await versions.insert_many([version_row(template_id, owner, **{field: value})])
        assert refused.value.field == field
    assert [v.version for v in await stored_versions(tx, template_id)] == [1, 2]


async def test_delete_one(tx: dal.Session) -> None:
    owner, other, versions = await user(tx), await user(tx), TemplateVersionsGateway(tx)
    mine, beside = (
        await versions_of(tx, owner, 3, visibility="public"),
        await versions_of(tx, owner, 3),
    )

    async def delete(template_id: UUID, version: int, actor: UUID = owner) -> int:
        return await versions.delete_one(template_id=template_id, version=version, actor_id=actor)

    async def numbers(template_id: UUID = mine) -> list[int]:
        return [stored.version for stored in await stored_versions(tx, template_id)]

    for wrong in ((mine, 2, other), (mine, 4), (uuid4(), 2)):
        assert await delete(*wrong) == 0
    before = await stored_template(tx, mine)
    assert await numbers() == [1, 2, 3]
    assert await delete(mine, 2) == 1
    assert await delete(mine, 2) == 0
    assert await numbers() == [1, 3]
    assert await numbers(beside) == [1, 2, 3]
    assert await stored_template(tx, mine) == before
    # A label keeps it, and goes on as it was.
    await put_label(tx, mine, owner, version=1)
    with pytest.raises(dal.ChildExistsError) as kept:
        await delete(mine, 1)
    assert kept.value.constraint == "fk_template_labels_version"
    assert await numbers() == [1, 3]
    assert [label.version for label in await stored_labels(tx, mine)] == [1]
    await TemplatesGateway(tx).soft_delete(template_id=mine, actor_id=owner, now=NOW)
    assert await delete(mine, 3) == 0
    assert await numbers() == [1, 3]
