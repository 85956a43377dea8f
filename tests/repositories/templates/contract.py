"""What every public method of templates does in every case; the words are in contracts.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import attrs

import dal
from dal.repositories.vocabulary.words import Vocabulary
from tests.repositories.contracts import Contract, World, make_user, numbers

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
    "get":                        "yes yes NF NF NF     NF yes NF NF     NF yes   yes NF NF NF",
    "find":                       "yes yes no no no     no yes no no     no yes   yes no no no",
    "exists":                     "yes yes no no no     no yes no no     no yes   yes no no no",
    "trash.get_including_deleted":
                                  "yes yes yes NF NF    NF NF NF NF      PD PD    PD PD PD PD",
    "versions.get":               "yes yes NF NF NF     NF yes NF NF     NF yes   yes NF NF NF",
    "versions.list_of":           "yes yes NF NF NF     NF yes NF NF     NF yes   yes NF NF NF",
    "versions.diff":              "yes yes NF NF NF     NF yes NF NF     NF yes   yes NF NF NF",
    "labels.get_version":         "yes yes NF NF NF     NF yes NF NF     NF yes   yes NF NF NF",
    "labels.list_of":             "yes yes NF NF NF     NF yes NF NF     NF yes   yes NF NF NF",
    "labels.list_moves":          "yes yes NF NF NF     NF yes NF NF     NF yes   yes NF NF NF",
    "ratings.list_of":            "yes yes NF NF NF     NF yes NF NF     NF yes   yes NF NF NF",
    "ratings.get_distribution":   "yes yes NF NF NF     NF yes NF NF     NF yes   yes NF NF NF",
    "ratings.find_mine":          "yes yes no no no     no yes no no     PD PD    PD PD PD PD",
    "list_mine":                  "yes yes no no no     no no no no      PD PD    PD PD PD PD",
    "trash.list_mine":            "no no yes no no      no no no no      PD PD    PD PD PD PD",
    "list_public":                "no yes no no no      no yes no no     no yes   no no no no",
    "list_all":                   "PD PD PD PD PD       PD PD PD PD      PD PD    yes no no no",
    "exchange.stream":            "yes yes no no no     no no no no      PD PD    PD PD PD PD",
    "exchange.export":            "yes yes no no no     no no no no      PD PD    PD PD PD PD",
    "count_mine":                 "yes yes no no no     no no no no      PD PD    PD PD PD PD",
    "trash.count_mine":           "no no yes no no      no no no no      PD PD    PD PD PD PD",
    "count_public":               "no yes no no no      no yes no no     no yes   no no no no",
    "count_all":                  "PD PD PD PD PD       PD PD PD PD      PD PD    yes no no no",
    "usage.statistics":           "yes yes no no no     no yes no no     no yes   yes no no no",
    "exchange.list_taken_ids":    "yes yes yes yes no   no no no no      PD PD    PD PD PD PD",
    # the system finds what is private too
    "search":                     "yes yes no no no     no yes no no     no yes   yes no no no",
    "count_search":               "yes yes no no no     no yes no no     no yes   yes no no no",
    # with the id of the case's template, for the case's owner where the system asks
    "create":                     "UQ UQ UQ PM yes      UQ UQ UQ UQ      PD PD    UQ UQ PM yes",
    "exchange.create_many":       "UQ UQ UQ PM yes      UQ UQ UQ UQ      PD PD    UQ UQ PM yes",
    # a new one, of whoever may see the case's
    "versions.fork":              "yes yes NF NF NF     NF yes NF NF     PD PD    UE UE UE UE",
    "update_details":             "yes yes NF NF NF     NF PD NF NF      NF PD    PD NF NF NF",
    "versions.commit":            "yes yes NF NF NF     NF PD NF NF      NF PD    PD NF NF NF",
    "versions.rollback":          "yes yes NF NF NF     NF PD NF NF      NF PD    PD NF NF NF",
    "versions.delete":            "yes yes NF NF NF     NF PD NF NF      NF PD    PD NF NF NF",
    "labels.set":                 "yes yes NF NF NF     NF PD NF NF      NF PD    PD NF NF NF",
    "labels.remove":              "yes yes NF NF NF     NF PD NF NF      NF PD    PD NF NF NF",
    # by each user who sees it
    "ratings.set":                "yes yes NF NF NF     NF yes NF NF     NF PD    PD NF NF NF",
    "ratings.remove":             "yes yes NF NF NF     NF yes NF NF     NF PD    PD NF NF NF",
    # by the system too
    "usage.record":               "yes yes NF NF NF     NF yes NF NF     NF PD    yes NF NF NF",
    "soft_delete":                "yes yes NF NF NF     NF PD NF NF      NF PD    PD NF NF NF",
    "restore":                    "NF NF yes NF NF      NF PD NF NF      NF PD    PD NF NF NF",
    "trash.purge":                "NF NF yes NF NF      NF PD NF NF      NF PD    PD NF NF NF",
    "trash.purge_deleted":        "PD PD PD PD PD       PD PD PD PD      PD PD    no yes no no",
    # whatever there is
    "search_statistics.refresh":  "PD PD PD PD PD       PD PD PD PD      PD PD    yes yes yes yes",
}  # fmt: skip

# What a viewer does: reads as any user, changes nothing. A case of each kind is enough.
VIEWER_CASES: Final = ["own_private", "own_deleted", "absent", "other_private", "other_public"]


# What a viewer does all the same: to use a template is to read it.
FOR_VIEWERS: Final = frozenset({"usage.record"})

# An admin is any user to the templates of others.
ADMIN_CASES: Final = ["other_private", "other_public", "other_deleted"]

# What is told of, and denied, without saying which template.
NO_TARGET: Final = frozenset(
    {
        "create",
        "exchange.create_many",
        "versions.fork",
        "trash.purge_deleted",
        "search_statistics.refresh",
    }
)
# What the audit log calls a changing method, where that is not the name of the method itself.
_ACTIONS: Final = {
    "labels.remove": "remove_label",
    "labels.set": "set_label",
    "ratings.remove": "remove_rating",
    "ratings.set": "rate",
    "search_statistics.refresh": "refresh_search_statistics",
    "usage.record": "record_use",
    "versions.delete": "delete_version",
}


def action_of(method: str) -> str:
    """What the audit log calls a changing method."""
    return f"template.{_ACTIONS.get(method, method.rpartition('.')[2])}"


def template_word(method: str, case: str) -> str:
    """The word of the table."""
    return CONTRACT.word(method, case)


def viewer_word(method: str, case: str) -> str:
    """The word for a viewer, who is told of everything but that the change is not theirs."""
    if CONTRACT.changes(method) and method not in FOR_VIEWERS:
        return "PD"
    return template_word(method, case)


# What has to be there before a method finds or changes something.
WITH_VERSIONS: Final = frozenset(
    {
        "versions.diff",
        "labels.get_version",
        "versions.rollback",
        "versions.delete",
        "labels.set",
        "exchange.export",
    }
)
WITH_LABEL: Final = frozenset(
    {
        "labels.get_version",
        "labels.list_of",
        "labels.list_moves",
        "labels.remove",
        "exchange.export",
    }
)
WITH_RATING: Final = frozenset(
    {"ratings.find_mine", "ratings.list_of", "ratings.get_distribution", "ratings.remove"}
)
COUNTED: Final = {
    "count_public": "me",
    "usage.statistics": "me",
    "count_all": "system",
}


async def template_world(
    db: dal.Database, clock: dal.ManualClock, case: str, method: str = ""
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
    # Of words that are as frequent, the newest comes first: it is among the first of a list.
    word = f"w{10**9 - next(numbers)}{uuid4().hex}"
    world = World(case, db, clock, system, me, owner, as_owner, uuid4(), word)
    if method in COUNTED:
        world.counted = await counted(me if COUNTED[method] == "me" else system, method)
    if what == "absent":
        clock.move(timedelta(seconds=1))
        return world
    private = what == "private" or case == "own_orphan"
    await as_owner.templates.create(
        id=world.id,
        name=f"A {word} template",
        content="Say {{what}}",
        description="for contracts",
        category=world.category,
        tags=["Red", "grün", "\U0001f600", world.tag],
        visibility="private" if private else "public",
        # Far ahead, so that it is on the first page of every list.
        created_at=datetime(9000, 1, 1, tzinfo=UTC) + timedelta(seconds=next(numbers)),
    )
    await _prepare(world, method)
    world.template = await as_owner.templates.get(world.id)
    if what == "deleted":
        await as_owner.templates.soft_delete(world.id)
    if what == "orphan":
        await system.users.soft_delete(owner.id)
    clock.move(timedelta(seconds=1))
    return world


async def _prepare(world: World, method: str) -> None:
    """What the method is about, while everything is live."""
    mine = world.as_owner.templates
    if method in WITH_VERSIONS:
        await mine.versions.commit(world.id, content="Say nothing")
    if method in WITH_LABEL:
        await mine.labels.set(world.id, " Production ", 1)
    if method in WITH_RATING:
        made = await mine.get(world.id)
        await mine.update_details(world.id, visibility="public")
        rater = world.me if world.me.actor.is_user else world.as_owner
        await rater.templates.ratings.set(world.id, 4, feedback="näht")
        # Who rated it sees it no longer.
        await mine.update_details(world.id, visibility=made.visibility)
    if method in ("categories.rename", "categories.merge"):
        await mine.create(name="there", content="c", category=world.target)
        async with world.system.begin() as tx:
            found = await Vocabulary(tx).categories([world.category], world.clock.now())
        world.category_id = found[world.slug].id


async def as_admin(world: World, *, stale: bool = False) -> World:
    """The same world, whose actor is an admin by now, or was one."""
    assert world.me.actor.id is not None
    if not stale:
        await world.system.users.access.change_role(world.me.actor.id, dal.Role.ADMIN)
    actor = dal.Actor.user(world.me.actor.id, role=dal.Role.ADMIN, request_id=uuid4().hex)
    world.me = world.db.acting_as(actor)
    return world


async def as_viewer(world: World) -> World:
    """The same world, whose actor is a viewer by now."""
    assert world.me.actor.id is not None
    await world.system.users.access.change_role(world.me.actor.id, dal.Role.VIEWER)
    actor = dal.Actor.user(world.me.actor.id, role=dal.Role.VIEWER, request_id=uuid4().hex)
    world.me = world.db.acting_as(actor)
    return world


async def counted(system: dal.Session, method: str) -> int:
    if method == "usage.statistics":
        return (await system.templates.usage.statistics()).templates
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
    page = await w.me.templates.versions.list_of(w.id)
    assert page.next is None
    return [(row.template_id, row.version, row.content_chars) for row in page.rows] == [
        (w.id, 1, len("Say {{what}}"))
    ]


async def _get_version(w: World) -> bool:
    version = await w.me.templates.versions.get(w.id, 1)
    return (version.template_id, version.content) == (w.id, "Say {{what}}")


async def _stream(w: World) -> bool:
    return [t.id async for t in w.me.templates.exchange.stream()] == [w.id]


async def _create(w: World) -> bool:
    made = await w.me.templates.create(
        name="new", content="new", tags=["New", "Näw"], id=w.id, owner_id=w.for_owner
    )
    return made == await w.as_owner.templates.get(w.id)


async def _create_many(w: World) -> bool:
    made = await w.me.templates.exchange.create_many([w.new()], owner_id=w.for_owner)
    return made == [await w.as_owner.templates.get(w.id)]


async def _update_details(w: World) -> bool:
    back = await w.me.templates.update_details(
        w.id, name="other name", description=None, tags=[f"Blue {w.word}"], category="Other"
    )
    assert (back.name, back.description, back.category) == ("other name", None, "other")
    return back == await w.as_owner.templates.get(w.id) and back.tags == {f"Blue {w.word}"}


async def _commit(w: World) -> bool:
    back = await w.me.templates.versions.commit(w.id, content="Say less", message="shorter")
    fresh = await w.as_owner.templates.versions.get(w.id, 2)
    head = await w.as_owner.templates.get(w.id)
    return back == fresh and (head.head_version, head.content) == (2, "Say less")


async def _soft_delete(w: World) -> bool:
    await w.me.templates.soft_delete(w.id)
    fresh = await w.as_owner.templates.trash.get_including_deleted(w.id)
    return fresh.deleted_at is not None and not await w.as_owner.templates.exists(w.id)


async def _restore(w: World) -> bool:
    back = await w.me.templates.restore(w.id)
    fresh = await w.as_owner.templates.get(w.id)
    assert w.template is not None
    # The very same as before it was deleted, but for the time of the change.
    assert attrs.evolve(back, updated_at=w.template.updated_at) == w.template
    return back == fresh


async def _diff(w: World) -> bool:
    found = await w.me.templates.versions.diff(w.id, 1, 2)
    assert found.system_prompt == ""
    return found.content.split("\n")[-2:] == ["-Say {{what}}", "+Say nothing"]


async def _get_labelled(w: World) -> bool:
    labelled = await w.me.templates.labels.get_version(w.id)
    assert labelled == await w.me.templates.labels.get_version(w.id, "PRODUCTION")
    newest = await w.me.templates.labels.get_version(w.id, "latest")
    assert (newest.version, newest.content) == (2, "Say nothing")
    return (labelled.template_id, labelled.version, labelled.content) == (w.id, 1, "Say {{what}}")


async def _list_labels(w: World) -> bool:
    labels = await w.me.templates.labels.list_of(w.id)
    return [(x.template_id, x.label, x.version, x.moved_by) for x in labels] == [
        (w.id, "production", 1, w.owner.id)
    ]


async def _list_label_moves(w: World) -> bool:
    page = await w.me.templates.labels.list_moves(w.id)
    assert page.next is None
    return [
        (x.template_id, x.label, x.from_version, x.to_version, x.moved_by) for x in page.rows
    ] == [(w.id, "production", None, 1, w.owner.id)]


async def _set_label(w: World) -> bool:
    back = await w.me.templates.labels.set(w.id, "Staging", 1)
    fresh = await w.as_owner.templates.labels.list_of(w.id)
    assert (back.label, back.version) == ("staging", 1)
    return fresh == [back]


async def _remove_label(w: World) -> bool:
    await w.me.templates.labels.remove(w.id, "production")
    last = (await w.as_owner.templates.labels.list_moves(w.id)).rows[0]
    assert (last.from_version, last.to_version) == (1, None)
    return await w.as_owner.templates.labels.list_of(w.id) == []


async def _rollback(w: World) -> bool:
    back = await w.me.templates.versions.rollback(w.id, 1)
    fresh = await w.as_owner.templates.versions.get(w.id, 3)
    head = await w.as_owner.templates.get(w.id)
    assert back == fresh
    return (head.head_version, head.content) == (3, "Say {{what}}")


async def _delete_version(w: World) -> bool:
    await w.me.templates.versions.delete(w.id, 2)
    head = await w.as_owner.templates.get(w.id)
    left = await w.as_owner.templates.versions.list_of(w.id)
    assert (head.head_version, head.content) == (1, "Say {{what}}")
    return [row.version for row in left.rows] == [1]


async def _fork(w: World) -> bool:
    back = await w.me.templates.versions.fork(w.id, id=w.fork_id)
    assert w.template is not None
    assert (back.forked_from_id, back.forked_from_version) == (w.id, 1)
    assert (back.content, back.tags) == (w.template.content, w.template.tags)
    assert (back.owner_id, back.visibility) == (w.me.actor.id, dal.Visibility.PRIVATE)
    assert await w.as_owner.templates.get(w.id) == w.template
    return back == await w.me.templates.get(w.fork_id)


def _rater(w: World) -> UUID:
    """Who rated the case's template."""
    return w.owner.id if w.me.actor.id is None else w.me.actor.id


