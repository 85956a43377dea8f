"""A fault in any file turns a check red: predicates lost and turned, orders flipped, limits gone.

The mutants are made of every file, line by line, as the house writes SQL: one conjunct a line. Then
some faults that no line makes are planted by hand, one for each check.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from dal.errors import DalError, StatementError
from dal.statements import Handle, house, sql_folder
from tests.sql import server_checks as checks
from tests.sql.locks import check_locks
from tests.sql.text_rules import meaning_faults, text_faults
from tests.sql.values import hits
from tests.sql.worlds import World
from tests.sql.written import check_written

ROOT = Path(__file__).parents[2] / "sql"
_CLAUSE = re.compile(r"\s*(SET|WHERE|ON DUPLICATE|ON)\b")
_OPENS = re.compile(r"[(]\s*$")
_TURNED = (
    (" IS NULL", " IS NOT NULL"),
    (" IS NOT NULL", " IS NULL"),
    (" = TRUE", " = FALSE"),
    (" = FALSE", " = TRUE"),
    (" <> ", " = "),
    (" = :", " <> :"),
    (" < :", " > :"),
    (" < :", " <= :"),
    (" <= :", " > :"),
    (" <= :", " < :"),
    (" > :", " < :"),
    (" > :", " >= :"),
    (" >= :", " < :"),
    (" >= :", " > :"),
)


_OTHER_LOCK = {"FOR UPDATE": "LOCK IN SHARE MODE", "LOCK IN SHARE MODE": "FOR UPDATE"}

# Mutants that give the same on every server, and why.
EQUIVALENT: Final = {
    ("conversations/list_trash", "AND c.deleted_at IS NOT NULL"): "NULL is before no deleted_at",
    ("templates/list_trash", "AND t.deleted_at IS NOT NULL"): "NULL is before no deleted_at",
}

# Faults that one server alone sees: which one, and why the other does not. The other one is asked
# too, and must say nothing: what it learns to see leaves this table.
SEEN_BY: Final = {
    # MySQL names the type that it takes a parameter for; MariaDB takes anything.
    ("users/find_by_email", "VARCHAR(254)"): "mysql",
    ("templates/soft_delete", "now          DATETIME(6) "): "mysql",
    (
        "users/record_failure",
        "CASE WHEN failed_logins >= :max_failures THEN :lock_until END",
    ): "mysql",
    # MariaDB does not show which rows are locked.
    ("templates/purge", "X,REC_NOT_GAP template_versions.PRIMARY"): "mysql",
    # MariaDB finds the index by itself.
    ("templates/list_public", " FORCE INDEX (ix_templates_visibility_created)"): "mysql",
    # MariaDB divides decimals to more digits.
    ("templates/record_use", "604800E0 - trend / 1E9"): "mysql",
    # Of a table that it reads first, as constants, MySQL says NOT NULL whatever joins it.
    ("templates/get", "INNER JOIN template_versions"): "mariadb",
    # MariaDB reads more or less than the header says; MySQL as much, and what comes is the same.
    ("templates/list_trash", "turned: t.created_at = :before_at to t.created_at <> :before_at"): (
        "mariadb"
    ),
    ("templates/list_hits", "without AND t.head_version = v.version"): "mariadb",
}


def planted(folder: Path, name: str, text: str) -> Handle:
    """The statement of this text, with a handle as the gateway's."""
    file = folder / f"{name}.sql"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    statement = sql_folder(folder).statements[name]
    original: Any = house().handles[name]
    record = getattr(original, "record", None)
    made: Handle = type(original)(statement, *([record] if record else []))
    return made


def _source(name: str) -> str:
    return (ROOT / f"{name}.sql").read_text(encoding="utf-8")


def _line_mutants(lines: list[str], i: int) -> Iterator[tuple[str, list[str]]]:
    line, following = lines[i], lines[i + 1] if i + 1 < len(lines) else ""
    rest = lines[i + 1 :]
    bare = line.strip()
    if bare.startswith(("AND ", "OR ")) and not _OPENS.search(line):
        yield f"without {bare}", lines[:i] + rest
    if bare in ("WHERE", "ON") and following.strip() and not _OPENS.search(following):
        after = lines[i + 2] if i + 2 < len(lines) else ""
        if after.strip().startswith("AND "):
            joined = after.replace("AND ", "", 1)
            yield f"without {following.strip()}", [*lines[: i + 1], joined, *lines[i + 3 :]]
    if bare.startswith("WHERE "):
        yield f"without {bare}", lines[:i] + rest
    if re.search(r" (DESC|ASC),?$", line):
        flipped = re.sub(r" (DESC|ASC)(,?)$", lambda m: _flip(m[1]) + m[2], line)
        yield f"flipped: {bare}", [*lines[:i], flipped, *rest]
    if bare.startswith("ORDER BY "):
        yield f"flipped: {bare}", [*lines[:i], f"{line} DESC", *rest]
    if bare.startswith("LIMIT "):
        yield f"without {bare}", lines[:i] + rest
    is_assigned = _clause(lines[: i + 1]) in ("SET", "ON DUPLICATE")
    if is_assigned and line.endswith(",") and " = " in line:
        yield f"without {bare}", lines[:i] + rest
    if is_assigned and not line.endswith(",") and lines[i - 1].endswith(",") and " = " in line:
        yield f"without {bare}", [*lines[: i - 1], lines[i - 1].rstrip(","), *rest]
    for text, other in _TURNED:
        # What is assigned is not compared.
        if text in line and not line.startswith("--") and not (is_assigned and text == " = :"):
            changed = line.replace(text, other)
            yield f"turned: {bare} to {changed.strip()}", [*lines[:i], changed, *rest]
    if bare in _OTHER_LOCK:
        yield f"without {bare}", lines[:i] + rest
        yield f"turned: {bare}", [*lines[:i], _OTHER_LOCK[bare], *rest]


