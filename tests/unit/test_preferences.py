"""Preferences: what a document may hold, and that merging it is what it says."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from itertools import combinations
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dal.errors import ValueRejectedError
from dal.records.preferences import (
    MAX_BYTES,
    MAX_DEPTH,
    changes_of,
    checked_key,
    merged,
    value_at,
    without,
)

Path = tuple[str, ...]

# Few names, so that two documents meet.
NAMES = st.sampled_from(["a", "b", "c-1", "D_2", "__proto__"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
).filter(lambda value: depth(value) <= MAX_DEPTH - 4)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=4)
KEYS = st.lists(NAMES, min_size=1, max_size=3).map(".".join)
CHANGES = st.dictionaries(KEYS, VALUES, max_size=4)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def stored(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def exact(value: object) -> str:
    """What tells 1, 1.0 and True apart, and 0.0 and -0.0, but no order of names."""
    return json.dumps(value, sort_keys=True)


def leaves(value: Mapping[str, Any], above: Path = ()) -> Iterator[tuple[Path, Any]]:
    for name, inner in value.items():
        path = (*above, *name.split("."))
        if isinstance(inner, Mapping) and inner:
            yield from leaves(inner, path)
        else:
            yield path, inner


def is_ambiguous(paths: list[Path]) -> bool:
    return any(
        one[: len(other)] == other[: len(one)] for one, other in combinations(sorted(paths), 2)
    )


def put(document: dict[str, Any], path: Path, value: Any) -> None:
    """One leaf, in the obvious way."""
    name, *rest = path
    if rest:
        if not isinstance(document.get(name), dict):
            document[name] = {}
        put(document[name], tuple(rest), value)
    elif value != {} or not isinstance(document.get(name), dict):
        document[name] = copy.deepcopy(value)


def refused(document: Any, changes: Any) -> ValueRejectedError:
    with pytest.raises(ValueRejectedError) as caught:
        merged(document, changes)
    return caught.value


# ------------------------------------------------------------------ merging


@given(DOCUMENTS, CHANGES)
def test_merging_is_putting_leaf_after_leaf(
    document: dict[str, Any], changes: dict[str, Any]
) -> None:
    before = copy.deepcopy((document, changes))
    found = list(leaves(changes))
    if is_ambiguous([path for path, _ in found]):
        assert "ambiguous" in str(refused(document, changes))
    else:
        expected = copy.deepcopy(document)
        for path, value in found:
            put(expected, path, value)
        result = merged(document, changes)
        assert exact(result) == exact(expected)
        assert exact(json.loads(stored(result))) == exact(result)
        for key, value in changes.items():
            if not isinstance(value, dict):
                assert exact(value_at(result, key, "absent")) == exact(value)
        # The same changes again change nothing.
        assert exact(merged(result, changes)) == exact(result)
    assert exact(before) == exact((document, changes))


@given(DOCUMENTS, CHANGES, CHANGES)
def test_changes_of_different_places_commute(
    document: dict[str, Any], one: dict[str, Any], other: dict[str, Any]
) -> None:
    paths = [path for changes in (one, other) for path, _ in leaves(changes)]
    if is_ambiguous(paths):
        return
    result = merged(merged(document, one), other)
    assert exact(result) == exact(merged(merged(document, other), one))
    if not one.keys() & other.keys():
        assert exact(result) == exact(merged(document, one | other))


@pytest.mark.parametrize(
    ("document", "changes", "result"),
    [
        ({}, {}, {}),
        ({}, {"theme": "dark"}, {"theme": "dark"}),
        ({"a": {"b": 1}}, {"a.c": 2}, {"a": {"b": 1, "c": 2}}),
        ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": {"b": 1}}, {"a": {"b": {"c": 2}}}, {"a": {"b": {"c": 2}}}),
        # What is no object gives way to one.
        ({"a": 1}, {"a.b": 2}, {"a": {"b": 2}}),
        ({"a": [{"b": 1}]}, {"a": {"b": 2}}, {"a": {"b": 2}}),
        ({"a": None}, {"a.b.c": None}, {"a": {"b": {"c": None}}}),
        # A list is one value, and so is an object in it.
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": [{"b": 1}]}, {"a": [{"c": 2}]}, {"a": [{"c": 2}]}),
        ({}, {"a": (1, (2,))}, {"a": [1, [2]]}),
        # Not as in RFC 7396: None is stored.
        ({"a": 1}, {"a": None}, {"a": None}),
        ({"a": {"b": 1}}, {"a": {"b": None}}, {"a": {"b": None}}),
        # There is an object.
        ({"a": {"b": 1}}, {"a": {}}, {"a": {"b": 1}}),
        ({"a": 1}, {"a": {}}, {"a": {}}),
        ({}, {"a.b": {}}, {"a": {"b": {}}}),
        # Two keys into one object.
        ({}, {"a": {"b": 1}, "a.c": 2}, {"a": {"b": 1, "c": 2}}),
        ({}, {"a.b": {"c": 1}, "a": {"b": {"d": 2}}}, {"a": {"b": {"c": 1, "d": 2}}}),
        ({}, {"__proto__": 1, "constructor.prototype": 2},
         {"__proto__": 1, "constructor": {"prototype": 2}}),
    ],
)  # fmt: skip
def test_examples(
    document: dict[str, Any], changes: dict[str, Any], result: dict[str, Any]
) -> None:
    assert exact(merged(document, changes)) == exact(result)


def test_order_of_names_is_kept() -> None:
    assert list(merged({"b": 1, "a": 2}, {"c": 3, "a": 4})) == ["b", "a", "c"]


@pytest.mark.parametrize(
    "changes",
    [
        {"a": {"b": 1}, "a.b": 2},
        {"a": 1, "a.b": 2},
        {"a.b": 2, "a": 1},
        {"a": None, "a.b": None},
        {"a": [], "a.b": 1},
        {"a": {}, "a.b": 1},
        {"a.b": 1, "a": {}},
        {"a": {"b": {}}, "a.b": {}},
        {"a": {"b": {"c": 1}}, "a.b": {"c": {"d": 1}}},
    ],
)
def test_two_words_about_one_place_are_refused(changes: dict[str, Any]) -> None:
    error = refused({}, changes)
    assert "ambiguous" in str(error)
    assert error.field == f"preferences.{list(changes)[1]}"


class Twice(dict[str, Any]):
    """As some libraries' mappings are, which give a name once for each of its values."""

    def items(self) -> Any:
        return [("a", 1), ("a", 2)]


