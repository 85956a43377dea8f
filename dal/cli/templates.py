"""``dal import``, ``export`` and ``search``."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

import attrs
from cyclopts import Parameter

import dal
from dal.cli import output
from dal.cli.importing import Format, Importer, Report, Source
from dal.cli.options import As, Json, Url, named, session_of, user_of
from dal.cli.reading import parse_map

__all__ = ["export_templates", "import_templates", "search_templates", "summary"]

_MAX_BATCH_ROWS = 5_000


def import_templates(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    as_: As,
    create_user: Annotated[str | None, Parameter(name="--create-user", help="FULL NAME")] = None,
    map_: Annotated[str | None, Parameter(name="--map")] = None,
    format_: Annotated[Format | None, Parameter(name="--format")] = None,
    visibility: Literal["private", "public"] = "private",
    batch_rows: int = 500,
    strict: Annotated[bool, Parameter(negative="")] = False,
    url: Url = None,
    json_: Json = False,
) -> int:
    """Put the templates of a file into the database, as one user.

    JSON lines as `dal export` writes them, or CSV whose first line names the columns. A JSON line
    has either content, or versions: a list of objects with content, system_prompt, message,
    author_name, created_at and version, oldest first, and labels that name some. A bad row is
    reported as FILE:LINE: reason, the rest goes in, and the exit status is 1. The same file again
    changes nothing, and an import that was killed goes on when it is run again: a row without an
    id gets one that is derived from the user and the row.

    Args:
        file: A file, or - for stdin.
        create_user: Create the user under this full name if nobody has the address.
        map_: CSV: which columns become which fields, act=name,prompt=content,tags; others are
            left out. JSON lines: keys that become fields. In CSV an empty cell is no value, and
            tags are separated by commas.
        format_: By default csv for a file called .csv, else jsonl.
        visibility: Of rows that do not say.
        batch_rows: The most rows of one transaction; it also ends at 8 MiB.
        strict: Put nothing in if any row is bad: one transaction for the whole file.
    """
    if file.startswith("-") and file != "-":
        raise dal.UsageError(f"unknown option: {file} (a file of that name is ./{file})")
    mapping = parse_map(map_)
    if not 1 <= batch_rows <= _MAX_BATCH_ROWS:
        raise dal.UsageError(f"--batch-rows: 1 to {_MAX_BATCH_ROWS}")
    chosen = format_ or ("csv" if file.lower().endswith(".csv") else "jsonl")
    settings = Importer(
        owner_id=dal.new_id(dal.SystemClock().now()),
        format=chosen,
        mapping=mapping,
        visibility=dal.Visibility(visibility),
        batch_rows=batch_rows,
        on_note=output.note,
    )
    with Source.open(file, again=strict) as source:
        report = asyncio.run(_import(source, settings, url, as_, create_user, strict=strict))
    _tell(report, source.name, strict=strict, as_json=json_)
    return 1 if report.bad else 0


async def _import(
    source: Source,
    settings: Importer,
    url: str | None,
    email: str,
    create_user: str | None,
    *,
    strict: bool,
) -> Report:
    async with dal.connect(named(url)) as db:
        user = await user_of(db, email)
        if user is None and create_user is None:
            raise dal.UsageError(
                f"--as: no user has the address {email}; --create-user 'FULL NAME' creates one"
            )
        with output.advancing(source.name, source.n_bytes) as advance:
            importer = attrs.evolve(
                settings,
                # The id that the user will have is known before the user is there.
                owner_id=user.id if user else settings.owner_id,
                on_bad=lambda bad: output.note(f"{source.name}:{bad.line}: {bad.reason}"),
                on_batch=advance,
            )
            if strict:
                report = importer.check(source)
                if report.bad:
                    return report
            if user is None:
                system = db.acting_as(dal.Actor.system("dal import"))
                await system.users.create(
                    email=email, full_name=create_user or "", id=importer.owner_id
                )
            me = db.acting_as(dal.Actor.user(importer.owner_id))
            quiet = attrs.evolve(importer, on_note=lambda text: None)
            return await (quiet.run_strict(source, me) if strict else importer.run(source, me))


def summary(report: Report) -> str:
    """What became of the rows, in a line."""
    return (
        f"{report.rows:,} rows: {report.imported:,} imported, {report.already_there:,} already"
        f" there, {len(report.bad):,} bad; {report.seconds:.2f} s, {report.rows_per_s:,.0f} rows/s"
    )


def _tell(report: Report, name: str, *, strict: bool, as_json: bool) -> None:
    nothing = strict and bool(report.bad)
    if as_json:
        output.print_json(
            {
                "file": name,
                "rows": report.rows,
                "imported": report.imported,
                "already_there": report.already_there,
                "bad": [{"line": bad.line, "reason": bad.reason} for bad in report.bad],
                "seconds": round(report.seconds, 3),
                "rows_per_s": round(report.rows_per_s, 1),
            }
        )
        return
    output.say(f"{name}: {summary(report)}")
    if nothing:
        output.note("nothing was put in (--strict)")


def export_templates(*, as_: As, out: Path | None = None, url: Url = None) -> int:
    """Write the live templates of one user, with their whole history, as JSON lines.

    Newest first, a line each, with what an import keeps: the id, category, tags, visibility, the
    time of creation, all versions oldest first, and the labels. Not in it: the trash, ratings and
    uses, and where labels were before.

    Args:
        out: A file, which is there whole or not at all; without it stdout.
    """
    written = asyncio.run(_export(url, as_, out))
    if out is not None:
        output.note(f"{out}: {written:,} templates")
    return 0


async def _export(url: str | None, email: str, out: Path | None) -> int:
    async with dal.connect(named(url)) as db:
        me = await session_of(db, email)
        with _whole_or_not(out) if out is not None else nullcontext(sys.stdout) as file:
            written = 0
            async for template in me.templates.exchange.export():
                file.write(template.to_line())
                written += 1
    return written


@contextmanager
def _whole_or_not(path: Path) -> Iterator[TextIO]:
    """A new file that becomes ``path`` at the end, or is removed when anything fails.

    Others cannot read it: private templates are in it.
    """
    if path.exists() and not path.is_file():
        # A device or a pipe is written to, never replaced.
        with path.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        return
    path = path.resolve()  # a link stays one
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def search_templates(
    *text: str,
    category: str | None = None,
    tag: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = (),
    scope: Literal["visible", "mine", "public"] = "visible",
    as_: Annotated[str | None, Parameter(name="--as")] = None,
    sort: Literal["newest", "oldest"] = "newest",
    limit: int = 20,
    after: str | None = None,
    url: Url = None,
    json_: Json = False,
) -> int:
    """Search templates by words in name, description and credited author.

    Every word must be there, without regard to case and accents.

    Args:
        text: Words; none finds everything.
        category: Of this category only.
        tag: With this tag; give it again for more, which must all be there.
        scope: visible (one's own and public ones), mine, or public.
        as_: Address of the user who searches; without it public templates are found.
        limit: The most rows, 1 to 500.
        after: Where to go on: what the page before said under "next".
    """
    wanted = {
        "text": " ".join(text) or None,
        "category": category,
        "tags": tag,
        "scope": scope,
        "sort": sort,
        "limit": limit,
        "after": after,
    }
    page = asyncio.run(_search(url, as_, wanted))
    if json_:
        output.print_json({"rows": page.rows, "next": page.next})
        return 0
    output.table(
        ["id", "name", "category", "author", "visibility", "created"],
        [
            (row.id, row.name, row.category, row.author_name, row.visibility, row.created_at)
            for row in (hit.template for hit in page.rows)
        ],
    )
    if page.next:
        output.note(f"there are more: --after {page.next}")
    return 0


async def _search(
    url: str | None, email: str | None, wanted: dict[str, Any]
) -> dal.Page[dal.TemplateHit]:
    async with dal.connect(named(url)) as db:
        me = db.acting_as(dal.Actor.anonymous()) if email is None else await session_of(db, email)
        return await me.templates.search(**wanted)
