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
from dal.records.audit_actions import ACTIONS, classified
from dal.repositories.audit_writer import REDACTED, AuditWriter
from dal.repositories.base import CHANGING_METHODS, DISCLOSING_METHODS, FREQUENT_METHODS
from dal.statements import house
from tests.conftest import Recorder
from tests.repositories.audit.contract import imported
from tests.repositories.conftest import Root
from tests.repositories.contracts import Contract, World, make_user, public_methods
from tests.repositories.conversations.contract import ConversationWorld
from tests.repositories.users.contract import NEW_PASSWORD, PASSWORD, UserWorld, user_world
from tests.repositories.worlds import CONTRACTS

# Every changing method: whether the system does it, the case it succeeds in, and the entry.
# ``target`` is the name of what has its id in the world; ``affected`` is 1, or the world's.
Walk = tuple[bool, str, Callable[[Any, dal.Session], Awaitable[object]], dict[str, Any]]


async def _merge(world: Any, me: dal.Session) -> None:
    world.affected = await me.categories.merge(world.category, world.target)


async def _refresh(world: Any, me: dal.Session) -> None:
    world.affected = (await me.templates.search_statistics.refresh()).documents


async def _archive_idle(w: ConversationWorld, me: dal.Session) -> None:
    w.clock.move(timedelta(days=400))
    idle = me.conversations.archiving.archive_idle
    w.affected = await idle(older_than=timedelta(days=399), batch=10_000)


async def _purge_deleted(w: ConversationWorld, me: dal.Session) -> None:
    w.clock.move(timedelta(days=31))
    w.affected = await me.conversations.trash.purge_deleted(older_than=timedelta(days=30))


async def _purge_shares(w: ConversationWorld, me: dal.Session) -> None:
    w.clock.move(timedelta(days=31))
    w.affected = await me.conversations.shares.purge_expired(older_than=timedelta(0))


async def _requeue_expired(w: Any, me: dal.Session) -> None:
    w.clock.move(timedelta(minutes=2))
    w.affected = await me.prompts.queue.requeue_expired()


def _price(w: Any) -> dal.NewPrice:
    return dal.NewPrice(
        model=f"model {w.id}", provider="p", usage_type="input", unit_price=1,
        effective_from=w.clock.now(),
    )  # fmt: skip


async def _recalculate(w: Any, me: dal.Session) -> None:
    now = w.clock.now()
    found = await me.prompts.costs.recalculate(from_at=now, until_at=now + timedelta(seconds=1))
    w.affected = found.changed


async def _rebuild_days(w: Any, me: dal.Session) -> None:
    day = w.clock.now().date()
    w.clock.move(timedelta(days=1))
    w.affected = await me.prompts.costs.rebuild_days(first=day, last=day)


