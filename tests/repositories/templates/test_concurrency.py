"""Crowds at one template: versions, labels, ratings, uses and categories.

The dice are thrown by DAL_STRESS_SEED, which is printed when a test fails; in CI it is 0.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from itertools import count
from typing import Any, Final, TypeVar
from uuid import UUID

import attrs
import pytest
from hypothesis import settings

import dal
from dal.config import Config
from dal.provision import connect, prepare_temporary
from dal.search.analysis import terms_of
from dal.search.postings import term_hash
from dal.server import PrivateServer
from tests.conftest import CHEAP_HASHES, Recorder, options

T = TypeVar("T")
Rows = list[tuple[Any, ...]]

_numbers = count(1)
# What a caller must never see: it is the session that tries again.
TRANSIENT: Final = frozenset({"DeadlockError", "LockTimeoutError", "TransientError"})


@attrs.define
class Crowd:
    """A database of this module's own, with a pool that many wait for."""

    db: dal.Database
    recorder: Recorder
    ask: Callable[..., Rows]

    @property
    def system(self) -> dal.Session:
        return self.db.acting_as(dal.Actor.system("crowd"))

    def as_user(self, user: dal.User) -> dal.Session:
        return self.db.acting_as(dal.Actor.user(user.id))

    async def user(self) -> dal.User:
        return await self.system.users.create(
            email=f"templates{next(_numbers)}@example.org", full_name="One of many"
        )

    async def session(self) -> dal.Session:
        return self.as_user(await self.user())

    def rated(self, template_id: UUID) -> tuple[int, int]:
        """The sum and the number that are kept, which must be those of a recount."""
        (kept,) = self.ask(
            "SELECT rating_sum, rating_count FROM templates WHERE id = %s", template_id.bytes
        )
        (recounted,) = self.ask(
            "SELECT CAST(COALESCE(SUM(r.rating), 0) AS SIGNED), COUNT(*) FROM template_ratings AS r"
            " JOIN users AS u ON u.id = r.user_id AND u.deleted_at IS NULL"
            " WHERE r.template_id = %s",
            template_id.bytes,
        )
        assert kept == recounted
        return kept

    def in_order(self, template_id: UUID) -> None:
        """Head and numbers of a template, and its labels, are as they must be."""
        assert self.ask(
            "SELECT t.head_version = MAX(v.version), t.last_version >= t.head_version"
            " FROM templates AS t JOIN template_versions AS v ON v.template_id = t.id"
            " WHERE t.id = %s GROUP BY t.id, t.head_version, t.last_version",
            template_id.bytes,
        ) == [(1, 1)]
        dangling = self.ask(
            "SELECT COUNT(*) FROM template_labels AS l LEFT JOIN template_versions AS v"
            " ON v.template_id = l.template_id AND v.version = l.version"
            " WHERE l.template_id = %s AND v.version IS NULL",
            template_id.bytes,
        )
        assert dangling == [(0,)]


@pytest.fixture(scope="module")
async def crowd(server: PrivateServer, clock: dal.ManualClock) -> AsyncIterator[Crowd]:
    accounts = await asyncio.to_thread(prepare_temporary, server, "template_crowds")
    own = accounts.config("dal_application", database="template_crowds", pool_max=16)
    admin = dal.config.parse(server.admin_url("template_crowds"))
    assert isinstance(admin, Config)
    recorder = Recorder()
    given: dict[str, Any] = {**options(own), **CHEAP_HASHES, "acquire_timeout_s": 60.0}
    with closing(connect(admin)) as connection:

        def ask(sql: str, *values: object) -> Rows:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                found = list(cursor.fetchall())
            connection.commit()
            return found

        async with dal.connect(clock=clock, on_statement=recorder, **given) as db:
            yield Crowd(db, recorder, ask)


@pytest.fixture
def dice() -> random.Random:
    by_chance = random.SystemRandom().getrandbits(32)
    seed = os.environ.get("DAL_STRESS_SEED", 0 if profile() == "ci" else by_chance)
    print(f"DAL_STRESS_SEED={seed}")  # noqa: T201  shown when the test fails
    return random.Random(int(seed))


def profile() -> str:
    return settings.get_current_profile_name()


