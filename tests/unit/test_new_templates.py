"""New templates with their history: what may be given, and what is there afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest

import dal
from dal import NewTemplate, NewVersion, Variable
from dal.records.new_templates import MAX_VERSION, MAX_VERSIONS
from dal.records.text import MAX_PROMPT_BYTES, label_key
from dal.records.variables import MAX_VARIABLES

AT = datetime(2024, 2, 29, 23, tzinfo=timezone(timedelta(hours=-5)))
AFTER = NewVersion(content="")
TOO_MANY = "".join(f"{{{{v{i}}}}}" for i in range(MAX_VARIABLES + 1))


def refused(field: str, make: Any, *args: Any, **fields: Any) -> str:
    with pytest.raises(dal.ValueRejectedError) as caught:
        make(*args, **fields)
    assert caught.value.field == field
    return str(caught.value)


def numbers(new: NewTemplate) -> list[int | None]:
    return [version.version for version in new.versions]


def test_content_alone_is_one_version() -> None:
    new = NewTemplate(name="n", content="{{a}}", system_prompt="{{b=x}}")
    assert new.versions == (NewVersion(content="{{a}}", system_prompt="{{b=x}}", version=1),)
    assert (new.labels, new.last_version, new.head_version) == ((), 1, 1)
    assert new.versions[0].variables == (Variable("a", None), Variable("b", "x"))


def test_a_history_is_kept_in_order_and_says_what_the_content_is() -> None:
    new = NewTemplate(
        name="n",
        versions=[
            NewVersion(content="1", message="m", author_name="Ann", created_at=AT),
            NewVersion(content="5", version=5, system_prompt="s"),
            NewVersion(content="6"),
        ],
        labels={" Prod\u0308 ": 5, "beta": 6},
        last_version=9,
    )
    assert numbers(new) == [1, 5, 6]
    assert (new.content, new.system_prompt) == ("6", None)
    assert new.labels == (("beta", 6), ("pro\u0064\u0308", 5))
    assert (new.last_version, new.head_version) == (9, 6)
    assert new.versions[0].created_at == datetime(2024, 3, 1, 4, tzinfo=UTC)
    assert new.versions[0].created_at.tzinfo is UTC
    assert numbers(NewTemplate(name="n", versions=iter([NewVersion(content="")]))) == [1]


def test_it_cannot_be_changed_is_hashable_and_can_be_copied() -> None:
    new = NewTemplate(
        name="n", versions=[NewVersion(content="a", version=3)], labels={"x": 3}, last_version=4
    )
    same = attrs.evolve(new, id=None)
    assert same == new
    assert hash(same) == hash(new)
    assert attrs.evolve(new, name="other").versions == new.versions
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        new.versions = ()  # type: ignore[misc]
    labels = {"x": 3}
    taken = attrs.evolve(new, labels=labels)
    labels["x"] = 4
    assert taken.labels == (("x", 3),)


def test_content_and_versions_must_not_say_two_things() -> None:
    versions = [NewVersion(content="a"), NewVersion(content="b", system_prompt="s")]
    both: dict[str, Any]
    for both in (
        {"content": "a"},
        {"content": "b"},
        {"content": "b", "system_prompt": "t"},
        {"system_prompt": "s"},
    ):
        refused("content", NewTemplate, name="n", versions=versions, **both)
    agree = NewTemplate(name="n", versions=versions, content="b", system_prompt="s")
    assert agree == NewTemplate(name="n", versions=versions)
    refused("content", NewTemplate, name="n")
    refused("content", NewTemplate, name="n", system_prompt="s")


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("versions", {"versions": []}),
        ("versions", {"versions": "a"}),
        ("versions", {"versions": {"content": "a"}}),
        ("versions", {"versions": 7}),
        ("versions", {"versions": ["a"]}),
        ("versions", {"versions": [NewVersion(content="", version=n) for n in (2, 1)]}),
        ("versions", {"versions": [NewVersion(content="", version=n) for n in (2, 2)]}),
        ("versions", {"versions": [NewVersion(content="", version=MAX_VERSION), AFTER]}),
        ("versions", {"versions": [NewVersion(content="")] * (MAX_VERSIONS + 1)}),
        ("labels", {"labels": {"a": 2}}),
        ("labels", {"labels": {"a": 0}}),
        ("labels", {"labels": {"a": True}}),
        ("labels", {"labels": {"a": "1"}}),
        ("labels", {"labels": {"a": None}}),
        ("labels", {"labels": {"A": 1, " a": 1}}),
        ("labels", {"labels": {" Latest": 1}}),
        ("labels", {"labels": {" ": 1}}),
        ("labels", {"labels": {"x" * 101: 1}}),
        ("labels", {"labels": {7: 1}}),
        ("labels", {"labels": {"\ud800": 1}}),
        ("labels", {"labels": "a"}),
        ("labels", {"labels": ["ab"]}),
        ("labels", {"labels": 7}),
        ("labels", {"labels": None}),
        ("last_version", {"last_version": 0}),
        ("last_version", {"last_version": MAX_VERSION + 1}),
        ("last_version", {"last_version": True}),
        ("last_version", {"last_version": "1"}),
        ("last_version", {"last_version": 6, "versions": [NewVersion(content="", version=7)]}),
        ("content", {"content": TOO_MANY}),
        ("content", {"content": 7}),
        ("content", {"content": "x" * (MAX_PROMPT_BYTES + 1)}),
        ("system_prompt", {"content": "", "system_prompt": 7}),
    ],
)  # fmt: skip
def test_what_is_refused_names_its_field(field: str, given: dict[str, Any]) -> None:
    only = {} if given.keys() & {"content", "versions"} else {"content": "c"}
    refused(field, NewTemplate, name="n", **only, **given)


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("content", {"content": None}),
        ("content", {"content": "\ud800"}),
        ("content", {"content": "", "system_prompt": TOO_MANY}),
        ("system_prompt", {"system_prompt": 7}),
        ("message", {"message": "x" * 501}),
        ("author_name", {"author_name": "x" * 256}),
        ("created_at", {"created_at": AT.replace(tzinfo=None)}),
        ("created_at", {"created_at": "2024-01-01T00:00:00+00:00"}),
        ("version", {"version": 0}),
        ("version", {"version": MAX_VERSION + 1}),
        ("version", {"version": 1.0}),
        ("version", {"version": True}),
    ],
)
def test_a_version_is_checked_by_itself(field: str, given: dict[str, Any]) -> None:
    refused(field, NewVersion, **{"content": "c", **given})


def test_the_longest_that_fit() -> None:
    version = NewVersion(content="c", message="é" * 500, author_name="é" * 255, version=MAX_VERSION)
    new = NewTemplate(name="n", versions=[version], labels={"é" * 100: MAX_VERSION})
    assert (new.versions, new.last_version) == ((version,), MAX_VERSION)
    assert len(NewTemplate(name="n", versions=[NewVersion(content="")] * MAX_VERSIONS).versions)


def test_labels_have_one_form() -> None:
    assert label_key("  Prod  ") == "prod"
    assert label_key("E\u0301") == "\u00e9"
    assert label_key("STRASSE") == label_key("straße")
    for wrong in ("", " ", "latest", " LATEST ", 7, None, "\ud800", "x" * 101, "\u0130" * 60):
        assert "secret" not in refused("label", label_key, wrong)


def test_a_history_of_an_import() -> None:
    row: dict[str, Any] = {
        "name": "n",
        "versions": [
            {"content": "a {{x}}", "message": "first", "created_at": "2024-02-29T23:00:00-05:00"},
            {"version": 4, "content": "b", "author_name": "Ann", "system_prompt": None},
        ],
        "labels": {"Prod": 4},
        "last_version": 7,
    }
    new = NewTemplate.from_mapping(row)
    assert new == NewTemplate(
        name="n",
        versions=[
            NewVersion(content="a {{x}}", message="first", created_at=AT),
            NewVersion(content="b", version=4, author_name="Ann"),
        ],
        labels={"prod": 4},
        last_version=7,
    )
    nothing_said = {"versions": None, "labels": None, "last_version": None}
    assert NewTemplate.from_mapping({"name": "n", "content": "c", **nothing_said}) == NewTemplate(
        name="n", content="c"
    )


@pytest.mark.parametrize(
    ("versions", "why"),
    [
        ([], "versions: at least one"),
        ("a", "versions: a list of objects is required"),
        ({"1": "a"}, "versions: a list of objects is required"),
        (["a"], "versions: item 1: an object is required"),
        ([{"content": "a"}, {}], "versions: item 2: content: missing"),
        ([{"content": None}], "versions: item 1: content: missing"),
        ([{"content": "a", "text": "b"}], "versions: item 1: text: unknown"),
        ([{"content": "a", "variables": []}], "versions: item 1: variables: unknown"),
        ([{"content": "a", "created_at": "soon"}], "versions: item 1: created_at: malformed"),
        ([{"content": "a", "version": "1"}],
         f"versions: item 1: version: a whole number, 1 to {MAX_VERSION}"),
        ([{"content": "a", "version": n} for n in (2, 1)],
         "versions: their numbers ascend: 1 after 2"),
        ([{"content": "a"}] * (MAX_VERSIONS + 2), f"versions: at most {MAX_VERSIONS}"),
    ],
)  # fmt: skip
def test_a_bad_history_of_an_import_says_where(versions: object, why: str) -> None:
    row = {"name": "n", "versions": versions}
    assert refused("versions", NewTemplate.from_mapping, row) == why


def test_rows_that_are_no_objects_or_say_nothing_of_a_text() -> None:
    rows: tuple[Any, ...] = (None, [], "a")
    for row in rows:
        refused("template", NewTemplate.from_mapping, row)
        refused("versions", NewVersion.from_mapping, row)
    refused("content", NewTemplate.from_mapping, {"name": "n"})
    refused("content", NewTemplate.from_mapping, {"name": "n", "versions": None})
    refused("name", NewTemplate.from_mapping, {"versions": [{"content": "c"}]})
    frozen: Mapping[str, Any] = {"name": "n", "content": "c", "labels": ["prod"]}
    refused("labels", NewTemplate.from_mapping, frozen)