async def _rate(w: World) -> bool:
    back = await w.me.templates.ratings.set(w.id, 5, feedback="")
    fresh = await w.as_owner.templates.get(w.id)
    assert (fresh.rating_sum, fresh.rating_count) == (5, 1)
    return (await w.as_owner.templates.ratings.list_of(w.id)).rows == (back,)


async def _remove_rating(w: World) -> bool:
    await w.me.templates.ratings.remove(w.id)
    fresh = await w.as_owner.templates.get(w.id)
    assert (fresh.rating_sum, fresh.rating_count) == (0, 0)
    return (await w.as_owner.templates.ratings.list_of(w.id)).rows == ()


async def _find_my_rating(w: World) -> bool:
    found = await w.me.templates.ratings.find_mine(w.id)
    if found is None:
        return False
    return (found.template_id, found.user_id, found.rating, found.feedback) == (
        w.id, w.me.actor.id, 4, "näht",
    )  # fmt: skip


async def _list_ratings(w: World) -> bool:
    page = await w.me.templates.ratings.list_of(w.id)
    assert page.next is None
    return [(x.user_id, x.rating, x.feedback) for x in page.rows] == [(_rater(w), 4, "näht")]


async def _rating_distribution(w: World) -> bool:
    found = await w.me.templates.ratings.get_distribution(w.id)
    assert (found.sum, found.count) == (4, 1)
    return found == dal.RatingDistribution(0, 0, 0, 1, 0)


