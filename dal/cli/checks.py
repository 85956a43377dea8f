"""What the doctor looks at: each check says what it found, and how to mend what is wrong."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

import attrs
import pymysql

from dal.cli.options import named
from dal.cli.plans import fill_in, reachable
from dal.config import Config, parse
from dal.errors import ConfigError, DalError
from dal.migrate import Migrator, check_files
from dal.private import kept_config
from dal.provision import connect, errno_and_text, packaged
from dal.server import Engine, find_program
from dal.server.programs import MINIMUM, TITLES
from dal.statements import Statement, house

if TYPE_CHECKING:
    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

__all__ = ["Finding", "examine"]

Result = Literal["ok", "warn", "fail"]

_PYTHON: Final = (3, 11)
# Least version, and the first that is too new, which is known to break.
_PACKAGES: Final[dict[str, tuple[str, str | None]]] = {
    "aiomysql": ("0.3.2", None),
    "PyMySQL": ("1.1.3", "1.2.1"),
    "cryptography": ("42", None),
    "attrs": ("23.2", None),
    "pypika": ("0.51.1", None),
    "yoyo-migrations": ("9.0.0", None),
}
_PACKET_BYTES: Final = 32 << 20
_SKEW_S: Final = 1.0
_NO_SUCH_TABLE: Final = frozenset({1146})
_DENIED: Final = frozenset({1142, 1143})
_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_AUDIT: Final = "audit_logs"
_OF_SEALER: Final = ("audit_seals", "audit_seal_entries", "audit_checkpoints")
_UPDATE_AUDIT: Final = "UPDATE audit_logs SET `{0}` = `{0}` WHERE 1 = 0"
_DELETE_AUDIT: Final = "DELETE FROM audit_logs WHERE 1 = 0"


@attrs.frozen
class Finding:
    """What a check found; ``mend`` says what to do where the result is not ok."""

    check: str
    result: Result
    found: str
    mend: str | None = None


def examine(url: str | None) -> Iterator[Finding]:
    """Every check in order, of the installation first; the server's end where it is not reached."""
    yield _python()
    yield from _packages()
    yield from _files()
    yield from _programs()
    try:
        with reachable(url) as config, closing(connect(config)) as connection:
            yield Finding("connection", "ok", config.where)
            yield from _server(config, connection, _migrator(url))
    except DalError as error:
        mend = _mend_connection(error)
        yield Finding("connection", "fail", str(error), mend)


def _migrator(url: str | None) -> Config | None:
    """Who may read the migrations' records, where that is known: on the kept private server."""
    address = parse(named(url))
    if isinstance(address, Config) or address.temporary:
        return None
    return kept_config(address.engine, "dal_migrator")


# The installation ----------------------------------------------------------------------------


def _python() -> Finding:
    found = sys.version.split()[0]
    if sys.version_info < _PYTHON:
        return Finding(
            "python", "fail", found, f"use Python {'.'.join(map(str, _PYTHON))} or later"
        )
    return Finding("python", "ok", found)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _packages() -> Iterator[Finding]:
    for name, (least, too_new) in _PACKAGES.items():
        wanted = f"{name}>={least}" + (f",<{too_new}" if too_new else "")
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(f"package {name}", "fail", "missing", f"pip install '{wanted}'")
            continue
        fits = _numbers(found) >= _numbers(least) and (
            too_new is None or _numbers(found) < _numbers(too_new)
        )
        mend = None if fits else f"pip install '{wanted}'"
        yield Finding(f"package {name}", "ok" if fits else "fail", found, mend)


def _files() -> Iterator[Finding]:
    try:
        yield Finding("sql", "ok", f"{len(house().statements)} statements in {packaged('sql')}")
        folder = packaged("migrations")
        faults = check_files(folder)
    except DalError as error:
        yield Finding("files", "fail", str(error), "the installation is broken: install it again")
        return
    if faults:
        yield Finding("migrations", "fail", "; ".join(faults), "see migrations/README.md")
    else:
        yield Finding("migrations", "ok", f"well formed, in {folder}")


def _programs() -> Iterator[Finding]:
    engines: tuple[Engine, ...] = ("mariadb", "mysql")
    for engine in engines:
        try:
            program = find_program(engine)
        except ConfigError as error:
            # A warning would be wrong where only servers of others are used.
            yield Finding(
                f"program {engine}", "ok", f"none, needed for private: alone: {error.message}"
            )
        else:
            yield Finding(f"program {engine}", "ok", f"{program.title}, {program.path}")


# The server ----------------------------------------------------------------------------------


