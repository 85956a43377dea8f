"""Many templates at once: few statements, all or nothing, and the same as one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal.records.text import category_slug
from dal.repositories.templates.creation import TemplateCreation
from dal.repositories.vocabulary.words import Vocabulary
from dal.search import impacts
from tests.conftest import Recorder, new_user
from tests.repositories.conftest import Root

MIB = 1 << 20


@pytest.fixture(scope="module", autouse=True)
def emptied(root: Root) -> Iterator[None]:
    """Tens of thousands of rows are gone afterwards: other tests page through all there are."""
    yield
    # A label keeps its version, and so its template.
    root("DELETE FROM template_labels")
    root("DELETE FROM templates")


def ten_thousand() -> Iterator[dal.NewTemplate]:
    word = uuid4().hex[:8]
    for i in range(10_000):
        yield dal.NewTemplate(
            name=f"template {i}",
            content=f"{i}: " + "Review this. " * (i % 30),
            description=None if i % 3 else f"the {i}th",
            category=f"{word} {i % 50}" if i % 2 else None,
            tags=[f"{word}-{i % 700}", f"{word} {i % 13}"],
            visibility="public" if i % 5 == 0 else "private",
        )


def n_terms(template: dal.Template) -> int:
    """How many postings the search keeps of a template."""
    texts = (*template.tags, template.author_name, template.description, template.content)
    return len(impacts(template.name, texts, pivot_terms=250))


async def test_ten_thousand_in_few_statements(
    as_ada: dal.Session, recorder: Recorder, root: Root
) -> None:
    news = list(ten_thousand())
    recorder.clear()
    made = await as_ada.templates.exchange.create_many(news)
    inserts = [name for name in recorder.names if "insert" in name]
    others = [name for name in recorder.names if "insert" not in name]
    # START, the owner with the categories, the tags, COMMIT.
    assert len(others) <= 4, others
    # Upper bounds of what the rows are as text: ids and times take most of it.
    bytes_of = {
        "templates/insert_many": sum(len(t.name) + len(t.description or "") + 400 for t in made),
        "template_versions/insert_many": sum(len(t.content) + 400 for t in made),
        "template_tags/insert_many": 20_000 * 120,
        "template_postings/insert_many": 110 * sum(map(n_terms, made)),
        "categories/insert_many": MIB,
        "tags/insert_many": MIB,
        "audit_logs/insert": MIB,
    }
    for name in set(inserts):
        assert inserts.count(name) <= bytes_of[name] // MIB + 1, name
    assert set(inserts) == set(bytes_of)
    # What came back, and what fresh reads say.
    assert len(made) == await as_ada.templates.count_mine() == 10_000
    by_id = {template.id: template for template in made}
    seen = 0
    async for fresh in as_ada.templates.exchange.stream():
        assert by_id[fresh.id] == fresh
        seen += 1
    assert seen == 10_000
    for new, template in zip(news[:50], made[:50], strict=True):
        assert (template.name, template.content) == (new.name, new.content)
        assert template.tags == set(new.tags)
    ((n_entries,),) = root(
        "SELECT COUNT(*) FROM audit_logs WHERE actor_id = %s AND affected = 10000",
        made[0].owner_id.bytes,
    )
    assert n_entries == 1


async def test_as_one_by_one(as_ada: dal.Session, as_bob: dal.Session) -> None:
    word = uuid4().hex[:8]
    news = [
        dal.NewTemplate(name="plain", content="c"),
        dal.NewTemplate(
            name="full",
            content="c",
            description="d",
            system_prompt="s",
            author_name="a",
            category=f"  New {word}  ",
            tags=[f"X {word}", f"x {word}", " y "],
            visibility="public",
        ),
        dal.NewTemplate(name="same category", content="c", category=f"new_{word}", tags=["Y"]),
    ]
    many = await as_ada.templates.exchange.create_many(iter(news))
    for new, one_of_many in zip(news, many, strict=True):
        # A history is made by many at once alone.
        fields = {
            f.name: getattr(new, f.name)
            for f in attrs.fields(dal.NewTemplate)
            if f.name not in ("versions", "labels", "last_version")
        }
        one = await as_bob.templates.create(**fields)
        same = attrs.evolve(one, id=one_of_many.id, owner_id=one_of_many.owner_id)
        assert same == one_of_many == await as_ada.templates.get(one_of_many.id)
        assert one == await as_bob.templates.get(one.id)


async def test_all_or_none(as_ada: dal.Session, as_bob: dal.Session, root: Root) -> None:
    taken = await as_bob.templates.create(name="taken", content="c")
    word = uuid4().hex
    news = [
        dal.NewTemplate(
            name=str(i),
            content="x" * 30_000,
            tags=[f"{word} {i}"],
            category=word,
            id=taken.id if i == 60 else None,
        )
        for i in range(100)
    ]
    with pytest.raises(dal.UniqueError) as caught:
        await as_ada.templates.exchange.create_many(news)
    assert caught.value.constraint == "PRIMARY"
    assert await as_ada.templates.count_mine() == 0
    assert (await as_ada.audit.list_mine()).rows == ()
    # Neither the words that were made for them.
    assert root("SELECT COUNT(*) FROM tags WHERE tag_key LIKE %s", f"{word}%") == [(0,)]
    assert root("SELECT COUNT(*) FROM categories WHERE slug = %s", word) == [(0,)]
    assert await as_bob.templates.get(taken.id) == taken


async def test_an_id_given_twice(as_ada: dal.Session) -> None:
    again = uuid4()
    news = [dal.NewTemplate(name=n, content="c", id=again) for n in ("first", "second")]
    with pytest.raises(dal.UniqueError):
        await as_ada.templates.exchange.create_many(news)
    assert await as_ada.templates.count_mine() == 0


async def test_rows_of_more_than_a_mebibyte_each(as_ada: dal.Session, recorder: Recorder) -> None:
    news = [
        dal.NewTemplate(name=str(i), content=f"{i}" + "é" * MIB, system_prompt="'" * 100)
        for i in range(4)
    ]
    recorder.clear()
    made = await as_ada.templates.exchange.create_many(news)
    # A row each, since none has room for a second one.
    assert recorder.names.count("template_versions/insert_many") == 4
    assert recorder.names.count("templates/insert_many") == 1
    for new, template in zip(news, made, strict=True):
        fresh = await as_ada.templates.get(template.id)
        assert (fresh.content, fresh.system_prompt) == (new.content, new.system_prompt)


@pytest.mark.parametrize("field", ["content", "system_prompt"])
async def test_a_row_over_the_servers_packet(as_ada: dal.Session, field: str) -> None:
    # Each quote is sent with a backslash: the column could hold it, the packet of tests/conftest.py
    # cannot.
    too_much: dict[str, Any] = {"name": "n", "content": "c", field: "'" * 16_777_215}
    fits_the_column = dal.NewTemplate(**too_much)
    small = dal.NewTemplate(name="small", content="c")
    with pytest.raises(dal.ValueRejectedError) as caught:
        await as_ada.templates.exchange.create_many([small, fits_the_column, small])
    assert caught.value.field == field
    assert await as_ada.templates.count_mine() == 0
    made = await as_ada.templates.create(name="n", content="c")
    content = too_much["content"]
    prompt = too_much.get("system_prompt")
    with pytest.raises(dal.ValueRejectedError) as caught:
        await as_ada.templates.versions.commit(made.id, content=content, system_prompt=prompt)
    assert caught.value.field == field
    assert await as_ada.templates.get(made.id) == made


@pytest.mark.parametrize("field", ["content", "system_prompt"])
async def test_all_that_the_column_holds(as_ada: dal.Session, field: str) -> None:
    texts: dict[str, Any] = {"name": "n", "content": "c", field: "x" * 16_777_215}
    (made,) = await as_ada.templates.exchange.create_many([dal.NewTemplate(**texts)])
    assert await as_ada.templates.get(made.id) == made


async def test_nothing_is_nothing(as_ada: dal.Session, recorder: Recorder) -> None:
    recorder.clear()
    assert await as_ada.templates.exchange.create_many([]) == []
    assert recorder.names == ["transaction/start", "transaction/commit"]


@pytest.mark.parametrize("wrong", [None, 5, "text", [None], [{"name": "n", "content": "c"}]])
async def test_what_is_no_template(as_ada: dal.Session, wrong: object) -> None:
    with pytest.raises(dal.ValueRejectedError) as caught:
        await as_ada.templates.exchange.create_many(wrong)  # type: ignore[arg-type]
    assert caught.value.field == "templates"


async def test_an_iterator_survives_a_second_attempt(
    as_ada: dal.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first attempt ends as a deadlock does; the second must not find the iterator empty."""
    attempts = 0

    def owner(self: TemplateCreation, action: str, owner_id: object) -> UUID:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise dal.DeadlockError("as the server would")
        assert self._scope.actor.id is not None
        return self._scope.actor.id

    monkeypatch.setattr(TemplateCreation, "owner", owner)
    made = await as_ada.templates.exchange.create_many(
        dal.NewTemplate(name=str(i), content="c") for i in range(3)
    )
    assert attempts == 2
    assert [template.name for template in made] == ["0", "1", "2"]
    assert await as_ada.templates.count_mine() == 3


