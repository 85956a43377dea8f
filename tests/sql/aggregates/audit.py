"""The audit log: what their statements are asked with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from dal.records.clock import START_OF_TIME
from dal.records.ids import MAX_ID
from dal.statements import Statement
from tests import fill
from tests.fill import NOBODY, NOW, START
from tests.sql.aggregates.common import (
    FRESH,
    NEVER_MISSES,
    Aggregate,
    Values,
    same,
)


def _audit_cursor(n: int) -> Values:
    return {"before_at": START + timedelta(minutes=n // 20), "before_id": fill.audit_id(n)}


def _middle(statement: Statement, names: set[str], factor: int) -> Values:
    if statement.name == "audit_logs/list_security":
        # Entries 147 and 149 of each hundred, in one minute.
        return _audit_cursor(200 * factor + 49)
    if "after_at" in names:
        # Template 0, which is asked for, has entries 5 and 15 in the first minute.
        return {"after_at": START, "after_id": fill.audit_id(5)}
    return _audit_cursor(250 * factor // 20 * 20 + 10) if "before_at" in names else {}


def _entries(factor: int, values: Values, *, security: bool = False) -> Iterator[dict[str, Any]]:
    """Those of the time that is asked for."""
    first, last = cast(datetime, values["from_at"]), cast(datetime, values["until_at"])
    for n in range(fill.n_entries(factor)):
        row: dict[str, Any] = fill.audit_entry(n, factor)
        if first <= row["occurred_at"] < last and (fill.is_security(row) or not security):
            yield row


def _order(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """As the servers sort: NULL before all, ids by their bytes."""
    return tuple((value is not None, getattr(value, "bytes", value)) for value in row)


def _by_class(factor: int, values: Values) -> list[tuple[object, ...]]:
    counts = Counter(
        (row["category"], row["severity"], row["outcome"]) for row in _entries(factor, values)
    )
    enums = (
        ["authentication", "access", "data", "disclosure", "maintenance", "application"],
        ["low", "medium", "high", "critical"],
        ["success", "denied", "failure"],
    )
    return [
        (*key, n)
        for key, n in sorted(
            counts.items(),
            key=lambda one: [ranks.index(v) for ranks, v in zip(enums, one[0], strict=True)],
        )
    ]


def _by_actor(factor: int, values: Values) -> list[tuple[object, ...]]:
    counts = Counter(
        (row["actor_type"], row["actor_id"], row["actor_name"]) for row in _entries(factor, values)
    )
    ranks = ["user", "system", "anonymous"]
    ordered = sorted(
        counts.items(), key=lambda one: (-one[1], ranks.index(one[0][0]), _order(one[0][1:]))
    )
    counted: list[tuple[object, ...]] = [(*key, n) for key, n in ordered]
    return counted[: cast(int, values["limit_rows"])]


def _by_day(*, security: bool = False) -> Callable[[int, Values], list[tuple[object, ...]]]:
    def numbers(factor: int, values: Values) -> list[tuple[object, ...]]:
        offset = timedelta(seconds=cast(int, values["utc_offset_s"]))
        counts = Counter(
            (row["occurred_at"] + offset).date()
            for row in _entries(factor, values, security=security)
        )
        return [*sorted(counts.items())]

    return numbers


def _failures(column: str) -> Callable[[int, Values], list[tuple[object, ...]]]:
    def numbers(factor: int, values: Values) -> list[tuple[object, ...]]:
        counts = Counter(
            row[column]
            for row in _entries(factor, values)
            if (row["action"], row["outcome"]) == ("user.authenticate", "failure")
        )
        enough = {key: n for key, n in counts.items() if n >= cast(int, values["least_failures"])}
        ordered = sorted(enough.items(), key=lambda one: (-one[1], _order((one[0],))))
        counted: list[tuple[object, ...]] = [*ordered]
        return counted[: cast(int, values["limit_rows"])]

    return numbers


_WINDOWS: Final[tuple[Values, ...]] = (
    {"from_at": START, "until_at": NOW},
    {
        "from_at": START + timedelta(minutes=3),
        "until_at": START + timedelta(minutes=40),
        "limit_rows": 1_000,
    },
)
# Not of all: MySQL says that it scans the key where that is what is asked for.
_DAYS: Final[tuple[Values, ...]] = tuple(
    {
        "from_at": START + timedelta(minutes=1),
        "until_at": START + timedelta(minutes=40),
        "limit_rows": 1_000,
        "utc_offset_s": offset,
    }
    for offset in (7_200, 0, -1_800, 85_500)
)
_FAILURES: Final = tuple(
    {**window, "least_failures": least}
    for window, least in zip(_WINDOWS * 2, (1, 1, 2, 3), strict=True)
)


def _stored(row: dict[str, Any]) -> tuple[object, ...]:
    return tuple(row.values())


def _listed(
    rows: Callable[[int], Iterator[dict[str, Any]]],
    fits: Callable[[dict[str, Any], Values], bool],
) -> Callable[[int, Values], list[tuple[object, ...]]]:
    def numbers(factor: int, values: Values) -> list[tuple[object, ...]]:
        found = [_stored(row) for row in rows(factor) if fits(row, values)]
        return found[: cast(int, values["limit_rows"])]

    return numbers


def _seals(factor: int) -> Iterator[dict[str, Any]]:
    return (fill.seal(n) for n in range(1, fill.n_seals(factor) + 1))


def _checkpoints(factor: int) -> Iterator[dict[str, Any]]:
    return (fill.checkpoint(n) for n in range(1, fill.n_checkpoints(factor) + 1))


def _sealed(factor: int) -> Iterator[dict[str, Any]]:
    for n in range(fill.n_seals(factor) * fill.SEALED):
        row = fill.sealed_entry(n, factor)
        yield {name: row[name] for name in ("seal_number", "audit_id", "sha256")}


def _is_between(row: dict[str, Any], values: Values) -> bool:
    first, last = cast(int, values["first_seal"]), cast(int, values["last_seal"])
    return first <= cast(int, row["seal_number"]) <= last


def _follows(row: dict[str, Any], values: Values) -> bool:
    place = (row["occurred_at"], row["id"])
    return place > (values["after_at"], values["after_id"])


def _unsealed(factor: int, values: Values) -> list[tuple[object, ...]]:
    rows: list[dict[str, Any]] = [
        fill.audit_entry(n, factor)
        for n in range(fill.n_entries(factor))
        if fill.seal_of(n, factor) is None
    ]
    found: list[tuple[object, ...]] = [
        (row["id"], row["occurred_at"])
        for row in rows
        if row["occurred_at"] >= values["since"] and _follows(row, values)
    ]
    return found[: cast(int, values["limit_rows"])]


def _unsealed_between(factor: int, values: Values) -> list[tuple[object, ...]]:
    end = (values["window_at"], values["window_id"])
    found: list[tuple[object, ...]] = []
    for n in range(fill.n_entries(factor)):
        row: dict[str, Any] = fill.audit_entry(n, factor)
        place = (row["occurred_at"], row["id"])
        if fill.seal_of(n, factor) is None and _follows(row, values) and place <= end:
            found.append((row["id"], row["occurred_at"]))
    return found[: cast(int, values["limit_rows"])]


def _old(factor: int, values: Values) -> list[tuple[object, ...]]:
    columns = ("id", "occurred_at", "category", "severity", "actor_id", "target_type", "target_id")
    found: list[tuple[object, ...]] = []
    for n in range(fill.n_entries(factor)):
        row: dict[str, Any] = fill.audit_entry(n, factor)
        if row["occurred_at"] < values["until_at"] and _follows(row, values):
            found.append((*(row[name] for name in columns), fill.seal_of(n, factor)))
    return found[: cast(int, values["limit_rows"])]


def _history(factor: int, values: Values) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for n in range(fill.n_entries(factor)):
        row: dict[str, Any] = fill.audit_entry(n, factor)
        is_its = (row["target_type"], row["target_id"]) == (
            values["target_type"],
            values["target_id"],
        )
        if is_its and row["occurred_at"] < values["until_at"] and _follows(row, values):
            found.append((row["id"], row["occurred_at"]))
    return found[: cast(int, values["limit_rows"])]


def _held(factor: int, values: Values) -> list[tuple[object, ...]]:
    held = ("id", "actor_id", "target_type", "target_id", "reason", "placed_at")
    found: list[tuple[object, ...]] = [
        tuple(row[name] for name in held)
        for row in map(fill.hold, reversed(range(fill.n_holds(factor))))
        if row["released_at"] is None and row["id"] < values["before_id"]  # type: ignore[operator]
    ]
    return found[: cast(int, values["limit_rows"])]


_PAGES: Final[tuple[Values, ...]] = ({}, {"limit_rows": 1_000})
_SEALS: Final[tuple[Values, ...]] = (
    {"first_seal": 3, "last_seal": 5, "limit_rows": 1_000},
    {"first_seal": 3, "last_seal": 16},
)
_entry_written: Final = same(
    "occurred_at",
    "actor_type",
    "actor_id",
    "actor_name",
    "action",
    "target_type",
    "target_id",
    "outcome",
    "affected",
    "changes",
    "request_id",
    "ip",
    "user_agent",
    "severity",
    id="audit_id",
    category="audit_category",
)
_FRESH: Final[Values] = {"audit_id": fill.audit_id(FRESH), "seal_number": FRESH}


AGGREGATE: Final = Aggregate(
    tables=(
        "audit_logs",
        "audit_seals",
        "audit_seal_entries",
        "audit_checkpoints",
        "audit_holds",
    ),
    values={
        "action": ("template.update_details", NEVER_MISSES),
        "actor_name": (None, NEVER_MISSES),
        "actor_type": ("user", NEVER_MISSES),
        "affected": (1, NEVER_MISSES),
        "after_at": (START_OF_TIME, NOW),
        "after_id": (UUID(int=0), NEVER_MISSES),
        "audit_category": ("access", NEVER_MISSES),
        "archive_sha256": (b"a" * 32, NEVER_MISSES),
        "audit_id": (fill.audit_id(FRESH), NEVER_MISSES),
        "audit_ids": ([fill.audit_id(n) for n in (7, 8, 900)], [NOBODY]),
        "changes": ("{}", NEVER_MISSES),
        "checkpoint_number": (FRESH, NEVER_MISSES),
        "entry_count": (9, NEVER_MISSES),
        "first_at": (START, NEVER_MISSES),
        "first_checkpoint": (2, FRESH),
        "first_seal": (2, FRESH),
        "gone": (b"g" * 7, NEVER_MISSES),
        "held_actor_id": (fill.user_id(7), NEVER_MISSES),
        "held_id": (fill.template_id(7), NEVER_MISSES),
        "held_type": ("a-type", NEVER_MISSES),
        "hold_id": (fill.hold_id(1), NOBODY),
        "ip": (None, NEVER_MISSES),
        "last_at": (NOW, NEVER_MISSES),
        "last_seal": (4, 0),
        "least_failures": (1, FRESH),
        "occurred_at": (NOW, NEVER_MISSES),
        "outcome": ("success", NEVER_MISSES),
        "policy": ("{}", NEVER_MISSES),
        "previous_sha256": (b"p" * 32, NEVER_MISSES),
        "purged_by": ("a job", NEVER_MISSES),
        "reason": ("Case", NEVER_MISSES),
        "request_id": (None, NEVER_MISSES),
        "seal_number": (3, FRESH),
        "severity": ("medium", NEVER_MISSES),
        "sha256": (b"s" * 32, NEVER_MISSES),
        "since": (START, NOW),
        "target_id": (fill.template_id(0), NOBODY),
        "target_type": ("template", "no-such-type"),
        "user_agent": (None, NEVER_MISSES),
        "window_at": (NOW, START_OF_TIME),
        "window_id": (MAX_ID, NEVER_MISSES),
    },
    cases={
        "audit_logs/count_by_class": _WINDOWS,
        "audit_logs/count_by_actor": _WINDOWS,
        "audit_logs/list_by_day": _DAYS,
        "audit_logs/list_security_by_day": _DAYS,
        "audit_logs/list_failed_logins_by_user": _FAILURES,
        "audit_logs/list_failed_logins_by_ip": _FAILURES,
        "audit_logs/list_unsealed": (
            {},
            {"since": START + timedelta(minutes=45), "limit_rows": 1_000},
        ),
        # To an entry in the middle of its minute, and far beyond the last one.
        "audit_logs/list_unsealed_between": (
            {
                "after_at": fill.audit_entry(850, 1)["occurred_at"],
                "after_id": fill.audit_id(850),
                "window_at": fill.audit_entry(967, 1)["occurred_at"],
                "window_id": fill.audit_id(967),
                "limit_rows": 1_000,
            },
            {
                "after_at": START,
                "after_id": fill.audit_id(5),
                "window_at": fill.audit_entry(990, 1)["occurred_at"],
                "window_id": fill.audit_id(990),
                "limit_rows": 7,
            },
        ),
        "audit_logs/list_old": (
            {"until_at": NOW},
            {"until_at": START + timedelta(minutes=48), "limit_rows": 1_000},
        ),
        "audit_seals/list_from": _PAGES,
        "audit_seals/insert": ({"seal_number": FRESH},),
        "audit_seal_entries/insert_many": (_FRESH,),
        "audit_seal_entries/list_by_seals": _SEALS,
        "audit_checkpoints/list_from": _PAGES,
        "audit_checkpoints/list_by_seals": _SEALS,
        "audit_holds/insert": ({"hold_id": fill.hold_id(FRESH)},),
        "audit_holds/list_held": ({"before_id": fill.hold_id(40)}, {"limit_rows": 1_000}),
        "audit_logs/list_history": (
            {"until_at": NOW},
            {"until_at": fill.audit_entry(105, 1)["occurred_at"], "limit_rows": 1_000},
        ),
    },
    passed_by={
        "audit_holds/release": {"one that was released": {"hold_id": fill.hold_id(3)}},
    },
    middle=_middle,
    numbers={
        "audit_logs/count_by_class": _by_class,
        "audit_logs/count_by_actor": _by_actor,
        "audit_logs/list_by_day": _by_day(),
        "audit_logs/list_security_by_day": _by_day(security=True),
        "audit_logs/list_failed_logins_by_user": _failures("target_id"),
        "audit_logs/list_failed_logins_by_ip": _failures("ip"),
        "audit_logs/list_history": _history,
        "audit_logs/list_unsealed": _unsealed,
        "audit_logs/list_unsealed_between": _unsealed_between,
        "audit_logs/list_old": _old,
        "audit_seals/find_last": lambda factor, values: [_stored(fill.seal(fill.n_seals(factor)))],
        "audit_seals/list_from": _listed(
            _seals, lambda row, values: row["number"] >= values["first_seal"]
        ),
        "audit_seal_entries/list_by_seals": _listed(_sealed, _is_between),
        "audit_checkpoints/find_last": lambda factor, values: [
            _stored(fill.checkpoint(fill.n_checkpoints(factor)))
        ],
        "audit_checkpoints/list_from": _listed(
            _checkpoints, lambda row, values: row["number"] >= values["first_checkpoint"]
        ),
        "audit_checkpoints/list_by_seals": _listed(_checkpoints, _is_between),
        "audit_holds/list_held": _held,
    },
    rows={
        "audit_logs": "SELECT * FROM audit_logs WHERE id = :audit_id",
        "audit_seals": "SELECT * FROM audit_seals WHERE number = :seal_number",
        "audit_seal_entries": "SELECT * FROM audit_seal_entries WHERE audit_id = :audit_id",
        "audit_checkpoints": "SELECT * FROM audit_checkpoints WHERE number = :checkpoint_number",
        "audit_holds": "SELECT * FROM audit_holds WHERE id = :hold_id",
    },
    written={
        "audit_logs/insert": _entry_written,
        "audit_logs/insert_many": _entry_written,
        "audit_seals/insert": same(
            "since",
            "entry_count",
            "first_at",
            "last_at",
            "previous_sha256",
            "sha256",
            number="seal_number",
            sealed_at="now",
        ),
        "audit_seal_entries/insert_many": same("audit_id", "seal_number", "sha256"),
        "audit_checkpoints/insert": same(
            "purged_by",
            "policy",
            "seal_number",
            "entry_count",
            "gone",
            "archive_sha256",
            "previous_sha256",
            "sha256",
            number="checkpoint_number",
            purged_at="now",
        ),
        "audit_holds/insert": same(
            "reason",
            id="hold_id",
            actor_id="held_actor_id",
            target_type="held_type",
            target_id="held_id",
            placed_at="now",
        ),
        "audit_holds/release": same(released_at="now"),
    },
)