def test_a_mapping_that_gives_a_name_twice_is_refused() -> None:
    assert refused({}, Twice()).field == "preferences.a"
    assert refused({}, {"x": Twice()}).field == "preferences.x"


def test_nothing_is_shared() -> None:
    inner: dict[str, Any] = {"list": [1, {"deep": [2]}], "object": {"x": 1}}
    document: dict[str, Any] = {"kept": [3], "a": {"old": [4]}}
    result = merged(document, {"a": inner, "b": inner["list"]})
    expected = exact(result)
    inner["list"][1]["deep"].append("changed")
    inner["object"]["x"] = "changed"
    document["kept"].append(5)
    document["a"]["old"].append(6)
    assert exact(result) == expected
    left = without(document, "a.old")
    document["kept"].append(7)
    assert left == {"kept": [3, 5], "a": {}}


# ------------------------------------------------------------------ reading and removing


@given(DOCUMENTS, KEYS, VALUES)
def test_what_is_removed_is_gone_and_nothing_else(
    document: dict[str, Any], key: str, value: Any
) -> None:
    before = copy.deepcopy(document)
    result = without(document, key)
    assert exact(document) == exact(before)
    assert value_at(result, key, "absent") == "absent"
    removed = value_at(document, key, "absent")
    if removed == "absent":
        assert exact(result) == exact(document)
    else:
        assert exact(merged(result, {key: removed})) == exact(document)
    # What was put where nothing was, and taken away again, leaves at most empty objects.
    empty = without(merged({}, {key: value}), key)
    for name in key.split(".")[:-1]:
        assert list(empty) == [name]
        empty = empty[name]
    assert empty == {}


