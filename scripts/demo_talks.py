"""The part of scripts/demo_show.py that is about conversations: imported, shown, shared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, Protocol

import attrs
import datasets
import dialogues

import dal
from dal.cli import output
from dal.cli.exchange import summary
from dal.cli.importing import Importer, Source
from dal.cli.kinds import Conversations

__all__ = ["SAMPLE_TALKS", "Talks", "show_talks"]

SAMPLE_TALKS: Final = Path(__file__).resolve().parent / "sample_conversations.jsonl"


@attrs.define
class Talks:
    """Files of conversations, and what an import of them must show."""

    files: dict[str, Path] = attrs.field(factory=dict)
    conversations: int = 0
    prompts: int = 0
    largest: tuple[int, str] = (0, "")

    def add(self, name: str, path: Path) -> None:
        """Count what is in a file of JSON lines."""
        self.files[name] = path
        with path.open(encoding="utf-8", newline="\n") as lines:
            for line in lines:
                row = json.loads(line)
                people = {row.get("owner_id"), *(row.get("participants") or {})} - {None}
                self.conversations += 1
                self.prompts += len(row["prompts"])
                self.largest = max(self.largest, (len(people), row.get("owner_id") or ""))

    @classmethod
    def published(cls, data: Path, folder: Path) -> Talks:
        """The collections in ``data``, as JSON lines in ``folder``."""
        found = cls()
        for name, adapter in dialogues.adapters.items():
            report = datasets.Report(adapter.file, "conversations")
            path = folder / f"{name}.jsonl"
            rows = adapter.rows(data / adapter.file, report)
            datasets.write_atomically(path, map(datasets.json_line, rows))
            output.say(f"{report}\n  from {adapter.credit}")
            found.add(name, path)
        return found

    @classmethod
    def sample(cls) -> Talks:
        """Those beside this script."""
        found = cls()
        found.add("sample", SAMPLE_TALKS)
        return found


class Say(Protocol):
    """Where it is shown."""

    def title(self, text: str) -> None:
        """A heading."""

    def check(self, what: str, holds: bool) -> None:
        """That something holds, or does not."""


async def show_talks(db: dal.Database, owner: dal.User, talks: Talks, say: Say) -> None:
    """Import, show the one with the most participants, share it, and end the share."""
    system = db.acting_as(dal.Actor.system("demo"))
    say.title("Conversations")
    for name, path in talks.files.items():
        with Source.open(str(path)) as source, output.advancing(name, source.n_bytes) as advance:
            kind = Conversations(owner_id=owner.id, create_users=True)
            report = await Importer(kind=kind, on_batch=advance).run(source, system)
        output.say(f"{name}: {summary(report)}")
        for bad in report.bad:
            say.check(f"{name}:{bad.line}: {bad.reason}", False)
    n_people, address = talks.largest
    host = await system.users.find_by_email(address)
    if host is None:
        say.check("the owner of the largest conversation is there", False)
        return
    me = db.acting_as(dal.Actor.user(host.id))
    found: list[tuple[dal.ConversationSummary, tuple[dal.Participant, ...]]] = []
    after = None
    while True:
        page = await me.conversations.list_mine(limit=100, after=after)
        for row in page.rows:
            people = await me.conversations.participants.list_of(row.id, limit=100)
            found.append((row, people.rows))
        after = page.next
        if after is None:
            break
    talk, people = max(found, key=lambda one: len(one[1]))
    output.say(f"{talk.title}: {talk.message_count} messages, last {talk.last_activity_at:%F %R}")
    output.table(
        ["who", "as", "may write", "may share"],
        [(one.full_name, one.role, one.can_write, one.can_share) for one in people],
    )
    say.check("everybody who spoke takes part", len(people) == n_people)
    prompts = await me.prompts.list_of(talk.id, limit=5)
    names = {one.user_id: one.full_name for one in people}
    output.table(
        ["number", "who", "said"],
        [
            (one.sequence_number, names[one.author_id], dialogues.title_of(one.user_input, "-"))
            for one in prompts.rows
        ],
    )
    await show_share(db, me, talk, say)
    await show_tree(db, owner, say)


async def show_tree(db: dal.Database, owner: dal.User, say: Say) -> None:
    """The conversation of the importer's with the most ends, drawn; and one way through it."""
    say.title("A conversation that branches")
    me = db.acting_as(dal.Actor.user(owner.id))
    most: tuple[int, dal.ConversationSummary | None, tuple[dal.Prompt, ...]] = (0, None, ())
    for talk in (await me.conversations.list_mine(limit=200)).rows:
        ends = (await me.prompts.tree.list_leaves(talk.id, limit=100)).rows
        if len(ends) > most[0]:
            most = (len(ends), talk, ends)
    n_ends, talk, ends = most
    if talk is None:
        say.check("there is a conversation that branches", False)
        return
    rows = (await me.prompts.list_of(talk.id, limit=500)).rows
    output.tree(
        talk.title,
        [
            (
                row.sequence_number,
                row.parent_sequence,
                dialogues.title_of(row.response or row.user_input, "-"),
            )
            for row in rows
        ],
    )
    say.check("every prompt of it is drawn", len(rows) == talk.message_count)
    path = await me.prompts.tree.get_path(ends[-1].id)
    numbers = " > ".join(str(row.sequence_number) for row in path)
    output.say(f"{n_ends} ends; what is sent to a model at the last one: {numbers}")
    say.check("a way begins at a root", path[0].parent_sequence is None)


async def show_share(
    db: dal.Database, me: dal.Session, talk: dal.ConversationSummary, say: Say
) -> None:
    """A link with two views, opened by a stranger; its last view; its end."""
    say.title("A link for strangers, with two views")
    stranger = db.acting_as(dal.Actor.anonymous())
    say.check("a stranger does not see it", not await stranger.conversations.exists(talk.id))
    link = await me.conversations.shares.create(talk.id, max_views=2)
    shown = await stranger.conversations.shares.open(link.token, limit=3)
    output.say(f"{shown.title}: {len(shown.prompts.rows)} shown, more: {bool(shown.prompts.next)}")
    say.check("by the link a stranger reads it", shown.prompts.rows[0].sequence_number == 1)
    await stranger.conversations.shares.open(link.token)

    async def is_closed() -> bool:
        try:
            await stranger.conversations.shares.open(link.token)
        except dal.NotFoundError:
            return True
        return False

    say.check("after the last view it is closed", await is_closed())
    await me.conversations.shares.extend(link.share.id, max_views=None)
    say.check("extended, it is open again", not await is_closed())
    await me.conversations.soft_delete(talk.id)
    say.check("it ends the moment the conversation is deleted", await is_closed())
    await me.conversations.restore(talk.id)
    say.check("and what is restored comes back private", await is_closed())
