"""Templates of several users against plain dicts: after each step every view of every actor is
what the dicts say.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import attrs
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
from dal.records.text import category_slug, tag_key
from tests.conftest import options
from tests.properties.conftest import Own
from tests.properties.profiles import machine_settings

T = TypeVar("T")

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
SYSTEM: Final = -1
NOBODY: Final = -2

actors = st.integers(NOBODY, 3)
owners = st.integers(0, 3)
picks = st.integers(0, 30)
words = st.sampled_from(["alpha", "Beta", "100%", "a_b", "", "\\", "ünï", "\U0001f600", "x\0y"])
names = st.lists(words, min_size=1, max_size=3).map(" ".join)
maybe = st.none() | names
mostly = st.sampled_from([True, True, True, False])
tag_lists = st.lists(
    st.sampled_from(["Red", "red", "grün", "\U0001f600", "\U0001f601"]), max_size=4
)
categories = st.none() | st.sampled_from(["One", "one ", "Two words", "two-words"])
visibilities = st.sampled_from(dal.Visibility)
times = st.none() | st.integers(-3, 3).map(lambda days: START + timedelta(days=days))
new_templates: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    name=names,
    content=names,
    description=maybe,
    system_prompt=maybe,
    author_name=maybe,
    category=categories,
    tags=tag_lists,
    visibility=visibilities,
    created_at=times,
)


@attrs.define
class Row:
    """A template as it should be, with all its versions."""

    template: dal.Template
    versions: list[dal.TemplateVersion]


class TemplateMachine(RuleBasedStateMachine):
    def __init__(self, own: Own) -> None:
        super().__init__()
        self.own = own
        self.runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self.stack = AsyncExitStack()
        self.clock = dal.ManualClock(START)
        self.request_id = uuid4().hex
        self.users: list[dal.User] = []
        self.rows: dict[UUID, Row] = {}
        self.known: list[UUID] = [uuid4()]
        self.spellings: dict[str, str] = {}
        self.n_done = self.n_denied = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def open(self) -> None:
        self.own.empty()
        how: dict[str, Any] = options(self.own.config)
        opened = dal.connect(clock=self.clock, **how)
        self.db = self.run(self.stack.enter_async_context(opened))
        self.system = self.session(SYSTEM)
        for i in range(4):
            made = self.run(
                self.system.users.create(email=f"{i}@machine.example", full_name=f"User {i}")
            )
            self.users.append(made)
            self.n_done += 1
        # So that each rule has something to work on from the first step on.
        for actor, visibility in ((0, "public"), (0, "private"), (1, "public"), (2, "private")):
            given: dict[str, Any] = {
                "name": "a_b start",
                "content": "start",
                "description": None,
                "system_prompt": None,
                "author_name": None,
                "category": "One",
                "tags": ["Red"],
                "visibility": dal.Visibility(visibility),
                "created_at": None,
            }
            self.create(actor, actor, given)
        self.soft_delete(0, 1, False)
        self.soft_delete(2, 4, False)

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()

    # ------------------------------------------------------------------ model

    def session(self, actor: int) -> dal.Session:
        if actor == SYSTEM:
            return self.db.acting_as(dal.Actor.system("machine", request_id=self.request_id))
        if actor == NOBODY:
            return self.db.acting_as(dal.Actor.anonymous(request_id=self.request_id))
        return self.db.acting_as(dal.Actor.user(self.users[actor].id, request_id=self.request_id))

    def id_of(self, actor: int) -> UUID | None:
        return self.users[actor].id if actor >= 0 else None

    def owner_lives(self, row: Row) -> bool:
        return any(
            user.id == row.template.owner_id and user.deleted_at is None for user in self.users
        )

    def lives(self, row: Row) -> bool:
        return row.template.deleted_at is None and self.owner_lives(row)

    def sees(self, actor: int, row: Row) -> bool:
        mine = row.template.owner_id == self.id_of(actor)
        is_public = row.template.visibility is dal.Visibility.PUBLIC
        return self.lives(row) and (mine or is_public or actor == SYSTEM)

    def refusal(self, actor: int, template_id: UUID, *, deleted: bool) -> type[dal.DalError] | None:
        """Why the actor may not change this template, which must be in the trash or not be."""
        row = self.rows.get(template_id)
        if row is None:
            return dal.NotFoundError
        if row.template.owner_id == self.id_of(actor):
            in_place = (row.template.deleted_at is not None) == deleted
            return None if in_place and self.owner_lives(row) else dal.NotFoundError
        if actor >= 0 and self.users[actor].deleted_at is not None:
            return dal.NotFoundError
        return dal.PermissionDeniedError if self.sees(actor, row) else dal.NotFoundError

    def expect(self, wanted: type[dal.DalError] | None, work: Coroutine[Any, Any, T]) -> T | None:
        """The result; or the error that was foretold, and then None."""
        result, ended = None, None
        try:
            result = self.run(work)
        except dal.DalError as error:
            ended = error
        assert (None if ended is None else type(ended)) is wanted, ended
        self.n_denied += wanted is dal.PermissionDeniedError
        return result

    def shown(self, tags: list[str]) -> frozenset[str]:
        """The tags as they are shown: by the first spelling of each."""
        for tag in tags:
            self.spellings.setdefault(tag_key(tag), tag.strip())
        return frozenset(self.spellings[tag_key(tag)] for tag in tags)

    def made(self, given: dict[str, Any], template: dal.Template, owner: UUID) -> Row:
        """The row that a create should have made, given the id it took."""
        now, created_at = self.clock.now(), given["created_at"] or self.clock.now()
        category = None if given["category"] is None else category_slug(given["category"])
        expected = dal.Template(
            id=template.id,
            owner_id=owner,
            head_version=1,
            last_version=1,
            use_count=0,
            trend=0,
            rating_sum=0,
            rating_count=0,
            forked_from_id=None,
            forked_from_version=None,
            variables=(),
            deleted_at=None,
            **{
                **given,
                "category": category,
                "tags": self.shown(given["tags"]),
                "created_at": created_at,
                "updated_at": max(now, created_at),
            },
        )
        sha256 = content_sha256(given["content"], given["system_prompt"])
        first = dal.TemplateVersion(
            template.id, 1, given["content"], given["system_prompt"], (), sha256, None, None,
            owner, created_at,
        )  # fmt: skip
        return Row(expected, [first])

    def remember(self, row: Row) -> None:
        self.rows[row.template.id] = row
        self.known.append(row.template.id)

    def pick(self, n: int) -> UUID:
        """One of the ids that ever were; the first one never was."""
        return self.known[n % len(self.known)]

    def live(self, actor: int, n: int, mine: bool) -> tuple[UUID, int]:
        """Mostly something live, and its owner; else anything by anybody."""
        live = [row.template for row in self.rows.values() if row.template.deleted_at is None]
        if not mine or not live:
            return self.pick(n), actor
        return live[n % len(live)].id, self.owner_of(live[n % len(live)])

    def owner_of(self, template: dal.Template) -> int:
        (owner,) = [i for i, user in enumerate(self.users) if user.id == template.owner_id]
        return owner

    def refused_create(self, actor: int, owner: int) -> type[dal.DalError] | None:
        if actor == NOBODY or (actor >= 0 and actor != owner):
            return dal.PermissionDeniedError
        return None if self.users[owner].deleted_at is None else dal.ParentMissingError

    # ------------------------------------------------------------------- rules

    @rule(seconds=st.sampled_from([0, 1, 86_400, -1]))
    def time_passes(self, seconds: int) -> None:
        self.clock.move(timedelta(seconds=seconds))

    @rule(actor=actors, owner=owners, given=new_templates)
    def create(self, actor: int, owner: int, given: dict[str, Any]) -> None:
        if actor >= 0 and owner % 2:
            owner = actor
        work = self.session(actor).templates.create(owner_id=self.users[owner].id, **given)
        made = self.expect(self.refused_create(actor, owner), work)
        if made is not None:
            row = self.made(given, made, self.users[owner].id)
            assert made == row.template
            self.remember(row)
            self.n_done += 1

    @rule(actor=owners, given=st.lists(new_templates, max_size=4))
    def create_many(self, actor: int, given: list[dict[str, Any]]) -> None:
        news = (dal.NewTemplate(**one) for one in given)
        wanted = self.refused_create(actor, actor) if given else None
        made = self.expect(wanted, self.session(actor).templates.exchange.create_many(news))
        if made:
            for one, template in zip(given, made, strict=True):
                row = self.made(one, template, self.users[actor].id)
                assert template == row.template
                self.remember(row)
            self.n_done += 1

    @precondition(lambda self: self.rows)
    @rule(
        actor=actors,
        n=picks,
        mine=mostly,
        given=st.fixed_dictionaries(
            {},
            optional={
                "name": names,
                "description": maybe,
                "author_name": maybe,
                "category": categories,
                "tags": tag_lists,
                "visibility": visibilities,
            },
        ),
    )
    def update_details(self, actor: int, n: int, mine: bool, given: dict[str, Any]) -> None:
        template_id, actor = self.live(actor, n, mine)
        wanted = self.refusal(actor, template_id, deleted=False)
        back = self.expect(
            wanted, self.session(actor).templates.update_details(template_id, **given)
        )
        if back is None:
            return
        before = self.rows[template_id].template
        changes = dict(given)
        if given.get("category") is not None:
            changes["category"] = category_slug(given["category"])
        if "tags" in given:
            same = {tag_key(t) for t in given["tags"]} == {tag_key(t) for t in before.tags}
            changes["tags"] = before.tags if same else self.shown(given["tags"])
        after = attrs.evolve(before, **changes)
        if after != before:
            after = attrs.evolve(after, updated_at=self.later(before))
            self.n_done += 1
        assert back == after
        self.rows[template_id].template = after

    def later(self, before: dal.Template) -> datetime:
        return max(self.clock.now(), before.updated_at + timedelta(microseconds=1))

    @precondition(lambda self: self.rows)
    @rule(
        actor=actors,
        n=picks,
        mine=mostly,
        content=names,
        prompt=maybe | st.just(dal.KEEP),
        message=maybe,
    )
    def commit(
        self, actor: int, n: int, mine: bool, content: str, prompt: Any, message: str | None
    ) -> None:
        template_id, actor = self.live(actor, n, mine)
        wanted = self.refusal(actor, template_id, deleted=False)
        back = self.expect(
            wanted,
            self.session(actor).templates.versions.commit(
                template_id, content=content, system_prompt=prompt, message=message
            ),
        )
        if back is None:
            return
        row = self.rows[template_id]
        head = row.versions[-1]
        prompt = head.system_prompt if prompt is dal.KEEP else prompt
        if (content, prompt) == (head.content, head.system_prompt):
            assert back == head
            return
        version = dal.TemplateVersion(
            template_id, head.version + 1, content, prompt, (),
            content_sha256(content, prompt), message, None, row.template.owner_id,
            self.clock.now(),
        )  # fmt: skip
        assert back == version
        row.versions.append(version)
        row.template = attrs.evolve(
            row.template,
            head_version=version.version,
            last_version=version.version,
            content=content,
            system_prompt=prompt,
            updated_at=self.later(row.template),
        )
        self.n_done += 1

    @precondition(lambda self: self.rows)
    @rule(actor=actors, n=picks, mine=mostly)
    def soft_delete(self, actor: int, n: int, mine: bool) -> None:
        template_id, actor = self.live(actor, n, mine)
        wanted = self.refusal(actor, template_id, deleted=False)
        self.expect(wanted, self.session(actor).templates.soft_delete(template_id))
        if wanted is None:
            row = self.rows[template_id]
            row.template = attrs.evolve(
                row.template,
                deleted_at=self.clock.now(),
                updated_at=max(row.template.updated_at, self.clock.now()),
            )
            self.n_done += 1

    @precondition(lambda self: any(row.template.deleted_at for row in self.rows.values()))
    @rule(actor=actors, n=picks, mine=mostly)
    def restore(self, actor: int, n: int, mine: bool) -> None:
        template_id, actor = self.in_trash(actor, n, mine)
        wanted = self.refusal(actor, template_id, deleted=True)
        back = self.expect(wanted, self.session(actor).templates.restore(template_id))
        if back is not None:
            row = self.rows[template_id]
            row.template = attrs.evolve(
                row.template,
                deleted_at=None,
                updated_at=max(row.template.updated_at, self.clock.now()),
            )
            # The very same record, but for the time of the change.
            assert back == row.template
            self.n_done += 1

    @precondition(lambda self: any(row.template.deleted_at for row in self.rows.values()))
    @rule(actor=actors, n=picks, mine=mostly)
    def purge(self, actor: int, n: int, mine: bool) -> None:
        template_id, actor = self.in_trash(actor, n, mine)
        wanted = self.refusal(actor, template_id, deleted=True)
        self.expect(wanted, self.session(actor).templates.trash.purge(template_id))
        if wanted is None:
            del self.rows[template_id]
            self.n_done += 1

    def in_trash(self, actor: int, n: int, mine: bool) -> tuple[UUID, int]:
        """Mostly something in a trash, and its owner; else anything by anybody."""
        trash = [row.template for row in self.rows.values() if row.template.deleted_at]
        if not mine or not trash:
            return self.pick(n), actor
        template = trash[n % len(trash)]
        return template.id, self.owner_of(template)

    @rule(days=st.sampled_from([0, 1, 2]), batch=st.sampled_from([1, 2, 1000]))
    def purge_deleted(self, days: int, batch: int) -> None:
        older_than = timedelta(days=days)
        old = sorted(
            (t.deleted_at, t.created_at, t.id)
            for t in (row.template for row in self.rows.values())
            if t.deleted_at is not None and t.deleted_at < self.clock.now() - older_than
        )[:batch]
        work = self.system.templates.trash.purge_deleted(older_than=older_than, batch=batch)
        assert self.run(work) == len(old)
        for *_, template_id in old:
            del self.rows[template_id]
        self.n_done += bool(old)

    @rule(actor=actors, n=owners, mine=mostly)
    def delete_user(self, actor: int, n: int, mine: bool) -> None:
        actor = n if mine else actor
        user = self.users[n]
        may = actor in (SYSTEM, n) and user.deleted_at is None
        self.expect(
            None if may else dal.NotFoundError, self.session(actor).users.soft_delete(user.id)
        )
        if may:
            self.users[n] = attrs.evolve(
                user,
                deleted_at=self.clock.now(),
                updated_at=max(user.updated_at, self.clock.now()),
            )
            self.n_done += 1

    @precondition(lambda self: any(user.deleted_at for user in self.users))
    @rule(actor=actors, n=owners)
    def restore_user(self, actor: int, n: int) -> None:
        user = self.users[n]
        wanted: type[dal.DalError] | None = None
        if actor != SYSTEM and actor % 2:
            wanted = dal.PermissionDeniedError
        else:
            actor = SYSTEM
            wanted = None if user.deleted_at else dal.NotFoundError
        back = self.expect(wanted, self.session(actor).users.restore(user.id))
        if back is not None:
            self.users[n] = attrs.evolve(
                user, deleted_at=None, updated_at=max(user.updated_at, self.clock.now())
            )
            assert back == self.users[n]
            self.n_done += 1

    # -------------------------------------------------------------- invariants

    @invariant()
    def every_view_is_the_models(self) -> None:
        if self.users:
            self.run(self.check_all())

    async def check_all(self) -> None:
        # At once, on several connections: nothing changes meanwhile.
        await asyncio.gather(*(self.check_actor(actor) for actor in range(NOBODY, 4)))
        await self.check_system()
        self.check_audit()

    async def check_actor(self, actor: int) -> None:
        me, mine = self.session(actor), self.id_of(actor)
        rows = list(self.rows.values())
        visible = [row.template for row in rows if self.sees(actor, row)]
        public = [t for t in visible if t.visibility is dal.Visibility.PUBLIC]
        found = {t.id: t for t in [await me.templates.find(i) for i in self.known] if t}
        assert found == {t.id: t for t in visible}
        some = self.known[-1]
        assert await me.templates.exists(some) == (some in found)
        # Lists and searches, a small page at a time.
        views: list[tuple[Callable[..., Awaitable[dal.Page[Any]]], list[dal.Template]]] = [
            (me.templates.list_public, public),
            (hits_of(me.templates.search), visible),
            (
                hits_of(partial(me.templates.search, tags=["RED"], scope="public")),
                [t for t in public if "red" in map(tag_key, t.tags)],
            ),
            (
                hits_of(partial(me.templates.search, category="TWO words")),
                [t for t in visible if t.category == "two-words"],
            ),
        ]
        if mine is not None:
            own = [t for t in visible if t.owner_id == mine]
            views.append((me.templates.list_mine, own))
            assert await me.templates.count_mine() == len(own)
            streamed = [t async for t in me.templates.exchange.stream()]
            assert streamed == sorted(own, key=newest, reverse=True)
            trash = [
                row.template
                for row in rows
                if row.template.owner_id == mine
                and row.template.deleted_at is not None
                and self.owner_lives(row)
            ]
            assert await me.templates.trash.count_mine() == len(trash)
            in_trash = await pages(me.templates.trash.list_mine)
            order = sorted(trash, key=lambda t: (t.deleted_at or START, *newest(t)), reverse=True)
            assert in_trash == [summary(t) for t in order]
        for view, expected in views:
            order = sorted(expected, key=newest, reverse=True)
            assert await pages(view) == [summary(t) for t in order]
        by_words = hits_of(partial(me.templates.search, "A_b", sort="newest"))
        holding = [
            summary(t)
            for t in sorted(visible, key=newest, reverse=True)
            if holds(t, "a") or holds(t, "b")
        ]
        assert await pages(by_words) == holding
        n_searched = await me.templates.count_search()
        assert n_searched == len(visible)
        told = await me.templates.usage.statistics()
        counted = visible if actor != SYSTEM else [r.template for r in rows if self.lives(r)]
        assert told.templates == told.public + told.private == len(counted)
        counts = await me.categories.list_counts()
        slugs = [t.category for t in counted]
        assert {c.slug: c.templates for c in counts} == {s: slugs.count(s) for s in slugs}
        keys = [tag_key(tag) for t in counted for tag in t.tags]
        of_tags = await me.tags.list_counts()
        assert {c.tag_key: c.templates for c in of_tags} == {k: keys.count(k) for k in keys}
        assert await me.templates.count_public() == len(
            [row for row in rows if self.lives(row) and row.template.visibility == "public"]
        )

    async def check_system(self) -> None:
        live = [row for row in self.rows.values() if self.lives(row)]
        order = sorted((row.template for row in live), key=newest, reverse=True)
        assert await pages(self.system.templates.list_all) == [summary(t) for t in order]
        assert await self.system.templates.count_all() == len(live)
        told = await self.system.templates.usage.statistics()
        assert told.templates == told.public + told.private == len(live)
        assert told.versions == sum(row.template.head_version for row in live)
        assert told.deleted == sum(
            row.template.deleted_at is not None and self.owner_lives(row)
            for row in self.rows.values()
        )
        counts = await self.system.categories.list_counts()
        slugs = [row.template.category for row in live]
        assert {c.slug: c.templates for c in counts} == {s: slugs.count(s) for s in slugs}
        for row in live[-2:]:
            # Numbers are 1 to n without a gap, and each version is what it was.
            page = await self.system.templates.versions.list_of(row.template.id, limit=500)
            assert [v.version for v in page.rows] == list(range(len(row.versions), 0, -1))
            for version in row.versions[-2:]:
                read = await self.system.templates.versions.get(row.template.id, version.version)
                assert read == version

    def check_audit(self) -> None:
        entries = dict(self.own.ask("SELECT outcome, COUNT(*) FROM audit_logs GROUP BY outcome"))
        assert entries.get("success", 0) == self.n_done
        assert entries.get("denied", 0) == self.n_denied
        ((n_orphans,),) = self.own.ask(
            "SELECT COUNT(*) FROM template_versions AS v LEFT JOIN templates AS t"
            " ON t.id = v.template_id WHERE t.id IS NULL"
        )
        assert n_orphans == 0


def newest(template: dal.Template) -> tuple[datetime, UUID]:
    return (template.created_at, template.id)


def holds(template: dal.Template, word: str) -> bool:
    """Whether one of its texts has the word, between signs or spaces."""
    texts = (template.name, template.description, template.author_name, template.content)
    return any(word in re.findall(r"[^\W_]+", (text or "").lower()) for text in texts)


def hits_of(
    search: Callable[..., Awaitable[dal.Page[dal.TemplateHit]]],
) -> Callable[..., Awaitable[dal.Page[dal.TemplateSummary]]]:
    """The templates of its hits."""

    async def view(**given: Any) -> dal.Page[dal.TemplateSummary]:
        page = await search(**given)
        return dal.Page(tuple(hit.template for hit in page.rows), page.next)

    return view


def summary(template: dal.Template) -> dal.TemplateSummary:
    return dal.TemplateSummary(
        **{f.name: getattr(template, f.name) for f in attrs.fields(dal.TemplateSummary)}
    )


async def pages(view: Callable[..., Awaitable[dal.Page[Any]]]) -> list[Any]:
    rows: list[Any] = []
    after = None
    while True:
        page = await view(limit=3, after=after)
        rows += page.rows
        after = page.next
        if after is None:
            return rows


def test_templates_are_what_plain_dicts_say(own: Own) -> None:
    class Machine(TemplateMachine):
        def __init__(self) -> None:
            super().__init__(own)

    run_state_machine_as_test(Machine, settings=machine_settings())
