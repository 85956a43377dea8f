"""``dal audit``: seal, anchor, verify, export, import, retain."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal
from uuid import UUID

import attrs
from cyclopts import Parameter

import dal
from dal.cli import output
from dal.cli.exchange import tell, whole_or_not
from dal.cli.importing import Importer, Report, Source
from dal.cli.options import Json, Url, named
from dal.cli.planning import Planned
from dal.cli.reading import BadRow, read_json_lines
from dal.errors import DalError, ValueRejectedError
from dal.records.audit_export import manifest_json
from dal.records.ids import derived_id
from dal.records.imported_audit import ImportedAuditEntry

__all__ = ["anchor", "export", "import_entries", "retain", "seal", "verify"]


def _of_role(url: str | None, role: str) -> str:
    """The address given; of a private server with the account of the role."""
    chosen = named(url)
    if not chosen.startswith("private:") or "role=" in chosen:
        return chosen
    return f"{chosen}{'&' if '?' in chosen else '?'}role={role}"


@asynccontextmanager
async def _system(url: str | None, role: str, job: str) -> AsyncIterator[dal.Session]:
    async with dal.connect(_of_role(url, role)) as db:
        yield db.acting_as(dal.Actor.system(job))


def _time(option: str, value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise dal.UsageError(f"{option}: a time with its offset, ISO 8601")
    return at


def seal(
    *,
    late_hours: Annotated[float, Parameter(name="--late-hours")] = 24,
    since: str | None = None,
    batch_rows: int = 1_000,
    url: Url = None,
    json_: Json = False,
) -> int:
    """Seal all entries that are committed and have no seal, with the account of dal_sealer.

    Run it every minute or so. It may be killed, and run on several machines: each seal is one
    transaction, and one of them gets it.

    Args:
        late_hours: How long a transaction may take: so far before the newest sealed entry others
            are looked for.
        since: From which time on instead: 2023-01-01T00:00:00+00:00. For what an import brought.
        batch_rows: The most entries of one seal, at most 10,000.
    """
    start = _time("--since", since)

    async def work() -> dal.Sealing:
        async with _system(url, "dal_sealer", "dal audit seal") as me:
            return await me.audit.seals.seal(
                late=timedelta(hours=late_hours), since=start, entries_at_once=batch_rows
            )

    done = asyncio.run(work())
    if json_:
        output.print_json(done)
    else:
        other = "; another sealer is at work" if done.is_overtaken else ""
        output.say(f"{done.entries:,} entries sealed by {done.seals:,} seals{other}")
    return 0


def anchor(*, url: Url = None) -> int:
    """Print the head of the log, one line of JSON: keep it where nobody who writes to the database
    can change it.
    """

    async def work() -> dal.AuditAnchor:
        async with _system(url, "dal_sealer", "dal audit anchor") as me:
            return await me.audit.seals.anchor()

    output.say(asyncio.run(work()).to_json())
    return 0


def verify(
    *,
    anchor: Annotated[Path | None, Parameter(name="--anchor")] = None,
    url: Url = None,
    json_: Json = False,
) -> int:
    """Compare every entry with its seal, and every seal with the one before. Exit status 1 if
    something does not fit, which is named; it takes the account of dal_sealer.

    Args:
        anchor: A file with what dal audit anchor printed: shows a log whose end was cut off.
    """
    known = None if anchor is None else dal.AuditAnchor.from_json(anchor.read_text())

    async def work() -> dal.AuditVerification:
        async with _system(url, "dal_sealer", "dal audit verify") as me:
            total = (await me.audit.seals.anchor()).seal
            with output.advancing("seals", total) as advance:
                return await me.audit.seals.verify(known, on_seals=advance)

    found = asyncio.run(work())
    if json_:
        output.print_json({"ok": found.is_ok, **attrs.asdict(found)})
        return 0 if found.is_ok else 1
    if found.broken is not None:
        output.say(f"BROKEN: {found.broken.kind}: {found.broken.message}")
    output.say(
        f"{'ok' if found.is_ok else 'up to there'}: {found.entries:,} entries in"
        f" {found.seals:,} seals; {found.purged:,} purged by {found.checkpoints:,} checkpoints"
    )
    if known is not None and found.is_ok:
        output.say(
            f"since the anchor: {found.seals - known.seal:,} seals,"
            f" {found.checkpoints - known.checkpoint:,} checkpoints"
        )
    output.say(f"cannot be seen: {found.unsealed:,} entries that are not sealed yet")
    if not found.is_anchored:
        output.say("cannot be seen: whether the end was cut off; --anchor shows it")
    return 0 if found.is_ok else 1


def export(
    *,
    format_: Annotated[Literal["jsonl", "csv"], Parameter(name="--format")] = "jsonl",
    text: str | None = None,
    category: str | None = None,
    severity: str | None = None,
    outcome: str | None = None,
    actor: UUID | None = None,
    target_type: str | None = None,
    target: UUID | None = None,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    until: str | None = None,
    out: Path | None = None,
    url: Url = None,
) -> int:
    """Write audit entries, oldest first, as lines of JSON or CSV; the log says that it was done.

    With --out a manifest is written beside it, FILE.manifest.json: what was asked, first and last
    entry, how many, how many bytes, SHA-256. The same question gives the same bytes.

    Args:
        text: A part of a name, an address, an action or a change.
        severity: The least: low, medium, high or critical.
        actor: The id of the user who acted.
        target: The id of what was acted upon; with --target-type.
        from_: The earliest: 2026-01-01T00:00:00+00:00.
        until: What happened then or later is left out; now unless given.
        out: A file, which is there whole or not at all; without it stdout.
    """
    asked: dict[str, Any] = {
        "text": text,
        "category": category,
        "severity": severity,
        "outcome": outcome,
        "actor_id": actor,
        "target_type": target_type,
        "target_id": target,
        "until_at": _time("--until", until),
    }
    start = _time("--from", from_)
    if start is not None:
        asked["from_at"] = start

    async def work() -> dal.AuditManifest:
        async with _system(url, "dal_application", "dal audit export") as me:
            with whole_or_not(out) if out is not None else nullcontext(sys.stdout) as file:
                return await me.audit.export.write(file.buffer.write, format=format_, **asked)

    manifest = asyncio.run(work())
    if out is not None:
        out.with_name(f"{out.name}.manifest.json").write_text(manifest_json(manifest))
        output.note(f"{out}: {manifest.count:,} entries, SHA-256 {manifest.sha256}")
    return 0


@contextmanager
def _archive(path: Path | None) -> Iterator[Callable[[bytes], object] | None]:
    """What appends to a file, and returns once it is on the disk."""
    if path is None:
        yield None
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with open(descriptor, "ab") as file:

        def write(lines: bytes) -> None:
            file.write(lines)
            file.flush()
            os.fsync(descriptor)

        yield write


def retain(
    *,
    archive: Path | None = None,
    no_archive: Annotated[bool, Parameter(name="--no-archive", negative="")] = False,
    policy: Path | None = None,
    at_most: int | None = None,
    url: Url = None,
    json_: Json = False,
) -> int:
    """Archive and remove what is older than the policy keeps, with the account of dal_retention.

    Only what is sealed is removed, and each removal is a checkpoint, so that dal audit verify still
    passes. At an entry that is not as it was sealed it ends, with exit status 1; the entry stays.
    It may be killed; lines of the archive may come twice then.

    Args:
        archive: A file that the entries are appended to before they are removed.
        no_archive: Remove them without.
        policy: A file of JSON: {"default": 365, "category": {"authentication": 730},
            "severity": {"high": 1095, "critical": null}}: days, the longest of what applies, null
            for ever. Without it 365 days, 1095 of high and 2555 of critical severity.
        at_most: How many entries.
    """
    if (archive is None) is not no_archive:
        raise dal.UsageError("either --archive FILE or --no-archive")
    chosen = None
    if policy is not None:
        try:
            chosen = dal.RetentionPolicy.of(json.loads(policy.read_text()))
        except ValueError:
            raise dal.UsageError(f"{policy}: no JSON") from None

    async def work() -> dal.Retention:
        async with _system(url, "dal_retention", "dal audit retain") as me:
            with _archive(archive) as write, output.advancing("entries", None) as advance:
                return await me.audit.retention.retain(
                    chosen, archive=write, at_most=at_most, on_entries=advance
                )

    done = asyncio.run(work())
    if json_:
        output.print_json({**attrs.asdict(done), "lag": done.lag.total_seconds()})
        return 1 if done.broken else 0
    other = "; another run is at work" if done.is_overtaken else ""
    output.say(
        f"{done.purged:,} entries removed by {done.checkpoints:,} checkpoints; {done.held:,} held,"
        f" {done.unsealed:,} not sealed yet; lag {done.lag}{other}"
    )
    if done.broken is not None:
        output.say(f"BROKEN: {done.broken.kind}: {done.broken.message}")
        return 1
    return 0


@attrs.define(kw_only=True)
class Entries:
    """Entries of another log. One without an id gets one that is derived from its line."""

    refusal: str = attrs.field(default="an entry has this id already", init=False)
    fatal: tuple[type[DalError], ...] = attrs.field(default=(), init=False)

    def planned(self, file: BinaryIO, on_note: Callable[[str], None]) -> Iterator[Planned | BadRow]:
        """Each row with its id, or a bad one with the reason."""
        lines: dict[UUID, int] = {}
        for row in read_json_lines(file, not_kept=()):
            if isinstance(row, BadRow):
                yield row
                continue
            try:
                new = ImportedAuditEntry.from_mapping(row.values)
            except ValueRejectedError as error:
                yield BadRow(row.line, error.message)
                continue
            text = json.dumps(row.values, sort_keys=True, ensure_ascii=False)
            made = new.id or derived_id(b"audit", text.encode("utf-8", "surrogatepass"))
            if made in lines:
                yield BadRow(row.line, f"id: that of line {lines[made]} too")
                continue
            lines[made] = row.line
            yield Planned(row.line, made, attrs.evolve(new, id=made), len(text))

    async def taken(self, session: dal.Session, ids: Sequence[UUID]) -> set[UUID]:
        """Which are there already."""
        return await session.audit.imports.list_taken_ids(ids)

    async def create(self, session: dal.Session, news: Sequence[Any]) -> None:
        """Put in all of them, or none."""
        await session.audit.imports.create_many(news)


def import_entries(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    strict: Annotated[bool, Parameter(negative="")] = False,
    url: Url = None,
    json_: Json = False,
) -> int:
    """Take in entries of another log, or of an archive: lines of JSON as dal audit export has them.

    A bad row is reported as FILE:LINE: reason, the rest goes in, and the exit status is 1. The same
    file again changes nothing. Afterwards: dal audit seal --since TIME.

    Args:
        file: A file, or - for stdin.
        strict: Put nothing in if any row is bad: one transaction for the whole file.
    """
    if file.startswith("-") and file != "-":
        raise dal.UsageError(f"unknown option: {file} (a file of that name is ./{file})")
    importer = Importer(kind=Entries(), on_note=output.note)
    with Source.open(file, again=strict) as source:
        report = asyncio.run(_import(importer, source, url, strict=strict))
    tell(report, source.name, strict=strict, as_json=json_)
    return 1 if report.bad else 0


async def _import(importer: Importer, source: Source, url: str | None, *, strict: bool) -> Report:
    async with _system(url, "dal_application", "dal audit import") as system:
        with output.advancing(source.name, source.n_bytes) as advance:
            telling = attrs.evolve(
                importer,
                on_bad=lambda bad: output.note(f"{source.name}:{bad.line}: {bad.reason}"),
                on_batch=advance,
            )
            if not strict:
                return await telling.run(source, system)
            report = telling.check(source)
            return report if report.bad else await telling.run_strict(source, system)