async def test_the_same_new_words_by_twenty_at_once(db: dal.Database, root: Root) -> None:
    word = uuid4().hex[:10]
    users = [await new_user(db, "Racer") for _ in range(20)]

    async def one(i: int, user: dal.User) -> dal.Template:
        me = db.acting_as(dal.Actor.user(user.id))
        # Each in another order, all with the same words, and some with words of their neighbours.
        tags = [f"{word}-{(i + n) % 20}" for n in range(12)]
        if i % 2:
            tags.reverse()
        if i % 4 == 3:
            new = dal.NewTemplate(name="n", content="c", category=f"{word} c{i % 3}", tags=tags)
            return (await me.templates.exchange.create_many([new]))[0]
        return await me.templates.create(
            name="n", content="c", category=f"{word} c{i % 3}", tags=tags
        )

    made = await asyncio.gather(*(one(i, user) for i, user in enumerate(users)))
    assert root("SELECT COUNT(*) FROM tags WHERE tag_key LIKE %s", f"{word}-%") == [(20,)]
    assert root("SELECT COUNT(*) FROM categories WHERE slug LIKE %s", f"{word}-c%") == [(3,)]
    for user, template in zip(users, made, strict=True):
        me = db.acting_as(dal.Actor.user(user.id))
        assert await me.templates.get(template.id) == template
        assert len(template.tags) == 12


