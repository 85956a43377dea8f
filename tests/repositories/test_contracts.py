"""Every public method in every case; the tables are in <aggregate>/contract.py."""

from __future__ import annotations

import pytest

import dal
from dal.repositories.base import DISCLOSING_METHODS, FREQUENT_METHODS
from tests.repositories.conftest import Root, Rows
from tests.repositories.contracts import ERRORS, Contract, World, public_methods
from tests.repositories.prompts.contract import PromptWorld
from tests.repositories.templates.contract import (
    ADMIN_CASES,
    NO_TARGET,
    VIEWER_CASES,
    action_of,
    as_admin,
    as_viewer,
    template_world,
    viewer_word,
)
from tests.repositories.vocabulary.contract import CHANGES
from tests.repositories.worlds import CONTRACTS

TEMPLATES = CONTRACTS["templates"]
VOCABULARY = CONTRACTS["vocabulary"]


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_every_row_has_a_word_for_every_case(contract: Contract) -> None:
    assert contract.table.keys() == contract.asks.keys()
    for method, row in contract.table.items():
        words = row.split()
        assert len(words) == len(contract.cases), method
        assert set(words) <= {"yes", "no", *ERRORS}, method


def test_every_public_method_is_in_one_table() -> None:
    found = [f"{c.root}{method}" for c in CONTRACTS.values() for method in c.table]
    assert sorted(found) == sorted(public_methods())


CELLS = [
    pytest.param(contract, method, case, word, id=f"{contract.root}{method}-{case}")
    for contract in CONTRACTS.values()
    for method, row in contract.table.items()
    for case, word in zip(contract.cases, row.split(), strict=True)
]


def stored(root: Root, world: World) -> tuple[Rows, ...]:
    """All that a method could change of the case, as the server holds it."""
    actor = world.me.actor.id or world.id
    talk = (world.conversation_id if isinstance(world, PromptWorld) else world.id).bytes
    users = (world.owner.id.bytes, world.id.bytes, actor.bytes)
    ours = "SELECT id FROM templates WHERE id = %s OR owner_id IN (%s, %s)"
    them = (world.id.bytes, world.owner.id.bytes, actor.bytes)
    parts = {
        "template_versions": "template_id, version",
        "template_tags": "template_id, tag_id",
        "template_labels": "template_id, label",
        "template_label_moves": "id",
        "template_ratings": "template_id, user_id",
        "template_postings": "template_id, term",
    }
    return (
        root("SELECT * FROM templates WHERE id = %s OR owner_id IN (%s, %s) ORDER BY id", *them),
        *(
            root(f"SELECT * FROM {table} WHERE template_id IN ({ours}) ORDER BY {order}", *them)
            for table, order in parts.items()
        ),
        root("SELECT * FROM categories WHERE slug LIKE %s ORDER BY id", f"%{world.word}"),
        root("SELECT * FROM conversations WHERE %s IN (id, forked_from_id) ORDER BY id", talk),
        root(
            "SELECT * FROM conversation_participants WHERE conversation_id = %s ORDER BY user_id",
            talk,
        ),
        root("SELECT * FROM conversation_shares WHERE conversation_id = %s ORDER BY id", talk),
        root("SELECT * FROM prompts WHERE conversation_id = %s ORDER BY id", talk),
        root("SELECT * FROM usage_records ORDER BY prompt_id, attempt"),
        root("SELECT * FROM usage_items ORDER BY prompt_id, attempt, usage_type"),
        root("SELECT * FROM usage_days ORDER BY 1, 2, 3, 4, 5, 6, 7"),
        root("SELECT * FROM model_prices ORDER BY 1, 2, 3, 4"),
        root("SELECT * FROM search_corpora"),
        root("SELECT * FROM audit_holds ORDER BY id"),
        # What the application said itself, and what was imported; by the key of targets.
        root("SELECT * FROM audit_logs WHERE target_type IN ('invoice', 'bucket') ORDER BY id"),
        root("SELECT * FROM users WHERE id IN (%s, %s, %s)", *users),
        root("SELECT * FROM user_tokens WHERE user_id IN (%s, %s, %s)", *users),
    )


