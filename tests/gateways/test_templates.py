"""sql/templates/ through TemplatesGateway."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal.gateways import (
    CategoriesGateway,
    TemplatesGateway,
    TemplateTagsGateway,
    TemplateVersionsGateway,
    UsersGateway,
)
from dal.records.clock import END_OF_TIME
from dal.records.ids import MAX_ID
from dal.records.templates import TemplateParent
from tests.gateways.helpers import (
    FIRST,
    NOW,
    check_tested,
    put_on,
    tag,
    template,
    template_row,
    user,
    version_row,
)

LATER = NOW + timedelta(seconds=1)
PUBLIC = dal.Visibility.PUBLIC


def test_all_of_it() -> None:
    check_tested(TemplatesGateway, globals())


@attrs.define
class Case:
    """Two owners with a private, a public and a deleted template each; the second is deleted."""

    tx: dal.Session
    gateway: TemplatesGateway
    owner: UUID
    gone: UUID
    ids: dict[str, UUID]


@pytest.fixture
async def case(tx: dal.Session) -> Case:
    owner, gone = await user(tx), await user(tx)
    gateway = TemplatesGateway(tx)
    ids = {}
    for prefix, who in (("", owner), ("gone_", gone)):
        ids[f"{prefix}private"] = await template(tx, who)
        ids[f"{prefix}public"] = await template(tx, who, visibility=PUBLIC)
        ids[f"{prefix}deleted"] = await template(tx, who, visibility=PUBLIC)
        await gateway.soft_delete(template_id=ids[f"{prefix}deleted"], actor_id=who, now=NOW)
    await UsersGateway(tx).soft_delete(user_id=gone, now=NOW)
    return Case(tx, gateway, owner, gone, ids)


def names(case: Case, rows: list[Any]) -> set[str]:
    """Which of the case's templates these rows are; other tests have rows too."""
    found = {row if isinstance(row, UUID) else row.id for row in rows}
    return {name for name, template_id in case.ids.items() if template_id in found}


async def test_insert(tx: dal.Session) -> None:
    owner, gateway = await user(tx), TemplatesGateway(tx)
    row = template_row(owner, description="d", author_name="a", created_at=LATER)
    assert await gateway.insert(**row) == 1
    with pytest.raises(dal.UniqueError) as caught:
        await gateway.insert(**row)
    assert caught.value.constraint == "PRIMARY"
    assert await gateway.insert(**template_row(uuid4())) == 0
    with pytest.raises(dal.ParentMissingError) as missing:
        await gateway.insert(**template_row(owner, category_id=uuid4()))
    assert missing.value.constraint == "fk_templates_category"
    with pytest.raises(dal.CheckError) as check:
        await gateway.insert(**template_row(owner, version=0))
    assert check.value.constraint == "ck_templates_head_version"
    with pytest.raises(dal.ValueRejectedError) as refused:
        await gateway.insert(**template_row(owner, visibility="shared"))
    assert refused.value.field == "visibility"
    await UsersGateway(tx).soft_delete(user_id=owner, now=NOW)
    assert await gateway.insert(**template_row(owner)) == 0


async def test_insert_many(tx: dal.Session) -> None:
    owner, gateway = await user(tx), TemplatesGateway(tx)
    rows = [template_row(owner, name=str(i)) for i in range(3)]
    assert await gateway.insert_many(rows) == 3
    assert await gateway.count_own(actor_id=owner) == 3
    with pytest.raises(dal.UniqueError):
        await gateway.insert_many([template_row(owner), rows[0]])
    assert await gateway.count_own(actor_id=owner) == 3
    with pytest.raises(dal.ParentMissingError) as missing:
        await gateway.insert_many([template_row(uuid4())])
    assert missing.value.constraint == "fk_templates_owner"


async def test_count_all(case: Case) -> None:
    before = await case.gateway.count_all()
    await template(case.tx, case.owner)
    assert await case.gateway.count_all() == before + 1
    await UsersGateway(case.tx).soft_delete(user_id=case.owner, now=NOW)
    assert await case.gateway.count_all() == before - 2


