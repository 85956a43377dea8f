"""Finding prompts: by question and answer, in what one takes part in, narrowed, page by page."""

from __future__ import annotations

from typing import Any

import pytest

import dal
from tests.conftest import new_user


@pytest.fixture
async def me(db: dal.Database) -> dal.Session:
    return db.acting_as(dal.Actor.user((await new_user(db)).id))


async def test_a_hit_is_a_prompt(db: dal.Database, me: dal.Session) -> None:
    bob = await new_user(db, "Bob")
    as_bob = db.acting_as(dal.Actor.user(bob.id))
    mine = await me.conversations.create(title="zebras")
    theirs = await as_bob.conversations.create(title="t")
    assert me.actor.id is not None
    await as_bob.conversations.participants.add(theirs.id, me.actor.id, "collaborator")
    one = await me.prompts.create(mine.id, user_input="a zebra", response="stripes")
    two = await me.prompts.create(mine.id, user_input="more zebras, zebra by zebra")
    three = await as_bob.prompts.create(theirs.id, user_input="zebra", response="zebra")
    four = await me.prompts.create(theirs.id, user_input="a lion", response="no zebra at all")

    async def found(text: str, session: dal.Session = me, **how: Any) -> set[Any]:
        return {hit.prompt.id for hit in (await session.prompts.search(text, **how)).rows}

    # The title is the conversation's, and no prompt of it.
    assert await found("zebra") == {one.id, two.id, three.id, four.id}
    assert await found("stripes") == {one.id}
    assert await found("zebra", scope="mine") == {one.id, two.id}
    assert await found("zebra", scope="shared") == {three.id, four.id}
    assert await found("zebra", conversation_id=theirs.id) == {three.id, four.id}
    assert await found("zebra", author_id=bob.id) == {three.id}
    assert await found("zebra", status="pending") == {two.id}
    assert await found("zebra", status="completed", author_id=me.actor.id) == {one.id, four.id}
    assert await found("zebra", as_bob) == {three.id, four.id}
    assert await found("zebra", as_bob, conversation_id=mine.id) == set()
    await me.prompts.soft_delete(one.id)
    await as_bob.conversations.participants.remove(theirs.id, me.actor.id)
    assert await found("zebra") == {two.id}
    (hit,) = (await me.prompts.search("zebra")).rows
    assert hit.snippet is not None
    start, end = hit.snippet.highlights[0]
    assert hit.snippet.text[start:end] == "zebras"


async def test_pages_of_hits(me: dal.Session) -> None:
    talk = await me.conversations.create(title="t")
    made = [
        (await me.prompts.create(talk.id, user_input="okapi " * (1 + n % 3))).id for n in range(7)
    ]
    whole = (await me.prompts.search("okapi", limit=50)).rows
    assert {hit.prompt.id for hit in whole} == set(made)
    assert [hit.score for hit in whole] == sorted((hit.score for hit in whole), reverse=True)
    paged: list[dal.PromptHit] = []
    after = None
    while True:
        page = await me.prompts.search("okapi", limit=3, after=after)
        paged += page.rows
        after = page.next
        if after is None:
            break
    assert paged == list(whole)
    with pytest.raises(dal.ValueRejectedError):
        await me.prompts.search("okapi", limit=3, after=after or "x", status="pending")


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("text", {"text": " "}), ("text", {"text": "x" * 1_001}), ("scope", {"scope": "all"}),
        ("conversation_id", {"conversation_id": "c"}), ("author_id", {"author_id": 1}),
        ("status", {"status": "done"}), ("limit", {"limit": 0}),
    ],
)  # fmt: skip
async def test_a_search_that_is_none_is_named(
    me: dal.Session, field: str, given: dict[str, Any]
) -> None:
    with pytest.raises(dal.ValueRejectedError) as refused:
        await me.prompts.search(**{"text": "x", **given})
    assert refused.value.field == field
