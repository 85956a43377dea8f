"""What a header says, asked of a server that has rows. Each check gives the faults it found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from dal.errors import DalError, RowShapeError
from dal.records.actor import Role
from dal.records.users import TokenPurpose
from dal.session.connection import RawResult
from dal.statements import Handle, Many, One, Statement, Value
from dal.statements.decode import Decoder
from dal.statements.handles import Find, LastId
from dal.testing import fill
from dal.testing.fill import STRANGER
from dal.testing.measure import budget, counting, explain, full_scans, keys_used
from dal.testing.prepare import Column, prepare, with_question_marks
from tests.sql import text_rules
from tests.sql.values import (
    CASES,
    GIVES_WITHOUT,
    LIMIT,
    MISSES,
    PRIVATE,
    PUBLIC,
    Values,
    hits,
    misses,
    raw,
)
from tests.sql.worlds import World

# A note that a key could not be used because of a parameter's type or collation is an error here;
# 1003 and 1276 are how MySQL shows the statement that it has explained.
_EXPLAINED = frozenset({"1003", "1276"})
_MANY_ROWS = 100_000
_GIVEN = re.compile(r"\b(\w+\.\w+) = :")
_JOINED = re.compile(r"\b(\w+\.\w+) = (\w+\.\w+)\b")
# What MySQL takes for a parameter of a family. A document is sent as its text.
_TAKEN = {"json": frozenset({"json", "text"})}
# Parameter -> column of the last row of a page that it is given for the next page.
_FOLLOWING = {
    "before_at": ("created_at", "occurred_at", "moved_at", "updated_at"),
    "before_deleted_at": ("deleted_at",),
    "before_id": ("id", "user_id"),
    "before_version": ("version",),
    "after_at": ("created_at",),
    "after_id": ("id",),
}


def decoder_of(handle: Handle) -> Decoder[Any] | None:
    """What makes records of the rows, where there are rows."""
    return handle.decoder if isinstance(handle, (One, Find, Many, Value)) else None


def tables_of(sql: str) -> list[str]:
    """The tables whose rows the statement reads, the first one is what it is about."""
    words = [token.text.strip("`") for token in text_rules.significant(sql)]
    # A join in parentheses begins with a table.
    words = [
        word
        for i, word in enumerate(words)
        if not (word == "(" and words[i - 1].upper() == "JOIN" and words[i + 1].upper() != "SELECT")
    ]
    found = [
        after
        for i, (before, after) in enumerate(pairwise(words))
        if (
            before.upper() in ("FROM", "JOIN", "UPDATE")
            or (before.upper() == "STRAIGHT_JOIN" and words[i - 1].upper() != "SELECT")
        )
        and after.upper() not in ("(", "SKIP")
        # FOR UPDATE, at the end of a SELECT, names no table.
        and not (before.upper() == "UPDATE" and words[0].upper() != "UPDATE")
    ]
    return list(dict.fromkeys(found))


def _shown(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items() if name != "changes")


def n_given(handle: Handle, answer: RawResult) -> int:
    """Rows given or matched; for a number, the number itself."""
    if not answer.columns:
        return answer.affected
    if isinstance(handle, Value) and handle.record is int:
        return int(answer.rows[0][0] or 0)
    return len(answer.rows)


def is_empty(handle: Handle, answer: RawResult) -> bool:
    """No rows, no row matched, or nothing but zeros where the answer is a count of something."""
    decoder = decoder_of(handle)
    if decoder is None:
        return answer.affected == 0
    if all(field.type in (int, bool) for field in decoder.fields):
        return all(value in ("0", None) for row in answer.rows for value in row)
    return not answer.rows


# ------------------------------------------------------------------------------------- prepare


def _column_faults(handle: Handle, columns: Sequence[Column], world: World) -> list[str]:
    decoder = decoder_of(handle)
    if decoder is None:
        return [f"gives columns: {[c.name for c in columns]}"] if columns else []
    faults = []
    try:
        decoder.check_columns([column.name for column in columns])
    except RowShapeError as error:
        return [error.message]
    for field, column in zip(decoder.fields, columns, strict=True):
        where = f"{column.name} ({column.family}{' NULL' * column.nullable})"
        if column.family not in field.families:
            faults.append(f"{where}: read as {field.type}")
        # Both servers call JSON nullable whatever it is made of; that no row is NULL is seen when
        # rows are read.
        is_made_json = not column.column and field.families & {"json"}
        # MySQL calls all columns of a table nullable that an aggregated subquery refers to.
        tells = world.engine == "mariadb"
        if tells and column.nullable and not field.nullable and not is_made_json:
            faults.append(f"{where}: may be NULL, and the record has no None")
        if field.is_enum:
            members = frozenset(str(member.value) for member in field.type)
            stored = world.schema.enums.get((column.table, column.column))
            if members != stored:
                faults.append(f"{where}: {sorted(stored or ())}, the record has {sorted(members)}")
    return faults


async def check_prepare(world: World, handle: Handle) -> list[str]:
    """Columns are the record's fields; parameters have the families that MySQL infers."""
    statement = handle.statement
    text, names = with_question_marks(statement.sql)
    try:
        prepared = await prepare(world.connection, text)
    except DalError as error:
        return [f"not prepared: {error.message}"]
    declared = {param.name: param.type.family for param in statement.params}
    faults = []
    if len(prepared.params) != len(names):
        faults.append(f"{len(names)} places for values, the server sees {len(prepared.params)}")
    if world.engine == "mysql":
        faults += [
            f":{name} is declared {declared[name]}, the server takes {family}"
            for name, family in zip(names, prepared.params, strict=False)
            if family not in _TAKEN.get(declared[name], {declared[name]})
        ]
    return faults + _column_faults(handle, prepared.columns, world)


