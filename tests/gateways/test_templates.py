"""sql/templates/ through TemplatesGateway."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import log2
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal.gateways import (
    CategoriesGateway,
    TemplatesGateway,
    TemplateTagsGateway,
    UsersGateway,
)
from dal.records.templates import TemplateParent
from tests.gateways.helpers import (
    AS_SYSTEM,
    NOW,
    StoredTemplate,
    put_on,
    stored_template,
    tag,
    template,
    template_row,
    user,
)

LATER = NOW + timedelta(seconds=1)
PUBLIC = dal.Visibility.PUBLIC


@attrs.define
class Case:
    """Two owners with a private, a public and a deleted template each; the second is deleted."""

    tx: dal.Session
    gateway: TemplatesGateway
    owner: UUID
    gone: UUID
    ids: dict[str, UUID]


@pytest.fixture
async def case(tx: dal.Session) -> Case:
    owner, gone = await user(tx), await user(tx)
    gateway = TemplatesGateway(tx)
    ids = {}
    for prefix, who in (("", owner), ("gone_", gone)):
        ids[f"{prefix}private"] = await template(tx, who)
        ids[f"{prefix}public"] = await template(tx, who, visibility=PUBLIC)
        ids[f"{prefix}deleted"] = await template(tx, who, visibility=PUBLIC)
        await gateway.soft_delete(template_id=ids[f"{prefix}deleted"], actor_id=who, now=NOW)
    await UsersGateway(tx).soft_delete(user_id=gone, now=NOW)
    return Case(tx, gateway, owner, gone, ids)


async def test_insert(tx: dal.Session) -> None:
    owner, gateway = await user(tx), TemplatesGateway(tx)
    row = template_row(owner)
    assert await gateway.insert(**row) == 1
    with pytest.raises(dal.UniqueError) as caught:
        await gateway.insert(**row)
    assert caught.value.constraint == "PRIMARY"
    assert await gateway.insert(**template_row(uuid4())) == 0
    with pytest.raises(dal.ParentMissingError) as missing:
        await gateway.insert(**template_row(owner, category_id=uuid4()))
    assert missing.value.constraint == "fk_templates_category"
    with pytest.raises(dal.CheckError) as check:
        await gateway.insert(**template_row(owner, version=0))
    assert check.value.constraint == "ck_templates_head_version"
    with pytest.raises(dal.CheckError) as check:
        await gateway.insert(**template_row(owner, version=3, last_version=2))
    assert check.value.constraint == "ck_templates_last_version"
    with pytest.raises(dal.ValueRejectedError) as refused:
        await gateway.insert(**template_row(owner, visibility="shared"))
    assert refused.value.field == "visibility"
    await UsersGateway(tx).soft_delete(user_id=owner, now=NOW)
    assert await gateway.insert(**template_row(owner)) == 0


async def test_insert_many(tx: dal.Session) -> None:
    owner, gateway = await user(tx), TemplatesGateway(tx)
    rows = [template_row(owner, name=str(i)) for i in range(3)]
    assert await gateway.insert_many(rows) == 3
    assert await gateway.count_own(actor_id=owner) == 3
    with pytest.raises(dal.UniqueError):
        await gateway.insert_many([template_row(owner), rows[0]])
    assert await gateway.count_own(actor_id=owner) == 3
    with pytest.raises(dal.ParentMissingError) as missing:
        await gateway.insert_many([template_row(uuid4())])
    assert missing.value.constraint == "fk_templates_owner"


async def test_locks_need_a_transaction(system: dal.Session) -> None:
    gateway = TemplatesGateway(system)
    for locking in (
        gateway.lock_own(template_id=uuid4(), actor_id=uuid4()),
        gateway.lock_visible(template_id=uuid4(), actor_id=uuid4()),
        gateway.lock_parents(owner_id=uuid4(), slugs=["x"]),
        gateway.list_purgeable(deleted_before=NOW, limit_rows=1),
    ):
        with pytest.raises(dal.UsageError):
            await locking


async def test_lock_parents(case: Case) -> None:
    slug, category_id = uuid4().hex, uuid4()
    await CategoriesGateway(case.tx).insert_many(
        [{"category_id": category_id, "slug": slug, "category_name": "C", "now": NOW}]
    )

    async def ask(owner: UUID, *slugs: str) -> list[TemplateParent]:
        return await case.gateway.lock_parents(owner_id=owner, slugs=slugs)

    assert await ask(case.owner, slug, uuid4().hex) == [
        TemplateParent(case.owner, category_id, slug, "C")
    ]
    assert await ask(case.owner, uuid4().hex) == [TemplateParent(case.owner, None, None, None)]
    assert await ask(case.gone, slug) == await ask(uuid4(), slug) == []


async def changed(case: Case, change: Callable[[UUID, UUID], Awaitable[int]]) -> set[str]:
    """Which templates a change of the owner's affects; a stranger's affects none."""
    affected = set()
    for name, template_id in [*case.ids.items(), ("absent", uuid4())]:
        assert await change(template_id, uuid4()) == 0
        n = await change(template_id, case.owner)
        assert n in (0, 1)
        if n:
            affected.add(name)
    return affected


async def test_purge(case: Case) -> None:
    tag_id = await tag(case.tx)
    await put_on(case.tx, case.ids["deleted"], tag_id)
    done = await changed(case, lambda i, who: case.gateway.purge(template_id=i, actor_id=who))
    assert done == {"deleted"}
    gone = case.ids["deleted"]
    # Versions and tags go with it: another template may have their keys.
    assert await TemplateTagsGateway(case.tx).delete_by_template(template_id=gone) == 0
    assert await template(case.tx, case.owner, template_id=gone) == gone
    found = await case.gateway.get(template_id=gone, **AS_SYSTEM)
    assert (found.head_version, found.tags) == (1, frozenset())


async def test_purge_many(case: Case) -> None:
    everything = [*case.ids.values(), uuid4()]
    assert await case.gateway.purge_many(template_ids=everything) == 2
    assert await case.gateway.purge_many(template_ids=everything) == 0
    assert await case.gateway.purge_many(template_ids=[]) == 0
    assert await case.gateway.count_own(actor_id=case.owner) == 2


async def numbers(tx: dal.Session, template_id: UUID) -> tuple[int, int, int]:
    stored = await stored_template(tx, template_id)
    return stored.rating_sum, stored.rating_count, stored.rating_rank


@pytest.mark.parametrize(
    ("total", "count"),
    [(1, 1), (5, 1), (5, 5), (500, 100), (3, 1), (7, 3), (4_000_000_000, 800_000_000)],
)
async def test_rank_is_the_mean_of_the_ratings_and_of_ten_threes(
    case: Case, total: int, count: int
) -> None:
    private = case.ids["private"]
    await case.gateway.update_rating(template_id=private, rating_change=0, count_change=0)
    # Larger changes than a rating makes, in steps that fit.
    left_total, left_count = total, count
    while left_count:
        n = min(left_count, 400_000_000)
        part = left_total if n == left_count else n * (left_total // left_count)
        await case.gateway.update_rating(template_id=private, rating_change=part, count_change=n)
        left_total, left_count = left_total - part, left_count - n
    rank = (total + 30) * 100_000 // (count + 10)
    assert await numbers(case.tx, private) == (total, count, rank)
    assert 100_000 <= rank <= 500_000


WEEK = 604_800
YEAR_2020 = datetime(2020, 1, 1, tzinfo=UTC)


def trend_of(*uses: tuple[datetime, int]) -> float:
    """10^9 log2 of the sum of 2^(weeks since 2020): each time, and how many uses there were."""
    weeks = [((at - YEAR_2020) // timedelta(seconds=1) / WEEK, n) for at, n in uses]
    most = max(week for week, _ in weeks)
    return 1e9 * (most + log2(sum(n * 2.0 ** (week - most) for week, n in weeks)))


async def use(case: Case, template_id: UUID, at: datetime) -> StoredTemplate:
    before = await stored_template(case.tx, template_id)
    assert await case.gateway.record_use(template_id=template_id, now=at, **AS_SYSTEM) == 1
    after = await stored_template(case.tx, template_id)
    assert after == attrs.evolve(before, use_count=before.use_count + 1, trend=after.trend)
    return after


DAYS = timedelta(days=1)


@pytest.mark.parametrize(
    "times",
    [
        [NOW],
        [NOW, NOW],
        [NOW + i * timedelta(seconds=1) for i in range(20)],
        [NOW, NOW + 7 * DAYS],
        [NOW + n * DAYS for n in (0, 1, 1, 3, 10, 11, 500, 501, 10_000)],
        # Uses that are told late, and a clock that was put back by seconds, by weeks, by years.
        [NOW, NOW - timedelta(seconds=1), NOW - 7 * DAYS, NOW + DAYS, NOW - 3 * DAYS],
        [NOW, NOW - 5 * 365 * DAYS],
        [NOW.replace(microsecond=999_999), NOW, NOW + timedelta(microseconds=1)],
        [datetime(2311, 12, 31, tzinfo=UTC), NOW, datetime(2311, 12, 31, tzinfo=UTC)],
    ],
    ids=["one", "two at once", "seconds", "a week", "years", "late", "long ago", "parts", "last"],
)
async def test_trend_is_the_sum_of_uses_that_halve_each_week(
    case: Case, times: list[datetime]
) -> None:
    template_id = case.ids["private"]
    done: list[tuple[datetime, int]] = []
    for at in times:
        fresh = await use(case, template_id, at)
        done.append((at, 1))
        assert abs(fresh.trend - trend_of(*done)) <= 2 * len(done) + 2, done
    assert fresh.use_count == len(times)


async def test_trend_of_thousands_of_uses_at_one_moment(case: Case) -> None:
    template_id = case.ids["private"]
    trends: list[int] = []
    for _ in range(3000):
        assert await case.gateway.record_use(template_id=template_id, now=NOW, **AS_SYSTEM) == 1
        if len(trends) < 50:
            trends.append((await stored_template(case.tx, template_id)).trend)
    assert all(earlier < now for earlier, now in pairwise(trends))
    fresh = await stored_template(case.tx, template_id)
    assert fresh.use_count == 3000
    # Rounding of each use weighs as little as the use itself.
    assert abs(fresh.trend - trend_of((NOW, 3000))) <= 30


async def test_trend_of_a_clock_before_2020(case: Case) -> None:
    """No error, never 0 again, and of no weight beside a use of now."""
    early = [YEAR_2020, YEAR_2020 - timedelta(seconds=1), datetime(1970, 1, 1, tzinfo=UTC)]
    private, public = case.ids["private"], case.ids["public"]
    for at in early:
        fresh = await use(case, private, at)
        assert 0 < fresh.trend < 10**10
    used = await use(case, private, NOW)
    assert abs(used.trend - trend_of((NOW, 1))) <= 10
    before = (await use(case, public, NOW)).trend
    for at in early:
        assert before <= (await use(case, public, at)).trend <= before + 5


@pytest.mark.parametrize("year", [1727, 2313])
async def test_trend_at_times_292_years_from_2020(case: Case, year: int) -> None:
    await use(case, case.ids["private"], NOW)
    await use(case, case.ids["private"], datetime(year, 1, 1, tzinfo=UTC))
