"""Variables of a prompt: what is one, what is text, and what rendering puts there."""

from __future__ import annotations

import json
import re
import unicodedata
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dal
from dal import RenderedPrompt, Variable
from dal.records.text import MAX_PROMPT_BYTES
from dal.records.variables import (
    MAX_DEFAULT_CHARS,
    MAX_VARIABLES,
    find_variables,
    render,
    render_prompt,
    variables_from_json,
    variables_json,
)

MIB = 1 << 20

names = st.from_regex(r"[A-Za-z_é你][A-Za-z0-9_é你]{0,8}", fullmatch=True)
# Pieces that make places of variables, halves of them, and what looks like one.
pieces = st.lists(
    st.one_of(
        st.sampled_from(
            ["{{", "}}", "{", "}", "\\", "=", " ", "\n", "a", "b1", "{{a}}", "{{ b }}", "\\{{a}}",
             "{{a=}}", "{{c= x }}", "{{1}}", "{{a b}}", "\\\\{{a}}", "{{{d}}}", "e\u0301"]
        ),
        st.text(max_size=5),
    ),
    max_size=20,
).map("".join)  # fmt: skip


def found(*texts: str | None) -> dict[str, str | None]:
    return {variable.name: variable.default for variable in find_variables(*texts)}


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("{{a}}", {"a": None}),
        ("{{ a }} {{\ta\t}}", {"a": None}),
        ("{{b}}{{a}}{{b}}", {"b": None, "a": None}),
        ("{{a}}{{A}}", {"a": None, "A": None}),
        ("{{a=}}", {"a": ""}),
        ("{{ a = two words \n}}", {"a": "two words"}),
        ("{{a=b=c}}", {"a": "b=c"}),
        ("{{a}} {{a=first}} {{a=second}}", {"a": "first"}),
        ("{{a=}} {{a=second}}", {"a": ""}),
        ("{{_}} {{_1}} {{n\u00famero}} {{名前}} {{नाम}}",
         {"_": None, "_1": None, "n\u00famero": None, "名前": None, "नाम": None}),
        ("{{nu\u0301mero}} {{n\u00famero=x}}", {"n\u00famero": "x"}),
        ("{{" + "a" * 64 + "}}", {"a" * 64: None}),
        ("{{" + "e\u0301" * 64 + "}}", {"\u00e9" * 64: None}),
        ("{{{a}}}", {"a": None}),
        ("{{a={{b}}}}", {"b": None}),
        ("{{a=" + "x" * MAX_DEFAULT_CHARS + "}}", {"a": "x" * MAX_DEFAULT_CHARS}),
    ],
)  # fmt: skip
def test_variables(text: str, variables: dict[str, str | None]) -> None:
    assert found(text) == variables
    assert list(found(text)) == list(variables)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{a} { {a} } {{}} {{ }} {{=}} {{=x}}",
        r"\{{a}} \{{ a = x }}",
        "{{a",
        "{{a}",
        "{{a=x",
        "{{a=x}",
        "{{a\n}}",
        "{{1a}} {{a-b}} {{a.b}} {{a b}} {{a|upper}} {{.Name}} {{#if a}} {{/if}} {{\u0301a}}",
        "{{%a%}} {% a %} ${a} {{a()}} {{²}} {{a²}} {{a😀}}",
        r"\frac{{x^2}}{{y+1}}",
        "{{" + "a" * 65 + "}}",
        "{{a={}}}",
        "{{a={x}}}",
        "{{a=" + "x" * (MAX_DEFAULT_CHARS + 1) + "}}",
    ],
)
def test_what_is_no_variable_is_text(text: str) -> None:
    assert found(text) == {}
    assert render(text, {}) == re.sub(r"\\(\{\{ ?a)", r"\1", text)


def test_an_escape_is_one_backslash_in_front_of_what_would_be_a_variable() -> None:
    assert render(r"\{{a}} \\{{a}} \{{a-b}} \{a} \ {{c=}}", {}) == r"{{a}} \{{a}} \{{a-b}} \{a} \ "
    assert found(r"\{{a=x}} {{a}}") == {"a": None}
    # How a backslash comes before a value.
    assert render(r"C:{{_=\}}{{folder}}", {"folder": "x"}) == r"C:\x"


