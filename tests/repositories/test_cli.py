"""The command line on real servers: what it puts in, what it says, and its exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import attrs
import pytest

import dal
from dal.cli import main
from dal.cli.plans import explained, fill_in
from dal.config import Config
from dal.provision import connect, prepare_temporary
from dal.server import PrivateServer
from dal.statements import house

ROOT = Path(__file__).resolve().parents[2]
_numbers = count(1)


def url_of(config: Config) -> str:
    """A configuration as a URL."""
    user, password = quote(config.user, safe=""), quote(config.password.reveal(), safe="")
    where = f"localhost/{config.database}?unix_socket={quote(config.unix_socket or '', safe='')}"
    return f"mysql://{user}:{password}@{where}"


def rows_of(config: Config, sql: str, *values: object) -> Sequence[tuple[Any, ...]]:
    """What an administrator sees."""
    with closing(connect(config)) as connection, connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


@attrs.frozen
class Said:
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        assert self.out.count("\n") == 1
        return json.loads(self.out)


Cli = Callable[..., Said]


@pytest.fixture
def cli(config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command in this process on the shared database; nothing it says has the password."""
    monkeypatch.setenv("DAL_URL", url_of(config))

    def run(*arguments: object) -> Said:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert config.password.reveal() not in said.out + said.err
        assert "Traceback" not in said.err
        return Said(status, said.out, said.err)

    return run


@pytest.fixture
def email() -> str:
    """An address nobody else has."""
    return f"cli{next(_numbers)}.{os.getpid()}@example.org"


@attrs.frozen
class Counts:
    """Live templates of one user, as an administrator counts them."""

    admin: Config
    email: str

    def __call__(self) -> int:
        sql = (
            "SELECT COUNT(*) FROM templates AS t JOIN users AS u ON u.id = t.owner_id"
            " WHERE u.email = %s AND t.deleted_at IS NULL"
        )
        return int(rows_of(self.admin, sql, self.email)[0][0])


@pytest.fixture
def templates(admin: Config, email: str) -> Counts:
    """How many live templates the user of this test has."""
    return Counts(admin, email)


def write(path: Path, rows: Sequence[object]) -> Path:
    """A file of JSON lines; a text is a line as it is."""
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_bytes("\n".join(lines).encode())
    return path


def named(n: int, **more: object) -> dict[str, object]:
    return {"name": f"template {n}", "content": f"content {n}", **more}


# Import


def test_the_same_file_twice_changes_nothing(
    cli: Cli, email: str, templates: Counts, tmp_path: Path
) -> None:
    # Two equal rows are two templates; a text with line separators is one line.
    rows = [named(1), named(1), named(2, tags=["a", "A"], content="x\u2028y\u001ez")]
    file = write(tmp_path / "rows.jsonl", rows)
    first = cli("import", file, "--as", email, "--create-user", "Ada", "--json")
    assert (first.status, first.err) == (0, "")
    assert first.json["imported"] == 3
    assert templates() == 3
    again = cli("import", file, "--as", email.upper(), "--json", "--batch-rows", "1")
    assert again.status == 0
    assert (again.json["imported"], again.json["already_there"], again.json["bad"]) == (0, 3, [])
    assert templates() == 3


def test_what_is_in_the_trash_is_there_already(
    cli: Cli, email: str, templates: Counts, admin: Config, tmp_path: Path
) -> None:
    file = write(tmp_path / "rows.jsonl", [named(1), named(2)])
    cli("import", file, "--as", email, "--create-user", "Ada")
    rows_of(
        admin,
        "UPDATE templates AS t JOIN users AS u ON u.id = t.owner_id"
        " SET t.deleted_at = t.updated_at WHERE u.email = %s AND t.name = 'template 1'",
        email,
    )
    assert cli("import", file, "--as", email, "--json").json["already_there"] == 2
    assert templates() == 1


