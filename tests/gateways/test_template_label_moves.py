"""sql/template_label_moves/ through TemplateLabelMovesGateway."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

import dal
from dal.gateways import TemplateLabelMovesGateway, TemplatesGateway
from dal.records.templates import TemplateLabelMove
from tests.gateways.helpers import (
    NOW,
    check_whole_row,
    stored_moves,
    template,
    user,
)


async def test_a_row_of_the_tests_is_the_whole_row(tx: dal.Session) -> None:
    await check_whole_row(tx, "template_label_moves")


def move(template_id: UUID, moved_by: UUID, **changes: Any) -> TemplateLabelMove:
    values = {
        "id": uuid4(), "label": "production", "from_version": None, "to_version": 1,
        "moved_at": NOW, **changes,
    }  # fmt: skip
    return TemplateLabelMove(template_id=template_id, moved_by=moved_by, **values)


def row(made: TemplateLabelMove) -> dict[str, Any]:
    return {
        "move_id": made.id,
        "template_id": made.template_id,
        "label": made.label,
        "from_version": made.from_version,
        "to_version": made.to_version,
        "moved_by": made.moved_by,
        "moved_at": made.moved_at,
    }


async def put(tx: dal.Session, *moves: TemplateLabelMove) -> int:
    return await TemplateLabelMovesGateway(tx).insert_many(map(row, moves))


async def test_insert_many(tx: dal.Session) -> None:
    owner = await user(tx)
    mine, other = await template(tx, owner), await template(tx, owner)
    # Versions are facts: they need not be there any more.
    one, two = move(mine, owner), move(mine, owner, from_version=2**32 - 1, to_version=None)
    assert await put(tx, one, two) == 2
    assert await put(tx) == 0
    expected = sorted([one, two], key=lambda made: made.id)
    assert await stored_moves(tx, mine) == expected
    for wrong, error, constraint in (
        (move(mine, owner, id=one.id), dal.UniqueError, "PRIMARY"),
        (move(uuid4(), owner), dal.ParentMissingError, "fk_template_label_moves_template"),
        (move(mine, uuid4()), dal.ParentMissingError, "fk_template_label_moves_moved_by"),
    ):
        with pytest.raises(error) as caught:
            await put(tx, wrong)
        assert isinstance(caught.value, dal.ConstraintError)
        assert caught.value.constraint == constraint
    for field, value in (("label", "x" * 101), ("to_version", 2**32), ("from_version", -1)):
        with pytest.raises(dal.ValueRejectedError) as refused:
            await put(tx, move(mine, owner, **{field: value}))
        assert refused.value.field == field
    assert await stored_moves(tx, mine) == expected
    assert await stored_moves(tx, other) == []


async def test_a_purge_takes_them_along(tx: dal.Session) -> None:
    owner, templates = await user(tx), TemplatesGateway(tx)
    mine = await template(tx, owner)
    await put(tx, move(mine, owner))
    await templates.soft_delete(template_id=mine, actor_id=owner, now=NOW)
    assert len(await stored_moves(tx, mine)) == 1
    assert await templates.purge(template_id=mine, actor_id=owner) == 1
    assert await stored_moves(tx, mine) == []
