"""SQL text -> tokens, as far as this package must understand it: where values may stand, and where
not. The server alone parses SQL; nothing here rewrites it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

import attrs

__all__ = ["Kind", "Token", "tokens"]


class Kind(Enum):
    """What a piece of SQL text is."""

    COMMENT = "comment"
    EXECUTABLE_COMMENT = "executable comment"
    STRING = "string literal"
    QUOTED_NAME = "quoted name"
    NUMBER = "number literal"
    PARAM = "parameter"
    VARIABLE = "variable"
    WORD = "word"
    SPACE = "space"
    OTHER = "punctuation"


@attrs.frozen(slots=True)
class Token:
    """A piece of the text; the pieces joined are the text again."""

    kind: Kind
    text: str


# Order matters: a comment before the operator it starts with, a hex literal before a word.
_PATTERN = re.compile(
    r"""
      (?P<EXECUTABLE_COMMENT> /\*M?!.*?(?:\*/|\Z) )
    | (?P<COMMENT> --(?=[\s]|\Z)[^\n]* | \#[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<STRING> [xXbBnN]?'(?:[^'\\]|\\.|'')*(?:'|\Z) | "(?:[^"\\]|\\.|"")*(?:"|\Z) )
    | (?P<QUOTED_NAME> `(?:[^`]|``)*(?:`|\Z) )
    | (?P<PARAM> (?<![:\w]):[A-Za-z_][A-Za-z0-9_]* )
    | (?P<VARIABLE> @@?[A-Za-z0-9_.$`'"]* )
    | (?P<NUMBER> 0[xX][0-9A-Fa-f]+ | (?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)? )
    | (?P<WORD> [A-Za-z_$\u0080-\U0010FFFF][A-Za-z0-9_$\u0080-\U0010FFFF]* )
    | (?P<SPACE> \s+ )
    | (?P<OTHER> . )
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens(sql: str) -> Iterator[Token]:
    """Every token of ``sql`` in order, white space and comments too.

    An unterminated string or comment runs to the end of the text.
    """
    for match in _PATTERN.finditer(sql):
        yield Token(Kind[match.lastgroup or "OTHER"], match.group())