def _clause(lines: list[str]) -> str:
    """What the clause begins with in which the last line stands."""
    found = [match[1] for match in map(_CLAUSE.match, lines) if match]
    return found[-1] if found else ""


def _flip(direction: str) -> str:
    return " ASC" if direction == "DESC" else " DESC"


def mutants() -> Iterator[tuple[str, str, str]]:
    """Name of the statement, what was done to it, its text then."""
    for name in sorted(house().statements):
        lines = _source(name).splitlines()
        for i in range(len(lines)):
            for what, changed in _line_mutants(lines, i):
                if what.startswith("without") and (name, lines[i].strip()) in EQUIVALENT:
                    continue
                yield name, f"line {i + 1} {what}", "\n".join(changed) + "\n"


async def _faults(world: World, handle: Handle) -> AsyncGenerator[list[str], None]:
    """What each check says of one statement, one after the other."""
    statement = handle.statement
    yield text_faults(statement)
    for check in (
        checks.check_prepare,
        checks.check_runs,
        checks.check_numbers,
        checks.check_order,
        checks.check_access,
        checks.check_deleted,
        check_written,
        check_locks,
    ):
        yield await check(world, handle)
    for values in hits(statement, world.factor):
        yield await checks.check_plan(world, statement, values)
        yield await checks.check_reads(world, handle, values)


async def is_found(world: World, handle: Handle) -> bool:
    """Whether any check says anything; a refusal by the server says it too."""
    async with limited(world), aclosing(_faults(world, handle)) as found:
        try:
            async for faults in found:
                if faults:
                    return True
        except DalError:
            return True  # also where it was stopped: a join without its condition
    return False


async def all_faults_of(world: World, handle: Handle) -> list[str]:
    """What all checks say, up to one that the server refuses to run."""
    said: list[str] = []
    async with limited(world), aclosing(_faults(world, handle)) as found:
        try:
            async for faults in found:
                said += faults
        except DalError as error:
            said.append(error.message)
    return said


def parted(victims: list[World], name: str, what: str) -> tuple[list[World], list[World]]:
    """Those that must see a fault, and those that cannot."""
    by = SEEN_BY.get((name, what))
    seeing = [world for world in victims if by in (None, world.engine)]
    return seeing, [world for world in victims if world not in seeing]


@asynccontextmanager
async def limited(world: World) -> AsyncIterator[None]:
    """The server stops what takes very long: a mutant may join everything with everything."""
    limit = "max_statement_time = {}" if world.engine == "mariadb" else "max_execution_time = {}000"
    await world.run(f"SET SESSION {limit.format(2)}")
    try:
        yield
    finally:
        await world.run("SET foreign_key_checks = 1")
        await world.run(f"SET SESSION {limit.format(30)}")


_MUTANTS = list(mutants())


@pytest.mark.parametrize(
    ("name", "what", "text"),
    [(name, what.split(" ", 2)[2], text) for name, what, text in _MUTANTS],
    ids=[f"{name}: {what}" for name, what, _ in _MUTANTS],
)
async def test_a_mutant_is_found(
    victims: list[World], tmp_path: Path, name: str, what: str, text: str
) -> None:
    try:
        handle = planted(tmp_path, name, text)
    except StatementError:
        return  # the loader is a check too: a parameter without a place
    seeing, blind = parted(victims, name, what)
    for world in blind:
        assert not await is_found(world, handle), f"{world} sees it: see SEEN_BY"
    for world in seeing:
        if await is_found(world, handle):
            return
    if seeing:
        pytest.fail("nobody saw it", pytrace=False)


