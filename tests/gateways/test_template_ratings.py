"""sql/template_ratings/ through TemplateRatingsGateway."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal.gateways import TemplateRatingsGateway, TemplatesGateway, UsersGateway
from dal.records.templates import RatingDistribution, TemplateRating
from tests.gateways.helpers import (
    FIRST,
    NOW,
    check_tested,
    check_whole_row,
    rate,
    stored_ratings,
    stored_template,
    template,
    user,
)

LATER = NOW + timedelta(seconds=1)


def test_all_of_it() -> None:
    check_tested(TemplateRatingsGateway, globals())


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


async def test_update_own(tx: dal.Session, case: Case) -> None:
    ratings = TemplateRatingsGateway(tx)
    before = await stored_ratings(tx, case.private)

    async def change(template_id: UUID, actor: UUID, rating: int = 1, **changes: Any) -> int:
        values = {"feedback": "new", "now": LATER, **changes}
        return await ratings.update_own(
            template_id=template_id, actor_id=actor, rating=rating, **values
        )

    assert await change(case.private, uuid4()) == await change(uuid4(), case.owner) == 0
    assert await change(case.private, case.owner) == 1
    after = {rating.user_id: rating for rating in await stored_ratings(tx, case.private)}
    was = {rating.user_id: rating for rating in before}
    changed = attrs.evolve(was[case.owner], rating=1, feedback="new", updated_at=LATER)
    assert after == {**was, case.owner: changed}
    # Its time never goes back; and the same again matches the row too.
    assert await change(case.private, case.owner, 5, feedback=None, now=NOW) == 1
    assert await change(case.private, case.owner, 5, feedback=None, now=NOW) == 1
    again = {rating.user_id: rating for rating in await stored_ratings(tx, case.private)}
    assert again == {**was, case.owner: attrs.evolve(changed, rating=5, feedback=None)}
    for wrong in (0, 6):
        with pytest.raises(dal.CheckError) as check:
            await change(case.private, case.owner, wrong)
        assert check.value.constraint == "ck_template_ratings_rating"
    assert len(await stored_ratings(tx, case.public)) == 3


async def test_delete_own(tx: dal.Session, case: Case) -> None:
    ratings = TemplateRatingsGateway(tx)
    before = await stored_ratings(tx, case.private)
    assert await ratings.delete_own(template_id=case.private, actor_id=uuid4()) == 0
    assert await ratings.delete_own(template_id=uuid4(), actor_id=case.other) == 0
    assert await stored_ratings(tx, case.private) == before
    assert await ratings.delete_own(template_id=case.private, actor_id=case.other) == 1
    assert await ratings.delete_own(template_id=case.private, actor_id=case.other) == 0
    left = [rating for rating in before if rating.user_id != case.other]
    assert await stored_ratings(tx, case.private) == left
    assert len(await stored_ratings(tx, case.public)) == 3


async def test_lock_own(tx: dal.Session, case: Case) -> None:
    ratings = TemplateRatingsGateway(tx)
    for actor, i in ((case.other, 0), (case.owner, 1)):
        found = await ratings.lock_own(template_id=case.private, actor_id=actor)
        assert found == case.ratings(case.private)[i]
    assert await ratings.lock_own(template_id=case.private, actor_id=uuid4()) is None
    assert await ratings.lock_own(template_id=uuid4(), actor_id=case.owner) is None


async def test_locks_need_a_transaction(system: dal.Session) -> None:
    with pytest.raises(dal.UsageError):
        await TemplateRatingsGateway(system).lock_own(template_id=uuid4(), actor_id=uuid4())


async def test_find_own(tx: dal.Session, case: Case) -> None:
    async def ask(template_id: UUID, actor: UUID) -> TemplateRating | None:
        return await TemplateRatingsGateway(tx).find_own(template_id=template_id, actor_id=actor)

    for template_id, actor, i in (
        (case.public, case.other, 0), (case.public, case.owner, 1), (case.private, case.owner, 1),
    ):  # fmt: skip
        assert await ask(template_id, actor) == case.ratings(template_id)[i]
    for template_id, actor in (
        # It is there, of a template that they do not see any more.
        (case.private, case.other),
        (case.public, case.gone), (case.public, uuid4()), (uuid4(), case.owner),
    ):  # fmt: skip
        assert await ask(template_id, actor) is None
    for template_id in (case.private, case.public):
        await TemplatesGateway(tx).soft_delete(
            template_id=template_id, actor_id=case.owner, now=NOW
        )
        assert await ask(template_id, case.owner) is None
        await TemplatesGateway(tx).restore(template_id=template_id, actor_id=case.owner, now=NOW)
    await UsersGateway(tx).soft_delete(user_id=case.owner, now=NOW)
    assert await ask(case.public, case.other) is None
    assert len(await stored_ratings(tx, case.public)) == 3


async def test_find_distribution_any(tx: dal.Session, case: Case) -> None:
    async def ask(template_id: UUID) -> RatingDistribution | None:
        return await TemplateRatingsGateway(tx).find_distribution_any(template_id=template_id)

    # Those of deleted users are there, and are not counted.
    assert len(await stored_ratings(tx, case.private)) == 3
    assert await ask(case.private) == await ask(case.public) == RatingDistribution(0, 1, 0, 1, 0)
    unrated = await template(tx, case.owner)
    assert await ask(unrated) == RatingDistribution(0, 0, 0, 0, 0)
    await rate(tx, unrated, case.gone, 5)
    assert await ask(unrated) == RatingDistribution(0, 0, 0, 0, 0)
    assert await ask(uuid4()) is None
    for rating, times in ((1, 1), (2, 2), (3, 3), (4, 4), (5, 5)):
        for _ in range(times):
            await rate(tx, unrated, await user(tx), rating)
    found = await ask(unrated)
    assert found == RatingDistribution(1, 2, 3, 4, 5)
    assert (found.count, found.sum) == (15, 55)
    await UsersGateway(tx).restore(user_id=case.gone, now=NOW)
    assert await ask(unrated) == RatingDistribution(1, 2, 3, 4, 6)
    await TemplatesGateway(tx).soft_delete(template_id=unrated, actor_id=case.owner, now=NOW)
    assert await ask(unrated) is None
    await UsersGateway(tx).soft_delete(user_id=case.owner, now=NOW)
    assert await ask(case.public) is None


async def test_find_distribution_visible(tx: dal.Session, case: Case) -> None:
    async def ask(template_id: UUID, actor: UUID | None) -> RatingDistribution | None:
        return await TemplateRatingsGateway(tx).find_distribution_visible(
            template_id=template_id, actor_id=actor
        )

    for template_id, actor in (
        (case.private, case.owner), (case.public, case.owner), (case.public, case.other),
        (case.public, None),
    ):  # fmt: skip
        assert await ask(template_id, actor) == RatingDistribution(0, 1, 0, 1, 0)
    for template_id, nobody in (
        (case.private, case.other), (case.private, None), (uuid4(), case.owner),
    ):  # fmt: skip
        assert await ask(template_id, nobody) is None
    unrated = await template(tx, case.owner)
    assert await ask(unrated, case.owner) == RatingDistribution(0, 0, 0, 0, 0)
    await rate(tx, unrated, case.gone, 1)
    assert await ask(unrated, case.owner) == RatingDistribution(0, 0, 0, 0, 0)
    await TemplatesGateway(tx).soft_delete(template_id=unrated, actor_id=case.owner, now=NOW)
    assert await ask(unrated, case.owner) is None
    await UsersGateway(tx).soft_delete(user_id=case.owner, now=NOW)
    for actor in (case.owner, case.other, None):
        assert await ask(case.public, actor) is None


async def several(tx: dal.Session, template_id: UUID) -> list[TemplateRating]:
    """Newest first; two share their time, and one between them is of a deleted user."""
    users = sorted([await user(tx) for _ in range(5)])
    made = []
    for i, at in ((2, 7), (1, 7), (0, 7), (4, 6), (3, 5)):
        now = NOW + timedelta(seconds=at)
        await rate(tx, template_id, users[i], 3, now=now)
        made.append(TemplateRating(template_id, users[i], 3, None, now, now))
    await UsersGateway(tx).soft_delete(user_id=users[1], now=NOW)
    return [rating for rating in made if rating.user_id != users[1]]


def after(rating: TemplateRating) -> dict[str, Any]:
    return {"before_at": rating.updated_at, "before_id": rating.user_id}


async def test_list_any(tx: dal.Session, case: Case) -> None:
    async def ask(template_id: UUID, limit: int = 9, **at: Any) -> list[TemplateRating]:
        return await TemplateRatingsGateway(tx).list_any(
            template_id=template_id, limit_rows=limit, **{**FIRST, **at}
        )

    for template_id in (case.private, case.public):
        assert await ask(template_id) == case.ratings(template_id)
    assert await ask(uuid4()) == []
    rated = await template(tx, case.owner)
    expected = await several(tx, rated)
    assert await ask(rated) == expected
    assert await ask(rated, 2) == expected[:2]
    for i, rating in enumerate(expected):
        assert await ask(rated, 1, **after(rating)) == expected[i + 1 : i + 2]
    await TemplatesGateway(tx).soft_delete(template_id=rated, actor_id=case.owner, now=NOW)
    assert await ask(rated) == []
    await UsersGateway(tx).soft_delete(user_id=case.owner, now=NOW)
    assert await ask(case.public) == []


async def test_list_visible(tx: dal.Session, case: Case) -> None:
    async def ask(
        template_id: UUID, actor: UUID | None, limit: int = 9, **at: Any
    ) -> list[TemplateRating]:
        return await TemplateRatingsGateway(tx).list_visible(
            template_id=template_id, actor_id=actor, limit_rows=limit, **{**FIRST, **at}
        )

    for template_id, actor in (
        (case.private, case.owner), (case.public, case.owner), (case.public, case.other),
        (case.public, None),
    ):  # fmt: skip
        assert await ask(template_id, actor) == case.ratings(template_id)
    for template_id, nobody in (
        (case.private, case.other), (case.private, None), (uuid4(), case.owner),
    ):  # fmt: skip
        assert await ask(template_id, nobody) == []
    rated = await template(tx, case.owner, visibility="public")
    expected = await several(tx, rated)
    assert await ask(rated, None) == expected
    assert await ask(rated, None, 2) == expected[:2]
    for i, rating in enumerate(expected):
        assert await ask(rated, None, 1, **after(rating)) == expected[i + 1 : i + 2]
    await TemplatesGateway(tx).soft_delete(template_id=rated, actor_id=case.owner, now=NOW)
    assert await ask(rated, case.owner) == []
    await UsersGateway(tx).soft_delete(user_id=case.owner, now=NOW)
    for actor in (case.owner, case.other, None):
        assert await ask(case.public, actor) == []


async def test_a_purge_takes_them_along(tx: dal.Session, case: Case) -> None:
    templates = TemplatesGateway(tx)
    before = await stored_template(tx, case.public)
    await templates.soft_delete(template_id=case.private, actor_id=case.owner, now=NOW)
    assert await templates.purge(template_id=case.private, actor_id=case.owner) == 1
    assert await stored_ratings(tx, case.private) == []
    assert await stored_template(tx, case.public) == before
