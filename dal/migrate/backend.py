"""yoyo's access to the database, on connections that are opened here."""

from __future__ import annotations

import socket
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from yoyo.backends.core.mysql import MySQLBackend
from yoyo.connections import DatabaseURI

from dal.errors import MigrationError
from dal.migrate.locks import holds_lock, lock_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymysql.connections import Connection
    from pymysql.cursors import Cursor
    from yoyo.migrations import Migration

    from dal.config import Config


class Backend(MySQLBackend):  # type: ignore[misc]  # yoyo has no types
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
        """Ours, whatever the address says."""
        return self._open_this()

    def copy(self) -> Backend:
        """For the statements of a migration, which yoyo runs on a connection of their own."""
        return Backend(self._config, self._open_copy, self._open_copy, self._lock)

    def take_yoyo_lock(self) -> None:
        """Write the row that holds off yoyo's command; one that is there is overwritten."""
        self.execute("REPLACE INTO yoyo_lock (ctime, pid) VALUES (UTC_TIMESTAMP(6), 0)")

    def get_log_data(
        self, migration: Migration | None = None, operation: str = "apply"
    ) -> dict[str, Any]:
        """A row of yoyo's log."""
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
        if not holds_lock(self._lock, lock_name(self._config.database, "run")):
            raise MigrationError("the migrator's lock was lost: another may be at work")
