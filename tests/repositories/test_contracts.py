"""Every public method in every case; the tables are in <aggregate>/contract.py."""

from __future__ import annotations

from functools import cache
from typing import Final

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


@cache
def fingerprint_of(root: Root, table: str) -> str:
    """An expression over rows of a table that another value in any column makes another one."""
    columns = root("SELECT column_name FROM information_schema.columns"
                   " WHERE table_schema = DATABASE() AND table_name = %s", table)  # fmt: skip
    values = ", ".join(f"COALESCE(CAST({column} AS BINARY), '~')" for (column,) in columns)
    return f"CONCAT_WS(':', COUNT(*), COALESCE(BIT_XOR(CRC32(CONCAT_WS('|', {values}))), 0))"


_OURS: Final = "template_id IN ({templates})"
_OF_CASE: Final = {
    "templates": "id = @id OR owner_id IN (@id, @owner, @actor)",
    "template_versions": _OURS,
    "template_tags": _OURS,
    "template_labels": _OURS,
    "template_label_moves": _OURS,
    "template_ratings": _OURS,
    "template_postings": _OURS,
    "categories": "slug LIKE @slug",
    "conversations": "id = @talk OR forked_from_id = @talk",
    "conversation_participants": "conversation_id = @talk",
    "conversation_shares": "conversation_id = @talk",
    "prompts": "conversation_id = @talk",
    "usage_records": "TRUE",
    "usage_items": "TRUE",
    "usage_days": "TRUE",
    "model_prices": "TRUE",
    "search_corpora": "TRUE",
    "audit_holds": "TRUE",
    # What the application said itself, and what was imported; by the key of targets.
    "audit_logs": "target_type IN ('invoice', 'bucket')",
    "users": "id IN (@id, @owner, @actor)",
    "user_tokens": "user_id IN (@id, @owner, @actor)",
}


def stored(root: Root, world: World) -> Rows:
    """All that a method could change of the case, as the server holds it: how many rows there are
    of each table, and a sum of all their bytes.
    """
    actor = world.me.actor.id or world.id
    talk = world.conversation_id if isinstance(world, PromptWorld) else world.id
    root("SET @id = %s, @owner = %s, @actor = %s, @talk = %s, @slug = %s", world.id.bytes,
         world.owner.id.bytes, actor.bytes, talk.bytes, f"%{world.word}")  # fmt: skip
    # Said one by one: a subquery would read all postings of all cases.
    found = root(f"SELECT HEX(id) FROM templates WHERE {_OF_CASE['templates']}")
    templates = ", ".join(["x''", *(f"x'{id_}'" for (id_,) in found)])
    parts = [
        f"SELECT '{table}', {fingerprint_of(root, table)} FROM {table} WHERE {where}"
        for table, where in _OF_CASE.items()
    ]
    return root(" UNION ALL ".join(parts).format(templates=templates))


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