def nullable_columns(handle: Handle, columns: Sequence[Column]) -> set[tuple[str, str]]:
    """(record, field) of each field that this statement may leave None."""
    decoder = decoder_of(handle)
    if decoder is None:
        return set()
    record = getattr(handle, "record", object)
    return {
        (record.__name__, field.name)
        for field, column in zip(decoder.fields, columns, strict=True)
        if column.nullable
    }


# ---------------------------------------------------------------------------------------- plans


async def _warnings(world: World) -> list[str]:
    shown = await world.run("SHOW WARNINGS")
    return [f"{code!s}: {text!s}" for _, code, text in shown.rows if code not in _EXPLAINED]


async def check_plan(
    world: World, statement: Statement, values: Mapping[str, object], *, exact: bool = True
) -> list[str]:
    """EXPLAIN names the keys of ``index``; without ``exact``, no others than those."""
    plan = await explain(world.connection, statement.render(values).sql)
    faults = await _warnings(world)
    index, used, scanned = statement.header.index, keys_used(plan), full_scans(plan)
    if index == "n/a":
        return faults + [f"index: n/a, and the plan reads {step.table}" for step in plan]
    if index.startswith("full scan: "):
        return faults if scanned else [*faults, f"no full scan: {sorted(used)}"]
    stated = frozenset(part.strip() for part in index.split(","))
    faults += [f"full scan of {table}" for table in scanned]
    if not used <= stated or (exact and used != stated):
        faults.append(f"index: {', '.join(sorted(used))}, the header says {index}")
    return faults


# ---------------------------------------------------------------------------------------- reads


def _n_tags(handle: Handle, answer: RawResult) -> int:
    decoder = decoder_of(handle)
    if decoder is None or not any(field.type == frozenset[str] for field in decoder.fields):
        return 0
    return sum(len(row.tags) for row in decoder.rows(answer.rows))


async def _n_passed(
    world: World, handle: Handle, values: Mapping[str, object], answer: RawResult
) -> int:
    """How many rows were passed over because a parent is deleted.

    They are those that come up to the last row that was given when all parents are live.
    """
    everything = {**values, "limit_rows": _MANY_ROWS} if "limit_rows" in values else values
    subject, *parents = tables_of(handle.statement.sql)
    restore = [
        _unstamp(table)
        for table in parents
        if table in world.schema.soft_deletable and table != subject
    ]
    all_live = await world.answer(handle.statement, everything, restore)
    if isinstance(handle, Value):
        return n_given(handle, all_live) - n_given(handle, answer)
    if not answer.rows:
        return len(all_live.rows)
    return all_live.rows.index(answer.rows[-1]) + 1 - len(answer.rows)


