"""``dal gateways``: what is written for somebody else's folder is typed, formatted, and works."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import dal
from dal.cli.app import run

ROOT = Path(__file__).resolve().parents[2]
HEADER = """\
-- {summary}
--
-- returns: {returns}
{params}-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   none
{sql}
"""
RECORDS = """\
from decimal import Decimal

import attrs


@attrs.frozen(slots=True)
class Bill:
    guest: str | None
    total: Decimal
"""
FILES = {
    "bills/get_total": (
        "Add two prices.",
        "one Bill",
        {"guest": "VARCHAR(20) NULL", "left_price": "DECIMAL(9,2)", "right_price": "DECIMAL(9,2)"},
        "SELECT\n    :guest AS guest,\n    :left_price + :right_price AS total",
    ),
    "bills/count_odd": (
        "Count one number where it is among some.",
        "value int",
        {"numbers": "INT"},
        "SELECT 3 IN :numbers AS is_there",
    ),
    "guest_rooms/insert_many": (
        "Let rooms to guests, with names of parameters that are long enough for several lines.",
        "affected",
        {"room_id": "BINARY(16)", "let_at": "DATETIME(6)"},
        "INSERT INTO guest_rooms (id, let_at)\nVALUES (:room_id, :let_at)",
    ),
    "guest_rooms/update_many_things_of_one": (
        "Change it.",
        "affected",
        dict.fromkeys(("first_document", "second_document", "third_document"), "JSON"),
        "UPDATE guest_rooms SET a = :first_document, b = :second_document, c = :third_document",
    ),
}


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with a folder of statements, and what the command has written for it."""
    package = tmp_path / "hotel"
    for name, (summary, returns, params, sql) in FILES.items():
        file = package / "sql" / f"{name}.sql"
        file.parent.mkdir(parents=True, exist_ok=True)
        said = "".join(f"-- param:   {n} {kind} what it is\n" for n, kind in params.items())
        file.write_text(
            HEADER.format(summary=summary, returns=returns, params=said, sql=sql), encoding="utf-8"
        )
    (package / "__init__.py").touch()
    (package / "records.py").write_text(RECORDS, encoding="utf-8")
    out = package / "gateways.py"
    assert run(["gateways", str(package / "sql"), "--out", str(out)]) == 2  # whose Bill?
    assert not out.exists()
    assert run(
        ["gateways", str(package / "sql"), "--out", str(out), "--records", "hotel.records"]
    ) == 0  # fmt: skip
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for module in ("hotel", "hotel.records", "hotel.gateways"):
        sys.modules.pop(module, None)


async def test_it_works(app: Path, system: dal.Session) -> None:
    gateways = import_module("hotel.gateways")
    bills = gateways.BillsGateway(system)
    bill = await bills.get_total(guest=None, left_price=1, right_price=2)
    assert (bill.guest, bill.total) == (None, 3)
    assert await bills.count_odd(numbers=[1, 3]) == 1


@pytest.mark.parametrize(
    "command",
    [
        "mypy --strict --follow-imports=silent --cache-dir=.mypy -p hotel",
        "ruff format --isolated --line-length=100 --check hotel/gateways.py",
        "ruff check --isolated --line-length=100 --select=E,F hotel/gateways.py",
    ],
)
def test_it_is_typed_and_formatted(app: Path, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command.split()],
        cwd=app.parent,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