def test_reading() -> None:
    document = {"a": {"b": None, "c": [1]}, "n": 5}
    assert value_at(document, "a.b", "default") is None
    assert value_at(document, "a.c") == [1]
    assert value_at(document, "a.x") is None
    for absent in ("x", "a.x", "a.b.x", "a.c.x", "n.x"):
        assert value_at(document, absent, "default") == "default"
        assert without(document, absent) == document


# ------------------------------------------------------------------ what is allowed


class Colour(StrEnum):
    RED = "red"


class Number(IntEnum):
    ONE = 1


class Metres(float):
    pass


class Thing(Enum):
    ONE = 1


@pytest.mark.parametrize(
    "value",
    [
        {1, 2}, frozenset(), b"bytes", bytearray(b"x"), datetime(2026, 1, 1, tzinfo=UTC),
        date(2026, 1, 1), Decimal("1.5"), uuid4(), Number.ONE, Thing.ONE, Metres(1), object(),
        1j, range(3), math.nan, math.inf, -math.inf, 2**63, -(2**63) - 1, 10**5000, "\ud800",
        "x\udfff", iter([]), {}.keys(),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_no_plain_json_is_refused_at_every_depth(value: object) -> None:
    for given_value in (value, [value], [[{"x": value}]], {"x": value}, {"x": {"y": (value,)}}):
        error = refused({}, {"ok": 1, "a.b": given_value})
        assert error.field == "preferences.a.b"
        assert str(error).startswith("preferences.a.b: ")
        # In what was stored it is no key's fault.
        assert refused({"x": given_value}, {"ok": 1}).field == "preferences"
    # What is replaced is not looked at.
    assert merged({"x": value}, {"x": 1}) == {"x": 1}


@pytest.mark.parametrize(
    "value",
    [-0.0, 0.0, 1.0, 5e-324, 1.7976931348623157e308, 0.1, 1e16, 2**63 - 1, -(2**63), True, None,
     "", "\0", "\u2028", "\U0001f600", 'quote " and \\', [], [[]], {}],
)  # fmt: skip
def test_plain_json_comes_back_as_it_was(value: object) -> None:
    result = merged({}, {"a": value, "b": [value]})
    again = json.loads(stored(result))
    assert exact(again) == exact({"a": value, "b": [value]})
    assert type(again["a"]) is type(value)


def test_text_of_another_kind_is_its_characters() -> None:
    result = merged({}, {Colour.RED: Colour.RED, "a": {Colour.RED: 1}})
    assert result == {"red": "red", "a": {"red": 1}}
    assert {type(text) for text in (*result, result["red"], *result["a"])} == {str}
    assert value_at(result, Colour.RED) == "red"


@pytest.mark.parametrize(
    "key",
    ["", ".", "a..b", ".a", "a.", "a b", "a\n", "\n", "é", "a/b", "$.a", "a[0]", "a" * 65,
     f"a.{'b' * 65}", ".".join("a" * (MAX_DEPTH + 1)), "a.\ud800", "\u0661", 3, None, True, b"a",
     ("a", "b")],
)  # fmt: skip
def test_what_is_no_key(key: Any) -> None:
    with pytest.raises(ValueRejectedError) as caught:
        checked_key(key)
    assert caught.value.field == "preferences"
    assert refused({}, {key: 1}).field == "preferences"
    for function in (value_at, without):
        with pytest.raises(ValueRejectedError) as caught:
            function({}, key)
        assert caught.value.field == "preferences"


@pytest.mark.parametrize("name", ["", "a.b", "a b", "é", "a\n", "a" * 65, 3, None, b"a"])
def test_what_is_no_name(name: object) -> None:
    for value in ({name: 1}, {"x": {name: 1}}, [{name: 1}]):
        assert refused({}, {"a.b": value}).field == "preferences.a.b"
        assert refused({"a": value}, {}).field == "preferences"


def test_names_of_every_length() -> None:
    long = "aZ09_-" + "x" * 58
    assert checked_key(long) == (long,)
    assert checked_key(f"{long}.b") == (long, "b")
    assert checked_key(".".join([long] * MAX_DEPTH)) == (long,) * MAX_DEPTH


@pytest.mark.parametrize("wrong", [None, 5, "text", [("a", 1)], [], {1}])
def test_what_is_no_mapping(wrong: Any) -> None:
    assert refused({}, wrong).field == "preferences"
    assert refused(wrong, {}).field == "preferences"
    for call in (lambda: without(wrong, "a"), lambda: changes_of(wrong, {})):
        with pytest.raises(ValueRejectedError) as caught:
            call()
        assert caught.value.field == "preferences"


def test_a_message_repeats_no_value() -> None:
    for value in ("hunter2\ud800", ["hunter2" * 9000], {"x": Decimal(2), "y": "hunter2"}):
        assert "hunter2" not in str(refused({}, {"a": value}))
    assert "hunter2" not in str(refused({}, {"a": {"hunter2 ": 1}}))


# ------------------------------------------------------------------ bounds


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.integers(0, 3))
def test_the_size_is_exact(text: str, spare: int) -> None:
    document = {"filler": "", "text": text, "numbers": [1, -0.5, None]}
    filler = "x" * (MAX_BYTES - spare - len(stored(document).encode()))
    document["filler"] = filler
    full = merged(document, {})
    assert len(stored(full).encode()) == MAX_BYTES - spare
    assert merged(full, {"filler": filler + "x" * spare})
    for wide in ("x" * (spare + 1), "\n" * spare or "x", "é" * spare or "x"):
        error = refused(full, {"filler": filler + wide})
        assert error.field == "preferences"
        assert "too large" in str(error)


@pytest.mark.parametrize("text", ["é", "\U0001f600", "\0", '"', "\u2028"])
def test_the_size_is_that_of_the_text_as_it_is_written(text: str) -> None:
    size = len(stored(text).encode()) - 2
    fits = (MAX_BYTES - len('{"a":""}')) // size
    assert merged({}, {"a": text * fits}) == {"a": text * fits}
    assert refused({}, {"a": text * (fits + 1)}).field == "preferences"


def test_too_large_a_document_can_be_made_smaller() -> None:
    large = {"a": "x" * MAX_BYTES, "b": "y" * MAX_BYTES, "c": 1}
    assert refused(large, {"c": 2}).field == "preferences"
    smaller = without(large, "a")
    assert len(stored(smaller)) > MAX_BYTES
    assert changes_of(large, smaller) == {"a": {"from": large["a"], "to": None}}
    assert without(smaller, "b") == {"c": 1}
    assert merged(large, {"a": 1, "b": 2}) == {"a": 1, "b": 2, "c": 1}


def nested(levels: int, *, lists: bool) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value] if lists else {"x": value}
    return value