# One or more for each check, with the words that it must say.
BY_HAND: Final[list[tuple[str, str, str, str]]] = [
    # columns and record
    ("users/find_by_id", "u.full_name AS full_name", "u.full_name AS name", "do not fit User"),
    ("users/find_by_id", "    u.email AS email,\n", "", "do not fit User"),
    ("users/find_by_id", "u.full_name AS full_name", "u.id AS full_name", "read as <class 'str'>"),
    ("users/find_by_id", "u.full_name AS full_name", "u.full_nam AS full_name", "not prepared"),
    (
        "templates/get",
        "INNER JOIN template_versions",
        "LEFT JOIN template_versions",
        "may be NULL",
    ),
    (
        "templates/get",
        "t.visibility AS visibility",
        "'public' AS visibility",
        "the record has ['private', 'public']",
    ),
    # parameters
    ("users/find_by_email", "VARCHAR(254)", "BINARY(16)", "the server takes text"),
    (
        "templates/soft_delete",
        "now          DATETIME(6) ",
        "now          INT         ",
        "the server takes temporal",
    ),
    (
        "users/record_failure",
        "CASE WHEN failed_logins >= :max_failures THEN :lock_until END",
        "IF(failed_logins >= :max_failures, :lock_until, NULL)",
        "the server takes binary",
    ),
    # plans
    (
        "users/find_by_email",
        "u.email_live = :email",
        "CONCAT(u.email_live, '') = :email",
        "full scan of u",
    ),
    (
        "templates/list_own",
        "ix_templates_owner_created, PRIMARY",
        "ix_templates_deleted, PRIMARY",
        "the header says",
    ),
    (
        "templates/list_public",
        " FORCE INDEX (ix_templates_visibility_created)",
        "",
        "full scan of t",
    ),
    (
        "users/get_statistics",
        "WHERE u.deleted_at IS NULL",
        "WHERE u.id IN (UNHEX('00')) AND u.deleted_at IS NULL",
        "no full scan",
    ),
    # reads
    ("templates/list_own", "3 * rows + 2 * tags + 3", "rows + 1", "rows fetched"),
    ("templates/list_own", "3 * rows + 2 * tags + 3", "1000 * rows", "say less"),
    ("templates/list_all", "2 * passed + 2", "2", "rows fetched"),
    ("template_ratings/list_by_template", "2 * passed + 4", "4", "rows fetched"),
    # access
    (
        "templates/list_own",
        "t.owner_id = :actor_id",
        "(t.owner_id = :actor_id OR t.visibility = 'public')",
        "a stranger gets something",
    ),
    ("templates/get", "t.visibility = 'public'", "t.visibility <> ''", "is private"),
    ("templates/get", "t.visibility = 'public'", "t.visibility = ''", "is not given"),
    ("templates/get", "access:  public or actor or system", "access:  public or actor", "is asked"),
    ("templates/get", ":actor_is_system = TRUE", ":actor_is_system = 7", "the system may see"),
    ("templates/list_hits", "t.visibility = 'public'", "t.visibility <> ''", "is private"),
    ("templates/list_hits", "t.visibility = 'public'", "t.visibility = ''", "is not given"),
    ("templates/list_own", "access:  actor", "access:  system", "actor_id is asked for"),
    ("templates/list_public", "access:  public", "access:  actor", "nobody asks"),
    ("user_tokens/find_holder", "access:  token", "access:  system", "chosen by token_hash"),
    ("users/find_by_email", "access:  system", "access:  token", "no token_hash chooses"),
    (
        "user_tokens/consume",
        "token_hash = :token_hash",
        "token_hash >= :token_hash",
        "by a wrong token",
    ),
    # rows that are there, and are not to be found
    (
        "users/exists_admin",
        "        AND u.is_active = TRUE\n",
        "",
        "an admin who is not active",
    ),
    ("users/lock_admin", "    AND u.role = 'admin'\n", "", "found by not an admin"),
    ("user_tokens/consume", "expires_at > :now", "expires_at >= :now", "a token that ends now"),
    ("users/record_failure", "        OR locked_until <= :now", "        OR :now > 0", "is locked"),
    # numbers
    ("users/get_statistics", ">= :day_ago", "> :day_ago", "there are"),
    ("users/find_window_end", "u.id DESC", "u.id ASC", "there are"),
    ("template_ratings/find_distribution", "r.rating = 4", "r.rating = 3", "there are"),
    ("templates/get_visible_statistics", "SUM(t.use_count)", "SUM(t.trend)", "there are"),
    ("users/record_failure", "failed_logins + 1, 1)", "failed_logins + 1, 2)", "there are"),
    # what is written
    (
        "users/update_role",
        "    credentials_changed_at = :changed_at,\n",
        "",
        "credentials_changed_at is",
    ),
    ("users/unlock", "    failed_logins = 0,\n", "", "failed_logins is '5', and should be '0'"),
    # Whole numbers are divided to four digits.
    (
        "templates/record_use",
        "604800E0 - trend / 1E9",
        "604800 - trend / 1000000000",
        "trend is",
    ),
    ("templates/add_ratings", "t.rating_sum + r.rating", "t.rating_sum + 1", "rating_sum is"),
    (
        "users/unlock",
        "    failed_logins = 0,\n",
        "    failed_logins = 0,\n    is_active = FALSE,\n",
        "is_active is",
    ),
    # locks
    ("users/lock_by_id", "FOR UPDATE", "LOCK IN SHARE MODE", "the lock is S"),
    ("users/lock_by_id", "FOR UPDATE", "", "no rows are locked"),
    (
        "users/find_by_id",
        "AND u.deleted_at IS NULL",
        "AND u.deleted_at IS NULL\nFOR UPDATE",
        "rows are locked",
    ),
    (
        "templates/purge",
        "X,REC_NOT_GAP template_versions.PRIMARY",
        "S,REC_NOT_GAP template_versions.PRIMARY",
        "the header says X,REC_NOT_GAP",
    ),
    # deleted
    ("templates/list_own", "deleted: excluded", "deleted: only", "after UPDATE"),
    ("templates/list_own", "deleted: excluded", "deleted: n/a", "and it reads templates"),
    ("categories/list_by_slugs", "deleted: n/a", "deleted: excluded", "can be deleted"),
    # what the text may not hold
    ("users/find_by_id", "    u.id AS id,\n", "    u.*,\n", "never *"),
    ("users/soft_delete", "deleted_at = :now,", "deleted_at = NOW(),", "NOW is not used"),
    ("users/find_by_id", "u.id AS id", "u.id", "no AS"),
    ("users/find_by_id", "FROM users AS u", "FROM users u", "no AS"),
    ("users/lock_live", "LOCK IN SHARE MODE", "FOR SHARE", "FOR SHARE is not used"),
    ("templates/list_own", "LIMIT :limit_rows", "LIMIT :limit_rows OFFSET 20", "OFFSET"),
    ("templates/list_own", "LIMIT :limit_rows", "LIMIT 20, :limit_rows", "page by key"),
    (
        "templates/list_own",
        "AND t.id < :before_id",
        "AND (t.id, t.name) < (:before_id, t.name)",
        "row constructor",
    ),
    (
        "templates/list_own",
        "    t.created_at DESC,\n    t.id DESC",
        "    t.created_at DESC",
        "not unique",
    ),
    ("template_labels/list_by_template", "ORDER BY l.label", "ORDER BY l.version", "not unique"),
    ("templates/list_own_ids_including_deleted", "ORDER BY t.id\n", "", "an ORDER BY"),
]