async def fetched(world: World, handle: Handle, values: Mapping[str, object]) -> Counter[str]:
    """Rows fetched by one run, by table, of the tables that the text names.

    What a foreign key cascades to is left out: MySQL counts it, MariaDB does not.
    """
    rendered = handle.statement.render(values)
    async with world.undone(), counting(world.connection) as found:
        await world.run(rendered.sql)
    named = set(tables_of(handle.statement.sql))
    by_table: Counter[str] = Counter()
    for (table, _), n in found.items():
        if table in named:
            by_table[table] += n
    return by_table


def asked_for(values: Mapping[str, object]) -> dict[str, int]:
    """The parameters that are numbers of rows: a budget may name them."""
    return {n: v for n, v in values.items() if n.endswith("_rows") and isinstance(v, int)}


async def check_reads(world: World, handle: Handle, values: Mapping[str, object]) -> list[str]:
    """The rows fetched are within ``reads``, and ``reads`` is not more than twice as much."""
    statement = handle.statement
    answer = await world.answer(statement, values)
    numbers = {
        "rows": n_given(handle, answer),
        "tags": _n_tags(handle, answer),
        "passed": await _n_passed(world, handle, values, answer)
        if "passed" in statement.header.reads
        else 0,
        **asked_for(values),
    }
    allowed = budget(statement.header.reads, **numbers)
    if allowed is None:
        return []
    by_table = await fetched(world, handle, values)
    n = by_table.total()
    if n > allowed:
        return [f"{n} rows fetched {dict(by_table)}, reads: {allowed} at {numbers}"]
    if 2 * n + 2 < allowed:
        return [f"{n} rows fetched, reads allows {allowed} at {numbers}: say less"]
    return []


# ---------------------------------------------------------------------------- access and deleted


_HIDE_ALL = "UPDATE templates SET visibility = 'private' WHERE visibility = 'public'"


async def check_access(world: World, handle: Handle) -> list[str]:
    """A stranger gets no rows and changes none."""
    statement, access = handle.statement, handle.statement.header.access
    first, *_ = hits(statement, world.factor)
    stranger = fill.user_id(STRANGER)
    if access == "actor":
        return [
            f"a stranger gets something: {_shown(values)}"
            for values in hits(statement, world.factor)
            if not is_empty(handle, await world.answer(statement, {**values, "actor_id": stranger}))
        ]
    if access == "public":
        hidden = await world.answer(statement, first, [_HIDE_ALL])
        return [] if is_empty(handle, hidden) else ["what is private is given"]
    if access == "public or actor" and "template_id" not in first:
        faults = []
        for who in (stranger, None):
            asked = [{**values, "actor_id": who} for values in hits(statement, world.factor)]
            if all([is_empty(handle, await world.answer(statement, v)) for v in asked]):
                faults.append(f"what is public is not given to {who}")
            answers = [await world.answer(statement, values, [_HIDE_ALL]) for values in asked]
            if not all(is_empty(handle, answer) for answer in answers):
                faults.append(f"what is private is given to {who}")
        return faults
    if access == "public or actor":
        # Some ask for a user.
        nobody = [None] * next(p.type.nullable for p in statement.params if p.name == "actor_id")
        private = {**first, "template_id": fill.template_id(PRIVATE)}
        public = {**first, "template_id": fill.template_id(PUBLIC), "version": 1}
        public = {name: public[name] for name in first}
        faults = []
        for who in (stranger, *nobody):
            if not is_empty(handle, await world.answer(statement, {**private, "actor_id": who})):
                faults.append(f"what is private is given to {who}")
            if is_empty(handle, await world.answer(statement, {**public, "actor_id": who})):
                faults.append(f"what is public is not given to {who}")
        return faults
    if access == "token":
        wrong = MISSES["token_hash"]
        return [
            f"something is given by a wrong token: {_shown(values)}"
            for values in hits(statement, world.factor)
            if not is_empty(handle, await world.answer(statement, {**values, "token_hash": wrong}))
        ]
    return []


