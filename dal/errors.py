"""The error tree: each class is named for what its catcher can do next.

::

    DalError                      .statement  .errno  .sqlstate
      ConfigError                 fix the configuration
      UsageError                  fix the program
      StatementError              a file under sql/ is wrong: at import, never in traffic
      RowShapeError               a row does not fit its record
      NotFoundError               one live row was required (also: not visible to this actor)
      PermissionDeniedError       visible, but this actor may not do that
      AuthenticationError         one neutral answer
      InvalidTransitionError      the state machine has no such step      .current  .wanted
      StaleVersionError           somebody changed it first               .expected .actual
      ValueRejectedError          too long, out of range, malformed       .field
        VariablesError            give the missing values, no others      .missing  .unknown
      ConstraintError             refused, nothing changed                .constraint
        UniqueError  ParentMissingError  ChildExistsError  NotNullError  CheckError
        LastAdminError            make another admin first
      TransientError              roll back, run the whole transaction again
        DeadlockError  LockTimeoutError  ConnectionLostError  ReadOnlyServerError
      OutcomeUnknownError         the connection was lost during COMMIT: look before you repeat
      UnavailableError            nothing was sent
        PoolTimeoutError  ConnectError
      StatementTimeoutError       stopped at its time limit
      MigrationError              a migration failed, or its file was edited after it was applied
      ServerError                 anything else that the server said

A message never holds a row's value: the text of a duplicate-key error carries the address that
was typed, the text of a parse error the literal. What is kept is the name of the key or column.
"""

from __future__ import annotations

import re
from typing import Any, Final

__all__ = [
    "AuthenticationError",
    "CheckError",
    "ChildExistsError",
    "ConfigError",
    "ConnectError",
    "ConnectionLostError",
    "ConstraintError",
    "DalError",
    "DeadlockError",
    "InvalidTransitionError",
    "LastAdminError",
    "LockTimeoutError",
    "MigrationError",
    "NotFoundError",
    "NotNullError",
    "OutcomeUnknownError",
    "ParentMissingError",
    "PermissionDeniedError",
    "PoolTimeoutError",
    "ReadOnlyServerError",
    "RowShapeError",
    "ServerError",
    "StaleVersionError",
    "StatementError",
    "StatementTimeoutError",
    "TransientError",
    "UnavailableError",
    "UniqueError",
    "UsageError",
    "ValueRejectedError",
    "VariablesError",
    "from_server",
]


