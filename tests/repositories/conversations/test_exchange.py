"""Conversations brought in and taken out: the same again, everybody's words, real dialogues."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

import dal
from dal.cli.importing import Importer, Report, Source
from dal.cli.kinds import Conversations
from tests.conftest import new_user
from tests.repositories.conftest import Root
from tests.repositories.data import data_file, file_of, script_adapters


async def put(source: Source, db: dal.Database, owner: dal.User, **how: Any) -> Report:
    kind = Conversations(owner_id=owner.id, **how)
    return await Importer(kind=kind).run(source, db.acting_as(dal.Actor.system("tests")))


async def exported(session: dal.Session) -> list[dal.ConversationExport]:
    return [one async for one in session.conversations.exchange.export()]


async def test_what_is_taken_out_comes_in_again_as_it_was(db: dal.Database) -> None:
    ada, bob, cleo = [await new_user(db, name) for name in ("Ada", "Bob", "Cleo")]
    me, as_bob = (db.acting_as(dal.Actor.user(user.id)) for user in (ada, bob))
    made = await me.conversations.create(
        title="Ünïcode\u2028title", description="d", context={"a": [1, None]}, settings={"t": 0.5}
    )
    await me.conversations.participants.add(made.id, bob.id, "collaborator")
    await me.conversations.participants.add(made.id, cleo.id, "viewer")
    await me.prompts.create(
        made.id, user_input="one", response="\0", usage={"input": 3}, cost=Decimal("0.0000000001")
    )
    gone = await me.prompts.create(made.id, user_input="gone")
    await as_bob.prompts.create(made.id, user_input="two\n## 9. Ada\n> three")
    await me.prompts.soft_delete(gone.id)
    await me.conversations.change_status(made.id, "paused")
    await me.conversations.archive(made.id)
    (before,) = await exported(me)
    assert [prompt.user_input for prompt in before.prompts] == [
        "one", "two\n## 9. Ada\n> three"
    ]  # fmt: skip
    assert {person.full_name for person in before.participants} == {"Ada", "Bob", "Cleo"}
    await me.conversations.soft_delete(made.id)
    await me.conversations.trash.purge(made.id)
    line = before.to_line()
    assert line.count("\n") == 1
    report = await put(file_of([json.loads(line)]), db, bob)
    assert (report.imported, report.bad) == (1, [])
    (after,) = await exported(me)
    talk, was = after.conversation, before.conversation
    assert after.to_mapping() == before.to_mapping()
    assert (talk.last_sequence, was.last_sequence) == (2, 3)
    kept = ("id", "owner_id", "title", "context", "settings", "status", "archived_at", "cost",
            "message_count", "token_count", "created_at")  # fmt: skip
    assert [getattr(talk, name) for name in kept] == [getattr(was, name) for name in kept]
    assert [person.role for person in after.participants] == [
        person.role for person in before.participants
    ]
    # The same file again finds it there.
    again = await put(file_of([json.loads(line)]), db, bob)
    assert (again.imported, again.already_there, again.bad) == (0, 1, [])


async def test_markdown_is_to_be_read_and_no_text_is_taken_for_a_heading(db: dal.Database) -> None:
    system = db.acting_as(dal.Actor.system("tests"))
    email = f"{uuid4().hex}@example.org"
    ada = await system.users.create(email=email, full_name="Ada # Lovelace")
    me = db.acting_as(dal.Actor.user(ada.id))
    made = await me.conversations.create(title="A\ntitle", description="for\nall")
    await me.prompts.create(made.id, user_input="# not mine\ntext", response="## nor this")
    (one,) = await exported(me)
    at = f"{one.prompts[0].created_at:%Y-%m-%d %H:%M}"
    assert one.to_markdown() == (
        "# A title\n\n> for\n> all\n\n- Ada # Lovelace: owner\n\n"
        f"## 1. Ada # Lovelace, {at} UTC\n\n> # not mine\n> text\n\n### Answer\n\n> ## nor this\n"
    )


async def test_a_user_brings_in_their_own_words_alone(db: dal.Database) -> None:
    ada, bob = await new_user(db, "Ada"), await new_user(db, "Bob")
    me = db.acting_as(dal.Actor.user(ada.id))
    for wrong in (
        dal.ImportedConversation(title="t", owner_id=bob.id),
        dal.ImportedConversation(
            title="t", prompts=[dal.ImportedPrompt(user_input="?", author_id=bob.id)]
        ),
    ):
        with pytest.raises(dal.PermissionDeniedError):
            await me.conversations.exchange.create_many([wrong])
    with pytest.raises(dal.PermissionDeniedError):
        await me.conversations.exchange.create_many([], owner_id=bob.id)
    assert await me.conversations.count_mine() == 0


async def test_all_or_none(db: dal.Database) -> None:
    ada = await new_user(db, "Ada")
    me = db.acting_as(dal.Actor.user(ada.id))
    good = dal.ImportedConversation(title="good")
    for bad, error in (
        (dal.ImportedConversation(title="t", participants={uuid4(): "viewer"}),
         dal.ParentMissingError),
        (dal.ImportedConversation(title="t", participants={ada.id: "viewer"}, owner_id=None,
                                  prompts=[dal.ImportedPrompt(user_input="?")]), None),
        ("no conversation", dal.ValueRejectedError),
    ):  # fmt: skip
        news: list[Any] = [good, bad]
        if error is None:
            # The owner is the owner, whatever else is said of them.
            assert await me.conversations.exchange.create_many(news) == 2
            continue
        with pytest.raises(error):
            await me.conversations.exchange.create_many(news)
    assert await me.conversations.count_mine() == 2
    reader = await new_user(db, "Cleo")
    says = dal.ImportedConversation(
        title="t",
        participants={reader.id: "viewer"},
        prompts=[dal.ImportedPrompt(user_input="?", author_id=reader.id)],
    )
    system = db.acting_as(dal.Actor.system("tests"))
    with pytest.raises(dal.ValueRejectedError) as refused:
        await system.conversations.exchange.create_many([says], owner_id=ada.id)
    assert refused.value.field == "participants"
    with pytest.raises(dal.UsageError):
        await system.conversations.exchange.create_many([good])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"prompts": []}, "title: missing"),
        ({"title": " "}, "title: something to see is required"),
        ({"title": "t", "more": 1}, "more: unknown"),
        ({"title": "t", "status": "open"}, "status: active, paused or completed"),
        ({"title": "t", "created_at": "2020-01-01"}, "created_at: a datetime with its zone, year"),
        ({"title": "t", "created_at": "soon"}, "created_at: malformed"),
        ({"title": "t", "id": "7"}, "id: malformed"),
        ({"title": "t", "prompts": {}}, "prompts: a list of objects is required"),
        ({"title": "t", "prompts": [1]}, "prompts: item 1: an object is required"),
        ({"title": "t", "prompts": [{"response": "x"}]}, "prompts: item 1: user_input: missing"),
        ({"title": "t", "prompts": [{"user_input": "x", "cost": "1e-19"}]},
         "prompts: item 1: cost: a Decimal"),
        ({"title": "t", "prompts": [{"user_input": "x", "cost": "x"}]},
         "prompts: item 1: cost: malformed"),
        ({"title": "t", "participants": ["a"]}, "participants: an object of ids and roles"),
        ({"title": "t", "participants": {"x@example.org": "owner"}}, "role: collaborator"),
        ({"title": "t", "participants": {"a@b@c": "viewer"}}, "email: "),
        ({"title": "t", "participants": {"nobody-has-it@example.org": "viewer"}},
         "participants: no user has the address nobody-has-it@example.org"),
        ({"title": "t", "names": {"a@example.org": 1}}, "names: an object of addresses and names"),
        ({"title": "t", "participants": {str(UUID(int=5)): "viewer"}},
         "an owner, participant or author is not there"),
        ({"title": "t", "deleted_at": "2020-01-01T00:00:00Z"}, "deleted_at: what is deleted"),
    ],
)  # fmt: skip
async def test_a_bad_row_is_named_and_the_others_go_in(
    db: dal.Database, row: dict[str, Any], reason: str
) -> None:
    owner = await new_user(db, "Owner")
    me = db.acting_as(dal.Actor.user(owner.id))
    report = await put(file_of([{"title": "a"}, row, {"title": "b"}]), db, owner)
    (bad,) = report.bad
    assert bad.line == 2
    assert bad.reason.startswith(reason)
    assert (report.imported, await me.conversations.count_mine()) == (2, 2)


async def test_equal_rows_are_two_and_an_import_goes_on(db: dal.Database) -> None:
    owner = await new_user(db, "Owner")
    me = db.acting_as(dal.Actor.user(owner.id))
    rows: list[object] = [{"title": "same"}, {"title": "same"}, {"title": "other"}]
    assert (await put(file_of(rows[:1]), db, owner)).imported == 1
    report = await put(file_of(rows), db, owner)
    assert (report.imported, report.already_there) == (2, 1)
    assert await me.conversations.count_mine() == 3


async def test_the_time_of_the_last_word_is_that_of_the_conversation(
    db: dal.Database, clock: dal.ManualClock
) -> None:
    owner = await new_user(db, "Owner")
    me = db.acting_as(dal.Actor.user(owner.id))
    at = datetime(2020, 5, 1, tzinfo=UTC)
    says = [at + timedelta(days=2), at + timedelta(days=1)]
    await me.conversations.exchange.create_many(
        [
            dal.ImportedConversation(
                title="t",
                created_at=at,
                prompts=[dal.ImportedPrompt(user_input="x", created_at=time) for time in says],
            )
        ]
    )
    (row,) = (await me.conversations.list_mine()).rows
    assert (row.created_at, row.last_activity_at) == (at, says[0])
    # Order is the file's, whatever the times say.
    prompts = (await me.prompts.list_of(row.id)).rows
    assert [prompt.created_at for prompt in prompts] == says


async def test_43791_messages_of_19_at_most_in_a_conversation(db: dal.Database, root: Root) -> None:
    path = data_file("irc_disentangled_messages.jsonl")
    published = [json.loads(line) for line in path.read_bytes().decode().split("\n") if line]
    owner = await new_user(db, "Importer")
    rows = script_adapters("dialogues")["irc_disentangled_messages"].rows(path)
    report = await put(file_of(rows), db, owner, create_users=True)
    assert (report.imported, report.bad) == (6_697, [])
    stored = root(
        "SELECT c.title, c.message_count, c.last_sequence, COUNT(q.id),"
        " COUNT(DISTINCT q.author_id), GROUP_CONCAT(LENGTH(q.user_input) ORDER BY q.sequence_number"
        " SEPARATOR ' '), c.description"
        " FROM conversations AS c JOIN prompts AS q ON q.conversation_id = c.id"
        " JOIN users AS u ON u.id = c.owner_id"
        " WHERE u.email LIKE '%%@irc.example.org' GROUP BY c.id, c.title, c.message_count,"
        " c.last_sequence, c.description"
    )
    assert len(stored) == 6_697
    assert sum(int(row[3]) for row in stored) == 43_791
    assert all(row[1] == row[2] == row[3] for row in stored)
    assert max(int(row[4]) for row in stored) == 19
    said: dict[str, list[dict[str, Any]]] = {}
    for message in sorted(published, key=lambda one: one["seq"]):
        said.setdefault(message["conversation"], []).append(message)
    sizes = Counter(
        " ".join(str(len(one["text"].encode())) for one in talk) for talk in said.values()
    )
    assert sizes == Counter(row[5] for row in stored)
    nicks = {message["user"] for message in published if message["user"] is not None}
    (accounts,) = root("SELECT COUNT(*) FROM users WHERE email LIKE '%%@irc.example.org'")
    assert accounts == (len(nicks) + 1,)


async def test_8416_turns_of_1388_dialogues(db: dal.Database) -> None:
    path = data_file("mtbench101.jsonl")
    published = [json.loads(line) for line in path.read_bytes().decode().split("\n") if line]
    owner = await new_user(db, "Importer")
    me = db.acting_as(dal.Actor.user(owner.id))
    report = await put(file_of(script_adapters("dialogues")["mtbench101"].rows(path)), db, owner)
    assert (report.imported, report.bad) == (1_388, [])
    back = {one.conversation.description: one for one in await exported(me)}
    turns = 0
    for row in published:
        one = back[f"{row['task']} {row['id']}"]
        assert [(prompt.user_input, prompt.response) for prompt in one.prompts] == [
            (turn["user"], turn["bot"]) for turn in row["history"]
        ]
        assert one.conversation.context == {"task": row["task"]}
        turns += 2 * len(one.prompts)
    assert turns == 8_416


async def test_1167_messages_of_100_trees(db: dal.Database) -> None:
    path = data_file("oasst_en_100_tree.jsonl")
    trees = [json.loads(line) for line in path.read_bytes().decode().split("\n") if line]
    owner = await new_user(db, "Importer")
    me = db.acting_as(dal.Actor.user(owner.id))
    adapter = script_adapters("dialogues")["oasst_en_100_tree"]
    report = await put(file_of(adapter.rows(path)), db, owner)
    assert (report.imported, report.bad) == (100, [])
    back = {one.conversation.description: one for one in await exported(me)}

    def ways(message: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        """What is said from the first message to each last one."""
        said = (*before, message["text"])
        if not message["replies"]:
            yield said
        for reply in message["replies"]:
            yield from ways(reply, said)

    def messages(message: Any) -> int:
        return 1 + sum(messages(reply) for reply in message["replies"])

    counted = 0
    for published in trees:
        one = back[published["message_tree_id"]]
        found = []
        leaves = (await me.prompts.tree.list_leaves(one.conversation.id, limit=500)).rows
        for leaf in leaves:
            way = await me.prompts.tree.get_path(leaf.id)
            texts = [text for row in way for text in (row.user_input, row.response)]
            found.append(tuple(text for text in texts if text is not None))
        assert Counter(found) == Counter(ways(published["prompt"]))
        answers = sum(prompt.response is not None for prompt in one.prompts)
        questions = len({(p.parent_sequence, p.user_input) for p in one.prompts})
        assert answers + questions == messages(published["prompt"])
        counted += answers + questions
    assert counted == 1_167


async def test_500_questions_that_two_models_answered(db: dal.Database) -> None:
    questions = data_file("arena_hard_question.jsonl")
    published: dict[tuple[str, str], Any] = {}
    for model in ("gpt-4-0613", "gpt-3.5-turbo-0125"):
        path = data_file(f"arena_hard_answer_{model}.jsonl")
        for line in path.read_bytes().decode().split("\n"):
            if line:
                row = json.loads(line)
                published[row["question_id"], model] = row["choices"][0]["turns"][0]
    owner = await new_user(db, "Importer")
    me = db.acting_as(dal.Actor.user(owner.id))
    adapter = script_adapters("dialogues")["arena_hard"]
    report = await put(file_of(adapter.rows(questions)), db, owner)
    assert (report.imported, report.bad) == (500, [])
    seen = set()
    for one in await exported(me):
        first, second = one.prompts
        assert first.variation_group == second.variation_group is not None
        assert [(p.variation_number, p.is_selected) for p in one.prompts] == [(1, True), (2, False)]
        assert (first.parent_sequence, second.parent_sequence) == (None, None)
        for prompt in one.prompts:
            key = (str(one.conversation.description), str(prompt.model))
            seen.add(key)
            said = published[key]
            assert (prompt.response, prompt.token_count) == (said["content"], said["token_len"])
        assert one.conversation.token_count == first.token_count + second.token_count
    assert seen == set(published)
    # Side by side: what the one answered that the other did not.
    some = (await me.conversations.list_mine(limit=1)).rows[0]
    (prompt, *_) = (await me.prompts.list_of(some.id)).rows
    base, other = await me.prompts.variations.compare(prompt.id)
    assert base.diff == ""
    lines = other.diff.split("\n")[2:]
    added = [line[1:] for line in lines if line[:1] in ("+", " ")]
    assert set(added) <= set(str(other.prompt.response).split("\n"))


async def test_variations_and_ratings_come_in_again_as_they_were(db: dal.Database) -> None:
    ada = await new_user(db, "Ada")
    me = db.acting_as(dal.Actor.user(ada.id))
    talk = await me.conversations.create(title="t")
    first = await me.prompts.create(talk.id, user_input="?", response="1")
    gone = await me.prompts.variations.create(first.id)
    third = await me.prompts.variations.create(first.id, model="m")
    await me.prompts.start(third.id)
    await me.prompts.complete(third.id, response="3")
    await me.prompts.soft_delete(gone.id)
    await me.prompts.variations.select(third.id)
    await me.prompts.ratings.set(third.id, 4, feedback="so \U0001f600")
    await me.prompts.create(talk.id, user_input="and?", parent_id=third.id)
    (one,) = await exported(me)
    bob = await new_user(db, "Bob")
    row = {**one.to_mapping(), "id": str(uuid4()), "owner_id": None}
    row["prompts"] = [
        {k: v for k, v in prompt.items() if k not in ("id", "author_id")}
        for prompt in row["prompts"]  # type: ignore[attr-defined]
    ]
    as_bob = db.acting_as(dal.Actor.user(bob.id))
    await as_bob.conversations.exchange.create_many([dal.ImportedConversation.from_mapping(row)])
    (back,) = await exported(as_bob)
    assert [
        (p.variation_number, p.is_selected, p.rating, p.feedback, p.parent_sequence)
        for p in back.prompts
    ] == [
        (1, False, None, None, None),
        (2, True, 4, "so \U0001f600", None),
        (None, False, None, None, 2),
    ]
    assert back.prompts[1].rated_at == one.prompts[1].rated_at
    assert {p.variation_group for p in back.prompts} == {back.prompts[0].variation_group, None}
    assert back.prompts[0].variation_group != one.prompts[0].variation_group


@pytest.mark.parametrize(
    ("prompts", "reason"),
    [
        (
            [{"user_input": "a", "variation_of": 2}, {"user_input": "b", "variation_of": 2}],
            "item 1",
        ),
        ([{"user_input": "a"}, {"user_input": "b", "variation_of": 1}], "item 2: variation_of"),
        (
            [
                {"user_input": "a", "variation_of": 1},
                {"user_input": "b", "variation_of": 1, "parent_sequence": 1},
            ],
            "item 2: variation_of",
        ),
        (
            [{"user_input": "a", "variation_of": 1, "is_selected": True}] * 2,
            "item 2: is_selected: another",
        ),
        ([{"user_input": "a", "is_selected": True}], "item 1: is_selected: of which"),
        ([{"user_input": "a", "rating": 3}], "item 1: rating: there is no answer"),
        ([{"user_input": "a", "response": "b", "rating": 6}], "item 1: rating: a whole number"),
        ([{"user_input": "a", "response": "b", "feedback": "c"}], "item 1: rating: missing"),
    ],
)
def test_variations_that_are_none(prompts: list[Any], reason: str) -> None:
    with pytest.raises(dal.ValueRejectedError) as refused:
        dal.ImportedConversation.from_mapping({"title": "t", "prompts": prompts})
    assert reason in refused.value.message