def test_both_texts_of_a_version_share_their_variables() -> None:
    assert found("{{b}} {{a}}", "{{c}} {{a=x}}") == {"b": None, "a": "x", "c": None}
    assert found("{{a}}", None) == {"a": None}
    assert render_prompt("{{a}}{{b}}", "{{a=x}}\\{{b}}", {"b": "1"}) == RenderedPrompt(
        "x1", "x{{b}}"
    )
    assert render_prompt("c", None, {}) == RenderedPrompt("c", None)


def test_a_value_is_never_looked_at_again() -> None:
    values = {"a": "{{b}}", "b": r"\{{a}} {{a=x}}"}
    assert render("{{a}}|{{b}}|{{c={}}}", values) == r"{{b}}|\{{a}} {{a=x}}|{{c={}}}"
    # Nor what a value and the text around it make together.
    assert render("{{a}}b}}", {"a": "{{"}) == "{{b}}"


def test_all_that_is_missing_and_all_that_is_unknown_is_told_at_once() -> None:
    with pytest.raises(dal.VariablesError) as caught:
        render_prompt("{{a}} {{b}} {{c=x}}", "{{d}}", {"b": "secret", "x": "secret", "y z": ""})
    error = caught.value
    assert (error.missing, error.unknown, error.field) == (("a", "d"), ("x", "y z"), "values")
    assert str(error) == "values: missing: 'a', 'd'; unknown: 'x', 'y z'"
    with pytest.raises(dal.VariablesError) as caught:
        render("", dict.fromkeys(["n" * 1000, *map(str, range(20))], "v"))
    assert (len(caught.value.unknown), caught.value.missing) == (21, ())
    assert str(caught.value) == (
        f"values: unknown: '{'n' * 64}', '0', '1', '2', '3', '4', '5', '6', '7', '8' and 11 more"
    )


class Colour(StrEnum):
    RED = "red"


def test_values_are_texts() -> None:
    assert render("{{a}}", {"a": Colour.RED}) == "red"
    assert render("{{\u00e9}}", {"e\u0301": "x"}) == "x"
    wrong: Any
    for wrong, why in (
        ({"a": 7}, "values: a: text is required"),
        ({"a": None}, "values: a: text is required"),
        ({"a": b"x"}, "values: a: text is required"),
        ({"a": "secret\ud800"}, "values: a: holds a lone surrogate, which is not text"),
        ({7: "x"}, "values: text is required"),
        ({"\ud800": "x"}, "values: holds a lone surrogate, which is not text"),
        ({"a": "x", "\u00e9": "x", "e\u0301": "y"},
         "values: the same name twice, composed and decomposed"),
        ([("a", "x")], "values: a mapping of names to texts is required"),
        (None, "values: a mapping of names to texts is required"),
    ):  # fmt: skip
        with pytest.raises(dal.ValueRejectedError) as caught:
            render("{{a}}", wrong)
        assert (str(caught.value), caught.value.field) == (why, "values")


