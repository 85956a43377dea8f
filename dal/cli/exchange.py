"""``dal import`` and ``dal export``."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Literal, TextIO

import attrs
from cyclopts import Parameter

import dal
from dal.cli import output
from dal.cli.importing import Importer, Report, Source
from dal.cli.kinds import Conversations, Format, Templates
from dal.cli.options import As, Json, Url, named, session_of, user_of
from dal.cli.reading import parse_map

__all__ = ["export_rows", "import_rows", "summary", "tell", "whole_or_not"]

KindName = Literal["templates", "conversations"]
_MAX_BATCH_ROWS = 5_000


def import_rows(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    as_: As,
    kind: KindName = "templates",
    create_user: Annotated[str | None, Parameter(name="--create-user", help="FULL NAME")] = None,
    map_: Annotated[str | None, Parameter(name="--map")] = None,
    create_users: Annotated[bool, Parameter(name="--create-users", negative="")] = False,
    format_: Annotated[Format | None, Parameter(name="--format")] = None,
    visibility: Literal["private", "public"] | None = None,
    batch_rows: int = 500,
    strict: Annotated[bool, Parameter(negative="")] = False,
    url: Url = None,
    json_: Json = False,
) -> int:
    """Put the templates or conversations of a file into the database, as one user.

    JSON lines as `dal export` writes them, or CSV whose first line names the columns. A JSON line
    has either content, or versions: a list of objects with content, system_prompt, message,
    author_name, created_at and version, oldest first, and labels that name some. A bad row is
    reported as FILE:LINE: reason, the rest goes in, and the exit status is 1. The same file again
    changes nothing, and an import that was killed goes on when it is run again: a row without an
    id gets one that is derived from the user and the row.

    A conversation has a title and prompts: a list of objects with user_input, response,
    token_count, cost, created_at and author_id. Its owner_id, its participants (an object of
    people and roles, collaborator or viewer) and its authors are ids, or addresses of accounts;
    names (an object of addresses and names) is for accounts that are to be created.

    Args:
        file: A file, or - for stdin.
        kind: What the rows are.
        create_user: Create the user under this full name if nobody has the address.
        map_: CSV: which columns become which fields, act=name,prompt=content,tags; others are
            left out. JSON lines: keys that become fields. In CSV an empty cell is no value, and
            tags are separated by commas.
        format_: By default csv for a file called .csv, else jsonl.
        create_users: Conversations: create an account for each address that nobody has.
        visibility: Templates: of rows that do not say; private by default.
        batch_rows: The most rows of one transaction; it also ends at 8 MiB.
        strict: Put nothing in if any row is bad: one transaction for the whole file.
    """
    if file.startswith("-") and file != "-":
        raise dal.UsageError(f"unknown option: {file} (a file of that name is ./{file})")
    _refuse_of_templates(kind, **{"--map": map_, "--format": format_, "--visibility": visibility})
    if create_users and kind == "templates":
        raise dal.UsageError("--create-users: is for --kind conversations")
    mapping = parse_map(map_)
    if not 1 <= batch_rows <= _MAX_BATCH_ROWS:
        raise dal.UsageError(f"--batch-rows: 1 to {_MAX_BATCH_ROWS}")
    chosen = format_ or ("csv" if file.lower().endswith(".csv") else "jsonl")
    user_id = dal.new_id(dal.SystemClock().now())
    of_kind = (
        Templates(
            owner_id=user_id,
            format=chosen,
            mapping=mapping,
            visibility=dal.Visibility(visibility or "private"),
        )
        if kind == "templates"
        else Conversations(owner_id=user_id, create_users=create_users)
    )
    settings = Importer(kind=of_kind, batch_rows=batch_rows, on_note=output.note)
    with Source.open(file, again=strict) as source:
        report = asyncio.run(
            _import(source, settings, of_kind, url, as_, create_user, strict=strict)
        )
    tell(report, source.name, strict=strict, as_json=json_)
    return 1 if report.bad else 0


async def _import(
    source: Source,
    settings: Importer,
    kind: Templates | Conversations,
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
        owner_id = user.id if user else kind.owner_id
        with output.advancing(source.name, source.n_bytes) as advance:
            importer = attrs.evolve(
                settings,
                # The id that the user will have is known before the user is there.
                kind=attrs.evolve(kind, owner_id=owner_id),
                on_bad=lambda bad: output.note(f"{source.name}:{bad.line}: {bad.reason}"),
                on_batch=advance,
            )
            if strict:
                report = importer.check(source)
                if report.bad:
                    return report
            system = db.acting_as(dal.Actor.system("dal import"))
            if user is None:
                await system.users.create(email=email, full_name=create_user or "", id=owner_id)
            # A conversation holds words of several people, which none of them can bring in.
            as_user = isinstance(kind, Templates)
            me = db.acting_as(dal.Actor.user(owner_id)) if as_user else system
            quiet = attrs.evolve(importer, on_note=lambda text: None)
            return await (quiet.run_strict(source, me) if strict else importer.run(source, me))


def _refuse_of_templates(kind: KindName, **options: object) -> None:
    for name, value in options.items():
        if kind != "templates" and value is not None:
            raise dal.UsageError(f"{name}: is for templates")


def summary(report: Report) -> str:
    """What became of the rows, in a line."""
    return (
        f"{report.rows:,} rows: {report.imported:,} imported, {report.already_there:,} already"
        f" there, {len(report.bad):,} bad; {report.seconds:.2f} s, {report.rows_per_s:,.0f} rows/s"
    )


def tell(report: Report, name: str, *, strict: bool, as_json: bool) -> None:
    """Say what became of the rows of a file."""
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


def export_rows(
    *,
    as_: As,
    kind: KindName = "templates",
    format_: Annotated[Literal["jsonl", "markdown"], Parameter(name="--format")] = "jsonl",
    out: Path | None = None,
    url: Url = None,
) -> int:
    """Write the live templates or conversations of one user, as JSON lines.

    Newest first, a line each, with what an import keeps. Of a template: the id, category, tags,
    visibility, the time of creation, all versions oldest first, and the labels; not the trash,
    ratings and uses, and where labels were before. Of a conversation of the user's own: title,
    context, settings, status, who takes part as what, and all prompts in order; not links, pins and
    read marks. Markdown is to be read, of conversations alone.

    Args:
        kind: What to write.
        format_: jsonl, which an import takes, or markdown.
        out: A file, which is there whole or not at all; without it stdout.
    """
    if format_ == "markdown" and kind == "templates":
        raise dal.UsageError("--format markdown: is for --kind conversations")
    written = asyncio.run(_export(url, as_, kind, out, as_markdown=format_ == "markdown"))
    if out is not None:
        output.note(f"{out}: {written:,} {kind}")
    return 0


async def _texts(me: dal.Session, kind: KindName, *, as_markdown: bool) -> AsyncIterator[str]:
    """What is written of each, the end included."""
    if kind == "templates":
        async for template in me.templates.exchange.export():
            yield template.to_line()
        return
    async for talk in me.conversations.exchange.export():
        yield talk.to_markdown() + "\n" if as_markdown else talk.to_line()


async def _export(
    url: str | None, email: str, kind: KindName, out: Path | None, *, as_markdown: bool
) -> int:
    async with dal.connect(named(url)) as db:
        me = await session_of(db, email)
        with whole_or_not(out) if out is not None else nullcontext(sys.stdout) as file:
            written = 0
            async for text in _texts(me, kind, as_markdown=as_markdown):
                file.write(text)
                written += 1
    return written


@contextmanager
def whole_or_not(path: Path) -> Iterator[TextIO]:
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
