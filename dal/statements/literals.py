"""Python values -> SQL literals, by the type that a statement's header declares.

The driver's own escaping is not used: it stores a bytearray as its repr, drops the offset of an
aware datetime, and turns an unknown object into ``str(object)`` without a word. Here a value
either fits the declared type or is refused by name before anything is sent.

Text is escaped with backslashes, so a session in NO_BACKSLASH_ESCAPES is refused on connect; bytes
are hexadecimal literals, which no sql_mode can misread.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Final
from uuid import UUID

import attrs

from dal.errors import StatementError, ValueRejectedError
from dal.records.text import utf8_bytes

__all__ = ["FAMILIES", "SqlType", "parse_type"]

Render = Callable[[object, str], str]

_TYPE = re.compile(
    r"(?P<base>[A-Z]+)(?:\((?P<length>\d+)(?:\s*,\s*(?P<scale>\d+))?\))?"
    r"(?P<unsigned> UNSIGNED)?(?P<null> NULL)?\Z"
)
_INT_BITS: Final = {"TINYINT": 8, "SMALLINT": 16, "MEDIUMINT": 24, "INT": 32, "BIGINT": 64}
_TEXT_BYTES: Final = {
    "TINYTEXT": 255,
    "TEXT": 65_535,
    "MEDIUMTEXT": 16_777_215,
    "LONGTEXT": 4_294_967_295,
}
# Type family of each base type: what MySQL can tell of a parameter at PREPARE.
FAMILIES: Final[dict[str, str]] = {
    **dict.fromkeys(_INT_BITS, "integer"),
    **dict.fromkeys(_TEXT_BYTES, "text"),
    "BOOLEAN": "integer",
    "CHAR": "text",
    "VARCHAR": "text",
    "BINARY": "binary",
    "VARBINARY": "binary",
    "DATETIME": "temporal",
    "DATE": "temporal",
    "DECIMAL": "decimal",
    "DOUBLE": "float",
    "JSON": "json",
}
_ESCAPES: Final = str.maketrans(
    {
        "\0": "\\0",
        "\n": "\\n",
        "\r": "\\r",
        "\x1a": "\\Z",
        '"': '\\"',
        "'": "\\'",
        "\\": "\\\\",
    }
)


@attrs.frozen(slots=True)
class SqlType:
    """A declared parameter type, and how its values become literals."""

    base: str
    length: int | None
    scale: int | None
    unsigned: bool
    nullable: bool
    _render: Render = attrs.field(eq=False, repr=False)

    @property
    def family(self) -> str:
        """integer, text, binary, decimal, float, temporal or json."""
        return FAMILIES[self.base]

    def literal(self, value: object, field: str) -> str:
        """``value`` as SQL text.

        Raises:
            ValueRejectedError: not a value of this type; ``field`` is named, the value is not.
        """
        if value is None:
            if not self.nullable:
                raise ValueRejectedError(f"{field}: a value is required", field=field)
            return "NULL"
        return self._render(value, field)

    def __str__(self) -> str:
        size = ""
        if self.length is not None:
            size = f"({self.length})" if self.scale is None else f"({self.length},{self.scale})"
        return f"{self.base}{size}{' UNSIGNED' * self.unsigned}{' NULL' * self.nullable}"


def _refuse(field: str, why: str) -> ValueRejectedError:
    return ValueRejectedError(f"{field}: {why}", field=field)


def _wrong(field: str, wanted: str, value: object) -> ValueRejectedError:
    return _refuse(field, f"{wanted} is required, not {type(value).__name__}")


def _quoted(text: str) -> str:
    return f"'{text.translate(_ESCAPES)}'"


def _utf8_length(text: str, field: str) -> int:
    n_bytes = utf8_bytes(text)
    if n_bytes is None:
        raise _refuse(field, "holds a lone surrogate, which is not text")
    return n_bytes


def _text(base: str, length: int | None) -> Render:
    max_chars = length if base in ("CHAR", "VARCHAR") else None
    max_bytes = _TEXT_BYTES.get(base)

    def render(value: object, field: str) -> str:
        if isinstance(value, Enum):
            value = value.value
        if type(value) is not str:
            if not isinstance(value, str):
                raise _wrong(field, "text", value)
            value = str.__str__(value)
        n_bytes = _utf8_length(value, field)
        if max_chars is not None and len(value) > max_chars:
            raise _refuse(field, f"too long: at most {max_chars} characters")
        if max_bytes is not None and n_bytes > max_bytes:
            raise _refuse(field, f"too long: at most {max_bytes} bytes of UTF-8")
        return _quoted(value)

    return render


def _binary(base: str, length: int | None) -> Render:
    def render(value: object, field: str) -> str:
        if isinstance(value, UUID):
            data = value.bytes
        elif isinstance(value, (bytes, bytearray, memoryview)):
            data = bytes(value)
        else:
            raise _wrong(field, "a UUID or bytes", value)
        # The server pads a short BINARY with zeros and says nothing.
        if base == "BINARY" and len(data) != length:
            raise _refuse(field, f"exactly {length} bytes are required")
        if length is not None and len(data) > length:
            raise _refuse(field, f"too long: at most {length} bytes")
        return f"X'{data.hex()}'"

    return render


def _integer(base: str, unsigned: bool) -> Render:
    bits = _INT_BITS[base]
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)

    def render(value: object, field: str) -> str:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong(field, "a whole number", value)
        if not low <= value <= high:
            raise _refuse(field, f"out of range: {low} to {high}")
        return str(int(value))

    return render


def _boolean(value: object, field: str) -> str:
    if not isinstance(value, bool):
        raise _wrong(field, "True or False", value)
    return "TRUE" if value else "FALSE"


def _datetime(value: object, field: str) -> str:
    if not isinstance(value, datetime):
        raise _wrong(field, "a datetime", value)
    if value.tzinfo is None or value.utcoffset() is None:
        raise _refuse(field, "a datetime with a time zone is required")
    try:
        utc = value.astimezone(UTC)
    except OverflowError:
        raise _refuse(field, "out of range: year 1000 to 9999, in UTC") from None
    if utc.year < 1000:
        raise _refuse(field, "out of range: year 1000 to 9999, in UTC")
    return f"TIMESTAMP'{utc:%Y-%m-%d %H:%M:%S.%f}'"


def _date(value: object, field: str) -> str:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise _wrong(field, "a date", value)
    if value.year < 1000:
        raise _refuse(field, "out of range: year 1000 to 9999")
    return f"DATE'{value.isoformat()}'"


def _decimal(length: int, scale: int) -> Render:
    def render(value: object, field: str) -> str:
        if isinstance(value, bool) or not isinstance(value, (Decimal, int)):
            raise _wrong(field, "a Decimal", value)
        number = Decimal(value)
        if not number.is_finite():
            raise _refuse(field, "a finite number is required")
        digits, exponent = number.as_tuple().digits, int(number.as_tuple().exponent)
        # Trailing zeros carry nothing; further decimals would be rounded without a word.
        significant = len("".join(map(str, digits)).rstrip("0"))
        decimals = max(0, -exponent - (len(digits) - significant)) if significant else 0
        if decimals > scale:
            raise _refuse(field, f"at most {scale} decimals")
        if number and number.adjusted() + 1 > length - scale:
            raise _refuse(field, f"out of range: at most {length - scale} digits before the point")
        return format(number, "f")

    return render


def _double(value: object, field: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (float, int)):
        raise _wrong(field, "a number", value)
    number = float(value)
    if not math.isfinite(number):
        raise _refuse(field, "a finite number is required")
    text = repr(number)
    return text if "e" in text else f"{text}e0"


def _json(value: object, field: str) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        raise _refuse(field, "cannot be written as JSON") from None
    _utf8_length(text, field)
    return _quoted(text)


def _renderer(base: str, length: int | None, scale: int | None, unsigned: bool) -> Render | None:
    family = FAMILIES.get(base)
    if base in ("CHAR", "VARCHAR", "BINARY", "VARBINARY") and length is None:
        return None
    if family == "text":
        return _text(base, length)
    if family == "binary":
        return _binary(base, length)
    if base in _INT_BITS:
        return _integer(base, unsigned)
    if base == "DECIMAL":
        if length is None or scale is None:
            return None
        return _decimal(length, scale)
    return {
        "BOOLEAN": _boolean,
        "DATETIME": _datetime,
        "DATE": _date,
        "DOUBLE": _double,
        "JSON": _json,
    }.get(base)


def parse_type(text: str) -> SqlType:
    """``VARCHAR(255) NULL``, ``INT UNSIGNED``, ``DECIMAL(30,18)`` ... as a :class:`SqlType`.

    Raises:
        StatementError: not a type that a parameter may have.
    """
    match = _TYPE.match(text)
    if match is None:
        raise StatementError(f"not a parameter type: {text}")
    base = match["base"]
    length = int(match["length"]) if match["length"] else None
    scale = int(match["scale"]) if match["scale"] else None
    unsigned = match["unsigned"] is not None
    render = _renderer(base, length, scale, unsigned)
    if render is None or (unsigned and base not in _INT_BITS):
        raise StatementError(f"not a parameter type: {text}")
    if base == "DATETIME" and length != 6:
        raise StatementError("times are DATETIME(6)")
    return SqlType(base, length, scale, unsigned, match["null"] is not None, render)
