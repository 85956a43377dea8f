"""Every text goes in and comes out byte for byte, or in its documented form; what no column can
hold is refused by name, and nothing is stored.
"""

from __future__ import annotations

import csv
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Final
from uuid import UUID, uuid4

import attrs
import pytest

import dal
from dal.records.new_templates import MAX_TAGS
from dal.records.text import MAX_PROMPT_BYTES, category_slug, tag_key
from tests.conftest import new_user
from tests.repositories.conftest import Root
from tests.repositories.data import NASTY, data_file, naughty_strings


def in_parts(texts: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(texts), size):
        yield texts[start : start + size]


@pytest.fixture
async def writer(db: dal.Database, system: dal.Session) -> AsyncIterator[dal.Session]:
    """A user who goes, with all that they made: other tests count categories."""
    user = await new_user(db, "Writer")
    yield db.acting_as(dal.Actor.user(user.id))
    await system.users.soft_delete(user.id)


async def test_free_text_of_templates_is_kept_byte_for_byte(
    writer: dal.Session, root: Root
) -> None:
    texts = naughty_strings()
    # Only what is longer than its column is cut, by us, for this test.
    news = [
        dal.NewTemplate(
            name=text[:255],
            description=text,
            author_name=text[:255],
            content=text,
            system_prompt=text,
            id=uuid4(),
        )
        for text in texts
    ]
    made = await writer.templates.exchange.create_many(news)
    singly = [
        await writer.templates.create(
            name=text[:255],
            description=text,
            author_name=text[:255],
            content=text,
            system_prompt=text,
        )
        for text in NASTY
    ]
    for text, template in zip([*texts, *NASTY], [*made, *singly], strict=True):
        fresh = await writer.templates.get(template.id)
        assert fresh == template
        assert (fresh.name, fresh.author_name) == (text[:255], text[:255])
        assert (fresh.description, fresh.content, fresh.system_prompt) == (text, text, text)
    # And as the server has them, with no decoder of ours in between.
    for text, template in zip(texts, made, strict=True):
        ((name, description, author, content, prompt),) = root(
            "SELECT HEX(t.name), HEX(t.description), HEX(t.author_name), HEX(v.content),"
            " HEX(v.system_prompt) FROM templates AS t"
            " JOIN template_versions AS v ON v.template_id = t.id WHERE t.id = %s",
            template.id.bytes,
        )
        hexed, cut = text.encode().hex().upper(), text[:255].encode().hex().upper()
        assert (description, content, prompt) == (hexed, hexed, hexed)
        assert (name, author) == (cut, cut)


async def test_free_text_of_changes_is_kept_byte_for_byte(writer: dal.Session) -> None:
    texts = naughty_strings()
    made = await writer.templates.create(name="start", content="start")
    version = 1
    async with writer.begin() as tx:
        for text in texts:
            back = await tx.templates.update_details(
                made.id, name=text[:255], description=text, author_name=text[:255]
            )
            assert back == await tx.templates.get(made.id)
            assert (back.name, back.description, back.author_name) == (text[:255], text, text[:255])
        committed_texts = [*NASTY, *texts[::4]]
        for text in committed_texts:
            # The same text twice would be no new version.
            committed = await tx.templates.versions.commit(
                made.id, content=f"{version}{text}", system_prompt=text, message=text
            )
            version += 1
            assert committed == await tx.templates.versions.get(made.id, version)
            assert (committed.content, committed.message) == (f"{version - 1}{text}", text)
            listed = (await tx.templates.versions.list_of(made.id, limit=1)).rows[0]
            assert (listed.version, listed.message) == (version, text)
            assert listed.content_chars == len(committed.content)
    assert (await writer.templates.get(made.id)).head_version == version


async def test_free_text_of_users_is_kept_byte_for_byte(system: dal.Session, root: Root) -> None:
    made_by_name: dict[str, dal.User] = {}
    changed = await system.users.create(email=f"{uuid4()}@naughty.example", full_name="start")
    n_blank = 0
    async with system.begin() as tx:
        for name in (text[:100] for text in naughty_strings()):
            email = f"{uuid4()}@naughty.example"
            if not name.strip():
                n_blank += 1
                with pytest.raises(dal.ValueRejectedError) as caught:
                    await tx.users.create(email=email, full_name=name)
                assert caught.value.field == "full_name"
                continue
            made_by_name[name] = await tx.users.create(email=email, full_name=name)
            back = await tx.users.update_details(changed.id, full_name=name)
            assert back == await tx.users.get(changed.id)
            assert back.full_name == name
    assert 0 < n_blank < 10
    for name, made in made_by_name.items():
        fresh = await system.users.get(made.id)
        assert fresh == made
        assert fresh.full_name == name
        ((stored,),) = root("SELECT HEX(full_name) FROM users WHERE id = %s", made.id.bytes)
        assert stored == name.encode().hex().upper()


