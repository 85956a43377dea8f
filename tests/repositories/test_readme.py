"""The README's programs run as printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from urllib.parse import quote

import httpx
import pytest

import dal
from dal.config import Config
from dal.server import Engine
from tests.conftest import new_user

ROOT = Path(__file__).resolve().parents[2]


def programs() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def url(config: Config) -> str:
    return (
        f"mysql://{quote(config.user)}:{quote(config.password.reveal(), safe='')}@localhost/"
        f"{config.database}?unix_socket={quote(str(config.unix_socket), safe='')}"
    )


def test_the_first_program_has_ten_lines_and_runs(tmp_path: Path, engine: Engine) -> None:
    program = programs()[0].replace("private:temporary", f"private:temporary?engine={engine}")
    assert len([line for line in program.splitlines() if line.strip()]) <= 10
    file = tmp_path / "first.py"
    file.write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(file)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "['SQL review']\n", "")


async def test_the_web_application(
    config: Config, db: dal.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAL_URL", url(config))
    module = ModuleType("readme_web")
    # FastAPI looks the annotations of a handler up in its module.
    monkeypatch.setitem(sys.modules, "readme_web", module)
    exec(compile(programs()[1], "README.md", "exec"), module.__dict__)  # noqa: S102
    ada, bob = await new_user(db, "Ada"), await new_user(db, "Bob")
    transport = httpx.ASGITransport(app=module.app, raise_app_exceptions=True)
    async with (
        module.lifespan(module.app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        as_ada, as_bob = ({"X-User": str(user.id), "X-Role": "user"} for user in (ada, bob))
        new = {"name": "A", "content": "a", "tags": ["x"]}
        made = await client.post("/templates", json=new, headers=as_ada)
        assert made.status_code == 201, made.text
        assert made.json() == {**new, "id": made.json()["id"], "head_version": 1}
        there = f"/templates/{made.json()['id']}"
        assert (await client.get(there, headers=as_ada)).json() == made.json()
        assert (await client.get(there, headers=as_bob)).status_code == 404
        assert (await client.get(there)).status_code == 404
        denied = await client.post("/templates", json=new)
        assert denied.status_code == 403
        long = await client.post("/templates", json={**new, "name": "x" * 256}, headers=as_ada)
        assert (long.status_code, long.json()["field"]) == (422, "name")
        gone = await client.post(
            "/templates",
            json=new,
            headers={**as_ada, "X-User": str(dal.new_id(ada.created_at))},
        )
        assert gone.status_code == 409


async def test_the_lines_of_what_to_know(as_ada: dal.Session) -> None:
    async def work(tx: dal.Session) -> None:
        await tx.templates.create(name="review", content="c")

    # Two statements a line are shown with comments; here they run inside one function.
    body = "\n".join(f"    {line}" for line in programs()[2].splitlines())
    scope: dict[str, object] = {}
    exec(compile(f"async def lines(me, work):\n{body}\n", "README.md", "exec"), scope)  # noqa: S102
    lines = scope["lines"]
    await lines(as_ada, work)  # type: ignore[operator]
    assert {t.name for t in (await as_ada.templates.list_mine()).rows} == {"A", "review"}


async def test_the_lines_of_accounts(alone: dal.Database) -> None:
    body = "\n".join(f"    {line}" for line in programs()[3].splitlines())
    scope: dict[str, object] = {"dal": dal}
    program = f"async def lines(db, system):\n{body}\n    return ada, theme, is_open\n"
    exec(compile(program, "README.md", "exec"), scope)  # noqa: S102
    system = alone.acting_as(dal.Actor.system("readme"))
    ada, theme, is_open = await scope["lines"](alone, system)  # type: ignore[operator]
    assert (ada.email, theme, is_open) == ("ada@example.org", "dark", False)
    again = await system.users.authenticate(email=ada.email, password="battery staple")
    changed_at = await system.users.access.find_credentials_changed_at(ada.id)
    assert changed_at is not None
    assert again.last_login_at is not None
    assert again.last_login_at >= changed_at


async def test_the_lines_of_conversations(db: dal.Database) -> None:
    ada, bob = await new_user(db, "Ada"), await new_user(db, "Bob")
    me = db.acting_as(dal.Actor.user(ada.id))
    body = "\n".join(f"    {line}" for line in programs()[5].splitlines())
    scope: dict[str, object] = {"dal": dal}
    program = f"async def lines(db, me, bob):\n{body}\n    return talk, mine, shown\n"
    exec(compile(program, "README.md", "exec"), scope)  # noqa: S102
    talk, mine, shown = await scope["lines"](db, me, bob)  # type: ignore[operator]
    assert [prompt.user_input for prompt in shown.prompts.rows] == ["What is new?"]
    assert [row.id for row in mine.rows] == [talk.id]
    assert (await me.conversations.get(talk.id)).owner_id == bob.id


async def test_the_lines_of_the_audit_log(db: dal.Database, system: dal.Session) -> None:
    ada = await new_user(db, "Ada")
    me = db.acting_as(dal.Actor.user(ada.id))
    copy = await me.templates.create(name="copy", content="c")
    body = "\n".join(f"    {line}" for line in programs()[6].splitlines())
    scope: dict[str, object] = {"timedelta": timedelta}
    program = f"async def lines(me, system, copy, ada):\n{body}\n    return mine, history, was\n"
    exec(compile(program, "README.md", "exec"), scope)  # noqa: S102
    mine, history, was = await scope["lines"](me, system, copy, ada)  # type: ignore[operator]
    assert [e.action for e in mine.rows] == ["template.soft_delete", "template.create"]
    assert [e.action for e in history.rows] == ["template.soft_delete", "template.create"]
    assert was.fields["name"] == "copy"
