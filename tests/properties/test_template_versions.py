"""Versions and labels against plain dicts: after each step every read, and every row that the
server has, is what the dicts say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import dal
from dal.records.templates import content_sha256
from dal.records.variables import find_variables
from tests.conftest import options
from tests.properties.conftest import Own
from tests.properties.profiles import machine_settings
from tests.repositories.data import postings_of

T = TypeVar("T")
View = Callable[..., Awaitable[dal.Page[Any]]]

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
SYSTEM: Final = -1
NOBODY: Final = -2
N_USERS: Final = 3
MOST_TEMPLATES: Final = 7
# Spelling to what it is told apart by; None cannot be set.
LABELS: Final = {
    "production": "production",
    " Production": "production",
    "staging": "staging",
    "e\u0301": "\xe9",
    "100%_\U0001f600": "100%_\U0001f600",
    "Latest ": None,
}


async def pages(view: View, limit: int = 2) -> list[Any]:
    """Everything that a list has, a page after the other."""
    rows: list[Any] = []
    after = None
    while True:
        page = await view(limit=limit, after=after)
        assert len(page.rows) <= limit
        rows += page.rows
        after = page.next
        if after is None:
            return rows


def half() -> settings:
    """Half as many runs of a machine as of one whose steps are cheaper."""
    whole = machine_settings()
    return settings(whole, max_examples=max(1, whole.max_examples // 2))


async def told(work: Awaitable[T]) -> T | type[dal.DalError]:
    """The result, or the kind of error."""
    try:
        return await work
    except dal.DalError as error:
        return type(error)


class Actors:
    """Users and their sessions, on a database that was emptied, in a loop of its own."""

    def __init__(self, own: Own) -> None:
        self.own = own
        self.runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self.stack = AsyncExitStack()
        self.clock = dal.ManualClock(START)
        self.users: list[dal.User] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def open(self, n_users: int) -> None:
        self.own.empty()
        how: dict[str, Any] = options(self.own.config)
        opened = dal.connect(clock=self.clock, **how)
        self.db = self.run(self.stack.enter_async_context(opened))
        self.system = self.session(SYSTEM)
        for i in range(n_users):
            made = self.system.users.create(email=f"{i}@machine.example", full_name=f"User {i}")
            self.users.append(self.run(made))

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()

    def session(self, actor: int) -> dal.Session:
        if actor == SYSTEM:
            return self.db.acting_as(dal.Actor.system("machine"))
        if actor == NOBODY:
            return self.db.acting_as(dal.Actor.anonymous())
        return self.db.acting_as(dal.Actor.user(self.users[actor].id))

    def expect(self, wanted: type[dal.DalError] | None, work: Coroutine[Any, Any, T]) -> T | None:
        """The result; or the error that was foretold, and then None."""
        result, ended = None, None
        try:
            result = self.run(work)
        except dal.DalError as error:
            ended = error
        assert (None if ended is None else type(ended)) is wanted, ended
        return result


class Machine(Actors, RuleBasedStateMachine):
    """A machine whose rules are what these do."""

    def __init__(self, own: Own) -> None:
        RuleBasedStateMachine.__init__(self)
        Actors.__init__(self, own)


@attrs.define
class Row:
    """A template as it should be, with its whole history."""

    id: UUID
    owner: int
    name: str
    visibility: dal.Visibility
    forked_from: tuple[UUID | None, int | None]
    versions: dict[int, dal.TemplateVersion]
    last: int = 1
    labels: dict[str, dal.TemplateLabel] = attrs.field(factory=dict)
    moves: list[tuple[Any, ...]] = attrs.field(factory=list)
    deleted: bool = False

    @property
    def head(self) -> dal.TemplateVersion:
        return self.versions[max(self.versions)]


picks = st.integers(0, 30)
texts = st.sampled_from(["alpha", "Beta {{x}}", "{{x}} {{y=1}}", "", "% _ \\", "\U0001f600\0"])
prompts = st.none() | texts
maybe_prompts = prompts | st.just(dal.KEEP)
messages = st.none() | st.sampled_from(["", "why"])
labels = st.sampled_from(list(LABELS))
mostly = st.sampled_from([True, True, True, True, False])
guards = st.sampled_from([None, None, None, 0, -1, 1])
visibilities = st.sampled_from(dal.Visibility)


class VersionMachine(Machine):
    def __init__(self, own: Own) -> None:
        super().__init__(own)
        self.rows: dict[UUID, Row] = {}
        self.purged: list[UUID] = [uuid4()]
        self.touched: UUID | None = None
        self.steps = 0

    @initialize()
    def begin(self) -> None:
        self.open(N_USERS)
        self.create(0, "alpha", None, dal.Visibility.PUBLIC)
        self.create(1, "Beta {{x}}", "p", dal.Visibility.PRIVATE)
        for n in (0, 1):
            self.commit(n, True, "{{x}} {{y=1}}", dal.KEEP, "why", 0)
        # The number of a newest version that was deleted is not given again.
        self.delete_version(0, True, None)
        self.commit(0, True, "alpha", dal.KEEP, None, None)
        self.commit(0, True, "Beta {{x}}", dal.KEEP, None, 0)
        self.set_label(0, True, "production", 1)

    # ------------------------------------------------------------------ model

    def sees(self, actor: int, row: Row) -> bool:
        is_public = row.visibility is dal.Visibility.PUBLIC
        return not row.deleted and (is_public or actor in (SYSTEM, row.owner))

    def refusal(self, actor: int, row: Row, *, deleted: bool = False) -> type[dal.DalError] | None:
        if actor == row.owner:
            return None if row.deleted == deleted else dal.NotFoundError
        return dal.PermissionDeniedError if self.sees(actor, row) else dal.NotFoundError

    def pick(self, n: int, mine: bool, *, deleted: bool = False) -> tuple[Row, int]:
        """Mostly what can be changed, and its owner; else anything, by anybody."""
        fit = [row for row in self.rows.values() if row.deleted == deleted]
        rows = fit if fit and mine else list(self.rows.values())
        row = rows[n % len(rows)]
        self.touched = row.id
        return row, row.owner if mine else n % (N_USERS + 2) - 2

    def version(
        self, row: Row, number: int, content: str, prompt: str | None, message: str | None
    ) -> dal.TemplateVersion:
        return dal.TemplateVersion(
            template_id=row.id,
            version=number,
            content=content,
            system_prompt=prompt,
            variables=find_variables(content, prompt),
            content_sha256=content_sha256(content, prompt),
            message=message,
            author_name=None,
            created_by=self.users[row.owner].id,
            created_at=self.clock.now(),
        )

    def remember(self, row: Row, content: str, prompt: str | None) -> None:
        row.versions[1] = self.version(row, 1, content, prompt, None)
        self.rows[row.id] = row
        self.touched = row.id

    def move(self, row: Row, label: str, before: int | None, after: int | None) -> None:
        by = self.users[row.owner].id
        row.moves.append((row.id, label, before, after, by, self.clock.now()))

    def committed(
        self, row: Row, back: dal.TemplateVersion, content: str, prompt: Any, message: str | None
    ) -> None:
        head = row.head
        prompt = head.system_prompt if prompt is dal.KEEP else prompt
        if (content, prompt) == (head.content, head.system_prompt):
            assert back == head
            return
        row.last += 1
        row.versions[row.last] = self.version(row, row.last, content, prompt, message)
        assert back == row.versions[row.last]

    # ------------------------------------------------------------------- rules

    @rule(seconds=st.sampled_from([0, 1, 86_400]))
    def time_passes(self, seconds: int) -> None:
        self.clock.move(timedelta(seconds=seconds))

    @precondition(lambda self: len(self.rows) < MOST_TEMPLATES)
    @rule(owner=st.integers(0, 1), content=texts, prompt=prompts, visibility=visibilities)
    def create(
        self, owner: int, content: str, prompt: str | None, visibility: dal.Visibility
    ) -> None:
        made = self.run(
            self.session(owner).templates.create(
                name="n", content=content, system_prompt=prompt, visibility=visibility
            )
        )
        row = Row(made.id, owner, "n", visibility, (None, None), {})
        self.remember(row, content, prompt)

    @precondition(lambda self: self.rows)
    @rule(n=picks, mine=mostly, content=texts, prompt=maybe_prompts, message=messages, guard=guards)
    def commit(
        self, n: int, mine: bool, content: str, prompt: Any, message: str | None, guard: int | None
    ) -> None:
        row, actor = self.pick(n, mine)
        wanted = self.refusal(actor, row)
        if wanted is None and guard:
            wanted = dal.StaleVersionError
        back = self.expect(
            wanted,
            self.session(actor).templates.versions.commit(
                row.id,
                content=content,
                system_prompt=prompt,
                message=message,
                expected_head=None if guard is None else row.head.version + guard,
            ),
        )
        if back is not None:
            self.committed(row, back, content, prompt, message)

    @precondition(lambda self: self.rows)
    @rule(n=picks, mine=mostly, number=picks, message=messages, guard=guards)
    def rollback(
        self, n: int, mine: bool, number: int, message: str | None, guard: int | None
    ) -> None:
        row, actor = self.pick(n, mine)
        number = 1 + number % (row.last + 1)
        wanted = self.refusal(actor, row)
        if wanted is None and number not in row.versions:
            wanted = dal.NotFoundError
        elif wanted is None and guard:
            wanted = dal.StaleVersionError
        back = self.expect(
            wanted,
            self.session(actor).templates.versions.rollback(
                row.id,
                number,
                message=message,
                expected_head=None if guard is None else row.head.version + guard,
            ),
        )
        if back is not None:
            old = row.versions[number]
            message = f"rollback to {number}" if message is None else message
            self.committed(row, back, old.content, old.system_prompt, message)

    @precondition(lambda self: self.rows)
    @rule(n=picks, mine=mostly, number=st.none() | picks)
    def delete_version(self, n: int, mine: bool, number: int | None) -> None:
        """One of those that ever were, or the newest."""
        row, actor = self.pick(n, mine)
        number = row.head.version if number is None else 1 + number % (row.last + 1)
        wanted = self.refusal(actor, row)
        if wanted is None:
            if number not in row.versions:
                wanted = dal.NotFoundError
            elif len(row.versions) == 1:
                wanted = dal.ConstraintError
            elif any(label.version == number for label in row.labels.values()):
                wanted = dal.ChildExistsError
        self.expect(wanted, self.session(actor).templates.versions.delete(row.id, number))
        if wanted is None:
            del row.versions[number]

    @precondition(lambda self: self.rows)
    @rule(n=picks, mine=mostly, label=labels, number=picks)
    def set_label(self, n: int, mine: bool, label: str, number: int) -> None:
        row, actor = self.pick(n, mine)
        number = 1 + number % (row.last + 1)
        key = LABELS[label]
        wanted = dal.ValueRejectedError if key is None else self.refusal(actor, row)
        if wanted is None and number not in row.versions:
            wanted = dal.NotFoundError
        back = self.expect(wanted, self.session(actor).templates.labels.set(row.id, label, number))
        if back is None or key is None:
            return
        before = row.labels.get(key)
        if before is None or before.version != number:
            row.labels[key] = dal.TemplateLabel(
                row.id, key, number, self.users[actor].id, self.clock.now()
            )
            self.move(row, key, before.version if before else None, number)
        assert back == row.labels[key]

    @precondition(lambda self: self.rows)
    @rule(n=picks, mine=mostly, label=labels)
    def remove_label(self, n: int, mine: bool, label: str) -> None:
        row, actor = self.pick(n, mine)
        key = LABELS[label]
        wanted = dal.ValueRejectedError if key is None else self.refusal(actor, row)
        if wanted is None and key not in row.labels:
            wanted = dal.NotFoundError
        self.expect(wanted, self.session(actor).templates.labels.remove(row.id, label))
        if wanted is None and key is not None:
            self.move(row, key, row.labels.pop(key).version, None)

    @precondition(lambda self: 0 < len(self.rows) < MOST_TEMPLATES)
    @rule(n=picks, actor=st.integers(0, N_USERS - 1), number=st.none() | picks, named=st.booleans())
    def fork(self, n: int, actor: int, number: int | None, named: bool) -> None:
        row, _ = self.pick(n, True)
        if number is not None:
            number = 1 + number % (row.last + 1)
        found = row.head if number is None else row.versions.get(number)
        wanted = None if self.sees(actor, row) and found else dal.NotFoundError
        name = "mine" if named else None
        made = self.expect(
            wanted, self.session(actor).templates.versions.fork(row.id, version=number, name=name)
        )
        if made is not None and found is not None:
            assert made.id not in self.rows
            fork = Row(
                made.id,
                actor,
                name or row.name,
                dal.Visibility.PRIVATE,
                (row.id, found.version),
                {},
            )
            self.remember(fork, found.content, found.system_prompt)

    @precondition(lambda self: self.rows)
    @rule(n=picks, mine=mostly)
    def soft_delete(self, n: int, mine: bool) -> None:
        row, actor = self.pick(n, mine)
        wanted = self.refusal(actor, row)
        self.expect(wanted, self.session(actor).templates.soft_delete(row.id))
        row.deleted |= wanted is None

    @precondition(lambda self: any(row.deleted for row in self.rows.values()))
    @rule(n=picks, mine=mostly)
    def restore(self, n: int, mine: bool) -> None:
        row, actor = self.pick(n, mine, deleted=True)
        back = self.expect(
            self.refusal(actor, row, deleted=True), self.session(actor).templates.restore(row.id)
        )
        if back is not None:
            row.deleted = False

    @precondition(lambda self: any(row.deleted for row in self.rows.values()))
    @rule(n=picks, mine=mostly)
    def purge(self, n: int, mine: bool) -> None:
        row, actor = self.pick(n, mine, deleted=True)
        wanted = self.refusal(actor, row, deleted=True)
        self.expect(wanted, self.session(actor).templates.trash.purge(row.id))
        if wanted is None:
            del self.rows[row.id]
            self.purged.append(row.id)

    # -------------------------------------------------------------- invariants

    @invariant()
    def every_read_is_the_models(self) -> None:
        if self.users:
            self.steps += 1
            self.check_tables()
            self.run(self.check_reads())

    def check_tables(self) -> None:
        """Every row of every table, also of what is in a trash."""
        rows = self.rows.values()
        ask = self.own.ask
        heads = {(row.id.bytes, row.head.version, row.last, row.deleted, *ids(row)) for row in rows}
        assert heads == set(
            ask(
                "SELECT id, head_version, last_version, deleted_at IS NOT NULL,"
                " forked_from_id, forked_from_version FROM templates"
            )
        )
        versions = {
            (row.id.bytes, v.version, v.content_sha256)
            for row in rows
            for v in row.versions.values()
        }
        assert versions == set(
            ask("SELECT template_id, version, content_sha256 FROM template_versions")
        )
        assert {
            (row.id.bytes, key.encode(), label.version)
            for row in rows
            for key, label in row.labels.items()
        } == set(ask("SELECT template_id, CAST(label AS BINARY), version FROM template_labels"))
        kept = ask("SELECT template_id, label FROM template_label_moves")
        assert len(kept) == sum(len(row.moves) for row in rows)
        # Postings if and only if the template is live, and of its newest text.
        kept = ask("SELECT template_id, term, scope, impact FROM template_postings")
        assert sorted(kept) == sorted(
            (row.id.bytes, *posting)
            for row in rows
            if not row.deleted
            for posting in postings_of(
                name=row.name,
                texts=[row.head.content],
                owner_id=self.users[row.owner].id,
                is_public=row.visibility is dal.Visibility.PUBLIC,
            )
        )

    async def check_reads(self) -> None:
        for owner in range(N_USERS):
            await self.check_export(owner)
        row = self.rows.get(self.touched) if self.touched else None
        if row is not None:
            await self.check_one(row.owner, row)
            # Of the others one after the other.
            await self.check_one(self.steps % (N_USERS + 2) - 2, row)
        gone = self.purged[-1]
        assert await told(self.system.templates.versions.list_of(gone)) is dal.NotFoundError
        assert await told(self.system.templates.labels.list_moves(gone)) is dal.NotFoundError

    async def check_export(self, owner: int) -> None:
        """The whole of everything that is live, at once."""
        exported = [one async for one in self.session(owner).templates.exchange.export()]
        live = {r.id: r for r in self.rows.values() if r.owner == owner and not r.deleted}
        assert {one.template.id for one in exported} == live.keys()
        assert len(exported) == len(live)
        for one in exported:
            row = live[one.template.id]
            assert one.versions == tuple(row.versions[n] for n in sorted(row.versions))
            assert dict(one.labels) == {key: at.version for key, at in row.labels.items()}
            assert (one.template.head_version, one.last_version) == (row.head.version, row.last)
            assert one.template.content == row.head.content
            assert one.template.system_prompt == row.head.system_prompt
            assert one.template.variables == row.head.variables

    async def check_one(self, actor: int, row: Row) -> None:
        templates = self.session(actor).templates
        hidden = None if self.sees(actor, row) else dal.NotFoundError

        async def is_told(work: Awaitable[Any], value: object) -> None:
            assert await told(work) == (hidden or value)

        newest_first = [row.versions[n] for n in sorted(row.versions, reverse=True)]
        if hidden:
            await is_told(templates.versions.list_of(row.id), None)
            await is_told(templates.labels.list_moves(row.id), None)
        else:
            listed = await pages(lambda **how: templates.versions.list_of(row.id, **how))
            assert listed == [summary(version) for version in newest_first]
            moves = await pages(lambda **how: templates.labels.list_moves(row.id, **how))
            assert [attrs.astuple(move)[1:] for move in moves] == row.moves[::-1]
            chains(row)
        numbers = range(1, row.last + 2)
        for number in numbers if actor == row.owner else (1, row.last):
            found = row.versions.get(number, dal.NotFoundError)
            await is_told(templates.versions.get(row.id, number), found)
        await is_told(templates.labels.get_version(row.id, "latest"), row.head)
        at = row.labels.get("production")
        await is_told(
            templates.labels.get_version(row.id), row.versions[at.version] if at else row.head
        )
        for spelling, key in LABELS.items():
            if key is not None:
                on = row.labels.get(key)
                wanted = row.versions[on.version] if on else dal.NotFoundError
                await is_told(templates.labels.get_version(row.id, spelling), wanted)
        by_name = [row.labels[key] for key in sorted(row.labels, key=str.encode)]
        await is_told(templates.labels.list_of(row.id), by_name)


def ids(row: Row) -> tuple[bytes | None, int | None]:
    template_id, version = row.forked_from
    return None if template_id is None else template_id.bytes, version


def summary(version: dal.TemplateVersion) -> dal.TemplateVersionSummary:
    same = {"version", "content_sha256", "message", "author_name", "created_by", "created_at"}
    return dal.TemplateVersionSummary(
        template_id=version.template_id,
        content_chars=len(version.content),
        **{field: getattr(version, field) for field in same},
    )


def chains(row: Row) -> None:
    """The moves of each label lead from nothing to where it is now, without a gap."""
    at: dict[str, int | None] = {}
    for _, label, before, after, *_ in row.moves:
        assert at.get(label) == before
        at[label] = after
    assert {k: n for k, n in at.items() if n} == {k: on.version for k, on in row.labels.items()}


def test_versions_and_labels_are_what_plain_dicts_say(own: Own) -> None:
    class OwnMachine(VersionMachine):
        def __init__(self) -> None:
            super().__init__(own)

    run_state_machine_as_test(OwnMachine, settings=half())