def rounds(dev: int) -> range:
    """How often a race is run: in CI twice as often as by hand, at night more."""
    return range(dev * {"ci": 2, "nightly": 50}.get(profile(), 1))


async def all_of(*work: Awaitable[T]) -> list[T | BaseException]:
    results = await asyncio.gather(*work, return_exceptions=True)
    assert not TRANSIENT & kinds(results).keys(), results
    return results


def kinds(results: list[T | BaseException]) -> Counter[str]:
    return Counter(type(r).__name__ if isinstance(r, BaseException) else "done" for r in results)


# -------------------------------------------------------------------- versions


async def test_a_crowd_of_commits_gives_every_number_once(crowd: Crowd) -> None:
    crowd.recorder.clear()
    for _ in rounds(2):
        me = await crowd.session()
        made = await me.templates.create(name="n", content="start")
        n = 32
        versions = await asyncio.gather(
            *(me.templates.versions.commit(made.id, content=f"text {i}") for i in range(n))
        )
        assert sorted(v.version for v in versions) == list(range(2, n + 2))
        listed = (await me.templates.versions.list_of(made.id, limit=500)).rows
        assert [v.version for v in listed] == list(range(n + 1, 0, -1))
        for version in versions:
            assert await me.templates.versions.get(made.id, version.version) == version
        last = max(versions, key=lambda version: version.version)
        head = await me.templates.get(made.id)
        assert (head.head_version, head.content) == (n + 1, last.content)
        assert await me.templates.labels.get_version(made.id, "latest") == last
        # What is searched is the newest text, not that of whoever came last to the index.
        stored = crowd.ask(
            "SELECT term FROM template_postings WHERE template_id = %s", made.id.bytes
        )
        held = {term_hash(term) for term in terms_of(f"{made.name} {last.content}")}
        assert {term for (term,) in stored} == held
        crowd.in_order(made.id)
    # They wait for the lock of one row: nobody is in anybody's way.
    assert crowd.recorder.errors == []


async def test_of_a_crowd_that_expects_one_head_one_wins(crowd: Crowd) -> None:
    for _ in rounds(2):
        me = await crowd.session()
        made = await me.templates.create(name="n", content="start")
        for head in range(1, 4):
            results = await all_of(
                *(
                    me.templates.versions.commit(made.id, content=f"{head} {i}", expected_head=head)
                    for i in range(12)
                )
            )
            assert kinds(results) == {"done": 1, "StaleVersionError": 11}
            stale = [r for r in results if isinstance(r, dal.StaleVersionError)]
            assert {(r.expected, r.actual) for r in stale} == {(head, head + 1)}
            (won,) = [r for r in results if isinstance(r, dal.TemplateVersion)]
            assert await me.templates.versions.get(made.id, head + 1) == won
        listed = (await me.templates.versions.list_of(made.id)).rows
        assert [v.version for v in listed] == [4, 3, 2, 1]


async def test_commits_rollbacks_and_deletes_never_give_a_number_twice(
    crowd: Crowd, dice: random.Random
) -> None:
    for _ in rounds(3):
        me = await crowd.session()
        made = await me.templates.create(name="n", content="start")
        for i in range(3):
            await me.templates.versions.commit(made.id, content=f"before {i}")
        work: list[Awaitable[Any]] = [
            me.templates.versions.commit(made.id, content=f"text {i}") for i in range(8)
        ]
        work += [me.templates.versions.rollback(made.id, dice.randint(1, 6)) for _ in range(6)]
        work += [me.templates.versions.delete(made.id, dice.randint(1, 8)) for _ in range(8)]
        dice.shuffle(work)
        results = await all_of(*work)
        assert kinds(results).keys() <= {"done", "NotFoundError"}
        crowd.in_order(made.id)
        entries = (await me.audit.list_mine(limit=500)).rows[::-1]
        given = [
            e.changes["head_version"]["to"]
            for e in entries
            if e.action in ("template.commit", "template.rollback")
        ]
        # 1 is of the creation; each number after it once, in this order.
        assert given == list(range(2, len(given) + 2))
        deleted = {
            e.changes["version"]["from"] for e in entries if e.action == "template.delete_version"
        }
        left = {v.version for v in (await me.templates.versions.list_of(made.id, limit=500)).rows}
        assert left == {1, *given} - deleted


# ---------------------------------------------------------------------- labels