WALK: Final[dict[str, Walk]] = {
    "templates.create": (
        False,
        "absent",
        lambda w, me: me.templates.create(name="n", content="c", id=w.id),
        {"action": "template.create"},
    ),
    "templates.exchange.create_many": (
        False,
        "absent",
        lambda w, me: me.templates.exchange.create_many(
            [w.new(), dal.NewTemplate(name="second", content="")]
        ),
        {"action": "template.create_many", "target_id": None, "affected": 2},
    ),
    "templates.update_details": (
        False,
        "own_private",
        lambda w, me: me.templates.update_details(w.id, name="other", tags=["x"], category="Y"),
        {"action": "template.update_details"},
    ),
    "templates.versions.commit": (
        False,
        "own_private",
        lambda w, me: me.templates.versions.commit(w.id, content="more"),
        {"action": "template.commit"},
    ),
    "templates.versions.rollback": (
        False,
        "own_private",
        lambda w, me: me.templates.versions.rollback(w.id, 1),
        {"action": "template.rollback"},
    ),
    "templates.versions.delete": (
        False,
        "own_private",
        lambda w, me: me.templates.versions.delete(w.id, 1),
        {"action": "template.delete_version"},
    ),
    "templates.versions.fork": (
        False,
        "own_public",
        lambda w, me: me.templates.versions.fork(w.id, id=w.fork_id),
        {"action": "template.fork", "target": "fork_id"},
    ),
    "templates.labels.set": (
        False,
        "own_private",
        lambda w, me: me.templates.labels.set(w.id, "staging", 2),
        {"action": "template.set_label"},
    ),
    "templates.labels.remove": (
        False,
        "own_private",
        lambda w, me: me.templates.labels.remove(w.id, "production"),
        {"action": "template.remove_label"},
    ),
    "templates.ratings.set": (
        False,
        "own_public",
        lambda w, me: me.templates.ratings.set(w.id, 5, feedback="fine"),
        {"action": "template.rate"},
    ),
    "templates.ratings.remove": (
        False,
        "own_public",
        lambda w, me: me.templates.ratings.remove(w.id),
        {"action": "template.remove_rating"},
    ),
    "categories.rename": (
        True,
        "system_private",
        lambda w, me: me.categories.rename(w.category, f"E {w.word}"),
        {"action": "category.rename", "target": "category_id"},
    ),
    "categories.merge": (
        True,
        "system_private",
        _merge,
        {"action": "category.merge", "target": "category_id"},
    ),
    "templates.search_statistics.refresh": (
        True,
        "system_private",
        _refresh,
        {"action": "template.refresh_search_statistics", "target_id": None},
    ),
    "templates.soft_delete": (
        False,
        "own_private",
        lambda w, me: me.templates.soft_delete(w.id),
        {"action": "template.soft_delete"},
    ),
    "templates.restore": (
        False,
        "own_deleted",
        lambda w, me: me.templates.restore(w.id),
        {"action": "template.restore"},
    ),
    "templates.trash.purge": (
        False,
        "own_deleted",
        lambda w, me: me.templates.trash.purge(w.id),
        {"action": "template.purge"},
    ),
    "templates.trash.purge_deleted": (
        True,
        "system_deleted",
        # The oldest one of all trashes goes, whosever it is.
        lambda w, me: me.templates.trash.purge_deleted(older_than=timedelta(0), batch=1),
        {"action": "template.purge_deleted", "target_id": None},
    ),
    "audit.record": (
        False,
        "self",
        lambda w, me: me.audit.record("invoice.send", target_id=w.id, before={"a": 1}),
        {"action": "invoice.send"},
    ),
    "audit.imports.create_many": (
        True,
        "system_absent",
        lambda w, me: me.audit.imports.create_many([imported(w)]),
        {"action": "audit.import", "target_id": None},
    ),
    "audit.retention.place_hold": (
        True,
        "system_absent",
        lambda w, me: me.audit.retention.place_hold("Case", target_type="user", id=w.id),
        {"action": "audit.place_hold"},
    ),
    "audit.retention.release_hold": (
        True,
        "system_absent",
        lambda w, me: me.audit.retention.release_hold(w.id),
        {"action": "audit.release_hold"},
    ),
    "users.create": (
        True,
        "system_absent",
        lambda w, me: me.users.create(
            email=f"{w.id}@walk.example", full_name="W", password=NEW_PASSWORD, id=w.id
        ),
        {"action": "user.create"},
    ),
    "users.authenticate": (
        False,
        "self",
        lambda w, me: me.users.authenticate(email=w.owner.email, password=w.password),
        {"action": "user.authenticate"},
    ),
    "users.passwords.update": (
        True,
        "system",
        lambda w, me: me.users.passwords.update(w.id, new_password=NEW_PASSWORD),
        {"action": "user.update_password"},
    ),
    "users.access.unlock": (
        True,
        "system",
        lambda w, me: me.users.access.unlock(w.id),
        {"action": "user.unlock"},
    ),
    "users.tokens.issue_password_reset": (
        True,
        "system",
        lambda w, me: me.users.tokens.issue_password_reset(w.owner.email),
        {"action": "user.issue_password_reset"},
    ),
    "users.tokens.issue_email_verification": (
        True,
        "system",
        lambda w, me: me.users.tokens.issue_email_verification(w.id),
        {"action": "user.issue_email_verification"},
    ),
    "users.tokens.reset_password": (
        False,
        "self",
        lambda w, me: me.users.tokens.reset_password(w.reset, new_password=NEW_PASSWORD),
        {"action": "user.reset_password"},
    ),
    "users.tokens.verify_email": (
        False,
        "self",
        lambda w, me: me.users.tokens.verify_email(w.verification),
        {"action": "user.verify_email"},
    ),
    "users.preferences.update": (
        False,
        "self",
        lambda w, me: me.users.preferences.update(w.id, {"mail.daily": False, "a": 1, "b": 2}),
        {"action": "user.update_preferences"},
    ),
    "users.preferences.unset": (
        False,
        "self",
        lambda w, me: me.users.preferences.unset(w.id, "mail"),
        {"action": "user.unset_preference"},
    ),
    "users.preferences.reset": (
        False,
        "self",
        lambda w, me: me.users.preferences.reset(w.id),
        {"action": "user.reset_preferences"},
    ),
    "users.update_details": (
        False,
        "self",
        lambda w, me: me.users.update_details(
            w.id, email=f"{w.id}@walk.example", full_name="Another"
        ),
        {"action": "user.update_details"},
    ),
    "users.access.change_role": (
        True,
        "system",
        lambda w, me: me.users.access.change_role(w.id, "admin"),
        {"action": "user.change_role"},
    ),
    "users.access.activate": (
        True,
        "system",
        lambda w, me: me.users.access.activate(w.id),
        {"action": "user.activate"},
    ),
    "users.access.deactivate": (
        True,
        "system",
        lambda w, me: me.users.access.deactivate(w.id),
        {"action": "user.deactivate"},
    ),
    "users.soft_delete": (
        False,
        "self",
        lambda w, me: me.users.soft_delete(w.id),
        {"action": "user.soft_delete"},
    ),
    "users.delete_account": (
        False,
        "self",
        lambda w, me: me.users.delete_account(w.id),
        {"action": "user.delete_account"},
    ),
    "users.transfer": (
        True,
        "system",
        lambda w, me: me.users.transfer(w.id, w.heir_id),
        {"action": "user.transfer"},
    ),
    "users.restore": (
        True,
        "system_deleted",
        lambda w, me: me.users.restore(w.id),
        {"action": "user.restore"},
    ),
    "conversations.create": (
        False,
        "owner_absent",
        lambda w, me: me.conversations.create(title="t", id=w.id),
        {"action": "conversation.create"},
    ),
    "conversations.exchange.create_many": (
        False,
        "owner_absent",
        lambda w, me: me.conversations.exchange.create_many(
            [dal.ImportedConversation(title="t") for _ in range(3)]
        ),
        {"action": "conversation.create_many", "target_id": None, "affected": 3},
    ),
    "conversations.archiving.archive_all": (
        False,
        "owner_live",
        lambda w, me: me.conversations.archiving.archive_all(),
        {"action": "conversation.archive_all", "target_id": None},
    ),
    "conversations.archiving.archive_idle": (
        True,
        "system_live",
        lambda w, me: _archive_idle(w, me),
        {"action": "conversation.archive_idle", "target_id": None},
    ),
    "conversations.trash.purge_deleted": (
        True,
        "system_deleted",
        lambda w, me: _purge_deleted(w, me),
        {"action": "conversation.purge_deleted", "target_id": None},
    ),
    "conversations.update_details": (
        False,
        "owner_live",
        lambda w, me: me.conversations.update_details(w.id, title="other"),
        {"action": "conversation.update_details"},
    ),
    "conversations.change_status": (
        False,
        "owner_live",
        lambda w, me: me.conversations.change_status(w.id, "paused"),
        {"action": "conversation.change_status"},
    ),
    "conversations.archive": (
        False,
        "owner_live",
        lambda w, me: me.conversations.archive(w.id),
        {"action": "conversation.archive"},
    ),
    "conversations.unarchive": (
        False,
        "owner_archived",
        lambda w, me: me.conversations.unarchive(w.id),
        {"action": "conversation.unarchive"},
    ),
    "conversations.soft_delete": (
        False,
        "owner_live",
        lambda w, me: me.conversations.soft_delete(w.id),
        {"action": "conversation.soft_delete"},
    ),
    "conversations.restore": (
        False,
        "owner_deleted",
        lambda w, me: me.conversations.restore(w.id),
        {"action": "conversation.restore"},
    ),
    "conversations.trash.purge": (
        False,
        "owner_deleted",
        lambda w, me: me.conversations.trash.purge(w.id),
        {"action": "conversation.purge"},
    ),
    "conversations.participants.add": (
        False,
        "owner_live",
        lambda w, me: me.conversations.participants.add(w.id, w.guest.id),
        {"action": "conversation.add_participant"},
    ),
    "conversations.participants.change_role": (
        False,
        "owner_live",
        lambda w, me: me.conversations.participants.change_role(w.id, w.viewer.id, "collaborator"),
        {"action": "conversation.change_role"},
    ),
    "conversations.participants.remove": (
        False,
        "owner_live",
        lambda w, me: me.conversations.participants.remove(w.id, w.viewer.id),
        {"action": "conversation.remove_participant"},
    ),
    "conversations.participants.transfer": (
        False,
        "owner_live",
        lambda w, me: me.conversations.participants.transfer(w.id, w.viewer.id),
        {"action": "conversation.transfer"},
    ),
    "conversations.participants.leave": (
        False,
        "viewer_live",
        lambda w, me: me.conversations.participants.leave(w.id),
        {"action": "conversation.leave"},
    ),
    "conversations.participants.set_pinned": (
        False,
        "owner_live",
        lambda w, me: me.conversations.participants.set_pinned(w.id, True),
        {"action": "conversation.set_pinned"},
    ),
    "conversations.participants.mark_read": (
        False,
        "owner_live",
        lambda w, me: me.conversations.participants.mark_read(w.id, 0),
        {"action": "conversation.mark_read"},
    ),
    "conversations.shares.create": (
        False,
        "owner_live",
        lambda w, me: me.conversations.shares.create(w.id),
        {"action": "conversation.create_share"},
    ),
    "conversations.shares.open": (
        False,
        "stranger_live",
        lambda w, me: me.conversations.shares.open(w.token),
        {"action": "conversation.open_share"},
    ),
    "conversations.shares.extend": (
        False,
        "owner_live",
        lambda w, me: me.conversations.shares.extend(w.share_id, max_views=None),
        {"action": "conversation.extend_share"},
    ),
    "conversations.shares.revoke": (
        False,
        "owner_live",
        lambda w, me: me.conversations.shares.revoke(w.share_id),
        {"action": "conversation.revoke_share"},
    ),
    "conversations.shares.revoke_all": (
        False,
        "owner_live",
        lambda w, me: me.conversations.shares.revoke_all(w.id),
        {"action": "conversation.revoke_shares"},
    ),
    "conversations.shares.revoke_mine": (
        False,
        "owner_live",
        lambda w, me: me.conversations.shares.revoke_mine(),
        {"action": "conversation.revoke_own_shares", "target_id": None},
    ),
    "conversations.shares.purge_expired": (
        True,
        "system_live",
        lambda w, me: _purge_shares(w, me),
        {"action": "conversation.purge_shares", "target_id": None},
    ),
    "conversations.totals.recompute": (
        True,
        "owner_live",
        lambda w, me: me.conversations.totals.recompute(w.id),
        {"action": "conversation.recompute"},
    ),
    "prompts.create": (
        False,
        "owner_live",
        lambda w, me: me.prompts.create(w.conversation_id, user_input="x", id=w.fork_id),
        {"action": "prompt.create", "target": "fork_id"},
    ),
    "prompts.start": (
        False,
        "owner_live",
        lambda w, me: me.prompts.start(w.id),
        {"action": "prompt.start"},
    ),
    "prompts.complete": (
        False,
        "owner_live",
        lambda w, me: me.prompts.complete(w.id, response="So."),
        {"action": "prompt.complete"},
    ),
    "prompts.fail": (
        False,
        "owner_live",
        lambda w, me: me.prompts.fail(w.id, error_code="e"),
        {"action": "prompt.fail"},
    ),
    "prompts.cancel": (
        False,
        "owner_live",
        lambda w, me: me.prompts.cancel(w.id),
        {"action": "prompt.cancel"},
    ),
    "prompts.retry": (
        False,
        "owner_live",
        lambda w, me: me.prompts.retry(w.id),
        {"action": "prompt.retry"},
    ),
    "prompts.tree.follow_up": (
        False,
        "owner_live",
        lambda w, me: me.prompts.tree.follow_up(w.id, user_input="x", id=w.fork_id),
        {"action": "prompt.create", "target": "fork_id"},
    ),
    "prompts.tree.set_active": (
        False,
        "owner_live",
        lambda w, me: me.prompts.tree.set_active(w.id),
        {"action": "prompt.set_active"},
    ),
    "prompts.tree.reparent": (
        False,
        "owner_live",
        lambda w, me: me.prompts.tree.reparent(w.id, None),
        {"action": "prompt.reparent"},
    ),
    "prompts.tree.soft_delete_subtree": (
        False,
        "owner_live",
        lambda w, me: me.prompts.tree.soft_delete_subtree(w.id),
        {"action": "prompt.soft_delete_subtree"},
    ),
    "prompts.tree.soft_delete_after": (
        False,
        "owner_live",
        lambda w, me: me.prompts.tree.soft_delete_after(w.id),
        {"action": "prompt.soft_delete_after"},
    ),
    "prompts.tree.restore_subtree": (
        False,
        "owner_gone",
        lambda w, me: me.prompts.tree.restore_subtree(w.id),
        {"action": "prompt.restore_subtree"},
    ),
    "conversations.exchange.fork": (
        False,
        "owner_live",
        lambda w, me: me.conversations.exchange.fork(w.prompt_id, id=w.fork_id),
        {"action": "conversation.fork", "target": "fork_id"},
    ),
    "prompts.queue.claim_next": (
        True,
        "system_live",
        lambda w, me: me.prompts.queue.claim_next("worker-1"),
        {"action": "prompt.claim"},
    ),
    "prompts.queue.release": (
        True,
        "system_live",
        lambda w, me: me.prompts.queue.release(w.id, "worker-1"),
        {"action": "prompt.release"},
    ),
    "prompts.queue.requeue_expired": (
        True,
        "system_live",
        _requeue_expired,
        {"action": "prompt.requeue_expired", "target_id": None},
    ),
    "prompts.variations.create": (
        False,
        "owner_live",
        lambda w, me: me.prompts.variations.create(w.id, id=w.fork_id),
        {"action": "prompt.create_variation", "target": "fork_id"},
    ),
    "prompts.variations.select": (
        False,
        "owner_live",
        lambda w, me: me.prompts.variations.select(w.id),
        {"action": "prompt.select_variation"},
    ),
    "prompts.ratings.set": (
        False,
        "owner_live",
        lambda w, me: me.prompts.ratings.set(w.id, 5),
        {"action": "prompt.rate"},
    ),
    "prompts.ratings.clear": (
        False,
        "owner_live",
        lambda w, me: me.prompts.ratings.clear(w.id),
        {"action": "prompt.clear_rating"},
    ),
    "prompts.costs.add_prices": (
        True,
        "system_live",
        lambda w, me: me.prompts.costs.add_prices([_price(w)]),
        {"action": "model_price.create", "target_id": None},
    ),
    "prompts.costs.recalculate": (
        True,
        "system_live",
        _recalculate,
        {"action": "usage.recalculate", "target_id": None},
    ),
    "prompts.costs.rebuild_days": (
        True,
        "system_live",
        _rebuild_days,
        {"action": "usage.rebuild_day", "target_id": None},
    ),
    "prompts.soft_delete": (
        False,
        "owner_live",
        lambda w, me: me.prompts.soft_delete(w.id),
        {"action": "prompt.soft_delete"},
    ),
    "prompts.restore": (
        False,
        "owner_gone",
        lambda w, me: me.prompts.restore(w.id),
        {"action": "prompt.restore"},
    ),
}
# A failed log-in is to be remembered, so it is not taken into a caller's transaction.
IN_TRANSACTION: Final = sorted(set(WALK) - {"users.authenticate"})


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
        "category",
        "severity",
    ]
    rows = root(
        f"SELECT {', '.join(names)} FROM audit_logs WHERE request_id = %s ORDER BY id", request_id
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def contract_of(method: str) -> tuple[Contract, str]:
    """The contract that has a method, and what it calls the method."""
    (found,) = (
        (contract, method.removeprefix(contract.root))
        for contract in CONTRACTS.values()
        if method.removeprefix(contract.root) in contract.table and method.startswith(contract.root)
    )
    return found


async def prepared(
    db: dal.Database, clock: dal.ManualClock, method: str
) -> tuple[World, dal.Session, str]:
    """The world of a method, and a session that nobody else's entries come from."""
    as_system, case, _, _ = WALK[method]
    contract, name = contract_of(method)
    world = await contract.world(db, clock, case, name)
    request_id = uuid4().hex
    actor = (
        dal.Actor.system("walk", request_id=request_id)
        if as_system
        else dal.Actor.user(
            (world.walker if isinstance(world, ConversationWorld) else world.owner).id,
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
    target: UUID | None = expected.get("target_id", getattr(world, expected.get("target", "id")))
    assert entry["action"] == expected["action"]
    assert entry["target_type"] == expected["action"].partition(".")[0]
    assert entry["target_id"] == (None if target is None else target.bytes)
    assert entry["affected"] == expected.get("affected", world.affected)
    assert entry["outcome"] == "success"
    assert entry["actor_type"] == actor.type.value
    assert entry["actor_id"] == (None if actor.id is None else actor.id.bytes)
    assert entry["actor_name"] == actor.name
    assert (entry["ip"], entry["user_agent"]) == (actor.ip, actor.user_agent)
    assert entry["occurred_at"] == clock.now().replace(tzinfo=None)
    changes = json.loads(entry["changes"])
    assert all(change.keys() == {"from", "to"} for change in changes.values()), changes
    if method != "audit.record":
        kind = classified(entry["action"], dal.Outcome.SUCCESS)
        assert (entry["category"], entry["severity"]) == kind


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
    check_no_secret(root, entry, world)


def check_no_secret(root: Root, entry: dict[str, Any], world: World) -> None:
    """Neither a password nor a token, nor what is stored of them."""
    if not isinstance(world, UserWorld):
        return
    hashes = root("SELECT password_hash FROM users WHERE id = %s", world.id.bytes)
    hashes += root(
        "SELECT LOWER(HEX(token_hash)) FROM user_tokens WHERE user_id = %s", world.id.bytes
    )
    assert hashes
    secrets = [PASSWORD, NEW_PASSWORD, world.reset, world.verification]
    # An account that has ended has none.
    secrets += [hash_ for (hash_,) in hashes if hash_ is not None]
    told = repr(entry)
    assert [secret for secret in secrets if secret in told] == []
    assert "$argon2" not in told


@pytest.mark.parametrize("method", IN_TRANSACTION)
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


@pytest.mark.parametrize("method", IN_TRANSACTION)
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


DENIED: Final[dict[str, tuple[str, str, Callable[[Any, dal.Session], Awaitable[object]]]]] = {
    "template.create": (
        "absent",
        "anonymous",
        lambda w, me: me.templates.create(name="n", content="c"),
    ),
    "template.create_many": (
        "absent",
        "other",
        lambda w, me: me.templates.exchange.create_many([w.new()], owner_id=w.owner.id),
    ),
    "template.update_details": (
        "own_public",
        "other",
        lambda w, me: me.templates.update_details(w.id, name="mine"),
    ),
    "template.commit": (
        "own_public",
        "other",
        lambda w, me: me.templates.versions.commit(w.id, content=""),
    ),
    "template.rollback": (
        "own_public",
        "other",
        lambda w, me: me.templates.versions.rollback(w.id, 1),
    ),
    "template.delete_version": (
        "own_public",
        "system",
        lambda w, me: me.templates.versions.delete(w.id, 1),
    ),
    "template.fork": ("own_public", "anonymous", lambda w, me: me.templates.versions.fork(w.id)),
    "template.set_label": (
        "own_public",
        "other",
        lambda w, me: me.templates.labels.set(w.id, "production", 1),
    ),
    "template.remove_label": (
        "own_public",
        "anonymous",
        lambda w, me: me.templates.labels.remove(w.id, "production"),
    ),
    "template.rate": ("own_public", "anonymous", lambda w, me: me.templates.ratings.set(w.id, 1)),
    "template.remove_rating": (
        "own_public",
        "system",
        lambda w, me: me.templates.ratings.remove(w.id),
    ),
    "template.record_use": (
        "own_public",
        "anonymous",
        lambda w, me: me.templates.usage.record(w.id),
    ),
    "category.rename": (
        "own_public",
        "stale",
        lambda w, me: me.categories.rename(w.category, "Mine"),
    ),
    "category.merge": (
        "own_public",
        "other",
        lambda w, me: me.categories.merge(w.category, w.target),
    ),
    "template.refresh_search_statistics": (
        "own_public",
        "stale",
        lambda w, me: me.templates.search_statistics.refresh(),
    ),
    "template.soft_delete": (
        "own_public",
        "anonymous",
        lambda w, me: me.templates.soft_delete(w.id),
    ),
    "template.restore": ("own_public", "system", lambda w, me: me.templates.restore(w.id)),
    "template.purge": ("own_public", "other", lambda w, me: me.templates.trash.purge(w.id)),
    "template.purge_deleted": (
        "own_public",
        "other",
        lambda w, me: me.templates.trash.purge_deleted(older_than=timedelta(0)),
    ),
    "audit.import": ("self", "other", lambda w, me: me.audit.imports.create_many([imported(w)])),
    "audit.place_hold": (
        "self",
        "other",
        lambda w, me: me.audit.retention.place_hold("Case", id=w.id),
    ),
    "audit.release_hold": (
        "self",
        "anonymous",
        lambda w, me: me.audit.retention.release_hold(w.id),
    ),
    "user.create": (
        "absent",
        "other",
        lambda w, me: me.users.create(
            email=f"{w.id}@walk.example", full_name="W", role="viewer", id=w.id
        ),
    ),
    "user.delete_account": ("other", "stale", lambda w, me: me.users.delete_account(w.id)),
    "user.transfer": ("system", "other", lambda w, me: me.users.transfer(w.id, w.heir_id)),
    "user.restore": ("system_deleted", "other", lambda w, me: me.users.restore(w.id)),
    "user.change_role": (
        "other",
        "other",
        lambda w, me: me.users.access.change_role(w.id, "admin"),
    ),
    "user.activate": ("absent", "anonymous", lambda w, me: me.users.access.activate(w.id)),
    "user.deactivate": ("other", "stale", lambda w, me: me.users.access.deactivate(w.id)),
    "user.unlock": ("other", "other", lambda w, me: me.users.access.unlock(w.id)),
    "user.issue_password_reset": (
        "other",
        "anonymous",
        lambda w, me: me.users.tokens.issue_password_reset(w.owner.email),
    ),
    "user.issue_email_verification": (
        "other",
        "stale",
        lambda w, me: me.users.tokens.issue_email_verification(w.id),
    ),
    # Of what users do to themselves, a user is told that there is no other; a former admin has
    # seen them.
    "user.soft_delete": ("other", "stale", lambda w, me: me.users.soft_delete(w.id)),
    "user.update_details": (
        "other",
        "stale",
        lambda w, me: me.users.update_details(w.id, full_name="Mine"),
    ),
    "user.update_password": (
        "other",
        "stale",
        lambda w, me: me.users.passwords.update(w.id, new_password=NEW_PASSWORD),
    ),
    "user.update_preferences": (
        "other",
        "stale",
        lambda w, me: me.users.preferences.update(w.id, {"theme": "light"}),
    ),
    "user.unset_preference": (
        "other",
        "stale",
        lambda w, me: me.users.preferences.unset(w.id, "theme"),
    ),
    "user.reset_preferences": (
        "other",
        "stale",
        lambda w, me: me.users.preferences.reset(w.id),
    ),
    "conversation.mark_read": (
        "owner_live",
        "system",
        lambda w, me: me.conversations.participants.mark_read(w.id, 0),
    ),
    "conversation.create_share": (
        "owner_live",
        "system",
        lambda w, me: me.conversations.shares.create(w.id),
    ),
    "conversation.extend_share": (
        "owner_live",
        "system",
        lambda w, me: me.conversations.shares.extend(w.share_id, max_views=None),
    ),
    "conversation.revoke_share": (
        "owner_live",
        "system",
        lambda w, me: me.conversations.shares.revoke(w.share_id),
    ),
    "conversation.revoke_shares": (
        "owner_live",
        "system",
        lambda w, me: me.conversations.shares.revoke_all(w.id),
    ),
    "conversation.revoke_own_shares": (
        "owner_live",
        "anonymous",
        lambda w, me: me.conversations.shares.revoke_mine(),
    ),
    "conversation.purge_shares": (
        "owner_live",
        "other",
        lambda w, me: me.conversations.shares.purge_expired(),
    ),
    "conversation.recompute": (
        "owner_live",
        "other",
        lambda w, me: me.conversations.totals.recompute(w.id),
    ),
    "prompt.create": (
        "owner_live",
        "system",
        lambda w, me: me.prompts.create(w.conversation_id, user_input="x"),
    ),
    "prompt.start": (
        "owner_live",
        "viewer",
        lambda w, me: me.prompts.start(w.id),
    ),
    "prompt.complete": (
        "owner_live",
        "viewer",
        lambda w, me: me.prompts.complete(w.id, response="So."),
    ),
    "prompt.fail": (
        "owner_live",
        "viewer",
        lambda w, me: me.prompts.fail(w.id, error_code="e"),
    ),
    "prompt.cancel": (
        "owner_live",
        "viewer",
        lambda w, me: me.prompts.cancel(w.id),
    ),
    "prompt.retry": (
        "owner_live",
        "viewer",
        lambda w, me: me.prompts.retry(w.id),
    ),
    "prompt.set_active": (
        "owner_live",
        "system",
        lambda w, me: me.prompts.tree.set_active(w.id),
    ),
    "prompt.reparent": (
        "owner_live",
        "system",
        lambda w, me: me.prompts.tree.reparent(w.id, None),
    ),
    "prompt.soft_delete_subtree": (
        "owner_live",
        "system",
        lambda w, me: me.prompts.tree.soft_delete_subtree(w.id),
    ),
    "prompt.soft_delete_after": (
        "owner_live",
        "system",
        lambda w, me: me.prompts.tree.soft_delete_after(w.id),
    ),
    "prompt.restore_subtree": (
        "owner_live",
        "system",
        lambda w, me: me.prompts.tree.restore_subtree(w.id),
    ),
    "conversation.fork": (
        "owner_live",
        "anonymous",
        lambda w, me: me.conversations.exchange.fork(w.prompt_id),
    ),
    "prompt.claim": (
        "owner_live",
        "other",
        lambda w, me: me.prompts.queue.claim_next("worker-1"),
    ),
    "prompt.release": (
        "owner_live",
        "other",
        lambda w, me: me.prompts.queue.release(w.id, "worker-1"),
    ),
    "prompt.requeue_expired": (
        "owner_live",
        "other",
        lambda w, me: me.prompts.queue.requeue_expired(),
    ),
    "prompt.create_variation": (
        "owner_live",
        "system",
        lambda w, me: me.prompts.variations.create(w.id),
    ),
    "prompt.select_variation": (
        "owner_live",
        "system",
        lambda w, me: me.prompts.variations.select(w.id),
    ),
    "prompt.rate": ("owner_live", "viewer", lambda w, me: me.prompts.ratings.set(w.id, 5)),
    "prompt.clear_rating": ("owner_live", "viewer", lambda w, me: me.prompts.ratings.clear(w.id)),
    "model_price.create": (
        "owner_live",
        "other",
        lambda w, me: me.prompts.costs.add_prices([_price(w)]),
    ),
    "usage.recalculate": ("owner_live", "other", _recalculate),
    "usage.rebuild_day": ("owner_live", "other", _rebuild_days),
    "prompt.soft_delete": ("owner_live", "system", lambda w, me: me.prompts.soft_delete(w.id)),
    "prompt.restore": ("owner_live", "system", lambda w, me: me.prompts.restore(w.id)),
    "conversation.create": (
        "owner_live",
        "anonymous",
        lambda w, me: me.conversations.create(title="t"),
    ),
    "conversation.create_many": (
        "owner_live",
        "anonymous",
        lambda w, me: me.conversations.exchange.create_many([]),
    ),
    "conversation.archive_all": (
        "owner_live",
        "anonymous",
        lambda w, me: me.conversations.archiving.archive_all(),
    ),
    "conversation.archive_idle": (
        "owner_live",
        "other",
        lambda w, me: me.conversations.archiving.archive_idle(older_than=timedelta(0)),
    ),
    "conversation.purge_deleted": (
        "owner_live",
        "other",
        lambda w, me: me.conversations.trash.purge_deleted(older_than=timedelta(0)),
    ),
    "conversation.update_details": (
        "owner_live",
        "system",
        lambda w, me: me.conversations.update_details(w.id, title="mine"),
    ),
    "conversation.change_status": (
        "owner_live",
        "system",
        lambda w, me: me.conversations.change_status(w.id, "paused"),
    ),
    "conversation.archive": (
        "owner_live",
        "system",
        lambda w, me: me.conversations.archive(w.id),
    ),
    "conversation.unarchive": (
        "owner_live",
        "system",
        lambda w, me: me.conversations.unarchive(w.id),
    ),
    "conversation.soft_delete": (
        "owner_live",
        "system",
        lambda w, me: me.conversations.soft_delete(w.id),
    ),
    "conversation.restore": (
        "owner_live",
        "system",
        lambda w, me: me.conversations.restore(w.id),
    ),
    "conversation.purge": (
        "owner_live",
        "system",
        lambda w, me: me.conversations.trash.purge(w.id),
    ),
    "conversation.add_participant": (
        "owner_live",
        "system",
        lambda w, me: me.conversations.participants.add(w.id, w.guest.id),
    ),
    "conversation.change_role": (
        "owner_live",
        "system",
        lambda w, me: me.conversations.participants.change_role(w.id, w.viewer.id, "viewer"),
    ),
    "conversation.remove_participant": (
        "owner_live",
        "system",
        lambda w, me: me.conversations.participants.remove(w.id, w.viewer.id),
    ),
    "conversation.transfer": (
        "owner_live",
        "system",
        lambda w, me: me.conversations.participants.transfer(w.id, w.viewer.id),
    ),
    "conversation.leave": (
        "owner_live",
        "system",
        lambda w, me: me.conversations.participants.leave(w.id),
    ),
    "conversation.set_pinned": (
        "owner_live",
        "system",
        lambda w, me: me.conversations.participants.set_pinned(w.id, True),
    ),
}
NO_TARGET: Final = frozenset(
    {
        "audit.import",
        "template.create",
        "template.create_many",
        "template.purge_deleted",
        "template.fork",
        "template.refresh_search_statistics",
        "category.rename",
        "category.merge",
        "conversation.create",
        "conversation.fork",
        "conversation.create_many",
        "conversation.archive_all",
        "conversation.archive_idle",
        "conversation.purge_deleted",
        "conversation.revoke_own_shares",
        "conversation.purge_shares",
        "model_price.create",
        "usage.recalculate",
        "usage.rebuild_day",
        "prompt.claim",
        "prompt.create",
        "prompt.requeue_expired",
        "user.issue_password_reset",
    }
)


def test_every_action_that_can_be_denied_is_tried() -> None:
    """All but those that somebody's password or token allows, whoever they are."""
    for_anybody = {"user.authenticate", "user.reset_password", "user.verify_email"}
    for_anybody |= {"conversation.open_share", "invoice.send"}
    walked = {walk[3]["action"] for walk in WALK.values()} | {"template.record_use"}
    assert set(DENIED) == walked - for_anybody


def test_every_action_has_its_category_and_severity() -> None:
    """And none is there that nobody writes."""
    walked = {walk[3]["action"] for walk in WALK.values()} - {"invoice.send"}
    told = {action for _, action in DISCLOSING.values()}
    frequent = {"template.record_use", "prompt.append_partial", "prompt.heartbeat"}
    assert set(ACTIONS) == walked | told | frequent
    denied = {action: classified(action, Outcome.DENIED)[1] for action in ACTIONS}
    assert min(denied.values(), key=list(dal.AuditSeverity).index) is dal.AuditSeverity.MEDIUM
    assert denied["user.change_role"] is dal.AuditSeverity.HIGH
    with pytest.raises(dal.UsageError):
        classified("template.no_such", Outcome.SUCCESS)


async def denied_world(
    db: dal.Database, clock: dal.ManualClock, action: str
) -> tuple[World, dal.Session, str]:
    case, who, _ = DENIED[action]
    method = next(
        (name for name, walk in WALK.items() if walk[3]["action"] == action),
        "templates.usage.record",
    )
    contract, name = contract_of(method)
    world = await contract.world(db, clock, case, name)
    return world, *await denied_session(db, world, who)


async def denied_session(db: dal.Database, world: World, who: str) -> tuple[dal.Session, str]:
    request_id = uuid4().hex
    actor = {
        "anonymous": dal.Actor.anonymous(ip="192.0.2.7", request_id=request_id),
        "system": dal.Actor.system("walk", request_id=request_id),
        # Who says so, and is none: an admin once, in a session that was opened then.
        "stale": dal.Actor.user(
            (await make_user(world.system, "Cyd")).id, role="admin", request_id=request_id
        ),
        "other": dal.Actor.user(
            (await make_user(world.system, "Bob")).id, ip="192.0.2.7", request_id=request_id
        ),
        # One who takes part in the conversation, and only reads.
        "viewer": dal.Actor.user(
            (world.viewer if isinstance(world, ConversationWorld) else world.owner).id,
            ip="192.0.2.7",
            request_id=request_id,
        ),
    }[who]
    return db.acting_as(actor), request_id


def check_denied(found: list[dict[str, Any]], action: str, world: World, me: dal.Session) -> None:
    (entry,) = found
    assert (entry["action"], entry["outcome"], entry["affected"]) == (action, "denied", 0)
    target = None if action in NO_TARGET else world.id.bytes
    assert (entry["target_type"], entry["target_id"]) == (action.partition(".")[0], target)
    assert entry["actor_id"] == (None if me.actor.id is None else me.actor.id.bytes)
    assert (entry["actor_type"], entry["ip"]) == (me.actor.type.value, me.actor.ip)


@pytest.mark.parametrize("action", sorted(DENIED))
async def test_a_denied_attempt_leaves_an_entry(
    db: dal.Database, clock: dal.ManualClock, root: Root, action: str
) -> None:
    attempt = DENIED[action][2]
    world, me, request_id = await denied_world(db, clock, action)
    with pytest.raises(dal.PermissionDeniedError):
        await attempt(world, me)
    check_denied(entries(root, request_id), action, world, me)


@pytest.mark.parametrize("action", sorted(DENIED))
@pytest.mark.parametrize("caught_inside", [True, False])
async def test_a_denied_attempt_survives_the_callers_transaction(
    db: dal.Database, clock: dal.ManualClock, root: Root, action: str, caught_inside: bool
) -> None:
    """Rolled back with the rest, or caught and committed: one entry, written after the end."""
    attempt = DENIED[action][2]
    world, me, request_id = await denied_world(db, clock, action)
    if caught_inside:
        async with me.begin() as tx:
            with pytest.raises(dal.PermissionDeniedError):
                await attempt(world, tx)
            assert entries(root, request_id) == []
    else:
        with pytest.raises(dal.PermissionDeniedError):
            async with me.begin() as tx:
                await attempt(world, tx)
    check_denied(entries(root, request_id), action, world, me)


async def test_a_refused_value_and_what_is_not_found_leave_no_entry(
    db: dal.Database, clock: dal.ManualClock, root: Root
) -> None:
    world, me, request_id = await prepared(db, clock, "templates.soft_delete")
    with pytest.raises(dal.ValueRejectedError):
        await me.templates.update_details(world.id, name="x" * 256)
    with pytest.raises(dal.NotFoundError):
        await me.templates.soft_delete(uuid4())
    with pytest.raises(dal.StaleVersionError):
        await me.templates.versions.commit(world.id, content="x", expected_head=7)
    with pytest.raises(dal.StaleVersionError):
        await me.templates.versions.rollback(world.id, 1, expected_head=7)
    for refused in (
        me.templates.versions.rollback(world.id, 2),
        me.templates.versions.delete(world.id, 2),
        me.templates.versions.fork(world.id, version=2),
        me.templates.versions.fork(uuid4()),
        me.templates.labels.set(world.id, "x", 2),
        me.templates.labels.remove(world.id, "x"),
        me.templates.ratings.remove(world.id),
        me.templates.ratings.set(uuid4(), 5),
        me.templates.usage.record(uuid4()),
    ):
        with pytest.raises(dal.NotFoundError):
            await refused
    with pytest.raises(dal.ConstraintError) as kept:
        await me.templates.versions.delete(world.id, 1)
    assert kept.value.constraint == "only_version"
    system = db.acting_as(dal.Actor.system("walk", request_id=request_id))
    with pytest.raises(dal.UsageError):
        await system.templates.versions.fork(world.id)
    with pytest.raises(dal.NotFoundError):
        await system.categories.rename(uuid4().hex, "new")
    with pytest.raises(dal.NotFoundError):
        await system.categories.merge(world.category, uuid4().hex)
    labelled = await me.templates.labels.set(world.id, "pin", 1)
    await me.templates.versions.commit(world.id, content="second")
    (set_label, commit) = entries(root, request_id)
    assert (set_label["action"], commit["action"]) == ("template.set_label", "template.commit")
    with pytest.raises(dal.ChildExistsError):
        await me.templates.versions.delete(world.id, 1)
    assert await me.templates.labels.list_of(world.id) == [labelled]
    assert len(entries(root, request_id)) == 2


async def test_a_category_of_a_taken_name_stays(
    db: dal.Database, clock: dal.ManualClock, root: Root
) -> None:
    """Merging is another thing: neither is changed, and nothing is told."""
    world, me, request_id = await prepared(db, clock, "categories.rename")
    before = root("SELECT * FROM categories WHERE slug LIKE %s ORDER BY id", f"%{world.word}")
    assert len(before) == 2
    with pytest.raises(dal.UniqueError):
        await me.categories.rename(world.category, world.target)
    after = root("SELECT * FROM categories WHERE slug LIKE %s ORDER BY id", f"%{world.word}")
    assert after == before
    assert entries(root, request_id) == []


async def test_no_change_leaves_no_entry(
    db: dal.Database, clock: dal.ManualClock, root: Root, recorder: Recorder
) -> None:
    world, me, request_id = await prepared(db, clock, "templates.versions.commit")
    system = db.acting_as(dal.Actor.system("walk", request_id=request_id))
    await world.as_owner.templates.labels.set(world.id, "production", 1)
    await world.as_owner.templates.ratings.set(world.id, 3, feedback="so so")
    labels = await me.templates.labels.list_of(world.id)
    ratings = await me.templates.ratings.list_of(world.id)
    before = await me.templates.get(world.id)
    clock.move(timedelta(seconds=1))
    same: list[Awaitable[object]] = [
        me.templates.update_details(
            world.id,
            name=before.name,
            description=before.description,
            author_name=None,
            category=f" c-{world.word} ".upper(),
            tags=["RED", "GRÜN", "\U0001f600", "red", world.tag.upper()],
            visibility="private",
        ),
        me.templates.update_details(world.id),
        me.templates.versions.commit(world.id, content=before.content),
        me.templates.versions.commit(world.id, content=before.content, system_prompt=None),
        me.templates.versions.rollback(world.id, 1, message="no change"),
        me.templates.labels.set(world.id, "PRODUCTION ", 1),
        me.templates.ratings.set(world.id, 3, feedback="so so"),
        system.categories.rename(world.slug, world.category),
    ]
    recorder.clear()
    for change in same:
        await change
    assert entries(root, request_id) == []
    assert await me.templates.get(world.id) == before
    assert await me.templates.labels.list_of(world.id) == labels
    assert len((await me.templates.labels.list_moves(world.id)).rows) == 1
    assert await me.templates.ratings.list_of(world.id) == ratings
    assert [name for name in recorder.names if name.startswith("audit_logs")] == []
    assert await me.templates.exchange.create_many([]) == []
    assert entries(root, request_id) == []


async def test_what_entries_about_labels_ratings_and_categories_tell(
    db: dal.Database, clock: dal.ManualClock, root: Root
) -> None:
    world, me, request_id = await prepared(db, clock, "categories.merge")
    user = db.acting_as(dal.Actor.user(world.owner.id, request_id=request_id))
    secret = f"s3cr3t {uuid4().hex}"
    steps: list[tuple[Callable[[], Awaitable[object]], str, dict[str, Any]]] = [
        (
            lambda: user.templates.versions.commit(world.id, content=secret),
            "template.commit",
            {"head_version": {"from": 1, "to": 2}},
        ),
        (
            lambda: user.templates.labels.set(world.id, "Live", 1),
            "template.set_label",
            {"label": {"from": "live", "to": "live"}, "version": {"from": None, "to": 1}},
        ),
        (
            lambda: user.templates.labels.set(world.id, "live", 2),
            "template.set_label",
            {"label": {"from": "live", "to": "live"}, "version": {"from": 1, "to": 2}},
        ),
        (
            lambda: user.templates.labels.remove(world.id, "LIVE"),
            "template.remove_label",
            {"label": {"from": "live", "to": "live"}, "version": {"from": 2, "to": None}},
        ),
        (
            lambda: user.templates.versions.rollback(world.id, 1),
            "template.rollback",
            {"head_version": {"from": 2, "to": 3}},
        ),
        (
            lambda: user.templates.versions.delete(world.id, 2),
            "template.delete_version",
            {"version": {"from": 2, "to": None}},
        ),
        (
            lambda: user.templates.ratings.set(world.id, 2, feedback=secret),
            "template.rate",
            {"rating": {"from": None, "to": 2}},
        ),
        (
            lambda: user.templates.ratings.set(world.id, 4),
            "template.rate",
            {"rating": {"from": 2, "to": 4}},
        ),
        (
            lambda: user.templates.ratings.remove(world.id),
            "template.remove_rating",
            {"rating": {"from": 4, "to": None}},
        ),
        (
            lambda: me.categories.merge(world.category, world.target),
            "category.merge",
            {"slug": {"from": world.slug, "to": f"d-{world.word}"}},
        ),
        (
            lambda: me.categories.rename(world.target, f"E {world.word}"),
            "category.rename",
            {
                "slug": {"from": f"d-{world.word}", "to": f"e-{world.word}"},
                "name": {"from": world.target, "to": f"E {world.word}"},
            },
        ),
    ]
    for change, _, _ in steps:
        clock.move(timedelta(seconds=1))
        await change()
    found = entries(root, request_id)
    assert [entry["action"] for entry in found] == [action for _, action, _ in steps]
    for entry, (_, _, expected) in zip(found, steps, strict=True):
        told = json.loads(entry["changes"])
        # Of texts, length and hash; of what was said with a rating, nothing.
        assert {field: told[field] for field in told if field != "content"} == expected
    assert secret not in repr(found)


async def user_case(
    db: dal.Database, clock: dal.ManualClock, method: str = "", *, role: str = "user"
) -> tuple[UserWorld, dal.Session, str]:
    """A user, and a session of theirs that nobody else's entries come from."""
    world, request_id = await user_world(db, clock, "self", method), uuid4().hex
    actor = dal.Actor.user(world.id, role=role, request_id=request_id)
    return world, db.acting_as(actor), request_id


async def test_no_change_of_a_user_leaves_no_entry(
    db: dal.Database, clock: dal.ManualClock, root: Root, recorder: Recorder
) -> None:
    world, me, request_id = await user_case(db, clock)
    system = db.acting_as(dal.Actor.system("walk", request_id=request_id))
    await world.system.users.preferences.update(world.id, {"n": 1, "none": None, "no": {}})
    preferences = await me.users.preferences.get(world.id)
    row = root("SELECT * FROM users WHERE id = %s", world.id.bytes)
    tokens = root("SELECT * FROM user_tokens WHERE user_id = %s ORDER BY purpose", world.id.bytes)
    owner = world.owner
    same: list[Awaitable[object]] = [
        me.users.update_details(world.id),
        me.users.update_details(
            world.id, email=f" {owner.email.upper()} ", full_name=owner.full_name
        ),
        me.users.update_details(world.id, email=owner.email, expected_updated_at=owner.updated_at),
        me.users.preferences.update(world.id, {}),
        me.users.preferences.update(world.id, preferences),
        me.users.preferences.update(world.id, {"mail.daily": True, "no": {}}),
        me.users.preferences.unset(world.id, "mail.weekly"),
        me.users.preferences.unset(world.id, "theme.dark"),
        system.users.access.change_role(world.id, "user"),
        system.users.access.activate(world.id),
        system.users.tokens.issue_password_reset(f"{uuid4()}@nobody.example"),
    ]
    clock.move(timedelta(seconds=1))
    recorder.clear()
    for change in same:
        await change
    assert [name for name in recorder.names if name.startswith("audit_logs")] == []
    assert entries(root, request_id) == []
    assert root("SELECT * FROM users WHERE id = %s", world.id.bytes) == row
    assert await world.system.users.get(world.id) == owner
    # And each of these once.
    await system.users.access.deactivate(world.id)
    await system.users.access.deactivate(world.id)
    await system.users.tokens.issue_password_reset(owner.email)
    await system.users.access.activate(world.id)
    await me.users.preferences.reset(world.id)
    await me.users.preferences.reset(world.id)
    told = [entry["action"] for entry in entries(root, request_id)]
    assert told == ["user.deactivate", "user.activate", "user.reset_preferences"]
    assert tokens == root(
        "SELECT * FROM user_tokens WHERE user_id = %s ORDER BY purpose", world.id.bytes
    )


async def test_what_an_entry_about_a_user_tells(
    db: dal.Database, clock: dal.ManualClock, root: Root
) -> None:
    world, me, request_id = await user_case(db, clock)
    system = db.acting_as(dal.Actor.system("walk", request_id=request_id))
    await me.users.update_details(world.id, full_name="Another")
    await me.users.preferences.update(
        world.id, {"mail.daily": False, "api_key": "s3cr3t", "new.list": [1]}
    )
    await me.users.preferences.unset(world.id, "mail.at")
    await system.users.access.change_role(world.id, "viewer")
    await system.users.access.deactivate(world.id)
    told = {entry["action"]: json.loads(entry["changes"]) for entry in entries(root, request_id)}
    assert told == {
        "user.update_details": {"full_name": {"from": world.owner.full_name, "to": "Another"}},
        "user.update_preferences": {
            "mail.daily": {"from": True, "to": False},
            "api_key": REDACTED,
            "new.list": {"from": None, "to": [1]},
        },
        "user.unset_preference": {"mail.at": {"from": [7, 30], "to": None}},
        "user.change_role": {"role": {"from": "user", "to": "viewer"}},
        "user.deactivate": {"is_active": {"from": True, "to": False}},
    }


Attempt = Callable[[UserWorld, dal.Session], Awaitable[object]]
FAILED: Final[dict[str, tuple[str, Attempt, dict[str, Any]]]] = {
    "wrong_password": (
        "self",
        lambda w, me: me.users.authenticate(email=w.owner.email, password="wrong"),
        {"failed_logins": {"from": 0, "to": 1}},
    ),
    "locked": (
        "self",
        lambda w, me: me.users.authenticate(email=w.owner.email, password=PASSWORD),
        {},
    ),
    "inactive": (
        "self",
        # Nothing is counted at an account that is not open.
        lambda w, me: me.users.authenticate(email=w.owner.email, password=PASSWORD),
        {},
    ),
    "unknown": (
        "self_deleted",
        lambda w, me: me.users.authenticate(email=w.owner.email, password=PASSWORD),
        {},
    ),
}


@pytest.mark.parametrize("reason", sorted(FAILED))
async def test_a_failed_log_in_leaves_an_entry(
    db: dal.Database, clock: dal.ManualClock, root: Root, reason: str
) -> None:
    case, attempt, counted = FAILED[reason]
    # What lets a user in after a lock leaves one behind, and so does what lets them in again.
    method = {"locked": "access.unlock", "inactive": "access.activate"}.get(reason, "")
    world, request_id = await user_world(db, clock, case, method), uuid4().hex
    me = db.acting_as(dal.Actor.anonymous(ip="192.0.2.7", request_id=request_id))
    with pytest.raises(dal.AuthenticationError):
        await attempt(world, me)
    (entry,) = entries(root, request_id)
    assert (entry["action"], entry["outcome"]) == ("user.authenticate", "failure")
    assert entry["affected"] == (1 if counted else 0)
    assert entry["target_id"] == (None if reason == "unknown" else world.id.bytes)
    assert (entry["actor_type"], entry["ip"]) == ("anonymous", "192.0.2.7")
    assert json.loads(entry["changes"]) == {"reason": {"from": None, "to": reason}, **counted}
    check_no_secret(root, entry, world)


async def test_a_wrong_current_password_leaves_an_entry(
    db: dal.Database, clock: dal.ManualClock, root: Root
) -> None:
    world, me, request_id = await user_case(db, clock)
    with pytest.raises(dal.AuthenticationError):
        await me.users.passwords.update(
            world.id, new_password=NEW_PASSWORD, current_password="wrong"
        )
    (entry,) = entries(root, request_id)
    assert (entry["action"], entry["outcome"]) == ("user.update_password", "failure")
    assert json.loads(entry["changes"])["reason"]["to"] == "wrong_password"
    await me.users.authenticate(email=world.owner.email, password=PASSWORD)


async def test_what_would_forget_a_failure_is_not_for_a_transaction(
    db: dal.Database, clock: dal.ManualClock, root: Root, recorder: Recorder
) -> None:
    world, me, request_id = await user_case(db, clock)
    async with me.begin() as tx:
        recorder.clear()
        with pytest.raises(dal.UsageError, match="transaction"):
            await tx.users.authenticate(email=world.owner.email, password=PASSWORD)
        with pytest.raises(dal.UsageError, match="transaction"):
            await tx.users.passwords.update(
                world.id, new_password=NEW_PASSWORD, current_password=PASSWORD
            )
        assert recorder.names == []
    assert entries(root, request_id) == []


TOKENS: Final[dict[str, Callable[[str, dal.Session], Awaitable[object]]]] = {
    "user.reset_password": lambda token, me: me.users.tokens.reset_password(
        token, new_password=NEW_PASSWORD
    ),
    "user.verify_email": lambda token, me: me.users.tokens.verify_email(token),
}


@pytest.mark.parametrize("action", sorted(TOKENS))
@pytest.mark.parametrize("transaction", ["none", "rolled back", "committed"])
async def test_a_refused_token_leaves_an_entry(
    db: dal.Database, clock: dal.ManualClock, root: Root, action: str, transaction: str
) -> None:
    """Made up, or of the other purpose: one entry, whatever becomes of the caller's transaction."""
    world, me, request_id = await user_case(db, clock)
    wrong = world.reset if action == "user.verify_email" else world.verification
    row = root("SELECT * FROM users WHERE id = %s", world.id.bytes)
    tokens = root("SELECT * FROM user_tokens WHERE user_id = %s ORDER BY purpose", world.id.bytes)
    for token in (wrong, "made up"):
        if transaction == "none":
            with pytest.raises(dal.AuthenticationError):
                await TOKENS[action](token, me)
        elif transaction == "rolled back":
            with pytest.raises(dal.AuthenticationError):
                async with me.begin() as tx:
                    await TOKENS[action](token, tx)
        else:
            async with me.begin() as tx:
                with pytest.raises(dal.AuthenticationError):
                    await TOKENS[action](token, tx)
    found = entries(root, request_id)
    assert [(e["action"], e["outcome"], e["affected"]) for e in found] == [
        (action, "failure", 0)
    ] * 2
    assert not any(secret in repr(found) for secret in (wrong, "made up"))
    assert root("SELECT * FROM users WHERE id = %s", world.id.bytes) == row
    assert tokens == root(
        "SELECT * FROM user_tokens WHERE user_id = %s ORDER BY purpose", world.id.bytes
    )


# Which part of a change each one is, that has an entry before and after it, or where it is summed;
# a case in which it is done, and one in which it is denied.
FREQUENT: Final = {
    "prompts.append_partial": ("prompts.start, prompts.complete", "system_live", "viewer_live"),
    "prompts.queue.heartbeat": (
        "prompts.queue.claim_next, prompts.complete",
        "system_live",
        "viewer_live",
    ),
    "templates.usage.record": ("", "own_private", "anonymous_public"),
}


def test_what_is_too_frequent_for_an_entry_is_part_of_what_has_one() -> None:
    assert set(FREQUENT) == FREQUENT_METHODS
    for parts, _, _ in FREQUENT.values():
        assert set(filter(None, parts.split(", "))) <= set(WALK)


@pytest.mark.parametrize("method", sorted(FREQUENT))
async def test_what_is_too_frequent_has_no_entry(
    db: dal.Database, clock: dal.ManualClock, root: Root, method: str
) -> None:
    contract, name = contract_of(method)
    _, case, denied_case = FREQUENT[method]
    world = await contract.world(db, clock, case, name)
    before = root("SELECT COUNT(*) FROM audit_logs")
    assert await contract.asks[name](world)
    assert root("SELECT COUNT(*) FROM audit_logs") == before
    # A denied attempt is kept all the same.
    world = await contract.world(db, clock, denied_case, name)
    denied = "SELECT COUNT(*) FROM audit_logs WHERE outcome = 'denied'"
    before = root(denied)[0][0]
    with pytest.raises(dal.PermissionDeniedError):
        await contract.asks[name](world)
    assert root(denied)[0][0] == before + 1


# What only reads, and is told all the same.
DISCLOSING: Final = {
    "templates.exchange.export": ("own_private", "template.export"),
    "conversations.exchange.export": ("owner_live", "conversation.export"),
    "audit.export.write": ("system_live", "audit.export"),
    "users.export_data": ("self", "user.export_data"),
}


@pytest.mark.parametrize("method", sorted(DISCLOSING))
async def test_what_discloses_much_has_one_entry_before_it_gives_anything(
    db: dal.Database, clock: dal.ManualClock, root: Root, recorder: Recorder, method: str
) -> None:
    assert set(DISCLOSING) == DISCLOSING_METHODS
    case, action = DISCLOSING[method]
    contract, name = contract_of(method)
    world = await contract.world(db, clock, case, name)
    before = set(root("SELECT id FROM audit_logs"))
    recorder.clear()
    assert await contract.asks[name](world)
    (new,) = set(root("SELECT id FROM audit_logs")) - before
    (entry,) = root("SELECT action, actor_id, outcome, category, severity, affected"
                    " FROM audit_logs WHERE id = %s", *new)  # fmt: skip
    actor = world.me.actor.id
    severity = "high" if action in ("audit.export", "user.export_data") else "medium"
    actor_id = None if actor is None else actor.bytes
    assert entry == (action, actor_id, "success", "disclosure", severity, 0)
    begun = recorder.names.index("audit_logs/insert")
    # Whether the user is there may be looked at.
    before_it = {n for n in recorder.names[:begun] if not n.startswith("transaction/")}
    assert before_it <= {"users/find_by_id"}


async def test_what_an_entry_tells(db: dal.Database, root: Root, as_ada: dal.Session) -> None:
    made = await as_ada.templates.create(
        name="n", content="the content", system_prompt="the prompt", tags=["b", "a"], category="C d"
    )
    await as_ada.templates.update_details(made.id, tags=["b"], category=None, visibility="public")
    await as_ada.templates.versions.commit(made.id, content="more content")
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
        await as_ada.templates.versions.commit(made.id, content=str(i))
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
        await system.audit.list_of_target("Templates", made.id)
    assert caught.value.field == "target_type"


# Done by accounts that can write nothing but seals and checkpoints, which is what is told of it.
OF_OTHER_ROLES: Final = frozenset(
    {
        "audit.seals.seal",
        "audit.seals.anchor",
        "audit.seals.verify",
        "audit.retention.retain",
    }
)
READING: Final = sorted(
    public_methods() - CHANGING_METHODS - FREQUENT_METHODS - DISCLOSING_METHODS - OF_OTHER_ROLES
)


def _writes(name: str) -> bool:
    if name.startswith("search/"):
        return False
    statement = house().statement(name)
    return statement.writes or statement.locking


@pytest.mark.parametrize("method", READING)
@pytest.mark.parametrize("who", ["user", "system", "admin"])
async def test_what_is_not_marked_as_changing_only_reads(
    db: dal.Database,
    clock: dal.ManualClock,
    recorder: Recorder,
    method: str,
    who: str,
) -> None:
    """So a method that changes data and writes no entry cannot hide."""
    contract, name = contract_of(method)
    if contract.root == "users.":
        case = "self" if who == "user" else who
    elif contract.root in ("conversations.", "prompts."):
        case = "system_live" if who == "system" else "owner_live"
    elif contract.root == "audit.":
        case = "system_live" if who == "system" else "self"
    else:
        case = "system_private" if who == "system" else "own_private"
    world = await contract.world(db, clock, case, name)
    recorder.clear()
    try:
        await contract.asks[name](world)
    except dal.PermissionDeniedError:
        # For another one of the three: refused before anything is sent.
        assert recorder.names == []
        return
    assert recorder.names
    assert [n for n in recorder.names if n.startswith("transaction/") or _writes(n)] == []