async def test_free_text_of_actors_is_kept_byte_for_byte(
    db: dal.Database, system: dal.Session, writer: dal.Session
) -> None:
    """Each in the entry of something denied."""
    for text in naughty_strings():
        target = (await writer.templates.create(name="n", content="c")).id
        # A job without a name is refused; see the unit tests.
        job = dal.Actor.system(text[:100] or "-", request_id=text[:64])
        with pytest.raises(dal.PermissionDeniedError):
            await db.acting_as(job).templates.trash.purge(target)
        entry, _ = (await system.audit.list_of_target("template", target)).rows
        assert entry.outcome is dal.Outcome.DENIED
        assert (entry.actor_name, entry.request_id) == (job.name, text[:64])
        agent = text[:255]
        nobody = dal.Actor.anonymous(user_agent=agent, ip=text[:45], request_id=text[:64])
        with pytest.raises(dal.PermissionDeniedError):
            await db.acting_as(nobody).users.restore(target)
        (entry,) = (await system.audit.list_of_target("user", target)).rows
        assert (entry.user_agent, entry.ip, entry.request_id) == (agent, text[:45], text[:64])


async def test_normalised_columns_give_their_documented_form(
    writer: dal.Session, system: dal.Session
) -> None:
    news: list[dal.NewTemplate] = []
    refused = 0
    for text in naughty_strings():
        # Too long, or nothing but what stands between words.
        if len(text) > 100 or not re.sub(r"[\s/_-]", "", text):
            refused += 1
            with pytest.raises(dal.ValueRejectedError) as caught:
                dal.NewTemplate(name="n", content="", category=text)
            assert caught.value.field == "category"
            continue
        news.append(dal.NewTemplate(name=text[:255], content="", tags=[text], category=text))
    assert len(news) > 400
    assert refused > 5
    made = await writer.templates.exchange.create_many(news)
    for new, template in zip(news, made, strict=True):
        fresh = await writer.templates.get(template.id)
        assert fresh == template
        assert new.category is not None
        assert fresh.category == category_slug(new.category)
        # The shown name is the first spelling that anybody used, and it has this key.
        assert [tag_key(tag) for tag in fresh.tags] == [tag_key(new.tags[0])]
    for new, template in list(zip(news, made, strict=True))[::5]:
        page = await writer.templates.search(
            tags=new.tags, category=new.category, scope="mine", limit=500
        )
        assert template.id in [hit.template.id for hit in page.rows]


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("  Ada@Example.ORG\n", "ada@example.org"),
        ("A\u030a@example.org", "\u00e5@example.org"),
        ("STRASSE@ß.example", "strasse@ß.example"),
        ("İ@example.org", "i\u0307@example.org"),
        ("o'brien+%_\\@example.org", "o'brien+%_\\@example.org"),
        ("\U0001f600@example.org", "\U0001f600@example.org"),
    ],
)
async def test_an_address_is_stored_in_its_normal_form(
    system: dal.Session, written: str, stored: str
) -> None:
    made = await system.users.create(email=written, full_name="A")
    assert made.email == stored
    assert await system.users.find_by_email(written) == made
    assert await system.users.find_by_email(f" {stored}\n") == made
    with pytest.raises(dal.UniqueError) as caught:
        await system.users.create(email=stored, full_name="B")
    assert caught.value.constraint == "uq_users_email_live"
    # A place for the test of the other server, or of the next run.
    await system.users.soft_delete(made.id)
    assert await system.users.find_by_email(written) is None


async def test_every_emoji_is_a_tag_of_its_own(writer: dal.Session, root: Root) -> None:
    with data_file("emoji_collation_groups.tsv").open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        emoji = [row["emoji"] for row in rows]
    assert len(set(emoji)) == 4733
    parts = list(in_parts(emoji, MAX_TAGS))
    made = await writer.templates.exchange.create_many(
        dal.NewTemplate(name=str(i), content="c", tags=part) for i, part in enumerate(parts)
    )
    for part, template in zip(parts, made, strict=True):
        fresh = await writer.templates.get(template.id)
        assert fresh.tags == set(part)
        assert template.tags == set(part)
    keys = {row[0] for row in root("SELECT HEX(tag_key) FROM tags")}
    assert {tag_key(e).encode().hex().upper() for e in emoji} <= keys
    # Each is found by itself alone.
    for e in emoji[::97]:
        found = (await writer.templates.search(tags=[e], scope="mine")).rows
        assert [e in hit.template.tags for hit in found] == [True]


