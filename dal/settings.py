"""A session whose every setting is ours: what a server's variables could change of what we promise.

A global variable is what somebody once needed: an administrator, a tool, a hosting company. A
session begins with it. So each one that changes what a statement does or gives is set, for the
application and for the migrator, in the one statement that is sent when a connection is made and
each time that it is reset. Not set is what changes speed alone, and what ends idle connections.
"""

from __future__ import annotations

import re
from typing import Final

from dal.errors import ConfigError, ConnectError

__all__ = ["STATEMENT_LOGGED", "parse_version", "refuse_statement_log", "session_settings"]

_MINIMUM: Final = {"mariadb": (10, 6, 0), "mysql": (8, 0, 22)}

_SQL_MODE: Final = (
    "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)
_BOTH: Final = (
    ("time_zone", "'+00:00'"),
    ("sql_mode", f"'{_SQL_MODE}'"),
    ("autocommit", "1"),
    ("completion_type", "'NO_CHAIN'"),
    # What is promised of rows that belong together; dumps and tools leave them off.
    ("foreign_key_checks", "1"),
    ("unique_checks", "1"),
    # Names of constraints are read from messages.
    ("lc_messages", "'en_US'"),
    ("lc_time_names", "'en_US'"),
    # Rows that are left out, statements that are refused.
    ("sql_select_limit", "18446744073709551615"),
    ("sql_big_selects", "1"),
    ("sql_safe_updates", "0"),
    ("sql_auto_is_null", "0"),
    # Numbers, orders, texts that are cut. MariaDB cuts JSON_ARRAYAGG too, and the rest is no JSON.
    ("div_precision_increment", "4"),
    ("default_week_format", "0"),
    ("max_sort_length", "1024"),
    ("group_concat_max_len", "1048576"),
    # What is read of the schema, and what is made where a file does not say it.
    ("sql_quote_show_create", "1"),
    ("default_storage_engine", "InnoDB"),
)
_MARIADB: Final = (
    ("check_constraint_checks", "1"),
    ("old_mode", "''"),
    ("standard_compliant_cte", "1"),
    ("max_recursive_iterations", "1000000"),
    ("innodb_strict_mode", "1"),
    ("alter_algorithm", "'DEFAULT'"),
    ("sql_if_exists", "0"),
)
_MYSQL: Final = (
    ("cte_max_recursion_depth", "1000000"),
    ("windowing_use_high_precision", "1"),
    # Beyond this a range becomes a scan of the table.
    ("range_optimizer_max_mem_size", "8388608"),
    ("old_alter_table", "0"),
    ("end_markers_in_json", "0"),
)
# MySQL's that are younger than the oldest version that is supported.
_MYSQL_SINCE: Final = (
    ((8, 0, 32), "explain_format", "'TRADITIONAL'"),
    ((8, 3, 0), "explain_json_format_version", "1"),
)

STATEMENT_LOGGED: Final = "@@log_bin AND @@binlog_format = 'STATEMENT'"
"""Whether the server logs statements, which READ COMMITTED cannot write with."""


def parse_version(text: str) -> tuple[str, tuple[int, int, int]]:
    """Engine and version of a greeting: MariaDB puts 5.5.5- in front for old replicas.

    Raises:
        ConnectError: not a server that is known, or too old.
    """
    engine = "mariadb" if "mariadb" in text.lower() else "mysql"
    match = re.match(r"(?:5\.5\.5-)?(\d+)\.(\d+)\.(\d+)", text)
    if match is None:
        raise ConnectError(f"not a server that is known: {text[:60]}")
    version = (int(match[1]), int(match[2]), int(match[3]))
    if version < _MINIMUM[engine]:
        wanted = ".".join(map(str, _MINIMUM[engine]))
        raise ConnectError(f"{engine} {text} is too old: {wanted} or newer")
    return engine, version


def session_settings(
    engine: str, version: tuple[int, int, int], *, lock_wait_s: int, limit_s: float | None
) -> str:
    """The statement that sets all of them.

    Args:
        lock_wait_s: how long a lock of a row or of a table is waited for, in seconds.
        limit_s: when the server stops a statement, in seconds; None: never.
    """
    mariadb = engine == "mariadb"
    prefix = "tx" if mariadb and version < (11, 1) else "transaction"
    limit = limit_s or 0
    pairs = [
        *_BOTH,
        (f"{prefix}_isolation", "'READ-COMMITTED'"),
        (f"{prefix}_read_only", "0"),
        ("innodb_lock_wait_timeout", str(lock_wait_s)),
        ("lock_wait_timeout", str(lock_wait_s)),
        ("max_statement_time", f"{limit:.3f}")
        if mariadb
        else ("max_execution_time", str(int(limit * 1000))),
        *(_MARIADB if mariadb else _MYSQL),
    ]
    if not mariadb:
        pairs += [(name, value) for since, name, value in _MYSQL_SINCE if version >= since]
    return "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_520_ci, " + ", ".join(
        f"{name} = {value}" for name, value in pairs
    )


def refuse_statement_log(logged: object) -> None:
    """Raise for a server of which :data:`STATEMENT_LOGGED` is true.

    Raises:
        ConfigError: no write could succeed there.
    """
    if logged in (1, "1"):
        raise ConfigError(
            "binlog_format is STATEMENT, with which InnoDB refuses every write in READ COMMITTED: "
            "set it to ROW (or MIXED) on the server"
        )
