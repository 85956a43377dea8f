"""dal audit: what each command does and says, by the account of its role, and its exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from dal.cli import main
from dal.config import Config
from tests.repositories.audit.conftest import Log
from tests.repositories.test_cli import Said, url_of

Cli = Callable[..., Said]


@pytest.fixture
def cli(
    log: Log,
    log_configs: dict[str, Config],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Cli:
    """Run a command in this process by the account of a role."""

    def run(role: str, *arguments: object) -> Said:
        monkeypatch.setenv("DAL_URL", url_of(log_configs[role]))
        capsys.readouterr()
        status = main(["audit", *map(str, arguments)])
        out, err = capsys.readouterr()
        assert log_configs[role].password.reveal() not in out + err
        return Said(status, out, err)

    return run


def test_seal_anchor_and_verify(log: Log, cli: Cli, tmp_path: Path) -> None:
    log.fill(25)
    said = cli("dal_sealer", "seal", "--batch-rows", 10)
    assert (said.status, said.out) == (0, "25 entries sealed by 3 seals\n")
    assert cli("dal_sealer", "seal", "--json").json == {
        "seals": 0, "entries": 0, "is_overtaken": False,
    }  # fmt: skip
    head = tmp_path / "anchor.json"
    head.write_text(cli("dal_sealer", "anchor").out)
    assert json.loads(head.read_text())["seal"] == 3
    said = cli("dal_sealer", "verify", "--anchor", head)
    assert said.status == 0
    assert said.out.startswith("ok: 25 entries in 3 seals; 0 purged by 0 checkpoints\n")
    assert "since the anchor: 0 seals, 0 checkpoints\n" in said.out
    said = cli("dal_sealer", "verify")
    assert "cannot be seen: whether the end was cut off" in said.out
    log.root("UPDATE audit_logs SET action = 'filled.out' LIMIT 1")
    said = cli("dal_sealer", "verify")
    assert said.status == 1
    assert said.out.startswith("BROKEN: changed: entry ")
    found = cli("dal_sealer", "verify", "--json")
    assert (found.status, found.json["ok"], found.json["broken"]["seal_number"]) == (1, False, 1)
    for table in ("audit_seals", "audit_seal_entries"):
        column = "number" if table == "audit_seals" else "seal_number"
        log.root(f"DELETE FROM {table} WHERE {column} = 3")
    log.root("UPDATE audit_logs SET action = 'filled.in'")
    log.root("DELETE FROM audit_logs ORDER BY occurred_at DESC, id DESC LIMIT 5")
    assert cli("dal_sealer", "verify").status == 0
    said = cli("dal_sealer", "verify", "--anchor", head)
    assert (said.status, "cut off" in said.out) == (1, True)
    head.write_text("nothing")
    assert cli("dal_sealer", "verify", "--anchor", head).status == 2


def test_export_import_and_the_manifest(log: Log, cli: Cli, tmp_path: Path) -> None:
    log.fill(12)
    out = tmp_path / "log.jsonl"
    asked = ("--until", "2026-03-01T00:00:00+00:00", "--severity", "low")
    assert cli("dal_application", "export", "--out", out, *asked).status == 0
    manifest = json.loads((tmp_path / "log.jsonl.manifest.json").read_text())
    assert manifest["sha256"] == sha256(out.read_bytes()).hexdigest()
    assert (manifest["count"], manifest["format"]) == (12, "jsonl")
    assert manifest["question"] == {
        "severity": "low", "until_at": "2026-03-01T00:00:00+00:00",
    }  # fmt: skip
    assert (out.stat().st_mode & 0o777) == 0o600
    again = tmp_path / "again.jsonl"
    assert cli("dal_application", "export", "--out", again, *asked).status == 0
    assert again.read_bytes() == out.read_bytes()
    said = cli("dal_application", "export", "--format", "csv", *asked)
    assert said.out.count("\n") == 13
    log.root("DELETE FROM audit_logs")
    said = cli("dal_application", "import", out)
    assert said.status == 0
    assert "12 imported, 0 already there, 0 bad" in said.out
    assert "0 imported, 12 already there" in cli("dal_application", "import", out).out
    with out.open("a") as file:
        file.write('{"action": 5}\n')
    said = cli("dal_application", "import", out)
    assert (said.status, f"{out}:13: action" in said.err) == (1, True)
    assert cli("dal_application", "export", "--until", "yesterday").status == 2
    assert cli("dal_application", "export", "--severity", "grave").status == 2


def test_retain_archives_before_it_removes(log: Log, cli: Cli, tmp_path: Path) -> None:
    log.root(
        "INSERT INTO audit_logs (id, occurred_at, actor_type, action, target_type, outcome,"
        " affected, changes) VALUES (%s, '2020-01-01', 'system', 'a.b', 'a', 'success', 1, '{}')",
        bytes(16),
    )
    log.fill(3)
    assert cli("dal_sealer", "seal").status == 0
    archive, policy = tmp_path / "old.jsonl", tmp_path / "policy.json"
    assert cli("dal_retention", "retain").status == 2
    assert cli("dal_retention", "retain", "--no-archive", "--archive", archive).status == 2
    policy.write_text("{")
    assert cli("dal_retention", "retain", "--no-archive", "--policy", policy).status == 2
    policy.write_text('{"default": "x"}')
    assert cli("dal_retention", "retain", "--no-archive", "--policy", policy).status == 2
    policy.write_text('{"default": 1000}')
    said = cli("dal_retention", "retain", "--archive", archive, "--policy", policy)
    assert said.status == 0
    assert said.out.startswith(
        "1 entries removed by 1 checkpoints; 0 held, 0 not sealed yet; lag 0"
    )
    (line,) = archive.read_text().splitlines()
    assert json.loads(line)["action"] == "a.b"
    found: Any = cli("dal_retention", "retain", "--no-archive", "--policy", policy, "--json").json
    assert (found["purged"], found["lag"]) == (0, 0.0)
    assert cli("dal_sealer", "verify").status == 0


def test_who_has_no_right_is_told(log: Log, cli: Cli) -> None:
    log.fill(1)
    for command in (("seal",), ("verify",), ("retain", "--no-archive")):
        said = cli("dal_application", *command)
        assert said.status == 1
        assert said.err.startswith("dal: ")
        assert said.err.count("\n") == 1
