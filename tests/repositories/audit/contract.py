"""What every public method of the audit log does in every case; the words are in contracts.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

import dal
from tests.conftest import ACCOUNTS, options
from tests.repositories.contracts import Contract, World, make_user
from tests.repositories.templates.contract import template_world

# Entries of a user who is live, deleted, or somebody else; about a template that is live, deleted,
# purged, or was never there.
END: Final = datetime(9990, 1, 1, tzinfo=UTC)
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
    "list_by_user":   "PD PD PD PD    yes yes yes yes",
    "list_security":  "PD PD PD PD    yes yes yes yes",
    "search":         "PD PD PD PD    yes yes yes no",
    "state_at":       "PD PD PD PD    yes yes yes no",
    "record":         "yes yes yes yes  yes yes yes yes",
    "statistics.get": "PD PD PD PD    yes yes yes yes",
    "statistics.by_day": "PD PD PD PD    yes yes yes yes",
    "statistics.failed_logins_by_user": "PD PD PD PD    yes yes yes yes",
    "statistics.failed_logins_by_ip": "PD PD PD PD    yes yes yes yes",
    "export.write": "PD PD PD PD    yes yes yes no",
    "seals.seal": "PD PD PD PD    yes yes yes yes",
    "seals.anchor": "PD PD PD PD    yes yes yes yes",
    "seals.verify": "PD PD PD PD    yes yes yes yes",
    "imports.create_many": "PD PD PD PD    yes yes yes yes",
    "imports.list_taken_ids": "PD PD PD PD    yes yes yes yes",
    "retention.retain": "PD PD PD PD    yes yes yes yes",
    "retention.place_hold": "PD PD PD PD    yes yes yes yes",
    "retention.release_hold": "PD PD PD PD    yes yes yes yes",
    "retention.list_holds": "PD PD PD PD    yes yes yes yes",
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
    if method in ("list_security", *_FAILURES):
        # Somebody tries to be the owner, at a time at which nobody else does.
        clock.move(timedelta(hours=1))
        nobody = db.acting_as(dal.Actor.anonymous(ip=_ip(world)))
        with suppress(dal.AuthenticationError):
            await nobody.users.authenticate(email=world.owner.email, password="wrong")
    if case == "system_absent":
        world.id = uuid4()
    if method in ("retention.release_hold", "retention.list_holds"):
        # Held is one who is never there.
        await world.system.audit.retention.place_hold("Case", actor_id=uuid4(), id=world.id)
    if method == "imports.list_taken_ids":
        await world.system.audit.imports.create_many([imported(world)])
    return world


_FAILURES: Final = ("statistics.failed_logins_by_user", "statistics.failed_logins_by_ip")


def _ip(w: World) -> str:
    return f"2001:db8::{w.owner.id.int % 65_536:x}"


async def _audit_mine(w: World) -> bool:
    entries = (await w.me.audit.list_mine()).rows
    assert all(entry.actor_id == w.me.actor.id for entry in entries)
    return [e.action for e in entries if e.target_id == w.id] == ["template.create"]


async def _audit_target(w: World) -> bool:
    entries = (await w.me.audit.list_of_target("template", w.id)).rows
    assert all((e.target_type, e.target_id) == ("template", w.id) for e in entries)
    return [e.action for e in entries][-1:] == ["template.create"]


async def _audit_user(w: World) -> bool:
    entries = (await w.me.audit.list_by_user(w.owner.id, limit=500)).rows
    assert all(entry.actor_id == w.owner.id for entry in entries)
    return bool(entries)


async def _audit_security(w: World) -> bool:
    """A log-in that failed is the newest thing there."""
    entry = (await w.me.audit.list_security(limit=1)).rows[0]
    return (entry.action, entry.target_id) == ("user.authenticate", w.owner.id)


async def _audit_search(w: World) -> bool:
    found = (await w.me.audit.search(target_type="template", target_id=w.id)).rows
    return [e.action for e in found][-1:] == ["template.create"]


async def _audit_state(w: World) -> bool:
    state = await w.me.audit.state_at("template", w.id, END)
    assert state.is_whole == bool(state.entries)
    return state.is_whole


async def _audit_record(w: World) -> bool:
    await w.me.audit.record("invoice.send", target_id=w.id, after={"to": "all"})
    entry = (await w.system.audit.list_of_target("invoice", w.id)).rows[0]
    return (entry.actor_id, entry.changes) == (
        w.me.actor.id,
        {"to": {"from": None, "to": "all"}},
    )


async def _audit_numbers(w: World) -> bool:
    return (await w.me.audit.statistics.get(days=1)).total > 0


async def _audit_days(w: World) -> bool:
    return (await w.me.audit.statistics.by_day(days=2))[-1].entries > 0


async def _audit_failed(w: World) -> bool:
    found = await w.me.audit.statistics.failed_logins_by_user(within=timedelta(minutes=30))
    return [(one.user_id, one.failures) for one in found] == [(w.owner.id, 1)]


async def _audit_failed_ip(w: World) -> bool:
    found = await w.me.audit.statistics.failed_logins_by_ip(within=timedelta(minutes=30))
    return [(one.ip, one.failures) for one in found] == [(_ip(w), 1)]


async def _export(w: World) -> bool:
    lines: list[bytes] = []
    manifest = await w.me.audit.export.write(
        lines.append, target_type="template", target_id=w.id, until_at=END
    )
    assert manifest.bytes == len(b"".join(lines))
    return bool(lines)


@asynccontextmanager
async def acting(w: World, role: str) -> AsyncIterator[dal.Session]:
    """The same actor, by the account of another role."""
    config = ACCOUNTS[w.db.engine].config(role)
    async with dal.connect(clock=w.clock, **options(config)) as db:
        yield db.acting_as(w.me.actor)


async def _seal(w: World) -> bool:
    async with acting(w, "dal_sealer") as me:
        sealed = await me.audit.seals.seal()
        assert await me.audit.seals.seal() == dal.Sealing(0, 0, is_overtaken=False)
    return sealed.entries > 0


async def _anchor(w: World) -> bool:
    async with acting(w, "dal_sealer") as me:
        await me.audit.seals.seal()
        return (await me.audit.seals.anchor()).seal > 0


async def _verify(w: World) -> bool:
    async with acting(w, "dal_sealer") as me:
        await me.audit.seals.seal()
        anchor = await me.audit.seals.anchor()
        # Whole as far as it is sealed; other cases import entries that are not.
        return (await me.audit.seals.verify(anchor)).seals == anchor.seal > 0


async def _retain(w: World) -> bool:
    async with acting(w, "dal_retention") as me:
        # Nothing is that old.
        found = await me.audit.retention.retain(dal.RetentionPolicy(default=36_500))
    return found.purged == 0


def imported(w: World) -> dal.ImportedAuditEntry:
    """An entry of elsewhere, with the id of the case."""
    return dal.ImportedAuditEntry.from_mapping(
        {
            "id": str(w.id),
            "occurred_at": "2020-02-02T02:02:02+02:00",
            "actor_type": "user",
            "action": "s3.GetObject",
            "target_type": "bucket",
        }
    )


async def _import(w: World) -> bool:
    return await w.me.audit.imports.create_many([imported(w)]) == 1


async def _taken(w: World) -> bool:
    return await w.me.audit.imports.list_taken_ids([w.id, uuid4()]) == {w.id}


async def _place(w: World) -> bool:
    hold = await w.me.audit.retention.place_hold("Case", actor_id=w.owner.id, id=w.id)
    return hold.id == w.id and hold in (await w.system.audit.retention.list_holds()).rows


async def _release(w: World) -> bool:
    await w.me.audit.retention.release_hold(w.id)
    found = (await w.system.audit.retention.list_holds(limit=500)).rows
    return w.id not in {hold.id for hold in found}


async def _holds(w: World) -> bool:
    found = (await w.me.audit.retention.list_holds()).rows
    return w.id in {hold.id for hold in found}


AUDIT_ASKS: Final[dict[str, Callable[[World], Awaitable[bool]]]] = {
    "export.write": _export,
    "seals.seal": _seal,
    "seals.anchor": _anchor,
    "seals.verify": _verify,
    "imports.create_many": _import,
    "imports.list_taken_ids": _taken,
    "retention.retain": _retain,
    "retention.place_hold": _place,
    "retention.release_hold": _release,
    "retention.list_holds": _holds,
    "list_by_user": _audit_user,
    "list_security": _audit_security,
    "search": _audit_search,
    "state_at": _audit_state,
    "record": _audit_record,
    "statistics.get": _audit_numbers,
    "statistics.by_day": _audit_days,
    "statistics.failed_logins_by_user": _audit_failed,
    "statistics.failed_logins_by_ip": _audit_failed_ip,
    "list_mine": _audit_mine,
    "list_of_target": _audit_target,
}

CONTRACT: Final = Contract("audit.", AUDIT_CASES, AUDIT, AUDIT_ASKS, audit_world)
