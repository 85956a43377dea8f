"""One entry for every change, none for anything else; denied attempts survive the rollback."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal.records.audit import Outcome
from dal.repositories.audit_writer import REDACTED, AuditWriter
from dal.repositories.base import CHANGING_METHODS
from dal.statements import house
from tests.conftest import Recorder
from tests.repositories.conftest import Root
from tests.repositories.contracts import (
    AUDIT_ASKS,
    TEMPLATE_ASKS,
    USER_ASKS,
    World,
    audit_world,
    make_user,
    public_methods,
    template_world,
    user_world,
)

# Every changing method: whether the system does it, the case it succeeds in, and the entry.
Walk = tuple[bool, str, Callable[[World, dal.Session], Awaitable[object]], dict[str, Any]]

WALK: Final[dict[str, Walk]] = {
    "TemplateRepository.create": (
        False,
        "absent",
        lambda w, me: me.templates.create(name="n", content="c", id=w.id),
        {"action": "template.create"},
    ),
    "TemplateRepository.create_many": (
        False,
        "absent",
        lambda w, me: me.templates.create_many(
            [w.new(), dal.NewTemplate(name="second", content="")]
        ),
        {"action": "template.create_many", "target_id": None, "affected": 2},
    ),
    "TemplateRepository.update_details": (
        False,
        "own_private",
        lambda w, me: me.templates.update_details(w.id, name="other", tags=["x"], category="Y"),
        {"action": "template.update_details"},
    ),
    "TemplateRepository.commit": (
        False,
        "own_private",
        lambda w, me: me.templates.commit(w.id, content="more"),
        {"action": "template.commit"},
    ),
    "TemplateRepository.soft_delete": (
        False,
        "own_private",
        lambda w, me: me.templates.soft_delete(w.id),
        {"action": "template.soft_delete"},
    ),
    "TemplateRepository.restore": (
        False,
        "own_deleted",
        lambda w, me: me.templates.restore(w.id),
        {"action": "template.restore"},
    ),
    "TemplateRepository.purge": (
        False,
        "own_deleted",
        lambda w, me: me.templates.purge(w.id),
        {"action": "template.purge"},
    ),
    "TemplateRepository.purge_deleted": (
        True,
        "system_deleted",
        # The oldest one of all trashes goes, whosever it is.
        lambda w, me: me.templates.purge_deleted(older_than=timedelta(0), batch=1),
        {"action": "template.purge_deleted", "target_id": None},
    ),
    "UserRepository.create": (
        True,
        "absent",
        lambda w, me: me.users.create(email=f"{w.id}@walk.example", full_name="W", id=w.id),
        {"action": "user.create", "target_type": "user"},
    ),
    "UserRepository.soft_delete": (
        True,
        "absent",
        lambda w, me: me.users.soft_delete(w.owner.id),
        {"action": "user.soft_delete", "target_type": "user", "target_id": "owner"},
    ),
    "UserRepository.restore": (
        True,
        "own_orphan",
        lambda w, me: me.users.restore(w.owner.id),
        {"action": "user.restore", "target_type": "user", "target_id": "owner"},
    ),
}


def entries(root: Root, request_id: str) -> list[dict[str, Any]]:
    names = [
        "id",
        "occurred_at",
        "actor_type",
        "actor_id",
        "actor_name",
        "action",
        "target_type",
        "target_id",
        "outcome",
        "affected",
        "changes",
        "request_id",
        "ip",
        "user_agent",
    ]
    rows = root(
        f"SELECT {', '.join(names)} FROM audit_logs WHERE request_id = %s ORDER BY id", request_id
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


async def prepared(
    db: dal.Database, clock: dal.ManualClock, method: str
) -> tuple[World, dal.Session, str]:
    """The world of a method, and a session that nobody else's entries come from."""
    as_system, case, _, _ = WALK[method]
    world = await template_world(db, clock, case)
    request_id = uuid4().hex
    actor = (
        dal.Actor.system("walk", request_id=request_id)
        if as_system
        else dal.Actor.user(
            world.owner.id,
            ip="2001:db8::1",
            user_agent="Läufer/1 \U0001f600",
            request_id=request_id,
        )
    )
    return world, db.acting_as(actor), request_id


