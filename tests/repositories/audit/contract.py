"""What every public method of the audit log does in every case; the words are in contracts.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import uuid4

import dal
from tests.repositories.contracts import Contract, World, make_user
from tests.repositories.templates.contract import template_world

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


async def audit_world(
    db: dal.Database, clock: dal.ManualClock, case: str, method: str = ""
) -> World:
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
        await world.as_owner.templates.trash.purge(world.id)
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

CONTRACT: Final = Contract("audit.", AUDIT_CASES, AUDIT, AUDIT_ASKS, audit_world)