def _mend_connection(error: DalError) -> str:
    if isinstance(error, ConfigError):
        return "correct --url or DAL_URL, as the message says"
    return {
        1044: "the account has no right in this database: GRANT dal_application TO it, and"
        " SET DEFAULT ROLE (sql/grants.sql says how)",
        1045: "user or password is wrong, or the account is for another host",
        1049: "an administrator creates the database, then: dal migrate apply",
        2059: "the account's authentication plugin is not known to the driver: use another",
    }.get(error.errno or 0, "is the server running, and the address right?")


def _server(
    config: Config, connection: Connection[Cursor], migrator: Config | None
) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        ask = _Asking(cursor)
        engine = _engine(ask.one("SELECT VERSION()"))
        checks: tuple[Callable[[], Iterator[Finding]], ...] = (
            lambda: _version(ask, engine),
            lambda: _tls(ask, config),
            lambda: _session(ask),
            lambda: _clock(ask),
            lambda: _variables(ask),
            lambda: _migrations(ask, config, migrator),
            lambda: _statements(ask),
            lambda: _audit_rights(ask, config),
        )
        for check in checks:
            try:
                yield from check()
            except pymysql.Error as error:
                _, text = errno_and_text(error)
                yield Finding("server", "fail", text, "the server refused to be asked")


@attrs.frozen
class _Asking:
    """Questions to the server that no statement of sql/ asks."""

    cursor: Cursor

    def one(self, sql: str) -> str:
        self.cursor.execute(sql)
        row = self.cursor.fetchone()
        return str(row[0]) if row else ""

    def variable(self, name: str) -> str | None:
        self.cursor.execute("SHOW GLOBAL VARIABLES LIKE %s", (name,))
        row = self.cursor.fetchone()
        return str(row[1]) if row else None

    def refused(self, sql: str) -> tuple[int, str] | None:
        """Number and words of the refusal to explain a statement, which is never run."""
        try:
            self.cursor.execute(f"EXPLAIN {sql}")
        except pymysql.Error as error:
            errno, text = errno_and_text(error)
            return errno or 0, text
        self.cursor.fetchall()
        return None


def _engine(version: str) -> Engine:
    return "mariadb" if "mariadb" in version.lower() else "mysql"


def _version(ask: _Asking, engine: Engine) -> Iterator[Finding]:
    found = ask.one("SELECT VERSION()")
    least = MINIMUM[engine]
    if _numbers(found) < least:
        mend = f"{TITLES[engine]} {'.'.join(map(str, least))} or later is required"
        yield Finding("version", "fail", f"{TITLES[engine]} {found}", mend)
    else:
        yield Finding("version", "ok", f"{TITLES[engine]} {found}")


def _tls(ask: _Asking, config: Config) -> Iterator[Finding]:
    ask.cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
    row = ask.cursor.fetchone()
    cipher = str(row[1]) if row else ""
    if cipher:
        yield Finding("tls", "ok", cipher)
    elif config.unix_socket or config.host in _LOCAL_HOSTS:
        yield Finding("tls", "ok", "none, and none needed: the server is on this machine")
    else:
        yield Finding(
            "tls",
            "warn",
            "none: what is sent can be read on the way",
            "put ?ssl_ca=/path/of/ca.pem (or ssl=true) into the URL",
        )


def _session(ask: _Asking) -> Iterator[Finding]:
    mode = ask.one("SELECT @@SESSION.sql_mode")
    if "STRICT_TRANS_TABLES" not in mode or "NO_BACKSLASH_ESCAPES" in mode:
        yield Finding(
            "sql_mode",
            "fail",
            mode,
            "something between us and the server (a proxy?) changes the session's sql_mode",
        )
    else:
        yield Finding("sql_mode", "ok", mode)
    charset = ask.one("SELECT @@character_set_database")
    if charset != "utf8mb4":
        yield Finding(
            "character set",
            "warn",
            f"the database's is {charset}",
            "ALTER DATABASE ... CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci",
        )
    else:
        yield Finding("character set", "ok", f"{charset}, {ask.one('SELECT @@collation_database')}")


def _clock(ask: _Asking) -> Iterator[Finding]:
    before = datetime.now(UTC)
    server = datetime.fromisoformat(ask.one("SELECT UTC_TIMESTAMP(6)")).replace(tzinfo=UTC)
    after = datetime.now(UTC)
    skew_s = (server - (before + (after - before) / 2)).total_seconds()
    found = f"the server's is {skew_s:+.3f} s from ours"
    if abs(skew_s) - (after - before).total_seconds() > _SKEW_S:
        mend = "every change has the time of the machine that makes it: run NTP on both"
        yield Finding("clock", "warn", found, mend)
    else:
        yield Finding("clock", "ok", found)


