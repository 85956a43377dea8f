"""Migrations: yoyo applies the files, this module sees to what yoyo leaves open.

::

    migrator = Migrator(config)             the account of the role dal_migrator
    migrator.status()                       pending, applied, edited, missing
    migrator.apply(dry_run=True)            what would run; nothing is touched
    migrator.apply()
    migrator.rollback(count=1)

Beside yoyo's tables there is one of ours, ``dal_migrations``: the digest of each applied file, and
a mark on the one that the server is working on, by which the run after a killed one knows where
that stopped. ``migrations/README.md`` tells a DBA the whole of it. All of it blocks.
"""

from __future__ import annotations

import hashlib
import logging
import re
import socket
import uuid
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs
import pymysql
from yoyo.backends.core.mysql import MySQLBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import Migration, StepBase, read_sql_migration

from dal.errors import MigrationError, UsageError
from dal.provision import connect, errno_and_text, packaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

    from dal.config import Config

__all__ = ["MigrationStatus", "MigrationStep", "Migrator", "check_files"]

Direction = Literal["apply", "rollback"]
State = Literal["pending", "applied", "edited", "missing"]

_logger: Final = logging.getLogger(__name__)

_NAME: Final = re.compile(r"(\d{4})\.[a-z0-9]+(?:-[a-z0-9]+)*\.sql")
_ROLLBACK: Final = ".rollback.sql"
_FLAG: Final = re.compile(r"-- transactional: false\n")

# A DDL statement that was cut off by the death of its migrator is either done or not done at all.
# Told to do it again, the server says by one of these that it is done: there is that table,
# column, key or constraint; there is nothing to drop.
_DONE_ALREADY: Final = frozenset({1050, 1051, 1060, 1061, 1091, 1826, 3822})
_CONNECTION_LOST: Final = frozenset({None, 1053, 1927, 2006, 2013})

# Made here and not by yoyo: with the database's default character set (latin1, perhaps), without
# IF NOT EXISTS and in several steps, of which a killed one could not be taken up again.
_TABLE_OPTIONS: Final = "ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin"
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS yoyo_lock ("
    "locked INT NOT NULL DEFAULT 1, ctime DATETIME(6) NULL, pid INT NOT NULL,"
    f" CONSTRAINT pk_yoyo_lock PRIMARY KEY (locked)) {_TABLE_OPTIONS}",
    "CREATE TABLE IF NOT EXISTS _yoyo_log ("
    "id VARCHAR(36) NOT NULL, migration_hash VARCHAR(64) NULL, migration_id VARCHAR(255) NULL,"
    " operation VARCHAR(10) NULL, username VARCHAR(255) NULL, hostname VARCHAR(255) NULL,"
    " comment VARCHAR(255) NULL, created_at_utc DATETIME(6) NULL,"
    f" CONSTRAINT pk_yoyo_log PRIMARY KEY (id)) {_TABLE_OPTIONS}",
    "CREATE TABLE IF NOT EXISTS _yoyo_migration ("
    "migration_hash VARCHAR(64) NOT NULL, migration_id VARCHAR(255) NULL,"
    " applied_at_utc DATETIME(6) NULL,"
    f" CONSTRAINT pk_yoyo_migration PRIMARY KEY (migration_hash)) {_TABLE_OPTIONS}",
    "CREATE TABLE IF NOT EXISTS _yoyo_version ("
    "version INT NOT NULL, installed_at_utc DATETIME(6) NULL,"
    f" CONSTRAINT pk_yoyo_version PRIMARY KEY (version)) {_TABLE_OPTIONS}",
    "INSERT INTO _yoyo_version (version, installed_at_utc)"
    " SELECT 2, UTC_TIMESTAMP(6) FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM _yoyo_version)",
    "CREATE TABLE IF NOT EXISTS dal_migrations ("
    "id VARCHAR(191) NOT NULL COMMENT 'file name without .sql',"
    " content_sha256 CHAR(64) NOT NULL COMMENT 'of the file and its rollback, as applied',"
    " unfinished ENUM('apply', 'rollback') NULL COMMENT 'what the server was told to do last,"
    " while it is not known to be done',"
    " changed_at DATETIME(6) NOT NULL,"
    f" CONSTRAINT pk_dal_migrations PRIMARY KEY (id)) {_TABLE_OPTIONS}",
)


