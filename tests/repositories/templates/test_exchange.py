"""Templates with their whole history: imported, exported, and imported by somebody else."""

from __future__ import annotations

import importlib.util
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import dal
from tests.repositories.data import data_file

FABRIC = "fabric_pattern_versions"


def adapters() -> dict[str, Any]:
    """Those of scripts/datasets.py, which is no package."""
    path = Path(__file__).resolve().parents[3] / "scripts" / "datasets.py"
    spec = importlib.util.spec_from_file_location("datasets_script", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: dict[str, Any] = module.adapters
    return found


def published(path: Path) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The lines of the file by pattern and role, as they are published."""
    rows: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for line in path.read_bytes().decode().split("\n"):
        if line:
            row = json.loads(line)
            rows[row["title"], row["role"]].append(row)
    return rows


async def exported(session: dal.Session) -> list[dal.TemplateExport]:
    return [export async for export in session.templates.exchange.export()]


async def test_826_versions_come_with_authors_times_and_messages(
    as_ada: dal.Session, as_bob: dal.Session, bob: dal.User, clock: dal.ManualClock
) -> None:
    path = data_file(f"{FABRIC}.jsonl")
    expected = published(path)
    made = await as_ada.templates.exchange.create_many(
        dal.NewTemplate.from_mapping(row) for row in adapters()[FABRIC].rows(path)
    )
    assert len(made) == len(expected)
    read_back = 0
    for template in made:
        (role,) = template.tags
        rows = sorted(expected[template.name, role], key=lambda row: row["version"])
        summaries: list[dal.TemplateVersionSummary] = []
        after = None
        while True:
            page = await as_bob.templates.versions.list_of(template.id, limit=20, after=after)
            summaries += page.rows
            after = page.next
            if after is None:
                break
        assert [one.version for one in reversed(summaries)] == [row["version"] for row in rows]
        assert template.head_version == rows[-1]["version"]
        assert template.content == rows[-1]["content"]
        for row in rows:
            version = await as_bob.templates.versions.get(template.id, row["version"])
            assert version.content == row["content"]
            assert version.author_name == row["author"]
            assert version.message == row["change_note"]
            assert version.created_at == datetime.fromisoformat(row["committed_at"])
            assert version.created_at.tzinfo is UTC
            read_back += 1
    assert read_back == 826
    assert await as_ada.templates.count_mine() == len(made)

    # Out of one account and into another, to the byte.
    exports = await exported(as_ada)
    lines = [export.to_line() for export in exports]
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)
    news = [dal.NewTemplate.from_mapping({**json.loads(line), "id": None}) for line in lines]
    clock.move(timedelta(days=1))
    await as_bob.templates.exchange.create_many(news)

    def said(export: dal.TemplateExport) -> str:
        return json.dumps({**export.to_mapping(), "id": None}, sort_keys=True)

    others = await exported(as_bob)
    assert sorted(map(said, others)) == sorted(map(said, exports))
    assert {export.template.owner_id for export in others} == {bob.id}
    assert sum(len(export.versions) for export in others) == 826


async def test_what_an_export_holds(
    as_ada: dal.Session, as_bob: dal.Session, as_nobody: dal.Session, clock: dal.ManualClock
) -> None:
    """Labels, gaps of deleted versions, and the highest number ever, so none comes twice."""
    made = await as_ada.templates.create(
        name="n\u2028 \x85", content="1\r\n", system_prompt="", description="d\0",
        author_name="Ann", category="Some Thing", tags=["Zeta", "\U0001f600", "a"],
    )  # fmt: skip
    for text in ("2", "3", "4", "5"):
        clock.move(timedelta(seconds=1))
        await as_ada.templates.versions.commit(made.id, content=text, message=f"to {text}")
    await as_ada.templates.versions.delete(made.id, 2)
    await as_ada.templates.versions.delete(made.id, 5)
    await as_ada.templates.labels.set(made.id, "production", 1)
    await as_ada.templates.labels.set(made.id, "Own", 4)
    trashed = await as_ada.templates.create(name="gone", content="c")
    await as_ada.templates.soft_delete(trashed.id)
    (export,) = await exported(as_ada)
    assert export.template == await as_ada.templates.get(made.id)
    assert export.versions == tuple(
        [await as_ada.templates.versions.get(made.id, number) for number in (1, 3, 4)]
    )
    assert export.labels == (("own", 4), ("production", 1))
    assert export.last_version == 5
    line = export.to_line()
    assert line.count("\n") == 1
    with pytest.raises(dal.UniqueError):
        await as_bob.templates.exchange.create_many(
            [dal.NewTemplate.from_mapping(json.loads(line))]
        )
    row = {key: value for key, value in json.loads(line).items() if key != "id"}
    (other,) = await as_bob.templates.exchange.create_many([dal.NewTemplate.from_mapping(row)])
    assert await as_bob.templates.get(other.id) == other
    (again,) = await exported(as_bob)
    assert {**again.to_mapping(), "id": None} == {**export.to_mapping(), "id": None}
    assert (await as_bob.templates.labels.get_version(other.id)).content == "1\r\n"
    moves = (await as_bob.templates.labels.list_moves(other.id)).rows
    assert {(move.label, move.from_version, move.to_version) for move in moves} == {
        ("own", None, 4),
        ("production", None, 1),
    }
    # Not 5 again.
    assert (await as_bob.templates.versions.commit(other.id, content="next")).version == 6
    assert await exported(as_ada) == [export]
    with pytest.raises(dal.PermissionDeniedError):
        await exported(as_nobody)