Call = Callable[[Any, UUID, Any], Awaitable[object]]


def _address(value: Any) -> Any:
    """An address with the text in it, as long as that makes it."""
    return f"{value}@x.example"[-max(255, len(value)) :] if isinstance(value, str) else value


# field -> the most it takes (characters, or bytes for the long ones) and the methods that take it
LIMITS: Final[dict[str, tuple[int, dict[str, Call]]]] = {
    "name": (
        255,
        {
            "create": lambda s, _, v: s.templates.create(name=v, content="c"),
            "update_details": lambda s, i, v: s.templates.update_details(i, name=v),
            "fork": lambda s, i, v: s.templates.versions.fork(i, name=v),
        },
    ),
    "description": (
        65_535,
        {
            "create": lambda s, _, v: s.templates.create(name="n", content="c", description=v),
            "update_details": lambda s, i, v: s.templates.update_details(i, description=v),
        },
    ),
    "author_name": (
        255,
        {
            "create": lambda s, _, v: s.templates.create(name="n", content="c", author_name=v),
            "update_details": lambda s, i, v: s.templates.update_details(i, author_name=v),
        },
    ),
    "content": (
        MAX_PROMPT_BYTES,
        {
            "create": lambda s, _, v: s.templates.create(name="n", content=v),
            "commit": lambda s, i, v: s.templates.versions.commit(i, content=v),
        },
    ),
    "system_prompt": (
        MAX_PROMPT_BYTES,
        {
            "create": lambda s, _, v: s.templates.create(name="n", content="c", system_prompt=v),
            "commit": lambda s, i, v: s.templates.versions.commit(i, content="c", system_prompt=v),
        },
    ),
    "message": (
        500,
        {
            "commit": lambda s, i, v: s.templates.versions.commit(i, content="x", message=v),
            "rollback": lambda s, i, v: s.templates.versions.rollback(i, 1, message=v),
        },
    ),
    "feedback": (65_535, {"rate": lambda s, i, v: s.templates.ratings.set(i, 5, feedback=v)}),
    "label": (
        100,
        {
            "set_label": lambda s, i, v: s.templates.labels.set(i, v, 1),
            "get_labelled": lambda s, i, v: s.templates.labels.get_version(i, v),
            "remove_label": lambda s, i, v: s.templates.labels.remove(i, v),
            "search": lambda s, _, v: s.templates.search(label=v),
        },
    ),
    "author": (255, {"search": lambda s, _, v: s.templates.search(author=v)}),
    "category": (
        100,
        {
            "create": lambda s, _, v: s.templates.create(name="n", content="c", category=v),
            "update_details": lambda s, i, v: s.templates.update_details(i, category=v),
            "search": lambda s, _, v: s.templates.search(category=v),
            "rename_category": lambda s, _, v: s.categories.rename(v, "x"),
            "merge_categories": lambda s, _, v: s.categories.merge(v, "x"),
        },
    ),
    "tags": (
        100,
        {
            "create": lambda s, _, v: s.templates.create(name="n", content="c", tags=[v]),
            "update_details": lambda s, i, v: s.templates.update_details(i, tags=["ok", v]),
            "search": lambda s, _, v: s.templates.search(tags=[v]),
        },
    ),
    "into": (100, {"merge_categories": lambda s, _, v: s.categories.merge("x", v)}),
    "any_tags": (100, {"search": lambda s, _, v: s.templates.search(any_tags=["ok", v])}),
    "text": (
        1_000,
        {
            "search": lambda s, _, v: s.templates.search(v),
            "count_search": lambda s, _, v: s.templates.count_search(v),
        },
    ),
    "email": (
        254,
        {
            "create": lambda s, _, v: s.users.create(email=_address(v), full_name="A"),
            "update_details": lambda s, _, v: s.users.update_details(s.actor.id, email=_address(v)),
        },
    ),
    "full_name": (
        100,
        {
            "create": lambda s, _, v: s.users.create(email=f"{uuid4()}@x.example", full_name=v),
            "update_details": lambda s, _, v: s.users.update_details(s.actor.id, full_name=v),
        },
    ),
}  # fmt: skip
TAKERS = [(field, name) for field, (_, takers) in LIMITS.items() for name in takers]