def check_entry(
    entry: dict[str, Any], world: World, method: str, actor: dal.Actor, clock: dal.ManualClock
) -> None:
    expected = WALK[method][3]
    target: UUID | None = world.id
    if "target_id" in expected:
        target = None if expected["target_id"] is None else world.owner.id
    assert entry["action"] == expected["action"]
    assert entry["target_type"] == expected.get("target_type", "template")
    assert entry["target_id"] == (None if target is None else target.bytes)
    assert entry["affected"] == expected.get("affected", 1)
    assert entry["outcome"] == "success"
    assert entry["actor_type"] == actor.type.value
    assert entry["actor_id"] == (None if actor.id is None else actor.id.bytes)
    assert entry["actor_name"] == actor.name
    assert (entry["ip"], entry["user_agent"]) == (actor.ip, actor.user_agent)
    assert entry["occurred_at"] == clock.now().replace(tzinfo=None)
    assert isinstance(json.loads(entry["changes"]), dict)


def test_the_walk_meets_every_changing_method() -> None:
    assert set(WALK) == CHANGING_METHODS


@pytest.mark.parametrize("method", sorted(WALK))
async def test_one_entry_alone(
    db: dal.Database, clock: dal.ManualClock, root: Root, method: str
) -> None:
    world, me, request_id = await prepared(db, clock, method)
    await WALK[method][2](world, me)
    (entry,) = entries(root, request_id)
    check_entry(entry, world, method, me.actor, clock)


@pytest.mark.parametrize("method", sorted(WALK))
async def test_one_entry_in_a_transaction(
    db: dal.Database, clock: dal.ManualClock, root: Root, method: str
) -> None:
    world, me, request_id = await prepared(db, clock, method)
    async with me.begin() as tx:
        await WALK[method][2](world, tx)
        # Nobody sees it before the change itself can be seen.
        assert entries(root, request_id) == []
    (entry,) = entries(root, request_id)
    check_entry(entry, world, method, me.actor, clock)


class RollBackError(Exception):
    pass


async def undone(me: dal.Session, change: Callable[[dal.Session], Awaitable[object]]) -> None:
    """Make the change in a transaction, or a part of one, that is rolled back."""
    try:
        async with me.begin() as tx:
            await change(tx)
            raise RollBackError
    except RollBackError:
        pass


@pytest.mark.parametrize("method", sorted(WALK))
async def test_no_entry_when_rolled_back(
    db: dal.Database, clock: dal.ManualClock, root: Root, method: str
) -> None:
    world, me, request_id = await prepared(db, clock, method)
    await undone(me, lambda tx: WALK[method][2](world, tx))
    assert entries(root, request_id) == []
    # Nor when a part of a transaction is undone that is then committed.
    async with me.begin() as tx:
        await undone(tx, lambda part: WALK[method][2](world, part))
    assert entries(root, request_id) == []


@pytest.mark.parametrize("method", sorted(WALK))
async def test_a_change_whose_entry_fails_is_undone(
    db: dal.Database, clock: dal.ManualClock, root: Root, method: str
) -> None:
    """The entry is refused: its request id is longer than the column."""
    world, me, request_id = await prepared(db, clock, method)
    # An actor cannot be made so; it stands for whatever else may go wrong with an entry.
    actor = attrs.evolve(me.actor)
    object.__setattr__(actor, "request_id", "x" * 65)
    with pytest.raises(dal.ValueRejectedError) as caught:
        await WALK[method][2](world, db.acting_as(actor))
    assert caught.value.field == "request_id"
    # It can still be done: nothing of the first attempt is there.
    await WALK[method][2](world, me)
    assert len(entries(root, request_id)) == 1


DENIED: Final[dict[str, tuple[str, str, Callable[[World, dal.Session], Awaitable[object]]]]] = {
    "template.create": (
        "absent",
        "anonymous",
        lambda w, me: me.templates.create(name="n", content="c"),
    ),
    "template.create_many": (
        "absent",
        "other",
        lambda w, me: me.templates.create_many([w.new()], owner_id=w.owner.id),
    ),
    "template.update_details": (
        "own_public",
        "other",
        lambda w, me: me.templates.update_details(w.id, name="mine"),
    ),
    "template.commit": ("own_public", "other", lambda w, me: me.templates.commit(w.id, content="")),
    "template.soft_delete": (
        "own_public",
        "anonymous",
        lambda w, me: me.templates.soft_delete(w.id),
    ),
    "template.restore": ("own_public", "system", lambda w, me: me.templates.restore(w.id)),
    "template.purge": ("own_public", "other", lambda w, me: me.templates.purge(w.id)),
    "template.purge_deleted": (
        "own_public",
        "other",
        lambda w, me: me.templates.purge_deleted(older_than=timedelta(0)),
    ),
    "user.restore": ("own_orphan", "other", lambda w, me: me.users.restore(w.owner.id)),
}