async def moves_of(me: dal.Session, template_id: UUID) -> list[dal.TemplateLabelMove]:
    """Oldest first."""
    return list((await me.templates.labels.list_moves(template_id, limit=500)).rows)[::-1]


async def test_one_label_set_by_a_crowd_is_on_one_version(
    crowd: Crowd, dice: random.Random
) -> None:
    for _ in rounds(3):
        me = await crowd.session()
        made = await me.templates.create(name="n", content="start")
        for i in range(3):
            await me.templates.versions.commit(made.id, content=f"text {i}")
        work: list[Awaitable[Any]] = [
            me.templates.labels.set(made.id, dice.choice(["production", "PRODUCTION "]), 1 + i % 4)
            for i in range(16)
        ]
        work += [me.templates.labels.remove(made.id, "production") for _ in range(3)]
        dice.shuffle(work)
        results = await all_of(*work)
        assert kinds(results).keys() <= {"done", "NotFoundError"}
        at: int | None = None
        for move in await moves_of(me, made.id):
            assert move.from_version == at
            assert move.from_version != move.to_version
            at = move.to_version
        labels = await me.templates.labels.list_of(made.id)
        assert [label.version for label in labels] == ([] if at is None else [at])
        assert crowd.ask(
            "SELECT version FROM template_labels WHERE template_id = %s", made.id.bytes
        ) == ([] if at is None else [(at,)])


async def test_a_version_is_deleted_or_labelled_never_both(crowd: Crowd) -> None:
    for i in rounds(12):
        me = await crowd.session()
        made = await me.templates.create(name="n", content="start")
        await me.templates.versions.commit(made.id, content="second")
        # The head, and one that is not.
        version = 1 + i % 2
        work: list[Awaitable[Any]] = [
            me.templates.versions.delete(made.id, version),
            me.templates.labels.set(made.id, "production", version),
        ]
        if i % 4 < 2:
            work.reverse()
        results = await all_of(*work)
        if i % 4 < 2:
            results.reverse()
        deleted, labelled = results
        left = [v.version for v in (await me.templates.versions.list_of(made.id)).rows]
        labels = await me.templates.labels.list_of(made.id)
        if deleted is None:
            assert isinstance(labelled, dal.NotFoundError)
            assert (left, labels) == ([3 - version], [])
            assert await moves_of(me, made.id) == []
        else:
            assert isinstance(deleted, dal.ChildExistsError)
            assert (left, labels) == ([2, 1], [labelled])
        crowd.in_order(made.id)


async def test_the_trash_against_commits_and_labels(crowd: Crowd) -> None:
    """Whatever comes first: a search row if and only if the template is live."""
    for _ in rounds(6):
        me = await crowd.session()
        made = await me.templates.create(name="n", content="start")
        results = await all_of(
            me.templates.versions.commit(made.id, content="second"),
            me.templates.soft_delete(made.id),
            me.templates.labels.set(made.id, "production", 1),
            me.templates.restore(made.id),
            me.templates.update_details(made.id, name="other"),
            me.templates.trash.purge(made.id),
            me.templates.versions.fork(made.id),
        )
        assert kinds(results).keys() <= {"done", "NotFoundError"}
        rows = crowd.ask(
            "SELECT t.deleted_at IS NULL, EXISTS(SELECT 1 FROM template_postings AS p"
            " WHERE p.template_id = t.id) FROM templates AS t WHERE t.id = %s",
            made.id.bytes,
        )
        if rows:
            assert rows in ([(1, 1)], [(0, 0)])
            crowd.in_order(made.id)
        else:
            assert results[5] is None


# --------------------------------------------------------------------- ratings