def test_a_rendered_text_is_no_longer_than_a_prompt() -> None:
    fits = "x" * (MAX_PROMPT_BYTES - 2)
    assert render("{{a}}{{b=é}}", {"a": fits}) == fits + "é"
    for text, value in (
        ("{{a}}{{b=é}}", fits + "x"),
        ("{{a}} ", fits + "xx"),
        ("{{a}}" * 100_000, "x" * MIB),
        ("{{a}}", "é" * (MAX_PROMPT_BYTES // 2 + 1)),
    ):
        with pytest.raises(dal.ValueRejectedError) as caught:
            render(text, {"a": value})
        assert caught.value.field == "values"
        assert "x" * 50 not in str(caught.value)


def test_there_are_at_most_200() -> None:
    most = "".join(f"{{{{v{i}}}}}" for i in range(MAX_VARIABLES))
    assert len(find_variables(most, most)) == MAX_VARIABLES
    for texts in ((most + "{{more}}",), (most, "{{more=x}}")):
        with pytest.raises(dal.ValueRejectedError) as caught:
            find_variables(*texts)
        assert caught.value.field == "content"
    assert len(find_variables(most + r"\{{more}}")) == MAX_VARIABLES


@pytest.mark.parametrize(
    "text",
    ["{", "{{", "{{ ", "{{a", "{{a ", "{{a=", "{{a=x ", "\\", "\\{{", "}", "{{a=\n"],
)
def test_sixteen_mebibytes_of_a_start_are_read_in_one_pass(text: str) -> None:
    # What is not linear takes hours for this.
    assert find_variables(text * (16 * MIB // len(text) - 1)) == ()


@given(pieces)
def test_any_text_is_read_and_rendered_with_values_for_what_was_found(text: str) -> None:
    variables = find_variables(text)
    for variable in variables:
        assert len(variable.name) <= 64
        assert unicodedata.is_normalized("NFC", variable.name)
        assert "{" not in (variable.default or "")
    everything = {variable.name: f"<{variable.name}>" for variable in variables}
    rendered = render(text, everything)
    assert all(f"<{name}>" in rendered for name in everything)
    lacking = tuple(variable.name for variable in variables if variable.default is None)
    if lacking:
        with pytest.raises(dal.VariablesError) as caught:
            render(text, {})
        assert (caught.value.missing, caught.value.unknown) == (lacking, ())


@given(st.text())
def test_arbitrary_text_never_fails(text: str) -> None:
    assert variables_from_json(variables_json(find_variables(text, text))) == find_variables(text)


@given(
    st.lists(st.tuples(names, st.none() | st.text(" ab\n=<", max_size=5), pieces), max_size=8),
    st.dictionaries(names, pieces | st.text()),
)
def test_rendering_is_one_pass(places: list[tuple[str, str | None, str]], known: Any) -> None:
    # Between the places stands nothing that braces could be part of.
    parts = [(unicodedata.normalize("NFC", name), default) for name, default, _ in places]
    text = "|".join(
        f"{{{{{name}}}}}" if default is None else f"{{{{ {name} ={default}}}}}"
        for name, default in parts
    )
    defaults: dict[str, str] = {}
    for name, default in parts:
        if default is not None:
            defaults.setdefault(name, default.strip())
    given_values = {name: known.get(name, value) for (name, _), (_, _, value) in zip(
        parts, places, strict=True
    )}  # fmt: skip
    assert render(text, given_values) == "|".join(given_values[name] for name, _ in parts)
    lacking = {name: "x" for name, _ in parts if name not in defaults}
    assert render(text, lacking) == "|".join(
        defaults.get(name, lacking.get(name, "")) for name, _ in parts
    )


@given(names, pieces)
def test_what_is_escaped_comes_out_as_it_is_written(name: str, around: str) -> None:
    quiet = around.replace("{", "").replace("}", "").replace("\\", "")
    assert render(f"{quiet}\\{{{{ {name} }}}}{quiet}", {}) == f"{quiet}{{{{ {name} }}}}{quiet}"
    assert find_variables(f"{quiet}\\{{{{{name}}}}}{quiet}") == ()


def test_what_is_stored_comes_back() -> None:
    variables = find_variables("{{b}} {{a= é\0😀 }} {{c=}}")
    stored = json.dumps(variables_json(variables), ensure_ascii=False)
    assert variables_from_json(json.loads(stored)) == variables
    assert variables == (Variable("b", None), Variable("a", "é\0😀"), Variable("c", ""))
    assert variables_json(()) == []


@pytest.mark.parametrize(
    "value",
    [None, {}, "[]", [[]], ["a"], [{}], [{"name": "a"}], [{"name": 1, "default": None}],
     [{"name": "a", "default": 1}], [{"name": "a", "default": None, "type": "int"}]],
)  # fmt: skip
def test_what_no_column_holds_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        variables_from_json(value)