async def denied_session(db: dal.Database, world: World, who: str) -> tuple[dal.Session, str]:
    request_id = uuid4().hex
    actor = {
        "anonymous": dal.Actor.anonymous(ip="192.0.2.7", request_id=request_id),
        "system": dal.Actor.system("walk", request_id=request_id),
        "other": dal.Actor.user(
            (await make_user(world.system, "Bob")).id, ip="192.0.2.7", request_id=request_id
        ),
    }[who]
    return db.acting_as(actor), request_id


def check_denied(found: list[dict[str, Any]], action: str, me: dal.Session) -> None:
    (entry,) = found
    assert (entry["action"], entry["outcome"], entry["affected"]) == (action, "denied", 0)
    assert entry["actor_id"] == (None if me.actor.id is None else me.actor.id.bytes)
    assert (entry["actor_type"], entry["ip"]) == (me.actor.type.value, me.actor.ip)


@pytest.mark.parametrize("action", sorted(DENIED))
async def test_a_denied_attempt_leaves_an_entry(
    db: dal.Database, clock: dal.ManualClock, root: Root, action: str
) -> None:
    case, who, attempt = DENIED[action]
    world = await template_world(db, clock, case)
    me, request_id = await denied_session(db, world, who)
    with pytest.raises(dal.PermissionDeniedError):
        await attempt(world, me)
    check_denied(entries(root, request_id), action, me)


@pytest.mark.parametrize("action", sorted(DENIED))
@pytest.mark.parametrize("caught_inside", [True, False])
async def test_a_denied_attempt_survives_the_callers_transaction(
    db: dal.Database, clock: dal.ManualClock, root: Root, action: str, caught_inside: bool
) -> None:
    """Rolled back with the rest, or caught and committed: one entry, written after the end."""
    case, who, attempt = DENIED[action]
    world = await template_world(db, clock, case)
    me, request_id = await denied_session(db, world, who)
    if caught_inside:
        async with me.begin() as tx:
            with pytest.raises(dal.PermissionDeniedError):
                await attempt(world, tx)
            assert entries(root, request_id) == []
    else:
        with pytest.raises(dal.PermissionDeniedError):
            async with me.begin() as tx:
                await attempt(world, tx)
    check_denied(entries(root, request_id), action, me)


async def test_a_refused_value_and_what_is_not_found_leave_no_entry(
    db: dal.Database, clock: dal.ManualClock, root: Root
) -> None:
    world, me, request_id = await prepared(db, clock, "TemplateRepository.soft_delete")
    with pytest.raises(dal.ValueRejectedError):
        await me.templates.update_details(world.id, name="x" * 256)
    with pytest.raises(dal.NotFoundError):
        await me.templates.soft_delete(uuid4())
    with pytest.raises(dal.StaleVersionError):
        await me.templates.commit(world.id, content="x", expected_head=7)
    assert entries(root, request_id) == []


async def test_no_change_leaves_no_entry(
    db: dal.Database, clock: dal.ManualClock, root: Root, recorder: Recorder
) -> None:
    world, me, request_id = await prepared(db, clock, "TemplateRepository.commit")
    before = await me.templates.get(world.id)
    clock.move(timedelta(seconds=1))
    same: list[Awaitable[object]] = [
        me.templates.update_details(
            world.id,
            name=before.name,
            description=before.description,
            author_name=None,
            category=f" c-{world.word} ".upper(),
            tags=["RED", "GRÜN", "\U0001f600", "red"],
            visibility="private",
        ),
        me.templates.update_details(world.id),
        me.templates.commit(world.id, content=before.content),
        me.templates.commit(world.id, content=before.content, system_prompt=None),
    ]
    recorder.clear()
    for change in same:
        await change
    assert entries(root, request_id) == []
    assert await me.templates.get(world.id) == before
    assert [name for name in recorder.names if name.startswith("audit_logs")] == []
    assert await me.templates.create_many([]) == []
    assert entries(root, request_id) == []