async def _record_use(w: World) -> bool:
    await w.me.templates.usage.record(w.id)
    fresh = await w.as_owner.templates.get(w.id)
    return fresh.use_count == 1 and fresh.trend > 0


async def _export(w: World) -> bool:
    found = [one async for one in w.me.templates.exchange.export()]
    if not found:
        return False
    (one,) = found
    assert one.template == w.template
    assert [(v.version, v.content) for v in one.versions] == [
        (1, "Say {{what}}"), (2, "Say nothing"),
    ]  # fmt: skip
    return (one.labels, one.last_version) == ((("production", 1),), 2)


async def _refresh(w: World) -> bool:
    back = await w.me.templates.search_statistics.refresh()
    # Those of deleted users are counted too.
    return back.updated_at == w.clock.now() and (
        back.documents >= await w.system.templates.count_public()
    )


async def _purge(w: World) -> bool:
    await w.me.templates.trash.purge(w.id)
    return not await w.as_owner.templates.exchange.list_taken_ids([w.id])


async def _purge_deleted(w: World) -> bool:
    there = await w.as_owner.templates.exchange.list_taken_ids([w.id])
    while await w.me.templates.trash.purge_deleted(older_than=timedelta(0)) == 1000:
        pass
    return bool(there) and not await w.as_owner.templates.exchange.list_taken_ids([w.id])


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
    found = await w.me.templates.trash.get_including_deleted(w.id)
    assert w.template is not None
    changed: dict[str, Any] = {"updated_at": found.updated_at, "deleted_at": found.deleted_at}
    assert (found.deleted_at is not None) == w.case.endswith("deleted")
    return found == attrs.evolve(w.template, **changed)


