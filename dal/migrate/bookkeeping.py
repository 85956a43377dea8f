"""The tables that remember: yoyo's, and ours with the digest and the mark of each migration."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pymysql

if TYPE_CHECKING:
    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

    from dal.migrate.backend import Backend
    from dal.migrate.files import Direction, File

# Made here and not by yoyo: with the database's default character set (latin1, perhaps), without
# IF NOT EXISTS and in several steps, of which a killed one could not be taken up again.
_NO_SUCH_TABLE: Final = 1146
_TABLE_OPTIONS: Final = (
    "ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin"
)
TABLES: Final = (
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


def make_tables(backend: Backend) -> None:
    """Make those that are not there yet."""
    for statement in TABLES:
        backend.execute(statement)


def recorded(cursor: Cursor) -> tuple[dict[str, datetime], dict[str, str]]:
    """When each migration was applied, and the digest of what was; nothing in a new database."""
    # Not asked of information_schema, which hides what this account may not read: all would look
    # pending. One without the other is a first run that was killed, before it applied anything.
    for table in ("_yoyo_migration", "dal_migrations"):
        try:
            cursor.execute(f"SELECT 1 FROM {table} LIMIT 0")  # noqa: S608 - one of two
        except pymysql.err.ProgrammingError as error:
            if error.args[0] == _NO_SUCH_TABLE:
                return {}, {}
            raise
    cursor.execute("SELECT migration_id, applied_at_utc FROM _yoyo_migration")
    applied = {name: at.replace(tzinfo=UTC) for name, at in cursor.fetchall()}
    cursor.execute("SELECT id, content_sha256 FROM dal_migrations")
    return applied, dict(cursor.fetchall())


def begin_record(connection: Connection[Cursor], file: File, direction: Direction) -> str | None:
    """Record what is about to run; what a killed migrator left unfinished of it, if so."""
    with connection.cursor() as cursor:
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


def end_record(connection: Connection[Cursor], file: File, *, exists: bool) -> None:
    """Record that it is applied, or that it is not."""
    with connection.cursor() as cursor:
        if exists:
            cursor.execute(
                "UPDATE dal_migrations SET unfinished = NULL, changed_at = UTC_TIMESTAMP(6)"
                " WHERE id = %s",
                (file.id,),
            )
        else:
            cursor.execute("DELETE FROM dal_migrations WHERE id = %s", (file.id,))
