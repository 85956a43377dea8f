"""Versions: made, compared, gone back to, deleted, forked, and filled in."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

import dal
from tests.conftest import Recorder
from tests.repositories.conftest import Root


async def history(session: dal.Session, template: dal.Template) -> list[int]:
    """The numbers of all versions, newest first."""
    numbers: list[int] = []
    after = None
    while True:
        page = await session.templates.versions.list_of(template.id, limit=2, after=after)
        numbers += [row.version for row in page.rows]
        if page.next is None:
            return numbers
        after = page.next


async def found_by(session: dal.Session, word: str) -> set[Any]:
    """The ids that a word finds; asked twice, since a fresh commit may be missed once."""
    found: set[Any] = set()
    for _ in range(2):
        page = await session.templates.search(word, scope="mine")
        found = {hit.template.id for hit in page.rows}
    return found


async def test_a_commit_is_a_version_more(
    as_ada: dal.Session, ada: dal.User, clock: dal.ManualClock
) -> None:
    made = await as_ada.templates.create(name="n", content="one", system_prompt="p")
    clock.move(timedelta(seconds=1))
    second = await as_ada.templates.versions.commit(
        made.id, content="two\0 é ", message="why", expected_head=1
    )
    assert (second.version, second.content, second.system_prompt) == (2, "two\0 é ", "p")
    assert (second.message, second.created_by, second.created_at) == ("why", ada.id, clock.now())
    assert await as_ada.templates.versions.get(made.id, 2) == second
    now = await as_ada.templates.get(made.id)
    assert (now.content, now.system_prompt, now.head_version) == ("two\0 é ", "p", 2)
    assert now.last_version == 2
    assert now.updated_at == clock.now()
    first = await as_ada.templates.versions.get(made.id, 1)
    assert (first.content, first.created_at) == ("one", made.created_at)
    # The prompt alone is a change, and so is to have none.
    for number, prompt in ((3, ""), (4, None)):
        done = await as_ada.templates.versions.commit(
            made.id, content=second.content, system_prompt=prompt
        )
        assert done.version == number
    assert (await as_ada.templates.versions.get(made.id, 3)).system_prompt == ""
    assert (await as_ada.templates.get(made.id)).system_prompt is None
    assert await history(as_ada, made) == [4, 3, 2, 1]
    summaries = (await as_ada.templates.versions.list_of(made.id)).rows
    assert [row.content_chars for row in summaries] == [7, 7, 7, 3]
    assert [row.content_sha256 for row in summaries] == [
        (await as_ada.templates.versions.get(made.id, number)).content_sha256
        for number in (4, 3, 2, 1)
    ]


async def test_the_same_text_is_no_change(
    as_ada: dal.Session, clock: dal.ManualClock, recorder: Recorder
) -> None:
    made = await as_ada.templates.create(name="n", content="one", system_prompt="p")
    head = await as_ada.templates.versions.get(made.id, 1)
    clock.move(timedelta(seconds=1))
    recorder.clear()
    assert await as_ada.templates.versions.commit(made.id, content="one", message="m") == head
    assert await as_ada.templates.versions.commit(made.id, content="one", system_prompt="p") == head
    assert await as_ada.templates.versions.rollback(made.id, 1) == head
    assert "audit_logs/insert" not in recorder.names
    assert await as_ada.templates.get(made.id) == made
    # An older text again is one: the newest is what counts.
    await as_ada.templates.versions.commit(made.id, content="two")
    assert (await as_ada.templates.versions.commit(made.id, content="one")).version == 3


async def test_whoever_comes_second_is_told(as_ada: dal.Session) -> None:
    made = await as_ada.templates.create(name="n", content="one")
    await as_ada.templates.versions.commit(made.id, content="two", expected_head=1)
    calls: list[tuple[Any, int]] = [
        (lambda: as_ada.templates.versions.commit(made.id, content="three", expected_head=1), 1),
        # The same text too: what was read is not what is there.
        (lambda: as_ada.templates.versions.commit(made.id, content="two", expected_head=1), 1),
        (lambda: as_ada.templates.versions.commit(made.id, content="three", expected_head=3), 3),
        (lambda: as_ada.templates.versions.rollback(made.id, 1, expected_head=1), 1),
    ]
    for call, expected in calls:
        with pytest.raises(dal.StaleVersionError) as caught:
            await call()
        assert (caught.value.expected, caught.value.actual) == (expected, 2)
    assert await history(as_ada, made) == [2, 1]


async def test_commits_at_once_are_numbered_without_gap_or_double(
    as_ada: dal.Session, root: Root
) -> None:
    made = await as_ada.templates.create(name="n", content="one")
    texts = {f"text {number}" for number in range(12)}
    versions = await asyncio.gather(
        *(as_ada.templates.versions.commit(made.id, content=text) for text in texts)
    )
    assert sorted(version.version for version in versions) == list(range(2, 14))
    assert {version.content for version in versions} == texts
    head = await as_ada.templates.get(made.id)
    assert (head.head_version, head.last_version) == (13, 13)
    assert head.content == next(v.content for v in versions if v.version == 13)
    one_head = await asyncio.gather(
        *(
            as_ada.templates.versions.commit(made.id, content=f"x {n}", expected_head=13)
            for n in range(8)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, dal.TemplateVersion) for outcome in one_head) == 1
    assert sum(isinstance(outcome, dal.StaleVersionError) for outcome in one_head) == 7
    numbers = root(
        "SELECT version FROM template_versions WHERE template_id = %s ORDER BY version",
        made.id.bytes,
    )
    assert [number for (number,) in numbers] == list(range(1, 15))


async def test_going_back_is_a_version_with_the_old_text(as_ada: dal.Session) -> None:
    made = await as_ada.templates.create(name="n", content="one {{a}}", system_prompt="p")
    await as_ada.templates.versions.commit(made.id, content="two", system_prompt=None)
    back = await as_ada.templates.versions.rollback(made.id, 1)
    assert (back.version, back.content, back.system_prompt) == (3, "one {{a}}", "p")
    assert back.message == "rollback to 1"
    assert back.variables == (dal.Variable("a", None),)
    first = await as_ada.templates.versions.get(made.id, 1)
    assert back.content_sha256 == first.content_sha256
    assert (await as_ada.templates.versions.rollback(made.id, 2, message="")).message == ""
    assert await as_ada.templates.versions.get(made.id, 1) == first
    with pytest.raises(dal.NotFoundError):
        await as_ada.templates.versions.rollback(made.id, 5)
    assert [entry.action for entry in (await as_ada.audit.list_mine(limit=2)).rows] == [
        "template.rollback",
        "template.rollback",
    ]


async def test_a_diff_is_unified(as_ada: dal.Session, as_bob: dal.Session) -> None:
    made = await as_ada.templates.create(name="n", content="a\nb\nc\n", visibility="public")
    await as_ada.templates.versions.commit(made.id, content="a\nB\nc\n", system_prompt="new")
    diff = await as_bob.templates.versions.diff(made.id, 1, 2)
    assert diff.content.split("\n") == [
        "--- version 1", "+++ version 2", "@@ -1,4 +1,4 @@", " a", "-b", "+B", " c", " ",
    ]  # fmt: skip
    assert "+new" in diff.system_prompt.split("\n")
    back = await as_bob.templates.versions.diff(made.id, 2, 1, context=0)
    assert back.content.split("\n") == ["--- version 2", "+++ version 1", "@@ -2 +2 @@", "-B", "+b"]
    assert await as_bob.templates.versions.diff(made.id, 2, 2) == dal.VersionDiff("", "")
    with pytest.raises(dal.NotFoundError):
        await as_bob.templates.versions.diff(made.id, 1, 3)
    with pytest.raises(dal.ValueRejectedError) as caught:
        await as_bob.templates.versions.diff(made.id, 1, 2, context=-1)
    assert caught.value.field == "context"


async def test_a_fork_says_where_it_comes_from(
    as_ada: dal.Session, as_bob: dal.Session, bob: dal.User
) -> None:
    source = await as_ada.templates.create(
        name="source", content="one", system_prompt="p", description="d", author_name="Ann",
        category="Some Thing", tags=["Red", "blue"], visibility="public",
    )  # fmt: skip
    await as_ada.templates.versions.commit(source.id, content="two {{x=1}}")
    await as_ada.templates.labels.set(source.id, "production", 1)
    fork = await as_bob.templates.versions.fork(source.id)
    assert await as_bob.templates.get(fork.id) == fork
    assert (fork.forked_from_id, fork.forked_from_version) == (source.id, 2)
    assert (fork.owner_id, fork.visibility, fork.content) == (bob.id, "private", "two {{x=1}}")
    assert fork.variables == (dal.Variable("x", "1"),)
    for field in ("name", "description", "author_name", "category", "tags", "system_prompt"):
        assert getattr(fork, field) == getattr(source, field)
    assert await history(as_bob, fork) == [1]
    assert await as_bob.templates.labels.list_of(fork.id) == []
    old = await as_bob.templates.versions.fork(source.id, version=1, name="mine", id=uuid4())
    assert (old.name, old.content, old.forked_from_version) == ("mine", "one", 1)
    with pytest.raises(dal.NotFoundError):
        await as_bob.templates.versions.fork(source.id, version=3)
    with pytest.raises(dal.UniqueError):
        await as_bob.templates.versions.fork(source.id, id=old.id)
    # What it comes from may go; the fork stays as it is.
    await as_ada.templates.soft_delete(source.id)
    with pytest.raises(dal.NotFoundError):
        await as_bob.templates.versions.fork(source.id)
    await as_ada.templates.trash.purge(source.id)
    after = await as_bob.templates.get(fork.id)
    assert after.content == fork.content


async def test_the_head_moves_back_and_its_number_is_not_given_again(
    as_ada: dal.Session,
) -> None:
    first, second, third = (f"w{uuid4().hex}" for _ in range(3))
    made = await as_ada.templates.create(name="n", content=first)
    await as_ada.templates.versions.commit(made.id, content=second)
    await as_ada.templates.versions.commit(made.id, content=third)
    assert await found_by(as_ada, third) == {made.id}
    await as_ada.templates.versions.delete(made.id, 3)
    now = await as_ada.templates.get(made.id)
    assert (now.head_version, now.last_version, now.content) == (2, 3, second)
    # The search follows.
    assert await found_by(as_ada, third) == set()
    assert await found_by(as_ada, second) == {made.id}
    again = await as_ada.templates.versions.commit(made.id, content=third)
    assert again.version == 4
    # One in the middle leaves the head and the search as they are.
    await as_ada.templates.versions.delete(made.id, 2)
    assert await history(as_ada, made) == [4, 1]
    assert await found_by(as_ada, third) == {made.id}
    await as_ada.templates.versions.delete(made.id, 4)
    assert (await as_ada.templates.get(made.id)).content == first
    for number in (2, 3, 4, 5):
        with pytest.raises(dal.NotFoundError):
            await as_ada.templates.versions.delete(made.id, number)
        with pytest.raises(dal.NotFoundError):
            await as_ada.templates.versions.get(made.id, number)
    with pytest.raises(dal.ConstraintError) as caught:
        await as_ada.templates.versions.delete(made.id, 1)
    assert caught.value.constraint == "only_version"
    assert (
        await as_ada.templates.versions.commit(made.id, content="x", expected_head=1)
    ).version == 5


@pytest.mark.parametrize("labelled", [1, 2])
async def test_a_labelled_version_stays(as_ada: dal.Session, labelled: int) -> None:
    made = await as_ada.templates.create(name="n", content="one")
    await as_ada.templates.versions.commit(made.id, content="two")
    await as_ada.templates.labels.set(made.id, "staging", labelled)
    before = await as_ada.templates.get(made.id)
    with pytest.raises(dal.ChildExistsError):
        await as_ada.templates.versions.delete(made.id, labelled)
    assert await as_ada.templates.get(made.id) == before
    assert await history(as_ada, made) == [2, 1]
    await as_ada.templates.labels.remove(made.id, "staging")
    await as_ada.templates.versions.delete(made.id, labelled)
    assert await history(as_ada, made) == [3 - labelled]


async def test_variables_are_found_and_filled_in(as_ada: dal.Session) -> None:
    made = await as_ada.templates.create(
        name="n", content="Review {{ language = SQL }}: {{code}} \\{{kept}}",
        system_prompt="You know {{language}} and {{größe=}}",
    )  # fmt: skip
    assert made.variables == (
        dal.Variable("language", "SQL"), dal.Variable("code", None), dal.Variable("größe", ""),
    )  # fmt: skip
    version = await as_ada.templates.versions.get(made.id, 1)
    assert version.variables == made.variables == (await as_ada.templates.get(made.id)).variables
    # A value is never expanded again.
    for one in (made, version):
        assert one.render({"code": "{{language}}"}) == dal.RenderedPrompt(
            "Review SQL: {{language}} {{kept}}", "You know SQL and "
        )
    with pytest.raises(dal.VariablesError) as caught:
        version.render({"language": "C", "cod": "x", "kept": "y"})
    assert caught.value.missing == ("code",)
    assert caught.value.unknown == ("cod", "kept")
    after = await as_ada.templates.versions.commit(made.id, content="none", system_prompt=None)
    assert after.variables == ()
    assert after.render({}) == dal.RenderedPrompt("none", None)
    assert (await as_ada.templates.versions.get(made.id, 1)).variables == made.variables
    many = " ".join(f"{{{{v{number}}}}}" for number in range(201))
    with pytest.raises(dal.ValueRejectedError) as refused:
        await as_ada.templates.versions.commit(made.id, content=many)
    assert refused.value.field == "content"
    assert await history(as_ada, made) == [2, 1]


@pytest.mark.parametrize("number", [0, -1, 2**32, True, "1", None, 1.0])
async def test_what_is_no_number_of_a_version(as_ada: dal.Session, number: Any) -> None:
    made = await as_ada.templates.create(name="n", content="one")
    templates = as_ada.templates
    calls: list[tuple[str, Any]] = [
        ("version", lambda: templates.versions.rollback(made.id, number)),
        ("version", lambda: templates.versions.delete(made.id, number)),
        ("version", lambda: templates.labels.set(made.id, "x", number)),
        ("from_version", lambda: templates.versions.diff(made.id, number, 1)),
        ("to_version", lambda: templates.versions.diff(made.id, 1, number)),
    ]
    if number is not None:
        calls.append(("version", lambda: templates.versions.fork(made.id, version=number)))
    for field, call in calls:
        with pytest.raises(dal.ValueRejectedError) as caught:
            await call()
        assert caught.value.field == field
