"""Prompts against plain dicts: where each stands, what follows what, and what is counted."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

import dal
from tests.properties.conftest import Own
from tests.properties.profiles import machine_settings
from tests.properties.test_template_versions import SYSTEM, Machine, picks

MOST: Final = 14
LEASE_S: Final = 60
TRIES: Final = 2
NONE: Final = object()

# From where to where, said anew here.
STEPS: Final = {
    "start": ({"pending"}, "processing"),
    "complete": ({"processing"}, "completed"),
    "fail": ({"processing"}, "failed"),
    "cancel": ({"pending", "processing"}, "cancelled"),
    "retry": ({"failed"}, "pending"),
}


@attrs.define
class Row:
    """A prompt as it should be. ``gone`` is the number of the deletion that took it."""

    id: Any
    parent: int | None
    status: str = "pending"
    attempt: int = 0
    tokens: int = 0
    gone: int | None = None
    worker: str | None = None
    queued: int = 0
    answered_at_once: bool = False
    group: int | None = None
    number: int | None = None
    selected: bool = False
    rating: int | None = None


class PromptMachine(Machine):
    """One conversation of one user; workers of the system answer."""

    def __init__(self, own: Own) -> None:
        super().__init__(own)
        self.rows: dict[int, Row] = {}
        self.active: int | None = None
        self.ended: list[tuple[str, int]] = []
        self.groups = 0
        self.ticks = 0

    @initialize()
    def begin(self) -> None:
        self.open(1)
        self.me = self.session(0)
        self.system = self.session(SYSTEM)
        self.talk = self.run(self.me.conversations.create(title="t")).id

    # ------------------------------------------------------------------- model

    @property
    def live(self) -> dict[int, Row]:
        return {n: row for n, row in self.rows.items() if row.gone is None}

    def tick(self) -> int:
        """Each step has its own time."""
        self.clock.move(timedelta(seconds=1))
        self.ticks += 1
        return self.ticks

    def some(self, n: int, *, gone: bool = False) -> tuple[int, Row]:
        fit = [k for k, row in self.rows.items() if (row.gone is not None) == gone]
        number = fit[n % len(fit)]
        return number, self.rows[number]

    def way_up(self, number: int | None) -> list[int]:
        way: list[int] = []
        while number is not None:
            way.append(number)
            number = self.rows[number].parent
        return way

    def below(self, number: int) -> list[int]:
        return [k for k in self.live if number in self.way_up(k)]

    def beside(self, number: int) -> Any:
        """What the live variations of a prompt follow, or NONE."""
        group = self.rows[number].group
        others = [(row.number, row.parent) for row in self.live.values() if row.group == group]
        return min(others)[1] if group is not None and others else NONE

    def nearest(self, number: int | None) -> int | None:
        return next((k for k in self.way_up(number) if self.rows[k].gone is None), None)

    def remove(self, numbers: list[int], at: int) -> None:
        for number in numbers:
            self.rows[number].gone = at
            self.rows[number].selected = False

    def bring_back(self, numbers: list[int]) -> None:
        for number in numbers:
            row = self.rows[number]
            row.gone = row.worker = None
            if row.status in ("pending", "processing"):
                row.status = "cancelled"

    has_live = precondition(lambda self: bool(self.live))
    has_gone = precondition(lambda self: any(row.gone is not None for row in self.rows.values()))

    # ------------------------------------------------------------------- rules

    @precondition(lambda self: len(self.rows) < MOST)
    @rule(n=picks, follows=st.booleans(), answered=st.booleans())
    def create(self, n: int, follows: bool, answered: bool) -> None:
        at, parent, how = self.tick(), self.active, dict[str, Any]()
        if follows and self.live:
            parent, row = self.some(n)
            how["parent_id"] = row.id
        if answered:
            how |= {"response": "!", "usage": {"input": 2, "output": 3}, "cost": Decimal(5)}
        made = self.run(
            self.me.prompts.create(self.talk, user_input="?", max_attempts=TRIES, **how)
        )
        number = len(self.rows) + 1
        assert (made.sequence_number, made.parent_sequence) == (number, parent)
        status = "completed" if answered else "pending"
        self.rows[number] = Row(
            made.id,
            parent,
            status,
            int(answered),
            5 if answered else 0,
            queued=at,
            answered_at_once=answered,
        )
        if answered:
            self.ended.append(("completed", 5))
        self.active = number

    @has_live
    @rule(n=picks, step=st.sampled_from(sorted(STEPS)))
    def step(self, n: int, step: str) -> None:
        at, (_, row) = self.tick(), self.some(n)
        calls: dict[str, dict[str, Any]] = {
            "complete": {"response": "!", "usage": {"input": 3}, "cost": Decimal(3)},
            "fail": {"error_code": "e", "usage": {"thought": 2}, "cost": Decimal(2)},
        }
        how = calls.get(step, {})
        if step in ("complete", "fail"):
            how["worker"] = row.worker
        begins, ends = STEPS[step]
        legal = row.status in begins and not (step == "retry" and row.attempt >= TRIES)
        is_done = row.status == "completed" and not row.answered_at_once
        again = step == "complete" and is_done
        wanted = None if legal or again else dal.InvalidTransitionError
        call = getattr(self.system.prompts, step)(row.id, **how)
        self.expect(wanted, call)
        if not legal:
            return
        row.status = ends
        row.attempt += step == "start"
        took = {"complete": 3, "fail": 2}.get(step, 0)
        row.tokens += took
        if took:
            self.ended.append((ends, took))
        row.worker = None
        if step == "retry":
            row.queued = at

    @rule()
    def claim(self) -> None:
        self.tick()
        waiting = sorted((row.queued, n) for n, row in self.live.items() if row.status == "pending")
        found = self.run(self.system.prompts.queue.claim_next("w", lease_s=LEASE_S))
        if not waiting:
            assert found is None
            return
        row = self.rows[waiting[0][1]]
        assert found is not None
        assert (found.id, found.attempt) == (row.id, row.attempt + 1)
        row.status, row.worker, row.attempt = "processing", "w", row.attempt + 1

    @rule()
    def workers_die(self) -> None:
        self.clock.move(timedelta(seconds=LEASE_S))
        at = self.tick()
        expired = [row for row in self.rows.values() if row.worker is not None]
        assert self.run(self.system.prompts.queue.requeue_expired()) == len(expired)
        for row in expired:
            row.status = "pending" if row.attempt < TRIES else "failed"
            row.worker, row.queued = None, at

    @has_live
    @rule(n=picks)
    def delete_one(self, n: int) -> None:
        at, (number, row) = self.tick(), self.some(n)
        self.run(self.me.prompts.soft_delete(row.id))
        for other in self.live.values():
            if other.parent == number:
                other.parent = row.parent
        self.remove([number], at)
        if self.active == number:
            self.active = row.parent

    @has_live
    @rule(n=picks, all_after=st.booleans())
    def delete_many(self, n: int, all_after: bool) -> None:
        at, (number, row) = self.tick(), self.some(n)
        tree = self.me.prompts.tree
        if all_after:
            taken = [k for k in self.live if k >= number]
            assert self.run(tree.soft_delete_after(row.id)) == len(taken)
        else:
            taken = self.below(number)
            assert self.run(tree.soft_delete_subtree(row.id)) == len(taken)
        self.remove(taken, at)
        if self.active in taken:
            self.active = row.parent

    @has_gone
    @rule(n=picks, with_below=st.booleans())
    def restore(self, n: int, with_below: bool) -> None:
        self.tick()
        number, row = self.some(n, gone=True)
        back = [number]
        if with_below:
            for k in sorted(self.rows):
                if self.rows[k].parent in back and self.rows[k].gone == row.gone:
                    back.append(k)
            assert self.run(self.me.prompts.tree.restore_subtree(row.id)) == len(back)
        else:
            self.run(self.me.prompts.restore(row.id))
        parents = {k: self.beside(k) for k in back}
        row.parent = self.nearest(row.parent)
        for k, parent in parents.items():
            if parent is not NONE:
                self.rows[k].parent = parent
        self.bring_back(back)
        if self.active is None:
            self.active = max(back)

    @has_live
    @rule(n=picks, m=picks, root=st.booleans())
    def reparent(self, n: int, m: int, root: bool) -> None:
        self.tick()
        (number, row), (parent, other) = self.some(n), self.some(m)
        wanted = dal.ValueRejectedError if parent >= number and not root else None
        self.expect(wanted, self.me.prompts.tree.reparent(row.id, None if root else other.id))
        if wanted is None:
            before, row.parent = row.parent, None if root else parent
            if row.parent != before:
                row.group, row.number, row.selected = None, None, False

    @has_live
    @rule(n=picks)
    def set_active(self, n: int) -> None:
        number, row = self.some(n)
        self.run(self.me.prompts.tree.set_active(row.id))
        self.active = number

    @precondition(lambda self: bool(self.live) and len(self.rows) < MOST)
    @rule(n=picks)
    def vary(self, n: int) -> None:
        at, (_, row) = self.tick(), self.some(n)
        made = self.run(self.me.prompts.variations.create(row.id))
        if row.group is None:
            self.groups += 1
            row.group, row.number, row.selected = self.groups, 1, True
        last = max(r.number or 0 for r in self.rows.values() if r.group == row.group)
        assert made.sequence_number == len(self.rows) + 1
        self.rows[made.sequence_number] = Row(
            made.id, row.parent, queued=at, group=row.group, number=last + 1
        )

    @has_live
    @rule(n=picks)
    def select(self, n: int) -> None:
        number, row = self.some(n)
        wanted = dal.ValueRejectedError if row.group is None else None
        self.expect(wanted, self.me.prompts.variations.select(row.id))
        if wanted is not None:
            return
        for k, other in self.live.items():
            if other.group == row.group:
                other.selected = k == number
                if self.active == k:
                    self.active = number

    @has_live
    @rule(n=picks, rating=st.sampled_from([None, 1, 5]))
    def rate(self, n: int, rating: int | None) -> None:
        _, row = self.some(n)
        ratings = self.me.prompts.ratings
        call = ratings.clear(row.id) if rating is None else ratings.set(row.id, rating)
        self.expect(None if row.status == "completed" else dal.InvalidTransitionError, call)
        if row.status == "completed":
            row.rating = rating

    # -------------------------------------------------------------- invariants

    @invariant()
    def what_was_spent_is_what_ended(self) -> None:
        if not hasattr(self, "talk"):
            return
        done = [tokens for status, tokens in self.ended if status == "completed"]
        failed = [tokens for status, tokens in self.ended if status == "failed"]
        tokens = sum(done) + sum(failed)
        ask = self.own.ask
        columns = "input_tokens + output_tokens + cache_read_tokens + cache_write_tokens"
        columns += " + reasoning_tokens + other_tokens"
        raw = ask(
            "SELECT COUNT(CASE WHEN status = 'completed' THEN 1 END),"
            f" COUNT(CASE WHEN status = 'failed' THEN 1 END), SUM({columns}), SUM(cost)"
            " FROM usage_records"
        )
        items = ask("SELECT COUNT(DISTINCT prompt_id, attempt), SUM(token_count) FROM usage_items")
        spent = (len(done), len(failed), tokens or None, tokens or None)
        assert raw == [spent]
        assert items == [(len(self.ended), tokens or None)]
        days = ask(
            f"SELECT SUM(completed), SUM(failed), SUM({columns}), SUM(cost) FROM usage_days"
            " GROUP BY facet"
        )
        assert days == ([spent] * 2 if self.ended else [])

    @invariant()
    def what_is_there_is_what_should_be(self) -> None:
        if not hasattr(self, "talk"):
            return
        found = self.run(self.me.prompts.list_of(self.talk, limit=100)).rows
        assert {
            row.sequence_number: (
                row.id, row.parent_sequence, row.status, row.attempt, row.token_count,
                row.variation_number, row.is_selected, row.rating,
            )
            for row in found
        } == {
            n: (
                row.id, row.parent, row.status, row.attempt, row.tokens, row.number, row.selected,
                row.rating,
            )
            for n, row in self.live.items()
        }  # fmt: skip
        for one in found:
            beside = {row.parent_sequence for row in found
                      if row.variation_group == one.variation_group is not None}  # fmt: skip
            assert len(beside) <= 1
        talk = self.run(self.me.conversations.get(self.talk))
        tokens = sum(row.tokens for row in self.live.values())
        assert (talk.message_count, talk.token_count, talk.cost) == (
            len(found), tokens, Decimal(tokens),
        )  # fmt: skip
        assert (talk.last_sequence, talk.active_sequence) == (len(self.rows), self.active)
        assert not self.run(self.system.conversations.totals.recompute(self.talk))

    @invariant()
    def every_way_up_is_that_of_the_dicts(self) -> None:
        if not self.live:
            return
        tree = self.me.prompts.tree
        ends = [n for n in self.live if not any(r.parent == n for r in self.live.values())]
        leaves = self.run(tree.list_leaves(self.talk, limit=100)).rows
        assert [row.sequence_number for row in leaves] == sorted(ends)
        for leaf in leaves:
            way = [row.sequence_number for row in self.run(tree.get_path(leaf.id))]
            assert way == self.way_up(leaf.sequence_number)[::-1]
            assert self.run(tree.get_depth(leaf.id)) == len(way) - 1


def test_prompts_live_and_branch_as_plain_dicts_do(own: Own) -> None:
    class OwnMachine(PromptMachine):
        def __init__(self) -> None:
            super().__init__(own)

    whole = machine_settings()
    # Its steps are cheap: one conversation, and short lists.
    many = settings(whole, max_examples=4 * whole.max_examples)
    run_state_machine_as_test(OwnMachine, settings=many)