class DalError(Exception):
    """Anything that this package raises on purpose.

    ``statement`` is the name of the .sql file, ``errno`` and ``sqlstate`` are the server's, each
    None where there was none.
    """

    def __init__(
        self,
        message: str,
        *,
        statement: str | None = None,
        errno: int | None = None,
        sqlstate: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.statement = statement
        self.errno = errno
        self.sqlstate = sqlstate

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is pickled and copied by calling its class with its message alone.
        return _made_anew, (type(self), self.message), self.__dict__

    def __str__(self) -> str:
        where = f" [{self.statement}]" if self.statement else ""
        number = f" (server error {self.errno})" if self.errno else ""
        return f"{self.message}{number}{where}"


def _made_anew(kind: type[DalError], message: str) -> DalError:
    """An error without its attributes, which whoever unpickles or copies it sets."""
    return kind.__new__(kind, message)


class ConfigError(DalError):
    """The configuration is wrong, and the message names what to change."""


class UsageError(DalError):
    """The program calls this package in a way that cannot be right."""


class StatementError(DalError):
    """A .sql file is wrong; raised while it is loaded."""


class RowShapeError(DalError):
    """A row does not fit its record: the schema and the program are not of one release."""


class NotFoundError(DalError):
    """One live row was required, and this actor sees none."""


class PermissionDeniedError(DalError):
    """The row is visible to the actor, the change is not allowed."""


class AuthenticationError(DalError):
    """Not logged in; the reason is in the audit log, never in the answer."""


class InvalidTransitionError(DalError):
    """The state machine has no step from ``current`` to ``wanted``."""

    def __init__(self, message: str, *, current: str, wanted: str) -> None:
        super().__init__(message)
        self.current = current
        self.wanted = wanted


class StaleVersionError(DalError):
    """Somebody changed the row first: ``expected`` was asked for, ``actual`` is there."""

    def __init__(self, message: str, *, expected: object, actual: object) -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual


class ValueRejectedError(DalError):
    """A value cannot be stored as given; ``field`` names it, the value itself is not repeated."""

    def __init__(
        self,
        message: str,
        *,
        field: str | None,
        statement: str | None = None,
        errno: int | None = None,
        sqlstate: str | None = None,
    ) -> None:
        super().__init__(message, statement=statement, errno=errno, sqlstate=sqlstate)
        self.field = field


class VariablesError(ValueRejectedError):
    """The values do not fit the variables of a prompt: all that are missing, all that are unknown.

    The message names a few of them, and never a value.
    """

    def __init__(self, message: str, *, missing: tuple[str, ...], unknown: tuple[str, ...]) -> None:
        super().__init__(message, field="values")
        self.missing = missing
        self.unknown = unknown


class ConstraintError(DalError):
    """The server refused the change by the constraint named; nothing was changed."""

    def __init__(
        self,
        message: str,
        *,
        constraint: str | None = None,
        statement: str | None = None,
        errno: int | None = None,
        sqlstate: str | None = None,
    ) -> None:
        super().__init__(message, statement=statement, errno=errno, sqlstate=sqlstate)
        self.constraint = constraint


class UniqueError(ConstraintError):
    """Another row has this key already."""


class ParentMissingError(ConstraintError):
    """The row's parent is not there, or is deleted."""


class ChildExistsError(ConstraintError):
    """The row still has children."""


class NotNullError(ConstraintError):
    """A column that must have a value was given none; ``constraint`` is the column."""


class CheckError(ConstraintError):
    """A CHECK constraint refused the row."""


class LastAdminError(ConstraintError):
    """No live, active admin would be left."""


class TransientError(DalError):
    """Roll back and run the whole transaction again: the next attempt may well pass."""


class DeadlockError(TransientError):
    """The server chose this transaction as the victim of a deadlock and rolled it back."""


class LockTimeoutError(TransientError):
    """A lock was not granted in time."""


class ConnectionLostError(TransientError):
    """The connection was lost before COMMIT was sent: nothing was changed."""


class ReadOnlyServerError(TransientError):
    """The server takes no writes: a primary that was demoted, or a replica. Its connection is
    closed, and the other ones of the pool are not used again, so that the next attempt is made
    where the address leads to by then.
    """


class OutcomeUnknownError(DalError):
    """The connection was lost while the server was committing: look before you repeat.

    Ids are made by the client, so a read by id tells which of the two it was.
    """


class UnavailableError(DalError):
    """Nothing was sent to the server."""


class PoolTimeoutError(UnavailableError):
    """No connection of the pool became free in time."""


class ConnectError(UnavailableError):
    """The server could not be reached, or refused the connection."""


class StatementTimeoutError(DalError):
    """The statement was stopped at its time limit; its transaction is rolled back."""


class MigrationError(DalError):
    """A migration failed or may not run; the message carries the server's own words."""


class ServerError(DalError):
    """Anything else that the server said."""


LOST: Final = 2013
"""What the driver says where the connection is gone."""

SERVER_FULL: Final = frozenset({1040, 1203, 1226})
"""What is said where the server or the account has as many connections as it may have."""

NO_SUCH_CONNECTION: Final = 1094
"""What KILL is answered where there is nothing to kill any more."""

_READ_ONLY: Final = "the server is read-only: a replica, or a primary that was demoted"

# The one place that knows error numbers. Numbers, not the driver's classes, decide: PyMySQL raises
# OperationalError for 4025, 3819 and 1364. Pairs are MariaDB / MySQL where the two differ.
_TRANSIENT: Final[dict[int, tuple[type[TransientError], str]]] = {
    1213: (DeadlockError, "deadlock: the server rolled this transaction back"),
    1205: (LockTimeoutError, "a lock was not granted in time"),
    3572: (LockTimeoutError, "the row is locked by somebody else"),  # NOWAIT on MySQL
    1020: (LockTimeoutError, "the row changed since it was read"),  # snapshot isolation, MariaDB 11
    1053: (ConnectionLostError, "the server is shutting down"),
    1927: (ConnectionLostError, "the connection was killed"),
    2006: (ConnectionLostError, "the server has gone away"),
    2013: (ConnectionLostError, "the connection to the server was lost"),
    4031: (ConnectionLostError, "the server closed the idle connection"),
    # No transaction of ours is begun as read-only, so it is the server that became so.
    1792: (ReadOnlyServerError, _READ_ONLY),
    1836: (ReadOnlyServerError, _READ_ONLY),
    3100: (ReadOnlyServerError, _READ_ONLY),  # a member of a group that may not write
}
_CONNECT: Final = frozenset(
    {1040, 1044, 1045, 1049, 1129, 1130, 1203, 1226, 1251, 1524, 1698, 1820, 1862, 2002, 2003,
     2059, 3118, 3159, 4151}
)  # fmt: skip
_TIMEOUT: Final = frozenset({1317, 1969, 3024})
_DUPLICATE: Final = frozenset({1062, 1586})
_PARENT: Final = frozenset({1216, 1452})
_CHILD: Final = frozenset({1217, 1451})
_NOT_NULL: Final = frozenset({1048, 1364})
_CHECK: Final = frozenset({3819, 4025})
_VALUE: Final[dict[int, str]] = {
    1264: "out of range",
    1265: "not one of the values that the column takes",
    1292: "not a value of the column's type",
    1366: "not a value of the column's type",
    1406: "too long",
    1411: "malformed",
    1525: "not a value of the column's type",
    1690: "out of range",
    3140: "not valid JSON",
}
# Messages that name objects and rights, never values, and that an operator needs word for word.
_VERBATIM: Final = frozenset(
    {1044, 1046, 1049, 1054, 1051, 1142, 1143, 1146, 1227, 1305, 1370, 1290}
)
# Several options prevent a statement; the option is named as it is written, in every language.
_PREVENTED: Final = 1290
_PREVENTED_BY_READ_ONLY = re.compile("read[-_]only", re.IGNORECASE)

_KEY_AT_END = re.compile(r"for key '([^']*)'\s*$")
_FOREIGN_KEY = re.compile(r"CONSTRAINT [`\"]([^`\"]+)[`\"] FOREIGN KEY")
_CHECK_MARIADB = re.compile(r"CONSTRAINT [`\"]([^`\"]+)[`\"] failed")
_CHECK_MYSQL = re.compile(r"Check constraint '([^']+)'")
# Anchored at the end: the value in front may hold anything, quotes and these very words too.
_COLUMN_AT_END = re.compile(
    r"column [`'\"]?(?:[^`'\"]*[`'\"]\.[`'\"])*([A-Za-z0-9_$]+)[`'\"]? at row \d+\s*$"
)
_COLUMN_NULL = re.compile(r"^(?:Column|Field) '([A-Za-z0-9_$]+)'")
_COLUMN_JSON = re.compile(r"value for column '(?:[^'.]*\.)?([A-Za-z0-9_$]+)'\.?\s*$")


def _found(pattern: re.Pattern[str], message: str) -> str | None:
    match = pattern.search(message)
    return match.group(1) if match else None


def _from_check(message: str) -> tuple[str | None, str | None]:
    """Constraint and, where MariaDB refused a JSON column by its implicit CHECK, the column."""
    name = _found(_CHECK_MYSQL, message) or _found(_CHECK_MARIADB, message)
    if name is not None and "." in name:
        return None, name.rpartition(".")[2]
    return name, None


def from_server(
    errno: int, message: str, *, sqlstate: str | None = None, statement: str | None = None
) -> DalError:
    """The error of this tree for what a server (or the driver, for 2xxx) said.

    Args:
        errno: the server's error number.
        message: the server's text; names are taken from it, values are not.
    """
    if errno == _PREVENTED and _PREVENTED_BY_READ_ONLY.search(message):
        return ReadOnlyServerError(_READ_ONLY, statement=statement, errno=errno, sqlstate=sqlstate)
    if errno in _TRANSIENT:
        kind, text = _TRANSIENT[errno]
        return kind(text, statement=statement, errno=errno, sqlstate=sqlstate)
    if errno in _DUPLICATE:
        key = _found(_KEY_AT_END, message)
        key = key.rpartition(".")[2] if key else None  # MySQL says table.key
        return UniqueError(
            f"another row has this key already: {key or 'unknown key'}",
            constraint=key,
            statement=statement,
            errno=errno,
            sqlstate=sqlstate,
        )
    if errno in _PARENT or errno in _CHILD:
        name = _found(_FOREIGN_KEY, message)
        missing = errno in _PARENT
        cls: type[ConstraintError] = ParentMissingError if missing else ChildExistsError
        return cls(
            f"{'the parent is not there' if missing else 'the row has children'}: "
            f"{name or 'unknown constraint'}",
            constraint=name,
            statement=statement,
            errno=errno,
            sqlstate=sqlstate,
        )
    if errno in _NOT_NULL:
        column = _found(_COLUMN_NULL, message)
        return NotNullError(
            f"a value is required: {column or 'unknown column'}",
            constraint=column,
            statement=statement,
            errno=errno,
            sqlstate=sqlstate,
        )
    if errno in _CHECK:
        name, column = _from_check(message)
        if column is not None:
            return ValueRejectedError(
                f"{column}: not valid JSON, or refused by the column's own check",
                field=column,
                statement=statement,
                errno=errno,
                sqlstate=sqlstate,
            )
        return CheckError(
            f"refused by the check: {name or 'unknown constraint'}",
            constraint=name,
            statement=statement,
            errno=errno,
            sqlstate=sqlstate,
        )
    if errno in _VALUE:
        column = _found(_COLUMN_AT_END, message) or _found(_COLUMN_JSON, message)
        return ValueRejectedError(
            f"{column or 'a value'}: {_VALUE[errno]}",
            field=column,
            statement=statement,
            errno=errno,
            sqlstate=sqlstate,
        )
    if errno in _TIMEOUT:
        return StatementTimeoutError(
            "stopped at its time limit", statement=statement, errno=errno, sqlstate=sqlstate
        )
    if errno in _CONNECT:
        return ConnectError(
            f"the server refused the connection: {message}",
            statement=statement,
            errno=errno,
            sqlstate=sqlstate,
        )
    said = message if errno in _VERBATIM else "the server refused the statement"
    return ServerError(said, statement=statement, errno=errno, sqlstate=sqlstate)