async def _list_mine(w: World) -> bool:
    return _in(w, (await w.me.templates.list_mine()).rows)


async def _list_trash(w: World) -> bool:
    return _in(w, (await w.me.templates.trash.list_mine()).rows)


async def _list_public(w: World) -> bool:
    return _in(w, (await w.me.templates.list_public()).rows)


async def _list_all(w: World) -> bool:
    return _in(w, (await w.me.templates.list_all()).rows)


async def _search(w: World) -> bool:
    hits = (await w.me.templates.search(w.word.upper())).rows
    by_word = _in(w, tuple(hit.template for hit in hits))
    hits = (await w.me.templates.search(category=w.category)).rows
    assert _in(w, tuple(hit.template for hit in hits)) == by_word
    return by_word


async def _count_search(w: World) -> bool:
    by_word = await w.me.templates.count_search(w.word.upper())
    assert await w.me.templates.count_search(category=w.category) == by_word
    return by_word == 1


async def _count_mine(w: World) -> bool:
    return await w.me.templates.count_mine() == 1


async def _count_trash(w: World) -> bool:
    return await w.me.templates.trash.count_mine() == 1


async def _list_taken_ids(w: World) -> bool:
    return await w.me.templates.exchange.list_taken_ids([uuid4(), w.id]) == {w.id}