def everything(root: Root) -> list[int]:
    tables = [
        "users",
        "user_tokens",
        "categories",
        "tags",
        "templates",
        "template_versions",
        "template_tags",
        "template_labels",
        "template_label_moves",
        "template_ratings",
        "template_postings",
        "audit_logs",
    ]
    return [root(f"SELECT COUNT(*) FROM {table}")[0][0] for table in tables]


@pytest.mark.parametrize(("field", "taker"), TAKERS)
@pytest.mark.parametrize("what", ["surrogate", "pair of surrogates", "too long", "bytes", "number"])
async def test_what_no_column_holds_is_refused_by_name(
    as_ada: dal.Session, root: Root, field: str, taker: str, what: str
) -> None:
    longest, takers = LIMITS[field]
    made = await as_ada.templates.create(name="n", content="c")
    value: object = {
        "surrogate": "a\ud800b",
        "pair of surrogates": "\ud83d\ude00",
        "too long": "é" * (longest + 1),
        "bytes": b"bytes",
        "number": 7,
    }[what]
    before = everything(root)
    with pytest.raises(dal.ValueRejectedError) as caught:
        await takers[taker](as_ada, made.id, value)
    assert caught.value.field == field
    assert everything(root) == before
    assert await as_ada.templates.get(made.id) == made


@pytest.mark.parametrize(
    "field",
    ["name", "description", "author_name", "message", "feedback", "label", "full_name"],
)
async def test_as_long_as_the_column_is_stored(as_ada: dal.Session, field: str) -> None:
    longest, takers = LIMITS[field]
    made = await as_ada.templates.create(name="n", content="c")
    text = "\U0001f600" * longest if longest < 65_535 else "x" * longest
    for taker, call in takers.items():
        stored = await call(as_ada, made.id, text)
        # Of a label, these tell other things.
        if field != "label" or taker == "set_label":
            assert getattr(stored, field) == text


async def test_the_limits_are_those_of_the_columns(root: Root) -> None:
    lengths = {
        (table, column): (data_type, chars, octets)
        for table, column, data_type, chars, octets in root(
            "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH,"
            " CHARACTER_OCTET_LENGTH FROM information_schema.COLUMNS"
            " WHERE TABLE_SCHEMA = DATABASE() AND CHARACTER_MAXIMUM_LENGTH IS NOT NULL"
        )
    }
    columns = {
        "name": ("templates", "name"),
        "description": ("templates", "description"),
        "author_name": ("templates", "author_name"),
        "content": ("template_versions", "content"),
        "system_prompt": ("template_versions", "system_prompt"),
        "message": ("template_versions", "message"),
        "email": ("users", "email"),
        "full_name": ("users", "full_name"),
        "author": ("templates", "author_name"),
        "feedback": ("template_ratings", "feedback"),
        "label": ("template_labels", "label"),
        "category": ("categories", "slug"),
        "into": ("categories", "slug"),
        "any_tags": ("tags", "tag_key"),
        "tags": ("tags", "tag_key"),
    }
    assert set(columns) == set(LIMITS) - {"text"}
    for field, column in columns.items():
        data_type, chars, octets = lengths[column]
        expected = chars if data_type == "varchar" else octets
        assert LIMITS[field][0] == expected, field
    assert lengths[("categories", "name")][1] == lengths[("categories", "slug")][1]
    assert lengths[("tags", "name")][1] == lengths[("tags", "tag_key")][1]
    # What an actor may hold is what an entry may hold.
    for field, chars in {"actor_name": 100, "ip": 45, "user_agent": 255, "request_id": 64}.items():
        assert lengths[("audit_logs", field)][1] == chars
        made = dal.Actor.system("x") if field == "actor_name" else dal.Actor.anonymous()
        name = field.removeprefix("actor_")
        assert getattr(_with(made, name, "é" * chars), name) == "é" * chars
        with pytest.raises(dal.ValueRejectedError) as caught:
            _with(made, name, "é" * (chars + 1))
        assert caught.value.field == name


def _with(actor: dal.Actor, field: str, value: str) -> dal.Actor:
    changes: dict[str, Any] = {field: value}
    return attrs.evolve(actor, **changes)
