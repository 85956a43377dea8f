"""What is to be done: the folder compared with what the database remembers."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import attrs

from dal.errors import MigrationError
from dal.migrate.bookkeeping import recorded
from dal.migrate.failures import said_by_server
from dal.migrate.files import File, read_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

State = Literal["pending", "applied", "edited", "missing"]


@attrs.frozen
class MigrationStatus:
    """One migration as the database and the folder see it.

    ``edited``: applied, but a file differs from what was applied. ``missing``: applied, but there
    is no file, so the database is newer than this release.
    """

    id: str
    applied_at: datetime | None
    state: State


def read_status(connection: Connection[Cursor], folder: Path) -> list[MigrationStatus]:
    """Every migration that the folder or the database knows, in order."""
    files = {file.id: file for file in read_folder(folder)}
    with said_by_server("status"), connection.cursor() as cursor:
        applied, digests = recorded(cursor)
    found = [
        MigrationStatus(name, applied.get(name), _state(name, files, applied, digests))
        for name in files.keys() | applied.keys()
    ]
    return sorted(found, key=lambda one: one.id)


def pending_files(status: Sequence[MigrationStatus], folder: Path) -> list[File]:
    """What is to be applied, in order."""
    _refuse(status, folder)
    newest = max((one.id for one in status if one.state == "applied"), default="")
    pending = [one.id for one in status if one.state == "pending"]
    for name in pending:
        if name < newest:
            raise MigrationError(
                f"{name}.sql is older than {newest}, which is applied: give it a new number"
            )
    return [File.read(folder, name) for name in pending]


def newest_files(
    status: Sequence[MigrationStatus], folder: Path, count: int | None, to: str | None
) -> list[File]:
    """What is to be rolled back, newest first."""
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
    _refuse(chosen, folder)
    return [File.read(folder, one.id) for one in reversed(chosen)]


def _state(
    name: str, files: dict[str, File], applied: dict[str, datetime], digests: dict[str, str]
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
