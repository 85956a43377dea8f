"""Prices, usage and its daily roll-up: what their statements are asked with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any, Final, cast
from uuid import UUID

from tests import fill
from tests.fill import OWNER
from tests.sql.aggregates.common import FRESH, NEVER_MISSES, Aggregate, Numbers, Values, same
from tests.sql.aggregates.conversations import LIVE

_COUNTED: Final = {
    "completed": "completed_count", "failed": "failed_count", "latency_ms": "timed_ms",
    **{name: name for name in fill.DAY_SUMS[3:]},
}  # fmt: skip
_FRESH: Final[Values] = {"prompt_id": fill.prompt_id(FRESH, 1)}
_A_RECORD: Final[Mapping[str, Any]] = fill.usage_record(LIVE, 4, 1, 1)
# Rows that are there already, of a template and of OWNER.
_COUNTED_ALREADY: Final[Values] = {
    **{name: _A_RECORD[name] for name in (
        "template_id", "template_version", "provider", "model", "latency_bucket",
    )},
    "ended_at": _A_RECORD["finished_at"],
}  # fmt: skip


def _days(values: Values) -> dict[tuple[object, ...], dict[str, Any]]:
    return {
        (row["facet"], row["subject_id"], row["day"], row["template_version"], row["provider"],
         row["model"], row["latency_bucket"]): row
        for row in fill.rolled_up(1)
    }  # fmt: skip


def _added(values: Values) -> Values:
    """Both rows of the attempt, with what was in them before."""
    found = _days(values)
    day = cast(datetime, values["ended_at"]).date()
    model = (values["provider"] or "", values["model"] or "", values["latency_bucket"])
    template = values["template_id"] or fill.NO_SUBJECT
    version = values["template_version"] or 0
    keys = {
        "t": ("template", template, day, version, *model),
        "u": ("user", values["author_id"], day, 0, *model),
    }
    after: Values = {}
    for short, key in keys.items():
        for name, param in _COUNTED.items():
            before = found[key][name] if key in found else 0
            by = cast(Any, values[param])
            total = before + by
            after[f"{short}_{name}"] = (
                Decimal(total).quantize(Decimal(10) ** -18) if name == "cost" else total
            )
    return after


def _day_row(short: str, facet: str, subject: str, version: str) -> str:
    """One row of the roll-up, its sums under names of their own."""
    sums = ", ".join(f"MAX({short}.{name}) AS {short}_{name}" for name in fill.DAY_SUMS)
    return (
        f"SELECT {sums} FROM usage_days AS {short} WHERE {short}.facet = '{facet}'"
        f" AND {short}.subject_id = {subject} AND {short}.day = DATE(:ended_at)"
        f" AND {short}.template_version = {version}"
        f" AND {short}.provider = COALESCE(:provider, '')"
        f" AND {short}.model = COALESCE(:model, '')"
        f" AND {short}.latency_bucket = :latency_bucket"
    )


_BOTH_ROWS: Final = (
    "SELECT t.*, u.* FROM ("
    + _day_row(
        "t",
        "template",
        f"COALESCE(:template_id, UNHEX('{fill.NO_SUBJECT.hex}'))",
        "COALESCE(:template_version, 0)",
    )
    + ") AS t CROSS JOIN ("
    + _day_row("u", "user", ":author_id", "0")
    + ") AS u"
)


def _prices(_: int, values: Values) -> list[tuple[object, ...]]:
    names = cast(list[str], values["model_names"])
    found = sorted(
        (row["model"], row["provider"], row["effective_from"], row["usage_type"])
        for row in fill.model_prices(1)
        if row["model"] in names
    )
    return list(found)


def _items(_: int, values: Values) -> list[tuple[object, ...]]:
    ids = cast(list[UUID], values["prompt_ids"])
    found = sorted(
        (row["prompt_id"], row["attempt"], row["usage_type"])
        for row in fill.usage_items(1)
        if row["prompt_id"] in ids
    )
    return list(found)


_ITEM: Final[Values] = {"prompt_id": fill.prompt_id(LIVE, 2), "usage_type": "input"}


def _between(n: int, first: int, last: int) -> Values:
    """From where a prompt ended until where another one did."""
    return {
        "from_at": fill.prompt_created_at(n, first),
        "until_at": fill.prompt_created_at(n, last),
    }


_TO_ROLL_UP: Final = _between(7, 2, 7)
_A_DAY: Final[Values] = {"from_at": _A_RECORD["finished_at"], "facet": "user"}


def _records(factor: int) -> list[dict[str, Any]]:
    return [fill.usage_record(*one, factor) for one in fill.ended(factor)]


def _listed(*columns: tuple[str, str]) -> Numbers:
    """Attempts whose columns are what is asked for, in order."""

    def found(factor: int, values: Values) -> list[tuple[object, ...]]:
        rows = sorted(
            (row["finished_at"], row["prompt_id"], row["attempt"])
            for row in _records(factor)
            if all(row[column] == values[param] for column, param in columns)
            and _is_within(row, values)
        )
        return [row[1:] for row in rows[: cast(int, values["limit_rows"])]]

    return found


def _summed(facet: str, *columns: tuple[str, str]) -> Numbers:
    """The roll-up of some days by day, model and latency: all its sums."""

    def found(factor: int, values: Values) -> list[tuple[object, ...]]:
        days = [cast(datetime, values[name]).date() for name in ("from_day", "to_day")]
        groups: dict[tuple[Any, ...], list[Any]] = {}
        for row in cast(Iterable[dict[str, Any]], fill.usage_days(factor)):
            is_asked = all(row[column] == values[param] for column, param in columns)
            if row["facet"] != facet or not is_asked or not days[0] <= row["day"] <= days[1]:
                continue
            key = (row["day"], row["provider"], row["model"], row["latency_bucket"])
            sums = groups.setdefault(key, [0] * len(fill.DAY_SUMS))
            for place, name in enumerate(fill.DAY_SUMS):
                sums[place] += row[name]
        step = Decimal(10) ** -18
        rows = [
            (*key, *sums[:-1], Decimal(sums[-1]).quantize(step)) for key, sums in groups.items()
        ]
        return [*sorted(rows)[: cast(int, values["limit_rows"])]]

    return found


def _by_status(factor: int, values: Values) -> list[tuple[object, ...]]:
    """In the order of the ENUM."""
    counts: Counter[str] = Counter()
    for n in range(fill.n_conversations(factor)):
        owner = fill.conversation_owner(n, factor)
        is_live = fill.conversation_deleted_at(n) is None and fill.user_deleted_at(owner) is None
        is_asked = values.get("conversation_id") == fill.conversation_id(n) or values.get(
            "author_id"
        ) == fill.user_id(owner)
        if is_live and is_asked:
            counts.update(fill.prompt_status(k) for k in fill.live_prompts(n))
    order = ("pending", "processing", "completed", "failed", "cancelled")
    return [(status, counts[status]) for status in order if counts[status]]


def _priced(factor: int, values: Values) -> list[tuple[object, ...]]:
    """Attempts that somebody else priced are left out."""
    after = tuple(values[f"after_{name}"] for name in ("ended_at", "prompt_id", "attempt"))
    found = sorted(
        (row["finished_at"], row["prompt_id"], row["attempt"])
        for row in _records(factor)
        if row["cost_source"] != "caller" and row["finished_at"] < values["until_at"]
    )
    ids = [(row[1], row[2]) for row in found if row > after]
    return [*ids[: cast(int, values["limit_rows"])]]


def _tokens_of(rows: Iterable[Mapping[str, Any]]) -> list[tuple[object, ...]]:
    """By type, of those attempts whose items are there."""
    wanted = {(row["prompt_id"], row["attempt"]) for row in rows}
    sums: Counter[str] = Counter()
    for item in fill.usage_items(1):
        if (item["prompt_id"], item["attempt"]) in wanted:
            sums[cast(str, item["usage_type"])] += cast(int, item["token_count"])
    return [*sorted(sums.items())]


def _of_conversation(factor: int, values: Values) -> list[tuple[object, ...]]:
    return _tokens_of(r for r in _records(1) if r["conversation_id"] == values["conversation_id"])


def _is_within(row: Mapping[str, Any], values: Values) -> bool:
    first, last = cast(datetime, values["from_at"]), cast(datetime, values["until_at"])
    return bool(first <= row["finished_at"] < last)


def _of_user(factor: int, values: Values) -> list[tuple[object, ...]]:
    return _tokens_of(
        r for r in _records(1) if r["user_id"] == values["user_id"] and _is_within(r, values)
    )


def _costlier(values: Values) -> Values:
    k = next(k for k in range(1, 31) if fill.prompt_id(LIVE, k) == values["prompt_id"])
    return {"cost": fill.prompt_numbers(k)[1] + cast(Decimal, values["cost"])}


_WINDOWS: Final[tuple[Values, ...]] = (
    {**_between(LIVE, 2, 11), "limit_rows": 1_000},
    {"from_at": fill.START, "until_at": fill.NOW, "limit_rows": 3},
)
_ROLLED_UP: Final = datetime.combine(_A_RECORD["finished_at"].date(), time.min, UTC)
_SOME_DAYS: Final[tuple[Values, ...]] = (
    {"from_day": _ROLLED_UP, "to_day": _ROLLED_UP, "limit_rows": 1_000},
    {"from_day": fill.START, "to_day": fill.NOW, "limit_rows": 3},
)
_KEYS: Final = ("subject_id", "template_version", "provider", "model", "latency_bucket")


def _rolled_up(facet: str) -> str:
    """What the roll-up of a day has: how many rows, their sums, and the ends of their keys."""
    sums = ", ".join(f"SUM({name}) AS {name}" for name in fill.DAY_SUMS)
    ends = ", ".join(f"MIN({key}) AS first_{key}, MAX({key}) AS last_{key}" for key in _KEYS)
    return (
        f"SELECT COUNT(*) AS n, {sums}, {ends} FROM usage_days"
        f" WHERE day = DATE(:from_at) AND facet = '{facet}'"
    )


def _made_anew(facet: str) -> Callable[[Values], Values]:
    """As many rows, and the same sums, as the attempts of that day make."""

    def after(values: Values) -> Values:
        rows: list[Mapping[str, Any]] = [
            row
            for row in fill.rolled_up(1, lambda record: _is_within(record, values))
            if row["facet"] == facet
        ]
        sums = {name: sum(row[name] for row in rows) for name in fill.DAY_SUMS}
        made: Values = {**sums, "n": len(rows), "cost": sums["cost"].quantize(Decimal(10) ** -18)}
        for key in _KEYS:
            made[f"first_{key}"] = min(row[key] for row in rows)
            made[f"last_{key}"] = max(row[key] for row in rows)
        return made

    return after


AGGREGATE: Final = Aggregate(
    tables=("model_prices", "usage_records", "usage_items", "usage_days"),
    values={
        "model_name": ("a-model", NEVER_MISSES),
        "model_names": (["a-model", "model-3"], ["no-model"]),
        "provider_name": ("a-provider", NEVER_MISSES),
        "effective_from": (fill.NOW, NEVER_MISSES),
        "facet": ("template", "no one"),
        "lowest_version": (1, 2),
        "highest_version": (1, 0),
        "from_day": (fill.START, fill.NOW),
        "to_day": (fill.NOW, fill.START),
        "usage_type": ("input", "no_type"),
        "after_ended_at": (fill.START, fill.NOW),
        "after_prompt_id": (UUID(int=0), NEVER_MISSES),
        "after_attempt": (0, NEVER_MISSES),
        "unit_price": (Decimal("0.500000000000000001"), NEVER_MISSES),
        "type_tokens": (7, NEVER_MISSES),
        "frozen_price": (Decimal("0.500000000000000002"), NEVER_MISSES),
        "type_cost": (Decimal("0.500000000000000003"), NEVER_MISSES),
        "usage_status": ("completed", NEVER_MISSES),
        "ended_at": (fill.NOW, NEVER_MISSES),
        "latency_bucket": (50, NEVER_MISSES),
        "completed_count": (1, NEVER_MISSES),
        "failed_count": (2, NEVER_MISSES),
        "timed_ms": (3, NEVER_MISSES),
        "timed_tokens": (4, NEVER_MISSES),
        "input_tokens": (5, NEVER_MISSES),
        "output_tokens": (6, NEVER_MISSES),
        "cache_read_tokens": (7, NEVER_MISSES),
        "cache_write_tokens": (8, NEVER_MISSES),
        "reasoning_tokens": (9, NEVER_MISSES),
        "other_tokens": (10, NEVER_MISSES),
        "cost_source": ("partial", NEVER_MISSES),
    },
    cases={
        "usage_records/insert": (_FRESH,),
        "usage_records/list_all": _WINDOWS,
        "usage_records/list_by_user": _WINDOWS,
        "usage_records/list_by_conversation": _WINDOWS,
        "usage_records/list_by_model": _WINDOWS,
        "usage_records/list_by_template": tuple(
            {**window, "template_id": fill.template_id(0)}
            for window in ({**_WINDOWS[0], **_between(LIVE, 4, 8)}, _WINDOWS[1])
        ),
        "usage_days/list_all": _SOME_DAYS,
        "usage_days/list_by_user": _SOME_DAYS,
        "usage_days/list_by_model": _SOME_DAYS,
        "usage_days/list_by_template": tuple(
            {**days, "template_id": fill.template_id(0)} for days in _SOME_DAYS
        ),
        "usage_items/insert_many": (_FRESH,),
        "usage_items/update_price": (_ITEM,),
        "usage_items/sum_by_user": ({"user_id": fill.user_id(OWNER), **_between(LIVE, 2, 11)},),
        "usage_records/lock_priced": (
            {"until_at": fill.NOW},
            {
                "until_at": fill.prompt_created_at(LIVE, 11),
                "limit_rows": 1_000,
                "after_ended_at": fill.prompt_created_at(LIVE, 9),
                "after_prompt_id": fill.prompt_id(LIVE, 9),
                "after_attempt": 1,
            },
        ),
        "usage_days/insert_of_templates": (_TO_ROLL_UP,),
        "usage_days/insert_of_users": (_TO_ROLL_UP,),
        "usage_days/delete_day": ({"from_at": _A_RECORD["finished_at"]}, _A_DAY),
        "prompts/add_cost": ({}, {"prompt_id": fill.prompt_id(LIVE, 3)}),
        "usage_days/add": (
            {"template_id": None},
            _COUNTED_ALREADY,
            {"provider": None, "model": None},
        ),
    },
    numbers={
        "model_prices/list_by_models": _prices,
        "usage_items/list_by_prompts": _items,
        "usage_records/list_all": _listed(),
        "usage_records/list_by_user": _listed(("user_id", "user_id")),
        "usage_records/list_by_conversation": _listed(("conversation_id", "conversation_id")),
        "usage_records/list_by_model": _listed(("model", "model_name")),
        "usage_records/list_by_template": _listed(("template_id", "template_id")),
        "usage_days/list_all": _summed("template"),
        "usage_days/list_by_user": _summed("user", ("subject_id", "user_id")),
        "usage_days/list_by_model": _summed("template", ("model", "model_name")),
        "usage_days/list_by_template": _summed("template", ("subject_id", "template_id")),
        "prompts/count_by_status_of_conversation": _by_status,
        "prompts/count_by_status_of_author": _by_status,
        "usage_records/lock_priced": _priced,
        "usage_items/sum_by_conversation": _of_conversation,
        "usage_items/sum_by_user": _of_user,
    },
    rows={
        "usage_records": "SELECT * FROM usage_records"
        " WHERE prompt_id = :prompt_id AND attempt = :attempt",
        "usage_items": "SELECT * FROM usage_items WHERE prompt_id = :prompt_id"
        " AND attempt = :attempt AND usage_type = :usage_type",
        "model_prices": "SELECT * FROM model_prices WHERE model = :model_name"
        " AND provider = :provider_name AND effective_from = :effective_from"
        " AND usage_type = :usage_type",
        "usage_days/add": _BOTH_ROWS,
        "usage_days/delete_day": "SELECT COUNT(*) AS n FROM usage_days WHERE day = DATE(:from_at)"
        " AND facet = :facet",
        "usage_days/insert_of_templates": _rolled_up("template"),
        "usage_days/insert_of_users": _rolled_up("user"),
    },
    written={
        "model_prices/insert_many": same(
            "effective_from",
            "usage_type",
            "unit_price",
            model="model_name",
            provider="provider_name",
            created_at="now",
        ),
        "usage_records/insert": same(
            user_id="author_id", status="usage_status", finished_at="ended_at"
        ),
        "usage_items/insert_many": same(
            token_count="type_tokens", unit_price="frozen_price", cost="type_cost"
        ),
        "usage_days/add": _added,
        "usage_days/insert_of_templates": _made_anew("template"),
        "usage_days/insert_of_users": _made_anew("user"),
        "usage_days/delete_day": lambda values: {"n": 0},
        "usage_records/update_rating": same(rating="prompt_rating"),
        "usage_records/update_cost": same("cost", "cost_source"),
        "usage_items/update_price": same(unit_price="frozen_price", cost="type_cost"),
        "prompts/add_cost": _costlier,
        "conversations/add_cost": lambda values: {
            "cost": fill.conversation_totals(LIVE)[2] + cast(Decimal, values["cost"])
        },
    },
)