async def check(world: World, root: Root, contract: Contract, method: str, word: str) -> None:
    before = stored(root, world)
    ask = contract.asks[method](world)
    if word in ERRORS:
        with pytest.raises(ERRORS[word]) as caught:
            await ask
        assert type(caught.value) is ERRORS[word]
    else:
        assert await ask is (word == "yes")
    changed = stored(root, world) != before
    assert changed == (word == "yes" and contract.changes(method))


@pytest.mark.parametrize(("contract", "method", "case", "word"), CELLS)
async def test_each_cell(
    db: dal.Database,
    clock: dal.ManualClock,
    root: Root,
    contract: Contract,
    method: str,
    case: str,
    word: str,
) -> None:
    world = await contract.world(db, clock, case, method)
    await check(world, root, contract, method, word)


def check_kept(root: Root, world: World, contract: Contract, method: str, word: str) -> None:
    """What is denied is kept, one entry; what is changed is told by one, and what gives out much;
    what is too frequent is not, and nothing else is.
    """
    kept = root("SELECT action, outcome, affected, actor_id, target_type, target_id"
                " FROM audit_logs WHERE request_id = %s", world.me.actor.request_id)  # fmt: skip
    path = f"{contract.root}{method}"
    if path in DISCLOSING_METHODS and word != "PD":
        assert [(row[0], row[1], row[2]) for row in kept] == [("template.export", "success", 0)]
        return
    is_summed = path in FREQUENT_METHODS and word != "PD"
    if not contract.changes(method) or is_summed or word == "NF":
        assert kept == []
        return
    ((action, outcome, affected, actor_id, target_type, target_id),) = kept
    assert world.me.actor.id is not None
    said = CHANGES[method] if contract is VOCABULARY else action_of(method)
    assert (action, actor_id) == (said, world.me.actor.id.bytes)
    assert target_type == action.partition(".")[0]
    assert outcome == ("denied" if word == "PD" else "success")
    if word == "PD":
        assert affected == 0
        no_target = contract is VOCABULARY or method in NO_TARGET
        assert target_id == (None if no_target else world.id.bytes)


@pytest.mark.parametrize("method", list(TEMPLATES.table))
@pytest.mark.parametrize("case", VIEWER_CASES)
async def test_templates_for_a_viewer(
    db: dal.Database, clock: dal.ManualClock, root: Root, method: str, case: str
) -> None:
    """Each change is refused, whatever it is about, and the attempt is kept."""
    world = await as_viewer(await template_world(db, clock, case, method))
    word = viewer_word(method, case)
    await check(world, root, TEMPLATES, method, word)
    check_kept(root, world, TEMPLATES, method, word)


@pytest.mark.parametrize("method", list(TEMPLATES.table))
@pytest.mark.parametrize("case", ADMIN_CASES)
async def test_templates_for_an_admin(
    db: dal.Database, clock: dal.ManualClock, root: Root, method: str, case: str
) -> None:
    """Nothing of others is an admin's to see or change."""
    world = await as_admin(await template_world(db, clock, case, method))
    word = TEMPLATES.word(method, case)
    await check(world, root, TEMPLATES, method, word)
    if word != "UQ":
        check_kept(root, world, TEMPLATES, method, word)


@pytest.mark.parametrize("method", sorted(CHANGES))
@pytest.mark.parametrize("case", ADMIN_CASES)
async def test_categories_for_an_admin(
    db: dal.Database, clock: dal.ManualClock, root: Root, method: str, case: str
) -> None:
    world = await as_admin(await template_world(db, clock, case, method))
    await check(world, root, VOCABULARY, method, "yes")
    check_kept(root, world, VOCABULARY, method, "yes")


NO_ADMINS = [("viewer", case) for case in VIEWER_CASES]
NO_ADMINS += [("was", case) for case in ("own_private", "own_orphan", "absent", "other_public")]


@pytest.mark.parametrize("method", sorted(CHANGES))
@pytest.mark.parametrize(("role", "case"), NO_ADMINS)
async def test_categories_for_who_is_no_admin(
    db: dal.Database, clock: dal.ManualClock, root: Root, method: str, role: str, case: str
) -> None:
    """A viewer; who says to be an admin, and is none any more, or is deleted: refused, whether
    there is such a category or not.
    """
    world = await template_world(db, clock, case, method)
    world = await (as_viewer(world) if role == "viewer" else as_admin(world, stale=True))
    await check(world, root, VOCABULARY, method, "PD")
    check_kept(root, world, VOCABULARY, method, "PD")