def _stamp(table: str) -> str:
    return f"UPDATE {table} SET deleted_at = updated_at WHERE deleted_at IS NULL"


# Who is live again needs an address that nobody has by now.
_FREED = {"users": "email = CONCAT(HEX(id), '@example.org'), "}


def _unstamp(table: str) -> str:
    freed = _FREED.get(table, "")
    return f"UPDATE {table} SET {freed}deleted_at = NULL WHERE deleted_at IS NOT NULL"


# As if what is deleted had never been: rows, and all that hangs on them.
_FORGET = (
    "SET foreign_key_checks = 0",
    "DELETE t FROM templates AS t INNER JOIN users AS u ON t.owner_id = u.id"
    " WHERE u.deleted_at IS NOT NULL",
    "DELETE FROM templates WHERE deleted_at IS NOT NULL",
    "DELETE v FROM template_versions AS v LEFT JOIN templates AS t ON v.template_id = t.id"
    " WHERE t.id IS NULL",
    "DELETE l FROM template_tags AS l LEFT JOIN templates AS t ON l.template_id = t.id"
    " WHERE t.id IS NULL",
    *(
        f"DELETE l FROM {table} AS l LEFT JOIN templates AS t ON l.template_id = t.id"
        " WHERE t.id IS NULL"
        for table in (
            "template_labels",
            "template_label_moves",
            "template_ratings",
            "templates_search",
        )
    ),
    "DELETE r FROM template_ratings AS r INNER JOIN users AS u ON r.user_id = u.id"
    " WHERE u.deleted_at IS NOT NULL",
    "DELETE k FROM user_tokens AS k INNER JOIN users AS u ON k.user_id = u.id"
    " WHERE u.deleted_at IS NOT NULL",
    "DELETE FROM users WHERE deleted_at IS NOT NULL",
    "SET foreign_key_checks = 1",
)


def _but_deleted(answer: RawResult) -> list[object]:
    """What is given, without the number of what is deleted."""
    kept = [i for i, name in enumerate(answer.columns) if name != "deleted"]
    return [answer.affected, *(tuple(row[i] for i in kept) for row in answer.rows)]


async def check_deleted(world: World, handle: Handle) -> list[str]:
    """Deleted rows are given or not, as ``deleted`` says; rows of deleted parents never are."""
    statement, deleted = handle.statement, handle.statement.header.deleted
    read = [t for t in tables_of(statement.sql) if t in world.schema.soft_deletable]
    if deleted == "n/a":
        return [f"deleted: n/a, and it reads {table}" for table in read]
    if not read:
        return [f"deleted: {deleted}, and nothing that it reads can be deleted"]
    subject, *parents = read
    expected: list[tuple[str, bool]] = [
        # What is done to the tables, and whether something is to be found then.
        (_stamp(subject), deleted != "excluded"),
        (_unstamp(subject), deleted != "only"),
        *((_stamp(parent), False) for parent in parents),
    ]
    if statement.writes and statement.sql.startswith("INSERT"):
        expected = [(_stamp(table), False) for table in read]
    decoder = decoder_of(handle)
    names = decoder.names if decoder else ()
    faults = []
    for values in hits(statement, world.factor):
        for sql, finds in expected:
            answer = await world.answer(statement, values, [sql])
            found = not is_empty(handle, answer)
            if found != finds and (finds is False or deleted == "included"):
                faults.append(f"{'something' if found else 'nothing'} after {sql}")
        if is_empty(handle, await world.answer(statement, values)):
            faults.append(f"nothing is found by {_shown(values)}")
        if deleted == "excluded" or "deleted" in names:
            now = await world.answer(statement, values)
            without = await world.answer(statement, values, _FORGET)
            if _but_deleted(now) != _but_deleted(without):
                faults.append(f"what is deleted shows in what is given by {_shown(values)}")
    return faults


# ------------------------------------------------------------------------------- what it does


def _live(factor: int) -> list[int]:
    return [
        n
        for n in range(fill.n_templates(factor))
        if fill.template_deleted_at(n) is None
        and fill.user_deleted_at(fill.owner_of(n, factor)) is None
    ]


