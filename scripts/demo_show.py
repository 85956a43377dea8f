#!/usr/bin/env python3
"""What scripts/demo runs inside .venv: server, migrations, import, and a show of what is there.

Every claim is checked while it is shown; what does not hold is said and makes the exit status 1.
After a run the database holds what is in the files and nothing else of the demo: the few templates
it makes for the show are purged, and the owner of the other collection lies in the trash.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from uuid import UUID

import attrs
import datasets
from demo_audit import show_seals
from demo_costs import PriceFile, show_costs
from demo_talks import Talks, show_talks
from rich.console import Console
from rich.text import Text

import dal
from dal.cli import output
from dal.cli.exchange import summary
from dal.cli.importing import Importer, Source
from dal.cli.kinds import Templates
from dal.cli.server import address
from dal.cli.stats import statistics
from dal.config import Config, parse
from dal.migrate import Migrator
from dal.provision import apply_grants, connect, prepare_kept
from dal.server import Engine, PrivateServer, find_program, kept_start, kept_status, kept_stop
from dal.server.programs import cache_folder

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "scripts/sample_templates.jsonl"
# Who owns the templates of each collection; only one of the two is live at a time, so that the
# numbers of the whole database are those of the files.
OWNERS = {"sample": "sample@example.org", "data": "prompts@example.org"}
VISITOR = "visitor@example.org"
BEGAN = float(os.environ.get("DAL_DEMO_BEGAN", time.time()))


@attrs.define
class Show:
    """What is said, and what did not hold."""

    problems: list[str] = attrs.field(factory=list)

    def title(self, text: str) -> None:
        """A heading, with the seconds since the command was typed."""
        line = f"{text}  ({time.time() - BEGAN:.1f} s)"
        output.say()
        if sys.stdout.isatty():
            Console(highlight=False).print(Text(line, "bold cyan"))
        else:
            output.say(f"== {line}")

    def check(self, what: str, holds: bool) -> None:
        """Say that something holds; or that it does not, which the exit status will repeat."""
        output.say(f"  {'yes' if holds else 'NO'}  {what}")
        if not holds:
            self.problems.append(what)


@attrs.frozen
class Collection:
    """Files to import, and the counts that an import of them must show."""

    kind: str
    files: dict[str, Path]
    expected: dict[str, int]
    talks: Talks
    prices: PriceFile


# The server ------------------------------------------------------------------------------------


@contextmanager
def running(engine: Engine, server: Path | None) -> Iterator[PrivateServer]:
    """The kept server; stopped at the end, unless it ran before."""
    found = kept_status(engine)
    if found is not None:
        yield found
        return
    if server is None:
        try:
            find_program(engine)
        except dal.ConfigError:
            # -I: the standard library alone, so nothing is compiled into the checkout.
            fetch = [sys.executable, "-I", str(ROOT / "scripts/servers"), "--engine", engine]
            if subprocess.run(fetch, stdout=sys.stderr, check=False).returncode:
                raise dal.ConfigError(
                    f"no {engine} server could be had; name one by --server PATH"
                ) from None
    try:
        yield kept_start(engine, server=server)
    finally:
        kept_stop(engine)
        output.say(f"stopped {engine}; its data stay in {cache_folder() / 'kept' / engine}")


def root_of(server: PrivateServer) -> Config:
    """How to do on a private server what no account of ours may."""
    root = parse(server.admin_url("dal"))
    assert isinstance(root, Config)  # noqa: S101 - a private server's own address
    return root


def migrate(server: PrivateServer) -> str:
    """Database, migrations and rights brought up to date; what was done."""
    accounts = prepare_kept(server.engine)
    try:
        migrator = Migrator(accounts.config("dal_migrator"))
        if all(one.state == "applied" for one in migrator.status()):
            return "up to date"
        applied = migrator.apply()
    except dal.MigrationError as error:
        raise dal.MigrationError(
            f"{error.message}\nThe data are of another release. To begin anew: stop the server"
            f" (dal server stop) and remove {server.folder}"
        ) from None
    apply_grants(root_of(server), "dal")
    return f"{len(applied)} applied now"


def analyze(server: PrivateServer) -> None:
    """Tell the optimizer what is there now.

    A server does so by itself some seconds after a change. One that is stopped before that knows
    of empty tables only, for ever, and plans accordingly.
    """
    with closing(connect(root_of(server))) as connection, connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE TABLE users, categories, tags, templates, template_versions, template_tags,"
            " conversations, conversation_participants, prompts, conversation_shares,"
            " usage_records, usage_items, usage_days, model_prices"
        )


# The files -------------------------------------------------------------------------------------


def published(data: Path, folder: Path) -> Collection:
    """The collections in ``data``, as JSON lines in ``folder``."""
    files: dict[str, Path] = {}
    for name, adapter in datasets.adapters.items():
        report = datasets.Report(adapter.file)
        files[name] = folder / f"{name}.jsonl"
        rows = adapter.rows(data / adapter.file, report)
        datasets.write_atomically(files[name], map(datasets.json_line, rows))
        output.say(f"{report}\n  from {adapter.credit}")
    talks = Talks.published(data, folder)
    prices = PriceFile.published(data, folder)
    return Collection("data", files, datasets.expected_counts(data)["all"], talks, prices)


def own_sample() -> Collection:
    """The sample beside this script."""
    rows = [row for _, row in datasets.read_json_lines(SAMPLE)]
    fold = datasets.fold
    expected = {
        "rows": len(rows),
        "categories": len({fold(str(row["category"])) for row in rows}),
        "tags": len({fold(tag) for row in rows for tag in datasets.text_list(row, "tags")}),
        "author_names": len({row["author_name"] for row in rows}),
    }
    return Collection("sample", {"sample": SAMPLE}, expected, Talks.sample(), PriceFile.sample())


# The show --------------------------------------------------------------------------------------


async def live_user(system: dal.Session, email: str, full_name: str) -> dal.User:
    """The user with this address: found, made, or taken out of the trash."""
    found = await system.users.find_by_email(email)
    if found is not None:
        return found
    user_id = dal.derived_id(b"dal demo", email.encode())
    try:
        return await system.users.create(email=email, full_name=full_name, id=user_id)
    except dal.UniqueError:
        return await system.users.restore(user_id)


async def show(server: PrivateServer, collection: Collection, out: Show) -> int:
    """Import and show, as one user, and hide the owner of the other collection.

    Returns:
        How many templates the user has.
    """
    async with dal.connect(address(server.engine)) as db:
        system = db.acting_as(dal.Actor.system("demo"))
        owner = await live_user(system, OWNERS[collection.kind], "Demo")
        visitor = await live_user(system, VISITOR, "Visitor")
        for kind, email in OWNERS.items():
            other = await system.users.find_by_email(email)
            if kind != collection.kind and other is not None:
                await system.users.soft_delete(other.id)
        me = db.acting_as(dal.Actor.user(owner.id))
        they = db.acting_as(dal.Actor.user(visitor.id))
        secrets = [dal.derived_id(b"dal demo", owner.id.bytes, bytes([n])) for n in range(3)]
        await purge(me, secrets)  # of a run that was killed
        try:
            await import_files(me, owner.id, collection, out)
            await asyncio.to_thread(analyze, server)
            await system.templates.search_statistics.refresh()
            await show_search(me, out)
            await show_pages(me, out)
            await show_versions(me, secrets, out)
            await show_privacy(me, they, out)
            await show_deletion(db, me, they, out)
            await show_talks(db, owner, collection.talks, out)
            await show_costs(db, owner, collection.prices, out)
        finally:
            await purge(me, secrets)
        await show_audit(me, out)
        last = next(e for e in (await me.audit.list_mine()).rows if e.outcome == "success")
        sealer = f"private:?engine={server.engine}&role=dal_sealer"
        await show_seals(sealer, root_of(server), last.id, out)
        return await me.templates.count_mine()


async def purge(me: dal.Session, ids: list[UUID]) -> None:
    """Remove templates for good, those that are there."""
    for template_id in await me.templates.exchange.list_taken_ids(ids):
        if await me.templates.find(template_id) is not None:
            await me.templates.soft_delete(template_id)
        await me.templates.trash.purge(template_id)


async def import_files(me: dal.Session, owner_id: UUID, collection: Collection, out: Show) -> None:
    """Import each file; what is there already stays as it is."""
    out.title("Import")
    for name, path in collection.files.items():
        with Source.open(str(path)) as source, output.advancing(name, source.n_bytes) as advance:
            tell: Callable[[object], None] = partial(print, "bad row:", file=sys.stderr)
            importer = Importer(kind=Templates(owner_id=owner_id), on_bad=tell, on_batch=advance)
            report = await importer.run(source, me)
        output.say(f"{name}: {summary(report)}")
        for bad in report.bad:
            out.problems.append(f"{name}:{bad.line}: {bad.reason}")


async def show_search(me: dal.Session, out: Show) -> None:
    """Words in names, texts, tags and credited authors, the best first."""
    out.title('Search for "code review"')
    began = time.perf_counter()
    page = await me.templates.search("code review", limit=5)
    elapsed_ms = (time.perf_counter() - began) * 1000
    output.table(
        ["name", "category", "author", "where"],
        [
            (hit.template.name, hit.template.category, hit.template.author_name, said(hit))
            for hit in page.rows
        ],
    )
    output.say(f"{len(page.rows)} rows in {elapsed_ms:.1f} ms; more: {bool(page.next)}")
    out.check("something was found", bool(page.rows))


def said(hit: dal.TemplateHit) -> str:
    """The piece of a template that answers the search, its words in brackets."""
    if hit.snippet is None:
        return ""
    shown, at = "", 0
    for start, end in hit.snippet.highlights:
        shown += f"{hit.snippet.text[at:start]}[{hit.snippet.text[start:end]}]"
        at = end
    return shown + hit.snippet.text[at:]


async def show_pages(me: dal.Session, out: Show) -> None:
    """All templates, a page at a time, by key: nothing is skipped and nothing comes twice."""
    out.title("Walk over pages")
    count = await me.templates.count_mine()
    limit = 250 if count > 250 else 10
    seen: list[UUID] = []
    pages: list[tuple[int, int, str, str]] = []
    after = None
    began = time.perf_counter()
    while True:
        page = await me.templates.list_mine(limit=limit, after=after)
        seen += [row.id for row in page.rows]
        if page.rows:
            first, last = page.rows[0].name, page.rows[-1].name
            pages.append((len(pages) + 1, len(page.rows), first, last))
        if page.next is None:
            break
        after = page.next
    elapsed_ms = (time.perf_counter() - began) * 1000
    output.table(["page", "rows", "first", "last"], pages)
    output.say(f"{len(seen):,} rows on {len(pages)} pages in {elapsed_ms:.1f} ms")
    out.check("each template came once", len(set(seen)) == len(seen) == count)


async def show_versions(me: dal.Session, ids: list[UUID], out: Show) -> None:
    """Private templates, and a second version of one; purged at the end of the show."""
    out.title("A private template with its versions")
    for number, template_id in enumerate(ids, 1):
        await me.templates.create(
            id=template_id,
            name=f"Zebra crossing, private draft {number}",
            content="Review this change: {{diff}}",
            tags=["draft"],
        )
    text = "Review this change as a careful colleague would: {{diff}}"
    await me.templates.versions.commit(
        ids[0], content=text, message="Say who is asked", expected_head=1
    )
    page = await me.templates.versions.list_of(ids[0])
    output.table(
        ["version", "characters", "sha256", "message", "created"],
        [
            (it.version, it.content_chars, it.content_sha256.hex()[:12], it.message, it.created_at)
            for it in page.rows
        ],
    )
    first = await me.templates.versions.get(ids[0], 1)
    output.say(f"version 1 is still: {first.content}")
    out.check("two versions are there", [one.version for one in page.rows] == [2, 1])


async def show_privacy(me: dal.Session, they: dal.Session, out: Show) -> None:
    """Another user, who must see none of the private ones, by no way."""
    out.title("Another user")
    private: set[UUID] = set()
    async for template in me.templates.exchange.stream():
        if template.visibility is dal.Visibility.PRIVATE:
            private.add(template.id)
    visible: set[UUID] = set()
    after = None
    while True:
        page = await they.templates.search(limit=500, after=after)
        visible.update(hit.template.id for hit in page.rows)
        if page.next is None:
            break
        after = page.next
    got = [template_id for template_id in private if await they.templates.find(template_id)]
    found = await they.templates.search("zebra crossing draft", limit=500)
    output.say(f"{len(private)} private ones; the visitor sees {len(visible):,} in all")
    out.check("none of the private ones is listed", not private & visible)
    out.check("none can be got by its id", not got)
    hits = {hit.template.id for hit in found.rows}
    out.check("none is found by its words", not private & hits)
    try:
        await they.templates.update_details(next(iter(visible)), name="mine now")
    except dal.PermissionDeniedError:
        out.check("a public one cannot be changed by another user", holds=True)
    else:
        out.check("a public one cannot be changed by another user", holds=False)


async def show_deletion(db: dal.Database, me: dal.Session, they: dal.Session, out: Show) -> None:
    """A template into the trash, gone from every view; and back, as it was."""
    out.title("Soft delete and restore")
    summaries = (await me.templates.list_mine(limit=500)).rows
    chosen = next(row for row in summaries if row.visibility is dal.Visibility.PUBLIC)
    before = await me.templates.get(chosen.id)
    counts = await me.templates.count_mine(), (await statistics(db))["templates"]
    await me.templates.soft_delete(chosen.id)
    output.say(f"deleted: {before.name}")
    try:
        await views_without(db, me, they, before, counts, out)
    finally:
        after = await me.templates.restore(chosen.id)
    output.say("restored")
    # updated_at alone tells that something happened to it.
    same = attrs.evolve(after, updated_at=before.updated_at) == before
    out.check("it is back whole: text, tags, category, version, times", same)
    out.check("and counted", await me.templates.count_mine() == counts[0])


async def views_without(
    db: dal.Database,
    me: dal.Session,
    they: dal.Session,
    gone: dal.Template,
    counts: tuple[int, int],
    out: Show,
) -> None:
    """Every view, of which a deleted template must be absent."""
    listed = (await me.templates.list_mine(limit=500)).rows
    public = (await me.templates.list_public(limit=500)).rows
    found = (await me.templates.search(gone.name, limit=500)).rows
    trash = (await me.templates.trash.list_mine()).rows
    out.check("not to be got", await me.templates.find(gone.id) is None)
    out.check("nor by another user", await they.templates.find(gone.id) is None)
    out.check("in no list", gone.id not in {row.id for row in (*listed, *public)})
    out.check("in no search", gone.id not in {hit.template.id for hit in found})
    out.check("not in the owner's count", await me.templates.count_mine() == counts[0] - 1)
    out.check("not in the statistics", (await statistics(db))["templates"] == counts[1] - 1)
    out.check("in the owner's trash", gone.id in {row.id for row in trash})


async def show_audit(me: dal.Session, out: Show) -> None:
    """What was done, newest first."""
    out.title("The audit log of all that")
    page = await me.audit.list_mine(limit=20)
    output.table(
        ["at", "action", "outcome", "affected", "target", "changed"],
        [
            (
                entry.occurred_at,
                entry.action,
                entry.outcome,
                entry.affected,
                str(entry.target_id)[-12:] if entry.target_id else "-",
                ", ".join(entry.changes),
            )
            for entry in page.rows
        ],
    )
    actions = {entry.action for entry in page.rows}
    wanted = {"create", "commit", "soft_delete", "restore", "purge"}
    out.check("each step is there", {f"template.{one}" for one in wanted} <= actions)


def show_counts(url: str, expected: dict[str, int], mine: int, out: Show) -> None:
    """The numbers that a second process has from the database, beside those of the files."""
    out.title("dal stats --json, in a second process")
    command = [sys.executable, "-m", "dal", "stats", "--json", "--url", url]
    done = subprocess.run(command, stdout=subprocess.PIPE, cwd=ROOT, check=False)
    if done.returncode:
        out.problems.append(f"dal stats: exit status {done.returncode}")
        return
    stats = json.loads(done.stdout)
    counted = {
        "rows": stats["templates"],
        "categories": sum(one["slug"] is not None for one in stats["categories"]),
        "tags": stats["tags"],
        "author_names": stats["authors"],
    }
    output.table(
        ["what", "in the files", "in the database"],
        [(name, expected[name], counted[name]) for name in expected],
    )
    if stats["templates"] != mine:
        output.say("others have put something in too: the demo's own templates are compared")
        counted, expected = {"rows": mine}, {"rows": expected["rows"]}
    out.check("the counts are those of the files", counted == expected)


def show_next(engine: Engine, owner: str, out: Show) -> None:
    """Commands that work when pasted."""
    out.title("What to type next")
    program = ROOT / ".venv/bin/dal"
    shown = program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program
    for command in (
        f"{shown} server start --engine {engine}",
        f"export DAL_URL='{address(engine)}'",
        f"{shown} stats",
        f"{shown} search code review --limit 5",
        f"{shown} export --as {owner} --out /tmp/templates.jsonl",
        f"{shown} export --kind conversations --format markdown --as {owner}",
        f"{shown} explain templates/list_public --limit-rows 21",
        f"{shown} audit verify",
        f"{shown} doctor",
        f"{shown} --help",
        f"{shown} server stop",
    ):
        output.say(f"  {command}")


def main() -> int:
    """Run the show and give its exit status."""
    parser = argparse.ArgumentParser(prog="scripts/demo")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--engine", choices=["mariadb", "mysql"], default="mariadb")
    parser.add_argument("--server", type=Path)
    options = parser.parse_args()
    engine: Engine = options.engine
    out = Show()
    try:
        out.title("Server")
        with running(engine, options.server) as server, tempfile.TemporaryDirectory() as scratch:
            output.say(f"{server.program.title} at {server.socket}; migrations: {migrate(server)}")
            if options.data is None:
                collection = own_sample()
            else:
                collection = published(options.data, Path(scratch))
            mine = asyncio.run(show(server, collection, out))
            show_counts(address(engine), collection.expected, mine, out)
            show_next(engine, OWNERS[collection.kind], out)
            output.say()
    except (dal.ConfigError, dal.ConnectError, datasets.DataAbsentError) as error:
        output.note(f"demo: {error}")
        return 2
    except (dal.DalError, datasets.DataError, OSError) as error:
        output.note(f"demo: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    for problem in out.problems:
        output.note(f"demo: does not hold: {problem}")
    output.say(f"done in {time.time() - BEGAN:.1f} s")
    return 1 if out.problems else 0


if __name__ == "__main__":
    sys.exit(main())