@attrs.frozen
class MigrationStatus:
    """One migration as the database and the folder see it.

    ``edited``: applied, but a file differs from what was applied. ``missing``: applied, but there
    is no file, so the database is newer than this release.
    """

    id: str
    applied_at: datetime | None
    state: State


@attrs.frozen
class MigrationStep:
    """One statement that is about to run, or would run."""

    id: str
    direction: Direction
    sql: str


class Migrator:
    """Applies and rolls back the migrations of one folder on one database, one migrator at a time.

    The account needs the rights of the role dal_migrator.
    """

    def __init__(
        self,
        config: Config,
        *,
        folder: Path | None = None,
        lock_timeout_s: float = 10.0,
        lock_wait_timeout_s: int = 5,
    ) -> None:
        """Nothing is sent yet.

        Args:
            folder: where the files are; by default the ones that came with this package.
            lock_timeout_s: how long to wait for another migrator, or for the server to end the
                statement of one that was killed.
            lock_wait_timeout_s: how long a statement waits for a lock on a table or row. While an
                ALTER waits, everybody else queues behind it.

        Raises:
            ConfigError: the package came without migrations.
        """
        self._config = config
        self._folder = folder if folder is not None else packaged("migrations")
        self._lock_timeout_s = lock_timeout_s
        self._lock_wait_timeout_s = lock_wait_timeout_s

    def status(self) -> list[MigrationStatus]:
        """Every migration, in order. Reads only; it takes no lock and makes no table.

        Raises:
            ConnectError: the server cannot be reached.
            MigrationError: the server refused to tell, or a file cannot be read.
        """
        with closing(self._open()) as connection:
            return self._status(connection)

    def apply(
        self, *, dry_run: bool = False, on_step: Callable[[MigrationStep], None] | None = None
    ) -> list[str]:
        """Apply what is pending, in order; the ids that were (or would be) applied.

        Nothing pending is no error. A migration that fails ends the run, those before it stay.

        Args:
            on_step: called before each statement; with ``dry_run`` in its stead.

        Raises:
            ConnectError: the server cannot be reached.
            MigrationError: a file failed (the server's number and words), was edited after it was
                applied, is missing, or is older than one that is applied; or another migrator
                is at work, and who.
        """
        if dry_run:
            with closing(self._open()) as connection:
                files = self._pending(self._status(connection))
            return self._rehearsed(files, "apply", on_step)
        with self._alone() as backend:
            files = self._pending(self._status(backend.connection))
            for file in files:
                self._one(backend, file, "apply", on_step)
            self._verify(backend, files, applied=True)
        return [file.id for file in files]

    def rollback(
        self,
        *,
        count: int | None = None,
        to: str | None = None,
        dry_run: bool = False,
        on_step: Callable[[MigrationStep], None] | None = None,
    ) -> list[str]:
        """Roll back the newest ``count`` (1), or all after ``to``; the ids, newest first.

        Args:
            to: the id, or its number, of the migration that is to be the newest applied;
                ``0000`` for none.

        Raises:
            ConnectError: the server cannot be reached.
            MigrationError: a rollback failed (the server's number and words), a file of it was
                edited or is missing; or another migrator is at work, and who.
            UsageError: both ``count`` and ``to``, or a count below 1.
        """
        if (count is not None and to is not None) or (count is not None and count < 1):
            raise UsageError("rollback: give a count of 1 or more, or `to`, not both")
        if dry_run:
            with closing(self._open()) as connection:
                files = self._newest(self._status(connection), count, to)
            return self._rehearsed(files, "rollback", on_step)
        with self._alone() as backend:
            files = self._newest(self._status(backend.connection), count, to)
            for file in files:
                self._one(backend, file, "rollback", on_step)
            self._verify(backend, files, applied=False)
        return [file.id for file in files]

    # What is to be done --------------------------------------------------------------------------

    def _status(self, connection: Connection[Cursor]) -> list[MigrationStatus]:
        files = {file.id: file for file in _read_folder(self._folder)}
        with _said_by_server("status"), connection.cursor() as cursor:
            applied, digests = _recorded(cursor)
        found = [
            MigrationStatus(name, applied.get(name), _state(name, files, applied, digests))
            for name in files.keys() | applied.keys()
        ]
        return sorted(found, key=lambda one: one.id)

    def _pending(self, status: Sequence[MigrationStatus]) -> list[_File]:
        _refuse(status, self._folder)
        newest = max((one.id for one in status if one.state == "applied"), default="")
        pending = [one.id for one in status if one.state == "pending"]
        for name in pending:
            if name < newest:
                raise MigrationError(
                    f"{name}.sql is older than {newest}, which is applied: give it a new number"
                )
        return [_File.read(self._folder, name) for name in pending]

    def _newest(
        self, status: Sequence[MigrationStatus], count: int | None, to: str | None
    ) -> list[_File]:
        applied = [one for one in status if one.applied_at is not None]
        if to is None:
            chosen = applied[-(count or 1) :]
        elif to == "0000":
            chosen = applied
        else:
            place = [n for n, one in enumerate(applied) if to in (one.id, one.id.split(".")[0])]
            if len(place) != 1:
                raise MigrationError(f"rollback to {to}: no such migration is applied")
            chosen = applied[place[0] + 1 :]
        _refuse(chosen, self._folder)
        return [_File.read(self._folder, one.id) for one in reversed(chosen)]

    def _rehearsed(
        self,
        files: Sequence[_File],
        direction: Direction,
        on_step: Callable[[MigrationStep], None] | None,
    ) -> list[str]:
        for file in files:
            for sql in file.statements(direction):
                if on_step is not None:
                    on_step(MigrationStep(file.id, direction, sql))
        return [file.id for file in files]

    # Doing it ------------------------------------------------------------------------------------

    def _open(self) -> Connection[Cursor]:
        connection = connect(self._config)
        try:
            with _said_by_server("session settings"), connection.cursor() as cursor:
                # A connection idles while a statement runs on another one, for hours perhaps.
                # MariaDB alone has a time limit that would end such a statement.
                cursor.execute(
                    "SET SESSION /*M! max_statement_time = 0, */ wait_timeout = 31536000,"
                    " lock_wait_timeout = %s, innodb_lock_wait_timeout = %s",
                    (self._lock_wait_timeout_s, self._lock_wait_timeout_s),
                )
        except BaseException:
            connection.close()
            raise
        return connection

    def _open_for_statements(self) -> Connection[Cursor]:
        """A connection that runs migrations, with a lock of its own.

        The server finishes a statement whose migrator was killed. Until then this lock is taken,
        so that the next migrator does not run the same statement beside it.
        """
        connection = self._open()
        try:
            with _said_by_server("lock"), connection.cursor() as cursor:
                _take_lock(
                    cursor,
                    _lock_name(self._config.database, "statement"),
                    self._lock_timeout_s,
                    "a statement of a migrator that was killed still runs",
                )
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _alone(self) -> Iterator[_Backend]:
        """The backend, while no other migrator works on this database.

        The lock is the server's (GET_LOCK), held by a connection that does nothing else: the server
        lets go of it when the migrator dies. yoyo's own lock is a row, which outlives a killed
        migrator. It is taken too, to hold off whoever runs yoyo's command by hand; but a row that
        is found is never waited for.
        """
        name = _lock_name(self._config.database, "run")
        with closing(self._open()) as holder, holder.cursor() as cursor:
            with _said_by_server("lock"):
                _take_lock(cursor, name, self._lock_timeout_s, "another migrator is at work")
            with _Backend(self._config, self._open, self._open_for_statements, cursor) as backend:
                with _said_by_server("the migrator's own tables"):
                    for statement in _TABLES:
                        backend.execute(statement)
                    backend.take_yoyo_lock()
                try:
                    yield backend
                finally:
                    # With the connection gone the row stays, and does no harm.
                    with suppress(pymysql.Error):
                        backend.execute("DELETE FROM yoyo_lock")

    def _one(
        self,
        backend: _Backend,
        file: _File,
        direction: Direction,
        on_step: Callable[[MigrationStep], None] | None,
    ) -> None:
        with _said_by_server(file.path.name):
            backend.check_still_alone()
            unfinished = backend.begin_record(file, direction)
        run = _Run(file, direction, on_step, resumed=unfinished == direction)
        migration = run.loaded()
        try:
            if direction == "apply":
                backend.apply_one(migration)
            else:
                backend.rollback_one(migration)
        except pymysql.Error as error:
            errno, text = errno_and_text(error)
            if not run.done and errno not in _CONNECTION_LOST:
                with suppress(pymysql.Error):  # the first error is the one to tell
                    backend.end_record(file, exists=direction == "rollback")
            failed = file.path if direction == "apply" else file.rollback_path
            raise MigrationError(
                f"{failed.name}: {text}\n{run.what_is_left(errno)}", errno=errno
            ) from error
        with _said_by_server(file.path.name):
            backend.end_record(file, exists=direction == "apply")

    def _verify(self, backend: _Backend, files: Sequence[_File], *, applied: bool) -> None:
        # yoyo passes over a migration that it finds bad, without an error.
        with _said_by_server("status"), backend.connection.cursor() as cursor:
            recorded, _ = _recorded(cursor)
        wrong = [file.path.name for file in files if (file.id in recorded) is not applied]
        if wrong:
            verb = "applied" if applied else "rolled back"
            raise MigrationError(f"ran, but not recorded as {verb}: {', '.join(wrong)}")


