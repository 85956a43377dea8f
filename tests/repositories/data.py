"""Real data: where it lies, and texts that break naive layers."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

from dal.cli.importing import Source
from dal.search import PUBLIC_SCOPE, TEMPLATES, impacts

FOLDER: Final = Path(
    os.environ.get("DAL_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")
)
_SCRIPTS: Final = Path(__file__).resolve().parents[2] / "scripts"
REASON: Final = "real data is absent: set DAL_TEST_DATA"


def data_file(name: str) -> Path:
    """A file of real data; the test is skipped where it is not to be had."""
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(REASON)
    return path


NASTY: Final = (
    "",
    " ",
    "\0",
    "a\0b",
    "trailing space ",
    "tab\tand\r\nline",
    "\\",
    "\\'",
    "\\\\%\\_",
    "'; DROP TABLE templates; --",
    '"',
    "`",
    "\x1a",
    "%s %(a)s :name ? {}",
    "é",
    "e\u0301",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467",
    "\U0001f600",
    "\U0010ffff",
    "\ufeffbom",
    "\u202eright to left\u202c שלום مرحبا",
    "\ufffd\ufffe",
    "\x85\xa0\u2028\u2029",
    "¿'",
    "null",
    "NULL",
)
"""Stored byte for byte by every free-text column."""


def naughty_strings() -> list[str]:
    """Every string of blns.json, and ours."""
    strings: list[str] = json.loads(data_file("blns.json").read_text(encoding="utf-8"))
    return [*strings, *NASTY]


def postings_of(
    *, name: str, texts: Iterable[str | None], owner_id: UUID, is_public: bool
) -> set[tuple[int, bytes, int]]:
    """The postings of a template: hash of the term, scope, impact."""
    scope = PUBLIC_SCOPE if is_public else owner_id
    found = impacts(name, texts, pivot_terms=TEMPLATES.pivot_terms)
    return {(term, scope.bytes, impact) for term, impact in found.items()}


def script_adapters(script: str) -> dict[str, Any]:
    """The collections of a script of scripts/, which is no package."""
    sys.path.insert(0, str(_SCRIPTS))
    try:
        name = f"{script}_script"
        spec = importlib.util.spec_from_file_location(name, _SCRIPTS / f"{script}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(_SCRIPTS))
    found: dict[str, Any] = module.adapters
    return found


def file_of(rows: Iterable[object]) -> Source:
    """Rows as a file of JSON lines."""
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    return Source("rows", len(data), io.BytesIO(data))
