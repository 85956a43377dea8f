"""Every public method in every case; the tables are in contracts.py."""

from __future__ import annotations

import pytest

import dal
from dal.repositories.base import CHANGING_METHODS, Repository
from tests.repositories.conftest import Root, Rows
from tests.repositories.contracts import (
    ADMIN_CASES,
    AUDIT,
    AUDIT_ASKS,
    AUDIT_CASES,
    ERRORS,
    FOR_ADMINS,
    NO_TARGET,
    TEMPLATE_ASKS,
    TEMPLATE_CASES,
    TEMPLATES,
    USER_ASKS,
    USER_CASES,
    USERS,
    VIEWER_CASES,
    World,
    action_of,
    admin_word,
    as_admin,
    as_viewer,
    audit_world,
    public_methods,
    template_word,
    template_world,
    user_world,
    viewer_word,
)

Table = dict[str, str]
ALL: list[tuple[type[Repository], Table, list[str], set[str]]] = [
    (dal.TemplateRepository, TEMPLATES, TEMPLATE_CASES, set(TEMPLATE_ASKS)),
    (dal.UserRepository, USERS, USER_CASES, set(USER_ASKS)),
    (dal.AuditLogRepository, AUDIT, AUDIT_CASES, set(AUDIT_ASKS)),
]


@pytest.mark.parametrize(
    ("repository", "table", "cases", "asked"), ALL, ids=[case[0].__name__ for case in ALL]
)
def test_every_method_has_a_word_for_every_case(
    repository: type[Repository], table: Table, cases: list[str], asked: set[str]
) -> None:
    assert set(table) == public_methods(repository) == asked
    known = {"yes", "no", *ERRORS}
    for method, row in table.items():
        words = row.split()
        assert len(words) == len(cases), method
        assert set(words) <= known, method


def test_every_repository_of_a_session_is_in_the_tables() -> None:
    reached = {
        hint.fget.__annotations__["return"]
        for hint in vars(dal.Session).values()
        if isinstance(hint, property) and hint.fget is not None
    }
    assert reached == {repository.__name__ for repository, *_ in ALL}


def cells(table: Table, cases: list[str]) -> list[tuple[str, str, str]]:
    return [
        (method, case, word)
        for method, row in table.items()
        for case, word in zip(cases, row.split(), strict=True)
    ]


def stored(root: Root, world: World) -> tuple[Rows, ...]:
    """All that a method could change of the case, as the server holds it."""
    actor = world.me.actor.id or world.id
    users = (world.owner.id.bytes, world.id.bytes, actor.bytes)
    ours = "SELECT id FROM templates WHERE id = %s OR owner_id IN (%s, %s)"
    them = (world.id.bytes, world.owner.id.bytes, actor.bytes)
    return (
        root("SELECT * FROM templates WHERE id = %s OR owner_id IN (%s, %s) ORDER BY id", *them),
        root(f"SELECT * FROM template_versions WHERE template_id IN ({ours})"
             " ORDER BY template_id, version", *them),
        root(f"SELECT * FROM template_tags WHERE template_id IN ({ours})"
             " ORDER BY template_id, tag_id", *them),
        root(f"SELECT * FROM template_labels WHERE template_id IN ({ours}) ORDER BY label", *them),
        root(f"SELECT * FROM template_label_moves WHERE template_id IN ({ours}) ORDER BY id",
             *them),
        root(f"SELECT * FROM template_ratings WHERE template_id IN ({ours}) ORDER BY user_id",
             *them),
        root(f"SELECT * FROM templates_search WHERE template_id IN ({ours}) ORDER BY template_id",
             *them),
        root("SELECT * FROM categories WHERE slug LIKE %s ORDER BY id", f"%{world.word}"),
        root("SELECT * FROM search_corpora"),
        root("SELECT * FROM users WHERE id IN (%s, %s, %s)", *users),
        root("SELECT * FROM user_tokens WHERE user_id IN (%s, %s, %s)", *users),
    )  # fmt: skip


