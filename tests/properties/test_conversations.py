"""Conversations against plain dicts: who takes part, as what, and what each sees in each list."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

import dal
from tests.properties.conftest import Own
from tests.properties.test_template_versions import (
    NOBODY,
    SYSTEM,
    Machine,
    half,
    picks,
)

N_USERS: Final = 4
MOST: Final = 5
ROLES: Final = {"owner": (True, True), "collaborator": (True, False), "viewer": (False, False)}

people = st.integers(0, N_USERS - 1)
anybody = st.integers(NOBODY, N_USERS - 1)
roles = st.sampled_from(["collaborator", "viewer"])

Change = Callable[[Any, UUID], Any]


@attrs.define
class Asked:
    """A prompt as it should be."""

    id: UUID
    author: int
    number: int
    tokens: int
    cost: Decimal
    deleted: bool = False


@attrs.define
class Row:
    """A conversation as it should be: who takes part, as what, and whether they may share."""

    id: UUID
    owner: int
    people: dict[int, tuple[str, bool]]
    pinned: set[int] = attrs.field(factory=set)
    archived: bool = False
    deleted: bool = False
    status: str = "active"
    prompts: list[Asked] = attrs.field(factory=list)
    read: dict[int, int] = attrs.field(factory=dict)

    @property
    def totals(self) -> tuple[int, int, Decimal]:
        live = [asked for asked in self.prompts if not asked.deleted]
        costs = sum((asked.cost for asked in live), Decimal(0))
        return len(live), sum(asked.tokens for asked in live), costs


class ConversationMachine(Machine):
    def __init__(self, own: Own) -> None:
        super().__init__(own)
        self.rows: dict[UUID, Row] = {}
        self.gone: set[int] = set()

    @initialize()
    def begin(self) -> None:
        self.open(N_USERS)
        for owner in (0, 1):
            self.create(owner)
        self.add(0, 0, 1, "collaborator")
        self.add(0, 0, 2, "viewer")
        self.add(1, 1, 0, "viewer")

    # ------------------------------------------------------------------ model

    def sees(self, actor: int, row: Row) -> bool:
        if row.deleted or row.owner in self.gone:
            return False
        return actor == SYSTEM or (actor in row.people and actor not in self.gone)

    def pick(self, n: int, *, deleted: bool = False) -> Row:
        fit = [row for row in self.rows.values() if row.deleted == deleted]
        rows = fit or list(self.rows.values())
        return rows[n % len(rows)]

    def refusal(
        self, actor: int, row: Row, may: Callable[[int], bool]
    ) -> type[dal.DalError] | None:
        """Why a change is refused: not seen, or not theirs to make."""
        if not self.sees(actor, row):
            return dal.NotFoundError
        return None if actor >= 0 and may(actor) else dal.PermissionDeniedError

    def as_owner(self, actor: int, row: Row) -> type[dal.DalError] | None:
        return self.refusal(actor, row, lambda who: who == row.owner)

    def change(self, actor: int, row: Row, wanted: Any, call: Change) -> bool:
        """Whether the change was made, as it was to be."""
        done = self.expect(wanted, _true(call(self.session(actor).conversations, row.id)))
        return bool(done)

    # ------------------------------------------------------------------- rules

    @precondition(lambda self: len(self.rows) < MOST)
    @rule(owner=people)
    def create(self, owner: int) -> None:
        wanted = dal.ParentMissingError if owner in self.gone else None
        made = self.expect(wanted, self.session(owner).conversations.create(title="titled"))
        if made is not None:
            self.rows[made.id] = Row(made.id, owner, {owner: ("owner", True)})

    @rule(n=picks, actor=anybody, who=people, role=roles)
    def add(self, n: int, actor: int, who: int, role: str) -> None:
        row = self.pick(n)
        wanted = self.as_owner(actor, row)
        if wanted is None and who in self.gone:
            wanted = dal.ParentMissingError
        elif wanted is None and who in row.people:
            wanted = dal.UniqueError
        user = self.users[who].id
        if self.change(actor, row, wanted, lambda c, i: c.participants.add(i, user, role)):
            row.people[who] = (role, ROLES[role][1])

    def others(self, actor: int, row: Row, who: int) -> type[dal.DalError] | None:
        """Why a change of another participant is refused."""
        wanted = self.as_owner(actor, row)
        if wanted is None and who not in row.people:
            return dal.NotFoundError
        if wanted is None and who == row.owner:
            return dal.PermissionDeniedError
        return wanted

    @rule(n=picks, actor=anybody, who=people, role=roles, share=st.none() | st.booleans())
    def change_role(self, n: int, actor: int, who: int, role: str, share: bool | None) -> None:
        row = self.pick(n)
        user = self.users[who].id
        if self.change(
            actor,
            row,
            self.others(actor, row, who),
            lambda c, i: c.participants.change_role(i, user, role, can_share=share),
        ):
            row.people[who] = (role, ROLES[role][1] if share is None else share)

    @rule(n=picks, actor=anybody, who=people)
    def remove(self, n: int, actor: int, who: int) -> None:
        row = self.pick(n)
        user = self.users[who].id
        wanted = self.others(actor, row, who)
        if self.change(actor, row, wanted, lambda c, i: c.participants.remove(i, user)):
            del row.people[who]
            row.pinned.discard(who)
            row.read.pop(who, None)

    @rule(n=picks, actor=anybody)
    def leave(self, n: int, actor: int) -> None:
        row = self.pick(n)
        wanted = self.refusal(actor, row, lambda who: who != row.owner)
        if self.change(actor, row, wanted, lambda c, i: c.participants.leave(i)):
            del row.people[actor]
            row.pinned.discard(actor)
            row.read.pop(actor, None)

    @rule(n=picks, actor=anybody, who=people)
    def transfer(self, n: int, actor: int, who: int) -> None:
        row = self.pick(n)
        wanted = self.as_owner(actor, row)
        if wanted is None and who == row.owner:
            wanted = dal.ValueRejectedError
        elif wanted is None and (who not in row.people or who in self.gone):
            wanted = dal.NotFoundError
        user = self.users[who].id
        if self.change(actor, row, wanted, lambda c, i: c.participants.transfer(i, user)):
            row.people |= {row.owner: ("collaborator", False), who: ("owner", True)}
            row.owner = who

    @rule(n=picks, actor=anybody, pinned=st.booleans())
    def pin(self, n: int, actor: int, pinned: bool) -> None:
        row = self.pick(n)
        wanted = self.refusal(actor, row, lambda _: True)
        if self.change(actor, row, wanted, lambda c, i: c.participants.set_pinned(i, pinned)):
            (row.pinned.add if pinned else row.pinned.discard)(actor)

    @rule(n=picks, actor=anybody, archived=st.booleans())
    def archive(self, n: int, actor: int, archived: bool) -> None:
        row = self.pick(n)
        wanted = self.as_owner(actor, row)
        name = "archive" if archived else "unarchive"
        if self.change(actor, row, wanted, lambda c, i: getattr(c, name)(i)):
            row.archived = archived

    @rule(n=picks, actor=anybody)
    def soft_delete(self, n: int, actor: int) -> None:
        row = self.pick(n)
        if self.change(actor, row, self.as_owner(actor, row), lambda c, i: c.soft_delete(i)):
            row.deleted = True

    @rule(n=picks, actor=people, way=st.sampled_from(["restore", "trash.purge"]))
    def out_of_the_trash(self, n: int, actor: int, way: str) -> None:
        row = self.pick(n, deleted=True)
        wanted: type[dal.DalError] | None = None
        if not (row.deleted and actor == row.owner and actor not in self.gone):
            shown = self.sees(actor, row) and actor != row.owner
            wanted = dal.PermissionDeniedError if shown else dal.NotFoundError

        def call(conversations: Any, conversation_id: UUID) -> Any:
            door = conversations.trash.purge if "purge" in way else conversations.restore
            return door(conversation_id)

        if self.change(actor, row, wanted, call):
            row.deleted = False
            if "purge" in way:
                del self.rows[row.id]

    @rule(n=picks, actor=anybody, status=st.sampled_from(dal.ConversationStatus))
    def change_status(self, n: int, actor: int, status: dal.ConversationStatus) -> None:
        row = self.pick(n)
        wanted = self.as_writer(actor, row)
        if wanted is None and (row.status, status) == ("completed", "paused"):
            wanted = dal.InvalidTransitionError
        if self.change(actor, row, wanted, lambda c, i: c.change_status(i, status)):
            row.status = status

    def as_writer(self, actor: int, row: Row) -> type[dal.DalError] | None:
        return self.refusal(actor, row, lambda who: ROLES[row.people[who][0]][0])

    @rule(n=picks, actor=anybody, tokens=st.integers(0, 9), cost=st.integers(0, 9))
    def ask(self, n: int, actor: int, tokens: int, cost: int) -> None:
        row = self.pick(n)
        wanted = self.as_writer(actor, row)
        if wanted is None and (row.archived or row.status == "completed"):
            wanted = dal.InvalidTransitionError
        price = Decimal(cost) / 10**10
        made = self.expect(
            wanted,
            self.session(actor).prompts.create(
                row.id, user_input="?", response="", usage={"input": tokens}, cost=price
            ),
        )
        if made is not None:
            assert made.sequence_number == len(row.prompts) + 1
            row.prompts.append(Asked(made.id, actor, made.sequence_number, tokens, price))

    @rule(n=picks, k=picks, actor=anybody, back=st.booleans())
    def delete_a_prompt_or_take_it_back(self, n: int, k: int, actor: int, back: bool) -> None:
        row = self.pick(n)
        if not row.prompts:
            return
        asked = row.prompts[k % len(row.prompts)]
        wanted: type[dal.DalError] | None = None
        # Whoever takes no part is told of what is live alone.
        if not self.sees(actor, row) or asked.deleted != (back and actor >= 0):
            wanted = dal.NotFoundError
        elif actor < 0 or not (
            ROLES[row.people[actor][0]][0] and actor in (asked.author, row.owner)
        ):
            wanted = dal.PermissionDeniedError
        mine = self.session(actor).prompts
        call = mine.restore(asked.id) if back else mine.soft_delete(asked.id)
        if self.expect(wanted, _true(call)):
            asked.deleted = not back

    @rule(n=picks, actor=anybody, number=st.integers(0, 5))
    def mark_read(self, n: int, actor: int, number: int) -> None:
        row = self.pick(n)
        wanted = self.refusal(actor, row, lambda _: True)
        if self.change(actor, row, wanted, lambda c, i: c.participants.mark_read(i, number)):
            row.read[actor] = max(row.read.get(actor, 0), min(number, len(row.prompts)))

    @rule(who=people)
    def user_goes_or_comes_back(self, who: int) -> None:
        users = self.session(SYSTEM).users
        if who in self.gone:
            self.run(users.restore(self.users[who].id))
            self.gone.discard(who)
        else:
            self.run(users.soft_delete(self.users[who].id))
            self.gone.add(who)

    # -------------------------------------------------------------- invariants

    @invariant()
    def each_sees_what_they_take_part_in(self) -> None:
        for actor in range(NOBODY, N_USERS if self.users else NOBODY):
            mine = self.session(actor).conversations
            seen = {i for i, row in self.rows.items() if self.sees(actor, row)}
            assert {i for i in self.rows if self.run(mine.exists(i))} == seen
            if actor < 0:
                continue
            live = [row for i, row in self.rows.items() if i in seen]
            for scope, wanted in (
                ("mine", {row.id for row in live if row.owner == actor}),
                ("shared", {row.id for row in live if row.owner != actor}),
            ):
                hits = self.run(mine.search("titled", scope=scope)).rows
                assert {hit.conversation.id for hit in hits} == wanted, scope
            lists = {
                mine.list_mine: [r for r in live if r.owner == actor and not r.archived],
                mine.list_archived: [r for r in live if r.owner == actor and r.archived],
                mine.list_shared: [r for r in live if r.owner != actor and not r.archived],
                mine.trash.list_mine: [
                    row
                    for row in self.rows.values()
                    if row.deleted and row.owner == actor and actor not in self.gone
                ],
            }
            for door, expected in lists.items():
                found = {row.id: row for row in self.run(door()).rows}
                assert found.keys() == {row.id for row in expected}, door
                for row in expected:
                    it = found[row.id]
                    assert (it.role, it.is_pinned, it.status, it.unread_count) == (
                        row.people[actor][0],
                        actor in row.pinned,
                        row.status,
                        len(row.prompts) - row.read.get(actor, 0),
                    )
                    assert (it.message_count, it.token_count, it.cost) == row.totals
            owned = [row for row in live if row.owner == actor]
            assert self.run(mine.count_mine()) == len(owned)

    @invariant()
    def there_is_one_owner_and_each_has_what_their_role_gives(self) -> None:
        stored = self.own.ask(
            "SELECT conversation_id, user_id, role, can_write, can_share"
            " FROM conversation_participants"
        )
        assert sorted(stored) == sorted(
            (i.bytes, self.users[who].id.bytes, role, int(ROLES[role][0]), int(share))
            for i, row in self.rows.items()
            for who, (role, share) in row.people.items()
        )
        owners = self.own.ask("SELECT id, owner_id FROM conversations")
        assert sorted(owners) == sorted(
            (c, user) for c, user, role, _, _ in stored if role == "owner"
        )

    @invariant()
    def the_prompts_are_numbered_and_those_listed_are_live(self) -> None:
        for row in self.rows.values():
            if not self.sees(SYSTEM, row):
                continue
            listed = self.run(self.session(SYSTEM).prompts.list_of(row.id)).rows
            assert [(prompt.id, prompt.sequence_number) for prompt in listed] == [
                (asked.id, asked.number) for asked in row.prompts if not asked.deleted
            ]
            assert self.run(self.session(SYSTEM).conversations.totals.recompute(row.id)) is False


async def _true(work: Any) -> bool:
    await work
    return True


def test_who_takes_part_and_what_they_see(own: Own) -> None:
    class OwnMachine(ConversationMachine):
        def __init__(self) -> None:
            super().__init__(own)

    run_state_machine_as_test(OwnMachine, settings=half())
