"""Rows of a file into the database: batch by batch, or all of it or nothing."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import attrs

from dal.cli.kinds import Kind
from dal.cli.planning import Planned, batches
from dal.cli.reading import BadRow
from dal.database import Session
from dal.errors import (
    ConstraintError,
    UniqueError,
    UsageError,
    ValueRejectedError,
)

__all__ = ["Importer", "Report", "Source"]


@attrs.define
class Report:
    """What became of the rows of a file."""

    rows: int = 0
    imported: int = 0
    already_there: int = 0
    bad: list[BadRow] = attrs.field(factory=list)
    seconds: float = 0.0

    @property
    def rows_per_s(self) -> float:
        """Rows worked off in a second, also those that were there."""
        return self.rows / self.seconds if self.seconds else 0.0


@attrs.frozen
class Source:
    """A file that can be read from its start more than once, and how far it is read."""

    name: str
    n_bytes: int | None
    _file: BinaryIO

    @classmethod
    @contextmanager
    def open(cls, path: str, *, again: bool = False) -> Iterator[Source]:
        """The file of this path, or stdin for ``-``.

        Args:
            again: it will be read twice: what cannot be (a pipe) is copied to a temporary file.

        Raises:
            OSError: it cannot be read.
            UsageError: it is stdin, and there is none.
        """
        if path == "-" and sys.stdin is None:
            raise UsageError("- is the standard input, and that is closed")
        with (
            open(os.dup(sys.stdin.fileno()), "rb") if path == "-" else Path(path).open("rb") as file
        ):
            name = "stdin" if path == "-" else path
            if file.seekable():
                yield cls(name, os.fstat(file.fileno()).st_size, file)
            elif not again:
                yield cls(name, None, file)
            else:
                with tempfile.TemporaryFile() as spool:
                    shutil.copyfileobj(file, spool)
                    size = spool.tell()
                    spool.seek(0)
                    yield cls(name, size, spool)

    def rewound(self) -> BinaryIO:
        """The file at its start; one that cannot be rewound is there already."""
        if self._file.seekable():
            self._file.seek(0)
        return self._file

    def bytes_read(self) -> int:
        """How far it is read."""
        return self._file.tell() if self._file.seekable() else 0


class _PutNothingInError(Exception):
    """Rolls back the one transaction of a strict import."""


def _ignore(_: object) -> None:
    """Nobody wants to be told."""


@attrs.frozen(kw_only=True)
class Importer:
    """How the rows of files become what ``kind`` makes of them."""

    kind: Kind
    batch_rows: int = 500
    on_bad: Callable[[BadRow], None] = _ignore
    on_note: Callable[[str], None] = _ignore
    on_batch: Callable[[int], object] = _ignore

    async def run(self, source: Source, me: Session) -> Report:
        """Put in every row that can be, a transaction a batch.

        Killed half way, it goes on where it was when it is run again.

        Raises:
            ParentMissingError: the user was deleted meanwhile.
            DalError: the server failed; what is in stays in, and running again goes on.
        """
        began = time.perf_counter()
        report = Report()
        for batch in self._batches(source, report, self.on_note):
            await self._put(batch, me, report)
            self.on_batch(source.bytes_read())
        report.seconds = time.perf_counter() - began
        return report

    def check(self, source: Source) -> Report:
        """Read the whole file and put nothing in; whether an id is somebody else's is not seen."""
        began = time.perf_counter()
        report = Report()
        for _ in self._batches(source, report, self.on_note):
            self.on_batch(source.bytes_read())
        report.seconds = time.perf_counter() - began
        return report

    async def run_strict(self, source: Source, me: Session) -> Report:
        """Put in every row in one transaction, or none if one is bad.

        Raises:
            ParentMissingError: the user was deleted meanwhile.
            DalError: the server failed; nothing is in.
        """
        began = time.perf_counter()
        report = Report()

        async def whole(tx: Session) -> None:
            # From the start, also where a deadlock made it begin again.
            report.rows = report.imported = report.already_there = 0
            report.bad.clear()
            for batch in self._batches(source, report, _ignore):
                await self._put(batch, tx, report)
                self.on_batch(source.bytes_read())
            if report.bad:
                raise _PutNothingInError

        try:
            await me.run(whole)
        except _PutNothingInError:
            report.imported = 0
        report.seconds = time.perf_counter() - began
        return report

    def _batches(
        self, source: Source, report: Report, on_note: Callable[[str], None]
    ) -> Iterator[list[Planned]]:
        file = source.rewound()
        planned = self.kind.planned(file, on_note)
        for batch in batches(
            planned, lambda bad: self._is_bad(bad, report), max_rows=self.batch_rows
        ):
            report.rows += len(batch)
            yield batch

    def _is_bad(self, bad: BadRow, report: Report, *, counted: bool = False) -> None:
        report.rows += not counted
        report.bad.append(bad)
        self.on_bad(bad)

    async def _put(self, batch: list[Planned], session: Session, report: Report) -> None:
        taken = await self.kind.taken(session, [row.id for row in batch])
        report.already_there += len(taken)
        await self._insert([row for row in batch if row.id not in taken], session, report)

    async def _insert(self, rows: list[Planned], session: Session, report: Report) -> None:
        """Insert the rows; where the server refuses one of them, halve until it is alone."""
        if not rows:
            return
        try:
            await self.kind.create(session, [row.new for row in rows])
        except self.kind.fatal:
            raise
        except (ConstraintError, ValueRejectedError) as error:
            if len(rows) == 1:
                await self._refused(rows[0], error, session, report)
                return
            half = len(rows) // 2
            await self._insert(rows[:half], session, report)
            await self._insert(rows[half:], session, report)
        else:
            report.imported += len(rows)

    async def _refused(
        self,
        row: Planned,
        error: ConstraintError | ValueRejectedError,
        session: Session,
        report: Report,
    ) -> None:
        reason = error.message
        if isinstance(error, UniqueError):
            # Another import of the same file may have been faster.
            if await self.kind.taken(session, [row.id]):
                report.already_there += 1
                return
            reason = self.kind.refusal
        self._is_bad(BadRow(row.line, reason), report, counted=True)
