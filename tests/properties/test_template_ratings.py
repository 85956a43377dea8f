"""Ratings and uses against plain dicts: the sums that are kept are always those of a recount."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from fractions import Fraction
from math import floor, log2
from typing import Final
from uuid import UUID

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

import dal
from tests.properties.conftest import Own
from tests.properties.test_template_versions import (
    NOBODY,
    START,
    SYSTEM,
    Machine,
    half,
    mostly,
    pages,
    picks,
    told,
    visibilities,
)

N_USERS: Final = 4
MOST_TEMPLATES: Final = 6
WEEK: Final = timedelta(weeks=1)
EPOCH: Final = START.replace(year=2020)


@attrs.define
class Row:
    """A template as it should be: who gave it what, and when it was used."""

    id: UUID
    owner: int
    visibility: dal.Visibility
    ratings: dict[int, dal.TemplateRating] = attrs.field(factory=dict)
    uses: list[Fraction] = attrs.field(factory=list)
    deleted: bool = False


people = st.integers(0, N_USERS - 1)
feedbacks = st.none() | st.sampled_from(["", "why not", "\U0001f600\0%"])


class RatingMachine(Machine):
    def __init__(self, own: Own) -> None:
        super().__init__(own)
        self.rows: dict[UUID, Row] = {}
        self.gone: set[int] = set()
        self.steps = 0

    @initialize()
    def begin(self) -> None:
        self.open(N_USERS)
        for owner, visibility in ((0, "public"), (1, "public"), (0, "private")):
            self.create(owner, dal.Visibility(visibility))
        for user in range(N_USERS):
            self.rate(user, 1, user + 2, None)

    # ------------------------------------------------------------------ model

    def lives(self, row: Row) -> bool:
        return not row.deleted and row.owner not in self.gone

    def sees(self, actor: int, row: Row) -> bool:
        is_public = row.visibility is dal.Visibility.PUBLIC
        return self.lives(row) and (is_public or actor in (SYSTEM, row.owner))

    def counted(self, row: Row) -> list[int]:
        """The ratings of live users."""
        return [rated.rating for user, rated in row.ratings.items() if user not in self.gone]

    def pick(self, n: int, *, deleted: bool = False) -> Row:
        fit = [row for row in self.rows.values() if row.deleted == deleted]
        rows = fit or list(self.rows.values())
        return rows[n % len(rows)]

    def hidden(self, actor: int, row: Row) -> type[dal.DalError] | None:
        """Why the actor, if they are a user, neither rates nor uses it."""
        shown = self.sees(actor, row) and actor not in self.gone
        return None if shown else dal.NotFoundError

    def refusal(self, actor: int, row: Row, *, deleted: bool) -> type[dal.DalError] | None:
        if actor in self.gone:
            return dal.NotFoundError
        if actor == row.owner:
            return None if row.deleted == deleted else dal.NotFoundError
        return dal.PermissionDeniedError if self.sees(actor, row) else dal.NotFoundError

    # ------------------------------------------------------------------- rules

    @rule(hours=st.sampled_from([0, 1, 24 * 7, 24 * 300]))
    def time_passes(self, hours: int) -> None:
        self.clock.move(timedelta(hours=hours))

    @precondition(lambda self: len(self.rows) < MOST_TEMPLATES)
    @rule(owner=people, visibility=visibilities)
    def create(self, owner: int, visibility: dal.Visibility) -> None:
        wanted = dal.ParentMissingError if owner in self.gone else None
        made = self.expect(
            wanted,
            self.session(owner).templates.create(name="n", content="c", visibility=visibility),
        )
        if made is not None:
            self.rows[made.id] = Row(made.id, owner, visibility)

    @precondition(lambda self: self.rows)
    @rule(user=people, n=picks, rating=st.integers(1, 5), feedback=feedbacks)
    def rate(self, user: int, n: int, rating: int, feedback: str | None) -> None:
        row = self.pick(n)
        back = self.expect(
            self.hidden(user, row),
            self.session(user).templates.ratings.set(row.id, rating, feedback=feedback),
        )
        if back is None:
            return
        before = row.ratings.get(user)
        if before is None or (before.rating, before.feedback) != (rating, feedback):
            now = self.clock.now()
            row.ratings[user] = dal.TemplateRating(
                row.id,
                self.users[user].id,
                rating,
                feedback,
                now if before is None else before.created_at,
                now,
            )
        assert back == row.ratings[user]

    @precondition(lambda self: self.rows)
    @rule(n=picks, ratings=st.lists(st.integers(1, 5), min_size=N_USERS, max_size=N_USERS))
    def all_rate(self, n: int, ratings: list[int]) -> None:
        for user, rating in enumerate(ratings):
            self.rate(user, n, rating, None)

    @precondition(lambda self: self.rows)
    @rule(user=people, n=picks)
    def remove_rating(self, user: int, n: int) -> None:
        row = self.pick(n)
        wanted = self.hidden(user, row)
        if wanted is None and user not in row.ratings:
            wanted = dal.NotFoundError
        self.expect(wanted, self.session(user).templates.ratings.remove(row.id))
        if wanted is None:
            del row.ratings[user]

    @precondition(lambda self: self.rows)
    @rule(actor=st.integers(NOBODY, N_USERS - 1), n=picks, times=st.integers(1, 3))
    def use(self, actor: int, n: int, times: int) -> None:
        row = self.pick(n)
        wanted = self.hidden(actor, row)
        if wanted is None and actor == NOBODY:
            wanted = dal.PermissionDeniedError
        for _ in range(times):
            self.expect(wanted, self.session(actor).templates.usage.record(row.id))
            if wanted is None:
                row.uses.append(Fraction((self.clock.now() - EPOCH) // timedelta(seconds=1)))

    @precondition(lambda self: self.rows)
    @rule(actor=st.sampled_from([NOBODY, SYSTEM]), n=picks)
    def rate_as_no_user(self, actor: int, n: int) -> None:
        row = self.pick(n)
        wanted = dal.PermissionDeniedError if self.sees(actor, row) else dal.NotFoundError
        self.expect(wanted, self.session(actor).templates.ratings.set(row.id, 5))
        self.expect(wanted, self.session(actor).templates.ratings.remove(row.id))

    @rule(user=people)
    def delete_or_restore_user(self, user: int) -> None:
        if user in self.gone:
            self.run(self.system.users.restore(self.users[user].id))
        else:
            self.run(self.system.users.soft_delete(self.users[user].id))
        self.gone ^= {user}

    @precondition(lambda self: self.rows)
    @rule(n=picks, visibility=visibilities)
    def show_or_hide(self, n: int, visibility: dal.Visibility) -> None:
        row = self.pick(n)
        wanted = self.refusal(row.owner, row, deleted=False)
        work = self.session(row.owner).templates.update_details(row.id, visibility=visibility)
        if self.expect(wanted, work) is not None:
            row.visibility = visibility

    @precondition(lambda self: self.rows)
    @rule(n=picks, mine=mostly, user=people)
    def soft_delete(self, n: int, mine: bool, user: int) -> None:
        row = self.pick(n)
        actor = row.owner if mine else user
        wanted = self.refusal(actor, row, deleted=False)
        self.expect(wanted, self.session(actor).templates.soft_delete(row.id))
        row.deleted |= wanted is None

    @precondition(lambda self: any(row.deleted for row in self.rows.values()))
    @rule(n=picks)
    def restore(self, n: int) -> None:
        row = self.pick(n, deleted=True)
        wanted = self.refusal(row.owner, row, deleted=True)
        back = self.expect(wanted, self.session(row.owner).templates.restore(row.id))
        if back is not None:
            row.deleted = False
            counted = self.counted(row)
            assert (back.rating_sum, back.rating_count) == (sum(counted), len(counted))
            assert back.use_count == len(row.uses)

    @precondition(lambda self: any(row.deleted for row in self.rows.values()))
    @rule(n=picks)
    def purge(self, n: int) -> None:
        row = self.pick(n, deleted=True)
        wanted = self.refusal(row.owner, row, deleted=True)
        self.expect(wanted, self.session(row.owner).templates.trash.purge(row.id))
        if wanted is None:
            del self.rows[row.id]

    @precondition(lambda self: 0 < len(self.rows) < MOST_TEMPLATES)
    @rule(user=people, n=picks)
    def fork(self, user: int, n: int) -> None:
        row = self.pick(n)
        wanted: type[dal.DalError] | None = None
        if not self.sees(user, row):
            wanted = dal.NotFoundError
        elif user in self.gone:
            wanted = dal.ParentMissingError
        made = self.expect(wanted, self.session(user).templates.versions.fork(row.id))
        if made is not None:
            # Nobody has rated or used it yet.
            assert (made.rating_sum, made.rating_count, made.use_count) == (0, 0, 0)
            self.rows[made.id] = Row(made.id, user, dal.Visibility.PRIVATE)

    # -------------------------------------------------------------- invariants

    @invariant()
    def the_sums_are_those_of_a_recount(self) -> None:
        if self.users:
            self.steps += 1
            self.check_tables()
            self.run(self.check_reads())

    def check_tables(self) -> None:
        """Also of what is in a trash, or of deleted owners."""
        stored = {
            UUID(bytes=template_id): (*numbers,)
            for template_id, *numbers in self.own.ask(
                "SELECT id, rating_sum, rating_count, rating_rank, use_count FROM templates"
            )
        }
        assert stored == {
            row.id: (sum(counted), len(counted), floor(bayesian(counted) * 100_000), len(row.uses))
            for row in self.rows.values()
            for counted in [self.counted(row)]
        }
        kept = self.own.ask("SELECT template_id, user_id, rating FROM template_ratings")
        assert sorted(kept) == sorted(
            (row.id.bytes, self.users[user].id.bytes, rated.rating)
            for row in self.rows.values()
            for user, rated in row.ratings.items()
        )

    async def check_reads(self) -> None:
        actors = [SYSTEM, NOBODY, *range(N_USERS)]
        # One of them a step, in turn; the tables are looked at after each.
        await self.check_actor(actors[self.steps % len(actors)])

    async def check_actor(self, actor: int) -> None:
        templates = self.session(actor).templates
        seen = [row for row in self.rows.values() if self.sees(actor, row)]
        await self.check_statistics(actor, seen)
        # The order of the mean with ten ratings of 3 before it, to five decimals; then the id.
        hits = await pages(lambda **how: templates.search(sort="rating", **how))
        best = sorted(seen, key=lambda r: (self.rank(r), r.id), reverse=True)
        assert [hit.template.id for hit in hits] == [row.id for row in best]
        hits = await pages(lambda **how: templates.search(sort="popular", **how))
        used = sorted(seen, key=lambda r: (len(r.uses), r.id), reverse=True)
        assert [hit.template.id for hit in hits] == [row.id for row in used]
        for hit in hits:
            row, told_of = self.rows[hit.template.id], hit.template
            counted = self.counted(row)
            assert (told_of.rating_sum, told_of.rating_count) == (sum(counted), len(counted))
            assert told_of.use_count == len(row.uses)
            # Each use may round one off.
            assert abs(told_of.trend - trend(row.uses)) <= 1 + 2 * len(row.uses)
        trending = [hit.template for hit in (await templates.search(sort="trending")).rows]
        assert trending == sorted(trending, key=lambda t: (t.trend, t.id), reverse=True)
        assert {t.id for t in trending} == {row.id for row in seen}
        rated_well = await templates.search(min_rating=3.5, limit=500)
        assert {hit.template.id for hit in rated_well.rows} == {
            row.id
            for row in seen
            if (counted := self.counted(row)) and Fraction(sum(counted), len(counted)) >= 3.5
        }
        unused = await templates.count_search(unused=True)
        assert unused == sum(not row.uses for row in seen)
        for row in self.rows.values():
            await self.check_one(actor, row)

    def rank(self, row: Row) -> int:
        return floor(bayesian(self.counted(row)) * 100_000)

    async def check_statistics(self, actor: int, seen: list[Row]) -> None:
        statistics = await self.session(actor).templates.usage.statistics()
        counted = [rating for row in seen for rating in self.counted(row)]
        assert statistics.templates == len(seen)
        assert (statistics.ratings, statistics.rating_sum) == (len(counted), sum(counted))
        assert statistics.uses == sum(len(row.uses) for row in seen)
        assert statistics.never_used == sum(not row.uses for row in seen)

    async def check_one(self, actor: int, row: Row) -> None:
        templates = self.session(actor).templates
        distribution = await told(templates.ratings.get_distribution(row.id))
        if self.sees(actor, row):
            n = Counter(self.counted(row))
            assert distribution == dal.RatingDistribution(*(n[i] for i in range(1, 6)))
            shown = await pages(lambda **how: templates.ratings.list_of(row.id, **how))
            live = [rated for user, rated in row.ratings.items() if user not in self.gone]
            live.sort(key=lambda rated: (rated.updated_at, rated.user_id), reverse=True)
            assert shown == live
        else:
            assert distribution is dal.NotFoundError
            assert await told(templates.ratings.list_of(row.id)) is dal.NotFoundError
        if actor >= 0:
            found = row.ratings.get(actor) if self.hidden(actor, row) is None else None
            assert await templates.ratings.find_mine(row.id) == found


def bayesian(ratings: list[int]) -> Fraction:
    """The mean of these and of ten more ratings of 3."""
    return Fraction(sum(ratings) + 10 * 3, len(ratings) + 10)


def trend(uses: list[Fraction]) -> int:
    """10^9 log2 of the sum over the uses of 2 to the weeks from 2020."""
    if not uses:
        return 0
    weeks = [seconds / (7 * 86_400) for seconds in uses]
    most = max(weeks)
    total = sum(2.0 ** float(one - most) for one in weeks)
    return round(10**9 * (float(most) + log2(total)))


def test_ratings_and_uses_are_those_of_a_recount(own: Own) -> None:
    class OwnMachine(RatingMachine):
        def __init__(self) -> None:
            super().__init__(own)

    run_state_machine_as_test(OwnMachine, settings=half())


def test_one_5_does_not_win_against_two_hundred_of_4_8(own: Own) -> None:
    """As numbers of the server: the sums are put there, and the order is asked for."""

    class OwnMachine(RatingMachine):
        def __init__(self) -> None:
            super().__init__(own)

    machine = OwnMachine()
    try:
        machine.open(1)
        for _ in range(3):
            machine.create(0, dal.Visibility.PUBLIC)
        one, many, none = machine.rows
        for template_id, rating_sum, count in ((one, 5, 1), (many, 960, 200)):
            own.ask(
                "UPDATE templates SET rating_sum = %s, rating_count = %s WHERE id = %s",
                rating_sum, count, template_id.bytes,
            )  # fmt: skip
        hits = machine.run(machine.session(NOBODY).templates.search(sort="rating")).rows
        assert [hit.template.id for hit in hits] == [many, one, none]
    finally:
        machine.teardown()