@pytest.mark.parametrize("lists", [False, True])
@pytest.mark.parametrize("names", range(1, MAX_DEPTH + 1))
def test_the_depth_is_exact(names: int, *, lists: bool) -> None:
    key = ".".join("k" * names)
    room = MAX_DEPTH - names
    value = nested(room, lists=lists)
    result = merged({}, {key: value})
    assert depth(result) == MAX_DEPTH
    assert merged(result, {}) == result
    for deep in (room + 1, 50, 20_000):
        error = refused({}, {key: nested(deep, lists=lists)})
        assert error.field == f"preferences.{key}"
        assert "too deep" in str(error)
        assert refused({"k": nested(MAX_DEPTH + deep, lists=lists)}, {}).field == "preferences"


def test_what_holds_itself_is_refused() -> None:
    own_list: list[Any] = []
    own_list.extend([own_list] * 100)
    own_object: dict[str, Any] = {}
    own_object.update({"a": own_object, "b": own_object})
    for value in (own_list, own_object):
        assert refused({}, {"x": value}).field == "preferences.x"
        assert refused({"x": value}, {}).field == "preferences"
        assert refused({"x": value}, {"y": 1}).field == "preferences"
        for call in (
            lambda value=value: without({"x": value}, "y"),
            lambda value=value: changes_of({}, {"x": value}),
        ):
            with pytest.raises(ValueRejectedError, match="too deep"):
                call()
    assert refused(own_object, own_object).field == "preferences.a"


