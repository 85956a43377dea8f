"""sql/template_labels/ through TemplateLabelsGateway."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

import dal
from dal.gateways import (
    TemplateLabelsGateway,
    TemplatesGateway,
    TemplateVersionsGateway,
    UsersGateway,
)
from dal.records.templates import TemplateLabel
from tests.gateways.helpers import (
    NOW,
    check_whole_row,
    label_row,
    put_label,
    stored_labels,
    stored_versions,
    template,
    user,
    version_row,
)


async def test_a_row_of_the_tests_is_the_whole_row(tx: dal.Session) -> None:
    await check_whole_row(tx, "template_labels")


async def two_versions(tx: dal.Session, owner: UUID, **changes: Any) -> UUID:
    template_id = await template(tx, owner, **changes)
    await TemplateVersionsGateway(tx).insert_many([version_row(template_id, owner, version=2)])
    return template_id


async def labelled(tx: dal.Session, owner: UUID, **changes: Any) -> UUID:
    """Two versions, and two labels on the first of them, which are not put on in their order."""
    template_id = await two_versions(tx, owner, **changes)
    await put_label(tx, template_id, owner, label="b")
    await put_label(tx, template_id, owner, label="a")
    return template_id


def labels_of(template_id: UUID, owner: UUID) -> list[TemplateLabel]:
    return [TemplateLabel(template_id, name, 1, owner, NOW) for name in ("a", "b")]


async def test_insert_many(tx: dal.Session) -> None:
    owner, labels = await user(tx), TemplateLabelsGateway(tx)
    mine = await two_versions(tx, owner)
    # Several on one version; told apart byte by byte.
    rows = [
        label_row(mine, owner, label=name, version=version)
        for name, version in (("e", 1), ("\xe9", 2), ("e\u0301", 1), ("E", 1), ("f", 2))
    ]
    assert await labels.insert_many(rows) == 5
    assert await labels.insert_many([]) == 0
    expected = [TemplateLabel(**row) for row in sorted(rows, key=lambda row: row["label"].encode())]
    assert sorted(await stored_labels(tx, mine), key=lambda x: x.label.encode()) == expected
    for wrong, error, constraint in (
        ({"label": "e", "version": 2}, dal.UniqueError, "PRIMARY"),
        ({"version": 3}, dal.ParentMissingError, "fk_template_labels_version"),
        ({"template_id": uuid4()}, dal.ParentMissingError, "fk_template_labels_version"),
        ({"moved_by": uuid4()}, dal.ParentMissingError, "fk_template_labels_moved_by"),
    ):
        with pytest.raises(error) as caught:
            await labels.insert_many([{**label_row(mine, owner), **wrong}])
        assert isinstance(caught.value, dal.ConstraintError)
        assert caught.value.constraint == constraint
    with pytest.raises(dal.ValueRejectedError) as refused:
        await labels.insert_many([label_row(mine, owner, label="x" * 101)])
    assert refused.value.field == "label"
    assert len(await stored_labels(tx, mine)) == 5


async def test_delete_in_trash(tx: dal.Session) -> None:
    owner, gone, labels = await user(tx), await user(tx), TemplateLabelsGateway(tx)
    templates, users = TemplatesGateway(tx), UsersGateway(tx)
    live, deleted, beside = [await labelled(tx, owner) for _ in range(3)]
    gone_live, gone_deleted = [await labelled(tx, gone) for _ in range(2)]
    for template_id, who in ((deleted, owner), (beside, owner), (gone_deleted, gone)):
        await templates.soft_delete(template_id=template_id, actor_id=who, now=NOW)
    await users.soft_delete(user_id=gone, now=NOW)
    asked = [live, deleted, gone_live, gone_deleted, uuid4()]
    assert await labels.delete_in_trash(template_ids=[]) == 0
    assert await labels.delete_in_trash(template_ids=[live, gone_live, uuid4()]) == 0
    assert await labels.delete_in_trash(template_ids=asked) == 4
    assert await labels.delete_in_trash(template_ids=asked) == 0
    assert await stored_labels(tx, deleted) == await stored_labels(tx, gone_deleted) == []
    for template_id, who in ((live, owner), (beside, owner), (gone_live, gone)):
        assert await stored_labels(tx, template_id) == labels_of(template_id, who)
    # Versions stay as they were.
    assert [v.version for v in await stored_versions(tx, deleted)] == [1, 2]


async def test_a_template_with_labels_is_not_purged_before_they_are_off(tx: dal.Session) -> None:
    owner, templates = await user(tx), TemplatesGateway(tx)
    mine = await labelled(tx, owner)
    await templates.soft_delete(template_id=mine, actor_id=owner, now=NOW)
    for purging in (
        templates.purge(template_id=mine, actor_id=owner),
        templates.purge_many(template_ids=[mine]),
    ):
        with pytest.raises(dal.ChildExistsError) as kept:
            await purging
        assert kept.value.constraint == "fk_template_labels_version"
    assert await stored_labels(tx, mine) == labels_of(mine, owner)
    assert await TemplateLabelsGateway(tx).delete_in_trash(template_ids=[mine]) == 2
    assert await templates.purge(template_id=mine, actor_id=owner) == 1
    assert await stored_versions(tx, mine) == []


async def test_locks_need_a_transaction(system: dal.Session) -> None:
    with pytest.raises(dal.UsageError):
        await TemplateLabelsGateway(system).lock_one(template_id=uuid4(), label="a")
