"""Labels: on at most one version each, moved, taken off, and who did that."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

import dal
from tests.conftest import Recorder
from tests.repositories.conftest import Root


async def with_versions(session: dal.Session, count: int = 3, **given: Any) -> dal.Template:
    """A template with versions of the texts 1, 2, ..."""
    made = await session.templates.create(name="n", content="1", **given)
    for number in range(2, count + 1):
        await session.templates.versions.commit(made.id, content=str(number))
    return await session.templates.get(made.id)


async def labels_of(session: dal.Session, template: dal.Template) -> dict[str, int]:
    return {one.label: one.version for one in await session.templates.labels.list_of(template.id)}


async def test_set_move_remove(
    as_ada: dal.Session, ada: dal.User, clock: dal.ManualClock, root: Root
) -> None:
    made = await with_versions(as_ada)
    moves: list[tuple[str, int | None, int | None]] = []
    for label, before, after in (
        ("production", None, 1),
        ("staging", None, 1),
        ("my own \U0001f600", None, 2),
        ("production", 1, 3),
        ("staging", 1, None),
        ("staging", None, 2),
    ):
        clock.move(timedelta(seconds=1))
        if after is None:
            await as_ada.templates.labels.remove(made.id, label)
        else:
            done = await as_ada.templates.labels.set(made.id, label, after)
            assert done == dal.TemplateLabel(made.id, label, after, ada.id, clock.now())
            assert done in await as_ada.templates.labels.list_of(made.id)
        moves.append((label, before, after))
    assert await labels_of(as_ada, made) == {"my own \U0001f600": 2, "production": 3, "staging": 2}
    read: list[dal.TemplateLabelMove] = []
    after_cursor = None
    while True:
        page = await as_ada.templates.labels.list_moves(made.id, limit=4, after=after_cursor)
        read += page.rows
        after_cursor = page.next
        if after_cursor is None:
            break
    assert [(m.label, m.from_version, m.to_version) for m in reversed(read)] == moves
    assert {move.moved_by for move in read} == {ada.id}
    assert read[0].moved_at == clock.now()
    assert [m.moved_at for m in read] == sorted((m.moved_at for m in read), reverse=True)
    # On one version at most, by the key itself.
    assert root(
        "SELECT COUNT(*), COUNT(DISTINCT label) FROM template_labels WHERE template_id = %s",
        made.id.bytes,
    ) == [(3, 3)]


async def test_there_already_is_no_change(
    as_ada: dal.Session, clock: dal.ManualClock, recorder: Recorder
) -> None:
    made = await with_versions(as_ada, 1)
    done = await as_ada.templates.labels.set(made.id, "staging", 1)
    clock.move(timedelta(seconds=1))
    recorder.clear()
    assert await as_ada.templates.labels.set(made.id, " STAGING ", 1) == done
    assert "audit_logs/insert" not in recorder.names
    assert len((await as_ada.templates.labels.list_moves(made.id)).rows) == 1
    await as_ada.templates.labels.remove(made.id, "staging")
    with pytest.raises(dal.NotFoundError):
        await as_ada.templates.labels.remove(made.id, "staging")
    assert len((await as_ada.templates.labels.list_moves(made.id)).rows) == 2


async def test_got_by_label(as_ada: dal.Session, as_bob: dal.Session, system: dal.Session) -> None:
    made = await with_versions(as_ada, visibility="public")
    for session in (as_ada, as_bob, system):
        # Nothing is in production yet: the newest.
        assert (await session.templates.labels.get_version(made.id)).version == 3
        with pytest.raises(dal.NotFoundError):
            await session.templates.labels.get_version(made.id, "production")
    await as_ada.templates.labels.set(made.id, "production", 1)
    await as_ada.templates.labels.set(made.id, "Straße", 2)
    for session in (as_ada, as_bob, system):
        templates = session.templates
        assert await templates.labels.get_version(made.id) == await templates.versions.get(
            made.id, 1
        )
        assert (await templates.labels.get_version(made.id, "PRODUCTION")).version == 1
        assert (await templates.labels.get_version(made.id, " STRASSE ")).version == 2
        for latest in ("latest", " LATEST ", "Latest"):
            assert (await templates.labels.get_version(made.id, latest)).content == "3"
        with pytest.raises(dal.NotFoundError):
            await templates.labels.get_version(made.id, "staging")
    await as_ada.templates.labels.remove(made.id, "production")
    assert (await as_bob.templates.labels.get_version(made.id)).version == 3
    await as_ada.templates.update_details(made.id, visibility="private")
    for label in (None, "latest", "strasse"):
        with pytest.raises(dal.NotFoundError):
            await as_bob.templates.labels.get_version(made.id, label)
    with pytest.raises(dal.NotFoundError):
        await as_bob.templates.labels.list_of(made.id)
    with pytest.raises(dal.NotFoundError):
        await as_bob.templates.labels.list_moves(made.id)


@pytest.mark.parametrize("label", ["latest", " Latest ", "LATEST", "", " ", "x" * 101, 5, "\ud800"])
async def test_what_is_no_label_to_set(as_ada: dal.Session, label: Any) -> None:
    made = await with_versions(as_ada, 1)
    with pytest.raises(dal.ValueRejectedError) as caught:
        await as_ada.templates.labels.set(made.id, label, 1)
    assert caught.value.field == "label"
    with pytest.raises(dal.ValueRejectedError) as caught:
        await as_ada.templates.labels.remove(made.id, label)
    assert caught.value.field == "label"
    assert await labels_of(as_ada, made) == {}


async def test_keys_are_folded_and_then_told_apart_byte_by_byte(as_ada: dal.Session) -> None:
    made = await with_versions(as_ada)
    # The same key four times, and three that a collation would take for one.
    for label in ("Cafe\u0301", "CAFÉ", " café ", "café"):
        await as_ada.templates.labels.set(made.id, label, 1)
    for number, label in enumerate(("cafe", "\U0001f600", "\U0001f601"), 1):
        await as_ada.templates.labels.set(made.id, label, number)
    assert await labels_of(as_ada, made) == {"café": 1, "cafe": 1, "\U0001f600": 2, "\U0001f601": 3}
    assert (await as_ada.templates.labels.get_version(made.id, "\U0001f601")).version == 3


async def test_another_templates_version_number(as_ada: dal.Session) -> None:
    """Only a number of the template's own: the other one's third is not this one's."""
    one, other = await with_versions(as_ada, 1), await with_versions(as_ada, 3)
    with pytest.raises(dal.NotFoundError):
        await as_ada.templates.labels.set(one.id, "production", 3)
    assert await labels_of(as_ada, one) == {}
    assert (await as_ada.templates.labels.list_moves(one.id)).rows == ()
    await as_ada.templates.labels.set(other.id, "production", 3)
    await as_ada.templates.labels.set(one.id, "production", 1)
    assert await labels_of(as_ada, other) == {"production": 3}
    assert (await as_ada.templates.labels.get_version(one.id)).content == "1"
    # A deleted version is none either, and a move that fails moves nothing.
    await as_ada.templates.versions.delete(other.id, 2)
    with pytest.raises(dal.NotFoundError):
        await as_ada.templates.labels.set(other.id, "production", 2)
    assert await labels_of(as_ada, other) == {"production": 3}


