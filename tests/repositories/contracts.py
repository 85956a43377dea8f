"""What every public method does in every case, as tables: a row a method, a word a case.

=====  ============================================================================
yes    it found, gave, counted or changed the row of the case
no     it did not: None, False, 0, or a list without it
NF     NotFoundError
PD     PermissionDeniedError
UQ     UniqueError
PM     ParentMissingError
=====  ============================================================================
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID, uuid4

import attrs

import dal
from dal import NotFoundError, ParentMissingError, PermissionDeniedError, UniqueError
from dal.repositories.base import Repository

ERRORS: Final[dict[str, type[dal.DalError]]] = {
    "NF": NotFoundError,
    "PD": PermissionDeniedError,
    "UQ": UniqueError,
    "PM": ParentMissingError,
}

# Who asks, and for what: a template of the actor, of somebody else, of anybody for the anonymous
# and for the system; ``orphan`` is a live one whose owner is deleted.
TEMPLATE_CASES: Final = [
    "own_private",
    "own_public",
    "own_deleted",
    "own_orphan",
    "absent",
    "other_private",
    "other_public",
    "other_deleted",
    "other_orphan",
    "anonymous_private",
    "anonymous_public",
    "system_private",
    "system_deleted",
    "system_orphan",
    "system_absent",
]

TEMPLATES: Final[dict[str, str]] = {
    # own:                  priv pub del orph abs | priv pub del orph | priv pub | priv del orph abs
    "get":                   "yes yes NF NF NF       NF yes NF NF       NF yes     yes NF NF NF",
    "find":                  "yes yes no no no       no yes no no       no yes     yes no no no",
    "exists":                "yes yes no no no       no yes no no       no yes     yes no no no",
    "get_including_deleted": "yes yes yes NF NF      NF NF NF NF        PD PD      PD PD PD PD",
    "get_version":           "yes yes NF NF NF       NF yes NF NF       NF yes     yes NF NF NF",
    "list_versions":         "yes yes NF NF NF       NF yes NF NF       NF yes     yes NF NF NF",
    "list_mine":             "yes yes no no no       no no no no        PD PD      PD PD PD PD",
    "list_trash":            "no no yes no no        no no no no        PD PD      PD PD PD PD",
    "list_public":           "no yes no no no        no yes no no       no yes     no no no no",
    "list_all":              "PD PD PD PD PD         PD PD PD PD        PD PD      yes no no no",
    "stream_mine":           "yes yes no no no       no no no no        PD PD      PD PD PD PD",
    "count_mine":            "yes yes no no no       no no no no        PD PD      PD PD PD PD",
    "count_trash":           "no no yes no no        no no no no        PD PD      PD PD PD PD",
    "count_public":          "no yes no no no        no yes no no       no yes     no no no no",
    "count_all":             "PD PD PD PD PD         PD PD PD PD        PD PD      yes no no no",
    "statistics":            "PD PD PD PD PD         PD PD PD PD        PD PD      yes no no no",
    "list_category_counts":  "PD PD PD PD PD         PD PD PD PD        PD PD      yes no no no",
    "list_taken_ids":        "yes yes yes yes no     no no no no        PD PD      PD PD PD PD",
    # the system searches what is public
    "search":                "yes yes no no no       no yes no no       no yes     no no no no",
    # with the id of the case's template, for the case's owner where the system asks
    "create":                "UQ UQ UQ PM yes        UQ UQ UQ UQ        PD PD      UQ UQ PM yes",
    "create_many":           "UQ UQ UQ PM yes        UQ UQ UQ UQ        PD PD      UQ UQ PM yes",
    "update_details":        "yes yes NF NF NF       NF PD NF NF        NF PD      PD NF NF NF",
    "commit":                "yes yes NF NF NF       NF PD NF NF        NF PD      PD NF NF NF",
    "soft_delete":           "yes yes NF NF NF       NF PD NF NF        NF PD      PD NF NF NF",
    "restore":               "NF NF yes NF NF        NF PD NF NF        NF PD      PD NF NF NF",
    "purge":                 "NF NF yes NF NF        NF PD NF NF        NF PD      PD NF NF NF",
    "purge_deleted":         "PD PD PD PD PD         PD PD PD PD        PD PD      no yes no no",
}  # fmt: skip

USER_CASES: Final = [
    "self",
    "self_deleted",
    "absent",
    "other",
    "other_deleted",
    "anonymous",
    "system",
    "system_deleted",
    "system_absent",
]

USERS: Final[dict[str, str]] = {
    "create":        "UQ UQ yes UQ UQ UQ  UQ UQ yes",
    "find":          "yes no no no no no  yes no no",
    "get":           "yes NF NF NF NF NF  yes NF NF",
    "find_by_email": "PD PD PD PD PD PD   yes no no",
    "count":         "PD PD PD PD PD PD   yes no no",
    "soft_delete":   "yes NF NF NF NF NF  yes NF NF",
    "restore":       "PD PD PD PD PD PD   NF yes NF",
}  # fmt: skip

# Entries of a user who is live, deleted, or somebody else; about a template that is live, deleted,
# purged, or was never there.
AUDIT_CASES: Final = [
    "self",
    "self_deleted",
    "other",
    "anonymous",
    "system_live",
    "system_deleted",
    "system_purged",
    "system_absent",
]

AUDIT: Final[dict[str, str]] = {
    "list_mine":      "yes yes no PD  PD PD PD PD",
    "list_of_target": "PD PD PD PD    yes yes yes no",
}  # fmt: skip


def public_methods(repository: type[Repository]) -> set[str]:
    """Every public method that a caller can reach."""
    return {name for name, _ in inspect.getmembers(repository, callable) if name[0] != "_"}


_numbers = count(1)


@attrs.define
class World:
    """One case: who asks, and the template or user that is asked about."""

    case: str
    db: dal.Database
    clock: dal.ManualClock
    system: dal.Session
    me: dal.Session
    owner: dal.User
    as_owner: dal.Session
    id: UUID
    word: str
    template: dal.Template | None = None
    counted: int = 0

    @property
    def for_owner(self) -> UUID | None:
        """Whom the system creates for."""
        return self.owner.id if self.case.startswith("system") else None

    def new(self) -> dal.NewTemplate:
        """A template with the id of the case."""
        return dal.NewTemplate(name="new", content="new", tags=["New", "Näw"], id=self.id)


async def make_user(system: dal.Session, name: str = "Ada") -> dal.User:
    return await system.users.create(
        email=f"{name}.{next(_numbers)}.{uuid4().hex[:8]}@contracts.example".lower(),
        full_name=name,
    )


async def template_world(
    db: dal.Database, clock: dal.ManualClock, case: str, counting: str = ""
) -> World:
    system = db.acting_as(dal.Actor.system("contracts"))
    owner = await make_user(system)
    as_owner = db.acting_as(dal.Actor.user(owner.id))
    who, _, what = case.rpartition("_")
    me = as_owner
    if who == "other":
        other = await make_user(system, "Bob")
        me = db.acting_as(dal.Actor.user(other.id))
    elif who == "anonymous":
        me = db.acting_as(dal.Actor.anonymous())
    elif who == "system":
        me = system
    word = f"w{uuid4().hex}"
    world = World(case, db, clock, system, me, owner, as_owner, uuid4(), word)
    if counting in ("count_public", "count_all", "statistics"):
        world.counted = await counted(system, counting)
    if what == "absent":
        return world
    private = what == "private" or case == "own_orphan"
    world.template = await as_owner.templates.create(
        id=world.id,
        name=f"A {word} template",
        content="Say {{what}}",
        description="for contracts",
        category=f"C {word}",
        tags=["Red", "grün", "\U0001f600"],
        visibility="private" if private else "public",
        # Far ahead, so that it is on the first page of every list.
        created_at=datetime(9000, 1, 1, tzinfo=UTC) + timedelta(seconds=next(_numbers)),
    )
    if what == "deleted":
        await as_owner.templates.soft_delete(world.id)
    if what == "orphan":
        await system.users.soft_delete(owner.id)
    clock.move(timedelta(seconds=1))
    return world


async def counted(system: dal.Session, method: str) -> int:
    if method == "statistics":
        return (await system.templates.statistics()).templates
    number: int = await getattr(system.templates, method)()
    return number


def _in(world: World, rows: tuple[dal.TemplateSummary, ...]) -> bool:
    shown = [row for row in rows if row.id == world.id]
    if shown and world.template is not None:
        fields = ("name", "description", "category", "tags", "visibility", "created_at")
        for field in fields:
            assert getattr(shown[0], field) == getattr(world.template, field)
    return len(shown) == 1


async def _find(w: World) -> bool:
    found = await w.me.templates.find(w.id)
    return found is not None and found == w.template


async def _list_versions(w: World) -> bool:
    page = await w.me.templates.list_versions(w.id)
    assert page.next is None
    return [(row.template_id, row.version, row.content_chars) for row in page.rows] == [
        (w.id, 1, len("Say {{what}}"))
    ]


async def _get_version(w: World) -> bool:
    version = await w.me.templates.get_version(w.id, 1)
    return (version.template_id, version.content) == (w.id, "Say {{what}}")


async def _stream(w: World) -> bool:
    return [t.id async for t in w.me.templates.stream_mine()] == [w.id]


async def _create(w: World) -> bool:
    made = await w.me.templates.create(
        name="new", content="new", tags=["New", "Näw"], id=w.id, owner_id=w.for_owner
    )
    return made == await w.as_owner.templates.get(w.id)


async def _create_many(w: World) -> bool:
    made = await w.me.templates.create_many([w.new()], owner_id=w.for_owner)
    return made == [await w.as_owner.templates.get(w.id)]


async def _update_details(w: World) -> bool:
    back = await w.me.templates.update_details(
        w.id, name="other name", description=None, tags=["Blue"], category="Other"
    )
    assert (back.name, back.description, back.category) == ("other name", None, "other")
    return back == await w.as_owner.templates.get(w.id) and back.tags == {"Blue"}


async def _commit(w: World) -> bool:
    back = await w.me.templates.commit(w.id, content="Say less", message="shorter")
    fresh = await w.as_owner.templates.get_version(w.id, 2)
    head = await w.as_owner.templates.get(w.id)
    return back == fresh and (head.head_version, head.content) == (2, "Say less")


async def _soft_delete(w: World) -> bool:
    await w.me.templates.soft_delete(w.id)
    fresh = await w.as_owner.templates.get_including_deleted(w.id)
    return fresh.deleted_at is not None and not await w.as_owner.templates.exists(w.id)


async def _restore(w: World) -> bool:
    back = await w.me.templates.restore(w.id)
    fresh = await w.as_owner.templates.get(w.id)
    assert w.template is not None
    # The very same as before it was deleted, but for the time of the change.
    assert attrs.evolve(back, updated_at=w.template.updated_at) == w.template
    return back == fresh


async def _purge(w: World) -> bool:
    await w.me.templates.purge(w.id)
    return not await w.as_owner.templates.list_taken_ids([w.id])


async def _purge_deleted(w: World) -> bool:
    there = await w.as_owner.templates.list_taken_ids([w.id])
    while await w.me.templates.purge_deleted(older_than=timedelta(0)) == 1000:
        pass
    return bool(there) and not await w.as_owner.templates.list_taken_ids([w.id])


async def _category_counts(w: World) -> bool:
    slug = f"c-{w.word}"
    counts = [c for c in await w.me.templates.list_category_counts() if c.slug == slug]
    assert [c.templates for c in counts] in ([], [1])
    return bool(counts)


def _more(method: str) -> Callable[[World], Awaitable[bool]]:
    async def ask(w: World) -> bool:
        more = await counted(w.me, method) - w.counted
        assert more in (0, 1)
        return more == 1

    return ask


async def _get(w: World) -> bool:
    return await w.me.templates.get(w.id) == w.template


async def _exists(w: World) -> bool:
    return await w.me.templates.exists(w.id)


async def _get_including_deleted(w: World) -> bool:
    found = await w.me.templates.get_including_deleted(w.id)
    assert w.template is not None
    changed: dict[str, Any] = {"updated_at": found.updated_at, "deleted_at": found.deleted_at}
    assert (found.deleted_at is not None) == w.case.endswith("deleted")
    return found == attrs.evolve(w.template, **changed)


async def _list_mine(w: World) -> bool:
    return _in(w, (await w.me.templates.list_mine()).rows)


async def _list_trash(w: World) -> bool:
    return _in(w, (await w.me.templates.list_trash()).rows)


async def _list_public(w: World) -> bool:
    return _in(w, (await w.me.templates.list_public()).rows)


async def _list_all(w: World) -> bool:
    return _in(w, (await w.me.templates.list_all()).rows)


async def _search(w: World) -> bool:
    return _in(w, (await w.me.templates.search(w.word.upper())).rows)


async def _count_mine(w: World) -> bool:
    return await w.me.templates.count_mine() == 1


async def _count_trash(w: World) -> bool:
    return await w.me.templates.count_trash() == 1


async def _list_taken_ids(w: World) -> bool:
    return await w.me.templates.list_taken_ids([uuid4(), w.id]) == {w.id}


TEMPLATE_ASKS: Final[dict[str, Callable[[World], Awaitable[bool]]]] = {
    "get": _get,
    "find": _find,
    "exists": _exists,
    "get_including_deleted": _get_including_deleted,
    "get_version": _get_version,
    "list_versions": _list_versions,
    "list_mine": _list_mine,
    "list_trash": _list_trash,
    "list_public": _list_public,
    "list_all": _list_all,
    "stream_mine": _stream,
    "count_mine": _count_mine,
    "count_trash": _count_trash,
    "count_public": _more("count_public"),
    "count_all": _more("count_all"),
    "statistics": _more("statistics"),
    "list_category_counts": _category_counts,
    "list_taken_ids": _list_taken_ids,
    "search": _search,
    "create": _create,
    "create_many": _create_many,
    "update_details": _update_details,
    "commit": _commit,
    "soft_delete": _soft_delete,
    "restore": _restore,
    "purge": _purge,
    "purge_deleted": _purge_deleted,
}


async def user_world(db: dal.Database, clock: dal.ManualClock, case: str) -> World:
    system = db.acting_as(dal.Actor.system("contracts"))
    n_before = await system.users.count()
    user = await make_user(system)
    as_user = db.acting_as(dal.Actor.user(user.id))
    me = as_user
    if case.startswith("other"):
        me = db.acting_as(dal.Actor.user(uuid4()))
    elif case == "anonymous":
        me = db.acting_as(dal.Actor.anonymous())
    elif case.startswith("system"):
        me = system
    world = World(case, db, clock, system, me, user, as_user, user.id, "", counted=n_before)
    clock.move(timedelta(seconds=1))
    if case.endswith("deleted"):
        await system.users.soft_delete(user.id)
    if case.endswith("absent"):
        await system.users.soft_delete(user.id)
        world.id = uuid4()
        world.owner = attrs.evolve(user, id=world.id, email=f"{world.id}@nobody.example")
    return world


async def _user_create(w: World) -> bool:
    email = f"{uuid4()}@contracts.example"
    made = await w.me.users.create(email=f" {email.upper()} ", full_name="Zoë", id=w.id)
    assert (made.id, made.email, made.full_name, made.deleted_at) == (w.id, email, "Zoë", None)
    return made == await w.system.users.get(w.id)


async def _user_find(w: World) -> bool:
    return await w.me.users.find(w.id) == w.owner


async def _user_get(w: World) -> bool:
    return await w.me.users.get(w.id) == w.owner


async def _user_find_by_email(w: World) -> bool:
    return await w.me.users.find_by_email(f"  {w.owner.email.upper()}") == w.owner


async def _user_count(w: World) -> bool:
    return await w.me.users.count() == w.counted + 1


async def _user_soft_delete(w: World) -> bool:
    await w.me.users.soft_delete(w.id)
    return await w.system.users.find(w.id) is None


async def _user_restore(w: World) -> bool:
    back = await w.me.users.restore(w.id)
    assert attrs.evolve(back, updated_at=w.owner.updated_at) == w.owner
    return back == await w.as_owner.users.get(w.id)


USER_ASKS: Final[dict[str, Callable[[World], Awaitable[bool]]]] = {
    "create": _user_create,
    "find": _user_find,
    "get": _user_get,
    "find_by_email": _user_find_by_email,
    "count": _user_count,
    "soft_delete": _user_soft_delete,
    "restore": _user_restore,
}


async def audit_world(db: dal.Database, clock: dal.ManualClock, case: str) -> World:
    world = await template_world(db, clock, "own_private")
    world.case = case
    if case == "other":
        world.me = db.acting_as(dal.Actor.user((await make_user(world.system, "Bob")).id))
    elif case == "anonymous":
        world.me = db.acting_as(dal.Actor.anonymous())
    elif case.startswith("system"):
        world.me = world.system
    if case in ("system_deleted", "system_purged"):
        await world.as_owner.templates.soft_delete(world.id)
    if case == "system_purged":
        await world.as_owner.templates.purge(world.id)
    if case == "self_deleted":
        await world.system.users.soft_delete(world.owner.id)
    if case == "system_absent":
        world.id = uuid4()
    return world


async def _audit_mine(w: World) -> bool:
    entries = (await w.me.audit.list_mine()).rows
    assert all(entry.actor_id == w.me.actor.id for entry in entries)
    return [e.action for e in entries if e.target_id == w.id] == ["template.create"]


async def _audit_target(w: World) -> bool:
    entries = (await w.me.audit.list_of_target("template", w.id)).rows
    assert all((e.target_type, e.target_id) == ("template", w.id) for e in entries)
    return [e.action for e in entries][-1:] == ["template.create"]


AUDIT_ASKS: Final[dict[str, Callable[[World], Awaitable[bool]]]] = {
    "list_mine": _audit_mine,
    "list_of_target": _audit_target,
}
