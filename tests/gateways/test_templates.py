"""sql/templates/ through TemplatesGateway."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import log2
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal.gateways import (
    CategoriesGateway,
    TemplateRatingsGateway,
    TemplatesGateway,
    TemplateTagsGateway,
    TemplateVersionsGateway,
    UsersGateway,
)
from dal.records.clock import END_OF_TIME
from dal.records.ids import MAX_ID
from dal.records.templates import TemplateHitRow, TemplateParent
from dal.records.variables import Variable
from tests.gateways.helpers import (
    FIRST,
    NOW,
    StoredTemplate,
    category,
    check_tested,
    check_whole_row,
    put_on,
    rate,
    stored_ratings,
    stored_template,
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


async def test_a_row_of_the_tests_is_the_whole_row(tx: dal.Session) -> None:
    await check_whole_row(tx, "templates")


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


def new_template(row: dict[str, Any]) -> StoredTemplate:
    """What is stored of a new one: nobody used or rated it, and it ranks as if it were a 3."""
    values = {field.name: row.get(field.name) for field in attrs.fields(StoredTemplate)}
    return StoredTemplate(
        **{
            **values, "id": row["template_id"], "head_version": row["version"], "use_count": 0,
            "trend": 0, "rating_sum": 0, "rating_count": 0, "rating_rank": 300_000,
            "updated_at": row["now"],
        }
    )  # fmt: skip


async def test_insert(tx: dal.Session) -> None:
    owner, gateway = await user(tx), TemplatesGateway(tx)
    source = uuid4()
    row = template_row(
        owner, description="d", author_name="a", created_at=LATER, version=3, last_version=7,
        forked_from_id=source, forked_from_version=2,
    )  # fmt: skip
    assert await gateway.insert(**row) == 1
    assert await stored_template(tx, row["template_id"]) == new_template(row)
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
    with pytest.raises(dal.CheckError) as check:
        await gateway.insert(**template_row(owner, version=3, last_version=2))
    assert check.value.constraint == "ck_templates_last_version"
    with pytest.raises(dal.ValueRejectedError) as refused:
        await gateway.insert(**template_row(owner, visibility="shared"))
    assert refused.value.field == "visibility"
    await UsersGateway(tx).soft_delete(user_id=owner, now=NOW)
    assert await gateway.insert(**template_row(owner)) == 0


async def test_insert_many(tx: dal.Session) -> None:
    owner, gateway = await user(tx), TemplatesGateway(tx)
    rows = [template_row(owner, name=str(i)) for i in range(3)]
    rows[2].update(last_version=9, forked_from_id=rows[0]["template_id"], forked_from_version=1)
    assert await gateway.insert_many(rows) == 3
    for row in rows:
        assert await stored_template(tx, row["template_id"]) == new_template(row)
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
        visibility=PUBLIC, now=LATER, forked_from_id=owner, forked_from_version=5,
    )  # fmt: skip
    await put_on(tx, template_id, await tag(tx, f"{key}a"), await tag(tx, f"{key}b"))
    await gateway.update_head(template_id=template_id, actor_id=owner, version=2, now=LATER)
    await TemplateVersionsGateway(tx).insert_many(
        [
            version_row(
                template_id, owner, version=2, content="two", system_prompt="p",
                variables=[{"name": "v", "default": "d"}],
            )
        ]
    )  # fmt: skip
    await gateway.record_use_any(template_id=template_id, now=LATER)
    await rate(tx, template_id, owner, 4)
    stored = await stored_template(tx, template_id)
    expected = dal.Template(
        template_id, owner, "N", "D", "A", slug,
        frozenset({f"{key}a".upper(), f"{key}b".upper()}), PUBLIC, 2, 2, 1, stored.trend, 4, 1,
        owner, 5, "two", "p", (Variable("v", "d"),), NOW, LATER, None,
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
    for row in (
        await gateway.lock_own(template_id=template_id, actor_id=owner),
        await gateway.lock_visible(template_id=template_id, actor_id=uuid4()),
    ):
        assert row is not None
        assert attrs.asdict(row).items() <= attrs.asdict(stored).items()
        assert row.category_id == category_id
    hit = TemplateHitRow(**{
        **{field.name: getattr(summary, field.name)
           for field in attrs.fields(dal.TemplateSummary)},
        "content_head": "tw",
    })  # fmt: skip
    hits = await gateway.list_hits(template_ids=[template_id], actor_id=None, head_chars=2)
    assert hits == [hit]


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
        "tags": 1, "ratings": 0, "rating_sum": 0, "uses": 0, "never_used": 1,
    }  # fmt: skip
    await case.gateway.record_use_any(template_id=added, now=NOW)
    await case.gateway.record_use_any(template_id=added, now=NOW)
    await rate(case.tx, added, case.owner, 4)
    used = more_than(await case.gateway.get_statistics(), after)
    assert {name: n for name, n in used.items() if n} == {
        "ratings": 1, "rating_sum": 4, "uses": 2, "never_used": -1,
    }  # fmt: skip
    await UsersGateway(case.tx).soft_delete(user_id=case.owner, now=NOW)
    gone = more_than(await case.gateway.get_statistics(), before)
    assert gone == {
        "templates": -2, "public": -1, "private": -1, "deleted": -1, "versions": -2, "authors": 0,
        "tags": 0, "ratings": 0, "rating_sum": 0, "uses": 0, "never_used": -2,
    }  # fmt: skip


def more_than(after: dal.TemplateStatistics, before: dal.TemplateStatistics) -> dict[str, int]:
    return {
        field.name: getattr(after, field.name) - getattr(before, field.name)
        for field in attrs.fields(dal.TemplateStatistics)
    }


async def test_get_visible_statistics(case: Case) -> None:
    tx, gateway = case.tx, case.gateway
    stranger = await user(tx)

    async def ask(actor: UUID | None) -> dal.TemplateStatistics:
        return await gateway.get_visible_statistics(actor_id=actor)

    nobody = await ask(None)
    assert (nobody.private, nobody.deleted) == (0, 0)
    # A deleted owner is nobody.
    assert await ask(stranger) == await ask(case.gone) == await ask(uuid4()) == nobody
    mine = more_than(await ask(case.owner), nobody)
    assert mine == {
        "templates": 1, "public": 0, "private": 1, "deleted": 1, "versions": 1, "authors": 0,
        "tags": 0, "ratings": 0, "rating_sum": 0, "uses": 0, "never_used": 1,
    }  # fmt: skip
    before = await ask(case.owner)
    seen_by_all = await template(tx, case.owner, visibility=PUBLIC, author_name=uuid4().hex)
    own = await template(tx, case.owner, author_name=uuid4().hex)
    for template_id in (seen_by_all, own, case.ids["deleted"], case.ids["gone_public"]):
        await put_on(tx, template_id, await tag(tx))
    for template_id in (seen_by_all, own):
        await TemplateVersionsGateway(tx).insert_many(
            [version_row(template_id, case.owner, version=2)]
        )
        await gateway.record_use_any(template_id=template_id, now=NOW)
        await rate(tx, template_id, stranger, 5)
    once = {
        "templates": 1, "public": 1, "private": 0, "deleted": 0, "versions": 2, "authors": 1,
        "tags": 1, "ratings": 1, "rating_sum": 5, "uses": 1, "never_used": 0,
    }  # fmt: skip
    for actor in (stranger, case.gone, None):
        assert more_than(await ask(actor), nobody) == once
    assert more_than(await ask(case.owner), before) == {
        **{name: 2 * n for name, n in once.items()}, "public": 1, "private": 1,
    }  # fmt: skip
    await UsersGateway(tx).soft_delete(user_id=case.owner, now=NOW)
    gone = more_than(await ask(case.owner), nobody)
    assert gone == {**dict.fromkeys(once, 0), "templates": -1, "public": -1, "versions": -1,
                    "never_used": -1}  # fmt: skip


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
        gateway.lock_visible(template_id=uuid4(), actor_id=uuid4()),
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
    stored = await stored_template(case.tx, case.ids["private"])
    assert (stored.head_version, stored.last_version, stored.updated_at) == (3, 3, LATER)
    done_by_name = await changed(
        case,
        lambda i, who: case.gateway.update_head(template_id=i, actor_id=who, version=2, now=LATER),
    )
    assert done_by_name == {"public"}
    # It never goes back.
    await case.gateway.update_head(
        template_id=case.ids["public"], actor_id=case.owner, version=3, now=NOW
    )
    stored = await stored_template(case.tx, case.ids["public"])
    assert (stored.head_version, stored.last_version, stored.updated_at) == (3, 3, LATER)


async def test_update_head_back(case: Case) -> None:
    tx, gateway, private = case.tx, case.gateway, case.ids["private"]
    for version in (2, 3):
        await gateway.update_head(
            template_id=private, actor_id=case.owner, version=version, now=NOW
        )
    done = await changed(
        case,
        lambda i, who: gateway.update_head_back(template_id=i, actor_id=who, version=1, now=LATER),
    )
    assert done == {"private", "public"}
    stored = await stored_template(tx, private)
    # The number of a deleted one is not given again.
    assert (stored.head_version, stored.last_version, stored.updated_at) == (1, 3, LATER)
    for version, affected in ((2, 0), (3, 0), (4, 1)):
        assert affected == await gateway.update_head(
            template_id=private, actor_id=case.owner, version=version, now=NOW
        )
    stored = await stored_template(tx, private)
    assert (stored.head_version, stored.last_version, stored.updated_at) == (4, 4, LATER)
    for wrong, constraint in ((0, "ck_templates_head_version"), (5, "ck_templates_last_version")):
        with pytest.raises(dal.CheckError) as check:
            await gateway.update_head_back(
                template_id=private, actor_id=case.owner, version=wrong, now=NOW
            )
        assert check.value.constraint == constraint
    assert await stored_template(tx, private) == stored


async def test_update_category(case: Case) -> None:
    tx, gateway = case.tx, case.gateway
    old, new, other = await category(tx), await category(tx), await category(tx)
    for i, (name, template_id) in enumerate(case.ids.items()):
        owner = case.gone if name.startswith("gone") else case.owner
        case.ids[name] = (
            await template(tx, owner, category_id=(old, old, other)[i % 3], name=name)
            if owner == case.owner
            else template_id
        )
    trash = case.ids["public"]
    await gateway.soft_delete(template_id=trash, actor_id=case.owner, now=NOW)
    gone = await user(tx)
    of_gone = await template(tx, gone, category_id=old)
    await UsersGateway(tx).soft_delete(user_id=gone, now=NOW)
    bare = await template(tx, case.owner)
    asked = [*case.ids.values(), of_gone, bare]
    before = {one: await stored_template(tx, one) for one in asked}
    assert await gateway.update_category(category_id=uuid4(), into_category_id=new) == 0
    # Those in a trash, and of deleted owners, too; nothing else of them changes.
    assert await gateway.update_category(category_id=old, into_category_id=new) == 3
    for one, was in before.items():
        into = new if was.category_id == old else was.category_id
        assert await stored_template(tx, one) == attrs.evolve(was, category_id=into)
    assert await gateway.update_category(category_id=old, into_category_id=new) == 0
    with pytest.raises(dal.ParentMissingError) as missing:
        await gateway.update_category(category_id=new, into_category_id=uuid4())
    assert missing.value.constraint == "fk_templates_category"
    assert (await stored_template(tx, of_gone)).category_id == new


async def test_lock_visible(case: Case) -> None:
    for actor, expected in (
        # Whether the owner is live is asked apart.
        (case.owner, {"private", "public", "gone_public"}),
        (case.gone, {"public", "gone_private", "gone_public"}),
        (uuid4(), {"public", "gone_public"}),
    ):
        there = await seen(
            case,
            lambda i, actor=actor: case.gateway.lock_visible(template_id=i, actor_id=actor),  # type: ignore[misc]
        )
        assert there == expected


async def test_list_hits(case: Case) -> None:
    everything = [*case.ids.values(), uuid4()]

    async def ask(
        actor: UUID | None, ids: list[UUID] = everything, head: int = 9
    ) -> list[TemplateHitRow]:
        return await case.gateway.list_hits(template_ids=ids, actor_id=actor, head_chars=head)

    for actor, expected in (
        (case.owner, {"private", "public"}),
        (case.gone, {"public"}),
        (uuid4(), {"public"}),
        (None, {"public"}),
    ):
        found = await ask(actor)
        assert names(case, found) == expected
        assert len(found) == len(expected)
        assert [row.id for row in found] == sorted(row.id for row in found)
        assert {row.content_head for row in found} == {"text"}
    assert [row.content_head for row in await ask(None, head=0)] == [""]
    assert [row.content_head for row in await ask(None, head=3)] == ["tex"]
    assert await ask(case.owner, []) == []


async def numbers(tx: dal.Session, template_id: UUID) -> tuple[int, int, int]:
    stored = await stored_template(tx, template_id)
    return stored.rating_sum, stored.rating_count, stored.rating_rank


async def test_update_rating(case: Case) -> None:
    tx, gateway = case.tx, case.gateway
    before = {name: await stored_template(tx, one) for name, one in case.ids.items()}

    async def add(name: str, rating: int, count: int) -> int:
        return await gateway.update_rating(
            template_id=case.ids[name], rating_change=rating, count_change=count
        )

    # By the system's leave: whose it is was asked when it was locked.
    for name, affected in (
        ("private", 1), ("public", 1), ("deleted", 0), ("gone_private", 1), ("gone_deleted", 0),
    ):  # fmt: skip
        assert await add(name, 5, 1) == affected
        after = await stored_template(tx, case.ids[name])
        assert after == (
            attrs.evolve(before[name], rating_sum=5, rating_count=1, rating_rank=318_181)
            if affected else before[name]
        )  # fmt: skip
    done = await gateway.update_rating(template_id=uuid4(), rating_change=5, count_change=1)
    assert done == 0
    # A changed mind, and one taken back.
    assert await add("private", -4, 0) == 1
    assert await numbers(tx, case.ids["private"]) == (1, 1, 281_818)
    assert await add("private", -1, -1) == 1
    assert await numbers(tx, case.ids["private"]) == (0, 0, 300_000)
    for rating, count in ((6, 1), (0, 1), (1, 0)):
        with pytest.raises(dal.CheckError) as check:
            await add("private", rating, count)
        assert check.value.constraint == "ck_templates_rating"
    with pytest.raises(dal.ValueRejectedError):
        await add("private", -1, -1)
    assert await stored_template(tx, case.ids["private"]) == before["private"]


@pytest.mark.parametrize(
    ("total", "count"),
    [(1, 1), (5, 1), (5, 5), (500, 100), (3, 1), (7, 3), (4_000_000_000, 800_000_000)],
)
async def test_rank_is_the_mean_of_the_ratings_and_of_ten_threes(
    case: Case, total: int, count: int
) -> None:
    private = case.ids["private"]
    await case.gateway.update_rating(template_id=private, rating_change=0, count_change=0)
    # Larger changes than a rating makes, in steps that fit.
    left_total, left_count = total, count
    while left_count:
        n = min(left_count, 400_000_000)
        part = left_total if n == left_count else n * (left_total // left_count)
        await case.gateway.update_rating(template_id=private, rating_change=part, count_change=n)
        left_total, left_count = left_total - part, left_count - n
    rank = (total + 30) * 100_000 // (count + 10)
    assert await numbers(case.tx, private) == (total, count, rank)
    assert 100_000 <= rank <= 500_000


async def test_subtract_ratings(case: Case) -> None:
    await _in_and_out(case)


async def test_add_ratings(case: Case) -> None:
    await _in_and_out(case)


async def _in_and_out(case: Case) -> None:
    """What a user rated is taken out of the numbers and put back, in the trash too."""
    tx, gateway = case.tx, case.gateway
    rater, beside = await user(tx), await user(tx)
    unrated = await template(tx, case.owner)
    for i, (name, template_id) in enumerate(case.ids.items()):
        if "deleted" in name:
            continue
        await rate(tx, template_id, rater, 1 + i % 5)
        await rate(tx, template_id, beside, 5)
    await gateway.soft_delete(template_id=case.ids["public"], actor_id=case.owner, now=NOW)
    rated = {one: await stored_ratings(tx, one) for one in case.ids.values()}
    before = {one: await stored_template(tx, one) for one in [*case.ids.values(), unrated]}
    assert await gateway.subtract_ratings(user_id=uuid4()) == 0
    assert await gateway.subtract_ratings(user_id=rater) == 4
    for one, was in before.items():
        fresh = await stored_template(tx, one)
        if not was.rating_count:
            assert fresh == was
            continue
        assert fresh == attrs.evolve(
            was, rating_sum=5, rating_count=1, rating_rank=(5 + 30) * 100_000 // 11
        )
    # What they think stays.
    assert {one: await stored_ratings(tx, one) for one in case.ids.values()} == rated
    # Nothing is taken out twice.
    with pytest.raises((dal.ValueRejectedError, dal.CheckError)):
        await gateway.subtract_ratings(user_id=rater)
    assert await gateway.add_ratings(user_id=uuid4()) == 0
    assert await gateway.add_ratings(user_id=rater) == 4
    assert {one: await stored_template(tx, one) for one in before} == before
    await TemplateRatingsGateway(tx).delete_own(template_id=case.ids["private"], actor_id=beside)
    assert await gateway.subtract_ratings(user_id=beside) == 3


WEEK = 604_800
YEAR_2020 = datetime(2020, 1, 1, tzinfo=UTC)


def trend_of(*uses: tuple[datetime, int]) -> float:
    """10^9 log2 of the sum of 2^(weeks since 2020): each time, and how many uses there were."""
    weeks = [((at - YEAR_2020) // timedelta(seconds=1) / WEEK, n) for at, n in uses]
    most = max(week for week, _ in weeks)
    return 1e9 * (most + log2(sum(n * 2.0 ** (week - most) for week, n in weeks)))


async def use(case: Case, template_id: UUID, at: datetime) -> StoredTemplate:
    before = await stored_template(case.tx, template_id)
    assert await case.gateway.record_use_any(template_id=template_id, now=at) == 1
    after = await stored_template(case.tx, template_id)
    assert after == attrs.evolve(before, use_count=before.use_count + 1, trend=after.trend)
    return after


DAYS = timedelta(days=1)


@pytest.mark.parametrize(
    "times",
    [
        [NOW],
        [NOW, NOW],
        [NOW + i * timedelta(seconds=1) for i in range(20)],
        [NOW, NOW + 7 * DAYS],
        [NOW + n * DAYS for n in (0, 1, 1, 3, 10, 11, 500, 501, 10_000)],
        # Uses that are told late, and a clock that was put back by seconds, by weeks, by years.
        [NOW, NOW - timedelta(seconds=1), NOW - 7 * DAYS, NOW + DAYS, NOW - 3 * DAYS],
        [NOW, NOW - 5 * 365 * DAYS],
        [NOW.replace(microsecond=999_999), NOW, NOW + timedelta(microseconds=1)],
        [datetime(2311, 12, 31, tzinfo=UTC), NOW, datetime(2311, 12, 31, tzinfo=UTC)],
    ],
    ids=["one", "two at once", "seconds", "a week", "years", "late", "long ago", "parts", "last"],
)
async def test_trend_is_the_sum_of_uses_that_halve_each_week(
    case: Case, times: list[datetime]
) -> None:
    template_id = case.ids["private"]
    done: list[tuple[datetime, int]] = []
    for at in times:
        fresh = await use(case, template_id, at)
        done.append((at, 1))
        assert abs(fresh.trend - trend_of(*done)) <= 2 * len(done) + 2, done
    assert fresh.use_count == len(times)


async def test_trend_of_thousands_of_uses_at_one_moment(case: Case) -> None:
    template_id = case.ids["private"]
    trends: list[int] = []
    for _ in range(3000):
        assert await case.gateway.record_use_any(template_id=template_id, now=NOW) == 1
        if len(trends) < 50:
            trends.append((await stored_template(case.tx, template_id)).trend)
    assert all(earlier < now for earlier, now in pairwise(trends))
    fresh = await stored_template(case.tx, template_id)
    assert fresh.use_count == 3000
    # Rounding of each use weighs as little as the use itself.
    assert abs(fresh.trend - trend_of((NOW, 3000))) <= 30


async def test_trend_of_a_clock_before_2020(case: Case) -> None:
    """No error, never 0 again, and of no weight beside a use of now."""
    early = [YEAR_2020, YEAR_2020 - timedelta(seconds=1), datetime(1970, 1, 1, tzinfo=UTC)]
    private, public = case.ids["private"], case.ids["public"]
    for at in early:
        fresh = await use(case, private, at)
        assert 0 < fresh.trend < 10**10
    used = await use(case, private, NOW)
    assert abs(used.trend - trend_of((NOW, 1))) <= 10
    before = (await use(case, public, NOW)).trend
    for at in early:
        assert before <= (await use(case, public, at)).trend <= before + 5


@pytest.mark.parametrize("year", [1727, 2313])
async def test_trend_at_times_292_years_from_2020(case: Case, year: int) -> None:
    await use(case, case.ids["private"], NOW)
    await use(case, case.ids["private"], datetime(year, 1, 1, tzinfo=UTC))


async def test_record_use_any(case: Case) -> None:
    async def ask(template_id: UUID) -> int:
        return await case.gateway.record_use_any(template_id=template_id, now=NOW)

    # Whether the owner is live is asked apart.
    there = await seen(case, ask)
    assert there == {"private", "public", "gone_private", "gone_public"}
    for name, template_id in case.ids.items():
        fresh = await stored_template(case.tx, template_id)
        assert (fresh.use_count, fresh.trend > 0) == (int(name in there), name in there)
        assert fresh.updated_at == NOW


async def test_record_use_visible(case: Case) -> None:
    uses = dict.fromkeys(case.ids, 0)
    for actor, expected in (
        (case.owner, {"private", "public", "gone_public"}),
        (case.gone, {"public", "gone_private", "gone_public"}),
        (uuid4(), {"public", "gone_public"}),
        (None, {"public", "gone_public"}),
    ):
        there = await seen(
            case,
            lambda i, actor=actor: case.gateway.record_use_visible(  # type: ignore[misc]
                template_id=i, actor_id=actor, now=NOW
            ),
        )
        assert there == expected
        for name, template_id in case.ids.items():
            uses[name] += name in expected
            fresh = await stored_template(case.tx, template_id)
            assert fresh.use_count == uses[name]
            if uses[name]:
                assert abs(fresh.trend - trend_of((NOW, uses[name]))) <= 10


async def test_both_ways_to_record_a_use_count_the_same(case: Case) -> None:
    one, two = case.ids["private"], case.ids["public"]
    for n in (0, 1, 1, 9, 4, -3000):
        at = NOW + n * DAYS
        await case.gateway.record_use_any(template_id=one, now=at)
        await case.gateway.record_use_visible(template_id=two, actor_id=None, now=at)
        trends = [(await stored_template(case.tx, one)).trend for one in (one, two)]
        assert trends[0] == trends[1]
