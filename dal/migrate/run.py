"""One migration on its way through yoyo, statement by statement."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import attrs
import pymysql
from yoyo.migrations import Migration, StepBase

from dal.errors import MigrationError
from dal.migrate.failures import CONNECTION_LOST, DONE_ALREADY
from dal.migrate.files import Direction, File
from dal.provision import errno_and_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from dal.migrate.backend import Backend

_logger: Final = logging.getLogger("dal.migrate")


@attrs.frozen
class MigrationStep:
    """One statement that is about to run, or would run."""

    id: str
    direction: Direction
    sql: str


class Run:
    """One migration on its way through yoyo: tells of each statement, and keeps which are done."""

    def __init__(
        self,
        file: File,
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

    def do(self, step: Any, direction: Direction, backend: Backend) -> None:
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
            if not (done_by_the_killed and errno in DONE_ALREADY):
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
        if errno in CONNECTION_LOST:
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

    def __init__(self, step: Any, run: Run) -> None:
        self.id = step.id
        self._step = step
        self._run = run

    def apply(self, backend: Backend, force: bool = False) -> None:
        self._run.do(self._step, "apply", backend)

    def rollback(self, backend: Backend, force: bool = False) -> None:
        self._run.do(self._step, "rollback", backend)
