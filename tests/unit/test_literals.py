"""Values as SQL text: each fits its declared type, or is refused by name.

That a server reads them as the same value is in tests/faults/test_values.py.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dal
from dal.statements.lexer import Kind, tokens
from dal.statements.literals import FAMILIES, parse_type


class Word(StrEnum):
    ONE = "o'ne"


class Text(str):
    """A str whose own methods lie."""

    __slots__ = ()

    def translate(self, *_: Any) -> str:
        return "' OR 1=1 -- "

    def __str__(self) -> str:
        return "' OR 1=1 -- "


@pytest.mark.parametrize(
    ("sql_type", "value", "literal"),
    [
        ("VARCHAR(5)", "o'\\\"\0\n\r\x1a"[:5], "'o\\'\\\\\\\"\\0'"),
        ("VARCHAR(9)", Word.ONE, "'o\\'ne'"),
        ("BINARY(16)", UUID(int=1), f"X'{1:032x}'"),
        ("VARBINARY(4)", b"\x00'\\", "X'00275c'"),
        ("INT", -5, "-5"),
        ("BIGINT UNSIGNED", 2**64 - 1, "18446744073709551615"),
        ("BOOLEAN", True, "TRUE"),
        ("DATETIME(6)", datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=1))),
         "TIMESTAMP'2026-01-01 23:00:00.000000'"),
        ("DATE", date(2026, 1, 2), "DATE'2026-01-02'"),
        ("DECIMAL(5,2)", Decimal("1E+2"), "100"),
        ("DECIMAL(5,2)", Decimal("999.990"), "999.990"),
        ("DOUBLE", 1.5, "1.5e0"),
        ("JSON", {"a": "'"}, "'{\\\"a\\\":\\\"\\'\\\"}'"),
        ("INT NULL", None, "NULL"),
    ],
)  # fmt: skip
def test_a_literal(sql_type: str, value: object, literal: str) -> None:
    assert parse_type(sql_type).literal(value, "f") == literal


TYPES = [
    "VARCHAR(1000)", "CHAR(1000)", "TEXT", "LONGTEXT", "VARBINARY(1000)", "BINARY(16)", "INT",
    "BIGINT UNSIGNED", "TINYINT", "BOOLEAN", "DATETIME(6)", "DATE", "DECIMAL(30,18)", "DOUBLE",
    "JSON", "INT NULL",
]  # fmt: skip
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.decimals(),
    st.uuids(), st.dates(), st.datetimes(timezones=st.none() | st.timezones()), st.lists(st.text()),
    st.dictionaries(st.text(), st.integers()), st.builds(object), st.text().map(Text),
    st.binary().map(bytearray), st.binary().map(lambda data: memoryview(data)),
    st.text(st.sampled_from("'\"\\\0\n\r\x1a%_;-`#/*")),
)  # fmt: skip


@given(st.sampled_from(TYPES), ANYTHING)
def test_one_literal_or_a_refusal(sql_type: str, value: object) -> None:
    literal: str | None = None
    refusal: dal.ValueRejectedError | None = None
    try:
        literal = parse_type(sql_type).literal(value, "the_field")
    except dal.ValueRejectedError as error:
        refusal = error
    if literal is None:
        assert refusal is not None
        assert refusal.field == "the_field"
        assert str(refusal).startswith("the_field: ")
        return
    found = [t for t in tokens(literal) if t.kind is not Kind.OTHER or t.text not in "-+"]
    # One token, and for a temporal literal or a key word one word before it: nothing got out.
    assert len(found) <= 2
    assert found[-1].kind in (Kind.STRING, Kind.NUMBER, Kind.WORD)
    if found[-1].kind is Kind.STRING:
        assert literal.endswith("'")
        literal.encode()
    if len(found) == 2:
        assert found[0].text in ("TIMESTAMP", "DATE")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_can_be_read_back(value: str) -> None:
    literal = parse_type("LONGTEXT").literal(value, "f")
    unescape = {"0": "\0", "n": "\n", "r": "\r", "Z": "\x1a"}
    body, out, i = literal[1:-1], [], 0
    while i < len(body):
        if body[i] == "\\":
            out.append(unescape.get(body[i + 1], body[i + 1]))
            i += 1
        else:
            assert body[i] != "'"
            out.append(body[i])
        i += 1
    assert "".join(out) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_a_decimal_is_exact_or_refused(value: Decimal) -> None:
    try:
        literal = parse_type("DECIMAL(12,4)").literal(value, "f")
    except dal.ValueRejectedError:
        assert abs(value) >= 10**8 or value != value.quantize(Decimal("0.0001"))
        return
    assert Decimal(literal) == value
    assert "E" not in literal.upper()


@pytest.mark.parametrize(
    "text",
    ["", "int", "INTEGER", "VARCHAR", "CHAR", "BINARY", "VARBINARY", "DECIMAL", "DECIMAL(5)",
     "DATETIME", "DATETIME(3)", "TIMESTAMP", "TEXT UNSIGNED", "BOOLEAN UNSIGNED", "INT NOT NULL",
     "INT; DROP", "ENUM('a')", "BLOB", "FLOAT", "DATE UNSIGNED"],
)  # fmt: skip
def test_no_type(text: str) -> None:
    with pytest.raises(dal.StatementError):
        parse_type(text)


def test_a_type_is_written_as_it_is_read() -> None:
    for text in (*TYPES, "DECIMAL(30,18) NULL", "SMALLINT UNSIGNED NULL"):
        assert str(parse_type(text)) == text
        assert parse_type(text).family == FAMILIES[parse_type(text).base]


def test_none_where_there_must_be_a_value() -> None:
    for text in TYPES:
        if not text.endswith("NULL"):
            with pytest.raises(dal.ValueRejectedError, match="f: a value is required"):
                parse_type(text).literal(None, "f")
