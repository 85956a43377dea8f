"""sql/template_versions/ through TemplateVersionsGateway."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal.gateways import TemplatesGateway, TemplateVersionsGateway, UsersGateway
from tests.gateways.helpers import NOW, check_tested, template, user, version_row

MAX = 2**32 - 1


def test_all_of_it() -> None:
    check_tested(TemplateVersionsGateway, globals())


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
            created_at=NOW + timedelta(seconds=i),
        )
        for i in range(2, n + 1)
    )
    return template_id


async def test_insert_many(tx: dal.Session) -> None:
    owner, versions = await user(tx), TemplateVersionsGateway(tx)
    template_id = await template(tx, owner)
    assert await versions.insert_many([version_row(template_id, owner, version=2)]) == 1
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
    for field, value in (("content_sha256", b"short"), ("message", "x" * 501), ("content", None)):
        with pytest.raises(dal.ValueRejectedError) as refused:
            await versions.insert_many([version_row(template_id, owner, **{field: value})])
        assert refused.value.field == field


async def test_get_visible(tx: dal.Session) -> None:
    owner, other, versions = await user(tx), await user(tx), TemplateVersionsGateway(tx)
    private = await versions_of(tx, owner, 2)
    public = await versions_of(tx, owner, 2, visibility="public")
    for template_id, actor in ((private, owner), (public, owner), (public, other), (public, None)):
        found = await versions.get_visible(template_id=template_id, version=2, actor_id=actor)
        assert attrs.asdict(found) == version_row(
            template_id, owner, version=2, content="éé", system_prompt="p",
            content_sha256=b"\x02" * 32, message="m2", created_at=NOW + timedelta(seconds=2),
        )  # fmt: skip
    for template_id, version, actor in (
        (private, 2, other), (private, 2, None), (private, 3, owner), (uuid4(), 1, owner),
    ):  # fmt: skip
        with pytest.raises(dal.NotFoundError):
            await versions.get_visible(template_id=template_id, version=version, actor_id=actor)
    await TemplatesGateway(tx).soft_delete(template_id=private, actor_id=owner, now=NOW)
    await UsersGateway(tx).soft_delete(user_id=owner, now=NOW)
    for template_id in (private, public):
        with pytest.raises(dal.NotFoundError):
            await versions.get_visible(template_id=template_id, version=2, actor_id=owner)


async def test_get_any(tx: dal.Session) -> None:
    owner, versions = await user(tx), TemplateVersionsGateway(tx)
    template_id = await versions_of(tx, owner, 2)
    deleted = await versions_of(tx, owner, 2)
    await TemplatesGateway(tx).soft_delete(template_id=deleted, actor_id=owner, now=NOW)
    found = await versions.get_any(template_id=template_id, version=2)
    assert found == await versions.get_visible(template_id=template_id, version=2, actor_id=owner)
    for wrong, version in ((deleted, 2), (template_id, 3), (uuid4(), 1)):
        with pytest.raises(dal.NotFoundError):
            await versions.get_any(template_id=wrong, version=version)
    await UsersGateway(tx).soft_delete(user_id=owner, now=NOW)
    with pytest.raises(dal.NotFoundError):
        await versions.get_any(template_id=template_id, version=2)


async def test_list_visible(tx: dal.Session) -> None:
    owner, other, versions = await user(tx), await user(tx), TemplateVersionsGateway(tx)
    private = await versions_of(tx, owner, 4)

    async def numbers(actor: UUID | None, before: int = MAX, limit: int = 9) -> list[int]:
        rows = await versions.list_visible(
            template_id=private, actor_id=actor, before_version=before, limit_rows=limit
        )
        return [row.version for row in rows]

    assert await numbers(owner) == [4, 3, 2, 1]
    assert await numbers(owner, before=4, limit=2) == [3, 2]
    assert await numbers(owner, before=1) == []
    assert await numbers(other) == await numbers(None) == []
    (row,) = await versions.list_visible(
        template_id=private, actor_id=owner, before_version=MAX, limit_rows=1
    )
    # The length is in characters, not in bytes.
    assert row == dal.TemplateVersionSummary(
        private, 4, 4, b"\x04" * 32, "m4", owner, NOW + timedelta(seconds=4)
    )
    await UsersGateway(tx).soft_delete(user_id=owner, now=NOW)
    assert await numbers(owner) == []


async def test_list_any(tx: dal.Session) -> None:
    owner, versions = await user(tx), TemplateVersionsGateway(tx)
    template_id = await versions_of(tx, owner, 4)

    async def listed(before: int = MAX, limit: int = 9) -> list[dal.TemplateVersionSummary]:
        return await versions.list_any(
            template_id=template_id, before_version=before, limit_rows=limit
        )

    assert await listed() == await versions.list_visible(
        template_id=template_id, actor_id=owner, before_version=MAX, limit_rows=9
    )
    assert [row.version for row in await listed(before=4, limit=2)] == [3, 2]
    await TemplatesGateway(tx).soft_delete(template_id=template_id, actor_id=owner, now=NOW)
    assert await listed() == []
    await TemplatesGateway(tx).restore(template_id=template_id, actor_id=owner, now=NOW)
    assert len(await listed()) == 4
    await UsersGateway(tx).soft_delete(user_id=owner, now=NOW)
    assert await listed() == []
