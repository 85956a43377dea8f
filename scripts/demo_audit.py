"""The part of scripts/demo_show.py that is about the audit log: sealed, verified, a row flipped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final, Protocol
from uuid import UUID

import dal
from dal.cli import output
from dal.config import Config
from dal.provision import connect

__all__ = ["show_seals"]

_JOB: Final = "demo"


class Say(Protocol):
    """Where it is shown."""

    def title(self, text: str) -> None:
        """A heading."""

    def check(self, what: str, holds: bool) -> None:
        """That something holds, or does not."""


@contextmanager
def _flipped(root: Config, audit_id: UUID) -> Iterator[None]:
    """One entry says another outcome, as only root can have it; and at the end what it said."""
    update = "UPDATE audit_logs SET outcome = %s WHERE id = %s"
    with closing(connect(root)) as connection, connection.cursor() as cursor:
        cursor.execute(update, ("denied", audit_id.bytes))
        try:
            yield
        finally:
            cursor.execute(update, ("success", audit_id.bytes))


async def show_seals(sealer_url: str, root: Config, audit_id: UUID, say: Say) -> None:
    """Seal the log, verify it, have a row flipped by root, and see verification name it."""
    say.title("The audit log, sealed")
    async with dal.connect(sealer_url) as db:
        seals = db.acting_as(dal.Actor.system(_JOB)).audit.seals
        done = await seals.seal()
        output.say(f"{done.entries:,} entries sealed by {done.seals:,} seals")
        anchor = await seals.anchor()
        output.say(f"anchor, to be kept elsewhere: seal {anchor.seal} {anchor.seal_sha256[:16]}...")
        found = await seals.verify(anchor)
        say.check(f"{found.entries:,} entries are as they were sealed", found.is_ok)
        with _flipped(root, audit_id):
            found = await seals.verify(anchor)
        output.say(f"root changes one field: {found.broken.message if found.broken else 'nothing'}")
        say.check(
            "verification names that entry",
            found.broken is not None and found.broken.audit_id == audit_id,
        )
        found = await seals.verify(anchor)
        say.check("and once it is changed back there is nothing to say", found.is_ok)
