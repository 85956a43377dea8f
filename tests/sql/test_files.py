"""Files and what is written from them: they agree, and keep the rules of the house."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from dal.review.select_lists import parse_select_lists
from dal.statements import house
from dal.testing.index import callers_of_gateways, index_text
from tests.sql.text_rules import meaning_faults, text_faults

ROOT = Path(__file__).parents[2]
STATEMENTS = dict(house().statements)
all_statements = pytest.mark.parametrize("name", sorted(STATEMENTS))


@pytest.mark.parametrize("script", ["gateways", "select_lists"])
def test_what_is_written_from_the_files_is_what_they_say(script: str) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / script, "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_record_of_several_files_has_one_select_list() -> None:
    """But for numbers, which each file computes of what it may see."""
    lists = parse_select_lists((ROOT / "sql/select_lists.sql").read_text(encoding="utf-8"))
    found = Counter(
        s.header.record for s in STATEMENTS.values() if s.header.verb in ("one", "find", "many")
    )
    several = {record for record, n in found.items() if n > 1 and record and record[0].isupper()}
    assert several - lists.keys() <= {
        "ConversationTotals",
        "TemplateStatistics",
        "TermCount",
        "UUID",
        "UserPreferences",
    }
    assert lists.keys() <= found.keys()


@all_statements
def test_the_text_keeps_the_rules_of_the_house(name: str) -> None:
    assert text_faults(STATEMENTS[name]) == []


def test_a_name_means_one_thing() -> None:
    assert meaning_faults(STATEMENTS) == []


def test_every_method_of_a_gateway_has_a_caller() -> None:
    called = callers_of_gateways(ROOT / "dal/repositories")
    assert set(STATEMENTS) - called.keys() == set()


def test_the_gateways_hold_no_sql() -> None:
    """A statement is a file: no text of one hides in a gateway or a repository."""
    for path in [*ROOT.glob("dal/gateways/*.py"), *ROOT.glob("dal/repositories/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                first = node.value.strip().partition(" ")[0]
                assert first not in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"), path


def test_the_index_is_what_the_headers_say() -> None:
    schema = (ROOT / "sql/schema.sql").read_text(encoding="utf-8")
    text = index_text(house(), schema, ROOT / "dal/repositories")
    assert (ROOT / "sql/INDEX.md").read_text(encoding="utf-8") == text, "run scripts/index"