def test_bad_rows_are_told_by_line_and_reason_and_the_rest_goes_in(
    cli: Cli, email: str, templates: Counts, tmp_path: Path
) -> None:
    file = write(
        tmp_path / "rows.jsonl",
        [named(1), "nonsense", named(2, colour="red"), "", named(3, tags=[""]), named(4)],
    )
    said = cli("import", file, "--as", email, "--create-user", "Ada", "--json")
    assert said.status == 1
    assert said.json["bad"] == [
        {"line": 2, "reason": "not JSON: Expecting value at character 1"},
        {"line": 3, "reason": "colour: unknown"},
        {"line": 5, "reason": "tags: a tag must not be blank"},
    ]
    assert (said.json["rows"], said.json["imported"]) == (5, 2)
    assert said.err.splitlines() == [
        f"{file}:{bad['line']}: {bad['reason']}" for bad in said.json["bad"]
    ]
    assert templates() == 2


def test_strict_puts_nothing_in(cli: Cli, email: str, templates: Counts, tmp_path: Path) -> None:
    good, bad = [named(n) for n in range(5)], named(9, colour="red")
    file = write(tmp_path / "rows.jsonl", [*good, bad])
    options = ("--as", email, "--create-user", "Ada", "--strict", "--batch-rows", "2")
    said = cli("import", file, *options)
    assert said.status == 1
    assert f"{file}:6: colour: unknown" in said.err
    assert templates() == 0
    # Not even the user.
    assert cli("export", "--as", email).status == 2
    said = cli("import", write(file, good), *options, "--json")
    assert (said.status, said.json["imported"], templates()) == (0, 5, 5)
    said = cli("import", file, *options, "--json")
    assert (said.status, said.json["already_there"], templates()) == (0, 5, 5)


def test_an_id_of_somebody_else_is_a_bad_row(
    cli: Cli, email: str, templates: Counts, tmp_path: Path
) -> None:
    theirs = str(dal.new_id(dal.SystemClock().now()))
    other = write(tmp_path / "other.jsonl", [named(0, id=theirs)])
    assert cli("import", other, "--as", f"other.{email}", "--create-user", "Bob").status == 0
    rows = [named(1), named(2), named(3, id=theirs), named(4), named(5)]
    file = write(tmp_path / "rows.jsonl", rows)
    strict = cli("import", file, "--as", email, "--create-user", "Ada", "--strict", "--json")
    assert (strict.status, strict.json["imported"], templates()) == (1, 0, 0)
    said = cli("import", file, "--as", email, "--json")
    reason = "id: that of a template of somebody else"
    for one in (strict, said):
        assert one.json["bad"] == [{"line": 3, "reason": reason}]
    assert (said.status, said.json["imported"], templates()) == (1, 4, 4)