async def test_count_public(case: Case) -> None:
    before = await case.gateway.count_public()
    await template(case.tx, case.owner)
    await template(case.tx, case.owner, visibility=PUBLIC)
    assert await case.gateway.count_public() == before + 1
    await UsersGateway(case.tx).soft_delete(user_id=case.owner, now=NOW)
    assert await case.gateway.count_public() == before - 1


async def test_count_own(case: Case) -> None:
    assert await case.gateway.count_own(actor_id=case.owner) == 2
    assert await case.gateway.count_own(actor_id=case.gone) == 0


async def test_count_trash(case: Case) -> None:
    assert await case.gateway.count_trash(actor_id=case.owner) == 1
    assert await case.gateway.count_trash(actor_id=case.gone) == 0


async def seen(case: Case, ask: Callable[[UUID], Awaitable[object]]) -> set[str]:
    found = set()
    for name, template_id in [*case.ids.items(), ("absent", uuid4())]:
        try:
            given = await ask(template_id)
        except dal.NotFoundError:
            continue
        if given:
            found.add(name)
    return found


async def test_exists_any(case: Case) -> None:
    there = await seen(case, lambda i: case.gateway.exists_any(template_id=i))
    assert there == {"private", "public"}


async def test_exists_visible(case: Case) -> None:
    for actor, expected in (
        (case.owner, {"private", "public"}),
        (case.gone, {"public"}),
        (None, {"public"}),
    ):
        there = await seen(
            case,
            lambda i, actor=actor: case.gateway.exists_visible(template_id=i, actor_id=actor),  # type: ignore[misc]
        )
        assert there == expected


async def test_get_any(case: Case) -> None:
    there = await seen(case, lambda i: case.gateway.get_any(template_id=i))
    assert there == {"private", "public"}


async def test_get_visible(case: Case) -> None:
    for actor, expected in (
        (case.owner, {"private", "public"}),
        (case.gone, {"public"}),
        (None, {"public"}),
    ):
        there = await seen(
            case,
            lambda i, actor=actor: case.gateway.get_visible(template_id=i, actor_id=actor),  # type: ignore[misc]
        )
        assert there == expected


async def test_get_own_including_deleted(case: Case) -> None:
    for actor, expected in (
        (case.owner, {"private", "public", "deleted"}),
        (case.gone, set[str]()),
        (uuid4(), set[str]()),
    ):
        there = await seen(
            case,
            lambda i, actor=actor: case.gateway.get_own_including_deleted(  # type: ignore[misc]
                template_id=i, actor_id=actor
            ),
        )
        assert there == expected


async def test_the_whole_of_a_template(tx: dal.Session) -> None:
    owner, gateway, slug, key = await user(tx), TemplatesGateway(tx), uuid4().hex, uuid4().hex
    category_id = uuid4()
    await CategoriesGateway(tx).insert_many(
        [{"category_id": category_id, "slug": slug, "category_name": "C", "now": NOW}]
    )
    template_id = await template(
        tx, owner, category_id=category_id, name="N", description="D", author_name="A",
        visibility=PUBLIC, now=LATER,
    )  # fmt: skip
    await put_on(tx, template_id, await tag(tx, f"{key}a"), await tag(tx, f"{key}b"))
    await gateway.update_head(template_id=template_id, actor_id=owner, version=2, now=LATER)
    await TemplateVersionsGateway(tx).insert_many(
        [version_row(template_id, owner, version=2, content="two", system_prompt="p")]
    )
    expected = dal.Template(
        template_id, owner, "N", "D", "A", slug,
        frozenset({f"{key}a".upper(), f"{key}b".upper()}), PUBLIC, 2, "two", "p", NOW, LATER, None,
    )  # fmt: skip
    assert await gateway.get_any(template_id=template_id) == expected
    assert await gateway.get_visible(template_id=template_id, actor_id=None) == expected
    assert (
        await gateway.get_own_including_deleted(template_id=template_id, actor_id=owner) == expected
    )
    first: dict[str, Any] = {"limit_rows": 9, **FIRST}
    assert await gateway.list_own_with_text(actor_id=owner, **first) == [expected]
    summary = dal.TemplateSummary(
        **{field.name: getattr(expected, field.name) for field in attrs.fields(dal.TemplateSummary)}
    )
    assert await gateway.list_own(actor_id=owner, **first) == [summary]
    for rows in (await gateway.list_public(**{**first, "limit_rows": 501}),
                 await gateway.list_all(**{**first, "limit_rows": 501})):  # fmt: skip
        assert [row for row in rows if row.id == template_id] in ([summary], [])
    row = await gateway.lock_own(template_id=template_id, actor_id=owner)
    assert row is not None
    assert (row.category_id, row.head_version, row.name) == (category_id, 2, "N")


