"""Rows of text -> records: each type of the closed map, and what does not fit."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import attrs
import pytest

import dal
from dal.records.usage import ModelPrice
from dal.records.variables import Variable
from dal.statements.decode import FIELD_FAMILIES, Decoder, fields_of


class Kind(Enum):
    SMALL = "small"


GOOD: list[tuple[Any, str | bytes, Any]] = [
    (UUID, bytes(15) + b"\x05", UUID(int=5)),
    (str, "text\0\U0001f600", "text\0\U0001f600"),
    (bytes, b"\x00\xff", b"\x00\xff"),
    (int, "-18446744073709551615", -18446744073709551615),
    (bool, "1", True),
    (bool, "0", False),
    (float, "1e308", 1e308),
    (Decimal, "1.500000000000000000", Decimal("1.500000000000000000")),
    (datetime, "2026-01-02 03:04:05.000006", datetime(2026, 1, 2, 3, 4, 5, 6, UTC)),
    (datetime, "2026-01-02 03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    (date, "2026-01-02", date(2026, 1, 2)),
    (frozenset[str], '["a", "b", "a"]', frozenset({"a", "b"})),
    (
        tuple[Variable, ...],
        '[{"name": "b", "default": null}, {"default": "", "name": "a"}]',
        (Variable("b", None), Variable("a", "")),
    ),
    (tuple[Variable, ...], "[]", ()),
    (tuple[ModelPrice, ...], "[]", ()),
    (dict[str, Any], '{"a": [1]}', {"a": [1]}),
    (Kind, "small", Kind.SMALL),
]
BAD: list[tuple[Any, str | bytes]] = [
    (UUID, b"short"),
    (int, "one"),
    (int, ""),
    (bool, "2"),
    (float, "x"),
    (Decimal, "x"),
    (datetime, "0000-00-00 00:00:00"),
    (date, "2026-02-30"),
    (frozenset[str], "not json"),
    (tuple[ModelPrice, ...], "not json"),
    (tuple[ModelPrice, ...], '["a"]'),
    (tuple[ModelPrice, ...], '[{"model": "a"}]'),
    (tuple[Variable, ...], "not json"),
    (tuple[Variable, ...], "{}"),
    (tuple[Variable, ...], '["a"]'),
    (tuple[Variable, ...], '[{"name": "a"}]'),
    (tuple[Variable, ...], '[{"name": 5, "default": null}]'),
    (tuple[Variable, ...], '[{"name": "a", "default": 5}]'),
    (tuple[Variable, ...], '[{"name": "a", "default": null, "more": 1}]'),
    (dict[str, Any], "{"),
    (Kind, "large"),
    (Kind, "SMALL"),
]


def record_of(hint: Any) -> Any:
    return attrs.make_class("Made", {"other": attrs.field(type=int), "it": attrs.field(type=hint)})


@pytest.mark.parametrize(("hint", "raw", "value"), GOOD)
def test_a_field(hint: Any, raw: str | bytes, value: Any) -> None:
    for one in (hint, hint | None):
        decoder = Decoder("a/b", record_of(one))
        made = decoder.rows([("1", raw), ("2", raw)])
        assert [row.it for row in made] == [value, value]
        assert type(made[0].it) is type(value)
    assert Decoder("a/b", record_of(hint | None)).rows([("1", None)])[0].it is None


def test_every_type_of_the_map_is_tried() -> None:
    assert {hint for hint, _, _ in GOOD} == {*FIELD_FAMILIES, Kind}


@pytest.mark.parametrize(("hint", "raw"), BAD)
def test_what_does_not_fit_is_named_and_not_repeated(hint: Any, raw: str | bytes) -> None:
    decoder = Decoder("a/b", record_of(hint))
    with pytest.raises(dal.RowShapeError, match=r"Made: it is no") as caught:
        decoder.rows([("1", raw)])
    assert caught.value.statement == "a/b"
    if raw:
        assert str(raw) not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("hint", [hint for hint, _, _ in GOOD])
def test_null_where_there_is_no_none(hint: Any) -> None:
    with pytest.raises(dal.RowShapeError, match="it: NULL") as caught:
        Decoder("a/b", record_of(hint)).rows([("1", None)])
    assert caught.value.statement == "a/b"


@pytest.mark.parametrize("raw", [(), ("1",), ("1", "2", "3")])
def test_a_row_of_another_length(raw: tuple[str, ...]) -> None:
    with pytest.raises(dal.RowShapeError):
        Decoder("a/b", record_of(int)).rows([raw])


@pytest.mark.parametrize(
    "names", [("it", "other"), ("other",), ("other", "it", "x"), ("other", "It")]
)
def test_other_columns(names: tuple[str, ...]) -> None:
    with pytest.raises(dal.RowShapeError, match="Made") as caught:
        Decoder("a/b", record_of(int)).check_columns(names)
    assert caught.value.statement == "a/b"
    Decoder("a/b", record_of(int)).check_columns(("other", "it"))


def test_one_value() -> None:
    decoder = Decoder("a/b", int)
    assert decoder.rows([("5",), ("6",)]) == [5, 6]
    decoder.check_columns(("whatever",))
    with pytest.raises(dal.RowShapeError, match="one column"):
        decoder.check_columns(("a", "b"))
    with pytest.raises(dal.RowShapeError, match="NULL"):
        decoder.rows([(None,)])


@pytest.mark.parametrize(
    "hint",
    [list[int], tuple[int, ...], object, Any, int | str, int | str | None, set[str], dict[str, int],
     frozenset[int], type(None), complex],
)  # fmt: skip
def test_a_type_that_no_column_is_read_as(hint: Any) -> None:
    with pytest.raises(dal.StatementError, match="it"):
        fields_of(record_of(hint))


def test_families() -> None:
    fields = fields_of(record_of(Kind | None))
    assert fields[1].nullable
    assert fields[1].families == {"enum", "text"}
    assert fields[0].families == {"integer"}