def _variables(ask: _Asking) -> Iterator[Finding]:
    packet = int(ask.variable("max_allowed_packet") or 0)
    if packet < _PACKET_BYTES:
        yield Finding(
            "max_allowed_packet",
            "warn",
            f"{packet:,} bytes: too few for prompts near 16 MiB",
            f"max_allowed_packet = {_PACKET_BYTES >> 20}M in the server's configuration",
        )
    else:
        yield Finding("max_allowed_packet", "ok", f"{packet:,} bytes")
    log = ask.variable("log_bin") or "OFF"
    form = ask.variable("binlog_format") or "ROW"
    if log == "ON" and form == "STATEMENT":
        yield Finding(
            "binlog_format",
            "fail",
            "STATEMENT: every change at READ COMMITTED is refused (1665)",
            "binlog_format = ROW (or MIXED) in the server's configuration",
        )
    else:
        yield Finding("binlog_format", "ok", form if log == "ON" else "no binary log")
    whole = ask.variable("innodb_rollback_on_timeout") or "OFF"
    if whole == "ON":
        yield Finding(
            "innodb_rollback_on_timeout",
            "warn",
            "ON: a lock that is not granted undoes the transaction, savepoints and all",
            "OFF: we roll back and repeat the transaction ourselves",
        )
    else:
        yield Finding("innodb_rollback_on_timeout", "ok", whole)


def _migrations(ask: _Asking, config: Config, migrator: Config | None) -> Iterator[Finding]:
    refusal = ask.refused("SELECT id FROM dal_migrations")
    if migrator is None and refusal and refusal[0] in _DENIED:
        found = "not this account's to read; dal migrate status with the migrator's tells"
        yield Finding("migration state", "ok", found)
        return
    try:
        status = Migrator(migrator or config).status()
    except DalError as error:
        yield Finding("migration state", "fail", str(error), "see migrations/README.md")
        return
    mends = {
        "pending": "dal migrate apply",
        "edited": "put the old text back, and change the table by a new migration",
        "missing": "the database is of a newer release than this installation",
    }
    for state, mend in mends.items():
        ids = [one.id for one in status if one.state == state]
        if ids:
            yield Finding("migration state", "fail", f"{state}: {', '.join(ids)}", mend)
    if all(one.state == "applied" for one in status):
        yield Finding("migration state", "ok", f"{len(status)} applied, none pending")


def _statements(ask: _Asking) -> Iterator[Finding]:
    """Every statement, explained: what the server refuses would fail in traffic."""
    missing: list[str] = []
    denied: list[str] = []
    wrong: list[str] = []
    for name, statement in house().statements.items():
        refusal = ask.refused(fill_in(statement, {}).sql)
        if refusal is None:
            continue
        errno, text = refusal
        if errno in _NO_SUCH_TABLE:
            missing.append(text)
        elif errno not in _DENIED:
            wrong.append(f"{name}: {text}")
        elif not _is_of_other_accounts(name, statement):
            denied.append(name)
    if missing:
        yield Finding("tables", "fail", "; ".join(sorted(set(missing))), "dal migrate apply")
    if denied:
        yield Finding(
            "rights",
            "fail",
            f"this account may not run: {', '.join(denied)}",
            "an administrator runs sql/grants.sql and gives the account the role dal_application",
        )
    if wrong:
        yield Finding("statements", "fail", "; ".join(wrong), "dal migrate status")
    if not (missing or denied or wrong):
        yield Finding(
            "statements", "ok", f"all {len(house().statements)} fit the tables and rights"
        )


def _is_of_other_accounts(name: str, statement: Statement) -> bool:
    """Whether a statement is for the sealer or retention alone, who have accounts of their own."""
    table = name.partition("/")[0]
    removes = table == _AUDIT and statement.writes and "insert" not in name
    return removes or table in _OF_SEALER or any(one in statement.sql for one in _OF_SEALER)


def _audit_rights(ask: _Asking, config: Config) -> Iterator[Finding]:
    """Asked of the server by EXPLAIN, which needs the rights themselves, whatever roles give."""
    ask.cursor.execute(
        "SELECT COLUMN_NAME FROM information_schema.COLUMNS"
        " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s",
        (_AUDIT,),
    )
    columns = [row[0] for row in ask.cursor.fetchall()]
    if not columns:
        return
    held = []
    if any(ask.refused(_UPDATE_AUDIT.format(column)) is None for column in columns):
        held.append("UPDATE")
    if ask.refused(_DELETE_AUDIT) is None:
        held.append("DELETE")
    if held:
        yield Finding(
            "audit log",
            "fail",
            f"{config.user} holds {' and '.join(held)} on {_AUDIT}: entries can be rewritten",
            f"connect as an account that has the role dal_application alone, or REVOKE"
            f" {', '.join(held)} ON {_AUDIT} FROM that account or role",
        )
    else:
        yield Finding(
            "audit log", "ok", f"{config.user} can add entries, not change or remove them"
        )