async def test_what_an_entry_tells(db: dal.Database, root: Root, as_ada: dal.Session) -> None:
    made = await as_ada.templates.create(
        name="n", content="the content", system_prompt="the prompt", tags=["b", "a"], category="C d"
    )
    await as_ada.templates.update_details(made.id, tags=["b"], category=None, visibility="public")
    await as_ada.templates.commit(made.id, content="more content")
    commit, update, create = (await as_ada.audit.list_mine()).rows
    assert create.changes["name"] == {"from": None, "to": "n"}
    assert create.changes["tags"] == {"from": None, "to": ["a", "b"]}
    # Of prompts nothing but length and hash is kept.
    assert create.changes["content"]["to"]["chars"] == len("the content")
    assert update.changes == {
        "category": {"from": "c-d", "to": None},
        "tags": {"from": ["a", "b"], "to": ["b"]},
        "visibility": {"from": "private", "to": "public"},
    }
    assert commit.changes["head_version"] == {"from": 1, "to": 2}
    assert set(commit.changes) == {"content", "head_version"}
    kept = root("SELECT CONCAT_WS(' ', changes) FROM audit_logs WHERE target_id = %s",
                made.id.bytes)  # fmt: skip
    assert not any("the content" in row[0] or "the prompt" in row[0] for row in kept)


async def test_secrets_are_redacted_in_what_is_stored(
    db: dal.Database, root: Root, as_ada: dal.Session
) -> None:
    target = uuid4()
    secret = f"s3cr3t-{uuid4().hex}"
    async with as_ada.begin() as tx:
        await AuditWriter(tx).write(
            "template.create",
            "template",
            target,
            changes={"a": {"to": [{"b": {"Api-Key": secret, "kept": "kept"}}]}, "password": secret},
            outcome=Outcome.FAILURE,
        )
    (row,) = root("SELECT changes, outcome FROM audit_logs WHERE target_id = %s", target.bytes)
    assert secret not in row[0]
    assert json.loads(row[0])["a"]["to"][0]["b"] == {"Api-Key": REDACTED, "kept": "kept"}
    assert row[1] == "failure"


async def test_paging_and_cursors_of_the_log(
    system: dal.Session, clock: dal.ManualClock, as_ada: dal.Session, as_bob: dal.Session
) -> None:
    made = await as_ada.templates.create(name="n", content="0")
    for i in range(1, 8):
        clock.move(timedelta(seconds=i % 2))
        await as_ada.templates.commit(made.id, content=str(i))
    everything = (await as_ada.audit.list_mine()).rows
    assert len(everything) == 8
    paged: list[dal.AuditEntry] = []
    after = None
    while True:
        page = await as_ada.audit.list_mine(limit=3, after=after)
        paged += page.rows
        if (after := page.next) is None:
            break
        assert len(page.rows) == 3
    assert tuple(paged) == everything
    of_target = await system.audit.list_of_target("template", made.id, limit=3)
    assert of_target.rows == everything[:3]
    with pytest.raises(dal.ValueRejectedError) as caught:
        await system.audit.list_of_target("template", uuid4(), after=of_target.next)
    assert caught.value.field == "after"
    with pytest.raises(dal.ValueRejectedError) as caught:
        await as_ada.audit.list_mine(after=of_target.next)
    assert caught.value.field == "after"
    with pytest.raises(dal.ValueRejectedError) as caught:
        await system.audit.list_of_target("templates", made.id)
    assert caught.value.field == "target_type"


READING: Final = sorted(
    f"{repository.__name__}.{method}"
    for repository in (dal.TemplateRepository, dal.UserRepository, dal.AuditLogRepository)
    for method in public_methods(repository)
    if f"{repository.__name__}.{method}" not in CHANGING_METHODS
)


def _writes(name: str) -> bool:
    if name.startswith("search/"):
        return False
    statement = house().statement(name)
    return statement.writes or statement.locking


@pytest.mark.parametrize("method", READING)
@pytest.mark.parametrize("as_system", [False, True])
async def test_what_is_not_marked_as_changing_only_reads(
    db: dal.Database,
    clock: dal.ManualClock,
    recorder: Recorder,
    method: str,
    as_system: bool,
) -> None:
    """So a method that changes data and writes no entry cannot hide."""
    repository, _, name = method.partition(".")
    who = "system_private" if as_system else "own_private"
    if repository == "TemplateRepository":
        world, ask = await template_world(db, clock, who, counting=name), TEMPLATE_ASKS[name]
    elif repository == "UserRepository":
        world = await user_world(db, clock, "system" if as_system else "self")
        ask = USER_ASKS[name]
    else:
        world = await audit_world(db, clock, "system_live" if as_system else "self")
        ask = AUDIT_ASKS[name]
    recorder.clear()
    try:
        await ask(world)
    except dal.PermissionDeniedError:
        # For the other one of the two: refused before anything is sent.
        assert recorder.names == []
        return
    assert recorder.names
    assert [n for n in recorder.names if n.startswith("transaction/") or _writes(n)] == []
