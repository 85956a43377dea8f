"""What a header says, asked of a server that has rows. Each check gives the faults it found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from dal.errors import DalError, RowShapeError
from dal.session.connection import RawResult
from dal.statements import Handle, Many, One, Statement, Value
from dal.statements.decode import Decoder
from dal.statements.handles import Find, LastId
from dal.testing.measure import budget, counting, explain, full_scans, keys_used
from dal.testing.prepare import Column, prepare, with_question_marks
from tests import fill
from tests.fill import STRANGER
from tests.sql import text_rules
from tests.sql.aggregates import AGGREGATES, together
from tests.sql.aggregates.common import Numbers, Values
from tests.sql.values import CASES, GIVES_WITHOUT, MISSES, hits, misses, raw
from tests.sql.worlds import World

# A note that a key could not be used because of a parameter's type or collation is an error here;
# 1003 and 1276 are how MySQL shows the statement that it has explained, and 3598 says that it could
# tell more of window functions.
_EXPLAINED = frozenset({"1003", "1276", "3598"})
_MANY_ROWS = 100_000
_GIVEN = re.compile(r"\b(\w+\.\w+) = :")
_JOINED = re.compile(r"\b(\w+\.\w+) = (\w+\.\w+)\b")
# What MySQL takes for a parameter of a family. A document is sent as its text.
_TAKEN = {"json": frozenset({"json", "text"})}
# Parameter -> column of the last row of a page that it is given for the next page.
_FOLLOWING = {
    "before_at": ("last_activity_at", "created_at", "occurred_at", "moved_at", "updated_at"),
    "before_archived_at": ("archived_at",),
    "before_deleted_at": ("deleted_at",),
    "before_id": ("id", "user_id"),
    "before_version": ("version",),
    "after_at": ("created_at", "occurred_at"),
    "after_id": ("id",),
    "after_sequence": ("sequence_number",),
    "after_user_id": ("user_id",),
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
    if all(field.type in (int, bool, Decimal) for field in decoder.fields):
        return not any(value and float(value) for row in answer.rows for value in row)
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


# Makes private all that is public.
_HIDE_ALL: Final = [sql for aggregate in AGGREGATES for sql in aggregate.hide]


def _shared(values: Values) -> tuple[Values, Values] | None:
    """What the actor alone sees and what everybody sees, where one thing is asked for by its id."""
    found = [v for a in AGGREGATES for name, v in a.shared.items() if name in values]
    return found[0] if found else None


async def check_access(world: World, handle: Handle) -> list[str]:
    """A stranger gets no rows and changes none."""
    statement = handle.statement
    access = statement.header.access.removesuffix(" or system")
    first, *_ = asked = [v for v in hits(statement, world.factor) if not v.get("actor_is_system")]
    stranger = fill.user_id(STRANGER)
    if statement.header.access.endswith(" or system"):
        as_system = {**first, "actor_id": None, "actor_is_system": True}
        if is_empty(handle, await world.answer(statement, as_system)):
            return ["what the system may see is not given to it"]
    if access in ("actor", "participant"):
        return [
            f"a stranger gets something: {_shown(values)}"
            for values in asked
            if not is_empty(handle, await world.answer(statement, {**values, "actor_id": stranger}))
        ]
    if access == "public":
        hidden = await world.answer(statement, first, _HIDE_ALL)
        return [] if is_empty(handle, hidden) else ["what is private is given"]
    by_key = _shared(first)
    if access == "public or actor" and by_key is None:
        faults = []
        for who in (stranger, None):
            given = [{**values, "actor_id": who} for values in asked]
            if all([is_empty(handle, await world.answer(statement, v)) for v in given]):
                faults.append(f"what is public is not given to {who}")
            answers = [await world.answer(statement, values, _HIDE_ALL) for values in given]
            if not all(is_empty(handle, answer) for answer in answers):
                faults.append(f"what is private is given to {who}")
        return faults
    if access == "public or actor":
        # Some ask for a user.
        nobody = [None] * next(p.type.nullable for p in statement.params if p.name == "actor_id")
        private, public = (
            {name: {**first, **values}[name] for name in first} for values in by_key or ()
        )
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
            for values in asked
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
_FORGET: Final = (
    "SET foreign_key_checks = 0",
    *(sql for aggregate in AGGREGATES for sql in aggregate.forget),
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


# What is given of all that was filled in, found without SQL: the first columns of each row.
_NUMBERS: Final[Mapping[str, Numbers]] = together("numbers")


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
    groups = set(text_rules.groups_of(statement.sql))
    if groups and groups <= {term.split()[0] for term in order}:
        # A row a group.
        return []
    alias, _, column = order[-1].split()[0].partition(".")
    table = text_rules.aliases(statement.sql).get(alias, "")
    # The rest of the key is ordered by before, or is given, itself or as what it is joined to.
    fixed = {term.split()[0] for term in order[:-1]}
    fixed |= set(_GIVEN.findall(statement.sql))
    # Of a row that is given by one of its keys, all columns are.
    aliases = text_rules.aliases(statement.sql)
    given = {
        name
        for name, of in aliases.items()
        for key in world.schema.unique_keys.get(of, ())
        if key and all(f"{name}.{c}" in fixed for c in key)
    }
    for to, joined in _JOINED.findall(statement.sql):
        if to in fixed or to.partition(".")[0] in given:
            fixed.add(joined)
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