def check_files(folder: Path) -> list[str]:
    """What is wrong with the files of a folder of migrations, each with its name; empty if nothing.

    One statement a file (the server commits each by itself, so that a file fails whole); yoyo's
    transactions off (they hide the server's error); a rollback; numbers without a gap; what the
    statement costs on each server; and no other file, since yoyo would run it.
    """
    names = sorted(entry.name for entry in folder.iterdir())
    ups = [name for name in names if _NAME.fullmatch(name)]
    downs = [up.removesuffix(".sql") + _ROLLBACK for up in ups]
    faults = [
        f"{name}: neither a migration (0001.verb-object.sql) nor its rollback"
        for name in names
        if name not in (*ups, *downs, "README.md")
    ]
    for number, (up, down) in enumerate(zip(ups, downs, strict=True), start=1):
        if up[:4] != f"{number:04}":
            faults.append(f"{up}: its number should be {number:04}")
        faults += _check_text(folder / up)
        if down in names:
            faults += _check_text(folder / down)
        else:
            faults.append(f"{up}: there is no {down}")
        text = (folder / up).read_text(encoding="utf-8")
        faults += [
            f"{up}: no line `-- ddl: {engine}: ` with what it costs there"
            for engine in ("mariadb", "mysql")
            if not re.search(rf"^-- ddl: {engine}: \S", text, re.MULTILINE)
        ]
    return faults