async def check(world: World, root: Root, ask: object, method: str, word: str) -> None:
    before = stored(root, world)
    assert callable(ask)
    if word in ERRORS:
        with pytest.raises(ERRORS[word]) as caught:
            await ask(world)
        assert type(caught.value) is ERRORS[word]
    else:
        assert await ask(world) is (word == "yes")
    changed = stored(root, world) != before
    assert changed == (word == "yes" and method in CHANGING_METHODS)


@pytest.mark.parametrize(("method", "case", "word"), cells(TEMPLATES, TEMPLATE_CASES))
async def test_templates(
    db: dal.Database, clock: dal.ManualClock, root: Root, method: str, case: str, word: str
) -> None:
    world = await template_world(db, clock, case, method)
    await check(world, root, TEMPLATE_ASKS[method], f"TemplateRepository.{method}", word)


def check_kept(root: Root, world: World, method: str, word: str) -> None:
    """What is denied is kept, one entry; what is changed is told by one; nothing else is."""
    kept = root("SELECT action, outcome, affected, actor_id, target_type, target_id"
                " FROM audit_logs WHERE request_id = %s", world.me.actor.request_id)  # fmt: skip
    changing = f"TemplateRepository.{method}" in CHANGING_METHODS
    if not changing or word == "NF":
        assert kept == []
        return
    ((action, outcome, affected, actor_id, target_type, target_id),) = kept
    assert world.me.actor.id is not None
    assert (action, actor_id) == (action_of(method), world.me.actor.id.bytes)
    assert target_type == action.partition(".")[0]
    assert outcome == ("denied" if word == "PD" else "success")
    if word == "PD":
        assert affected == 0
        assert target_id == (None if method in NO_TARGET else world.id.bytes)


@pytest.mark.parametrize("method", list(TEMPLATES))
@pytest.mark.parametrize("case", VIEWER_CASES)
async def test_templates_for_a_viewer(
    db: dal.Database, clock: dal.ManualClock, root: Root, method: str, case: str
) -> None:
    """Each change is refused, whatever it is about, and the attempt is kept."""
    world = await as_viewer(await template_world(db, clock, case, method))
    word = viewer_word(method, case)
    await check(world, root, TEMPLATE_ASKS[method], f"TemplateRepository.{method}", word)
    check_kept(root, world, method, word)


@pytest.mark.parametrize("method", list(TEMPLATES))
@pytest.mark.parametrize("case", ADMIN_CASES)
async def test_templates_for_an_admin(
    db: dal.Database, clock: dal.ManualClock, root: Root, method: str, case: str
) -> None:
    """Nothing of others is an admin's to see or change, but what everybody's are filed under."""
    world = await as_admin(await template_world(db, clock, case, method))
    word = admin_word(method, case)
    await check(world, root, TEMPLATE_ASKS[method], f"TemplateRepository.{method}", word)
    if word != "UQ":
        check_kept(root, world, method, word)


@pytest.mark.parametrize("method", sorted(FOR_ADMINS))
@pytest.mark.parametrize("case", ["own_private", "own_orphan", "absent", "other_public"])
async def test_templates_for_who_was_an_admin(
    db: dal.Database, clock: dal.ManualClock, root: Root, method: str, case: str
) -> None:
    """Who says so, and is none, or is deleted: refused, whether there is such a category or not."""
    world = await as_admin(await template_world(db, clock, case, method), stale=True)
    word = template_word(method, case)
    assert word == "PD"
    await check(world, root, TEMPLATE_ASKS[method], f"TemplateRepository.{method}", word)
    check_kept(root, world, method, word)


@pytest.mark.parametrize(("method", "case", "word"), cells(USERS, USER_CASES))
async def test_users(
    db: dal.Database, clock: dal.ManualClock, root: Root, method: str, case: str, word: str
) -> None:
    world = await user_world(db, clock, case, method)
    await check(world, root, USER_ASKS[method], f"UserRepository.{method}", word)


@pytest.mark.parametrize(("method", "case", "word"), cells(AUDIT, AUDIT_CASES))
async def test_audit(
    db: dal.Database, clock: dal.ManualClock, root: Root, method: str, case: str, word: str
) -> None:
    world = await audit_world(db, clock, case)
    await check(world, root, AUDIT_ASKS[method], f"AuditLogRepository.{method}", word)