async def test_labels_go_through_the_trash(as_ada: dal.Session, root: Root) -> None:
    made = await with_versions(as_ada)
    await as_ada.templates.labels.set(made.id, "production", 2)
    await as_ada.templates.soft_delete(made.id)
    templates = as_ada.templates
    calls: list[Any] = [
        lambda: templates.labels.set(made.id, "production", 1),
        lambda: templates.labels.remove(made.id, "production"),
        lambda: templates.labels.list_of(made.id),
        lambda: templates.labels.get_version(made.id),
    ]
    for call in calls:
        with pytest.raises(dal.NotFoundError):
            await call()
    await as_ada.templates.restore(made.id)
    assert await labels_of(as_ada, made) == {"production": 2}
    await as_ada.templates.soft_delete(made.id)
    await as_ada.templates.trash.purge(made.id)
    for table in ("template_labels", "template_label_moves", "template_versions"):
        assert root(f"SELECT COUNT(*) FROM {table} WHERE template_id = %s", made.id.bytes) == [(0,)]


async def test_who_moves_at_once_moves_one_after_the_other(as_ada: dal.Session) -> None:
    made = await with_versions(as_ada, 5)
    await asyncio.gather(
        *(as_ada.templates.labels.set(made.id, "production", 1 + n % 5) for n in range(15))
    )
    moves = (await as_ada.templates.labels.list_moves(made.id)).rows
    at = (await labels_of(as_ada, made))["production"]
    # Each move starts where one before it ended; together they are one chain.
    left = Counter([*(move.from_version for move in moves), at])
    assert left[None] == 1
    assert left == Counter([None, *(move.to_version for move in moves)])


async def test_what_the_audit_log_tells(as_ada: dal.Session) -> None:
    made = await with_versions(as_ada, 2)
    await as_ada.templates.labels.set(made.id, "staging", 1)
    await as_ada.templates.labels.set(made.id, "staging", 2)
    await as_ada.templates.labels.remove(made.id, "staging")
    entries = (await as_ada.audit.list_mine(limit=3)).rows
    assert [entry.action for entry in entries] == [
        "template.remove_label",
        "template.set_label",
        "template.set_label",
    ]
    assert {entry.target_id for entry in entries} == {made.id}
