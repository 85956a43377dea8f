"""What every public method does in every case, as tables: a row a method, a word a case.

=====  ============================================================================
yes    it found, gave, counted or changed the row of the case
no     it did not: None, False, 0, or a list without it
NF     NotFoundError
PD     PermissionDeniedError
UQ     UniqueError
PM     ParentMissingError
AE     AuthenticationError
UE     UsageError
=====  ============================================================================
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal import (
    AuthenticationError,
    NotFoundError,
    ParentMissingError,
    PermissionDeniedError,
    UniqueError,
    UsageError,
)
from dal.repositories.base import CHANGING_METHODS, Repository
from dal.repositories.vocabulary import Vocabulary
from tests.repositories.data import asked_again

ERRORS: Final[dict[str, type[dal.DalError]]] = {
    "NF": NotFoundError,
    "PD": PermissionDeniedError,
    "UQ": UniqueError,
    "PM": ParentMissingError,
    "AE": AuthenticationError,
    "UE": UsageError,
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
    "diff":                  "yes yes NF NF NF       NF yes NF NF       NF yes     yes NF NF NF",
    "get_labelled":          "yes yes NF NF NF       NF yes NF NF       NF yes     yes NF NF NF",
    "list_labels":           "yes yes NF NF NF       NF yes NF NF       NF yes     yes NF NF NF",
    "list_label_moves":      "yes yes NF NF NF       NF yes NF NF       NF yes     yes NF NF NF",
    "list_ratings":          "yes yes NF NF NF       NF yes NF NF       NF yes     yes NF NF NF",
    "get_rating_distribution":
                             "yes yes NF NF NF       NF yes NF NF       NF yes     yes NF NF NF",
    "find_my_rating":        "yes yes no no no       no yes no no       PD PD      PD PD PD PD",
    "list_mine":             "yes yes no no no       no no no no        PD PD      PD PD PD PD",
    "list_trash":            "no no yes no no        no no no no        PD PD      PD PD PD PD",
    "list_public":           "no yes no no no        no yes no no       no yes     no no no no",
    "list_all":              "PD PD PD PD PD         PD PD PD PD        PD PD      yes no no no",
    "stream_mine":           "yes yes no no no       no no no no        PD PD      PD PD PD PD",
    "export_mine":           "yes yes no no no       no no no no        PD PD      PD PD PD PD",
    "count_mine":            "yes yes no no no       no no no no        PD PD      PD PD PD PD",
    "count_trash":           "no no yes no no        no no no no        PD PD      PD PD PD PD",
    "count_public":          "no yes no no no        no yes no no       no yes     no no no no",
    "count_all":             "PD PD PD PD PD         PD PD PD PD        PD PD      yes no no no",
    "statistics":            "yes yes no no no       no yes no no       no yes     yes no no no",
    "list_category_counts":  "yes yes no no no       no yes no no       no yes     yes no no no",
    "list_tag_counts":       "yes yes no no no       no yes no no       no yes     yes no no no",
    "list_taken_ids":        "yes yes yes yes no     no no no no        PD PD      PD PD PD PD",
    # the system searches what is public
    "search":                "yes yes no no no       no yes no no       no yes     no no no no",
    "count_search":          "yes yes no no no       no yes no no       no yes     no no no no",
    # with the id of the case's template, for the case's owner where the system asks
    "create":                "UQ UQ UQ PM yes        UQ UQ UQ UQ        PD PD      UQ UQ PM yes",
    "create_many":           "UQ UQ UQ PM yes        UQ UQ UQ UQ        PD PD      UQ UQ PM yes",
    # a new one, of whoever may see the case's
    "fork":                  "yes yes NF NF NF       NF yes NF NF       PD PD      UE UE UE UE",
    "update_details":        "yes yes NF NF NF       NF PD NF NF        NF PD      PD NF NF NF",
    "commit":                "yes yes NF NF NF       NF PD NF NF        NF PD      PD NF NF NF",
    "rollback":              "yes yes NF NF NF       NF PD NF NF        NF PD      PD NF NF NF",
    "delete_version":        "yes yes NF NF NF       NF PD NF NF        NF PD      PD NF NF NF",
    "set_label":             "yes yes NF NF NF       NF PD NF NF        NF PD      PD NF NF NF",
    "remove_label":          "yes yes NF NF NF       NF PD NF NF        NF PD      PD NF NF NF",
    # by each user who sees it
    "rate":                  "yes yes NF NF NF       NF yes NF NF       NF PD      PD NF NF NF",
    "remove_rating":         "yes yes NF NF NF       NF yes NF NF       NF PD      PD NF NF NF",
    # by the system too
    "record_use":            "yes yes NF NF NF       NF yes NF NF       NF PD      yes NF NF NF",
    "soft_delete":           "yes yes NF NF NF       NF PD NF NF        NF PD      PD NF NF NF",
    "restore":               "NF NF yes NF NF        NF PD NF NF        NF PD      PD NF NF NF",
    "purge":                 "NF NF yes NF NF        NF PD NF NF        NF PD      PD NF NF NF",
    "purge_deleted":         "PD PD PD PD PD         PD PD PD PD        PD PD      no yes no no",
    # the category of the case's template, which it outlives
    "rename_category":       "PD PD PD PD PD         PD PD PD PD        PD PD      yes yes yes NF",
    "merge_categories":      "PD PD PD PD PD         PD PD PD PD        PD PD      yes yes yes NF",
    # whatever there is
    "refresh_search_statistics":
                             "PD PD PD PD PD         PD PD PD PD        PD PD      yes yes yes yes",
}  # fmt: skip

# What a viewer does: reads as any user, changes nothing. A case of each kind is enough.
VIEWER_CASES: Final = ["own_private", "own_deleted", "absent", "other_private", "other_public"]


# What a viewer does all the same: to use a template is to read it.
FOR_VIEWERS: Final = frozenset({"record_use"})

# An admin is any user to the templates of others, but for the words that all share.
ADMIN_CASES: Final = ["other_private", "other_public", "other_deleted"]
FOR_ADMINS: Final = frozenset({"rename_category", "merge_categories"})

# What is told of, and denied, without saying which template.
NO_TARGET: Final = frozenset(
    {
        "create",
        "create_many",
        "fork",
        "purge_deleted",
        "rename_category",
        "merge_categories",
        "refresh_search_statistics",
    }
)
ACTIONS: Final = {"rename_category": "category.rename", "merge_categories": "category.merge"}


def action_of(method: str) -> str:
    """What the audit log calls a changing method."""
    return ACTIONS.get(method, f"template.{method}")


def template_word(method: str, case: str) -> str:
    """The word of the table."""
    return TEMPLATES[method].split()[TEMPLATE_CASES.index(case)]


def viewer_word(method: str, case: str) -> str:
    """The word for a viewer, who is told of everything but that the change is not theirs."""
    if f"TemplateRepository.{method}" in CHANGING_METHODS and method not in FOR_VIEWERS:
        return "PD"
    return template_word(method, case)


def admin_word(method: str, case: str) -> str:
    """The word for an admin."""
    return "yes" if method in FOR_ADMINS else template_word(method, case)


# Who asks, and for whom: oneself; an id that nobody has; somebody else, by a user, by nobody in
# particular, by an admin, by one who says so and whom the database calls a user, by the system.
USER_CASES: Final = [
    "self",
    "self_deleted",
    "absent",
    "other",
    "other_deleted",
    "anonymous",
    "admin",
    "admin_deleted",
    "admin_absent",
    "stale_admin",
    "system",
    "system_deleted",
    "system_absent",
]

USERS: Final[dict[str, str]] = {
    # own:                          own del abs  oth del  anon  adm del abs  stale  sys del abs
    # with the id of the case's user
    "create":                      "UQ UQ yes    UQ UQ    UQ    UQ UQ yes    UQ     UQ UQ yes",
    # whoever has what proves it, and for a user who is let in
    "authenticate":                "yes AE AE    yes AE   yes   yes AE AE    yes    yes AE AE",
    "reset_password":              "yes AE AE    yes AE   yes   yes AE AE    yes    yes AE AE",
    "verify_email":                "yes AE AE    yes AE   yes   yes AE AE    yes    yes AE AE",
    "is_password_reset_valid":     "yes no no    yes no   yes   yes no no    yes    yes no no",
    # the system, which issues sessions and sends mail
    "find_credentials_changed_at": "PD PD PD     PD PD    PD    PD PD PD     PD     yes no no",
    "issue_password_reset":        "PD PD PD     PD PD    PD    PD PD PD     PD     yes no no",
    "issue_email_verification":    "PD PD PD     PD PD    PD    PD PD PD     PD     yes NF NF",
    # oneself, admins, the system
    "find":                        "yes no no    no no    no    yes no no    no     yes no no",
    "get":                         "yes NF NF    NF NF    NF    yes NF NF    NF     yes NF NF",
    "get_preferences":             "yes NF NF    NF NF    NF    yes NF NF    NF     yes NF NF",
    "get_preference":              "yes NF NF    NF NF    NF    yes NF NF    NF     yes NF NF",
    "update_preferences":          "yes NF NF    NF NF    NF    yes NF NF    PD     yes NF NF",
    "unset_preference":            "yes NF NF    NF NF    NF    yes NF NF    PD     yes NF NF",
    "reset_preferences":           "yes NF NF    NF NF    NF    yes NF NF    PD     yes NF NF",
    "update_password":             "yes NF NF    NF NF    NF    yes NF NF    PD     yes NF NF",
    "update_details":              "yes NF NF    NF NF    NF    yes NF NF    PD     yes NF NF",
    "soft_delete":                 "yes NF NF    NF NF    NF    yes NF NF    PD     yes NF NF",
    # admins, the system
    "list_all":                    "PD PD PD     PD PD    PD    yes no no    PD     yes no no",
    "search":                      "PD PD PD     PD PD    PD    yes no no    PD     yes no no",
    "find_by_email":               "PD PD PD     PD PD    PD    yes no no    PD     yes no no",
    "count":                       "PD PD PD     PD PD    PD    yes no no    PD     yes no no",
    "statistics":                  "PD PD PD     PD PD    PD    yes no no    PD     yes no no",
    "new_by_day":                  "PD PD PD     PD PD    PD    yes no no    PD     yes no no",
    "list_by_email_including_deleted":
                                   "PD PD PD     PD PD    PD    yes yes no   PD     yes yes no",
    "get_including_deleted":       "PD PD PD     PD PD    PD    yes yes NF   PD     yes yes NF",
    "change_role":                 "PD PD PD     PD PD    PD    yes NF NF    PD     yes NF NF",
    "activate":                    "PD PD PD     PD PD    PD    yes NF NF    PD     yes NF NF",
    "deactivate":                  "PD PD PD     PD PD    PD    yes NF NF    PD     yes NF NF",
    "unlock":                      "PD PD PD     PD PD    PD    yes NF NF    PD     yes NF NF",
    "restore":                     "PD PD PD     PD PD    PD    NF yes NF    PD     NF yes NF",
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
    fork_id: UUID = attrs.field(factory=uuid4)
    category_id: UUID = attrs.field(factory=uuid4)
    affected: int = 1

    @property
    def category(self) -> str:
        """The name of the case's category, which no other has."""
        return f"C {self.word}"

    @property
    def slug(self) -> str:
        """Its slug."""
        return f"c-{self.word}"

    @property
    def tag(self) -> str:
        """A tag that no other case's template has."""
        return f"!{self.word}"

    @property
    def target(self) -> str:
        """A category that is there, and has templates."""
        return f"D {self.word}"

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


