"""sql/template_ratings/ through TemplateRatingsGateway."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal.gateways import TemplateRatingsGateway, TemplatesGateway, UsersGateway
from dal.records.templates import TemplateRating
from tests.gateways.helpers import (
    NOW,
    check_whole_row,
    rate,
    stored_ratings,
    stored_template,
    template,
    user,
)

LATER = NOW + timedelta(seconds=1)


async def test_a_row_of_the_tests_is_the_whole_row(tx: dal.Session) -> None:
    await check_whole_row(tx, "template_ratings")


@attrs.frozen
class Case:
    """A private and a public template; the owner, another user and a deleted one rated both."""

    owner: UUID
    other: UUID
    gone: UUID
    private: UUID
    public: UUID

    def ratings(self, template_id: UUID) -> list[TemplateRating]:
        """Of those who are live, newest first."""
        return [
            TemplateRating(template_id, self.other, 4, "\xe9", NOW, NOW),
            TemplateRating(template_id, self.owner, 2, None, *[NOW - timedelta(days=2)] * 2),
        ]


@pytest.fixture
async def case(tx: dal.Session) -> Case:
    owner, other, gone = await user(tx), await user(tx), await user(tx)
    private, public = await template(tx, owner), await template(tx, owner, visibility="public")
    for template_id in (private, public):
        await rate(tx, template_id, owner, 2, now=NOW - timedelta(days=2))
        await rate(tx, template_id, gone, 5, feedback="gone", now=NOW - timedelta(days=1))
        await rate(tx, template_id, other, 4, feedback="\xe9")
    await UsersGateway(tx).soft_delete(user_id=gone, now=NOW)
    return Case(owner, other, gone, private, public)


async def test_insert(tx: dal.Session) -> None:
    owner, other, ratings = await user(tx), await user(tx), TemplateRatingsGateway(tx)
    mine, beside = await template(tx, owner), await template(tx, owner)

    async def put(**changes: Any) -> int:
        values = {"template_id": mine, "user_id": owner, "rating": 1, "feedback": None, "now": NOW}
        return await ratings.insert(**{**values, **changes})

    text = "\xe9" * 32_767
    assert await put() == await put(user_id=other, rating=5, feedback=text, now=LATER) == 1
    expected = sorted(
        [
            TemplateRating(mine, owner, 1, None, NOW, NOW),
            TemplateRating(mine, other, 5, text, LATER, LATER),
        ],
        key=lambda rating: rating.user_id,
    )
    assert await stored_ratings(tx, mine) == expected
    for wrong, error, constraint in (
        ({"rating": 2}, dal.UniqueError, "PRIMARY"),
        ({"template_id": beside, "rating": 0}, dal.CheckError, "ck_template_ratings_rating"),
        ({"template_id": beside, "rating": 6}, dal.CheckError, "ck_template_ratings_rating"),
        ({"template_id": uuid4()}, dal.ParentMissingError, "fk_template_ratings_template"),
        ({"user_id": uuid4()}, dal.ParentMissingError, "fk_template_ratings_user"),
    ):
        with pytest.raises(error) as caught:
            await put(**wrong)
        assert isinstance(caught.value, dal.ConstraintError)
        assert caught.value.constraint == constraint
    for field, value in (("rating", 256), ("rating", -1), ("feedback", "x" * 65_536)):
        with pytest.raises(dal.ValueRejectedError) as refused:
            await put(template_id=beside, **{field: value})
        assert refused.value.field == field
    assert await stored_ratings(tx, mine) == expected
    assert await stored_ratings(tx, beside) == []


async def test_locks_need_a_transaction(system: dal.Session) -> None:
    with pytest.raises(dal.UsageError):
        await TemplateRatingsGateway(system).lock_own(template_id=uuid4(), actor_id=uuid4())


async def test_a_purge_takes_them_along(tx: dal.Session, case: Case) -> None:
    templates = TemplatesGateway(tx)
    before = await stored_template(tx, case.public)
    await templates.soft_delete(template_id=case.private, actor_id=case.owner, now=NOW)
    assert await templates.purge(template_id=case.private, actor_id=case.owner) == 1
    assert await stored_ratings(tx, case.private) == []
    assert await stored_template(tx, case.public) == before