def _check_text(path: Path) -> list[str]:
    faults: list[str] = []
    if not _FLAG.match(path.read_text(encoding="utf-8")):
        faults.append(f"{path.name}: the first line is not `-- transactional: false`")
    _, _, statements = read_sql_migration(str(path))
    if len(statements) != 1:
        faults.append(f"{path.name}: {len(statements)} statements, where one is the rule")
    return faults


@attrs.frozen
class _File:
    """A migration in the folder."""

    id: str
    path: Path
    rollback_path: Path
    digest: str

    @classmethod
    def read(cls, folder: Path, name: str) -> _File:
        path, rollback_path = folder / f"{name}.sql", folder / f"{name}{_ROLLBACK}"
        digest = hashlib.sha256()
        for part in (path, rollback_path):
            try:
                # A checkout may turn line ends into those of its machine.
                content = part.read_bytes().replace(b"\r\n", b"\n") if part.exists() else b""
            except OSError as error:
                raise MigrationError(f"{part}: {error.strerror}") from None
            # With its length, so that no line can move from one file to the other unseen.
            digest.update(b"%d\n" % len(content) + content)
        return cls(name, path, rollback_path, digest.hexdigest())

    def statements(self, direction: Direction) -> list[str]:
        """As yoyo splits them, in the order in which they run."""
        path = self.path if direction == "apply" else self.rollback_path
        _, _, statements = read_sql_migration(str(path))
        return list(statements)


