"""An export of a user: all of it, nothing that opens anything, from wherever it was broken off."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

import dal
from dal.cli import main
from dal.config import Config
from dal.repositories.users.export import cursor_after
from dal.search.personal_data import WAYS
from tests.conftest import new_user
from tests.repositories.conftest import Root
from tests.repositories.test_cli import url_of

# Each column that may hold the id of a user and is no way of the export, and why.
NOT_EXPORTED: Final = {
    "usage_days.subject_id": "sums of usage_records",
    "prompt_postings.scope": "hashes of words of the user's prompts",
    "template_postings.scope": "hashes of words of the user's templates",
    "audit_holds.actor_id": "what an investigation keeps; of those who hold it",
    "audit_holds.target_id": "what an investigation keeps; of those who hold it",
}
# Each that holds the id of something else.
OF_OTHERS: Final = {
    "audit_logs.id", "audit_holds.id", "audit_seal_entries.audit_id", "categories.id",
    "conversation_participants.conversation_id", "conversation_participants.owned_id",
    "conversation_shares.conversation_id", "conversation_shares.id", "conversations.forked_from_id",
    "conversations.id", "prompt_postings.conversation_id", "prompts.conversation_id", "prompts.id",
    "prompts.selected_group", "prompts.template_id", "prompts.variation_group", "tags.id",
    "template_label_moves.id", "template_label_moves.template_id", "template_labels.template_id",
    "template_postings.template_id", "template_ratings.template_id", "template_tags.tag_id",
    "template_tags.template_id", "template_versions.template_id", "templates.category_id",
    "templates.forked_from_id", "templates.id", "usage_items.prompt_id",
    "usage_records.conversation_id", "usage_records.prompt_id", "usage_records.template_id",
}  # fmt: skip
# Columns of exported tables that an export leaves out, and why.
LEFT_OUT: Final = {
    "users.password_hash": "opens the account",
    "user_tokens.token_hash": "opens the account",
    "conversation_shares.token_hash": "opens a conversation",
    "conversation_shares.page_key": "signs cursors",
    "users.email_live": "computed",
    "templates.rating_rank": "computed",
    "conversation_participants.owned_id": "computed",
    "prompts.selected_group": "computed",
    "usage_records.latency_bucket": "computed",
    "audit_logs.security_at": "computed",
}


def test_every_column_that_may_point_to_a_user_is_exported_or_known(root: Root) -> None:
    """A new table that the export does not know of fails here."""
    ids = root("SELECT CONCAT(table_name, '.', column_name) FROM information_schema.columns"
               " WHERE table_schema = DATABASE() AND column_type = 'binary(16)'")  # fmt: skip
    pointing = root("SELECT CONCAT(table_name, '.', column_name)"
                    " FROM information_schema.key_column_usage WHERE table_schema = DATABASE()"
                    " AND referenced_table_name = 'users'")  # fmt: skip
    ways = {f"{way.table}.{way.column}" for way in WAYS if way.parent is None}
    assert {column for (column,) in pointing} <= ways
    assert {column for (column,) in ids} == ways | NOT_EXPORTED.keys() | OF_OTHERS
    assert not ways & (NOT_EXPORTED.keys() | OF_OTHERS)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.kind)
def test_every_column_of_what_is_exported_is_in_it_or_known(root: Root, way: Any) -> None:
    columns = {
        column
        for (column,) in root("SELECT column_name FROM information_schema.columns WHERE"
                              " table_schema = DATABASE() AND table_name = %s", way.table)
    }  # fmt: skip
    given = {field.name for field in way.record.__attrs_attrs__}
    left_out = {name.partition(".")[2] for name in LEFT_OUT if name.startswith(f"{way.table}.")}
    assert columns - given == left_out
    assert given - columns <= {"name"}


async def busy(db: dal.Database, clock: dal.ManualClock) -> tuple[dal.User, dal.User]:
    """Two users who have some of everything, with and of each other."""
    clock.move(timedelta(seconds=5))
    system = db.acting_as(dal.Actor.system("tests"))
    ada, bob = await new_user(db, "Ada"), await new_user(db, "Bob")
    me, they = (
        db.acting_as(dal.Actor.user(user.id, ip="192.0.2.7", user_agent="Agent"))
        for user in (ada, bob)
    )
    await me.users.preferences.update(ada.id, {"theme": "dark"})
    await system.users.tokens.issue_password_reset(ada.email)
    clock.move(timedelta(seconds=1))
    await system.users.tokens.issue_email_verification(ada.id)
    for one, other in ((me, they), (they, me)):
        template = await one.templates.create(
            name="T", content="hello", tags=["a", "b"], visibility="public", category="C"
        )
        await one.templates.versions.commit(template.id, content="hello again")
        await one.templates.labels.set(template.id, "production", 1)
        await other.templates.ratings.set(template.id, 4, feedback="fine")
        gone = await one.templates.create(name="gone", content="g")
        await one.templates.soft_delete(gone.id)
        talk = await one.conversations.create(title="Talk")
        other_id = other.actor.id
        assert other_id is not None
        await one.conversations.participants.add(talk.id, other_id, role="collaborator")
        await one.conversations.shares.create(talk.id)
        for asker in (one, other):
            asked = await asker.prompts.create(talk.id, user_input="why?", model="m")
            await asker.prompts.start(asked.id)
            await asker.prompts.complete(
                asked.id, response="so", usage={"input": 3, "output": 2}, cost=Decimal("0.5")
            )
    return ada, bob


async def test_a_user_gets_what_is_theirs_and_nothing_that_opens_anything(
    db: dal.Database, clock: dal.ManualClock, root: Root
) -> None:
    ada, bob = await busy(db, clock)
    me = db.acting_as(dal.Actor.user(ada.id))
    rows = [row async for row in me.users.export_data(ada.id)]
    kinds: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        told = json.loads(row.line)
        assert row.line.endswith(b"\n")
        assert told.keys() == {"kind", "data"}
        kinds.setdefault(told["kind"], []).append(told["data"])
    assert list(kinds) == [way.kind for way in WAYS if way.kind in kinds]
    counts = {kind: len(found) for kind, found in kinds.items() if not kind.startswith("audit")}
    assert counts == {
        "account": 1, "password_reset_token": 1, "email_verification_token": 1, "template": 2,
        "template_version": 3, "template_tag": 2, "template_label": 1, "template_label_move": 1,
        "rating": 1, "conversation": 1, "participation_as_owner": 1,
        "participation_as_collaborator": 1, "participant": 1, "participant_added": 1, "share": 1,
        "prompt": 2, "usage": 2,
    }  # fmt: skip
    assert kinds["account"][0]["preferences"] == {"theme": "dark"}
    assert [item["usage_type"] for item in kinds["usage"][0]["items"]] == ["input", "output"]
    assert {entry["ip"] for entry in kinds["audit_by"]} == {"192.0.2.7"} | {None}
    assert all(entry["actor_id"] != str(ada.id) for entry in kinds["audit_about"])
    text = b"".join(row.line for row in rows)
    assert bob.email.encode() not in text
    secrets = root(
        "SELECT password_hash FROM users WHERE id = %s AND password_hash IS NOT NULL UNION ALL"
        " SELECT HEX(token_hash) FROM user_tokens WHERE user_id = %s UNION ALL"
        " SELECT HEX(token_hash) FROM conversation_shares WHERE created_by = %s UNION ALL"
        " SELECT HEX(page_key) FROM conversation_shares WHERE created_by = %s",
        *[ada.id.bytes] * 4,
    )
    assert len(secrets) >= 4
    for (secret,) in secrets:
        assert secret.lower().encode() not in text.lower()


async def test_it_goes_on_behind_any_row(db: dal.Database, clock: dal.ManualClock) -> None:
    ada, _ = await busy(db, clock)
    system = db.acting_as(dal.Actor.system("tests"))
    rows = [row async for row in system.users.export_data(ada.id)]
    for n, row in enumerate(rows):
        assert cursor_after(ada.id, row.line) == row.cursor
        rest = [one async for one in system.users.export_data(ada.id, after=row.cursor)]
        # And then what going on has written into the log.
        seen = [one for one in rest if b'"user.export_data"' not in one.line]
        left = [one for one in rows[n + 1 :] if b'"user.export_data"' not in one.line]
        assert seen == left


@pytest.mark.parametrize("after", ["", "no.cursor", "prompt.AAAA", "account.", 3, b"x"])
async def test_what_is_no_cursor_is_refused(
    db: dal.Database, clock: dal.ManualClock, after: Any
) -> None:
    ada = await new_user(db, "Ada")
    system = db.acting_as(dal.Actor.system("tests"))
    with pytest.raises(dal.ValueRejectedError) as caught:
        [row async for row in system.users.export_data(ada.id, after=after)]
    assert caught.value.field == "after"
    of_ada = [row.cursor async for row in system.users.export_data(ada.id)][-1]
    bob = await new_user(db, "Bob")
    with pytest.raises(dal.ValueRejectedError):
        [row async for row in system.users.export_data(bob.id, after=of_ada)]


def test_the_command_writes_a_file_and_goes_on_where_one_ends(
    config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def made() -> dal.User:
        clock = dal.ManualClock(datetime.now(UTC))
        async with dal.connect(url_of(config), clock=clock) as db:
            return (await busy(db, clock))[0]

    ada = asyncio.run(made())
    out, part = tmp_path / "ada.jsonl", tmp_path / "ada.jsonl.part"

    def run() -> list[bytes]:
        assert main(["user", "export", ada.email, "--out", str(out), "--url", url_of(config)]) == 0
        assert not part.exists()
        assert out.stat().st_mode & 0o077 == 0
        return [line for line in out.read_bytes().splitlines(True) if b"export_data" not in line]

    whole = run()
    for end in (0, 5, len(whole[0]), len(whole[0]) + 7, sum(map(len, whole)) - 3):
        part.touch(0o600)
        part.write_bytes(b"".join(whole)[:end])
        assert run() == whole
    part.write_bytes(b"no line of ours\n")
    assert main(["user", "export", str(ada.id), "--out", str(out), "--url", url_of(config)]) != 0
    assert main(["user", "export", "nobody@example.org", "--url", url_of(config)]) != 0
    assert "nobody has the address" in capsys.readouterr().err
