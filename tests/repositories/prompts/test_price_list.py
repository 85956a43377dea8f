"""A published price list: every model comes in, and its decimals are those of every total."""

from __future__ import annotations

import csv
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

import pytest

import dal
from dal.cli.importing import Importer, Report
from dal.cli.prices import Prices
from tests.conftest import new_user
from tests.repositories.data import data_file, file_of, script_adapters

COLUMNS: Final = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
}
SINCE: Final = "2020-01-01T00:00:00+00:00"


async def put(system: dal.Session, rows: list[Any]) -> Report:
    return await Importer(kind=Prices(effective_from=SINCE)).run(file_of(rows), system)


async def test_3705_models_and_what_they_cost(db: dal.Database, clock: dal.ManualClock) -> None:
    path = data_file("llm_prices.csv")
    system = db.acting_as(dal.Actor.system("tests"))
    rows = list(script_adapters("prices")["llm_prices"].rows(path))
    report = await put(system, rows)
    assert (report.rows, report.imported, report.bad) == (3_705, 3_705, [])
    again = await put(system, rows)
    assert (again.imported, again.already_there, again.bad) == (0, 3_705, [])

    with path.open(encoding="utf-8", newline="") as file:
        published = list(csv.DictReader(file))
    assert len(published) == 3_705
    step = Decimal(10) ** -18
    exact = {
        (row["model"], row["provider"], name): Decimal(row[column]).quantize(step, ROUND_HALF_EVEN)
        for row in published
        for name, column in COLUMNS.items()
        if row[column]
    }
    stored = await system.prompts.costs.list_prices(row["model"] for row in published)
    assert {(p.model, p.provider, p.usage_type): p.unit_price for p in stored} == exact

    # A model of each number of decimals, answered a few times: the total is the sum to the last.
    me = db.acting_as(dal.Actor.user((await new_user(db)).id))
    talk = await me.conversations.create(title="t")
    of_scale = {-price.normalize().as_tuple().exponent: key for key, price in exact.items()}  # type: ignore[operator]
    assert max(of_scale) >= 15
    total = Decimal(0)
    for n, (model, provider, name) in enumerate(of_scale.values()):
        used = {name: 12_345_678_901 + n}
        made = await me.prompts.create(
            talk.id, user_input="?", response="!", model=model, provider=provider, usage=used
        )
        cost = exact[model, provider, name] * used[name]
        assert made.cost == cost
        total += cost
    assert (await me.conversations.get(talk.id)).cost == total
    found = await me.prompts.costs.compare_conversation(talk.id, model="gpt-4o", provider="openai")
    cheap = {name: exact["gpt-4o", "openai", name] for name in ("input", "output", "cache_read")}
    wanted = sum(
        (cheap.get(name, cheap["input"]) * tokens for name, tokens in found.usage.items()),
        Decimal(0),
    )
    assert (found.elsewhere.cost, found.elsewhere.source) == (wanted, "table")
    clock.move(timedelta(days=1))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"model": "m", "provider": "p"}, "prices: an object of types and prices"),
        ({"model": "m", "provider": "p", "prices": {"input": 1}}, 'unit_price: a text, as "0.0'),
        ({"model": "m", "provider": "p", "prices": {"input": "-1"}}, "unit_price: a Decimal of"),
        ({"provider": "p", "prices": {"input": "1"}}, "model: missing"),
        ({"model": "m", "provider": "p", "prices": {"In": "1"}}, "usage_type: a type of tokens"),
        ({"model": "m", "provider": "p", "prices": {"in": "1"}, "x": 1}, "x: no field of a price"),
        (
            {"model": "m", "provider": "p", "prices": {"in": "1"}, "effective_from": "today"},
            "effective_from: malformed",
        ),
    ],
)
async def test_a_bad_row_is_named(db: dal.Database, row: Any, reason: str) -> None:
    system = db.acting_as(dal.Actor.system("tests"))
    report = await put(system, [row])
    assert [bad.reason[: len(reason)] for bad in report.bad] == [reason]


async def test_another_price_from_the_same_time_on_is_refused(db: dal.Database) -> None:
    system = db.acting_as(dal.Actor.system("tests"))
    first = {"model": "twice", "provider": "p", "prices": {"input": "1"}}
    assert (await put(system, [first])).imported == 1
    report = await put(system, [{**first, "prices": {"input": "2"}}])
    assert [bad.reason for bad in report.bad] == ["another price holds from then on"]
    both = await put(system, [{**first, "model": "a"}, {**first, "model": "a"}])
    assert (both.imported, [bad.reason for bad in both.bad]) == (1, ["model: that of line 1 too"])
