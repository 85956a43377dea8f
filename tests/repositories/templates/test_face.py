"""What the matrix has no room for: fields one by one, versions, paging, wrong arguments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal.records.templates import content_sha256
from tests.conftest import Recorder, new_user
from tests.made import record

FULL: dict[str, Any] = {
    "name": "name",
    "content": "content",
    "description": "description",
    "system_prompt": "prompt",
    "author_name": "author",
    "category": "A category",
    "tags": ["one", "two"],
    "visibility": dal.Visibility.PUBLIC,
}


async def test_created_as_given(as_ada: dal.Session, ada: dal.User, clock: dal.ManualClock) -> None:
    mine = uuid4()
    local = datetime(2020, 2, 29, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=-11)))
    made = await as_ada.templates.create(**FULL, id=mine, created_at=local)
    assert made == record(
        dal.Template, **{**FULL, "category": "a-category", "tags": frozenset({"one", "two"})},
        id=mine, owner_id=ada.id, head_version=1, last_version=1,
        created_at=local.astimezone(UTC), updated_at=clock.now(),
    )  # fmt: skip
    assert made == await as_ada.templates.get(mine)
    version = await as_ada.templates.versions.get(mine, 1)
    assert (version.content, version.system_prompt, version.message) == ("content", "prompt", None)
    assert (version.created_by, version.created_at) == (ada.id, made.created_at)
    assert version.content_sha256 == content_sha256("content", "prompt")


async def test_created_in_the_future(as_ada: dal.Session, clock: dal.ManualClock) -> None:
    later = clock.now() + timedelta(days=700)
    made = await as_ada.templates.create(name="n", content="c", created_at=later)
    assert (made.created_at, made.updated_at) == (later, later)
    for change in (
        lambda: as_ada.templates.update_details(made.id, name="m"),
        lambda: as_ada.templates.versions.commit(made.id, content="d"),
    ):
        await change()
        fresh = await as_ada.templates.get(made.id)
        assert fresh.updated_at > later
        later = fresh.updated_at
    # What happened is told with the time of the clock, not with the row's.
    assert [e.occurred_at for e in (await as_ada.audit.list_mine()).rows] == [clock.now()] * 3
    assert (await as_ada.templates.list_mine()).rows[0].id == made.id


@pytest.mark.parametrize(
    ("change", "after"),
    [
        ({"name": "other"}, {"name": "other"}),
        ({"name": ""}, {"name": ""}),
        ({"description": None}, {"description": None}),
        ({"description": ""}, {"description": ""}),
        ({"author_name": None}, {"author_name": None}),
        ({"category": None}, {"category": None}),
        ({"category": "B / C"}, {"category": "b-c"}),
        ({"tags": []}, {"tags": frozenset()}),
        ({"tags": ["two", "three"]}, {"tags": frozenset({"two", "three"})}),
        ({"visibility": "private"}, {"visibility": dal.Visibility.PRIVATE}),
        ({"name": dal.KEEP, "tags": dal.KEEP, "author_name": "x"}, {"author_name": "x"}),
        (
            {"tags": ("three",), "category": "D", "name": "m"},
            {"tags": frozenset({"three"}), "category": "d", "name": "m"},
        ),
    ],
)
async def test_what_is_not_given_stays(
    as_ada: dal.Session, clock: dal.ManualClock, change: dict[str, Any], after: dict[str, Any]
) -> None:
    made = await as_ada.templates.create(**FULL)
    clock.move(timedelta(seconds=1))
    back = await as_ada.templates.update_details(made.id, **change)
    assert back == attrs.evolve(made, **after, updated_at=clock.now())
    assert back == await as_ada.templates.get(made.id)
    assert [v.version for v in (await as_ada.templates.versions.list_of(made.id)).rows] == [1]


async def test_the_system_prompt_of_a_commit(as_ada: dal.Session) -> None:
    made = await as_ada.templates.create(**FULL)
    kept = await as_ada.templates.versions.commit(made.id, content="second", message="why")
    assert (kept.system_prompt, kept.message, kept.version) == ("prompt", "why", 2)
    emptied = await as_ada.templates.versions.commit(made.id, content="second", system_prompt=None)
    assert (emptied.system_prompt, emptied.version) == (None, 3)
    # An empty prompt is not none.
    assert (
        await as_ada.templates.versions.commit(made.id, content="second", system_prompt="")
    ).version == 4
    # Text that moves from one to the other is another version.
    again = await as_ada.templates.versions.commit(made.id, content="", system_prompt="second")
    assert again.version == 5
    unchanged = await as_ada.templates.versions.commit(made.id, content="", message="no change")
    assert unchanged == again
    head = await as_ada.templates.get(made.id)
    assert (head.head_version, head.content, head.system_prompt) == (5, "", "second")
    assert attrs.evolve(
        head, content=made.content, system_prompt="prompt", head_version=1, last_version=1,
        updated_at=made.updated_at,
    ) == made  # fmt: skip


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 500])
async def test_pages_joined_are_the_list(
    db: dal.Database, clock: dal.ManualClock, limit: int
) -> None:
    user = await new_user(db)
    me = db.acting_as(dal.Actor.user(user.id))
    made = await me.templates.exchange.create_many(
        dal.NewTemplate(name=str(i), content="c", created_at=clock.now() - timedelta(i // 3))
        for i in range(9)
    )
    newest = sorted(made, key=lambda t: (t.created_at, t.id), reverse=True)
    for i, template in enumerate(newest[:5]):
        await me.templates.soft_delete(template.id)
        clock.move(timedelta(seconds=i % 2))
    deleted = [await me.templates.trash.get_including_deleted(t.id) for t in newest[:5]]
    last_deleted = sorted(
        deleted, key=lambda t: (t.deleted_at or clock.now(), t.created_at, t.id), reverse=True
    )
    for list_page, expected in (
        (me.templates.list_mine, newest[5:]),
        (me.templates.trash.list_mine, last_deleted),
    ):
        rows: list[dal.TemplateSummary] = []
        after = None
        while True:
            page = await list_page(limit=limit, after=after)
            rows += page.rows
            after = page.next
            if after is None:
                break
            assert len(page.rows) == limit
        assert [row.id for row in rows] == [t.id for t in expected]
    assert (await me.templates.count_mine(), await me.templates.trash.count_mine()) == (4, 5)


async def test_pages_of_versions(as_ada: dal.Session) -> None:
    made = await as_ada.templates.create(name="n", content="1")
    for i in range(2, 8):
        await as_ada.templates.versions.commit(made.id, content=str(i))
    seen: list[int] = []
    after = None
    while True:
        page = await as_ada.templates.versions.list_of(made.id, limit=2, after=after)
        seen += [row.version for row in page.rows]
        after = page.next
        if after is None:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]
    with pytest.raises(dal.NotFoundError):
        await as_ada.templates.versions.get(made.id, 8)
    with pytest.raises(dal.NotFoundError):
        await as_ada.templates.versions.get(made.id, 0)


async def test_a_stream_longer_than_a_page(as_ada: dal.Session, recorder: Recorder) -> None:
    made = await as_ada.templates.exchange.create_many(
        dal.NewTemplate(name=str(i), content=str(i), tags=["t"]) for i in range(200)
    )
    recorder.clear()
    streamed = [template async for template in as_ada.templates.exchange.stream()]
    assert streamed == sorted(made, key=lambda t: (t.created_at, t.id), reverse=True)
    assert recorder.names == ["templates/list_own_with_text"] * 3


async def test_no_statement_too_many(as_ada: dal.Session, recorder: Recorder) -> None:
    """What one call sends, in order: a round trip more is a change to be seen here."""
    word = uuid4().hex

    async def sent(call: Awaitable[Any]) -> list[str]:
        recorder.clear()
        await call
        assert recorder.names[0] == "transaction/start"
        assert recorder.names[-1] == "transaction/commit"
        return recorder.names[1:-1]

    t, mine = as_ada.templates, uuid4()
    assert await sent(t.create(name="n", content="c", id=mine)) == [
        "templates/insert",
        "template_versions/insert_many",
        "template_postings/insert_many",
        "audit_logs/insert",
    ]
    assert await sent(t.create(name="n", content="c", category=word, tags=[word])) == [
        "templates/lock_parents",
        "categories/insert_many",
        "templates/insert",
        "tags/list_by_keys",
        "tags/insert_many",
        "template_versions/insert_many",
        "template_tags/insert_many",
        "template_postings/insert_many",
        "audit_logs/insert",
    ]
    assert await sent(t.update_details(mine, name="m")) == [
        "users/lock_live",
        "templates/lock_own",
        "templates/get",
        "templates/update_details",
        "template_postings/delete_by_template",
        "template_postings/insert_many",
        "audit_logs/insert",
    ]
    # What words do not find is not written anew.
    assert await sent(t.update_details(mine, category=word)) == [
        "users/lock_live",
        "templates/lock_own",
        "templates/get",
        "categories/list_by_slugs",
        "templates/update_details",
        "audit_logs/insert",
    ]
    assert await sent(t.versions.commit(mine, content="d")) == [
        "users/lock_live",
        "templates/lock_own",
        "templates/get",
        "templates/update_head",
        "template_versions/insert_many",
        "template_postings/delete_by_template",
        "template_postings/insert_many",
        "audit_logs/insert",
    ]
    assert await sent(t.versions.rollback(mine, 1)) == [
        "users/lock_live",
        "templates/lock_own",
        "template_versions/get",
        "templates/get",
        "templates/update_head",
        "template_versions/insert_many",
        "template_postings/delete_by_template",
        "template_postings/insert_many",
        "audit_logs/insert",
    ]
    assert await sent(t.versions.delete(mine, 2)) == [
        "users/lock_live",
        "templates/lock_own",
        "template_versions/delete_one",
        "audit_logs/insert",
    ]
    assert await sent(t.labels.set(mine, "production", 1)) == [
        "users/lock_live",
        "templates/lock_own",
        "template_labels/lock_one",
        "template_versions/get",
        "template_labels/insert_many",
        "template_label_moves/insert_many",
        "audit_logs/insert",
    ]
    assert await sent(t.labels.set(mine, "production", 3)) == [
        "users/lock_live",
        "templates/lock_own",
        "template_labels/lock_one",
        "template_versions/get",
        "template_labels/update_version",
        "template_label_moves/insert_many",
        "audit_logs/insert",
    ]
    assert await sent(t.ratings.set(mine, 5)) == [
        "templates/exists",
        "users/lock_live",
        "templates/lock_visible",
        "template_ratings/lock_own",
        "template_ratings/insert",
        "templates/update_rating",
        "audit_logs/insert",
    ]
    assert await sent(t.usage.record(mine)) == [
        "templates/exists",
        "users/lock_live",
        "templates/record_use",
    ]
    assert await sent(t.soft_delete(mine)) == [
        "users/lock_live",
        "templates/soft_delete",
        "template_postings/delete_by_template",
        "audit_logs/insert",
    ]
    assert await sent(t.restore(mine)) == [
        "users/lock_live",
        "templates/restore",
        "templates/get",
        "template_postings/delete_by_template",
        "template_postings/insert_many",
        "audit_logs/insert",
    ]


Call = Callable[[dal.Session, UUID], Awaitable[object]]
T = "template_id"

WRONG: list[tuple[str, Call]] = [
    (T, lambda s, i: s.templates.get(str(i))),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.get(i.bytes)),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.get(None)),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.find(str(i))),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.exists(str(i))),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.trash.get_including_deleted(str(i))),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.versions.list_of(str(i))),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.versions.get(str(i), 1)),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.update_details(str(i), name="x")),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.versions.commit(str(i), content="x")),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.soft_delete(str(i))),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.restore(str(i))),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.trash.purge(str(i))),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.versions.diff(str(i), 1, 1)),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.versions.rollback(str(i), 1)),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.versions.delete(str(i), 1)),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.versions.fork(str(i))),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.labels.get_version(str(i))),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.labels.list_of(str(i))),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.labels.list_moves(str(i))),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.labels.set(str(i), "x", 1)),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.labels.remove(str(i), "x")),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.ratings.set(str(i), 1)),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.ratings.remove(str(i))),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.ratings.find_mine(str(i))),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.ratings.list_of(str(i))),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.ratings.get_distribution(str(i))),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.usage.record(str(i))),  # type: ignore[arg-type]
    ("from_version", lambda s, i: s.templates.versions.diff(i, 0, 1)),
    ("from_version", lambda s, i: s.templates.versions.diff(i, "1", 1)),  # type: ignore[arg-type]
    ("to_version", lambda s, i: s.templates.versions.diff(i, 1, True)),
    ("to_version", lambda s, i: s.templates.versions.diff(i, 1, 2**32)),
    ("context", lambda s, i: s.templates.versions.diff(i, 1, 1, context=-1)),
    ("context", lambda s, i: s.templates.versions.diff(i, 1, 1, context=1001)),
    ("context", lambda s, i: s.templates.versions.diff(i, 1, 1, context=True)),
    ("version", lambda s, i: s.templates.versions.rollback(i, 0)),
    ("version", lambda s, i: s.templates.versions.rollback(i, "1")),  # type: ignore[arg-type]
    ("expected_head", lambda s, i: s.templates.versions.rollback(i, 1, expected_head="1")),  # type: ignore[arg-type]
    ("version", lambda s, i: s.templates.versions.delete(i, -1)),
    ("version", lambda s, i: s.templates.versions.delete(i, None)),  # type: ignore[arg-type]
    ("version", lambda s, i: s.templates.versions.fork(i, version=0)),
    ("id", lambda s, i: s.templates.versions.fork(i, id=str(i))),  # type: ignore[arg-type]
    ("name", lambda s, i: s.templates.versions.fork(i, name=5)),  # type: ignore[arg-type]
    ("version", lambda s, i: s.templates.labels.set(i, "x", 0)),
    ("version", lambda s, i: s.templates.labels.set(i, "x", "1")),  # type: ignore[arg-type]
    ("label", lambda s, i: s.templates.labels.set(i, " ", 1)),
    ("label", lambda s, i: s.templates.labels.set(i, " Latest", 1)),
    ("label", lambda s, i: s.templates.labels.remove(i, "latest")),
    ("label", lambda s, i: s.templates.labels.get_version(i, "")),
    ("rating", lambda s, i: s.templates.ratings.set(i, 0)),
    ("rating", lambda s, i: s.templates.ratings.set(i, 6)),
    ("rating", lambda s, i: s.templates.ratings.set(i, True)),
    ("rating", lambda s, i: s.templates.ratings.set(i, 4.0)),  # type: ignore[arg-type]
    ("limit", lambda s, i: s.templates.labels.list_of(i, limit=0)),
    ("limit", lambda s, i: s.templates.labels.list_moves(i, limit=501)),
    ("limit", lambda s, i: s.templates.ratings.list_of(i, limit=True)),
    ("limit", lambda s, i: s.categories.list_counts(limit=0)),
    ("limit", lambda s, i: s.tags.list_counts(limit=501)),
    ("after", lambda s, i: s.templates.labels.list_moves(i, after="x")),
    ("after", lambda s, i: s.templates.ratings.list_of(i, after="x")),
    ("template_ids", lambda s, i: s.templates.exchange.list_taken_ids([i, str(i)])),  # type: ignore[list-item]
    ("template_ids", lambda s, i: s.templates.exchange.list_taken_ids(None)),  # type: ignore[arg-type]
    ("version", lambda s, i: s.templates.versions.get(i, "1")),  # type: ignore[arg-type]
    ("version", lambda s, i: s.templates.versions.get(i, True)),
    ("version", lambda s, i: s.templates.versions.get(i, -1)),
    ("version", lambda s, i: s.templates.versions.get(i, 2**32)),
    ("limit", lambda s, i: s.templates.list_mine(limit=True)),
    ("limit", lambda s, i: s.templates.list_public(limit=0)),
    ("limit", lambda s, i: s.templates.trash.list_mine(limit=501)),
    ("limit", lambda s, i: s.templates.versions.list_of(i, limit=1.5)),  # type: ignore[arg-type]
    ("limit", lambda s, i: s.audit.list_mine(limit=True)),
    ("id", lambda s, i: s.templates.create(name="n", content="c", id=str(i))),  # type: ignore[arg-type]
    ("id", lambda s, i: s.users.create(email="a@b.c", full_name="A", id=str(i))),  # type: ignore[arg-type]
    ("owner_id", lambda s, i: s.templates.create(name="n", content="c", owner_id=str(i))),  # type: ignore[arg-type]
    ("name", lambda s, i: s.templates.create(name=5, content="c")),  # type: ignore[arg-type]
    ("content", lambda s, i: s.templates.create(name="n", content=b"c")),  # type: ignore[arg-type]
    ("content", lambda s, i: s.templates.versions.commit(i, content=None)),  # type: ignore[arg-type]
    ("name", lambda s, i: s.templates.update_details(i, name=None)),  # type: ignore[arg-type]
    ("tags", lambda s, i: s.templates.update_details(i, tags=None)),  # type: ignore[arg-type]
    ("tags", lambda s, i: s.templates.update_details(i, tags="text")),
    ("tags", lambda s, i: s.templates.create(name="n", content="c", tags=[5])),  # type: ignore[list-item]
    ("tags", lambda s, i: s.templates.create(name="n", content="c",
                                             tags=[str(n) for n in range(65)])),
    ("visibility", lambda s, i: s.templates.update_details(i, visibility=None)),  # type: ignore[arg-type]
    ("visibility", lambda s, i: s.templates.create(name="n", content="c", visibility="shared")),
    ("created_at", lambda s, i: s.templates.create(name="n", content="c",
                                                   created_at=datetime(2020, 1, 1))),  # noqa: DTZ001
    ("created_at", lambda s, i: s.templates.create(name="n", content="c",
                                                   created_at=datetime(999, 1, 1, tzinfo=UTC))),
    ("created_at", lambda s, i: s.templates.create(name="n", content="c",
                                                   created_at="2020-01-01")),  # type: ignore[arg-type]
    ("expected_updated_at", lambda s, i: s.templates.update_details(
        i, expected_updated_at=datetime(2020, 1, 1))),  # noqa: DTZ001
    ("expected_updated_at", lambda s, i: s.templates.update_details(
        i, expected_updated_at="2020-01-01")),  # type: ignore[arg-type]
    ("expected_head", lambda s, i: s.templates.versions.commit(i, content="x", expected_head="1")),  # type: ignore[arg-type]
    ("expected_head", lambda s, i: s.templates.versions.commit(i, content="x", expected_head=True)),
    ("user_id", lambda s, i: s.users.find(str(i))),  # type: ignore[arg-type]
    ("user_id", lambda s, i: s.users.get(str(i))),  # type: ignore[arg-type]
    ("user_id", lambda s, i: s.users.soft_delete(str(i))),  # type: ignore[arg-type]
    ("user_id", lambda s, i: s.users.restore(str(i))),  # type: ignore[arg-type]
    ("full_name", lambda s, i: s.users.create(email="a@b.c", full_name=None)),  # type: ignore[arg-type]
    ("email", lambda s, i: s.users.create(email="nobody", full_name="A")),
]  # fmt: skip

WRONG_FOR_THE_SYSTEM: list[tuple[str, Call]] = [
    ("older_than", lambda s, i: s.templates.trash.purge_deleted(older_than=timedelta(seconds=-1))),
    ("older_than", lambda s, i: s.templates.trash.purge_deleted(older_than=30)),  # type: ignore[arg-type]
    ("batch", lambda s, i: s.templates.trash.purge_deleted(older_than=timedelta(1), batch=0)),
    ("batch", lambda s, i: s.templates.trash.purge_deleted(older_than=timedelta(1), batch=True)),
    ("batch", lambda s, i: s.templates.trash.purge_deleted(older_than=timedelta(1), batch="9")),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.soft_delete(str(i))),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.get(str(i))),  # type: ignore[arg-type]
    ("user_id", lambda s, i: s.users.soft_delete(str(i))),  # type: ignore[arg-type]
    ("user_id", lambda s, i: s.users.restore(str(i))),  # type: ignore[arg-type]
    ("owner_id", lambda s, i: s.templates.create(name="n", content="c", owner_id="ada")),  # type: ignore[arg-type]
    ("email", lambda s, i: s.users.find_by_email(5)),  # type: ignore[arg-type]
    (T, lambda s, i: s.templates.usage.record(str(i))),  # type: ignore[arg-type]
    ("category", lambda s, i: s.categories.rename("--", "x")),
    ("name", lambda s, i: s.categories.rename("x", "--")),
    ("name", lambda s, i: s.categories.rename("x", "y" * 101)),
    ("category", lambda s, i: s.categories.merge(None, "x")),  # type: ignore[arg-type]
    ("into", lambda s, i: s.categories.merge("x", 5)),  # type: ignore[arg-type]
    ("into", lambda s, i: s.categories.merge("A b", "a-B ")),
    ("target_id", lambda s, i: s.audit.list_of_target("user", str(i))),  # type: ignore[arg-type]
    ("target_type", lambda s, i: s.audit.list_of_target(None, i)),  # type: ignore[arg-type]
    ("limit", lambda s, i: s.templates.list_all(limit=True)),
    ("limit", lambda s, i: s.categories.list_counts(limit=True)),
    ("limit", lambda s, i: s.audit.list_of_target("user", i, limit=True)),
]


@pytest.mark.parametrize("n", range(len(WRONG)))
async def test_a_wrong_argument_is_named(as_ada: dal.Session, n: int) -> None:
    made = await as_ada.templates.create(name="n", content="c")
    field, call = WRONG[n]
    with pytest.raises(dal.ValueRejectedError) as caught:
        await call(as_ada, made.id)
    assert caught.value.field == field
    assert str(caught.value).startswith(field)
    assert await as_ada.templates.get(made.id) == made
    assert [e.action for e in (await as_ada.audit.list_mine()).rows] == ["template.create"]


@pytest.mark.parametrize("n", range(len(WRONG_FOR_THE_SYSTEM)))
async def test_a_wrong_argument_is_named_to_the_system(system: dal.Session, n: int) -> None:
    field, call = WRONG_FOR_THE_SYSTEM[n]
    with pytest.raises(dal.ValueRejectedError) as caught:
        await call(system, uuid4())
    assert caught.value.field == field


async def test_older_than_anything(system: dal.Session, as_ada: dal.Session) -> None:
    made = await as_ada.templates.create(name="n", content="c")
    await as_ada.templates.soft_delete(made.id)
    assert await system.templates.trash.purge_deleted(older_than=timedelta.max) == 0
    assert await as_ada.templates.trash.count_mine() == 1


async def test_statistics(alone: dal.Database) -> None:
    system = alone.acting_as(dal.Actor.system("statistics"))
    nothing = dal.TemplateStatistics(
        templates=0, public=0, private=0, deleted=0, versions=0, authors=0, tags=0,
        ratings=0, rating_sum=0, uses=0, never_used=0,
    )  # fmt: skip
    as_nobody = alone.acting_as(dal.Actor.anonymous())
    for session in (system, as_nobody):
        assert await session.templates.usage.statistics() == nothing
    ada, bob = await new_user(alone), await new_user(alone, "Bob")
    as_ada = alone.acting_as(dal.Actor.user(ada.id))
    as_bob = alone.acting_as(dal.Actor.user(bob.id))
    first = await as_ada.templates.create(
        name="a", content="1", author_name="X", tags=["t", "u"], category="C"
    )
    await as_ada.templates.versions.commit(first.id, content="2")
    public = await as_ada.templates.create(
        name="b", content="1", author_name="x", visibility="public"
    )
    gone = await as_ada.templates.create(name="c", content="1", author_name="Z", tags=["v"])
    for used in (gone, public, public, public):
        await as_ada.templates.usage.record(used.id)
    await as_ada.templates.ratings.set(gone.id, 1)
    await as_ada.templates.soft_delete(gone.id)
    await as_bob.templates.create(name="d", content="1", author_name="Y", tags=["w"], category="D")
    await as_ada.templates.ratings.set(first.id, 5)
    await as_bob.templates.ratings.set(public.id, 2)
    of_public = attrs.evolve(
        nothing, templates=1, public=1, versions=1, authors=1, ratings=1, rating_sum=2, uses=3
    )
    # Authors are told apart byte by byte: X and x are two.
    assert await system.templates.usage.statistics() == dal.TemplateStatistics(
        templates=3, public=1, private=2, deleted=1, versions=4, authors=3, tags=3,
        ratings=2, rating_sum=7, uses=3, never_used=2,
    )  # fmt: skip
    # To everybody what they may see.
    assert await as_ada.templates.usage.statistics() == dal.TemplateStatistics(
        templates=2, public=1, private=1, deleted=1, versions=3, authors=2, tags=2,
        ratings=2, rating_sum=7, uses=3, never_used=1,
    )  # fmt: skip
    assert await as_bob.templates.usage.statistics() == attrs.evolve(
        of_public, templates=2, private=1, versions=2, authors=2, tags=1, never_used=1
    )
    assert await as_nobody.templates.usage.statistics() == of_public
    in_trash = await as_bob.templates.create(name="e", content="1")
    await as_bob.templates.soft_delete(in_trash.id)
    assert (await system.templates.usage.statistics()).deleted == 2
    assert (await as_ada.templates.usage.statistics()).deleted == 1
    # What a deleted user has in the trash is hidden with all that is theirs, and so are the
    # ratings that they gave.
    await system.users.soft_delete(bob.id)
    assert await system.templates.usage.statistics() == dal.TemplateStatistics(
        templates=2, public=1, private=1, deleted=1, versions=3, authors=2, tags=2,
        ratings=1, rating_sum=5, uses=3, never_used=1,
    )  # fmt: skip
    assert await as_bob.templates.usage.statistics() == attrs.evolve(
        of_public, ratings=0, rating_sum=0
    )

    async def counts(session: dal.Session) -> tuple[list[Any], list[Any]]:
        categories = await session.categories.list_counts()
        tags = await session.tags.list_counts()
        return (
            [(c.slug, c.name, c.templates) for c in categories],
            [(t.tag_key, t.name, t.templates) for t in tags],
        )

    of_ada = ([(None, None, 1), ("c", "C", 1)], [("t", "t", 1), ("u", "u", 1)])
    assert await counts(system) == await counts(as_ada) == of_ada
    assert await counts(as_nobody) == await counts(as_bob) == ([(None, None, 1)], [])
    await system.users.restore(bob.id)
    assert (await system.templates.usage.statistics()).rating_sum == 7
    assert await counts(as_bob) == (
        [(None, None, 1), ("d", "D", 1)], [("w", "w", 1)],
    )  # fmt: skip
