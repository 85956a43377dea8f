"""What a server says of a statement without running it: COM_STMT_PREPARE.

Both servers tell names, types and nullability of the columns, also across a LEFT JOIN. Of the
parameters MySQL infers the types; MariaDB tells their number alone.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import attrs
from pymysql.constants import FIELD_TYPE, FLAG
from pymysql.protocol import FieldDescriptorPacket

from dal.errors import ConnectionLostError, DalError
from dal.statements.lexer import Kind, tokens

if TYPE_CHECKING:
    from dal.session.connection import Connection

__all__ = ["Column", "Prepared", "prepare", "with_question_marks"]

_COM_STMT_PREPARE: Final = 0x16
_COM_STMT_CLOSE: Final = 0x19
# Status byte, id, number of columns, number of parameters, filler, number of warnings.
_ANSWER: Final = struct.Struct("<BIHHBH")
_BINARY_CHARSET: Final = 63

_FAMILY: Final[dict[int, str]] = {
    **dict.fromkeys(
        (FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.INT24, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG),
        "integer",
    ),
    FIELD_TYPE.DECIMAL: "decimal",
    FIELD_TYPE.NEWDECIMAL: "decimal",
    FIELD_TYPE.FLOAT: "float",
    FIELD_TYPE.DOUBLE: "float",
    FIELD_TYPE.DATE: "temporal",
    FIELD_TYPE.DATETIME: "temporal",
    FIELD_TYPE.TIMESTAMP: "temporal",
    FIELD_TYPE.JSON: "json",
}
_STRINGS: Final = frozenset(
    {
        FIELD_TYPE.STRING,
        FIELD_TYPE.VAR_STRING,
        FIELD_TYPE.VARCHAR,
        FIELD_TYPE.TINY_BLOB,
        FIELD_TYPE.BLOB,
        FIELD_TYPE.MEDIUM_BLOB,
        FIELD_TYPE.LONG_BLOB,
    }
)


@attrs.frozen(slots=True)
class Column:
    """A column of the answer. ``table`` and ``column`` are where it comes from, empty where it is
    computed. ``family`` is one of binary, text, enum, integer, decimal, float, temporal, json, or
    ``unknown (number)``.
    """

    name: str
    family: str
    nullable: bool
    table: str
    column: str


@attrs.frozen(slots=True)
class Prepared:
    """``params`` has a family for each parameter in the order of the text, None where the server
    does not tell.
    """

    params: tuple[str | None, ...]
    columns: tuple[Column, ...]


def with_question_marks(sql: str) -> tuple[str, tuple[str, ...]]:
    """The text of a .sql file with a ``?`` in place of each ``:name``, and the names in order.

    ``IN :names`` becomes a list of one.
    """
    parts: list[str] = []
    names: list[str] = []
    last_word = ""
    for token in tokens(sql):
        if token.kind is Kind.PARAM:
            parts.append("(?)" if last_word == "IN" else "?")
            names.append(token.text[1:])
        else:
            parts.append(token.text)
        if token.kind not in (Kind.SPACE, Kind.COMMENT):
            last_word = token.text.upper() if token.kind is Kind.WORD else ""
    return "".join(parts), tuple(names)


async def prepare(connection: Connection, sql: str) -> Prepared:
    """What the server says of ``sql``, which has question marks; it is not run.

    Raises:
        DalError: the server refuses the statement.
        ConnectionLostError: the connection is gone; it is closed.
    """
    try:
        await connection._execute_command(_COM_STMT_PREPARE, sql)
        answer = (await connection._read_packet()).get_all_data()
        _, statement_id, n_columns, n_params, _, _ = _ANSWER.unpack(answer[: _ANSWER.size])
        params = await _definitions(connection, n_params)
        columns = await _definitions(connection, n_columns)
        await connection._execute_command(_COM_STMT_CLOSE, struct.pack("<I", statement_id))
    except ConnectionLostError:
        connection.close()
        raise
    except DalError:
        raise
    except BaseException:
        # Half an answer may be left on the wire.
        connection.close()
        raise
    return Prepared(
        tuple(None if p.type_code == FIELD_TYPE.NULL else _family(p) for p in params),
        tuple(
            Column(c.name, _family(c), not c.flags & FLAG.NOT_NULL, c.org_table, c.org_name)
            for c in columns
        ),
    )


async def _definitions(connection: Connection, n: int) -> list[Any]:
    found = [await connection._read_packet(FieldDescriptorPacket) for _ in range(n)]
    if n:
        await connection._read_packet()  # the end of the definitions
    return found


def _family(field: Any) -> str:
    if field.type_code in _STRINGS or field.type_code == FIELD_TYPE.ENUM:
        if field.flags & FLAG.ENUM:
            return "enum"
        return "binary" if field.charsetnr == _BINARY_CHARSET else "text"
    return _FAMILY.get(field.type_code, f"unknown ({field.type_code})")
