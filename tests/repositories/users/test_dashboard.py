"""What one user has, at one glance: the sums of what is there, whatever it is joined to."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import pytest

import dal
from tests.conftest import Recorder, new_user

ZONES: Final = ["UTC", "Asia/Tokyo", "America/St_Johns"]


async def busy(
    db: dal.Database, clock: dal.ManualClock
) -> tuple[dal.Session, dal.Session, dict[str, Any]]:
    """A user with some of everything, another one, and what the first should see.

    Three conversations of several prompts, templates and ratings: what would be multiplied if one
    statement joined them all.
    """
    clock.move(timedelta(days=400) - timedelta(hours=clock.now().hour))
    ada, bob = await new_user(db, "Ada"), await new_user(db, "Bob")
    me, they = (db.acting_as(dal.Actor.user(user.id)) for user in (ada, bob))
    made = [
        await me.templates.create(name=f"t{n}", content="c", visibility="public") for n in range(3)
    ]
    hidden = await me.templates.create(name="private", content="c")
    theirs = [
        await they.templates.create(name=f"b{n}", content="c", visibility="public")
        for n in range(2)
    ]
    for n, template in enumerate(made):
        await they.templates.ratings.set(template.id, 1 + n)
        await me.templates.usage.record(template.id)
    await me.templates.ratings.set(theirs[0].id, 5)
    await me.templates.ratings.set(hidden.id, 2)
    # Of one that nobody sees any more.
    await me.templates.ratings.set(theirs[1].id, 1)
    await they.templates.update_details(theirs[1].id, visibility="private")
    cost, tokens, answered = Decimal(0), 0, 0
    for n in range(3):
        talk = await me.conversations.create(title=f"talk {n}")
        for k in range(3):
            price = Decimal(n + 1) / 1000 + Decimal(k) / 10**6
            asked = await me.prompts.create(talk.id, user_input="?", model="m")
            if k < 2:
                await me.prompts.start(asked.id)
                await me.prompts.complete(
                    asked.id, response="!", usage={"input": 10 + k, "output": n}, cost=price
                )
                cost, tokens, answered = cost + price, tokens + 10 + k + n, answered + 1
            clock.move(timedelta(hours=7))
    return me, they, {"cost": cost, "tokens": tokens, "answered": answered, "user": ada}


@pytest.mark.parametrize("time_zone", ZONES)
async def test_each_source_is_added_up_by_itself(
    db: dal.Database, clock: dal.ManualClock, recorder: Recorder, time_zone: str
) -> None:
    me, they, wanted = await busy(db, clock)
    recorder.clear()
    found = await me.users.dashboard(wanted["user"].id, days=7, time_zone=time_zone)
    assert len(recorder.names) <= 8, recorder.names
    assert (found.conversations.conversations, found.conversations.messages) == (3, 9)
    statuses = {dal.PromptStatus.COMPLETED: wanted["answered"], dal.PromptStatus.PENDING: 3}
    assert found.prompts == {status: statuses.get(status, 0) for status in dal.PromptStatus}
    assert (found.templates.templates, found.templates.public, found.templates.uses) == (4, 3, 3)
    # Own ratings of a private template are got as well as given.
    assert (found.templates.ratings, found.templates.rating) == (4, 2.0)
    assert (found.ratings_given.ratings, found.ratings_given.rating) == (2, 3.5)
    usage = found.usage
    assert (usage.completed, usage.failed, usage.cost) == (wanted["answered"], 0, wanted["cost"])
    assert usage.input_tokens + usage.output_tokens == wanted["tokens"]
    assert len(found.days) == 7
    assert sum(point.statistics.cost for point in found.days) == wanted["cost"]
    assert sum(point.statistics.completed for point in found.days) == wanted["answered"]
    # An admin sees the same; who has nothing sees zeros.
    system = db.acting_as(dal.Actor.system("tests"))
    assert await system.users.dashboard(wanted["user"].id, days=7, time_zone=time_zone) == found
    bob_id = they.actor.id
    assert bob_id is not None
    empty = await they.users.dashboard(bob_id, days=3, time_zone=time_zone)
    assert (empty.conversations.conversations, empty.usage.completed) == (0, 0)
    assert (empty.templates.templates, empty.ratings_given.ratings) == (2, 3)
    assert empty.templates.rating == 3.0


async def test_days_before_are_left_out(db: dal.Database, clock: dal.ManualClock) -> None:
    me, _, wanted = await busy(db, clock)
    clock.move(timedelta(days=40))
    for time_zone in ZONES:
        found = await me.users.dashboard(wanted["user"].id, days=30, time_zone=time_zone)
        assert (found.usage.completed, found.usage.cost) == (0, Decimal(0))
        # What is there is there.
        assert found.conversations.cost == wanted["cost"]
        found = await me.users.dashboard(wanted["user"].id, days=50, time_zone=time_zone)
        assert (found.usage.completed, found.usage.cost) == (wanted["answered"], wanted["cost"])


@pytest.mark.parametrize(
    ("said", "field"),
    [({"days": 0}, "days"), ({"days": 367}, "days"), ({"time_zone": "Mars"}, "time_zone")],
)
async def test_what_is_not_understood(
    as_ada: dal.Session, ada: dal.User, said: dict[str, Any], field: str
) -> None:
    with pytest.raises(dal.ValueRejectedError) as caught:
        await as_ada.users.dashboard(ada.id, **said)
    assert caught.value.field == field
