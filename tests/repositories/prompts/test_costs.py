"""What attempts cost: exact decimals of prices as of a time, frozen, recalculated, rolled up."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

import pytest

import dal
from tests.conftest import new_user
from tests.repositories.conftest import Root

PRICES: Final = {"input": Decimal("0.000000250000000001"), "output": Decimal("0.00001")}
DAYS: Final = "SELECT * FROM usage_days WHERE day >= DATE(%s) ORDER BY 1, 2, 3, 4, 5, 6, 7"


@pytest.fixture
async def me(db: dal.Database) -> dal.Session:
    return db.acting_as(dal.Actor.user((await new_user(db)).id))


@pytest.fixture
def system(db: dal.Database) -> dal.Session:
    return db.acting_as(dal.Actor.system("tests"))


@pytest.fixture
async def talk(me: dal.Session) -> dal.Conversation:
    return await me.conversations.create(title="t")


@pytest.fixture
def m() -> str:
    """A model of this test alone."""
    return uuid4().hex


def price_list(
    model: str, at: datetime, prices: dict[str, Decimal] | None = None, provider: str = "p"
) -> list[dal.NewPrice]:
    return [
        dal.NewPrice(
            model=model, provider=provider, usage_type=name, unit_price=price, effective_from=at
        )
        for name, price in (PRICES if prices is None else prices).items()
    ]


async def asked(me: dal.Session, talk: dal.Conversation, **how: Any) -> dal.Prompt:
    made = await me.prompts.create(talk.id, user_input="?", **how)
    await me.prompts.start(made.id)
    return made


async def test_an_answer_costs_what_its_tokens_cost_when_it_comes(
    me: dal.Session, system: dal.Session, talk: dal.Conversation, clock: dal.ManualClock, m: str
) -> None:
    await system.prompts.costs.add_prices(price_list(m, clock.now()))
    made = await asked(me, talk, model=m)
    used = {"input": 1_000, "cache_read": 10, "output": 7, "reasoning": 3, "audio": 2}
    await me.prompts.complete(made.id, response="!", usage=used)
    # The cache as input and reasoning as output, since the list has no prices of their own.
    exact = 1_010 * PRICES["input"] + 10 * PRICES["output"]
    found = await me.prompts.get(made.id)
    assert (found.token_count, found.cost) == (1_022, exact)
    assert (await me.conversations.get(talk.id)).cost == exact
    ((record, items),) = (
        (one.record, one.items) for one in await me.prompts.costs.get_attempts(made.id)
    )
    assert (record.cost, record.cost_source) == (exact, "partial")
    assert {item.usage_type: item.unit_price for item in items} == {
        "input": PRICES["input"], "cache_read": PRICES["input"], "output": PRICES["output"],
        "reasoning": PRICES["output"], "audio": None,
    }  # fmt: skip
    # A new price changes nothing that was spent.
    clock.move(timedelta(days=1))
    await system.prompts.costs.add_prices(price_list(m, clock.now(), {"input": Decimal(1)}))
    assert await me.prompts.get(made.id) == found
    assert (await me.prompts.costs.estimate(used, model=m)).cost == 1_010
    then = clock.now() - timedelta(microseconds=1)
    assert (await me.prompts.costs.estimate(used, model=m, at=then)).cost == exact


async def test_the_log_tells_what_an_answer_took(me: dal.Session, talk: dal.Conversation) -> None:
    made = await asked(me, talk, model="m")
    await me.prompts.complete(made.id, response="!", usage={"input": 2, "output": 3}, cost=1)
    told = (await me.audit.list_mine(limit=1)).rows[0].changes
    assert told["usage"]["to"] == {"input": 2, "output": 3}
    assert (told["model"]["to"], Decimal(told["cost"]["to"])) == ("m", Decimal(1))


async def test_a_model_of_several_providers_has_a_price_where_one_is_said(
    me: dal.Session, system: dal.Session, clock: dal.ManualClock, m: str
) -> None:
    at = clock.now()
    await system.prompts.costs.add_prices(price_list(m, at, provider="p"))
    await system.prompts.costs.add_prices(price_list(m, at, {"input": Decimal(2)}, "q"))
    estimate = me.prompts.costs.estimate
    assert (await estimate({"input": 1}, model=m)).source == "none"
    assert (await estimate({"input": 1}, model=m, provider="q")).cost == 2
    assert (await estimate({"input": 1}, model=m, provider="r")).source == "none"
    assert (await estimate({}, model=m, provider="q")).source == "table"


async def test_the_model_that_answered_has_the_price(
    me: dal.Session, system: dal.Session, talk: dal.Conversation, clock: dal.ManualClock, m: str
) -> None:
    for name, price in ((m, 1), (f"{m}2", 2)):
        await system.prompts.costs.add_prices(
            price_list(name, clock.now(), {"input": Decimal(price)})
        )
    made = await asked(me, talk, model=m, max_attempts=2)
    await me.prompts.fail(made.id, error_code="e", usage={"input": 1})
    await me.prompts.retry(made.id)
    await me.prompts.start(made.id)
    answer: dict[str, Any] = {"response": "!", "usage": {"input": 1}, "model": f"{m}2"}
    await me.prompts.complete(made.id, **answer)
    found = await me.prompts.get(made.id)
    assert (found.token_count, found.cost, found.model) == (2, Decimal(3), f"{m}2")
    assert [a.record.cost for a in await me.prompts.costs.get_attempts(made.id)] == [1, 2]
    # The same answer again is of the last attempt alone.
    await me.prompts.complete(made.id, **answer)
    for other in ({"usage": {"output": 1}}, {"cost": 2}):
        with pytest.raises(dal.InvalidTransitionError):
            await me.prompts.complete(made.id, **{**answer, **other})
    assert await me.prompts.get(made.id) == found


async def test_prices_stay(
    me: dal.Session, system: dal.Session, clock: dal.ManualClock, m: str
) -> None:
    prices = price_list(m, clock.now())
    assert await system.prompts.costs.add_prices(prices) == 2
    assert await system.prompts.costs.add_prices(prices * 2) == 0
    another = price_list(m, clock.now(), {"input": Decimal(1), "audio": Decimal(1)})
    with pytest.raises(dal.UniqueError):
        await system.prompts.costs.add_prices(another)
    with pytest.raises(dal.ValueRejectedError) as refused:
        await system.prompts.costs.add_prices([*prices, *another])
    assert refused.value.field == "prices"
    assert await me.prompts.costs.list_prices([m, "n"]) == [
        price.stored for price in sorted(prices, key=lambda price: price.usage_type)
    ]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("unit_price", Decimal("1E-19")), ("unit_price", -1), ("unit_price", 0.1),
        ("unit_price", Decimal("Infinity")), ("unit_price", 10**6 + 1), ("model", ""),
        ("model", "x" * 201), ("provider", None), ("usage_type", "Input"),
        ("effective_from", datetime(2026, 1, 1)), ("effective_from", "now"),  # noqa: DTZ001
    ],
)  # fmt: skip
def test_a_price_that_cannot_be_stored_is_named(field: str, wrong: Any) -> None:
    given: dict[str, Any] = {
        "model": "m", "provider": "p", "usage_type": "input", "unit_price": 1,
        "effective_from": datetime(2026, 1, 1, tzinfo=UTC), field: wrong,
    }  # fmt: skip
    with pytest.raises(dal.ValueRejectedError) as refused:
        dal.NewPrice(**given)
    assert refused.value.field == field


async def test_prices_that_come_in_late(
    me: dal.Session,
    system: dal.Session,
    talk: dal.Conversation,
    clock: dal.ManualClock,
    m: str,
    root: Root,
) -> None:
    clock.move(timedelta(days=1_000))
    first_at = clock.now()
    ids = []
    for n in range(4):
        made = await asked(me, talk, model=m, provider="p")
        cost = Decimal(5) if n == 3 else None
        await me.prompts.complete(made.id, response="!", usage={"input": n + 1}, cost=cost)
        ids.append(made.id)
        clock.move(timedelta(hours=12))
    await me.prompts.soft_delete(ids[1])
    await me.prompts.fail((await asked(me, talk)).id, error_code="e", usage={"input": 9})
    # One list for the first two, another one for those that came later.
    await system.prompts.costs.add_prices(price_list(m, first_at, {"input": Decimal(1)}))
    day = timedelta(days=1)
    await system.prompts.costs.add_prices(price_list(m, first_at + day, {"input": Decimal(10)}))
    recalculate = system.prompts.costs.recalculate
    window: dict[str, Any] = {"from_at": first_at, "until_at": clock.now() + day}
    assert await recalculate(**window) == dal.Recalculation(4, 3, Decimal(33))
    assert await recalculate(**window) == dal.Recalculation(4, 0, Decimal(0))
    costs = [
        row[0]
        for row in root(
            "SELECT cost FROM prompts WHERE conversation_id = %s ORDER BY sequence_number",
            talk.id.bytes,
        )
    ]
    assert costs == [1, 2, 30, 5, 0]
    assert (await me.conversations.get(talk.id)).cost == 36
    assert not await system.conversations.totals.recompute(talk.id)
    # The roll-up changed with them: made anew it is the same.
    before = root(DAYS, first_at)
    clock.move(3 * day)
    days = {"first": first_at.date(), "last": first_at.date() + 3 * day}
    assert await system.prompts.costs.rebuild_days(**days) == len(before)
    assert root(DAYS, first_at) == before
    assert sum(row[-1] for row in before) == 2 * 38
    root("UPDATE usage_days SET completed = 7, cost = 1 WHERE day >= DATE(%s)", first_at)
    await system.prompts.costs.rebuild_days(**days)
    assert root(DAYS, first_at) == before


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [(0, 1, "last"), (0, 0, "last"), (None, -1, "first"), (-3_661, -1, "first")],
)
async def test_a_day_that_is_not_over_is_not_made_anew(
    system: dal.Session, clock: dal.ManualClock, first: int | None, last: int, field: str
) -> None:
    today = clock.now().date()
    begin: Any = None if first is None else today + timedelta(days=first)
    with pytest.raises(dal.ValueRejectedError) as refused:
        await system.prompts.costs.rebuild_days(first=begin, last=today + timedelta(days=last))
    assert refused.value.field == field


async def test_many_who_complete_at_once_are_all_rolled_up(
    db: dal.Database, clock: dal.ManualClock, root: Root, m: str
) -> None:
    """Of one model on one day, by several people and of several latencies, one of which is none."""
    clock.move(timedelta(days=2_000))
    people = [db.acting_as(dal.Actor.user((await new_user(db, f"n{n}")).id)) for n in range(4)]
    talks = [await person.conversations.create(title="t") for person in people]

    async def work(n: int) -> None:
        person, talk = people[n % 4], talks[n % 4]
        made = await asked(person, talk, model=m)
        if n % 5 == 0:
            await person.prompts.fail(made.id, error_code="e", latency_ms=7)
        else:
            await person.prompts.complete(
                made.id, response="!", usage={"output": n}, cost=n,
                latency_ms=None if n % 3 == 0 else 10**(n % 3),
            )  # fmt: skip

    await asyncio.gather(*(work(n) for n in range(40)))
    rows = root(
        "SELECT facet, SUM(completed), SUM(failed), SUM(output_tokens), SUM(cost),"
        " SUM(latency_ms), SUM(timed_tokens) FROM usage_days WHERE day >= DATE(%s)"
        " GROUP BY facet ORDER BY facet",
        clock.now(),
    )
    done = [n for n in range(40) if n % 5]
    timed = [n for n in done if n % 3]
    latency = sum(10 ** (n % 3) for n in timed)
    sums = (len(done), 40 - len(done), sum(done), sum(done), latency, sum(timed))
    assert [(row[0], *map(int, row[1:])) for row in rows] == [("template", *sums), ("user", *sums)]
    buckets = Counter(
        row[0]
        for row in root(
            "SELECT latency_bucket FROM usage_records WHERE finished_at >= %s", clock.now()
        )
    )
    # One millisecond is in the first bucket; 10 and 100 in the 24th and the 48th.
    assert {bucket for bucket in buckets if bucket >= 0} == {24, 48}


async def test_what_was_spent_outlives_what_it_was_for(
    me: dal.Session,
    system: dal.Session,
    talk: dal.Conversation,
    clock: dal.ManualClock,
    root: Root,
) -> None:
    clock.move(timedelta(days=3_000))
    at = clock.now()
    made = await asked(me, talk)
    await me.prompts.complete(made.id, response="!", usage={"input": 3}, cost=1)

    def spent() -> list[object]:
        tables = ("usage_records", "usage_items")
        return [
            root(DAYS, at),
            *(root(f"SELECT * FROM {t} WHERE prompt_id = %s", made.id.bytes) for t in tables),
        ]

    before = spent()
    await me.conversations.soft_delete(talk.id)
    clock.move(timedelta(days=1))
    assert await system.conversations.trash.purge_deleted(older_than=timedelta(0)) >= 1
    assert root("SELECT COUNT(*) FROM prompts WHERE id = %s", made.id.bytes)[0][0] == 0
    assert spent() == before
    assert all(before)


async def test_what_it_would_have_cost_elsewhere(
    me: dal.Session, system: dal.Session, talk: dal.Conversation, clock: dal.ManualClock, m: str
) -> None:
    at = clock.now()
    await system.prompts.costs.add_prices(price_list(m, at))
    for n in (1, 2):
        made = await asked(me, talk, model="another")
        await me.prompts.complete(made.id, response="!", usage={"input": n, "output": 10 * n})
    costs = me.prompts.costs
    exact = 3 * PRICES["input"] + 30 * PRICES["output"]
    of_talk = await costs.compare_conversation(talk.id, model=m)
    assert (of_talk.usage, of_talk.elsewhere.cost) == ({"input": 3, "output": 30}, exact)
    window: dict[str, Any] = {"from_at": at, "until_at": at + timedelta(seconds=1)}
    assert await costs.compare_mine(model=m, **window) == of_talk
    assert (await costs.compare_mine(model=m, from_at=at, until_at=at)).usage == {}
