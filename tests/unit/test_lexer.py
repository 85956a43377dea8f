"""Where a value may stand in a text, and where what looks like one is text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dal.statements.lexer import Kind, tokens

PIECES = [
    "'", '"', "`", "\\", "--", "-- ", "#", "/*", "*/", "/*!", "/*M!", ":a", ":b1", "::", "@x",
    "@@y", "\n", " ", "SELECT", "x", "0x1F", "X'00'", "1.5e3", ".5", ";", "?", "é", "\U0001f600",
    "\0", "$",
]  # fmt: skip


def kinds(sql: str) -> list[tuple[Kind, str]]:
    return [(t.kind, t.text) for t in tokens(sql) if t.kind is not Kind.SPACE]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_the_tokens_joined_are_the_text(sql: str) -> None:
    assert "".join(token.text for token in tokens(sql)) == sql


@given(st.text())
def test_any_text_at_all(sql: str) -> None:
    assert "".join(token.text for token in tokens(sql)) == sql


@given(st.sampled_from(["'{}'", '"{}"', "`{}`", "/*{}*/", "-- {}\n", "#{}\n", "X'{}'"]))
def test_no_parameter_inside_of_anything(around: str) -> None:
    found = kinds(around.format(":name") + " :name")
    assert [text for kind, text in found if kind is Kind.PARAM] == [":name"]
    assert found[-1] == (Kind.PARAM, ":name")


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("'it''s' :a", [(Kind.STRING, "'it''s'"), (Kind.PARAM, ":a")]),
        (r"'it\'s :a' :b", [(Kind.STRING, r"'it\'s :a'"), (Kind.PARAM, ":b")]),
        (r"'\\' :a", [(Kind.STRING, r"'\\'"), (Kind.PARAM, ":a")]),
        ("`a``:b`", [(Kind.QUOTED_NAME, "`a``:b`")]),
        ("a--b", [(Kind.WORD, "a"), (Kind.OTHER, "-"), (Kind.OTHER, "-"), (Kind.WORD, "b")]),
        ("a -- b :c\nd", [(Kind.WORD, "a"), (Kind.COMMENT, "-- b :c"), (Kind.WORD, "d")]),
        ("/*!50000 :a */", [(Kind.EXECUTABLE_COMMENT, "/*!50000 :a */")]),
        ("/*M! :a */", [(Kind.EXECUTABLE_COMMENT, "/*M! :a */")]),
        ("a::b", [(Kind.WORD, "a"), (Kind.OTHER, ":"), (Kind.OTHER, ":"), (Kind.WORD, "b")]),
        ("@a @@b.c", [(Kind.VARIABLE, "@a"), (Kind.VARIABLE, "@@b.c")]),
        ("0x1F 1.5e-3", [(Kind.NUMBER, "0x1F"), (Kind.NUMBER, "1.5e-3")]),
        ("'open :a", [(Kind.STRING, "'open :a")]),
        ("/* open :a", [(Kind.COMMENT, "/* open :a")]),
        ("größe", [(Kind.WORD, "größe")]),
    ],
)
def test_what_a_piece_is(sql: str, wanted: list[tuple[Kind, str]]) -> None:
    assert kinds(sql) == wanted
