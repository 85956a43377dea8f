"""sql/template_versions/ through TemplateVersionsGateway."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal.gateways import TemplatesGateway, TemplateVersionsGateway, UsersGateway
from dal.records.variables import Variable
from tests.gateways.helpers import (
    NOW,
    check_tested,
    check_whole_row,
    put_label,
    stored_labels,
    stored_template,
    stored_versions,
    template,
    user,
    version_row,
)

MAX = 2**32 - 1


def test_all_of_it() -> None:
    check_tested(TemplateVersionsGateway, globals())


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


async def test_get_visible(tx: dal.Session) -> None:
    owner, other, versions = await user(tx), await user(tx), TemplateVersionsGateway(tx)
    private = await versions_of(tx, owner, 2)
    public = await versions_of(tx, owner, 2, visibility="public")
    for template_id, actor in ((private, owner), (public, owner), (public, other), (public, None)):
        found = await versions.get_visible(template_id=template_id, version=2, actor_id=actor)
        assert attrs.asdict(found, recurse=False) == version_row(
            template_id, owner, version=2, content="éé", system_prompt="p",
            content_sha256=b"\x02" * 32, message="m2", created_at=NOW + timedelta(seconds=2),
            author_name="a2", variables=(Variable("b", None), Variable("\xe9", "")),
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
        private, 4, 4, b"\x04" * 32, "m4", "a4", owner, NOW + timedelta(seconds=4)
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


async def test_find_before(tx: dal.Session) -> None:
    owner, versions = await user(tx), TemplateVersionsGateway(tx)
    mine = await versions_of(tx, owner, 4)
    await versions.delete_one(template_id=mine, version=3, actor_id=owner)

    async def before(version: int, template_id: UUID = mine) -> int | None:
        return await versions.find_before(template_id=template_id, before_version=version)

    assert [await before(version) for version in (1, 2, 3, 4, 5, MAX)] == [None, 1, 2, 2, 4, 4]
    assert await before(4, uuid4()) is None


async def labelled(tx: dal.Session, owner: UUID, **changes: object) -> UUID:
    """Of three versions the first has a label, and the second is the newest."""
    template_id = await versions_of(tx, owner, 3, **changes)
    await TemplatesGateway(tx).update_head(
        template_id=template_id, actor_id=owner, version=2, now=NOW
    )
    await put_label(tx, template_id, owner, label="production", version=1)
    return template_id


async def test_find_labelled_any(tx: dal.Session) -> None:
    owner, versions = await user(tx), TemplateVersionsGateway(tx)
    mine, deleted = await labelled(tx, owner), await labelled(tx, owner)
    await TemplatesGateway(tx).soft_delete(template_id=deleted, actor_id=owner, now=NOW)

    async def ask(template_id: UUID, label: str, *, or_newest: bool) -> dal.TemplateVersion | None:
        return await versions.find_labelled_any(
            template_id=template_id, label=label, or_newest=or_newest
        )

    for label, or_newest, version in (
        ("production", False, 1), ("production", True, 1), ("none", True, 2),
        ("Production", True, 2),
    ):  # fmt: skip
        found = await ask(mine, label, or_newest=or_newest)
        assert found == await versions.get_any(template_id=mine, version=version)
    for label in ("none", "Production", ""):
        assert await ask(mine, label, or_newest=False) is None
    for or_newest in (False, True):
        for wrong in (deleted, uuid4()):
            assert await ask(wrong, "production", or_newest=or_newest) is None
    await UsersGateway(tx).soft_delete(user_id=owner, now=NOW)
    for label in ("production", "none"):
        assert await ask(mine, label, or_newest=True) is None


async def test_find_labelled_visible(tx: dal.Session) -> None:
    owner, other, versions = await user(tx), await user(tx), TemplateVersionsGateway(tx)
    private = await labelled(tx, owner)
    public = await labelled(tx, owner, visibility="public")

    async def ask(
        template_id: UUID, actor: UUID | None, label: str = "production", *, or_newest: bool = True
    ) -> dal.TemplateVersion | None:
        return await versions.find_labelled_visible(
            template_id=template_id, actor_id=actor, label=label, or_newest=or_newest
        )

    for template_id, actor in (
        (private, owner), (public, owner), (public, other), (public, None),
    ):  # fmt: skip
        for label, or_newest, version in (
            ("production", False, 1), ("production", True, 1), ("none", True, 2),
        ):  # fmt: skip
            found = await ask(template_id, actor, label, or_newest=or_newest)
            assert found == await versions.get_any(template_id=template_id, version=version)
        assert await ask(template_id, actor, "none", or_newest=False) is None
    for template_id, actor in ((private, other), (private, None), (uuid4(), owner)):
        assert await ask(template_id, actor) is None
        assert await ask(template_id, actor, "none") is None
    for template_id in (private, public):
        await TemplatesGateway(tx).soft_delete(template_id=template_id, actor_id=owner, now=NOW)
        assert await ask(template_id, owner) is await ask(template_id, owner, "none") is None
        await TemplatesGateway(tx).restore(template_id=template_id, actor_id=owner, now=NOW)
    await UsersGateway(tx).soft_delete(user_id=owner, now=NOW)
    for actor in (owner, other, None):
        assert await ask(private, actor) is await ask(public, actor) is None


async def test_list_own_history(tx: dal.Session) -> None:
    owner, other, versions = await user(tx), await user(tx), TemplateVersionsGateway(tx)
    one, two = await versions_of(tx, owner, 3), await versions_of(tx, owner, 2, visibility="public")
    deleted = await versions_of(tx, owner, 2)
    theirs = await versions_of(tx, other, 1, visibility="public")
    await versions.delete_one(template_id=one, version=2, actor_id=owner)
    await TemplatesGateway(tx).soft_delete(template_id=deleted, actor_id=owner, now=NOW)
    asked = [two, theirs, one, deleted, uuid4()]

    async def ask(actor: UUID, *template_ids: UUID) -> list[dal.TemplateVersion]:
        return await versions.list_own_history(template_ids=template_ids, actor_id=actor)

    expected = [
        await versions.get_any(template_id=template_id, version=stored.version)
        for template_id in sorted([one, two])
        for stored in await stored_versions(tx, template_id)
    ]
    assert len(expected) == 4
    assert await ask(owner, *asked) == expected
    assert [(row.template_id, row.version) for row in await ask(other, *asked)] == [(theirs, 1)]
    assert await ask(owner) == await ask(uuid4(), *asked) == []
    await UsersGateway(tx).soft_delete(user_id=owner, now=NOW)
    assert await ask(owner, *asked) == []
