"""The migrator: applies and rolls back, alone on its database."""

from __future__ import annotations

from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pymysql

from dal.errors import MigrationError, UsageError
from dal.migrate.backend import Backend
from dal.migrate.bookkeeping import begin_record, end_record, make_tables, recorded
from dal.migrate.failures import CONNECTION_LOST, said_by_server
from dal.migrate.files import Direction, File
from dal.migrate.locks import lock_name, take_lock
from dal.migrate.plan import MigrationStatus, newest_files, pending_files, read_status
from dal.migrate.run import MigrationStep, Run
from dal.provision import connect, errno_and_text, packaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

    from dal.config import Config


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
            return read_status(connection, self._folder)

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
                files = self._pending(connection)
            return self._rehearsed(files, "apply", on_step)
        with self._alone() as backend:
            files = self._pending(backend.connection)
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
                files = self._newest(connection, count, to)
            return self._rehearsed(files, "rollback", on_step)
        with self._alone() as backend:
            files = self._newest(backend.connection, count, to)
            for file in files:
                self._one(backend, file, "rollback", on_step)
            self._verify(backend, files, applied=False)
        return [file.id for file in files]

    def _pending(self, connection: Connection[Cursor]) -> list[File]:
        return pending_files(read_status(connection, self._folder), self._folder)

    def _newest(
        self, connection: Connection[Cursor], count: int | None, to: str | None
    ) -> list[File]:
        return newest_files(read_status(connection, self._folder), self._folder, count, to)

    def _rehearsed(
        self,
        files: Sequence[File],
        direction: Direction,
        on_step: Callable[[MigrationStep], None] | None,
    ) -> list[str]:
        for file in files:
            for sql in file.statements(direction):
                if on_step is not None:
                    on_step(MigrationStep(file.id, direction, sql))
        return [file.id for file in files]

    def _open(self) -> Connection[Cursor]:
        connection = connect(self._config)
        try:
            with said_by_server("session settings"), connection.cursor() as cursor:
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
            with said_by_server("lock"), connection.cursor() as cursor:
                take_lock(
                    cursor,
                    lock_name(self._config.database, "statement"),
                    self._lock_timeout_s,
                    "a statement of a migrator that was killed still runs",
                )
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _alone(self) -> Iterator[Backend]:
        """The backend, while no other migrator works on this database.

        The lock is the server's (GET_LOCK), held by a connection that does nothing else: the server
        lets go of it when the migrator dies. yoyo's own lock is a row, which outlives a killed
        migrator. It is taken too, to hold off whoever runs yoyo's command by hand; but a row that
        is found is never waited for.
        """
        name = lock_name(self._config.database, "run")
        with closing(self._open()) as holder, holder.cursor() as cursor:
            with said_by_server("lock"):
                take_lock(cursor, name, self._lock_timeout_s, "another migrator is at work")
            with Backend(self._config, self._open, self._open_for_statements, cursor) as backend:
                with said_by_server("the migrator's own tables"):
                    make_tables(backend)
                    backend.take_yoyo_lock()
                try:
                    yield backend
                finally:
                    # With the connection gone the row stays, and does no harm.
                    with suppress(pymysql.Error):
                        backend.execute("DELETE FROM yoyo_lock")

    def _one(
        self,
        backend: Backend,
        file: File,
        direction: Direction,
        on_step: Callable[[MigrationStep], None] | None,
    ) -> None:
        with said_by_server(file.path.name):
            backend.check_still_alone()
            unfinished = begin_record(backend.connection, file, direction)
        run = Run(file, direction, on_step, resumed=unfinished == direction)
        migration = run.loaded()
        try:
            if direction == "apply":
                backend.apply_one(migration)
            else:
                backend.rollback_one(migration)
        except pymysql.Error as error:
            errno, text = errno_and_text(error)
            if not run.done and errno not in CONNECTION_LOST:
                with suppress(pymysql.Error):  # the first error is the one to tell
                    end_record(backend.connection, file, exists=direction == "rollback")
            failed = file.path if direction == "apply" else file.rollback_path
            raise MigrationError(
                f"{failed.name}: {text}\n{run.what_is_left(errno)}", errno=errno
            ) from error
        with said_by_server(file.path.name):
            end_record(backend.connection, file, exists=direction == "apply")

    def _verify(self, backend: Backend, files: Sequence[File], *, applied: bool) -> None:
        # yoyo passes over a migration that it finds bad, without an error.
        with said_by_server("status"), backend.connection.cursor() as cursor:
            known, _ = recorded(cursor)
        wrong = [file.path.name for file in files if (file.id in known) is not applied]
        if wrong:
            verb = "applied" if applied else "rolled back"
            raise MigrationError(f"ran, but not recorded as {verb}: {', '.join(wrong)}")