def _live_users(factor: int) -> list[int]:
    return [n for n in range(fill.n_users(factor)) if fill.user_deleted_at(n) is None]


def _seen(factor: int, values: Values) -> list[int]:
    """Of the live ones those that the actor may see, where somebody asks."""
    live = _live(factor)
    if "actor_id" not in values:
        return live
    return [n for n in live if fill.is_public(n) or _is_owner(n, factor, values)]


def _is_owner(n: int, factor: int, values: Values) -> bool:
    return fill.user_id(fill.owner_of(n, factor)) == values["actor_id"]


def _category_counts(factor: int, values: Values) -> list[tuple[object, ...]]:
    counts = Counter(map(fill.template_category, _seen(factor, values)))
    rows = [
        ((None, None) if n is None else (f"category-{n}", f"Category {n}"), count)
        for n, count in counts.items()
    ]
    rows.sort(key=lambda row: (-row[1], row[0][0] or ""))
    return [(*names, count) for names, count in rows[:LIMIT]]


def _tag_counts(factor: int, values: Values) -> list[tuple[object, ...]]:
    counts = Counter(tag for n in _seen(factor, values) for tag in fill.template_tags(n, factor))
    rows = [(f"tag{n}", f"Tag{n}", count) for n, count in counts.items()]
    return [*sorted(rows, key=lambda row: (-row[2], row[0]))[:LIMIT]]


def _statistics(factor: int, values: Values) -> list[tuple[object, ...]]:
    live = _seen(factor, values)
    in_trash = [
        n
        for n in range(fill.n_templates(factor))
        if fill.template_deleted_at(n) is not None
        and fill.user_deleted_at(fill.owner_of(n, factor)) is None
        and ("actor_id" not in values or _is_owner(n, factor, values))
    ]
    numbers = [fill.rating_numbers(n, factor) for n in live]
    return [
        (
            len(live),
            sum(map(fill.is_public, live)),
            sum(not fill.is_public(n) for n in live),
            len(in_trash),
            sum(len(fill.template_versions(n)) for n in live),
            len({fill.template_texts(n)[2] for n in live} - {None}),
            len({tag for n in live for tag in fill.template_tags(n, factor)}),
            sum(number for _, number in numbers),
            sum(total for total, _ in numbers),
            sum(map(fill.template_uses, live)),
            sum(not fill.template_uses(n) for n in live),
        )
    ]


def _template(factor: int, values: Values) -> int:
    return next(
        n for n in range(fill.n_templates(factor)) if fill.template_id(n) == values["template_id"]
    )


def _distribution(factor: int, values: Values) -> list[tuple[object, ...]]:
    given = fill.ratings(_template(factor, values), factor)
    counts = Counter(r for user, r in given.items() if fill.user_deleted_at(user) is None)
    return [tuple(counts[rating] for rating in range(1, 6))]


def _version_before(factor: int, values: Values) -> list[tuple[object, ...]]:
    before = values["before_version"]
    assert isinstance(before, int)
    versions = fill.template_versions(_template(factor, values))
    return [(max(version for version in versions if version < before),)]


def _labelled(factor: int, values: Values) -> list[tuple[object, ...]]:
    n = _template(factor, values)
    version = fill.template_labels(n).get(str(values["label"]), fill.head_version(n))
    return [(values["template_id"], version)]


def _user_statistics(factor: int, values: Values) -> list[tuple[object, ...]]:
    live = _live_users(factor)
    roles = Counter(map(fill.user_role, live))
    locks = [fill.user_locked_until(n) for n in live]
    logins = [fill.user_last_login_at(n) for n in live]

    def since(name: str) -> int:
        return sum(at is not None and at >= values[name] for at in logins)  # type: ignore[operator]

    return [
        (
            len(live),
            sum(map(fill.user_is_active, live)),
            sum(not fill.user_is_active(n) for n in live),
            roles[Role.ADMIN],
            roles[Role.USER],
            roles[Role.VIEWER],
            sum(fill.user_verified_at(n) is not None for n in live),
            sum(until is not None and until > fill.NOW for until in locks),
            logins.count(None),
            since("day_ago"),
            since("week_ago"),
            since("month_ago"),
        )
    ]