TEMPLATE_ASKS: Final[dict[str, Callable[[World], Awaitable[bool]]]] = {
    "get": _get,
    "find": _find,
    "exists": _exists,
    "trash.get_including_deleted": _get_including_deleted,
    "versions.get": _get_version,
    "versions.list_of": _list_versions,
    "list_mine": _list_mine,
    "trash.list_mine": _list_trash,
    "list_public": _list_public,
    "list_all": _list_all,
    "exchange.stream": _stream,
    "count_mine": _count_mine,
    "trash.count_mine": _count_trash,
    "count_public": _more("count_public"),
    "count_all": _more("count_all"),
    "usage.statistics": _more("usage.statistics"),
    "versions.diff": _diff,
    "labels.get_version": _get_labelled,
    "labels.list_of": _list_labels,
    "labels.list_moves": _list_label_moves,
    "ratings.list_of": _list_ratings,
    "ratings.get_distribution": _rating_distribution,
    "ratings.find_mine": _find_my_rating,
    "exchange.export": _export,
    "count_search": _count_search,
    "versions.fork": _fork,
    "versions.rollback": _rollback,
    "versions.delete": _delete_version,
    "labels.set": _set_label,
    "labels.remove": _remove_label,
    "ratings.set": _rate,
    "ratings.remove": _remove_rating,
    "usage.record": _record_use,
    "search_statistics.refresh": _refresh,
    "exchange.list_taken_ids": _list_taken_ids,
    "search": _search,
    "create": _create,
    "exchange.create_many": _create_many,
    "update_details": _update_details,
    "versions.commit": _commit,
    "soft_delete": _soft_delete,
    "restore": _restore,
    "trash.purge": _purge,
    "trash.purge_deleted": _purge_deleted,
}

CONTRACT: Final = Contract("templates.", TEMPLATE_CASES, TEMPLATES, TEMPLATE_ASKS, template_world)
