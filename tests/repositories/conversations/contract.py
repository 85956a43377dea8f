"""What every public method of conversations does in every case; the words are in contracts.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal import ParticipantRole
from tests.repositories.contracts import Contract, World, make_user, numbers

# Who asks, and for what. ``orphan`` is a live conversation whose owner is deleted; ``removed`` took
# part once.
CASES: Final = [
    "owner_live",
    "owner_archived",
    "owner_deleted",
    "owner_orphan",
    "owner_absent",
    "collaborator_live",
    "collaborator_archived",
    "collaborator_deleted",
    "collaborator_orphan",
    "viewer_live",
    "viewer_deleted",
    "removed_live",
    "stranger_live",
    "anonymous_live",
    "system_live",
    "system_deleted",
    "system_absent",
]

_DEAR: Final = 7

CONVERSATIONS: Final[dict[str, str]] = {
    # owner:                 live arch del orph abs | live arch del orph | live del | r s a | system
    "get":                     "yes yes NF NF NF      yes yes NF NF   yes NF   NF NF NF  yes NF NF",
    "find":                    "yes yes no no no      yes yes no no   yes no   no no no  yes no no",
    "exists":                  "yes yes no no no      yes yes no no   yes no   no no no  yes no no",
    "list_mine":               "yes no no no no       no no no no     no no    no no PD  PD PD PD",
    "list_archived":           "no yes no no no       no no no no     no no    no no PD  PD PD PD",
    "list_shared":             "no no no no no        yes no no no    yes no   no no PD  PD PD PD",
    "search":                  "yes yes no no no      yes yes no no   yes no   no no PD  PD PD PD",
    "count_mine":              "yes yes no no no      no no no no     no no    no no PD  PD PD PD",
    "trash.list_mine":         "no no yes no no       no no no no     no no    no no PD  PD PD PD",
    "trash.count_mine":        "no no yes no no       no no no no     no no    no no PD  PD PD PD",
    # of what is owned, and of everything for the system; only this conversation is counted
    "statistics.get":             "yes yes no no no   no no no no     no no    no no PD  yes no no",
    "statistics.created_by_day":  "yes yes no no no   no no no no     no no    no no PD  yes no no",
    "statistics.created_by_week": "yes yes no no no   no no no no     no no    no no PD  yes no no",
    "statistics.costliest":       "yes yes no no no   no no no no     no no    no no PD  yes no no",
    "statistics.count_authors":   "yes yes no no no   no no no no     no no    no no PD  yes no no",
    "statistics.shares":          "yes yes yes yes no  no no no no   no no    no no PD  yes yes no",
    # what was said in the last hour; who pinned it
    "lists.recent":            "yes no no no no       no no no no     no no    no no PD  PD PD PD",
    "lists.by_status":         "yes no no no no       no no no no     no no    no no PD  PD PD PD",
    "lists.pinned":            "yes yes no no no      yes yes no no   no no    no no PD  PD PD PD",
    "participants.list_of":    "yes yes NF NF NF      yes yes NF NF   yes NF   NF NF NF  yes NF NF",
    # with the id of the case's conversation
    "create":                  "UQ UQ UQ PM yes       UQ UQ UQ UQ     UQ UQ    UQ UQ PD  PD PD PD",
    "exchange.create_many":    "UQ UQ UQ PM yes       UQ UQ UQ UQ     UQ UQ    UQ UQ PD  UQ UQ yes",
    "exchange.list_taken_ids": "yes yes yes yes no    no no no no    no no    no no PD  yes yes no",
    "exchange.fork":           "yes yes NF NF NF      yes yes NF NF   yes NF   NF NF PD  PD PD PD",
    "exchange.export":         "yes yes no no no      no no no no     no no    no no PD  PD PD PD",
    # by who may write
    "update_details":          "yes yes NF NF NF      yes yes NF NF   PD NF    NF NF NF  PD NF NF",
    "change_status":           "yes yes NF NF NF      yes yes NF NF   PD NF    NF NF NF  PD NF NF",
    # by the owner alone
    "archive":                 "yes no NF NF NF       PD PD NF NF     PD NF    NF NF NF  PD NF NF",
    "unarchive":               "no yes NF NF NF       PD PD NF NF     PD NF    NF NF NF  PD NF NF",
    "archiving.archive_all":   "yes no no NF no       no no no no     no no    no no PD  PD PD PD",
    "soft_delete":             "yes yes NF NF NF      PD PD NF NF     PD NF    NF NF NF  PD NF NF",
    "restore":                 "NF NF yes NF NF       PD PD NF NF     PD NF    NF NF NF  PD NF NF",
    "trash.purge":             "NF NF yes NF NF       PD PD NF NF     PD NF    NF NF NF  PD NF NF",
    "participants.add":        "yes yes NF NF NF      PD PD NF NF     PD NF    NF NF NF  PD NF NF",
    "participants.change_role":"yes yes NF NF NF      PD PD NF NF     PD NF    NF NF NF  PD NF NF",
    "participants.remove":     "yes yes NF NF NF      PD PD NF NF     PD NF    NF NF NF  PD NF NF",
    "participants.transfer":   "yes yes NF NF NF      PD PD NF NF     PD NF    NF NF NF  PD NF NF",
    # by who may share: the owner
    "shares.list_of":          "yes yes NF NF NF      no no NF NF     no NF    NF NF NF  yes NF NF",
    "shares.list_mine":        "yes yes no no no      no no no no     no no    no no PD  PD PD PD",
    "shares.create":           "yes yes NF NF NF      PD PD NF NF     PD NF    NF NF NF  PD NF NF",
    "shares.extend":           "yes yes NF NF NF      PD PD NF NF     PD NF    NF NF NF  PD NF NF",
    "shares.revoke":           "yes yes NF NF NF      PD PD NF NF     PD NF    NF NF NF  PD NF NF",
    "shares.revoke_all":       "yes yes NF NF NF      PD PD NF NF     PD NF    NF NF NF  PD NF NF",
    "shares.revoke_mine":      "yes yes no NF no      no no no no     no no    no no PD  PD PD PD",
    # by who has the token, whoever they are
    "shares.open":            "yes yes NF NF NF      yes yes NF NF  yes NF  yes yes yes  yes NF NF",
    "shares.read_on":         "yes yes NF NF NF      yes yes NF NF  yes NF  yes yes yes  yes NF NF",
    # by everybody else who takes part
    "participants.leave":      "PD PD NF NF NF        yes yes NF NF   yes NF   NF NF NF  PD NF NF",
    "participants.set_pinned": "yes yes NF NF NF      yes yes NF NF   yes NF   NF NF NF  PD NF NF",
    "participants.mark_read":  "yes yes NF NF NF      yes yes NF NF   yes NF   NF NF NF  PD NF NF",
    # by the system, which finds no fault
    "totals.recompute": "PD PD PD PD PD        PD PD PD PD      PD PD    PD PD PD  no NF NF",
    "archiving.archive_idle":  "PD PD PD PD PD        PD PD PD PD     PD PD    PD PD PD  yes no no",
    "trash.purge_deleted":     "PD PD PD PD PD        PD PD PD PD     PD PD    PD PD PD  no yes no",
    # what is revoked with its conversation has ended too
    "shares.purge_expired":    "PD PD PD PD PD       PD PD PD PD     PD PD    PD PD PD  yes yes no",
}  # fmt: skip


@attrs.define(kw_only=True)
class ConversationWorld(World):
    """A conversation of ``owner`` with a collaborator and a viewer, and a user beside it."""

    collaborator: dal.User
    viewer: dal.User
    guest: dal.User
    walker: dal.User
    link: dal.IssuedShare | None = None
    page: str = ""
    prompt_id: UUID = attrs.field(factory=uuid4)

    @property
    def share_id(self) -> UUID:
        """Of the link that the owner made, where there is a conversation."""
        return uuid4() if self.link is None else self.link.share.id

    @property
    def token(self) -> dal.Secret:
        """What opens it."""
        return dal.Secret("of nothing") if self.link is None else self.link.token


async def conversation_world(
    db: dal.Database,
    clock: dal.ManualClock,
    case: str,
    method: str = "",
    *,
    prepare: Callable[[ConversationWorld], Awaitable[None]] | None = None,
) -> ConversationWorld:
    system = db.acting_as(dal.Actor.system("contracts"))
    owner, collaborator, viewer, guest = [
        await make_user(system, name) for name in ("Ada", "Bob", "Cleo", "Dan")
    ]
    as_owner = db.acting_as(dal.Actor.user(owner.id))
    who, _, what = case.rpartition("_")
    people = {"owner": owner, "collaborator": collaborator, "viewer": viewer}
    walker = people.get(who, guest)
    me = db.acting_as(dal.Actor.user(walker.id))
    if who == "anonymous":
        me = db.acting_as(dal.Actor.anonymous())
    elif who == "system":
        me = system
    world = ConversationWorld(
        case, db, clock, system, me, owner, as_owner, uuid4(), f"w{next(numbers)}",
        collaborator=collaborator, viewer=viewer, guest=guest, walker=walker,
    )  # fmt: skip
    clock.move(timedelta(seconds=1))
    if what == "absent":
        return world
    mine = as_owner.conversations
    await mine.create(
        id=world.id,
        title="Of contracts",
        description="for them",
        context={"about": ["ä", {"b": None}]},
        settings={"temperature": 0.5},
    )
    await mine.participants.add(world.id, collaborator.id, "collaborator")
    await mine.participants.add(world.id, viewer.id)
    if method.startswith("statistics."):
        await as_owner.prompts.create(world.id, user_input="What?", response="", cost=_DEAR)
        await mine.shares.create(world.id)
    if method == "exchange.fork":
        for n in range(2):
            made = await as_owner.prompts.create(
                world.id, user_input=f"What {n}?", response="That.", usage={"input": 5}, cost=_DEAR
            )
        world.prompt_id = made.id
    if method.startswith("shares."):
        for _ in range(2):
            await as_owner.prompts.create(world.id, user_input="What?", response="That.")
        world.link = await mine.shares.create(world.id, max_views=5)
        world.page = (await mine.shares.open(world.link.token, limit=1)).prompts.next or ""
    if method == "lists.pinned":
        for user in (owner, collaborator):
            pins = db.acting_as(dal.Actor.user(user.id)).conversations.participants
            await pins.set_pinned(world.id, True)
    if prepare is not None:
        await prepare(world)
    if who == "removed":
        await mine.participants.add(world.id, guest.id, "collaborator")
        await mine.participants.remove(world.id, guest.id)
    if what == "archived":
        await mine.archive(world.id)
    if what == "deleted":
        await mine.soft_delete(world.id)
    if what == "orphan":
        await system.users.soft_delete(owner.id)
    clock.move(timedelta(seconds=1))
    return world


def _in(w: ConversationWorld, rows: tuple[dal.ConversationSummary, ...]) -> bool:
    shown = [row for row in rows if row.id == w.id]
    if shown:
        (row,) = shown
        assert (row.title, row.description, row.owner_id) == (
            "Of contracts",
            "for them",
            w.owner.id,
        )
        role = "owner" if w.case.startswith("owner") else w.case.partition("_")[0]
        assert (row.role, row.is_pinned, row.unread_count) == (role, False, 0)
    return len(shown) == 1


def _list(door: Callable[[Any], Any]) -> Callable[[Any], Awaitable[bool]]:
    async def ask(w: ConversationWorld) -> bool:
        return _in(w, (await door(w.me.conversations)()).rows)

    return ask


def _count(door: Callable[[Any], Any]) -> Callable[[Any], Awaitable[bool]]:
    async def ask(w: ConversationWorld) -> bool:
        return bool(await door(w.me.conversations)() == 1)

    return ask


async def _get(w: ConversationWorld) -> bool:
    found = await w.me.conversations.get(w.id)
    assert (found.context, found.settings) == (
        {"about": ["ä", {"b": None}]},
        {"temperature": 0.5},
    )
    return (found.id, found.owner_id, found.status) == (w.id, w.owner.id, "active")


async def _find(w: ConversationWorld) -> bool:
    return await w.me.conversations.find(w.id) is not None


async def _exists(w: ConversationWorld) -> bool:
    return await w.me.conversations.exists(w.id)


async def roles(w: ConversationWorld) -> dict[Any, tuple[str, bool, bool]]:
    """Who takes part, as the system sees it."""
    rows = (await w.system.conversations.participants.list_of(w.id)).rows
    return {row.user_id: (row.role.value, row.can_write, row.can_share) for row in rows}


async def _list_participants(w: ConversationWorld) -> bool:
    page = await w.me.conversations.participants.list_of(w.id)
    found = {row.full_name: row.role for row in page.rows}
    assert page.next is None
    return found == {
        "Ada": ParticipantRole.OWNER,
        "Bob": ParticipantRole.COLLABORATOR,
        "Cleo": ParticipantRole.VIEWER,
    }


async def _create(w: ConversationWorld) -> bool:
    made = await w.me.conversations.create(title="new", settings={"model": "x"}, id=w.id)
    assert await roles(w) == {w.walker.id: ("owner", True, True)}
    return made == await w.me.conversations.get(w.id)


async def _create_many(w: ConversationWorld) -> bool:
    owner_id = w.owner.id if w.case.startswith("system") else None
    owner = owner_id or w.walker.id
    new = dal.ImportedConversation(
        id=w.id,
        title="brought",
        created_at=w.clock.now() - timedelta(days=9),
        participants={(w.collaborator if w.walker == w.viewer else w.viewer).id: "viewer"},
        prompts=[
            dal.ImportedPrompt(user_input="a", token_count=2, cost=3),
            dal.ImportedPrompt(user_input="b", response="c", created_at=w.clock.now()),
        ],
    )
    assert await w.me.conversations.exchange.create_many([new], owner_id=owner_id) == 1
    made = await w.system.conversations.get(w.id)
    assert (made.message_count, made.token_count, int(made.cost)) == (2, 2, 3)
    assert (made.last_sequence, made.last_activity_at) == (2, w.clock.now())
    assert made.created_at < w.clock.now()
    assert await w.system.conversations.totals.recompute(w.id) is False
    return made.owner_id == owner and len(await roles(w)) == 2


async def _list_taken_ids(w: ConversationWorld) -> bool:
    taken = await w.me.conversations.exchange.list_taken_ids([w.id, uuid4()])
    return taken == {w.id}


async def _fork(w: ConversationWorld) -> bool:
    made = await w.me.conversations.exchange.fork(w.prompt_id, id=w.fork_id)
    assert made.owner_id == w.walker.id
    assert (made.forked_from_id, made.forked_from_sequence) == (w.id, 2)
    assert (made.title, made.context["about"][0], made.message_count) == ("Of contracts", "ä", 2)
    # What was spent is counted where it was spent.
    assert (made.token_count, made.cost, made.active_sequence) == (0, Decimal(0), 2)
    path = await w.me.prompts.tree.get_path((await w.me.prompts.list_of(made.id)).rows[-1].id)
    assert [row.user_input for row in path] == ["What 0?", "What 1?"]
    return made == await w.system.conversations.get(w.fork_id)


async def _export(w: ConversationWorld) -> bool:
    found = [one async for one in w.me.conversations.exchange.export()]
    assert all(len(one.participants) == 3 for one in found)
    return [one.conversation.id for one in found] == [w.id]


async def _update_details(w: ConversationWorld) -> bool:
    back = await w.me.conversations.update_details(w.id, title="other", description=None)
    assert (back.title, back.description, back.settings) == ("other", None, {"temperature": 0.5})
    return back == await w.system.conversations.get(w.id)


async def _change_status(w: ConversationWorld) -> bool:
    back = await w.me.conversations.change_status(w.id, "completed")
    return back == await w.system.conversations.get(w.id) and back.status == "completed"


async def _archive(w: ConversationWorld) -> bool:
    before = await w.system.conversations.find(w.id)
    await w.me.conversations.archive(w.id)
    after = await w.system.conversations.get(w.id)
    assert after.archived_at is not None
    return before is not None and before.archived_at is None


async def _unarchive(w: ConversationWorld) -> bool:
    before = await w.system.conversations.find(w.id)
    await w.me.conversations.unarchive(w.id)
    after = await w.system.conversations.get(w.id)
    assert after.archived_at is None
    return before is not None and before.archived_at is not None


async def _soft_delete(w: ConversationWorld) -> bool:
    await w.me.conversations.soft_delete(w.id)
    (row,) = (await w.as_owner.conversations.trash.list_mine()).rows
    return row.id == w.id and not await w.system.conversations.exists(w.id)


async def _restore(w: ConversationWorld) -> bool:
    back = await w.me.conversations.restore(w.id)
    assert len(await roles(w)) == 3
    return back == await w.system.conversations.get(w.id) and back.deleted_at is None


async def _purge(w: ConversationWorld) -> bool:
    await w.me.conversations.trash.purge(w.id)
    return not (await w.as_owner.conversations.trash.list_mine()).rows


async def _add(w: ConversationWorld) -> bool:
    await w.me.conversations.participants.add(w.id, w.guest.id, "collaborator")
    assert (await roles(w))[w.guest.id] == ("collaborator", True, False)
    as_guest = w.db.acting_as(dal.Actor.user(w.guest.id))
    return await as_guest.conversations.exists(w.id)


async def _change_role(w: ConversationWorld) -> bool:
    who = w.collaborator.id
    await w.me.conversations.participants.change_role(w.id, who, "viewer", can_share=True)
    return (await roles(w))[who] == ("viewer", False, True)


async def _remove(w: ConversationWorld) -> bool:
    await w.me.conversations.participants.remove(w.id, w.viewer.id)
    as_viewer = w.db.acting_as(dal.Actor.user(w.viewer.id))
    return w.viewer.id not in await roles(w) and not await as_viewer.conversations.exists(w.id)


async def _transfer(w: ConversationWorld) -> bool:
    await w.me.conversations.participants.transfer(w.id, w.viewer.id)
    found = await roles(w)
    assert found[w.owner.id] == ("collaborator", True, False)
    assert (await w.system.conversations.get(w.id)).owner_id == w.viewer.id
    return found[w.viewer.id] == ("owner", True, True)


async def _leave(w: ConversationWorld) -> bool:
    await w.me.conversations.participants.leave(w.id)
    return w.walker.id not in await roles(w) and not await w.me.conversations.exists(w.id)


async def _mark_read(w: ConversationWorld) -> bool:
    await w.me.conversations.participants.mark_read(w.id, 7)
    rows = (await w.system.conversations.participants.list_of(w.id)).rows
    (mine,) = [row for row in rows if row.user_id == w.walker.id]
    return mine.last_read_sequence == 0 and mine.last_accessed_at == w.clock.now()


def _is_link(w: ConversationWorld, rows: tuple[dal.Share, ...]) -> bool:
    found = [row for row in rows if row.conversation_id == w.id]
    if found:
        (row,) = found
        assert (row.id, row.scope, row.through_sequence) == (w.share_id, "link", 2)
        assert (row.max_views, row.view_count, row.revoked_at) == (5, 1, None)
    return bool(found)


async def _list_links(w: ConversationWorld) -> bool:
    return _is_link(w, (await w.me.conversations.shares.list_of(w.id)).rows)


async def _list_own_links(w: ConversationWorld) -> bool:
    return _is_link(w, (await w.me.conversations.shares.list_mine()).rows)


async def _create_link(w: ConversationWorld) -> bool:
    made = await w.me.conversations.shares.create(w.id, scope="users", through_sequence=1)
    shown = await w.as_owner.conversations.shares.open(made.token)
    rows = (await w.as_owner.conversations.shares.list_of(w.id)).rows
    assert [row.sequence_number for row in shown.prompts.rows] == [1]
    return {row.id for row in rows} == {made.share.id, w.share_id}


async def _open(w: ConversationWorld) -> bool:
    shown = await w.me.conversations.shares.open(w.token)
    assert (shown.title, shown.description) == ("Of contracts", "for them")
    return [prompt.response for prompt in shown.prompts.rows] == ["That.", "That."]


async def _read_on(w: ConversationWorld) -> bool:
    page = await w.me.conversations.shares.read_on(w.token, after=w.page)
    return [prompt.sequence_number for prompt in page.rows] == [2]


async def _extend(w: ConversationWorld) -> bool:
    changed = await w.me.conversations.shares.extend(
        w.share_id, valid_for=timedelta(days=90), max_views=None, through_sequence=0
    )
    (row,) = (await w.system.conversations.shares.list_of(w.id)).rows
    assert row.expires_at == w.clock.now() + timedelta(days=90)
    return row == changed and (row.max_views, row.through_sequence) == (None, 0)


async def _revoked(w: ConversationWorld) -> bool:
    (row,) = (await w.system.conversations.shares.list_of(w.id)).rows
    with pytest.raises(dal.NotFoundError):
        await w.as_owner.conversations.shares.open(w.token)
    return row.revoked_at == row.expires_at == w.clock.now()


async def _revoke(w: ConversationWorld) -> bool:
    await w.me.conversations.shares.revoke(w.share_id)
    return await _revoked(w)


async def _revoke_all(w: ConversationWorld) -> bool:
    return await w.me.conversations.shares.revoke_all(w.id) == 1 and await _revoked(w)


async def _revoke_own(w: ConversationWorld) -> bool:
    return await w.me.conversations.shares.revoke_mine() == 1 and await _revoked(w)


async def _purge_expired(w: ConversationWorld) -> bool:
    w.clock.move(timedelta(days=31))
    removed = await w.me.conversations.shares.purge_expired(older_than=timedelta(0))
    return w.link is not None and removed > 0


async def _search(w: ConversationWorld) -> bool:
    page = await w.me.conversations.search("of the contract")
    found = [hit for hit in page.rows if hit.conversation.id == w.id]
    if found:
        assert found[0].snippet is not None
        assert (found[0].snippet.text, found[0].sequence_number) == ("Of contracts", None)
    return bool(found)


async def _statistics(w: ConversationWorld) -> bool:
    found = await w.me.conversations.statistics.get()
    counted = found.conversations > 0 and found.cost >= _DEAR and found.p95_messages > 0
    return counted and await _is_counted(w)


async def _created_by_day(w: ConversationWorld) -> bool:
    days = await w.me.conversations.statistics.created_by_day(days=2, time_zone="Europe/Berlin")
    assert len(days) == 2
    return sum(day.conversations for day in days) > 0 and await _is_counted(w)


async def _created_by_week(w: ConversationWorld) -> bool:
    weeks = await w.me.conversations.statistics.created_by_week(weeks=2)
    assert [week.day.weekday() for week in weeks] == [0, 0]
    return sum(week.conversations for week in weeks) > 0 and await _is_counted(w)


async def _is_counted(w: ConversationWorld) -> bool:
    """For the system there are others too: whether this one is among them."""
    return w.me is not w.system or await w.system.conversations.exists(w.id)


async def _costliest(w: ConversationWorld) -> bool:
    rows = await w.me.conversations.statistics.costliest(limit=500)
    assert [row.cost for row in rows] == sorted((row.cost for row in rows), reverse=True)
    return w.id in {row.id for row in rows}


async def _count_authors(w: ConversationWorld) -> bool:
    return await w.me.conversations.statistics.count_authors() > 0 and await _is_counted(w)


async def _share_statistics(w: ConversationWorld) -> bool:
    found = await w.me.conversations.statistics.shares()
    return found.created > 0 and w.case != "system_absent"


async def _recompute(w: ConversationWorld) -> bool:
    return await w.me.conversations.totals.recompute(w.id)


async def _archive_all(w: ConversationWorld) -> bool:
    count = await w.me.conversations.archiving.archive_all()
    if w.case.startswith("owner"):
        found = await w.system.conversations.find(w.id)
        assert found is None or found.archived_at is not None
    return count == 1


async def _archive_idle(w: ConversationWorld) -> bool:
    w.clock.move(timedelta(days=400))
    idle = w.me.conversations.archiving.archive_idle
    archived = await idle(older_than=timedelta(days=399), batch=10_000)
    found = await w.system.conversations.find(w.id)
    assert found is None or found.archived_at == w.clock.now()
    assert await idle(older_than=timedelta(days=399)) == 0
    return found is not None and archived > 0


async def _purge_deleted(w: ConversationWorld) -> bool:
    w.clock.move(timedelta(days=31))
    removed = 0
    while more := await w.me.conversations.trash.purge_deleted(older_than=timedelta(days=30)):
        removed += more
    return (
        removed > 0
        and not (await w.as_owner.conversations.trash.list_mine()).rows
        and (w.case == "system_deleted")
    )


async def _pinned(w: ConversationWorld) -> bool:
    rows = (await w.me.conversations.lists.pinned()).rows
    assert all(row.is_pinned for row in rows)
    return [row.id for row in rows] == [w.id]


async def _set_pinned(w: ConversationWorld) -> bool:
    await w.me.conversations.participants.set_pinned(w.id, True)
    mine = w.me.conversations
    lists = [await mine.list_mine(), await mine.list_archived(), await mine.list_shared()]
    pinned = {row.id for page in lists for row in page.rows if row.is_pinned}
    return pinned == ({w.id} if w.case != "collaborator_archived" else set())


ASKS: Final[dict[str, Callable[[Any], Awaitable[bool]]]] = {
    "get": _get,
    "find": _find,
    "exists": _exists,
    "list_mine": _list(lambda c: c.list_mine),
    "list_archived": _list(lambda c: c.list_archived),
    "list_shared": _list(lambda c: c.list_shared),
    "count_mine": _count(lambda c: c.count_mine),
    "trash.list_mine": _list(lambda c: c.trash.list_mine),
    "trash.count_mine": _count(lambda c: c.trash.count_mine),
    "participants.list_of": _list_participants,
    "create": _create,
    "exchange.create_many": _create_many,
    "exchange.fork": _fork,
    "exchange.list_taken_ids": _list_taken_ids,
    "exchange.export": _export,
    "update_details": _update_details,
    "change_status": _change_status,
    "archive": _archive,
    "unarchive": _unarchive,
    "soft_delete": _soft_delete,
    "restore": _restore,
    "trash.purge": _purge,
    "participants.add": _add,
    "participants.change_role": _change_role,
    "participants.remove": _remove,
    "participants.transfer": _transfer,
    "participants.leave": _leave,
    "participants.set_pinned": _set_pinned,
    "participants.mark_read": _mark_read,
    "totals.recompute": _recompute,
    "search": _search,
    "lists.recent": _list(lambda c: partial(c.lists.recent, within=timedelta(hours=1))),
    "lists.by_status": _list(lambda c: partial(c.lists.by_status, "active")),
    "lists.pinned": _pinned,
    "statistics.get": _statistics,
    "statistics.created_by_day": _created_by_day,
    "statistics.created_by_week": _created_by_week,
    "statistics.costliest": _costliest,
    "statistics.count_authors": _count_authors,
    "statistics.shares": _share_statistics,
    "archiving.archive_all": _archive_all,
    "archiving.archive_idle": _archive_idle,
    "trash.purge_deleted": _purge_deleted,
    "shares.list_of": _list_links,
    "shares.list_mine": _list_own_links,
    "shares.create": _create_link,
    "shares.open": _open,
    "shares.read_on": _read_on,
    "shares.extend": _extend,
    "shares.revoke": _revoke,
    "shares.revoke_all": _revoke_all,
    "shares.revoke_mine": _revoke_own,
    "shares.purge_expired": _purge_expired,
}

CONTRACT: Final = Contract("conversations.", CASES, CONVERSATIONS, ASKS, conversation_world)