async def test_a_crowd_rates_one_template(crowd: Crowd, dice: random.Random) -> None:
    owner = await crowd.session()
    crowd.recorder.clear()
    for _ in rounds(2):
        made = await owner.templates.create(name="n", content="c", visibility="public")
        crowds = [await crowd.session() for _ in range(20)]
        first = [dice.randint(1, 5) for _ in crowds]
        await asyncio.gather(
            *(me.templates.ratings.set(made.id, n) for me, n in zip(crowds, first, strict=True))
        )
        assert crowd.rated(made.id) == (sum(first), 20)
        # Half of them think again, some take it back, some say the same.
        again = [dice.randint(1, 5) for _ in crowds[:10]]
        work: list[Awaitable[Any]] = [
            me.templates.ratings.set(made.id, n) for me, n in zip(crowds, again, strict=False)
        ]
        work += [me.templates.ratings.remove(made.id) for me in crowds[10:15]]
        work += [
            me.templates.ratings.set(made.id, n)
            for me, n in zip(crowds[15:], first[15:], strict=True)
        ]
        dice.shuffle(work)
        assert kinds(await all_of(*work)) == {"done": 20}
        assert crowd.rated(made.id) == (sum(again) + sum(first[15:]), 15)
        fresh = await owner.templates.get(made.id)
        told = await owner.templates.ratings.get_distribution(made.id)
        assert (fresh.rating_sum, fresh.rating_count) == (told.sum, told.count)
    assert crowd.recorder.errors == []


async def test_one_user_who_rates_from_several_sessions_has_one_rating(
    crowd: Crowd, dice: random.Random
) -> None:
    owner = await crowd.session()
    for _ in rounds(4):
        made = await owner.templates.create(name="n", content="c", visibility="public")
        user = await crowd.user()
        results = await all_of(
            *(
                crowd.as_user(user).templates.ratings.set(made.id, dice.randint(1, 5))
                for _ in range(12)
            )
        )
        assert kinds(results) == {"done": 12}
        (rating,) = (await owner.templates.ratings.list_of(made.id)).rows
        assert crowd.rated(made.id) == (rating.rating, 1)
        # With what is taken back meanwhile it is one, or none.
        work: list[Awaitable[Any]] = [
            crowd.as_user(user).templates.ratings.set(made.id, dice.randint(1, 5)) for _ in range(6)
        ]
        work += [crowd.as_user(user).templates.ratings.remove(made.id) for _ in range(4)]
        dice.shuffle(work)
        assert kinds(await all_of(*work)).keys() <= {"done", "NotFoundError"}
        left = (await owner.templates.ratings.list_of(made.id)).rows
        assert crowd.rated(made.id) == (sum(r.rating for r in left), len(left))
        assert len(left) <= 1


async def test_a_rater_who_comes_and_goes_is_counted_exactly(
    crowd: Crowd, dice: random.Random
) -> None:
    """Rating, and the removal of who rates, over several templates at once."""
    owner = await crowd.session()
    for _ in rounds(5):
        made = [
            await owner.templates.create(name="n", content="c", visibility="public")
            for _ in range(3)
        ]
        raters = [await crowd.user() for _ in range(4)]
        for user in raters[:2]:
            for template in made:
                await crowd.as_user(user).templates.ratings.set(template.id, dice.randint(1, 5))
        work: list[Awaitable[Any]] = []
        for user in raters:
            me = crowd.as_user(user).templates
            work += [me.ratings.set(template.id, dice.randint(1, 5)) for template in made]
            work.append(me.ratings.remove(made[0].id))
            work.append(crowd.system.users.soft_delete(user.id))
            work.append(crowd.system.users.restore(user.id))
        work.append(owner.templates.soft_delete(made[1].id))
        dice.shuffle(work)
        assert kinds(await all_of(*work)).keys() <= {"done", "NotFoundError"}
        for template in made:
            crowd.rated(template.id)
        # All gone, all back: nothing and everything counts.
        for user in raters:
            await all_of(crowd.system.users.soft_delete(user.id))
        assert [crowd.rated(template.id) for template in made] == [(0, 0)] * 3
        for user in raters:
            await crowd.system.users.restore(user.id)
        for template in made:
            crowd.rated(template.id)


# ------------------------------------------------------------------------ uses


async def test_of_many_uses_at_once_none_is_lost(crowd: Crowd) -> None:
    crowd.recorder.clear()
    for _ in rounds(2):
        owner = await crowd.session()
        made = await owner.templates.create(name="n", content="c", visibility="public")
        users = [await crowd.session() for _ in range(8)]
        n = 6
        await asyncio.gather(
            *(me.templates.usage.record(made.id) for me in [*users, crowd.system] for _ in range(n))
        )
        fresh = await owner.templates.get(made.id)
        assert fresh.use_count == 9 * n
        assert fresh.trend > 0
    assert crowd.recorder.errors == []