# What has to be there before a method finds or changes something.
WITH_VERSIONS: Final = frozenset(
    {"diff", "get_labelled", "rollback", "delete_version", "set_label", "export_mine"}
)
WITH_LABEL: Final = frozenset(
    {"get_labelled", "list_labels", "list_label_moves", "remove_label", "export_mine"}
)
WITH_RATING: Final = frozenset(
    {"find_my_rating", "list_ratings", "get_rating_distribution", "remove_rating"}
)
COUNTED: Final = {
    "count_public": "me",
    "statistics": "me",
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
    word = f"w{10**9 - next(_numbers)}{uuid4().hex}"
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
        created_at=datetime(9000, 1, 1, tzinfo=UTC) + timedelta(seconds=next(_numbers)),
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
        await mine.commit(world.id, content="Say nothing")
    if method in WITH_LABEL:
        await mine.set_label(world.id, " Production ", 1)
    if method in WITH_RATING:
        made = await mine.get(world.id)
        await mine.update_details(world.id, visibility="public")
        rater = world.me if world.me.actor.is_user else world.as_owner
        await rater.templates.rate(world.id, 4, feedback="näht")
        # Who rated it sees it no longer.
        await mine.update_details(world.id, visibility=made.visibility)
    if method in FOR_ADMINS:
        await mine.create(name="there", content="c", category=world.target)
        async with world.system.begin() as tx:
            found = await Vocabulary(tx).categories([world.category], world.clock.now())
        world.category_id = found[world.slug].id


async def as_admin(world: World, *, stale: bool = False) -> World:
    """The same world, whose actor is an admin by now, or was one."""
    assert world.me.actor.id is not None
    if not stale:
        await world.system.users.change_role(world.me.actor.id, dal.Role.ADMIN)
    actor = dal.Actor.user(world.me.actor.id, role=dal.Role.ADMIN, request_id=uuid4().hex)
    world.me = world.db.acting_as(actor)
    return world


async def as_viewer(world: World) -> World:
    """The same world, whose actor is a viewer by now."""
    assert world.me.actor.id is not None
    await world.system.users.change_role(world.me.actor.id, dal.Role.VIEWER)
    actor = dal.Actor.user(world.me.actor.id, role=dal.Role.VIEWER, request_id=uuid4().hex)
    world.me = world.db.acting_as(actor)
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


async def _diff(w: World) -> bool:
    found = await w.me.templates.diff(w.id, 1, 2)
    assert found.system_prompt == ""
    return found.content.split("\n")[-2:] == ["-Say {{what}}", "+Say nothing"]


async def _get_labelled(w: World) -> bool:
    labelled = await w.me.templates.get_labelled(w.id)
    assert labelled == await w.me.templates.get_labelled(w.id, "PRODUCTION")
    newest = await w.me.templates.get_labelled(w.id, "latest")
    assert (newest.version, newest.content) == (2, "Say nothing")
    return (labelled.template_id, labelled.version, labelled.content) == (w.id, 1, "Say {{what}}")


async def _list_labels(w: World) -> bool:
    labels = await w.me.templates.list_labels(w.id)
    return [(x.template_id, x.label, x.version, x.moved_by) for x in labels] == [
        (w.id, "production", 1, w.owner.id)
    ]


async def _list_label_moves(w: World) -> bool:
    page = await w.me.templates.list_label_moves(w.id)
    assert page.next is None
    return [
        (x.template_id, x.label, x.from_version, x.to_version, x.moved_by) for x in page.rows
    ] == [(w.id, "production", None, 1, w.owner.id)]


async def _set_label(w: World) -> bool:
    back = await w.me.templates.set_label(w.id, "Staging", 1)
    fresh = await w.as_owner.templates.list_labels(w.id)
    assert (back.label, back.version) == ("staging", 1)
    return fresh == [back]


async def _remove_label(w: World) -> bool:
    await w.me.templates.remove_label(w.id, "production")
    last = (await w.as_owner.templates.list_label_moves(w.id)).rows[0]
    assert (last.from_version, last.to_version) == (1, None)
    return await w.as_owner.templates.list_labels(w.id) == []


async def _rollback(w: World) -> bool:
    back = await w.me.templates.rollback(w.id, 1)
    fresh = await w.as_owner.templates.get_version(w.id, 3)
    head = await w.as_owner.templates.get(w.id)
    assert back == fresh
    return (head.head_version, head.content) == (3, "Say {{what}}")


async def _delete_version(w: World) -> bool:
    await w.me.templates.delete_version(w.id, 2)
    head = await w.as_owner.templates.get(w.id)
    left = await w.as_owner.templates.list_versions(w.id)
    assert (head.head_version, head.content) == (1, "Say {{what}}")
    return [row.version for row in left.rows] == [1]


async def _fork(w: World) -> bool:
    back = await w.me.templates.fork(w.id, id=w.fork_id)
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
    back = await w.me.templates.rate(w.id, 5, feedback="")
    fresh = await w.as_owner.templates.get(w.id)
    assert (fresh.rating_sum, fresh.rating_count) == (5, 1)
    return (await w.as_owner.templates.list_ratings(w.id)).rows == (back,)


async def _remove_rating(w: World) -> bool:
    await w.me.templates.remove_rating(w.id)
    fresh = await w.as_owner.templates.get(w.id)
    assert (fresh.rating_sum, fresh.rating_count) == (0, 0)
    return (await w.as_owner.templates.list_ratings(w.id)).rows == ()


async def _find_my_rating(w: World) -> bool:
    found = await w.me.templates.find_my_rating(w.id)
    if found is None:
        return False
    return (found.template_id, found.user_id, found.rating, found.feedback) == (
        w.id, w.me.actor.id, 4, "näht",
    )  # fmt: skip


async def _list_ratings(w: World) -> bool:
    page = await w.me.templates.list_ratings(w.id)
    assert page.next is None
    return [(x.user_id, x.rating, x.feedback) for x in page.rows] == [(_rater(w), 4, "näht")]


async def _rating_distribution(w: World) -> bool:
    found = await w.me.templates.get_rating_distribution(w.id)
    assert (found.sum, found.count) == (4, 1)
    return found == dal.RatingDistribution(0, 0, 0, 1, 0)


async def _record_use(w: World) -> bool:
    await w.me.templates.record_use(w.id)
    fresh = await w.as_owner.templates.get(w.id)
    return fresh.use_count == 1 and fresh.trend > 0


async def _export(w: World) -> bool:
    found = [one async for one in w.me.templates.export_mine()]
    if not found:
        return False
    (one,) = found
    assert one.template == w.template
    assert [(v.version, v.content) for v in one.versions] == [
        (1, "Say {{what}}"), (2, "Say nothing"),
    ]  # fmt: skip
    return (one.labels, one.last_version) == ((("production", 1),), 2)


async def _tag_counts(w: World) -> bool:
    counts = [c for c in await w.me.templates.list_tag_counts() if c.tag_key == w.tag]
    assert [c.templates for c in counts] in ([], [1])
    return bool(counts)


async def _filed(w: World) -> str | None:
    """Under which category the case's template is, deleted or not."""
    if w.case.endswith("orphan"):
        await w.system.users.restore(w.owner.id)
    return (await w.as_owner.templates.get_including_deleted(w.id)).category


async def _rename_category(w: World) -> bool:
    back = await w.me.templates.rename_category(w.category, f"E {w.word}")
    assert back == dal.Category(w.category_id, f"e-{w.word}", f"E {w.word}")
    return await _filed(w) == back.slug


async def _merge_categories(w: World) -> bool:
    moved = await w.me.templates.merge_categories(w.category, w.target)
    with pytest.raises(NotFoundError):
        await w.system.templates.rename_category(w.category, "Gone")
    return (moved, await _filed(w)) == (1, f"d-{w.word}")


async def _refresh(w: World) -> bool:
    back = await w.me.templates.refresh_search_statistics()
    # Those of deleted users are counted too.
    return back.updated_at == w.clock.now() and (
        back.documents >= await w.system.templates.count_public()
    )


async def _purge(w: World) -> bool:
    await w.me.templates.purge(w.id)
    return not await w.as_owner.templates.list_taken_ids([w.id])


async def _purge_deleted(w: World) -> bool:
    there = await w.as_owner.templates.list_taken_ids([w.id])
    while await w.me.templates.purge_deleted(older_than=timedelta(0)) == 1000:
        pass
    return bool(there) and not await w.as_owner.templates.list_taken_ids([w.id])


async def _category_counts(w: World) -> bool:
    counts = [c for c in await w.me.templates.list_category_counts() if c.slug == w.slug]
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


def _listed(w: World) -> bool:
    """Whether the actor is to find the template by words; what is new may be missed at first."""
    return template_word("search", w.case) == "yes"


async def _search(w: World) -> bool:
    async def ask() -> bool:
        hits = (await w.me.templates.search(w.word.upper())).rows
        return _in(w, tuple(hit.template for hit in hits))

    by_word = await asked_again(ask, lambda found: found is _listed(w))
    hits = (await w.me.templates.search(category=w.category)).rows
    assert _in(w, tuple(hit.template for hit in hits)) == by_word
    return by_word


async def _count_search(w: World) -> bool:
    by_word = await asked_again(
        lambda: w.me.templates.count_search(w.word.upper()), lambda n: n == _listed(w)
    )
    assert await w.me.templates.count_search(category=w.category) == by_word
    return by_word == 1


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
    "list_tag_counts": _tag_counts,
    "diff": _diff,
    "get_labelled": _get_labelled,
    "list_labels": _list_labels,
    "list_label_moves": _list_label_moves,
    "list_ratings": _list_ratings,
    "get_rating_distribution": _rating_distribution,
    "find_my_rating": _find_my_rating,
    "export_mine": _export,
    "count_search": _count_search,
    "fork": _fork,
    "rollback": _rollback,
    "delete_version": _delete_version,
    "set_label": _set_label,
    "remove_label": _remove_label,
    "rate": _rate,
    "remove_rating": _remove_rating,
    "record_use": _record_use,
    "rename_category": _rename_category,
    "merge_categories": _merge_categories,
    "refresh_search_statistics": _refresh,
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


PASSWORD: Final = "correct horse battery"
NEW_PASSWORD: Final = "staple — another one"
PREFERENCES: Final = {"theme": "dark", "mail": {"daily": True, "at": [7, 30]}}


@attrs.define
class UserWorld(World):
    """One case: who asks, and the user that is asked about, with all that a user may have."""

    password: str = attrs.field(default=PASSWORD, repr=False)
    reset: str = attrs.field(default="", repr=False)
    verification: str = attrs.field(default="", repr=False)
    n_of_day: int = 0
    statistics: dal.UserStatistics | None = None


async def user_world(
    db: dal.Database, clock: dal.ManualClock, case: str, method: str = ""
) -> UserWorld:
    system = db.acting_as(dal.Actor.system("contracts"))
    clock.move(timedelta(seconds=1))
    actor = await _user_actor(system, case)
    n_before = await system.users.count()
    statistics = await system.users.statistics() if method == "statistics" else None
    today = clock.now().date()
    n_of_day = await _users_of_day(system, today) if method == "new_by_day" else 0
    word = f"w{uuid4().hex}"
    user = await system.users.create(
        email=f"{word}@contracts.example", full_name=f"{word} Ada", password=PASSWORD
    )
    await system.users.update_preferences(user.id, PREFERENCES)
    reset = await system.users.issue_password_reset(user.email)
    verification = await system.users.issue_email_verification(user.id)
    assert reset is not None
    if method == "activate":
        await system.users.deactivate(user.id)
    if method == "unlock":
        await lock_out(system, user)
    user = await system.users.get(user.id)
    as_user = db.acting_as(dal.Actor.user(user.id))
    world = UserWorld(
        case, db, clock, system, as_user, user, as_user, user.id, word, counted=n_before,
        reset=reset.token.reveal(), verification=verification.token.reveal(), n_of_day=n_of_day,
        statistics=statistics,
    )  # fmt: skip
    if not case.startswith("self"):
        world.me = db.acting_as(actor)
    clock.move(timedelta(seconds=1))
    if case.endswith(("deleted", "absent")):
        await system.users.soft_delete(user.id)
    if case.endswith("absent"):
        world.id, world.word = uuid4(), f"w{uuid4().hex}"
        world.owner = attrs.evolve(user, id=world.id, email=f"{world.word}@nobody.example")
        world.reset = world.verification = "made-up"
    # So that what a method changes is not of the time at which the user went.
    clock.move(timedelta(seconds=1))
    return world


async def _user_actor(system: dal.Session, case: str) -> dal.Actor:
    """Who asks, but for oneself."""
    if case.startswith("system"):
        return system.actor
    if case == "anonymous" or case.startswith("self"):
        return dal.Actor.anonymous()
    if case.startswith("admin"):
        return dal.Actor.user((await live_admin(system)).id, role=dal.Role.ADMIN)
    asker = await make_user(system, "Bob")
    return dal.Actor.user(asker.id, role="admin" if case == "stale_admin" else "user")


async def live_admin(system: dal.Session) -> dal.User:
    """An admin whom the cases share: each of them locks all that there are."""
    admins = (await system.users.list_all(role="admin", is_active=True, limit=1)).rows
    if admins:
        return admins[0]
    made = await make_user(system, "Grace")
    return await system.users.change_role(made.id, dal.Role.ADMIN)


async def lock_out(system: dal.Session, user: dal.User) -> None:
    """Guess until the account is locked."""
    while (await system.users.get(user.id)).locked_until is None:
        with pytest.raises(AuthenticationError):
            await system.users.authenticate(email=user.email, password="a guess")


async def _users_of_day(asks: dal.Session, day: date) -> int:
    by_day = {row.day: row.users for row in await asks.users.new_by_day(days=3)}
    return by_day[day]


async def _user_create(w: UserWorld) -> bool:
    email = f"{uuid4()}@contracts.example"
    made = await w.me.users.create(
        email=f" {email.upper()} ", full_name="Zoë", password=NEW_PASSWORD, id=w.id
    )
    now = w.clock.now()
    assert made == dal.User(
        id=w.id,
        email=email,
        full_name="Zoë",
        role=dal.Role.USER,
        is_active=True,
        email_verified_at=None,
        credentials_changed_at=now,
        locked_until=None,
        last_login_at=None,
        created_at=now,
        updated_at=now,
        deleted_at=None,
    )
    assert await w.system.users.get_preferences(w.id) == {}
    fresh = await w.system.users.get(w.id)
    assert (await w.me.users.authenticate(email=email, password=NEW_PASSWORD)).id == w.id
    return made == fresh


async def _user_authenticate(w: UserWorld) -> bool:
    back = await w.me.users.authenticate(email=f" {w.owner.email.upper()}", password=w.password)
    assert back == attrs.evolve(w.owner, last_login_at=w.clock.now())
    return back == await w.system.users.get(w.id)


async def _is_set(w: UserWorld, back: dal.User) -> bool:
    """Whether the new password is the one that counts, and the old token is gone."""
    now = w.clock.now()
    assert back == attrs.evolve(w.owner, credentials_changed_at=now, updated_at=now)
    fresh = await w.system.users.get(w.id)
    with pytest.raises(AuthenticationError):
        await w.system.users.authenticate(email=w.owner.email, password=w.password)
    await w.system.users.authenticate(email=w.owner.email, password=NEW_PASSWORD)
    assert not await w.system.users.is_password_reset_valid(w.reset)
    return back == fresh


async def _user_update_password(w: UserWorld) -> bool:
    current = w.password if w.me.actor.id == w.id else None
    back = await w.me.users.update_password(
        w.id, new_password=NEW_PASSWORD, current_password=current
    )
    return await _is_set(w, back)


async def _user_reset_password(w: UserWorld) -> bool:
    return await _is_set(w, await w.me.users.reset_password(w.reset, new_password=NEW_PASSWORD))


async def _user_unlock(w: UserWorld) -> bool:
    back = await w.me.users.unlock(w.id)
    assert w.owner.locked_until is not None
    assert back == attrs.evolve(w.owner, locked_until=None, updated_at=w.clock.now())
    fresh = await w.system.users.get(w.id)
    # The guesses are forgotten too: another one is the first again.
    with pytest.raises(AuthenticationError):
        await w.system.users.authenticate(email=w.owner.email, password="a guess")
    await w.system.users.authenticate(email=w.owner.email, password=w.password)
    return back == fresh


async def _user_credentials(w: UserWorld) -> bool:
    found = await w.me.users.find_credentials_changed_at(w.id)
    assert found in (None, w.owner.credentials_changed_at)
    return found is not None


async def _user_issue_reset(w: UserWorld) -> bool:
    issued = await w.me.users.issue_password_reset(f" {w.owner.email.upper()}")
    if issued is None:
        return False
    assert (issued.user_id, issued.email) == (w.id, w.owner.email)
    assert issued.purpose is dal.TokenPurpose.PASSWORD_RESET
    assert issued.expires_at == w.clock.now() + timedelta(hours=1)
    assert not await w.system.users.is_password_reset_valid(w.reset)
    return await w.system.users.is_password_reset_valid(issued.token)


async def _user_issue_verification(w: UserWorld) -> bool:
    issued = await w.me.users.issue_email_verification(w.id)
    assert (issued.user_id, issued.email) == (w.id, w.owner.email)
    assert issued.purpose is dal.TokenPurpose.EMAIL_VERIFICATION
    assert issued.expires_at == w.clock.now() + timedelta(days=1)
    with pytest.raises(AuthenticationError):
        await w.system.users.verify_email(w.verification)
    return (await w.system.users.verify_email(issued.token)).id == w.id


async def _user_is_reset_valid(w: UserWorld) -> bool:
    return await w.me.users.is_password_reset_valid(w.reset)


async def _user_verify_email(w: UserWorld) -> bool:
    back = await w.me.users.verify_email(w.verification)
    now = w.clock.now()
    assert back == attrs.evolve(w.owner, email_verified_at=now, updated_at=now)
    with pytest.raises(AuthenticationError):
        await w.me.users.verify_email(w.verification)
    return back == await w.system.users.get(w.id)


async def _user_get_preferences(w: UserWorld) -> bool:
    return await w.me.users.get_preferences(w.id) == PREFERENCES


async def _user_get_preference(w: UserWorld) -> bool:
    assert await w.me.users.get_preference(w.id, "mail.weekly", default="no") == "no"
    found: object = await w.me.users.get_preference(w.id, "mail.at")
    return found == [7, 30]


async def _are(w: UserWorld, back: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Preferences are no part of the account: nothing else has changed."""
    assert await w.system.users.get(w.id) == w.owner
    return back == expected == await w.system.users.get_preferences(w.id)


async def _user_update_preferences(w: UserWorld) -> bool:
    back = await w.me.users.update_preferences(w.id, {"mail.daily": False, "size": 3})
    mail = {"daily": False, "at": [7, 30]}
    return await _are(w, back, {"theme": "dark", "mail": mail, "size": 3})


async def _user_unset_preference(w: UserWorld) -> bool:
    back = await w.me.users.unset_preference(w.id, "mail.at")
    return await _are(w, back, {"theme": "dark", "mail": {"daily": True}})


async def _user_reset_preferences(w: UserWorld) -> bool:
    return await _are(w, await w.me.users.reset_preferences(w.id), {})


def _user_in(w: UserWorld, rows: Iterable[dal.User]) -> bool:
    shown = [row for row in rows if row.id == w.id]
    assert shown in ([], [w.owner])
    return bool(shown)


async def _user_list_all(w: UserWorld) -> bool:
    return _user_in(w, (await w.me.users.list_all(role="user", is_active=True)).rows)


async def _user_search(w: UserWorld) -> bool:
    # Name and address both begin so; the user is there once.
    by_prefix = await w.me.users.search(w.word.upper())
    inside = await w.me.users.search(w.word[5:].upper(), match="substring")
    assert by_prefix.rows == inside.rows
    return _user_in(w, by_prefix.rows)


async def _user_list_by_email(w: UserWorld) -> bool:
    found = await w.me.users.list_by_email_including_deleted(f" {w.owner.email.upper()}")
    return [_but_deleted(w, row) for row in found] == [w.owner]


def _but_deleted(w: UserWorld, row: dal.User) -> dal.User:
    """The same user, had they not been deleted in this case."""
    assert (row.deleted_at is not None) == w.case.endswith("deleted")
    return attrs.evolve(row, deleted_at=None, updated_at=w.owner.updated_at)


async def _user_get_including_deleted(w: UserWorld) -> bool:
    return _but_deleted(w, await w.me.users.get_including_deleted(w.id)) == w.owner


async def _user_count(w: UserWorld) -> bool:
    more = await w.me.users.count() - w.counted
    assert more in (0, 1)
    return more == 1


async def _user_statistics(w: UserWorld) -> bool:
    found, before = await w.me.users.statistics(), w.statistics
    assert before is not None
    # What time alone changes: others' log-ins and locks grow old meanwhile.
    of_time = ("locked", "daily_active", "weekly_active", "monthly_active")
    aged: dict[str, Any] = {field: getattr(found, field) for field in of_time}
    before = attrs.evolve(before, **aged)
    one_more = {
        field: getattr(before, field) + 1
        for field in ("total", "active", "users", "never_logged_in")
    }
    assert found in (before, attrs.evolve(before, **one_more))
    return found != before


async def _user_new_by_day(w: UserWorld) -> bool:
    more = await _users_of_day(w.me, w.owner.created_at.date()) - w.n_of_day
    assert more in (0, 1)
    return more == 1


async def _user_find(w: UserWorld) -> bool:
    found = await w.me.users.find(w.id)
    assert found in (None, w.owner)
    return found is not None


async def _user_get(w: UserWorld) -> bool:
    return await w.me.users.get(w.id) == w.owner


async def _user_find_by_email(w: UserWorld) -> bool:
    found = await w.me.users.find_by_email(f"  {w.owner.email.upper()}")
    assert found in (None, w.owner)
    return found is not None


async def _user_update_details(w: UserWorld) -> bool:
    back = await w.me.users.update_details(
        w.id, email=f" NEW-{w.word}@Contracts.Example", full_name="Another"
    )
    assert back == attrs.evolve(
        w.owner,
        email=f"new-{w.word}@contracts.example",
        full_name="Another",
        updated_at=w.clock.now(),
    )
    assert not await w.system.users.is_password_reset_valid(w.reset)
    assert await w.system.users.find_by_email(w.owner.email) is None
    assert await w.system.users.find_by_email(back.email) == back
    return back == await w.system.users.get(w.id)


async def _has_changed(w: UserWorld, back: dal.User, **changes: object) -> bool:
    now = w.clock.now()
    expected: dict[str, Any] = {**changes, "credentials_changed_at": now, "updated_at": now}
    assert back == attrs.evolve(w.owner, **expected)
    return back == await w.system.users.get(w.id)


async def _user_change_role(w: UserWorld) -> bool:
    back = await w.me.users.change_role(w.id, "viewer")
    return await _has_changed(w, back, role=dal.Role.VIEWER)


async def _user_activate(w: UserWorld) -> bool:
    return await _has_changed(w, await w.me.users.activate(w.id), is_active=True)


async def _user_deactivate(w: UserWorld) -> bool:
    return await _has_changed(w, await w.me.users.deactivate(w.id), is_active=False)


async def _user_soft_delete(w: UserWorld) -> bool:
    await w.me.users.soft_delete(w.id)
    fresh = await w.system.users.get_including_deleted(w.id)
    now = w.clock.now()
    assert fresh == attrs.evolve(w.owner, deleted_at=now, updated_at=now)
    assert await w.system.users.find_by_email(w.owner.email) is None
    return await w.system.users.find(w.id) is None


async def _user_restore(w: UserWorld) -> bool:
    back = await w.me.users.restore(w.id)
    # The very same as before they were deleted, but for the time of the change.
    assert back == attrs.evolve(w.owner, updated_at=w.clock.now())
    assert await w.system.users.find_by_email(w.owner.email) == back
    assert await w.as_owner.users.get_preferences(w.id) == PREFERENCES
    return back == await w.as_owner.users.get(w.id)


USER_ASKS: Final[dict[str, Callable[[UserWorld], Awaitable[bool]]]] = {
    "create": _user_create,
    "authenticate": _user_authenticate,
    "reset_password": _user_reset_password,
    "verify_email": _user_verify_email,
    "is_password_reset_valid": _user_is_reset_valid,
    "find_credentials_changed_at": _user_credentials,
    "issue_password_reset": _user_issue_reset,
    "issue_email_verification": _user_issue_verification,
    "find": _user_find,
    "get": _user_get,
    "get_preferences": _user_get_preferences,
    "get_preference": _user_get_preference,
    "update_preferences": _user_update_preferences,
    "unset_preference": _user_unset_preference,
    "reset_preferences": _user_reset_preferences,
    "update_password": _user_update_password,
    "update_details": _user_update_details,
    "soft_delete": _user_soft_delete,
    "list_all": _user_list_all,
    "search": _user_search,
    "find_by_email": _user_find_by_email,
    "count": _user_count,
    "statistics": _user_statistics,
    "new_by_day": _user_new_by_day,
    "list_by_email_including_deleted": _user_list_by_email,
    "get_including_deleted": _user_get_including_deleted,
    "change_role": _user_change_role,
    "activate": _user_activate,
    "deactivate": _user_deactivate,
    "unlock": _user_unlock,
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