def test_csv_with_a_map(cli: Cli, email: str, templates: Counts, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    long = "y" * 144_260
    file.write_bytes(
        b'\xef\xbb\xbfact,prompt,for_devs\r\n"a","line one\r\nline two",TRUE\r\nb,c\r\n'
        + f"d,{long},FALSE\r\n".encode()
    )
    options = ("--as", email, "--create-user", "Ada", "--map", "act=name,prompt=content")
    said = cli("import", file, *options, "--visibility", "public")
    assert said.status == 1
    assert said.err.splitlines() == ["columns ignored: for_devs", f"{file}:4: 2 fields, not 3"]
    exported = [json.loads(line) for line in cli("export", "--as", email).out.splitlines()]
    found = {row["name"]: (row["versions"][0]["content"], row["visibility"]) for row in exported}
    assert found == {"a": ("line one\r\nline two", "public"), "d": (long, "public")}
    for wrong in ("nonsense=name,prompt=content", "act=nonsense", "act=name"):
        said = cli("import", file, "--as", email, "--map", wrong)
        assert (said.status, said.err.count("\n")) == (2, 1)
    assert templates() == 2


def test_stdin_is_read_and_can_be_strict(
    cli: Cli, config: Config, email: str, templates: Counts
) -> None:
    text = "".join(json.dumps(named(n)) + "\n" for n in range(3))
    for strict in ([], ["--strict"]):
        done = run_process(
            config, "import", "-", "--as", email, "--create-user", "Ada", *strict, given=text
        )
        assert (done.returncode, templates()) == (0, 3)
    assert "stdin: 3 rows: 0 imported, 3 already there" in done.stdout


def run_process(
    config: Config, *arguments: str, given: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dal", *arguments],
        env=environment(config),
        cwd=ROOT,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def environment(config: Config) -> dict[str, str]:
    return {**os.environ, "DAL_URL": url_of(config), "PYTHONPATH": str(ROOT)}


def test_an_import_that_was_killed_goes_on(
    config: Config, cli: Cli, email: str, templates: Counts, tmp_path: Path
) -> None:
    total = 1_500
    file = write(tmp_path / "rows.jsonl", [named(n % 1_000) for n in range(total)])
    command = [sys.executable, "-m", "dal", "import", str(file), "--as", email]
    command += ["--create-user", "Ada", "--batch-rows", "5"]
    with subprocess.Popen(
        command, env=environment(config), cwd=ROOT, stderr=subprocess.PIPE
    ) as process:
        while process.poll() is None and not templates():
            pass
        process.send_signal(signal.SIGKILL)
    there = templates()
    assert 0 < there < total
    said = cli("import", file, "--as", email, "--json")
    assert said.status == 0
    # A COMMIT that was on its way when the process died may have come through after we counted.
    assert said.json["already_there"] >= there
    assert said.json["imported"] + said.json["already_there"] == total
    assert templates() == total


def test_without_such_a_user_or_file_nothing_is_tried(cli: Cli, email: str, tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", [named(1)])
    said = cli("import", file, "--as", email)
    assert (said.status, "--create-user" in said.err) == (2, True)
    assert cli("import", tmp_path / "absent", "--as", email).status == 2
    assert cli("import", file, "--as", "nobody").status == 2
    assert cli("import", file, "--as", email, "--batch-rows", "0").status == 2
    assert "unknown option: --bogus" in cli("import", "--bogus", "--as", email).err
    assert cli("export", "--as", email, "--out", tmp_path / "out").status == 2
    assert not (tmp_path / "out").exists()


# Export, search, stats


@pytest.fixture
def copy(server: PrivateServer) -> Config:
    """Another database with our tables on the same server; empty at first."""
    name = f"dal_cli_{next(_numbers)}"
    return prepare_temporary(server, name).config("dal_application", database=name)


def test_what_is_exported_can_be_imported_and_is_the_same(
    cli: Cli, copy: Config, email: str, tmp_path: Path
) -> None:
    sample = ROOT / "scripts/sample_templates.jsonl"
    odd = named(1, content='quote " and \\ and \u2028', description="", tags=["b", "a", "Ä"])
    history = {
        "name": "history",
        "versions": [
            {"content": "{{a}}", "author_name": "Bob", "created_at": "2025-01-02T00:00:00+01:00"},
            {"content": "é", "system_prompt": "{{b=x}}", "version": 7, "message": "why"},
        ],
        "labels": {" Prod ": 1, "été": 7},
        "last_version": 9,
    }
    rows = [odd, named(2, created_at="2025-01-01T00:00:00.5Z"), history]
    extra = write(tmp_path / "extra.jsonl", rows)
    for file in (sample, extra):
        assert cli("import", file, "--as", email, "--create-user", "Ada").status == 0
    out, back = tmp_path / "out.jsonl", tmp_path / "back.jsonl"
    assert cli("export", "--as", email, "--out", out).status == 0
    assert out.stat().st_mode & 0o077 == 0
    assert cli("export", "--as", email).out == out.read_text(encoding="utf-8")
    exported = [json.loads(line) for line in out.read_text(encoding="utf-8").split("\n")[:-1]]
    (found,) = (row for row in exported if row["name"] == "history")
    assert (found["labels"], found["last_version"]) == ({"prod": 1, "été": 7}, 9)
    assert found["versions"] == [
        {
            "version": 1,
            "content": "{{a}}",
            "system_prompt": None,
            "message": None,
            "author_name": "Bob",
            "created_at": "2025-01-01T23:00:00+00:00",
        },
        {
            "version": 7,
            "content": "é",
            "system_prompt": "{{b=x}}",
            "message": "why",
            "author_name": None,
            "created_at": found["created_at"],
        },
    ]
    url = ("--url", url_of(copy))
    options = ("--as", "new@example.org", "--create-user", "New", "--strict", "--json")
    said = cli("import", out, *options, *url)
    assert (said.status, said.json["imported"]) == (0, 27)
    assert cli("export", "--as", "new@example.org", "--out", back, *url).status == 0
    assert back.read_bytes() == out.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "back.jsonl",
        "extra.jsonl",
        "out.jsonl",
    ]


def test_search_pages_and_keeps_private_ones_to_their_owner(
    cli: Cli, email: str, tmp_path: Path
) -> None:
    word = f"word{next(_numbers)}x{os.getpid()}"
    rows = [named(n, name=f"{word} {n}", tags=[word], visibility="public") for n in range(3)]
    rows.append(named(9, name=f"{word} secret", tags=[word]))
    cli("import", write(tmp_path / "f", rows), "--as", email, "--create-user", "Ada")
    # For a query or two both servers may miss what was committed just now.
    for _ in range(20):
        if len(cli("search", word, "--json").json["rows"]) == 3:
            break
    first = cli("search", word, "--limit", "2", "--json").json
    second = cli("search", word, "--limit", "2", "--json", "--after", first["next"]).json
    assert (len(first["rows"]), len(second["rows"]), second["next"]) == (2, 1, None)
    assert "secret" not in cli("search", word, "--tag", word).out
    assert "secret" in cli("search", word, "--as", email, "--scope", "mine").out
    assert cli("search", word, "--scope", "mine").status == 2
    for malformed in ("x", "-x"):
        said = cli("search", word, "--after", malformed)
        assert (said.status, "cursor" in said.err or "after" in said.err) == (2, True)
        assert "requires an argument" not in said.err
    assert cli("search", word, "--limit", "0").status == 2
    assert cli("search", "--tag", f"no{word}", "--json").json == {"rows": [], "next": None}


def test_stats_are_the_numbers_of_the_file(cli: Cli, copy: Config) -> None:
    url = ("--url", url_of(copy))
    sample = ROOT / "scripts/sample_templates.jsonl"
    rows = [json.loads(line) for line in sample.read_text(encoding="utf-8").splitlines()]
    empty = cli("stats", "--json", *url).json
    assert empty.pop("categories") == []
    assert set(empty.values()) == {0}
    cli("import", sample, "--as", "a@b.de", "--create-user", "A", *url)
    found = cli("stats", "--json", *url).json
    categories = {one["slug"]: one["templates"] for one in found.pop("categories")}
    private = sum(row["visibility"] == "private" for row in rows)
    assert found == {
        "users": 1,
        "templates": len(rows),
        "public": len(rows) - private,
        "private": private,
        "deleted": 0,
        "versions": len(rows),
        "authors": len({row["author_name"] for row in rows}),
        "tags": len({tag.casefold() for row in rows for tag in row["tags"]}),
    }
    slugs = [row["category"].casefold() for row in rows]
    assert categories == {slug: slugs.count(slug) for slug in slugs}


# Explain


def test_explain_never_runs_a_statement(
    cli: Cli, admin: Config, config: Config, email: str, tmp_path: Path
) -> None:
    cli("import", write(tmp_path / "f", [named(1)]), "--as", email, "--create-user", "Ada")
    [(user_id,)] = rows_of(admin, "SELECT id FROM users WHERE email = %s", email)
    before = fingerprint(admin)
    said = cli("explain", "users/soft_delete", "--user-id", UUID(bytes=user_id), "--json")
    assert said.status == 0
    assert said.json["plan"]
    assert user_id.hex() in said.json["sql"]
    for statement in house().statements.values():
        explained(admin, fill_in(statement, {}).sql)
    assert fingerprint(admin) == before


def fingerprint(admin: Config) -> list[Any]:
    tables = ("users", "categories", "tags", "templates", "template_versions", "audit_logs")
    counts = [rows_of(admin, f"SELECT COUNT(*) FROM {table}")[0] for table in tables]
    deleted = rows_of(admin, "SELECT COUNT(deleted_at), MAX(updated_at) FROM users")
    return [*counts, *deleted]


def test_explain_prints_what_can_be_pasted(cli: Cli, admin: Config) -> None:
    said = cli("explain", "templates/list_public", "--param", "limit_rows=3")
    assert said.status == 0
    sql, _, plan = said.out.partition("\n-- plan on ")
    assert "ix_templates_visibility_created" in plan
    assert "before_at DATETIME(6)" in sql
    assert len(rows_of(admin, sql.replace("%", "%%").rstrip().removesuffix(";"))) <= 3
    unknown = cli("explain", "templates/list_publics")
    assert unknown.status == 2
    assert "templates/list_public" in unknown.err


# Doctor


def checks(said: Said) -> dict[str, str]:
    return {one["check"]: one["result"] for one in said.json["checks"]}


def test_doctor_finds_nothing_wrong_with_a_new_database(cli: Cli) -> None:
    said = cli("doctor", "--json")
    assert said.json["failed"] == 0
    assert said.status == 0
    assert {"audit log", "statements", "clock", "migration state"} <= set(checks(said))
    assert cli("doctor").out.count("\tfail\t") == 0


@pytest.mark.parametrize(
    ("plant", "check", "mend"),
    [
        ("GRANT UPDATE (outcome) ON audit_logs TO dal_application", "audit log", "REVOKE"),
        ("GRANT DELETE ON audit_logs TO dal_application", "audit log", "REVOKE"),
        ("REVOKE INSERT ON template_tags FROM dal_application", "rights", "sql/grants.sql"),
        ("DROP TABLE audit_logs", "tables", "dal migrate apply"),
        ("ALTER TABLE users RENAME COLUMN full_name TO name", "statements", "dal migrate"),
    ],
)
def test_doctor_finds_a_planted_fault(
    cli: Cli, copy: Config, admin: Config, plant: str, check: str, mend: str
) -> None:
    root = attrs.evolve(admin, database=copy.database)
    # The role is the server's; on its tables in a database of this test it has what is given here.
    rows_of(root, plant)
    said = cli("doctor", "--json", "--url", url_of(copy))
    assert said.status == 1
    [found] = [one for one in said.json["checks"] if one["result"] == "fail"]
    assert found["check"] == check
    assert mend in found["mend"]


def test_doctor_says_why_a_server_is_not_reached(cli: Cli, config: Config, tmp_path: Path) -> None:
    wrong = url_of(attrs.evolve(config, unix_socket=str(tmp_path / "absent.sock")))
    said = cli("doctor", "--json", "--url", wrong)
    assert said.status == 1
    assert checks(said)["connection"] == "fail"
    said = cli("doctor", "--json", "--url", f"{url_of(config)}&nonsense=1")
    assert "unknown option: nonsense" in said.out


def test_an_account_that_may_rewrite_the_log_is_told(cli: Cli, admin: Config) -> None:
    said = cli("doctor", "--json", "--url", url_of(admin))
    [found] = [one for one in said.json["checks"] if one["result"] == "fail"]
    assert "root holds UPDATE and DELETE on audit_logs" in found["found"]


# Migrate, connection


def test_migrations_by_the_migrators_account(cli: Cli, server: PrivateServer, copy: Config) -> None:
    migrator = prepare_temporary(server, copy.database).config(
        "dal_migrator", database=copy.database
    )
    url = ("--url", url_of(migrator))
    status = cli("migrate", "status", "--json", *url).json["migrations"]
    assert {one["state"] for one in status} == {"applied"}
    last = status[-1]["id"]
    dry = cli("migrate", "rollback", "--dry-run", *url)
    assert dry.status == 0
    assert last in dry.out
    assert cli("migrate", "status", "--json", *url).json["migrations"] == status
    assert cli("migrate", "rollback", "--json", *url).json["rolled_back"] == [last]
    pending = cli("migrate", "apply", "--dry-run", "--json", *url).json
    assert (pending["applied"], len(pending["statements"])) == ([last], 1)
    applied = cli("migrate", "apply", *url)
    assert (applied.status, "sql/grants.sql" in applied.err) == (0, True)
    assert cli("migrate", "rollback", "--count", "1", "--to", "0001", *url).status == 2


def test_a_refused_connection_is_one_line(cli: Cli, config: Config) -> None:
    wrong = url_of(attrs.evolve(config, password=dal.Secret("wrong-7")))
    for command in (["stats"], ["migrate", "status"], ["explain", "users/count_all"]):
        said = cli(*command, "--url", wrong)
        assert (said.status, said.out) == (2, "")
        assert "wrong-7" not in said.err
        assert said.err.startswith("dal: ")


def test_a_reader_who_stops_gets_no_message(
    config: Config, cli: Cli, email: str, tmp_path: Path
) -> None:
    file = write(tmp_path / "f", [named(n, content="x" * 20_000) for n in range(50)])
    cli("import", file, "--as", email, "--create-user", "Ada")
    command = [sys.executable, "-m", "dal", "export", "--as", email]
    with subprocess.Popen(
        command,
        env=environment(config),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


# What a review broke


def with_one(cli: Cli, email: str, tmp_path: Path) -> None:
    file = write(tmp_path / "one.jsonl", [named(1)])
    assert cli("import", file, "--as", email, "--create-user", "Ada").status == 0


def test_an_export_goes_into_a_pipe_and_does_not_replace_it(
    cli: Cli, email: str, tmp_path: Path
) -> None:
    with_one(cli, email, tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True) as reader:
        assert cli("export", "--as", email, "--out", pipe).status == 0
        assert json.loads(reader.communicate()[0])["name"] == "template 1"
    assert pipe.is_fifo()


def test_an_export_keeps_a_link(cli: Cli, email: str, tmp_path: Path) -> None:
    with_one(cli, email, tmp_path)
    link, file = tmp_path / "link.jsonl", tmp_path / "file.jsonl"
    link.symlink_to(file)
    assert cli("export", "--as", email, "--out", link).status == 0
    assert link.is_symlink()
    assert json.loads(file.read_text(encoding="utf-8"))["name"] == "template 1"


def test_migrations_that_may_not_be_seen_are_not_pending(cli: Cli) -> None:
    """The application's account may not read the records of the migrator."""
    said = cli("migrate", "status")
    assert said.status == 1
    assert "pending" not in said.out
    assert "denied" in said.err


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_closed_streams(config: Config, closed: str, tmp_path: Path) -> None:
    command = {
        "<&-": "import - --as a@example.org",
        ">&-": "stats --json",
        "2>&-": f"import {tmp_path}/nosuch --as a@example.org",
    }[closed]
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m dal {command} {closed}', sys.executable],
        env={**os.environ, "DAL_URL": url_of(config), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (0 if closed == ">&-" else 2), done.stderr
    assert "Traceback" not in done.stderr