class _Run:
    """One migration on its way through yoyo: tells of each statement, and keeps which are done."""

    def __init__(
        self,
        file: _File,
        direction: Direction,
        on_step: Callable[[MigrationStep], None] | None,
        *,
        resumed: bool,
    ) -> None:
        self.done: list[int] = []
        self._file = file
        self._direction = direction
        self._on_step = on_step
        self._resumed = resumed
        self._total = len(file.statements(direction))
        self._failed_at = 0

    def loaded(self) -> Migration:
        """yoyo's migration with our steps, never in a transaction, whatever the file says.

        Each DDL statement commits, which ends yoyo's savepoints: its attempt to go back to one
        would replace the server's error by 1305.
        """
        if self._direction == "rollback" and not self._total:
            raise MigrationError(f"{self._file.rollback_path.name}: missing or empty")
        migration = Migration(self._file.id, str(self._file.path), str(self._file.path.parent))
        migration.load()
        migration.use_transactions = False
        migration.steps = [_Step(wrapped.step, self) for wrapped in migration.steps]
        return migration

    def do(self, step: Any, direction: Direction, backend: _Backend) -> None:
        """Run one statement; in the other direction when yoyo undoes what was done before."""
        sql = step._apply if direction == "apply" else step._rollback
        if sql is None:
            return
        if self._on_step is not None:
            self._on_step(MigrationStep(self._file.id, direction, sql))
        forward = direction == self._direction
        try:
            getattr(step, direction)(backend)
        except pymysql.Error as error:
            errno, text = errno_and_text(error)
            done_by_the_killed = self._resumed and forward and self._total == 1
            if not (done_by_the_killed and errno in _DONE_ALREADY):
                if forward:
                    self._failed_at = len(self.done) + 1
                raise
            _logger.warning(
                "%s was done by a migrator that was killed, and is recorded now (%s)",
                self._file.id,
                text,
            )
        if forward:
            self.done.append(step.id)
        else:
            self.done.remove(step.id)

    def what_is_left(self, errno: int | None) -> str:
        """What of a failed migration stays in the database, and so what to do next."""
        if len(self.done) == self._total:
            return "All of it is done, but could not be recorded. Run again: that will record it."
        if errno in _CONNECTION_LOST:
            return "The connection was lost: it may be done or not. Run again to find out."
        if self._total == 1:
            again = " A migrator was killed in this file before: look at the table."
            return "Nothing of it was done." + (again if self._resumed else "")
        before = f"Statement {self._failed_at} of {self._total} failed."
        if not self.done:
            return f"{before} What was done before it was undone."
        numbers = ", ".join(str(number + 1) for number in sorted(self.done))
        return (
            f"{before} Still done, since undoing failed: statements {numbers} of {self._file.id}."
        )


class _Step(StepBase):  # type: ignore[misc]  # yoyo has no types
    """What yoyo calls in place of its own step."""

    def __init__(self, step: Any, run: _Run) -> None:
        self.id = step.id
        self._step = step
        self._run = run

    def apply(self, backend: _Backend, force: bool = False) -> None:
        self._run.do(self._step, "apply", backend)

    def rollback(self, backend: _Backend, force: bool = False) -> None:
        self._run.do(self._step, "rollback", backend)


class _Backend(MySQLBackend):  # type: ignore[misc]  # yoyo has no types
    """yoyo's backend on connections that we open: typed arguments, TLS, bounded lock waits."""

    def __init__(
        self,
        config: Config,
        open_this: Callable[[], Connection[Cursor]],
        open_copy: Callable[[], Connection[Cursor]],
        lock: Cursor,
    ) -> None:
        self._config = config
        self._open_this = open_this
        self._open_copy = open_copy
        self._lock = lock
        # Only the name of the database is read from this, and a key made of the rest.
        address = DatabaseURI("mysql", config.user, None, config.where, None, config.database, {})
        super().__init__(address, "_yoyo_migration")
        # Known; yoyo would find out by making and dropping a table.
        self.has_transactional_ddl = False

    def connect(self, dburi: DatabaseURI) -> Connection[Cursor]:
        return self._open_this()

    def copy(self) -> _Backend:
        return _Backend(self._config, self._open_copy, self._open_copy, self._lock)

    def take_yoyo_lock(self) -> None:
        self.execute("REPLACE INTO yoyo_lock (ctime, pid) VALUES (UTC_TIMESTAMP(6), 0)")

    def get_log_data(
        self, migration: Migration | None = None, operation: str = "apply"
    ) -> dict[str, Any]:
        # yoyo's own fails where the process has no user name, and asks DNS for the host's.
        return {
            "id": str(uuid.uuid4()),
            "migration_id": migration.id if migration else None,
            "migration_hash": migration.hash if migration else None,
            "username": self._config.user,
            "hostname": socket.gethostname()[:255],
            "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
            "operation": operation,
        }

    def check_still_alone(self) -> None:
        """Raise when the connection that holds the lock is gone, so that another may run too."""
        name = _lock_name(self._config.database, "run")
        self._lock.execute("SELECT IS_USED_LOCK(%s) = CONNECTION_ID()", (name,))
        if self._lock.fetchone() != (1,):
            raise MigrationError("the migrator's lock was lost: another may be at work")

    def begin_record(self, file: _File, direction: Direction) -> str | None:
        """Record what is about to run; what a killed migrator left unfinished of it, if so."""
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT unfinished FROM dal_migrations WHERE id = %s AND content_sha256 = %s",
                (file.id, file.digest),
            )
            found = cursor.fetchone()
            cursor.execute(
                "REPLACE INTO dal_migrations (id, content_sha256, unfinished, changed_at)"
                " VALUES (%s, %s, %s, UTC_TIMESTAMP(6))",
                (file.id, file.digest, direction),
            )
        return found[0] if found else None

    def end_record(self, file: _File, *, exists: bool) -> None:
        """Record that it is applied, or that it is not."""
        with self.connection.cursor() as cursor:
            if exists:
                cursor.execute(
                    "UPDATE dal_migrations SET unfinished = NULL, changed_at = UTC_TIMESTAMP(6)"
                    " WHERE id = %s",
                    (file.id,),
                )
            else:
                cursor.execute("DELETE FROM dal_migrations WHERE id = %s", (file.id,))