def _new_by_day(factor: int, values: Values) -> list[tuple[object, ...]]:
    start, end, offset = values["from_at"], values["until_at"], values["utc_offset_s"]
    assert isinstance(start, datetime)
    assert isinstance(end, datetime)
    assert isinstance(offset, int)
    counts = Counter(
        (at + timedelta(seconds=offset)).date()
        for at in map(fill.user_created_at, _live_users(factor))
        if start <= at < end
    )
    return [*sorted(counts.items())]


def _window_end(factor: int, values: Values) -> list[tuple[object, ...]]:
    """The last one of the window, where it is found by going through all users."""
    at, last, rows = values["before_at"], values["before_id"], values["window_rows"]
    assert isinstance(at, datetime)
    assert isinstance(last, UUID)
    assert isinstance(rows, int)
    keys = [(fill.user_created_at(n), fill.user_id(n)) for n in _live_users(factor)]
    window = sorted((key for key in keys if key < (at, last)), reverse=True)[:rows]
    return [*window[-1:]]


def _active_admins(factor: int, _: Values) -> list[tuple[object, ...]]:
    admins = [
        n for n in _live_users(factor) if fill.user_role(n) is Role.ADMIN and fill.user_is_active(n)
    ]
    return [(fill.user_id(n),) for n in admins[:LIMIT]]


def _by_email(factor: int, values: Values) -> list[tuple[object, ...]]:
    """The ids, newest first."""
    found = [n for n in range(fill.n_users(factor)) if fill.user_email(n) == values["email"]]
    return [(fill.user_id(n),) for n in sorted(found, reverse=True)]


def _holder(factor: int, values: Values) -> list[tuple[object, ...]]:
    """Of valid tokens, which are those that are asked for."""
    return [
        (fill.user_id(n),)
        for n in _live_users(factor)
        for purpose in TokenPurpose
        if fill.token_hash(n, purpose) == values["token_hash"]
    ]


def _n_failures(factor: int, values: Values) -> list[tuple[object, ...]]:
    """Of an account that is not locked: with this failure, and from the first after a lock."""
    (n,) = (n for n in range(fill.n_users(factor)) if fill.user_id(n) == values["user_id"])
    return [(1 if fill.user_locked_until(n) else fill.user_failed_logins(n) + 1,)]


# What is given of all that was filled in, found here without SQL: the first columns of each row.
_NUMBERS: Mapping[str, Callable[[int, Values], list[tuple[object, ...]]]] = {
    "categories/list_counts": _category_counts,
    "categories/list_visible_counts": _category_counts,
    "tags/list_counts": _tag_counts,
    "tags/list_visible_counts": _tag_counts,
    "template_ratings/find_distribution_any": _distribution,
    "template_ratings/find_distribution_visible": _distribution,
    "template_versions/find_before": _version_before,
    "template_versions/find_labelled_any": _labelled,
    "template_versions/find_labelled_visible": _labelled,
    "templates/count_all": lambda factor, _: [(len(_live(factor)),)],
    "templates/count_public": lambda factor, _: [(sum(map(fill.is_public, _live(factor))),)],
    "templates/get_statistics": _statistics,
    "templates/get_visible_statistics": _statistics,
    "user_tokens/find_holder": _holder,
    "users/count_all": lambda factor, _: [(len(_live_users(factor)),)],
    "users/find_window_end": _window_end,
    "users/get_statistics": _user_statistics,
    "users/list_by_email_including_deleted": _by_email,
    "users/list_new_by_day": _new_by_day,
    "users/lock_admins": _active_admins,
    "users/record_failure": _n_failures,
}


async def check_numbers(world: World, handle: Handle) -> list[str]:
    """What counts everything counts right, what looks through everything finds what is there."""
    expected = _NUMBERS.get(handle.name)
    if expected is None:
        return []
    faults = []
    asked = hits(handle.statement, world.factor)
    if (handle.name, "actor_id") in GIVES_WITHOUT:
        # Who owns nothing, and nobody.
        asked += [{**asked[0], "actor_id": who} for who in (fill.user_id(STRANGER), None)]
    for values in asked:
        answer = await world.answer(handle.statement, values)
        wanted = [tuple(map(raw, row)) for row in expected(world.factor, values)]
        rows = [(str(answer.last_id),)] if isinstance(handle, LastId) else answer.rows
        given = [tuple(row[: len(wanted[0])]) if wanted else row for row in rows]
        if given != wanted:
            faults.append(f"{given}, there are {wanted}")
    return faults