async def test_get_statistics(case: Case) -> None:
    before = await case.gateway.get_statistics()
    added = await template(case.tx, case.owner, author_name=uuid4().hex)
    await put_on(case.tx, added, await tag(case.tx))
    deleted = await template(case.tx, case.owner)
    await case.gateway.soft_delete(template_id=deleted, actor_id=case.owner, now=NOW)
    after = await case.gateway.get_statistics()
    more = {
        field.name: getattr(after, field.name) - getattr(before, field.name)
        for field in attrs.fields(dal.TemplateStatistics)
    }
    assert more == {
        "templates": 1, "public": 0, "private": 1, "deleted": 1, "versions": 1, "authors": 1,
        "tags": 1,
    }  # fmt: skip


async def pages(
    ask: Callable[..., Awaitable[list[Any]]], key: Callable[[Any], dict[str, Any]],
    first: dict[str, Any],
) -> list[Any]:  # fmt: skip
    """All rows, one a page."""
    rows: list[Any] = []
    at = first
    while page := await ask(limit_rows=1, **at):
        assert len(page) == 1
        rows += page
        at = key(page[0])
    return rows


def _key(row: Any) -> dict[str, Any]:
    return {"before_at": row.created_at, "before_id": row.id}


async def several(tx: dal.Session, owner: UUID) -> list[UUID]:
    """Newest first; two share their time."""
    made = [
        await template(tx, owner, template_id=UUID(int=i + owner.int // 2), visibility=PUBLIC,
                       created_at=END_OF_TIME.replace(year=9990) + timedelta(seconds=at))
        for i, at in ((1, 5), (2, 7), (3, 7), (4, 6))
    ]  # fmt: skip
    return [made[2], made[1], made[3], made[0]]


@pytest.mark.parametrize("method", ["list_own", "list_own_with_text", "list_public", "list_all"])
async def test_newest_first_by_key(tx: dal.Session, method: str) -> None:
    owner, gateway = await user(tx), TemplatesGateway(tx)
    expected = await several(tx, owner)
    actor: dict[str, Any] = {"actor_id": owner} if "own" in method else {}
    ask = getattr(gateway, method)
    one_page = await ask(limit_rows=4, **actor, **FIRST)
    assert [row.id for row in one_page] == expected
    for i, row in enumerate(one_page):
        rest = await ask(limit_rows=4 - i, **actor, **_key(row))
        assert [r.id for r in rest][: 3 - i] == expected[i + 1 :]


async def test_list_own(case: Case) -> None:
    rows = await pages(
        lambda **k: case.gateway.list_own(actor_id=case.owner, **k), _key, dict(FIRST)
    )
    assert names(case, rows) == {"private", "public"}
    assert await case.gateway.list_own(actor_id=case.gone, limit_rows=9, **FIRST) == []


async def test_list_own_with_text(case: Case) -> None:
    rows = await pages(
        lambda **k: case.gateway.list_own_with_text(actor_id=case.owner, **k), _key, dict(FIRST)
    )
    assert names(case, rows) == {"private", "public"}
    assert {row.content for row in rows} == {"text"}
    assert await case.gateway.list_own_with_text(actor_id=case.gone, limit_rows=9, **FIRST) == []


def just_after(at: datetime) -> dict[str, Any]:
    return {"before_at": at + timedelta(microseconds=1), "before_id": MAX_ID}


async def test_list_public(case: Case) -> None:
    rows = await case.gateway.list_public(limit_rows=501, **just_after(NOW))
    assert names(case, rows) == {"public"}
    assert {row.visibility for row in rows} == {PUBLIC}


async def test_list_all(case: Case) -> None:
    rows = await case.gateway.list_all(limit_rows=501, **just_after(NOW))
    assert names(case, rows) == {"private", "public"}


async def test_list_trash(case: Case) -> None:
    first = {"before_deleted_at": END_OF_TIME, **FIRST}
    rows = await case.gateway.list_trash(actor_id=case.owner, limit_rows=9, **first)
    assert names(case, rows) == {"deleted"}
    assert [row.deleted_at for row in rows] == [NOW]
    assert await case.gateway.list_trash(actor_id=case.gone, limit_rows=9, **first) == []
    order = await several(case.tx, case.owner)
    for template_id in order[:2]:
        await case.gateway.soft_delete(template_id=template_id, actor_id=case.owner, now=NOW)
    for template_id in order[2:]:
        await case.gateway.soft_delete(template_id=template_id, actor_id=case.owner, now=LATER)
    rows = await pages(
        lambda **k: case.gateway.list_trash(actor_id=case.owner, **k),
        lambda row: {"before_deleted_at": row.deleted_at, **_key(row)},
        first,
    )
    assert [row.id for row in rows] == [*order[2:], *order[:2], case.ids["deleted"]]


async def test_list_own_ids_including_deleted(case: Case) -> None:
    async def ask(actor: UUID, ids: list[UUID]) -> list[UUID]:
        return await case.gateway.list_own_ids_including_deleted(actor_id=actor, template_ids=ids)

    everything = [*case.ids.values(), uuid4()]
    found = await ask(case.owner, everything)
    assert names(case, found) == {"private", "public", "deleted"}
    assert found == sorted(found)
    assert await ask(uuid4(), everything) == []
    assert await ask(case.owner, []) == []


async def test_list_purgeable(case: Case) -> None:
    async def ask(before: datetime, limit: int = 10_000) -> list[UUID]:
        return await case.gateway.list_purgeable(deleted_before=before, limit_rows=limit)

    assert names(case, await ask(LATER)) == {"deleted", "gone_deleted"}
    assert names(case, await ask(NOW)) == set()
    assert len(await ask(LATER, 1)) == 1


async def test_lock_own(case: Case) -> None:
    async def ask(template_id: UUID) -> object:
        return await case.gateway.lock_own(template_id=template_id, actor_id=case.owner)

    assert await seen(case, ask) == {"private", "public"}


async def test_locks_need_a_transaction(system: dal.Session) -> None:
    gateway = TemplatesGateway(system)
    for locking in (
        gateway.lock_own(template_id=uuid4(), actor_id=uuid4()),
        gateway.lock_parents(owner_id=uuid4(), slugs=["x"]),
        gateway.list_purgeable(deleted_before=NOW, limit_rows=1),
    ):
        with pytest.raises(dal.UsageError):
            await locking


async def test_lock_parents(case: Case) -> None:
    slug, category_id = uuid4().hex, uuid4()
    await CategoriesGateway(case.tx).insert_many(
        [{"category_id": category_id, "slug": slug, "category_name": "C", "now": NOW}]
    )

    async def ask(owner: UUID, *slugs: str) -> list[TemplateParent]:
        return await case.gateway.lock_parents(owner_id=owner, slugs=slugs)

    assert await ask(case.owner, slug, uuid4().hex) == [
        TemplateParent(case.owner, category_id, slug, "C")
    ]
    assert await ask(case.owner, uuid4().hex) == [TemplateParent(case.owner, None, None, None)]
    assert await ask(case.gone, slug) == await ask(uuid4(), slug) == []


async def changed(case: Case, change: Callable[[UUID, UUID], Awaitable[int]]) -> set[str]:
    """Which templates a change of the owner's affects; a stranger's affects none."""
    affected = set()
    for name, template_id in [*case.ids.items(), ("absent", uuid4())]:
        assert await change(template_id, uuid4()) == 0
        n = await change(template_id, case.owner)
        assert n in (0, 1)
        if n:
            affected.add(name)
    return affected


async def test_soft_delete(case: Case) -> None:
    done = await changed(
        case,
        lambda i, who: case.gateway.soft_delete(template_id=i, actor_id=who, now=LATER),
    )
    assert done == {"private", "public"}
    fresh = await case.gateway.get_own_including_deleted(
        template_id=case.ids["private"], actor_id=case.owner
    )
    assert (fresh.deleted_at, fresh.updated_at) == (LATER, LATER)


async def test_restore(case: Case) -> None:
    done = await changed(
        case, lambda i, who: case.gateway.restore(template_id=i, actor_id=who, now=LATER)
    )
    assert done == {"deleted"}
    fresh = await case.gateway.get_any(template_id=case.ids["deleted"])
    assert (fresh.deleted_at, fresh.updated_at) == (None, LATER)


async def test_purge(case: Case) -> None:
    tag_id = await tag(case.tx)
    await put_on(case.tx, case.ids["deleted"], tag_id)
    done = await changed(case, lambda i, who: case.gateway.purge(template_id=i, actor_id=who))
    assert done == {"deleted"}
    gone = case.ids["deleted"]
    # Versions and tags go with it: another template may have their keys.
    assert await TemplateTagsGateway(case.tx).delete_by_template(template_id=gone) == 0
    assert await template(case.tx, case.owner, template_id=gone) == gone
    found = await case.gateway.get_any(template_id=gone)
    assert (found.head_version, found.tags) == (1, frozenset())


async def test_purge_many(case: Case) -> None:
    everything = [*case.ids.values(), uuid4()]
    assert await case.gateway.purge_many(template_ids=everything) == 2
    assert await case.gateway.purge_many(template_ids=everything) == 0
    assert await case.gateway.purge_many(template_ids=[]) == 0
    assert await case.gateway.count_own(actor_id=case.owner) == 2


async def test_update_details(case: Case) -> None:
    new: dict[str, Any] = {
        "category_id": None, "name": "new", "description": "d", "author_name": None,
        "visibility": PUBLIC,
    }  # fmt: skip
    done = await changed(
        case,
        lambda i, who: case.gateway.update_details(
            template_id=i, actor_id=who, now=NOW - timedelta(days=1), **new
        ),
    )
    assert done == {"private", "public"}
    fresh = await case.gateway.get_any(template_id=case.ids["private"])
    assert (fresh.name, fresh.description, fresh.visibility) == ("new", "d", PUBLIC)
    # It never goes back; and the same again matches the row too.
    assert fresh.updated_at == NOW
    again = await case.gateway.update_details(
        template_id=fresh.id, actor_id=case.owner, now=NOW, **new
    )
    assert again == 1
    with pytest.raises(dal.ParentMissingError):
        await case.gateway.update_details(
            template_id=fresh.id, actor_id=case.owner, now=NOW, **{**new, "category_id": uuid4()}
        )


async def test_update_head(case: Case) -> None:
    for version, affected in ((3, 0), (1, 0), (2, 1), (2, 0), (3, 1)):
        done = await case.gateway.update_head(
            template_id=case.ids["private"], actor_id=case.owner, version=version, now=LATER
        )
        assert done == affected, version
    done_by_name = await changed(
        case,
        lambda i, who: case.gateway.update_head(template_id=i, actor_id=who, version=2, now=LATER),
    )
    assert done_by_name == {"public"}