async def test_uses_ratings_and_commits_at_once_are_all_there(crowd: Crowd) -> None:
    for _ in rounds(2):
        owner = await crowd.session()
        made = await owner.templates.create(name="n", content="c", visibility="public")
        users = [await crowd.session() for _ in range(6)]
        results = await all_of(
            *(me.templates.usage.record(made.id) for me in users),
            *(me.templates.ratings.set(made.id, 4) for me in users),
            *(owner.templates.versions.commit(made.id, content=f"c{i}") for i in range(6)),
            *(owner.templates.update_details(made.id, name=f"n{i}") for i in range(3)),
            owner.templates.labels.set(made.id, "production", 1),
        )
        assert kinds(results) == {"done": 22}
        fresh = await owner.templates.get(made.id)
        assert (fresh.use_count, fresh.head_version) == (6, 7)
        assert crowd.rated(made.id) == (24, 6)
        crowd.in_order(made.id)


# ------------------------------------------------------------------ categories


async def test_categories_are_merged_while_templates_are_filed_under_them(
    crowd: Crowd, dice: random.Random
) -> None:
    """No template is left without its category; the other name may come into being again."""
    for _ in rounds(6):
        number = next(_numbers)
        old, new, other = f"old-{number}", f"new-{number}", f"other-{number}"
        users = [await crowd.session() for _ in range(3)]
        await users[0].templates.create(name="seed", content="c", category=old)
        await users[0].templates.create(name="seed", content="c", category=new)
        moving = [await me.templates.create(name="m", content="c") for me in users]
        filed = [
            await me.templates.create(name="f", content="c", category=dice.choice([old, new]))
            for me in users
        ]
        work: list[Awaitable[Any]] = [
            me.templates.create(name="a", content="c", category=old) for me in users
        ]
        work += [
            me.templates.update_details(t.id, category=old)
            for me, t in zip(users, moving, strict=True)
        ]
        work += [
            me.templates.update_details(t.id, name="g") for me, t in zip(users, filed, strict=True)
        ]
        work.append(users[0].templates.exchange.create_many(
            [dal.NewTemplate(name="b", content="c", category=c) for c in (old, other, new)]
        ))  # fmt: skip
        merges: list[Awaitable[Any]] = [crowd.system.categories.merge(old, new)]
        if dice.randrange(2):
            merges.append(crowd.system.categories.merge(new, old))
        order = [*enumerate([*work, *merges])]
        dice.shuffle(order)
        done = await all_of(*(one for _, one in order))
        results = {i: result for (i, _), result in zip(order, done, strict=True)}
        told = [results[i] for i in range(len(work))]
        assert kinds(told) == {"done": len(work)}, told
        assert kinds([results[i] for i in range(len(work), len(order))]).keys() <= {
            "done", "NotFoundError",
        }  # fmt: skip
        for me, moved, kept in zip(users, moving, filed, strict=True):
            for template in (moved, kept):
                assert (await me.templates.get(template.id)).category in (old, new)
        orphans = crowd.ask(
            "SELECT COUNT(*) FROM templates AS t LEFT JOIN categories AS c ON c.id = t.category_id"
            " WHERE t.category_id IS NOT NULL AND c.id IS NULL"
        )
        assert orphans == [(0,)]
        slugs = crowd.ask(
            "SELECT slug FROM categories WHERE slug LIKE %s GROUP BY slug HAVING COUNT(*) > 1",
            f"%-{number}",
        )
        assert slugs == []


async def test_two_renames_and_a_merge_of_one_category(crowd: Crowd) -> None:
    for _ in rounds(4):
        number = next(_numbers)
        me = await crowd.session()
        a, b = f"a-{number}", f"b-{number}"
        made = [await me.templates.create(name="n", content="c", category=c) for c in (a, b)]
        results = await all_of(
            crowd.system.categories.rename(a, f"c-{number}"),
            crowd.system.categories.rename(b, f"c-{number}"),
            crowd.system.categories.merge(a, b),
            crowd.system.categories.merge(b, a),
        )
        assert kinds(results).keys() <= {"done", "NotFoundError", "UniqueError"}
        assert kinds(results)["done"] >= 1
        for template in made:
            assert (await me.templates.get(template.id)).category is not None
