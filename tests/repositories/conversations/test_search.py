"""The search over conversations: what is found, by whom, and what changes that."""

from __future__ import annotations

import pytest

import dal
from tests.conftest import new_user


@pytest.fixture
async def me(db: dal.Database) -> dal.Session:
    return db.acting_as(dal.Actor.user((await new_user(db)).id))


async def titles(session: dal.Session, text: str, scope: str = "visible") -> list[str]:
    page = await session.conversations.search(text, scope=scope)
    return [hit.conversation.title for hit in page.rows]


async def test_one_hit_a_conversation_with_a_piece_of_its_best_prompt(me: dal.Session) -> None:
    boats = await me.conversations.create(title="Harbour", description="where they lie")
    for text in ("Nothing of it.", "How is a wooden boat painted?", "And a boat of steel?"):
        await me.prompts.create(boats.id, user_input=text, response="Slowly.")
    other = await me.conversations.create(title="Boats of paper")
    await me.prompts.create(other.id, user_input="Fold twice.")
    (first, second) = (await me.conversations.search("painting wooden boats")).rows
    assert first.conversation == (await me.conversations.list_mine()).rows[1]
    assert (first.sequence_number, first.score > second.score) == (2, True)
    assert first.snippet is not None
    assert first.snippet.text == "How is a wooden boat painted?"
    marked = [first.snippet.text[a:b] for a, b in first.snippet.highlights]
    assert marked == ["wooden", "boat", "painted"]
    assert second.sequence_number is None
    assert second.snippet is not None
    assert second.snippet.text == "Boats of paper"
    assert await titles(me, "harbour") == await titles(me, "lie") == ["Harbour"]
    assert (await me.conversations.search("xyzzy")).rows == ()


async def test_who_takes_part_finds_it_and_nobody_else(db: dal.Database, me: dal.Session) -> None:
    bob = await new_user(db, "Bob")
    as_bob = db.acting_as(dal.Actor.user(bob.id))
    made = await me.conversations.create(title="Of zeppelins")
    await me.prompts.create(made.id, user_input="How fast?", response="Helium is slow.")
    assert await titles(as_bob, "zeppelin") == []
    await me.conversations.participants.add(made.id, bob.id)
    for text in ("zeppelin", "helium"):
        assert await titles(as_bob, text) == await titles(as_bob, text, "shared") == [made.title]
        assert await titles(as_bob, text, "mine") == await titles(me, text, "shared") == []
        assert await titles(me, text) == await titles(me, text, "mine") == [made.title]
    await me.conversations.participants.transfer(made.id, bob.id)
    assert await titles(as_bob, "helium", "mine") == await titles(me, "helium", "shared")
    assert await titles(me, "helium", "mine") == []
    await as_bob.conversations.participants.remove(made.id, made.owner_id)
    assert await titles(me, "helium") == []
    await as_bob.conversations.archive(made.id)
    assert await titles(as_bob, "helium") == [made.title]
    await as_bob.conversations.soft_delete(made.id)
    assert await titles(as_bob, "helium") == []
    await as_bob.conversations.restore(made.id)
    assert await titles(as_bob, "helium") == [made.title]


async def test_what_is_changed_or_deleted_is_found_by_what_it_is_now(me: dal.Session) -> None:
    made = await me.conversations.create(title="alpha", description="beta")
    one = await me.prompts.create(made.id, user_input="gamma delta")
    await me.prompts.create(made.id, user_input="gamma epsilon")
    await me.conversations.update_details(made.id, title="zeta")
    assert [await titles(me, text) for text in ("alpha", "beta", "zeta", "delta")] == [
        [], ["zeta"], ["zeta"], ["zeta"]
    ]  # fmt: skip
    await me.prompts.soft_delete(one.id)
    assert [await titles(me, text) for text in ("delta", "gamma")] == [[], ["zeta"]]
    (hit,) = (await me.conversations.search("gamma")).rows
    assert hit.sequence_number == 2
    await me.prompts.restore(one.id)
    assert await titles(me, "delta") == ["zeta"]


async def test_pages_lead_through_all_of_them(me: dal.Session) -> None:
    for n in range(7):
        made = await me.conversations.create(title=f"talk {n}")
        await me.prompts.create(made.id, user_input="lighthouse " * (n % 3 + 1))
    whole = [hit.conversation.id for hit in (await me.conversations.search("lighthouse")).rows]
    assert len(whole) == 7
    paged = []
    after = None
    while True:
        page = await me.conversations.search("lighthouse", limit=2, after=after)
        paged += [hit.conversation.id for hit in page.rows]
        after = page.next
        if after is None:
            break
    assert paged == whole
    with pytest.raises(dal.ValueRejectedError) as refused:
        await me.conversations.search("another", after=page.next or "x")
    assert refused.value.field == "after"


@pytest.mark.parametrize(
    ("how", "field"),
    [
        ({"text": " \n"}, "text"),
        ({"text": "x" * 1_001}, "text"),
        ({"text": "x", "scope": "public"}, "scope"),
        ({"text": "x", "limit": 0}, "limit"),
    ],
)
async def test_what_cannot_be_asked_is_named(
    me: dal.Session, how: dict[str, str], field: str
) -> None:
    with pytest.raises(dal.ValueRejectedError) as refused:
        await me.conversations.search(**how)  # type: ignore[arg-type]
    assert refused.value.field == field


async def test_what_was_imported_is_found(me: dal.Session) -> None:
    await me.conversations.exchange.create_many(
        [
            dal.ImportedConversation(
                title="brought", prompts=[dal.ImportedPrompt(user_input="kumquat", response="yes")]
            )
        ]
    )
    assert await titles(me, "kumquats") == await titles(me, "brought") == ["brought"]
