"""The folder of migrations: which files there are, their digests, and the rules they keep."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final, Literal

import attrs
from yoyo.migrations import read_sql_migration

from dal.errors import MigrationError

Direction = Literal["apply", "rollback"]

_NAME: Final = re.compile(r"(\d{4})\.[a-z0-9]+(?:-[a-z0-9]+)*\.sql")
_ROLLBACK: Final = ".rollback.sql"
_FLAG: Final = re.compile(r"-- transactional: false\n")


@attrs.frozen
class File:
    """A migration in the folder."""

    id: str
    path: Path
    rollback_path: Path
    digest: str

    @classmethod
    def read(cls, folder: Path, name: str) -> File:
        """The migration of this id, with the digest of its two files as they are now."""
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


def read_folder(folder: Path) -> list[File]:
    """Every migration of the folder, in order."""
    if not folder.is_dir():
        raise MigrationError(f"{folder}: no such folder")
    names = sorted(path.name for path in folder.glob("*.sql"))
    return [
        File.read(folder, name.removesuffix(".sql"))
        for name in names
        if not name.endswith(_ROLLBACK)
    ]


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