def _read_folder(folder: Path) -> list[_File]:
    if not folder.is_dir():
        raise MigrationError(f"{folder}: no such folder")
    names = sorted(path.name for path in folder.glob("*.sql"))
    return [
        _File.read(folder, name.removesuffix(".sql"))
        for name in names
        if not name.endswith(_ROLLBACK)
    ]


def _recorded(cursor: Cursor) -> tuple[dict[str, datetime], dict[str, str]]:
    """When each migration was applied, and the digest of what was; nothing in a new database."""
    cursor.execute(
        "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"
        " AND TABLE_NAME IN ('_yoyo_migration', 'dal_migrations')"
    )
    # One without the other is a first run that was killed, before it applied anything.
    if cursor.fetchone() != (2,):
        return {}, {}
    cursor.execute("SELECT migration_id, applied_at_utc FROM _yoyo_migration")
    applied = {name: at.replace(tzinfo=UTC) for name, at in cursor.fetchall()}
    cursor.execute("SELECT id, content_sha256 FROM dal_migrations")
    return applied, dict(cursor.fetchall())


def _state(
    name: str, files: dict[str, _File], applied: dict[str, datetime], digests: dict[str, str]
) -> State:
    if name not in applied:
        return "pending"
    if name not in files:
        return "missing"
    return "applied" if digests.get(name) == files[name].digest else "edited"


def _refuse(status: Sequence[MigrationStatus], folder: Path) -> None:
    edited = [f"{one.id}.sql" for one in status if one.state == "edited"]
    if edited:
        raise MigrationError(
            f"edited after it was applied: {', '.join(edited)} (or its rollback) in {folder}:"
            " put the old text back, and change the table by a new migration"
        )
    missing = [f"{one.id}.sql" for one in status if one.state == "missing"]
    if missing:
        raise MigrationError(
            f"applied, but not in {folder}: {', '.join(missing)}:"
            " the database is of a newer release, or a file was renamed"
        )


@contextmanager
def _said_by_server(what: str) -> Iterator[None]:
    """Turn the driver's errors into ours, with the server's number and words."""
    try:
        yield
    except pymysql.Error as error:
        errno, text = errno_and_text(error)
        raise MigrationError(f"{what}: {text}", errno=errno) from error


def _lock_name(database: str, purpose: str) -> str:
    """At most 64 characters, which the name of a database alone can have."""
    name = f"dal:migrate:{purpose}:{database}"
    if len(name) <= 64:
        return name
    digest = hashlib.sha256(database.encode()).hexdigest()
    return f"dal:migrate:{purpose}:{digest[:32]}"


def _take_lock(cursor: Cursor, name: str, timeout_s: float, who: str) -> None:
    cursor.execute("SELECT GET_LOCK(%s, %s)", (name, timeout_s))
    if cursor.fetchone() == (1,):
        return
    cursor.execute("SELECT IS_USED_LOCK(%s)", (name,))
    row = cursor.fetchone()
    holder = row[0] if row else None
    cursor.execute("SHOW PROCESSLIST")
    seen = [
        f" ({user}@{host}, busy or idle for {seconds} s)"
        for number, user, host, _, _, seconds, *_ in cursor.fetchall()
        if number == holder
    ]
    raise MigrationError(
        f"{who}: waited {timeout_s:g} s for connection {holder}{''.join(seen)};"
        f" if it is to end, KILL {holder}"
    )
