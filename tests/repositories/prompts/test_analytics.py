"""Numbers of prompts: whose they are, what they add up to, and what is read for them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

import dal
from dal.repositories.prompts import analytics
from tests.conftest import Recorder, new_user

DAY: Final = timedelta(days=1)
Asked = dict[str, Any]


@pytest.fixture
async def me(db: dal.Database) -> dal.Session:
    return db.acting_as(dal.Actor.user((await new_user(db)).id))


@pytest.fixture
def system(db: dal.Database) -> dal.Session:
    return db.acting_as(dal.Actor.system("tests"))


async def answered(
    me: dal.Session, talk: dal.Conversation, how: Asked | None = None, **answer: Any
) -> UUID:
    made = await me.prompts.create(talk.id, user_input="?", **(how or {}))
    await me.prompts.start(made.id)
    said = {"response": "!", "usage": {"input": 6, "cache_read": 2, "output": 10}, **answer}
    await me.prompts.complete(made.id, **said)
    return made.id


async def test_exact_numbers_and_those_of_the_roll_up(
    me: dal.Session, system: dal.Session, clock: dal.ManualClock
) -> None:
    talk = await me.conversations.create(title="t")
    model, first = uuid4().hex, clock.now()
    for n in range(20):
        await answered(
            me, talk, model=model, provider="p", latency_ms=100 + 50 * n, cost=Decimal(n) / 10
        )
        clock.move(timedelta(hours=6))
    failing = await me.prompts.create(talk.id, user_input="?", model=model)
    await me.prompts.start(failing.id)
    await me.prompts.fail(failing.id, error_code="quota", usage={"input": 1})
    window: Asked = {"from_at": first, "until_at": clock.now() + DAY}
    days: Asked = {"first": first.date(), "last": clock.now().date()}
    of_talk = dal.UsageOf.conversation(talk.id)
    reports = [
        await me.prompts.analytics.report(of, **window) for of in (dal.UsageOf.mine(), of_talk)
    ]
    reports.append(await system.prompts.analytics.report(dal.UsageOf.model(model), **window))
    found = reports[0]
    assert reports[1].total == reports[2].total == found.total
    assert (found.total.completed, found.total.failed, found.total.tokens) == (20, 1, 361)
    assert found.total.cost == Decimal(19)
    assert found.total.latency == dal.Latency(20, 575.0, 550.0, 950.0, 1_000.0, 1_050.0)
    assert (found.errors, set(found.by_provider)) == ((("quota", 1),), {"p", None})
    assert found.total.cached_share == pytest.approx(40 / 161)
    rough = await me.prompts.analytics.days_report(dal.UsageOf.mine(), **days)
    of_model = await system.prompts.analytics.days_report(dal.UsageOf.model(model), **days)
    assert rough == of_model
    assert (rough.total.completed, rough.total.failed, rough.total.tokens) == (20, 1, 361)
    assert (rough.total.cost, rough.total.tokens_per_s) == (
        found.total.cost, found.total.tokens_per_s,
    )  # fmt: skip
    for name in ("mean_ms", "median_ms", "p90_ms", "p95_ms", "p99_ms"):
        exact, about = (getattr(one.total.latency, name) for one in (found, rough))
        assert about == pytest.approx(exact, rel=0.05)
    series = await me.prompts.analytics.series(of_talk, **window, time_zone="Asia/Kolkata")
    assert sum(point.statistics.completed for point in series) == 20
    by_day = await me.prompts.analytics.days_series(dal.UsageOf.mine(), **days)
    assert [point.statistics.completed for point in by_day] == [
        sum(1 for n in range(20) if (first + n * timedelta(hours=6)).date() == point.start.date())
        for point in by_day
    ]
    every = await system.prompts.analytics.report(dal.UsageOf.all(), **window)
    assert every.by_model[model] == found.total
    all_days = await system.prompts.analytics.days_report(dal.UsageOf.all(), **days)
    assert all_days.by_model[model].tokens == 361


async def test_numbers_of_the_versions_of_a_template(
    db: dal.Database, me: dal.Session, system: dal.Session, clock: dal.ManualClock
) -> None:
    mine = await me.templates.create(name="n", content="1", visibility="public")
    await me.templates.versions.commit(mine.id, content="2")
    other = db.acting_as(dal.Actor.user((await new_user(db, "Bob")).id))
    talk = await other.conversations.create(title="t")
    for version, latency in ((1, 100), (2, 10), (2, 20)):
        how: Asked = {"template_id": mine.id, "template_version": version}
        await answered(other, talk, how, latency_ms=latency)
    window: Asked = {"from_at": clock.now() - DAY, "until_at": clock.now() + DAY}
    of = dal.UsageOf.template
    report = me.prompts.analytics.report
    assert (await report(of(mine.id), **window)).total.completed == 3
    of_two = await report(of(mine.id, 2), **window)
    assert (of_two.total.completed, of_two.total.latency.p99_ms) == (2, 20.0)
    best = await me.prompts.analytics.best(
        of(mine.id), **window, by="speed", what="template_versions"
    )
    assert [(one.id, one.version) for one in best] == [(mine.id, 2), (mine.id, 1)]
    today = {"first": clock.now().date(), "last": clock.now().date()}
    days = await me.prompts.analytics.days_report(of(mine.id, 2), **today)
    assert days.total.completed == 2
    # Who used it is theirs to tell: to the owner of the template nobody is named.
    assert of_two.by_user == {}
    with pytest.raises(dal.PermissionDeniedError):
        await me.prompts.analytics.best(of(mine.id), **window, what="users")
    assert len((await system.prompts.analytics.report(of(mine.id), **window)).by_user) == 1
    # It is public; its numbers are not.
    with pytest.raises(dal.NotFoundError):
        await other.prompts.analytics.report(of(mine.id), **window)


async def test_the_best_rated(me: dal.Session, clock: dal.ManualClock) -> None:
    talk = await me.conversations.create(title="t")
    good, bad = [await answered(me, talk, model=name) for name in ("good", "bad")]
    await me.prompts.ratings.set(bad, 2)
    await me.prompts.ratings.set(good, 3)
    await me.prompts.ratings.set(good, 5)
    window: Asked = {"from_at": clock.now() - DAY, "until_at": clock.now() + DAY}
    of = dal.UsageOf.conversation(talk.id)
    best = await me.prompts.analytics.best(of, **window)
    assert [(one.id, one.value) for one in best] == [(good, 5.0), (bad, 2.0)]
    models = await me.prompts.analytics.best(of, **window, what="models")
    assert [one.model for one in models] == ["good", "bad"]
    await me.prompts.ratings.clear(good)
    assert [one.id for one in await me.prompts.analytics.best(of, **window)] == [bad]


async def test_where_ones_prompts_stand(me: dal.Session) -> None:
    talk = await me.conversations.create(title="t")
    gone = await me.conversations.create(title="gone")
    for of in (talk, gone):
        await answered(me, of)
        await me.prompts.create(of.id, user_input="waits")
        deleted = await me.prompts.create(of.id, user_input="deleted")
        await me.prompts.soft_delete(deleted.id)
    await me.conversations.soft_delete(gone.id)
    for whose in (dal.UsageOf.mine(), dal.UsageOf.conversation(talk.id)):
        found = await me.prompts.analytics.count_by_status(whose)
        assert {status: n for status, n in found.items() if n} == {
            dal.PromptStatus.COMPLETED: 1, dal.PromptStatus.PENDING: 1,
        }  # fmt: skip
        assert list(found) == list(dal.PromptStatus)


@pytest.mark.parametrize("name", ["model", "all"])
async def test_numbers_of_everybody_are_the_systems(
    me: dal.Session, clock: dal.ManualClock, name: str
) -> None:
    of = dal.UsageOf.model("m") if name == "model" else dal.UsageOf.all()
    now = clock.now()
    calls = [
        me.prompts.analytics.report(of, from_at=now, until_at=now),
        me.prompts.analytics.series(of, from_at=now, until_at=now),
        me.prompts.analytics.best(of, from_at=now, until_at=now),
        me.prompts.analytics.days_report(of, first=now.date(), last=now.date()),
        me.prompts.analytics.days_series(of, first=now.date(), last=now.date()),
        me.prompts.analytics.count_by_status(of),
    ]
    for call in calls:
        with pytest.raises(dal.PermissionDeniedError):
            await call


async def test_a_question_that_is_none_is_named(me: dal.Session, clock: dal.ManualClock) -> None:
    now, mine = clock.now(), dal.UsageOf.mine()
    numbers = me.prompts.analytics
    window: Asked = {"from_at": now, "until_at": now + DAY}
    days: Asked = {"first": now.date(), "last": now.date()}
    talk = dal.UsageOf.conversation((await me.conversations.create(title="t")).id)
    own = await me.templates.create(name="n", content="c")
    for field, call in (
        ("of", numbers.report("mine", **window)),  # type: ignore[arg-type]
        ("from_at", numbers.report(mine, **{**window, "from_at": now.replace(tzinfo=None)})),
        ("until_at", numbers.report(mine, **{**window, "until_at": None})),
        ("step", numbers.series(mine, **window, step="minute")),
        ("time_zone", numbers.series(mine, **window, time_zone="Nowhere")),
        ("step", numbers.series(mine, from_at=now, until_at=now + 500 * DAY, step="hour")),
        ("by", numbers.best(mine, **window, by="luck")),
        ("what", numbers.best(mine, **window, what="cats")),  # type: ignore[arg-type]
        ("limit", numbers.best(mine, **window, limit=0)),
        ("of", numbers.days_report(talk, **days)),
        ("first", numbers.days_report(mine, **{**days, "first": now})),
        ("last", numbers.days_report(mine, **{**days, "last": now.date() + 3_660 * DAY})),
        ("step", numbers.days_series(mine, **days, step="hour")),
        ("of", numbers.count_by_status(dal.UsageOf.template(own.id))),
    ):
        with pytest.raises(dal.ValueRejectedError) as refused:
            await call
        assert refused.value.field == field
    named: list[tuple[str, Any, tuple[Any, ...]]] = [
        ("conversation_id", dal.UsageOf.conversation, ("c",)),
        ("template_id", dal.UsageOf.template, ("t",)),
        ("version", dal.UsageOf.template, (uuid4(), 0)),
        ("model", dal.UsageOf.model, (" ",)),
    ]
    for field, make, given in named:
        with pytest.raises(dal.ValueRejectedError) as wrong:
            make(*given)
        assert wrong.value.field == field


async def test_more_than_can_be_exact_is_refused(
    me: dal.Session, clock: dal.ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a bound of two: what is read stays bounded, whatever the window."""
    monkeypatch.setattr(analytics, "MAX_ATTEMPTS_READ", 2)
    talk = await me.conversations.create(title="t")
    window: Asked = {"from_at": clock.now() - DAY, "until_at": clock.now() + DAY}
    for n in range(3):
        of = dal.UsageOf.conversation(talk.id)
        await answered(me, talk)
        if n < 2:
            assert (await me.prompts.analytics.report(of, **window)).total.completed == n + 1
    with pytest.raises(dal.ValueRejectedError) as refused:
        await me.prompts.analytics.report(of, **window)
    assert refused.value.field == "until_at"


async def test_reports_over_days_read_the_roll_up_alone(
    me: dal.Session, clock: dal.ManualClock, recorder: Recorder
) -> None:
    recorder.clear()
    day = clock.now().date()
    await me.prompts.analytics.days_report(dal.UsageOf.mine(), first=day - 365 * DAY, last=day)
    assert recorder.names == ["usage_days/list_by_user"]