async def test_the_system_creates_for_an_owner(
    system: dal.Session, ada: dal.User, as_ada: dal.Session
) -> None:
    new = dal.NewTemplate(name="n", content="c")
    with pytest.raises(dal.UsageError):
        await system.templates.exchange.create_many([new])
    (made,) = await system.templates.exchange.create_many([new], owner_id=ada.id)
    assert await as_ada.templates.get(made.id) == made
    with pytest.raises(dal.ParentMissingError) as caught:
        await system.templates.exchange.create_many([new], owner_id=uuid4())
    assert caught.value.constraint == "fk_templates_owner"
    with pytest.raises(dal.ValueRejectedError) as refused:
        await system.templates.exchange.create_many([new], owner_id=str(ada.id))  # type: ignore[arg-type]
    assert refused.value.field == "owner_id"


async def test_more_words_than_one_list_takes(
    system: dal.Session, as_ada: dal.Session, clock: dal.ManualClock
) -> None:
    word = uuid4().hex[:8]
    names = [f"{word} {i}" for i in range(10_050)]
    async with system.begin() as tx:
        found = [await Vocabulary(tx).tags(names, clock.now()) for _ in range(2)]
        assert found[0] == found[1]
        assert sorted(found[0]) == sorted(names)
        made = await Vocabulary(tx).categories(names[:20], clock.now())
    templates = await as_ada.templates.exchange.create_many(
        dal.NewTemplate(name="n", content="c", category=name) for name in names
    )
    assert [t.category for t in templates] == [category_slug(name) for name in names]
    assert {t.category for t in templates} >= made.keys()
    assert await as_ada.templates.get(templates[-1].id) == templates[-1]