@pytest.mark.parametrize(("name", "old", "new", "said"), BY_HAND)
async def test_a_planted_fault_is_named(
    victims: list[World], tmp_path: Path, name: str, old: str, new: str, said: str
) -> None:
    source = _source(name)
    assert old in source
    handle = planted(tmp_path, name, source.replace(old, new))
    seeing, blind = parted(victims, name, old)
    for world in blind:
        found = await all_faults_of(world, handle)
        assert not any(said in fault for fault in found), f"{world} sees it: see SEEN_BY"
    found = [fault for world in seeing for fault in await all_faults_of(world, handle)]
    assert not seeing or any(said in fault for fault in found), found


def test_what_one_server_sees_is_there() -> None:
    known = {(name, what.split(" ", 2)[2]) for name, what, _ in _MUTANTS}
    known |= {(name, old) for name, old, _, _ in BY_HAND}
    assert set(SEEN_BY) <= known


async def test_reads_that_are_no_budget_are_refused(victims: list[World], tmp_path: Path) -> None:
    text = _source("users/find_by_id").replace("reads:   1", "reads:   rows ** 9")
    handle = planted(tmp_path, "users/find_by_id", text)
    values = hits(handle.statement, 1)[0]
    with pytest.raises(StatementError, match="whole numbers"):
        await checks.check_reads(victims[0], handle, values)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("-- access:", "-- param:   more         INT          of no use\n-- access:"),
        ("-- param:   user_id      BINARY(16)   the user\n", ""),
        ("LOCK IN SHARE MODE", "LOCK IN SHARE MODE; SELECT 1"),
    ],
)
def test_the_loader_refuses(tmp_path: Path, old: str, new: str) -> None:
    source = _source("users/lock_live")
    assert old in source
    with pytest.raises(StatementError):
        planted(tmp_path, "users/lock_live", source.replace(old, new))


def test_a_second_meaning_is_found(tmp_path: Path) -> None:
    text = _source("users/find_by_id").replace("   the user\n", "   the owner\n")
    handle = planted(tmp_path, "users/find_by_id", text)
    everything = {**house().statements, "users/find_by_id": handle.statement}
    (fault, *_) = meaning_faults(everything)
    assert "'the owner'" in fault