async def check_runs(world: World, handle: Handle) -> list[str]:
    """Hits give something, without a warning and within the LIMIT; misses give nothing."""
    statement, decoder = handle.statement, decoder_of(handle)
    faults = []
    for values in hits(statement, world.factor):
        async with world.undone():
            answer = await world.run(statement.render(values).sql)
            faults += await _warnings(world)
        if is_empty(handle, answer):
            faults.append(f"nothing is found by {_shown(values)}")
        if decoder is not None:
            try:
                decoder.check_columns(answer.columns)
                decoder.rows(answer.rows)
            except RowShapeError as error:
                faults.append(error.message)
        if not isinstance(handle, Many) and len(answer.rows) > 1:
            faults.append(f"{len(answer.rows)} rows for one")
        limit = values.get("limit_rows", _MANY_ROWS)
        assert isinstance(limit, int)
        if len(answer.rows) > limit:
            faults.append(f"{len(answer.rows)} rows for limit_rows {limit}")
    for what, values in misses(statement, world.factor):
        if not is_empty(handle, await world.answer(statement, values)):
            faults.append(f"something is found by {what}")
    return faults


def _unique_faults(world: World, statement: Statement) -> list[str]:
    """The last term of the order tells rows apart, so that no two pages can share one."""
    order = text_rules.order_of(statement.sql)
    if not order:
        return ["no order"]
    if text_rules.groups_of(statement.sql) == [order[-1].split()[0]]:
        return []
    alias, _, column = order[-1].split()[0].partition(".")
    table = text_rules.aliases(statement.sql).get(alias, "")
    # The rest of the key is ordered by before, or is given, itself or as what it is joined to.
    fixed = {term.split()[0] for term in order[:-1]}
    fixed |= set(_GIVEN.findall(statement.sql))
    fixed |= {joined for to, joined in _JOINED.findall(statement.sql) if to in fixed}
    for key in world.schema.unique_keys.get(table, ()):
        if column in key and all(f"{alias}.{c}" in fixed for c in key - {column}):
            return []
    return [f"the order ends in {alias}.{column}, which is not unique"]


async def check_order(world: World, handle: Handle) -> list[str]:
    """Pages by key, one after the other, give each row once, in the order of the whole."""
    statement = handle.statement
    if not isinstance(handle, Many):
        return []
    faults = _unique_faults(world, statement)
    names = {param.name for param in statement.params}
    if "limit_rows" not in names or not names & _FOLLOWING.keys():
        return faults
    decoder = handle.decoder
    ordered = {term.split()[0].partition(".")[2] for term in text_rules.order_of(statement.sql)}
    for case in CASES.get(statement.name, ({},)):
        start = {**hits(statement, world.factor)[0], **case}
        values = {name: start[name] for name in names}
        whole = await world.answer(statement, {**values, "limit_rows": _MANY_ROWS})
        n_pages = 0
        walked: list[object] = []
        values["limit_rows"] = max(1, len(whole.rows) // 5)
        while page := (await world.answer(statement, values)).rows:
            rows = decoder.rows(page)
            walked += rows
            n_pages += 1
            if n_pages > 20:
                return [*faults, "paging does not end"]
            values |= _following(names, ordered, rows[-1])
        if len(whole.rows) < 2 or walked != decoder.rows(whole.rows):
            n_whole = len(whole.rows)
            faults.append(f"{len(walked)} rows by pages, {n_whole} at once, or another order")
    return faults


def _following(names: set[str], ordered: set[str], row: object) -> Values:
    """The key of a row; of two columns it is the one that the rows are ordered by."""
    return {
        name: getattr(row, max(columns, key=lambda c: (c in ordered, hasattr(row, c))))
        for name, columns in _FOLLOWING.items()
        if name in names
    }
