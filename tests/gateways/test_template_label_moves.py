"""sql/template_label_moves/ through TemplateLabelMovesGateway."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

import dal
from dal.gateways import TemplateLabelMovesGateway, TemplatesGateway, UsersGateway
from dal.records.templates import TemplateLabelMove
from tests.gateways.helpers import (
    FIRST,
    NOW,
    check_tested,
    check_whole_row,
    stored_moves,
    template,
    user,
)


def test_all_of_it() -> None:
    check_tested(TemplateLabelMovesGateway, globals())


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


async def several(tx: dal.Session, template_id: UUID, by: UUID) -> list[TemplateLabelMove]:
    """Newest first; two share their time."""
    ids = sorted(uuid4() for _ in range(4))
    made = [
        move(template_id, by, id=ids[i], to_version=i + 1, moved_at=NOW + timedelta(seconds=at))
        for i, at in ((3, 5), (1, 7), (2, 7), (0, 6))
    ]
    await put(tx, *made)
    return [made[2], made[1], made[3], made[0]]


def after(made: TemplateLabelMove) -> dict[str, Any]:
    return {"before_at": made.moved_at, "before_id": made.id}


async def test_list_any(tx: dal.Session) -> None:
    owner, other, moves = await user(tx), await user(tx), TemplateLabelMovesGateway(tx)
    mine, beside = await template(tx, owner), await template(tx, owner)
    expected = await several(tx, mine, other)
    await put(tx, move(beside, owner))

    async def ask(template_id: UUID = mine, limit: int = 9, **at: Any) -> list[TemplateLabelMove]:
        return await moves.list_any(template_id=template_id, limit_rows=limit, **{**FIRST, **at})

    assert await ask() == expected
    assert await ask(limit=2) == expected[:2]
    for i, made in enumerate(expected):
        assert await ask(limit=1, **after(made)) == expected[i + 1 : i + 2]
    assert await ask(uuid4()) == []
    # Who moved it may be gone; its template and the owner may not.
    await UsersGateway(tx).soft_delete(user_id=other, now=NOW)
    assert await ask() == expected
    await TemplatesGateway(tx).soft_delete(template_id=mine, actor_id=owner, now=NOW)
    assert await ask() == []
    await TemplatesGateway(tx).restore(template_id=mine, actor_id=owner, now=NOW)
    assert await ask() == expected
    await UsersGateway(tx).soft_delete(user_id=owner, now=NOW)
    assert await ask() == await ask(beside) == []


async def test_list_visible(tx: dal.Session) -> None:
    owner, other, moves = await user(tx), await user(tx), TemplateLabelMovesGateway(tx)
    private = await template(tx, owner)
    public = await template(tx, owner, visibility="public")
    expected = {one: await several(tx, one, owner) for one in (private, public)}

    async def ask(
        template_id: UUID, actor: UUID | None, limit: int = 9, **at: Any
    ) -> list[TemplateLabelMove]:
        return await moves.list_visible(
            template_id=template_id, actor_id=actor, limit_rows=limit, **{**FIRST, **at}
        )

    for template_id, actor in (
        (private, owner), (public, owner), (public, other), (public, None),
    ):  # fmt: skip
        all_of_it = expected[template_id]
        assert await ask(template_id, actor) == all_of_it
        assert await ask(template_id, actor, limit=3) == all_of_it[:3]
        for i, made in enumerate(all_of_it):
            assert await ask(template_id, actor, 1, **after(made)) == all_of_it[i + 1 : i + 2]
    for template_id, nobody in ((private, other), (private, None), (uuid4(), owner)):
        assert await ask(template_id, nobody) == []
    for template_id in (private, public):
        await TemplatesGateway(tx).soft_delete(template_id=template_id, actor_id=owner, now=NOW)
        assert await ask(template_id, owner) == []
        await TemplatesGateway(tx).restore(template_id=template_id, actor_id=owner, now=NOW)
    await UsersGateway(tx).soft_delete(user_id=owner, now=NOW)
    for actor in (owner, other, None):
        assert await ask(private, actor) == await ask(public, actor) == []