def test_what_is_small_in_memory_and_endless_as_text_is_refused() -> None:
    starts: list[Any] = ["x" * 1000, [], {}, {"a": 1}]
    for start in starts:
        value = start
        for _ in range(MAX_DEPTH - 2):
            value = [value] * 1000
        for document, changes in (({}, {"a": value}), ({"a": value}, {})):
            assert "too large" in str(refused(document, changes))
        names = start
        for _ in range(MAX_DEPTH - 3):
            names = {f"n{i}": names for i in range(1000)}
        assert "too large" in str(refused({}, {"a": names}))
    assert "too large" in str(refused({}, {f"k{i}": 1 for i in range(100_000)}))


# ------------------------------------------------------------------ the audit log


def test_what_changed() -> None:
    before = {"same": 1, "a": {"b": 1, "gone": [1]}, "list": [1, {"x": 1}], "empty": {}}
    after = {"same": 1, "a": {"b": 2}, "list": [1, {"x": 2}], "empty": {}, "new": {"c": None}}
    assert changes_of(before, after) == {
        "a.b": {"from": 1, "to": 2},
        "a.gone": {"from": [1], "to": None},
        "list": {"from": [1, {"x": 1}], "to": [1, {"x": 2}]},
        "new.c": {"from": None, "to": None},
    }
    assert changes_of({}, {"a": {}}) == {"a": {"from": None, "to": {}}}
    assert changes_of({"a": {"b": 1}}, {"a": 2}) == {
        "a.b": {"from": 1, "to": None},
        "a": {"from": None, "to": 2},
    }
    one, other = {"a": [{"x": 1, "y": 2}]}, {"a": [{"y": 2, "x": 1}]}
    assert changes_of(one, other) == changes_of(other, one) == {}


@pytest.mark.parametrize(("one", "other"), [*combinations([1, 1.0, True, "1", None, [1]], 2)])
def test_what_python_takes_for_equal_is_told_apart(one: object, other: object) -> None:
    assert changes_of({"a": one}, {"a": other}) == {"a": {"from": one, "to": other}}
    assert changes_of({"a": [one]}, {"a": [other]}) == {"a": {"from": [one], "to": [other]}}
    assert changes_of({"a": one}, {"a": one}) == {}


@given(DOCUMENTS, DOCUMENTS)
def test_changes_lead_from_one_document_to_the_other(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    old, new = dict(leaves(before)), dict(leaves(after))
    changes = changes_of(before, after)
    assert changes_of(before, before) == {}
    assert (changes == {}) == (exact(before) == exact(after))
    for path in old | new:
        key = ".".join(path)
        if path in old and path in new and exact(old[path]) == exact(new[path]):
            assert key not in changes
        else:
            assert exact(changes.pop(key)) == exact({"from": old.get(path), "to": new.get(path)})
    assert changes == {}


def test_changes_share_nothing_with_the_documents() -> None:
    before, after = {"a": [1]}, {"a": [2]}
    changes = changes_of(before, after)
    before["a"].append(3)
    after["a"].append(4)
    assert changes == {"a": {"from": [1], "to": [2]}}
