"""What is asked of the log is answered exactly: on a log of its own, with nothing else in it."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

import dal
from tests.conftest import START
from tests.repositories.audit.conftest import Log

HOUR: Final = timedelta(hours=1)


async def made(log: Log) -> tuple[dal.Session, UUID]:
    """A user who is there, and their template."""
    ada = await log.app.users.create(
        email=f"{uuid4()}@example.org", full_name="Ada", password="correct horse"
    )
    me = log.app_as(dal.Actor.user(ada.id, ip="192.0.2.9", request_id="r-1"))
    return me, (await me.templates.create(name="first", content="one", tags=["a"])).id


async def test_the_state_of_an_entity_at_each_time(log: Log) -> None:
    me, template_id = await made(log)
    times = [log.clock.now()]
    for change in (
        lambda: me.templates.update_details(template_id, name="second"),
        lambda: me.templates.update_details(template_id, tags=["b"], visibility="public"),
        lambda: me.templates.versions.commit(template_id, content="two"),
        lambda: me.templates.soft_delete(template_id),
    ):
        log.clock.move(HOUR)
        await change()
        times.append(log.clock.now())
    # What was denied changed nothing.
    with suppress(dal.PermissionDeniedError, dal.NotFoundError):
        await log.app.templates.versions.commit(template_id, content="three")

    async def at(time: datetime) -> dal.EntityState:
        return await log.app.audit.state_at("template", template_id, time)

    states = [await at(time) for time in times]
    assert [state.fields["name"] for state in states] == ["first", *["second"] * 4]
    assert [state.fields["tags"] for state in states] == [["a"], ["a"], ["b"], ["b"], ["b"]]
    assert [state.fields["visibility"] for state in states] == [*["private"] * 2, *["public"] * 3]
    assert [state.fields.get("head_version") for state in states] == [*[None] * 3, 2, 2]
    assert states[2].fields["content"] != states[3].fields["content"]
    assert [state.is_deleted for state in states] == [*[False] * 4, True]
    assert [state.entries for state in states] == [1, 2, 3, 4, 5]
    assert all(state.is_whole for state in states)
    log.clock.move(HOUR)
    await me.templates.restore(template_id)
    assert not (await at(log.clock.now())).is_deleted
    before = await at(times[0] - timedelta(microseconds=1))
    assert (before.fields, before.entries, before.is_whole) == ({}, 0, False)


async def test_numbers_by_kind_actor_and_day(log: Log) -> None:
    me, template_id = await made(log)
    await me.templates.update_details(template_id, name="n")
    log.clock.move(timedelta(days=2))
    nobody = log.app_as(dal.Actor.anonymous(ip="192.0.2.66"))
    with suppress(dal.AuthenticationError):
        await nobody.users.authenticate(email="nobody@example.org", password="wrong")
    with suppress(dal.PermissionDeniedError):
        await nobody.templates.create(name="x", content="y")
    numbers = await log.app.audit.statistics.get(days=3)
    assert (numbers.total, numbers.security) == (5, 2)
    assert numbers.by_outcome == {"success": 3, "failure": 1, "denied": 1}
    assert numbers.by_category == {"access": 1, "data": 3, "authentication": 1}
    assert numbers.by_severity == {"low": 2, "medium": 3}
    assert [(one.actor_type, one.entries) for one in numbers.actors] == [
        ("user", 2), ("anonymous", 2), ("system", 1),
    ]  # fmt: skip
    assert (await log.app.audit.statistics.get(days=1)).total == 2
    assert (await log.app.audit.statistics.get(days=3, actors=1)).actors[0].actor_id == me.actor.id
    days = await log.app.audit.statistics.by_day(days=3)
    assert [one.entries for one in days] == [3, 0, 2]
    assert days[0].day == START.date()
    security = await log.app.audit.statistics.by_day(days=3, security=True, time_zone="Asia/Tokyo")
    assert [one.entries for one in security] == [0, 0, 2]
    listed = (await log.app.audit.list_security()).rows
    assert [(e.action, e.outcome) for e in listed] == [
        ("template.create", "denied"), ("user.authenticate", "failure"),
    ]  # fmt: skip


async def test_failed_logins_in_a_window_that_slides(log: Log) -> None:
    users = [
        await log.app.users.create(
            email=f"{uuid4()}@example.org", full_name="U", password="correct horse"
        )
        for _ in range(2)
    ]

    async def fail(user: dal.User | None, ip: str | None) -> None:
        nobody = log.app_as(dal.Actor.anonymous(ip=ip))
        with pytest.raises(dal.AuthenticationError):
            await nobody.users.authenticate(
                email=user.email if user else "nobody@example.org", password="wrong"
            )

    for user, ip in (
        (users[0], "192.0.2.1"), (users[0], "192.0.2.1"), (users[1], "192.0.2.1"),
        (None, "192.0.2.2"), (users[0], None),
    ):  # fmt: skip
        await fail(user, ip)
        log.clock.move(timedelta(minutes=10))
    numbers = log.app.audit.statistics

    async def by_user(minutes: int, at_least: int = 1) -> dict[UUID | None, int]:
        found = await numbers.failed_logins_by_user(
            within=timedelta(minutes=minutes), at_least=at_least
        )
        assert [one.failures for one in found] == sorted((o.failures for o in found), reverse=True)
        return {one.user_id: one.failures for one in found}

    assert await by_user(60) == {users[0].id: 3, users[1].id: 1, None: 1}
    assert await by_user(60, at_least=2) == {users[0].id: 3}
    assert await by_user(45) == {users[0].id: 2, users[1].id: 1, None: 1}
    assert await by_user(5) == {}
    found = await numbers.failed_logins_by_ip(within=HOUR)
    assert {one.ip: one.failures for one in found} == {
        "192.0.2.1": 3, "192.0.2.2": 1, None: 1,
    }  # fmt: skip
    assert (found[0].first_at, found[0].last_at) == (START, START + timedelta(minutes=20))
    # Who gets in is no failure.
    await log.app_as(dal.Actor.anonymous()).users.authenticate(
        email=users[1].email, password="correct horse"
    )
    assert (await by_user(60))[users[1].id] == 1


async def test_a_search_that_passes_over_much_gives_pages_that_lead_on(log: Log) -> None:
    await log.write(3)
    log.fill(5_200)
    page = await log.app.audit.search("NAME 1")
    # The newest 5,000 have none.
    assert (page.rows, page.next is None) == ((), False)
    page = await log.app.audit.search("NAME 1", after=page.next)
    assert [e.changes["n"]["to"] for e in page.rows] == [1]
    page = await log.app.audit.search("NAME 1", after=page.next)
    assert (page.rows, page.next) == ((), None)
    by_key = await log.app.audit.search(actor_id=log.ada.actor.id, limit=2)
    assert len(by_key.rows) == 2
    rest = await log.app.audit.search(actor_id=log.ada.actor.id, limit=2, after=by_key.next)
    assert (len(rest.rows), rest.next) == (1, None)
    with pytest.raises(dal.ValueRejectedError) as caught:
        await log.app.audit.search("another", after=by_key.next)
    assert caught.value.field == "after"


@pytest.mark.parametrize("text", ["%", "_", "\\", '"', "'", "\n", "é", "\U0001f600", "{", "*/"])
async def test_marks_are_looked_for_as_they_are(log: Log, text: str) -> None:
    await log.ada.audit.record("note.add", after={"a": f"before{text}after"})
    await log.ada.audit.record("note.add", after={"a": "before?after"})
    page = await log.app.audit.search(f"before{text}after")
    assert [e.changes["a"]["to"] for e in page.rows] == [f"before{text}after"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"action": "template.create"}, "action"),
        ({"action": "create"}, "action"),
        ({"action": "Invoice.send"}, "action"),
        ({"action": 5}, "action"),
        ({"target_id": "x"}, "target_id"),
        ({"before": []}, "before"),
        ({"after": 5}, "after"),
        ({"outcome": "fine"}, "outcome"),
        ({"severity": "grave"}, "severity"),
        ({"affected": -1}, "affected"),
        ({"affected": 2**32}, "affected"),
        ({"affected": True}, "affected"),
    ],
)
async def test_what_the_application_may_not_say(log: Log, said: dict[str, Any], field: str) -> None:
    with pytest.raises(dal.ValueRejectedError) as caught:
        await log.ada.audit.record(**{"action": "invoice.send", **said})
    assert caught.value.field == field
    assert log.ids() == []


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda a: a.statistics.get(days=0), "days"),
        (lambda a: a.statistics.get(actors=0), "actors"),
        (lambda a: a.statistics.by_day(days=367), "days"),
        (lambda a: a.statistics.by_day(time_zone="Mars"), "time_zone"),
        (lambda a: a.statistics.failed_logins_by_ip(within=timedelta(0)), "within"),
        (lambda a: a.statistics.failed_logins_by_ip(within=timedelta(days=32)), "within"),
        (lambda a: a.statistics.failed_logins_by_user(within=HOUR, at_least=0), "at_least"),
        (lambda a: a.statistics.failed_logins_by_user(within=HOUR, limit=0), "limit"),
        (lambda a: a.state_at("template", uuid4(), "now"), "at"),
        (lambda a: a.state_at("Template", uuid4(), START), "target_type"),
        (lambda a: a.state_at("template", "x", START), "target_id"),
        (lambda a: a.list_by_user("x"), "user_id"),
        (lambda a: a.list_security(limit=501), "limit"),
        (lambda a: a.imports.create_many([5]), "entries"),
        (lambda a: a.imports.list_taken_ids(["x"]), "audit_ids"),
        (lambda a: a.retention.place_hold(""), "reason"),
        (lambda a: a.retention.place_hold("Case", target_id=uuid4()), "target_type"),
        (lambda a: a.retention.place_hold("Case", actor_id="x"), "actor_id"),
        (lambda a: a.seals.verify("x"), "anchor"),
    ],
)
async def test_what_is_not_understood_names_its_field(log: Log, call: Any, field: str) -> None:
    with pytest.raises(dal.ValueRejectedError) as caught:
        await call(log.app.audit)
    assert caught.value.field == field


def test_an_entry_in_a_line() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    entry = dal.AuditEntry(
        uuid4(), at, dal.ActorType.SYSTEM, None, "job", "note.add", "note", None,
        dal.Outcome.SUCCESS, 1, {"b": 1, "a": 2}, None, None, None, dal.AuditCategory.DATA,
        dal.AuditSeverity.LOW,
    )  # fmt: skip
    assert entry.summary == "note.add: a, b"
