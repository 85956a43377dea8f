"""``dal user``: what one account has, and its end."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, BinaryIO
from uuid import UUID

from cyclopts import Parameter

import dal
from dal.cli import output
from dal.cli.options import Url, named, user_of
from dal.repositories.users.export import cursor_after

__all__ = ["export"]

_TAIL_BYTES = 64 * 1024


async def _id_of(db: dal.Database, user: str) -> UUID:
    with suppress(ValueError):
        return UUID(user)
    found = await user_of(db, user)
    if found is None:
        raise dal.UsageError(f"USER: nobody has the address {user}; who is deleted is named by id")
    return found.id


def export(
    user: Annotated[str, Parameter(help="Address or id of the user.")],
    /,
    *,
    out: Path | None = None,
    url: Url = None,
) -> int:
    """Write all that the system holds of a user as lines of JSON, each with kind and data.

    Constant memory. A run into a file that was killed goes on behind the last whole line of
    FILE.part when it is run again. The audit log says that it was done.

    Args:
        out: A file, which is there whole or not at all; without it stdout.
    """

    async def work(file: BinaryIO | None) -> Counter[str]:
        async with dal.connect(named(url)) as db:
            user_id = await _id_of(db, user)
            me = db.acting_as(dal.Actor.system("dal user export"))
            if file is None:
                return await _write(me, user_id, sys.stdout.buffer.write, None)
            return await _write(me, user_id, file.write, _behind_last_line(file, user_id))

    if out is None:
        asyncio.run(work(None))
        return 0
    part = out.with_name(f"{out.name}.part")
    # What somebody wrote is for nobody else on the machine.
    with open(os.open(part, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        kinds = asyncio.run(work(file))
    part.replace(out)
    told = ", ".join(f"{n:,} {kind}" for kind, n in kinds.items())
    output.note(f"{out}: {kinds.total():,} rows written: {told}")
    return 0


async def _write(
    me: dal.Session, user_id: UUID, write: Callable[[bytes], object], after: str | None
) -> Counter[str]:
    kinds: Counter[str] = Counter()
    with output.advancing("rows", None) as advance:
        async for row in me.users.export_data(user_id, after=after):
            write(row.line)
            kinds[row.kind] += 1
            advance(kinds.total())
    return kinds


def _behind_last_line(file: BinaryIO, user_id: UUID) -> str | None:
    """The cursor behind the last whole line; what is behind that is cut off."""
    end = file.seek(0, os.SEEK_END)
    tail = b""
    start = end
    while start and tail.count(b"\n") < 2:
        begin = max(0, start - _TAIL_BYTES)
        file.seek(begin)
        tail = file.read(start - begin) + tail
        start = begin
    whole, newline, rest = tail.rpartition(b"\n")
    file.truncate(end - len(rest) if newline else 0)
    file.seek(0, os.SEEK_END)
    return cursor_after(user_id, whole.rpartition(b"\n")[2]) if newline else None
