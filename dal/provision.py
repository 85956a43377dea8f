"""From an empty server to a usable one: database, tables, rights, accounts.

Everything here blocks, and needs an account that may do everything; the result is one account a
role of ``sql/grants.sql``, for programs that may do no more than their part.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import tempfile
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
import pymysql

from dal.config import Config, parse
from dal.errors import ConfigError, ConnectError, DalError, MigrationError, from_server
from dal.secret import Secret
from dal.server import kept_credentials_path, kept_start
from dal.settings import (
    STATEMENT_LOGGED,
    parse_version,
    refuse_statement_log,
    session_settings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

    from dal.server import Engine, PrivateServer

__all__ = [
    "ACCOUNT_OF_ROLE",
    "Account",
    "Accounts",
    "apply_grants",
    "connect",
    "create_accounts",
    "create_database",
    "errno_and_text",
    "load_schema",
    "packaged",
    "prepare_kept",
    "prepare_temporary",
    "statements_of",
]

# A role says what may be done, an account who logs in. On MySQL both are of one name space.
ACCOUNT_OF_ROLE: Final[Mapping[str, str]] = {
    "dal_application": "dal_app",
    "dal_migrator": "dal_migrate",
    "dal_sealer": "dal_seal",
    "dal_retention": "dal_retain",
    "dal_readonly": "dal_read",
}
# Any database does to log in to: an administrator's work starts before ours exists.
_FIRST_DATABASE: Final = "mysql"
_PROVISION_LOCK: Final = "dal:provision"
_PROVISION_LOCK_TIMEOUT_S: Final = 60
_STATEMENT_END: Final = re.compile(r";[ \t]*$", re.MULTILINE)
_COMMENT_LINE: Final = re.compile(r"^--.*$\n?", re.MULTILINE)


@attrs.frozen
class Account:
    """Who logs in. The password is None where the account was there before and was left alone."""

    user: str
    password: Secret | None


@attrs.frozen
class Accounts:
    """One account for each role of ``sql/grants.sql``, and the server that knows them."""

    server: Config
    by_role: Mapping[str, Account]

    def config(self, role: str, *, database: str | None = None, **options: Any) -> Config:
        """What to connect with to act in this role.

        ``options`` are those of :class:`dal.config.Config`.

        Raises:
            ConfigError: there is no such role, or the password of its account is not known.
        """
        account = self.by_role.get(role)
        if account is None:
            raise ConfigError(f"no such role: {role} (there are: {', '.join(self.by_role)})")
        if account.password is None:
            raise ConfigError(f"{account.user} was there before: its password is not known here")
        return attrs.evolve(
            self.server,
            user=account.user,
            password=account.password,
            database=database or self.server.database,
            **options,
        )


def packaged(name: str) -> Path:
    """The folder ``name`` (``sql``, ``migrations``) of a wheel, else the one beside the package.

    Raises:
        ConfigError: neither is there.
    """
    package = Path(str(files("dal")))
    for folder in (package / f"_{name}", package.parent / name):
        if folder.is_dir():
            return folder
    raise ConfigError(f"the folder {name} is neither in {package} nor beside it")


def connect(config: Config) -> Connection[Cursor]:
    """A blocking connection, autocommitting, with the session settings that all of us use.

    Raises:
        ConfigError: a certificate file cannot be read; a setting of the server forbids writing.
        ConnectError: the server cannot be reached, refused the account, or is too old.
    """
    connection = pymysql.connect(
        user=config.user,
        # As bytes: text is encoded as latin-1 by the driver, and the server compares UTF-8.
        password=config.password.reveal().encode(),
        host=config.host,
        port=config.port,
        database=config.database,
        charset="utf8mb4",
        connect_timeout=config.connect_timeout_s,
        ssl=config.ssl_context(),
        autocommit=True,
        defer_connect=True,
    )
    try:
        path = config.unix_socket
        connection.connect(_unix_socket(connection, config, path) if path else None)
        with connection.cursor() as cursor:
            engine, version = parse_version(connection.get_server_info())
            wait_s = config.lock_wait_timeout_s
            cursor.execute(session_settings(engine, version, lock_wait_s=wait_s, limit_s=None))
            cursor.execute(f"SELECT {STATEMENT_LOGGED}")
            row = cursor.fetchone()
        refuse_statement_log(row and row[0])
    except DalError:
        connection.close()
        raise
    except (OSError, pymysql.Error) as error:
        if connection.open:
            connection.close()
        errno, text = errno_and_text(error)
        raise ConnectError(f"{config.where}: {text}", errno=errno) from error
    return connection


def _unix_socket(connection: Connection[Cursor], config: Config, path: str) -> socket.socket:
    """Connected here: the driver leaves a socket open that it could not connect."""
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        opened.settimeout(config.connect_timeout_s)
        opened.connect(path)
        opened.settimeout(None)
    except OSError:
        opened.close()
        raise
    # As the driver does for its own: a password may be sent, nobody listens in between.
    connection._secure = True
    return opened


def statements_of(text: str) -> list[str]:
    """The statements of a file of ours: each ends with a semicolon at the end of a line."""
    bare = _COMMENT_LINE.sub("", text)
    return [part.strip() for part in _STATEMENT_END.split(bare) if part.strip()]


def create_database(admin: Config, name: str) -> None:
    """Create a database with our character set, unless it is there.

    Raises:
        ConnectError: the server cannot be reached.
        MigrationError: it refused, in its own words.
    """
    statement = (
        f"CREATE DATABASE IF NOT EXISTS {_quoted(name)}"
        " CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci"
    )
    _run(attrs.evolve(admin, database=_FIRST_DATABASE), [statement], f"database {name}")


def load_schema(admin: Config, name: str) -> None:
    """Create all tables in an empty database by ``sql/schema.sql``, without running migrations.

    The migrations are recorded as applied, so the migrator goes on from here.

    Raises:
        ConnectError: the server cannot be reached.
        MigrationError: it refused, in its own words; a table may be there already.
    """
    _run_file(attrs.evolve(admin, database=name), "schema.sql")


def apply_grants(admin: Config, name: str) -> None:
    """Give the roles their rights on a database by ``sql/grants.sql``. May be repeated.

    Raises:
        ConnectError: the server cannot be reached.
        MigrationError: it refused, in its own words; a table may be missing (migrate first).
    """
    _run_file(attrs.evolve(admin, database=name), "grants.sql")


def create_accounts(admin: Config, *, host: str = "localhost", renew: bool = False) -> Accounts:
    """Create an account for each role, with a random password; :func:`apply_grants` goes first.

    An account that is there keeps its password, which is then not known, unless ``renew``.

    Raises:
        ConnectError: the server cannot be reached.
        ServerError: it refused.
    """
    by_role: dict[str, Account] = {}
    with closing(connect(attrs.evolve(admin, database=_FIRST_DATABASE))) as connection:
        try:
            with connection.cursor() as cursor:
                for role, user in ACCOUNT_OF_ROLE.items():
                    by_role[role] = _account(cursor, role, user, host, renew=renew)
        except pymysql.Error as error:
            errno, text = errno_and_text(error)
            # from_server keeps the text to itself where it could repeat a password.
            raise from_server(errno or 0, text) from None
    return Accounts(admin, by_role)


def prepare_kept(engine: Engine = "mariadb", *, database: str = "dal") -> Accounts:
    """The kept private server of an engine, started and with database and accounts made if need be.

    The passwords lie beside its data, in a file that only its owner can read. A database that is
    there is left as it is: bringing it up to date is the migrator's.

    Raises:
        ConfigError: there is no server program, or the file of the passwords cannot be used.
        ConnectError: the server did not start.
        MigrationError: the server refused the schema or the rights.
    """
    return _prepared(kept_start(engine), kept_credentials_path(engine), database)


def prepare_temporary(server: PrivateServer, database: str = "dal") -> Accounts:
    """Database, tables, rights and accounts on a private server, which may have other databases.

    Raises:
        ConfigError: the file of the passwords cannot be used.
        ConnectError: the server cannot be reached.
        MigrationError: it refused the schema or the rights.
    """
    return _prepared(server, server.folder / "accounts.json", database)


def _prepared(server: PrivateServer, passwords: Path, database: str) -> Accounts:
    admin = parse(server.admin_url(database))
    assert isinstance(admin, Config)  # noqa: S101 - never the address of a private server
    with _alone(admin) as cursor:
        accounts = _read_accounts(passwords, admin)
        if accounts is None and not _is_loaded(cursor, database):
            # Half loaded, by somebody who was killed: nobody has had an account to use it with.
            cursor.execute(f"DROP DATABASE IF EXISTS {_quoted(database)}")
        if not _exists(cursor, database):
            create_database(admin, database)
            load_schema(admin, database)
            apply_grants(admin, database)
        if accounts is None:
            accounts = create_accounts(admin, renew=True)
            _write_accounts(passwords, accounts)
    return accounts


@contextmanager
def _alone(admin: Config) -> Iterator[Cursor]:
    """One process at a time, so that no password is made twice."""
    with (
        closing(connect(attrs.evolve(admin, database=_FIRST_DATABASE))) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT GET_LOCK(%s, %s)", (_PROVISION_LOCK, _PROVISION_LOCK_TIMEOUT_S))
        if cursor.fetchone() != (1,):
            raise ConnectError(f"{admin.where}: somebody else has been preparing it for too long")
        yield cursor


def _exists(cursor: Cursor, database: str) -> bool:
    cursor.execute(
        "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s", (database,)
    )
    return bool(cursor.fetchone() == (1,))


def _is_loaded(cursor: Cursor, database: str) -> bool:
    """Whether the last table of sql/schema.sql is there."""
    cursor.execute(
        "SELECT COUNT(*) FROM information_schema.TABLES"
        " WHERE TABLE_SCHEMA = %s AND TABLE_NAME = 'dal_migrations'",
        (database,),
    )
    return bool(cursor.fetchone() == (1,))


def _account(cursor: Cursor, role: str, user: str, host: str, *, renew: bool) -> Account:
    cursor.execute("SELECT COUNT(*) FROM mysql.user WHERE User = %s AND Host = %s", (user, host))
    is_new = cursor.fetchone() == (0,)
    password = Secret(secrets.token_urlsafe(24)) if is_new or renew else None
    if password is not None:
        verb = "CREATE" if is_new else "ALTER"
        cursor.execute(f"{verb} USER %s@%s IDENTIFIED BY %s", (user, host, password.reveal()))
    cursor.execute(f"GRANT {role} TO %s@%s", (user, host))
    # FOR on MariaDB, TO on MySQL: each takes the other's word for a comment.
    cursor.execute(f"SET DEFAULT ROLE {role} /*M! FOR */ /*!80000 TO */ %s@%s", (user, host))
    return Account(user, password)


def _read_accounts(path: Path, server: Config) -> Accounts | None:
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"{path} can be read by others: remove it, it will be made anew")
        stored = json.loads(path.read_text(encoding="utf-8"))
        by_role = {
            role: Account(stored[role]["user"], Secret(stored[role]["password"]))
            for role in ACCOUNT_OF_ROLE
        }
    except FileNotFoundError:
        return None
    except KeyError:  # of a release that had fewer roles
        return None
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: {error}; remove it, it will be made anew") from None
    return Accounts(server, by_role)


def _write_accounts(path: Path, accounts: Accounts) -> None:
    stored = {
        role: {"user": account.user, "password": account.password.reveal()}
        for role, account in accounts.by_role.items()
        if account.password is not None
    }
    # mkstemp opens it with mode 0600: at no moment can another read it. The rename makes a reader
    # see the whole file or none.
    descriptor, name = tempfile.mkstemp(prefix=".accounts-", dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(stored, file, indent=1)
    Path(name).replace(path)


def _run_file(admin: Config, name: str) -> None:
    path = packaged("sql") / name
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    _run(admin, statements_of(text), f"sql/{name}")


def _run(admin: Config, statements: list[str], what: str) -> None:
    with closing(connect(admin)) as connection, connection.cursor() as cursor:
        for statement in statements:
            try:
                cursor.execute(statement)
            except pymysql.Error as error:
                errno, text = errno_and_text(error)
                line = statement.splitlines()[0]
                raise MigrationError(f"{what}: {text}, at: {line}", errno=errno) from error


def errno_and_text(error: Exception) -> tuple[int | None, str]:
    """The number and the words of a driver's error, whose own errors may have no number."""
    if isinstance(error, pymysql.Error) and len(error.args) == 2:
        return error.args[0] or None, str(error.args[1])
    return None, str(error)


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"
