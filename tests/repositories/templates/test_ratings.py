"""Ratings, uses, and the orders that are made of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest

import dal
from tests.conftest import Recorder, new_user
from tests.repositories.conftest import Root


def recount(root: Root, template_id: UUID) -> tuple[int, int]:
    """Sum and count of the ratings of live users, as the rows have them."""
    ((total, number),) = root(
        "SELECT COALESCE(SUM(r.rating), 0), COUNT(*) FROM template_ratings AS r"
        " JOIN users AS u ON u.id = r.user_id AND u.deleted_at IS NULL WHERE r.template_id = %s",
        template_id.bytes,
    )
    return int(total), number


async def users_with_sessions(db: dal.Database, count: int) -> list[tuple[dal.User, dal.Session]]:
    users = [await new_user(db, "Rater") for _ in range(count)]
    return [(user, db.acting_as(dal.Actor.user(user.id))) for user in users]


async def test_rated_rated_again_and_taken_back(
    as_ada: dal.Session,
    as_bob: dal.Session,
    ada: dal.User,
    bob: dal.User,
    clock: dal.ManualClock,
    recorder: Recorder,
) -> None:
    made = await as_ada.templates.create(name="n", content="c", visibility="public")
    templates = as_bob.templates
    assert await templates.ratings.find_mine(made.id) is None
    first = await templates.ratings.set(made.id, 5, feedback="good\0 ")
    now = clock.now()
    assert first == dal.TemplateRating(made.id, bob.id, 5, "good\0 ", now, now)
    assert await templates.ratings.find_mine(made.id) == first
    clock.move(timedelta(seconds=1))
    recorder.clear()
    assert await templates.ratings.set(made.id, 5, feedback="good\0 ") == first
    assert "audit_logs/insert" not in recorder.names
    again = await templates.ratings.set(made.id, 2)
    assert again == dal.TemplateRating(made.id, bob.id, 2, None, now, clock.now())
    assert await templates.ratings.find_mine(made.id) == again
    # An owner rates too: one a user.
    clock.move(timedelta(seconds=1))
    own = await as_ada.templates.ratings.set(made.id, 4)
    read = await templates.get(made.id)
    assert (read.rating_sum, read.rating_count) == (6, 2)
    # Rated is not changed.
    assert read.updated_at == made.updated_at
    distribution = await templates.ratings.get_distribution(made.id)
    assert distribution == dal.RatingDistribution(0, 1, 0, 1, 0)
    assert (distribution.sum, distribution.count) == (6, 2)
    page = await templates.ratings.list_of(made.id, limit=1)
    assert page.rows == (own,)
    assert (await templates.ratings.list_of(made.id, limit=1, after=page.next)).rows == (again,)
    await templates.ratings.remove(made.id)
    assert await templates.ratings.find_mine(made.id) is None
    with pytest.raises(dal.NotFoundError):
        await templates.ratings.remove(made.id)
    read = await templates.get(made.id)
    assert (read.rating_sum, read.rating_count) == (4, 1)
    assert (await templates.ratings.list_of(made.id)).rows == (own,)
    # Who comes back starts anew.
    back = await templates.ratings.set(made.id, 1)
    assert back.created_at == clock.now()
    assert (await templates.ratings.get_distribution(made.id)).ones == 1


@pytest.mark.parametrize("rating", [0, 6, -1, True, 4.0, "5", None])
async def test_what_is_no_rating(as_ada: dal.Session, rating: Any) -> None:
    made = await as_ada.templates.create(name="n", content="c")
    with pytest.raises(dal.ValueRejectedError) as caught:
        await as_ada.templates.ratings.set(made.id, rating)
    assert caught.value.field == "rating"
    with pytest.raises(dal.ValueRejectedError) as caught:
        await as_ada.templates.ratings.set(made.id, 5, feedback="é" * 32_768)
    assert caught.value.field == "feedback"
    assert (await as_ada.templates.get(made.id)).rating_count == 0


async def test_who_may_rate(
    db: dal.Database,
    as_ada: dal.Session,
    as_bob: dal.Session,
    as_nobody: dal.Session,
    system: dal.Session,
    bob: dal.User,
) -> None:
    hidden = await as_ada.templates.create(name="n", content="c")
    seen = await as_ada.templates.create(name="n", content="c", visibility="public")
    viewer = db.acting_as(dal.Actor.user(bob.id, role=dal.Role.VIEWER))
    for session, template, expected in (
        (as_bob, hidden, dal.NotFoundError),
        # A viewer is told of nothing but that.
        (viewer, hidden, dal.PermissionDeniedError),
        (as_nobody, hidden, dal.NotFoundError),
        (viewer, seen, dal.PermissionDeniedError),
        (as_nobody, seen, dal.PermissionDeniedError),
        (system, seen, dal.PermissionDeniedError),
    ):
        with pytest.raises(expected):
            await session.templates.ratings.set(template.id, 5)
        with pytest.raises(expected):
            await session.templates.ratings.remove(template.id)
    with pytest.raises(dal.NotFoundError):
        await as_bob.templates.ratings.get_distribution(hidden.id)
    with pytest.raises(dal.NotFoundError):
        await as_bob.templates.ratings.list_of(hidden.id)
    assert (await as_ada.templates.get(seen.id)).rating_count == 0


async def test_exact_after_any_history(db: dal.Database, system: dal.Session, root: Root) -> None:
    """Ratings, users who go and come back, and templates in the trash, in any order."""
    dice = Random(4)
    _, me = (await users_with_sessions(db, 1))[0]
    raters = await users_with_sessions(db, 4)
    templates = [
        await me.templates.create(name=str(n), content="c", visibility="public") for n in range(3)
    ]
    gone: set[UUID] = set()
    trash: set[UUID] = set()
    done: Counter[str] = Counter()
    for _ in range(120):
        user, session = dice.choice(raters)
        template = dice.choice(templates)
        step = dice.choice(["rate", "rate", "rate", "remove", "user", "trash"])
        done[step] += 1
        if step == "user":
            if user.id in gone:
                await system.users.restore(user.id)
            else:
                await system.users.soft_delete(user.id)
            gone ^= {user.id}
        elif step == "trash":
            if template.id in trash:
                await me.templates.restore(template.id)
            else:
                await me.templates.soft_delete(template.id)
            trash ^= {template.id}
        else:
            try:
                if step == "rate":
                    await session.templates.ratings.set(template.id, dice.randint(1, 5))
                else:
                    await session.templates.ratings.remove(template.id)
                assert user.id not in gone
                assert template.id not in trash
            except dal.NotFoundError:
                pass
        for one in templates:
            kept = root(
                "SELECT rating_sum, rating_count FROM templates WHERE id = %s", one.id.bytes
            )
            assert kept == [recount(root, one.id)]
            if one.id not in trash:
                distribution = await me.templates.ratings.get_distribution(one.id)
                assert (distribution.sum, distribution.count) == recount(root, one.id)
                rated = (await me.templates.ratings.list_of(one.id)).rows
                assert sum(row.rating for row in rated) == distribution.sum
                assert gone.isdisjoint(row.user_id for row in rated)
    assert min(done.values()) > 5


async def test_many_at_once_lose_nothing(db: dal.Database, root: Root) -> None:
    _, me = (await users_with_sessions(db, 1))[0]
    made = await me.templates.create(name="n", content="c", visibility="public")
    raters = await users_with_sessions(db, 8)

    async def work(number: int, session: dal.Session) -> None:
        await session.templates.usage.record(made.id)
        await session.templates.ratings.set(made.id, 1 + number % 5)
        await asyncio.gather(
            session.templates.ratings.set(made.id, 1 + (number + 1) % 5),
            session.templates.usage.record(made.id),
        )

    await asyncio.gather(*(work(n, session) for n, (_, session) in enumerate(raters)))
    read = await me.templates.get(made.id)
    assert read.use_count == 16
    assert read.rating_count == 8
    assert (read.rating_sum, read.rating_count) == recount(root, made.id)
    assert read.rating_sum == sum(1 + (n + 1) % 5 for n in range(8))


def give_ratings(root: Root, template_id: UUID, ratings: list[int]) -> None:
    """Rows as `rate` writes them, of users who do nothing else: hundreds of them at once."""
    now = datetime(2025, 1, 1)  # noqa: DTZ001 - as the server has it
    ids = [uuid4().hex for _ in ratings]
    columns = [
        str(column)
        for (column,) in root(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'dal'"
            " AND table_name = 'users' AND INSTR(extra, 'GENERATED') = 0"
        )
    ]
    # Users as the owner is one.
    own = {"id": "n.id", "email": "CONCAT(HEX(n.id), '@example.org')"}
    root(
        f"INSERT INTO users ({', '.join(columns)})"
        f" SELECT {', '.join(own.get(column, f'u.{column}') for column in columns)}"
        f" FROM ({' UNION ALL '.join(['SELECT UNHEX(%s) AS id'] * len(ids))}) AS n"
        " JOIN templates AS t ON t.id = %s JOIN users AS u ON u.id = t.owner_id",
        *ids,
        template_id.bytes,
    )
    root(
        "INSERT INTO template_ratings (template_id, user_id, rating, created_at, updated_at)"
        " VALUES " + ", ".join(["(%s, UNHEX(%s), %s, %s, %s)"] * len(ids)),
        *(
            value
            for user, rating in zip(ids, ratings, strict=True)
            for value in (template_id.bytes, user, rating, now, now)
        ),
    )
    root(
        "UPDATE templates SET rating_sum = rating_sum + %s, rating_count = rating_count + %s"
        " WHERE id = %s",
        sum(ratings), len(ratings), template_id.bytes,
    )  # fmt: skip


async def names(session: dal.Session, **search: Any) -> list[str]:
    return [hit.template.name for hit in (await session.templates.search(**search)).rows]


async def test_one_five_does_not_win_against_two_hundred_of_four_point_eight(
    as_ada: dal.Session, as_bob: dal.Session, ada: dal.User, root: Root
) -> None:
    made = {}
    for name in ("unrated", "one five", "many", "bad", "twenty fives"):
        made[name] = await as_ada.templates.create(name=name, content="c", visibility="public")
    give_ratings(root, made["many"].id, [5] * 160 + [4] * 40)
    give_ratings(root, made["twenty fives"].id, [5] * 20)
    await as_bob.templates.ratings.set(made["one five"].id, 5)
    await as_bob.templates.ratings.set(made["bad"].id, 1)
    expected = ["many", "twenty fives", "one five", "unrated", "bad"]
    assert await names(as_ada, sort="rating", scope="mine") == expected
    assert await names(as_bob, sort="rating", owner_id=ada.id) == expected
    for name in expected:
        read = await as_ada.templates.get(made[name].id)
        assert (read.rating_sum, read.rating_count) == recount(root, read.id)
    assert (await as_ada.templates.ratings.get_distribution(made["many"].id)).fives == 160
    # The filter is of the mean itself, exact to the hundredth.
    for least, found in (
        (4.8, ["many", "twenty fives", "one five"]),
        (4.81, ["twenty fives", "one five"]),
        (5, ["twenty fives", "one five"]),
        (1, ["many", "twenty fives", "one five", "bad"]),
    ):
        assert await names(as_ada, sort="rating", scope="mine", min_rating=least) == found


async def test_uses_are_counted(
    as_ada: dal.Session, as_bob: dal.Session, as_nobody: dal.Session, system: dal.Session
) -> None:
    seen = await as_ada.templates.create(name="seen", content="c", visibility="public")
    hidden = await as_ada.templates.create(name="hidden", content="c")
    for session in (as_ada, as_bob, system):
        await session.templates.usage.record(seen.id)
    await as_ada.templates.usage.record(hidden.id)
    await system.templates.usage.record(hidden.id)
    for session in (as_bob, as_nobody):
        with pytest.raises(dal.NotFoundError):
            await session.templates.usage.record(hidden.id)
    with pytest.raises(dal.PermissionDeniedError):
        await as_nobody.templates.usage.record(seen.id)
    read = await as_ada.templates.get(seen.id)
    assert (read.use_count, read.updated_at) == (3, seen.updated_at)
    assert (await as_ada.templates.get(hidden.id)).use_count == 2
    await as_ada.templates.soft_delete(seen.id)
    with pytest.raises(dal.NotFoundError):
        await as_bob.templates.usage.record(seen.id)
    never = await as_ada.templates.create(name="never", content="c")
    assert never.trend == never.use_count == 0
    assert await names(as_ada, scope="mine", unused=True) == ["never"]
    assert await names(as_ada, scope="mine", sort="popular") == ["hidden", "never"]


async def test_a_use_counts_half_a_week_later(
    as_ada: dal.Session, as_bob: dal.Session, ada: dal.User, clock: dal.ManualClock
) -> None:
    async def make(name: str, uses: int) -> dal.Template:
        made = await as_ada.templates.create(name=name, content="c", visibility="public")
        for _ in range(uses):
            await as_bob.templates.usage.record(made.id)
        return await as_ada.templates.get(made.id)

    # Four uses two weeks ago, and three of a week ago, are as one and one and a half of today.
    four = await make("four, two weeks ago", 4)
    clock.move(timedelta(weeks=1))
    three = await make("three, a week ago", 3)
    clock.move(timedelta(weeks=1))
    one = await make("one, today", 1)
    two = await make("two, today", 2)
    assert (await names(as_ada, scope="mine", sort="trending"))[:2] == [two.name, three.name]
    assert await names(as_bob, owner_id=ada.id, sort="popular") == [
        four.name, three.name, two.name, one.name,
    ]  # fmt: skip
    # 10^9 a week, and a doubling is a week.
    assert abs(two.trend - one.trend - 10**9) <= 2
    assert abs(four.trend - one.trend) <= 4
    assert abs(four.trend + 10**9 - three.trend - 10**9 * (2 - 1.584962500721156)) <= 6
    await as_bob.templates.usage.record(four.id)
    assert await names(as_ada, scope="mine", sort="trending") == [
        name for _, name in sorted(
            [
                ((await as_ada.templates.get(t.id)).trend, t.name) for t in (one, two, three, four)
            ],
            reverse=True,
        )
    ]  # fmt: skip
    # One of today and what is left of the four: two.
    assert abs((await as_ada.templates.get(four.id)).trend - two.trend) <= 6
