"""Rules of the schema that statements rely on."""

from __future__ import annotations

import re
from pathlib import Path

SCHEMA = (Path(__file__).parents[2] / "sql/schema.sql").read_text(encoding="utf-8")
_TABLE = re.compile(r"^CREATE TABLE `(\w+)` \($(.*?)^\)", re.MULTILINE | re.DOTALL)
_KEY = re.compile(r"^  (?:PRIMARY |UNIQUE )?KEY (?:`(\w+)` )?\(([^)]+)\)", re.MULTILINE)
_FOREIGN = re.compile(r"CONSTRAINT `(\w+)` FOREIGN KEY \(([^)]+)\)")
_MAY_BE_NULL = re.compile(r"^  `(\w+)` .*\bDEFAULT NULL", re.MULTILINE)


def _columns(text: str) -> list[str]:
    return text.replace("`", "").replace(" ", "").split(",")


def unchecked_foreign_keys(schema: str) -> list[str]:
    """Foreign keys that MySQL would not check.

    It takes the first key that begins with the foreign key's columns, and lets a row pass in which
    any column of that key is NULL (seen on 9.7.4): with deleted_at in it, each live row.
    """
    found = []
    for table, body in _TABLE.findall(schema):
        nullable = set(_MAY_BE_NULL.findall(body))
        for name, text in _FOREIGN.findall(body):
            own = _columns(text)
            keys = [(key, _columns(columns)) for key, columns in _KEY.findall(body)]
            first, columns = next((k, c) for k, c in keys if c[: len(own)] == own)
            others = nullable & set(columns[len(own) :])
            if others:
                found.append(f"{table}.{name}: {first} comes first, and holds {sorted(others)}")
    return found


def test_every_foreign_key_is_checked() -> None:
    assert len(_FOREIGN.findall(SCHEMA)) >= 6
    assert unchecked_foreign_keys(SCHEMA) == []


def test_a_key_with_a_nullable_column_is_found() -> None:
    key = "  KEY `ix_template_versions_created_by` (`created_by`)"
    assert key in SCHEMA
    planted = SCHEMA.replace(key, "  KEY `ix_bad` (`created_by`,`message`)")
    assert any("fk_template_versions_created_by" in f for f in unchecked_foreign_keys(planted))
