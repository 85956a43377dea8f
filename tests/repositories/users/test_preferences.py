"""Preferences through the repository: what was set is what is read, on both servers."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dal
from dal.config import Config
from dal.records.preferences import MAX_BYTES, MAX_DEPTH
from tests.conftest import Recorder, new_user, options, shown
from tests.properties.profiles import property_settings
from tests.repositories.conftest import Root

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)


def exact(value: object) -> str:
    """What tells 1, 1.0 and True apart, and 0.0 and -0.0, but no order of names."""
    return json.dumps(value, sort_keys=True)


def size(document: object) -> int:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return len(text.encode())


def nested(levels: int, innermost: object) -> Any:
    value = innermost
    for _ in range(levels):
        value = {"a": value}
    return value


async def entries(system: dal.Session, user: dal.User) -> list[dal.AuditEntry]:
    """Those of preferences, newest first."""
    page = await system.audit.list_of_target("user", user.id, limit=500)
    rows = sorted(page.rows, key=lambda e: (e.occurred_at, e.id), reverse=True)
    return [entry for entry in rows if "preference" in entry.action]


# ------------------------------------------------------------------ what is set is what is read

VALUES: Final[list[Any]] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2**53 + 1,
    2**63 - 1,
    -(2**63),
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    0.1 + 0.2,
    1e300,
    1e-300,
    5e-324,
    -5e-324,
    2.2250738585072014e-308,
    1.7976931348623157e308,
    -1.7976931348623157e308,
    1e16,
    1e22,
    1e23,
    9007199254740993.0,
    9.223372036854775807e18,
    1.8446744073709552e19,
    123456789.12345678,
    8.41e21,
    5.0e-5,
    2.0000000000000004,
    "",
    " ",
    "dark",
    "null",
    "1",
    "\\",
    '"',
    "'; --",
    "\0",
    "\x1f\x7f\x85",
    "\r\n\t\b\f",
    "é",
    "e\u0301",
    "\u2028\u2029",
    "\ufeff\ufffe\uffff",
    "\U0001f469\u200d\U0001f467",
    "\U0010ffff",
    "\u202eמרחבא",
    "base64:type15:AAAA",
    "2026-01-01 00:00:00",
    [],
    {},
    [[]],
    [{}],
    [None],
    {"a": {}},
    {"a": []},
    [1, 1.0, True, "1", None, [1], {"a": 1}],
    {"b": 1, "a": {"aa": 2, "b": [3]}, "A": 4, "ab": 5},
    [{"z": 1, "a": 2}, {"a": 2, "z": 1}],
    {"_": 1, "-": 2, "0": 3, "__proto__": 4, "a" * 64: 5},
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: shown(value, 40))
async def test_what_is_set_is_what_is_read(
    as_ada: dal.Session, ada: dal.User, system: dal.Session, value: Any
) -> None:
    users = as_ada.users
    for key, document in (("k", {"k": value}), ("a.b-c.D_1", {"a": {"b-c": {"D_1": value}}})):
        given_value = copy.deepcopy(value)
        returned = await users.preferences.update(ada.id, {key: given_value})
        assert exact(given_value) == exact(value)
        assert exact(returned) == exact(document)
        for session in (as_ada, system):
            assert exact(await session.users.preferences.get(ada.id)) == exact(document)
            found = await session.users.preferences.get_value(ada.id, key, "absent")
            assert exact(found) == exact(value)
        # The same again is no change: no entry.
        n_entries = len(await entries(system, ada))
        again = await users.preferences.update(ada.id, {key: value})
        assert exact(again) == exact(document)
        assert len(await entries(system, ada)) == n_entries
        assert await users.preferences.reset(ada.id) == {}


async def test_values_that_differ_by_their_type_alone(
    as_ada: dal.Session, ada: dal.User, system: dal.Session
) -> None:
    values: list[Any] = [1, 1.0, True, "1", [1], [1.0], [True], 0, 0.0, -0.0, False, None, {}, []]
    for n, value in enumerate(values, 1):
        await as_ada.users.preferences.update(ada.id, {"k": value})
        assert exact(await as_ada.users.preferences.get_value(ada.id, "k")) == exact(value)
        assert len(await entries(system, ada)) == n


# Few names, so that two documents meet.
NAMES = st.sampled_from(["a", "b", "c-1", "D_2", "__proto__"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


ANY_VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
).filter(lambda value: depth(value) <= MAX_DEPTH - 3)
KEYS = st.lists(NAMES, min_size=1, max_size=3).map(".".join)
CHANGES = st.dictionaries(KEYS, ANY_VALUES, max_size=3)


def leaves(value: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[Any, Any]]:
    for name, inner in value.items():
        path = (*above, *name.split("."))
        if isinstance(inner, Mapping) and inner:
            yield from leaves(inner, path)
        else:
            yield path, inner


def put(document: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """One leaf, in the obvious way."""
    name, *rest = path
    if rest:
        if not isinstance(document.get(name), dict):
            document[name] = {}
        put(document[name], tuple(rest), value)
    elif value != {} or not isinstance(document.get(name), dict):
        document[name] = value


def take(document: dict[str, Any], path: list[str]) -> None:
    there: Any = document
    for name in path[:-1]:
        there = there.get(name) if isinstance(there, dict) else None
    if isinstance(there, dict):
        there.pop(path[-1], None)


Run = Callable[[Coroutine[Any, Any, Any]], Any]


@attrs.frozen
class Opened:
    """A database in a loop of its own, since examples are synchronous."""

    run: Run
    db: dal.Database


@pytest.fixture(scope="module")
def loop_of_its_own(config: Config) -> Iterator[Opened]:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        stack = AsyncExitStack()
        connected = dal.connect(clock=dal.ManualClock(NOW), **options(config))
        db = runner.run(stack.enter_async_context(connected))
        yield Opened(runner.run, db)
        runner.run(stack.aclose())


@property_settings()
@given(steps=st.lists(CHANGES | KEYS, min_size=1, max_size=6))
def test_the_document_is_the_one_of_a_plain_dict(
    loop_of_its_own: Opened, steps: list[dict[str, Any] | str]
) -> None:
    db = loop_of_its_own.db

    async def walk() -> None:
        user = await new_user(db)
        me = db.acting_as(dal.Actor.user(user.id))
        model: dict[str, Any] = {}
        for step in steps:
            before = copy.deepcopy(model)
            if isinstance(step, str):
                take(model, step.split("."))
                returned = await me.users.preferences.unset(user.id, step)
            else:
                found = sorted(leaves(step), key=lambda leaf: leaf[0])
                paths = [path for path, _ in found]
                if any(
                    one[: len(other)] == other[: len(one)]
                    for n, one in enumerate(paths)
                    for other in paths[:n]
                ):
                    with pytest.raises(dal.ValueRejectedError):
                        await me.users.preferences.update(user.id, step)
                    returned = before
                else:
                    for path, value in found:
                        put(model, path, copy.deepcopy(value))
                    returned = await me.users.preferences.update(user.id, step)
            fresh = await me.users.preferences.get(user.id)
            assert exact(fresh) == exact(model) == exact(returned)
            assert await me.users.get(user.id) == user
            system = db.acting_as(dal.Actor.system("tests"))
            newest = next(iter(await entries(system, user)), None)
            if exact(before) != exact(model):
                assert newest is not None
                assert newest.changes
        for key in ("a", "b.a", "a.b.c-1", "D_2"):
            expected: Any = model
            for name in key.split("."):
                expected = expected.get(name, "absent") if isinstance(expected, dict) else "absent"
            assert exact(await me.users.preferences.get_value(user.id, key, "absent")) == exact(
                expected
            )

    loop_of_its_own.run(walk())


# -------------------------------------------------------------- defaults, unset and reset


async def test_defaults(as_ada: dal.Session, ada: dal.User) -> None:
    users = as_ada.users
    assert await users.preferences.get(ada.id) == {}
    assert await users.preferences.get_value(ada.id, "theme") is None
    assert await users.preferences.get_value(ada.id, "theme", "light") == "light"
    assert await users.preferences.get_value(ada.id, "a.b.c", 5) == 5
    await users.preferences.update(ada.id, {"theme": None, "a": 1, "b.c": {}})
    assert await users.preferences.get_value(ada.id, "theme", "light") is None
    # What leads through a value leads nowhere.
    assert await users.preferences.get_value(ada.id, "a.b", "default") == "default"
    assert await users.preferences.get_value(ada.id, "b", "default") == {"c": {}}
    assert await users.preferences.get_value(ada.id, "b.c", "default") == {}
    assert await users.preferences.get_value(ada.id, "b.c.d", "default") == "default"


async def test_merging(as_ada: dal.Session, ada: dal.User) -> None:
    users = as_ada.users
    await users.preferences.update(ada.id, {"mail.daily": True, "mail.at": [1, 2], "theme": "dark"})
    document = await users.preferences.update(
        ada.id, {"mail": {"weekly": False, "at": [3]}, "a.b.c": 1}
    )
    assert document == {
        "mail": {"daily": True, "at": [3], "weekly": False},
        "theme": "dark",
        "a": {"b": {"c": 1}},
    }
    assert document == await users.preferences.get(ada.id)
    # An object takes the place of what is none, and a value that of an object.
    document = await users.preferences.update(ada.id, {"theme.name": "dark", "mail": None})
    assert document == {"mail": None, "theme": {"name": "dark"}, "a": {"b": {"c": 1}}}
    assert document == await users.preferences.get(ada.id)
    # The names of a mapping are no paths.
    with pytest.raises(dal.ValueRejectedError) as caught:
        await users.preferences.update(ada.id, {"mail": {"a.b": 1}})
    assert caught.value.field == "preferences.mail"


async def test_unset_and_reset(as_ada: dal.Session, ada: dal.User, system: dal.Session) -> None:
    users = as_ada.users
    await users.preferences.update(ada.id, {"a.b": 1, "a.c": 2, "d": 3})
    assert await users.preferences.unset(ada.id, "a.b") == {"a": {"c": 2}, "d": 3}
    assert await users.preferences.unset(ada.id, "a.c") == {"a": {}, "d": 3}
    assert await users.preferences.unset(ada.id, "a") == {"d": 3}
    n_entries = len(await entries(system, ada))
    for absent in ("a", "a.b", "d.e", "x.y.z"):
        assert await users.preferences.unset(ada.id, absent) == {"d": 3}
    assert len(await entries(system, ada)) == n_entries
    assert await users.preferences.get(ada.id) == {"d": 3}
    assert await users.preferences.reset(ada.id) == {}
    (newest, *_) = await entries(system, ada)
    assert (newest.action, newest.changes) == (
        "user.reset_preferences",
        {"d": {"from": 3, "to": None}},
    )
    assert await users.preferences.reset(ada.id) == {}
    assert len(await entries(system, ada)) == n_entries + 1
    assert await users.preferences.get(ada.id) == {}


async def test_what_is_given_back_is_the_caller_s_own(as_ada: dal.Session, ada: dal.User) -> None:
    shared: list[Any] = [1]
    given_changes = {"a": shared, "b": shared}
    returned = await as_ada.users.preferences.update(ada.id, given_changes)
    returned["a"].append(2)
    shared.append(3)
    assert await as_ada.users.preferences.get(ada.id) == {"a": [1], "b": [1]}
    assert returned["b"] == [1]


# --------------------------------------------------------------------------------- limits


@pytest.mark.parametrize("letter", ["x", "é", "\U0001f600", '"', "\n", "\x01"])
async def test_the_largest_document(
    as_ada: dal.Session, ada: dal.User, system: dal.Session, letter: str
) -> None:
    users = as_ada.users
    await users.preferences.update(ada.id, {"a.b": 1})
    each = size(letter) - 2
    left = MAX_BYTES - size({"a": {"b": 1}, "c": ""})
    text = letter * (left // each) + "x" * (left % each)
    assert size({"a": {"b": 1}, "c": text}) == MAX_BYTES
    document = await users.preferences.update(ada.id, {"c": text})
    assert document == {"a": {"b": 1}, "c": text} == await users.preferences.get(ada.id)
    n_entries = len(await entries(system, ada))
    too_much: list[dict[str, Any]] = [
        {"c": text + "x"},
        {"a.b": 12},
        {"d": 1},
        {"a.c": None},
        {"x": {}},
    ]
    for more in too_much:
        with pytest.raises(dal.ValueRejectedError) as caught:
            await users.preferences.update(ada.id, more)
        assert caught.value.field == "preferences"
        assert letter * 9 not in str(caught.value)
    assert await users.preferences.get(ada.id) == document
    assert len(await entries(system, ada)) == n_entries
    # Less is always possible.
    assert await users.preferences.update(ada.id, {"c": ""}) == {"a": {"b": 1}, "c": ""}


async def test_many_numbers_are_as_long_as_they_are_written(
    as_ada: dal.Session, ada: dal.User
) -> None:
    """A server that writes them longer is none of the caller's business."""
    n = (MAX_BYTES - size({"n": []})) // 2
    numbers = [1] * n
    document = await as_ada.users.preferences.update(ada.id, {"n": numbers})
    assert document == {"n": numbers} == await as_ada.users.preferences.get(ada.id)
    floats = [1e300] * (MAX_BYTES // 7)
    assert len(json.dumps(floats[0])) == 6
    left = (MAX_BYTES - size({"n": []}) + 1) // 7
    document = await as_ada.users.preferences.update(ada.id, {"n": floats[:left]})
    assert document == {"n": floats[:left]} == await as_ada.users.preferences.get(ada.id)


async def test_the_deepest_document(as_ada: dal.Session, ada: dal.User) -> None:
    users = as_ada.users
    for deepest in ({"k": nested(MAX_DEPTH - 2, {})}, {"k": nested(MAX_DEPTH - 2, [])}):
        assert await users.preferences.update(ada.id, deepest) == deepest
        assert await users.preferences.get(ada.id) == deepest
        await users.preferences.reset(ada.id)
    longest = ".".join("k" * MAX_DEPTH)
    await users.preferences.update(ada.id, {longest: 1})
    assert await users.preferences.get_value(ada.id, longest) == 1
    before = await users.preferences.get(ada.id)
    lists: Any = 1
    for _ in range(MAX_DEPTH):
        lists = [lists]
    for field, changes in {
        "preferences.k": {"k": nested(MAX_DEPTH - 1, {})},
        "preferences.l": {"l": lists},
        f"preferences.{longest}": {longest: {}},
        "preferences": {longest + ".k": 1},
    }.items():
        with pytest.raises(dal.ValueRejectedError) as caught:
            await users.preferences.update(ada.id, changes)
        assert caught.value.field == field
        assert await users.preferences.get(ada.id) == before


BAD_KEYS: Final[list[Any]] = [
    "", ".", "a.", ".a", "a..b", "a b", "é", "a/b", "a\n", "$", "a[0]", "a" * 65, None, 1,
    b"a", ("a", "b"), "a\0", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("key", BAD_KEYS, ids=ascii)
async def test_what_is_no_key(as_ada: dal.Session, ada: dal.User, key: Any) -> None:
    users = as_ada.users
    await users.preferences.update(ada.id, {"a": 1})
    for call in (
        users.preferences.update(ada.id, {key: 1}),
        users.preferences.update(ada.id, {"b": 2, key: 1}),
        users.preferences.get_value(ada.id, key),
        users.preferences.unset(ada.id, key),
    ):
        with pytest.raises(dal.ValueRejectedError) as caught:
            await call
        assert caught.value.field == "preferences"
    assert await users.preferences.get(ada.id) == {"a": 1}


BAD_VALUES: Final[list[Any]] = [
    object(), {1, 2}, b"bytes", NOW, UUID(int=7), 1j, float("nan"), float("inf"), 2**63,
    -(2**63) - 1, "\ud800", {"a.b": 1}, {"": 1}, {1: 1}, [object()], {"x": [float("nan")]},
    dal.Role, range(3), timedelta(1),
]  # fmt: skip


@pytest.mark.parametrize("value", BAD_VALUES, ids=shown)
async def test_what_is_no_value(
    as_ada: dal.Session, ada: dal.User, system: dal.Session, value: Any
) -> None:
    users = as_ada.users
    await users.preferences.update(ada.id, {"a": 1})
    for changes in ({"b.c": value}, {"a": 2, "b.c": [value]}, {"a": 2, "b.c": {"d": value}}):
        with pytest.raises(dal.ValueRejectedError) as caught:
            await users.preferences.update(ada.id, changes)
        assert caught.value.field == "preferences.b.c"
    assert await users.preferences.get(ada.id) == {"a": 1}
    assert len(await entries(system, ada)) == 1


@pytest.mark.parametrize("changes", [None, [], "a", 1, [("a", 1)], {"a"}])
async def test_changes_that_are_no_mapping(
    as_ada: dal.Session, ada: dal.User, changes: Any
) -> None:
    with pytest.raises(dal.ValueRejectedError) as caught:
        await as_ada.users.preferences.update(ada.id, changes)
    assert caught.value.field == "preferences"


@pytest.mark.parametrize(
    "changes",
    [{"a": 1, "a.b": 2}, {"a.b": 1, "a": {"b": 2}}, {"a.b": 1, "a": 3}, {"a": {}, "a.b": 1}],
)
async def test_two_keys_of_one_place(
    as_ada: dal.Session, ada: dal.User, changes: dict[str, object]
) -> None:
    with pytest.raises(dal.ValueRejectedError) as caught:
        await as_ada.users.preferences.update(ada.id, changes)
    assert str(caught.value.field).startswith("preferences.a")
    assert await as_ada.users.preferences.get(ada.id) == {}


# -------------------------------------------------------------------------- who may do what


async def test_one_s_own_and_others(
    db: dal.Database,
    ada: dal.User,
    as_ada: dal.Session,
    as_bob: dal.Session,
    as_nobody: dal.Session,
    as_admin: dal.Session,
    system: dal.Session,
) -> None:
    liar = db.acting_as(dal.Actor.user((await new_user(db)).id, role="admin"))
    viewer = await system.users.access.change_role((await new_user(db)).id, "viewer")
    as_viewer = db.acting_as(dal.Actor.user(viewer.id, role="viewer"))
    for n, session in enumerate((as_ada, as_admin, system)):
        document = await session.users.preferences.update(ada.id, {"n": n, "m.o": 1})
        assert document == {"n": n, "m": {"o": 1}}
        assert await session.users.preferences.get(ada.id) == document
        assert await session.users.preferences.get_value(ada.id, "n") == n
        assert await session.users.preferences.unset(ada.id, "m") == {"n": n}
        assert await session.users.preferences.reset(ada.id) == {}
        for entry in (await entries(system, ada))[:3]:
            assert entry.actor_type == session.actor.type
            assert entry.actor_id == session.actor.id
            assert entry.outcome == dal.Outcome.SUCCESS
    await as_ada.users.preferences.update(ada.id, {"n": 1})
    n_entries = len(await entries(system, ada))
    for session in (as_bob, as_nobody, as_viewer):
        for call in (
            session.users.preferences.get(ada.id),
            session.users.preferences.get_value(ada.id, "n"),
            session.users.preferences.update(ada.id, {"n": 2}),
            session.users.preferences.unset(ada.id, "n"),
            session.users.preferences.reset(ada.id),
        ):
            with pytest.raises(dal.NotFoundError):
                await call
    assert len(await entries(system, ada)) == n_entries
    for denied in (
        liar.users.preferences.update(ada.id, {"n": 2}),
        liar.users.preferences.unset(ada.id, "n"),
        liar.users.preferences.reset(ada.id),
    ):
        with pytest.raises(dal.PermissionDeniedError):
            await denied
    with pytest.raises(dal.NotFoundError):
        await liar.users.preferences.get(ada.id)
    assert [e.outcome for e in (await entries(system, ada))[:3]] == [dal.Outcome.DENIED] * 3
    assert await as_ada.users.preferences.get(ada.id) == {"n": 1}
    # A viewer has preferences.
    assert await as_viewer.users.preferences.update(viewer.id, {"n": 3}) == {"n": 3}


async def test_who_is_not_there(
    db: dal.Database, system: dal.Session, as_admin: dal.Session
) -> None:
    user = await new_user(db)
    me = db.acting_as(dal.Actor.user(user.id))
    await me.users.preferences.update(user.id, {"n": 1})
    await system.users.soft_delete(user.id)
    for session in (me, system, as_admin):
        for user_id in (user.id, uuid4()):
            for call in (
                session.users.preferences.get(user_id),
                session.users.preferences.update(user_id, {"n": 2}),
                session.users.preferences.unset(user_id, "n"),
                session.users.preferences.reset(user_id),
            ):
                with pytest.raises(dal.NotFoundError):
                    await call
        for no_id in (
            session.users.preferences.get("x"),  # type: ignore[arg-type]
            session.users.preferences.update(None, {}),  # type: ignore[arg-type]
        ):
            with pytest.raises(dal.ValueRejectedError) as caught:
                await no_id
            assert caught.value.field == "user_id"
    await system.users.restore(user.id)
    assert await me.users.preferences.get(user.id) == {"n": 1}


# --------------------------------------------------------------------- entries and statements


async def test_an_entry_has_the_changed_keys_alone(
    as_ada: dal.Session, ada: dal.User, system: dal.Session
) -> None:
    users = as_ada.users
    await users.preferences.update(ada.id, {"a.b": 1, "a.c": [1], "d": "text", "e.f.g": {}})
    await users.preferences.update(ada.id, {"a": {"b": 1, "c": [2]}, "d": "text", "h": None})
    (newest, oldest) = await entries(system, ada)
    assert oldest.changes == {
        "a.b": {"from": None, "to": 1},
        "a.c": {"from": None, "to": [1]},
        "d": {"from": None, "to": "text"},
        "e.f.g": {"from": None, "to": {}},
    }
    assert newest.changes == {
        "a.c": {"from": [1], "to": [2]},
        "h": {"from": None, "to": None},
    }
    assert (newest.action, newest.target_id, newest.affected) == (
        "user.update_preferences",
        ada.id,
        1,
    )


async def test_secrets_are_not_in_an_entry(as_ada: dal.Session, ada: dal.User, root: Root) -> None:
    planted = {
        "api_key": "planted-1",
        "mail.password": "planted-2",
        "bot": {"Token": "planted-3", "list": [{"clientSecret": "planted-4"}]},
        "oauth.refresh-token.of": "planted-5",
        "web.cookie": ["planted-6"],
        # Secret by the whole key alone.
        "api.keys": "planted-9",
        "pass.word": "planted-10",
        "pin": 7_777_777,
        "theme": "visible-1",
    }
    users = as_ada.users
    await users.preferences.update(ada.id, planted)
    await users.preferences.update(ada.id, {"api_key": "planted-8", "bot.list": []})
    await users.preferences.unset(ada.id, "mail")
    assert await users.preferences.get_value(ada.id, "api_key") == "planted-8"
    await users.preferences.reset(ada.id)
    rows = root("SELECT changes FROM audit_logs WHERE target_id = %s", ada.id.bytes)
    text = "\n".join(row[0] for row in rows)
    assert "planted" not in text
    assert "7777777" not in text
    assert "visible-1" in text
    assert "[redacted]" in text


async def test_preferences_are_not_the_account(
    as_ada: dal.Session, ada: dal.User, system: dal.Session, clock: dal.ManualClock
) -> None:
    clock.move(timedelta(seconds=1))
    await as_ada.users.preferences.update(ada.id, {"a": 1})
    await as_ada.users.preferences.unset(ada.id, "a")
    await as_ada.users.preferences.update(ada.id, {"a": 2})
    await system.users.preferences.reset(ada.id)
    assert await system.users.get(ada.id) == ada
    # And no field of the account's record.
    assert "preferences" not in {field.name for field in attrs.fields(dal.User)}


async def test_the_statements(as_ada: dal.Session, ada: dal.User, recorder: Recorder) -> None:
    users = as_ada.users
    changed = [
        "transaction/start",
        "users/lock_preferences",
        "users/update_preferences",
        "audit_logs/insert",
        "transaction/commit",
    ]
    unchanged = ["transaction/start", "users/lock_preferences", "transaction/commit"]
    for call, names in (
        (users.preferences.update(ada.id, {"a": 1}), changed),
        (users.preferences.update(ada.id, {"a": 1}), unchanged),
        (users.preferences.update(ada.id, {}), unchanged),
        (users.preferences.get(ada.id), ["users/find_preferences"]),
        (users.preferences.get_value(ada.id, "a"), ["users/find_preferences"]),
        (users.preferences.unset(ada.id, "a"), changed),
        (users.preferences.reset(ada.id), unchanged),
    ):
        recorder.clear()
        await call
        assert recorder.names == names


# ------------------------------------------------------------------------------- at once


async def test_different_keys_at_once_are_all_kept(
    as_ada: dal.Session, ada: dal.User, system: dal.Session, as_admin: dal.Session
) -> None:
    sessions = (as_ada, system, as_admin)
    await asyncio.gather(
        *(
            sessions[n % 3].users.preferences.update(ada.id, {f"shared.k{n}": n, f"own{n}.a": n})
            for n in range(30)
        )
    )
    expected: dict[str, Any] = {"shared": {f"k{n}": n for n in range(30)}}
    expected |= {f"own{n}": {"a": n} for n in range(30)}
    assert await as_ada.users.preferences.get(ada.id) == expected
    assert len(await entries(system, ada)) == 30


async def test_set_and_unset_at_once(as_ada: dal.Session, ada: dal.User) -> None:
    users = as_ada.users
    await users.preferences.update(ada.id, {f"k.a{n}": n for n in range(10)})
    await asyncio.gather(
        *(users.preferences.unset(ada.id, f"k.a{n}") for n in range(10)),
        *(users.preferences.update(ada.id, {f"k.b{n}": n}) for n in range(10)),
    )
    assert await users.preferences.get(ada.id) == {"k": {f"b{n}": n for n in range(10)}}


async def test_the_same_key_at_once_is_one_of_them(
    as_ada: dal.Session, ada: dal.User, system: dal.Session
) -> None:
    values = [{"left": [n], "right": [n]} for n in range(12)]
    await asyncio.gather(
        *(as_ada.users.preferences.update(ada.id, {"k": value}) for value in values)
    )
    found = await as_ada.users.preferences.get_value(ada.id, "k")
    assert found in values
    # Each entry goes on from where another one ended: a chain.
    steps = [entry.changes["k.left"] for entry in await entries(system, ada)]
    begins = [exact(step["from"]) for step in steps]
    ends = [exact(step["to"]) for step in steps]
    assert sorted([*begins, exact(found["left"])]) == sorted([*ends, exact(None)])
    assert len(steps) == len(values)


async def test_one_waits_for_a_transaction_of_another(
    as_ada: dal.Session, ada: dal.User, system: dal.Session
) -> None:
    """Both keep theirs, though the second began before the first had ended."""
    async with as_ada.begin() as tx:
        await tx.users.preferences.update(ada.id, {"a.first": 1})
        second = asyncio.create_task(system.users.preferences.update(ada.id, {"a.second": 2}))
        await tx.users.preferences.update(ada.id, {"a.third": 3})
        # Not committed: nobody else sees it.
        assert await asyncio.create_task(system.users.preferences.get(ada.id)) == {}
    assert await second == {"a": {"first": 1, "second": 2, "third": 3}}
    assert await as_ada.users.preferences.get(ada.id) == await system.users.preferences.get(ada.id)


async def test_a_transaction_that_is_rolled_back(
    as_ada: dal.Session, ada: dal.User, system: dal.Session
) -> None:
    await as_ada.users.preferences.update(ada.id, {"a": 1})
    with pytest.raises(RuntimeError):  # noqa: PT012
        async with as_ada.begin() as tx:
            await tx.users.preferences.update(ada.id, {"a": 2, "b": 3})
            with pytest.raises(dal.ValueRejectedError):
                await tx.users.preferences.update(ada.id, {"c": "x" * MAX_BYTES})
            assert await tx.users.preferences.get(ada.id) == {"a": 2, "b": 3}
            raise RuntimeError
    assert await as_ada.users.preferences.get(ada.id) == {"a": 1}
    assert len(await entries(system, ada)) == 1


async def test_a_document_that_root_has_written(
    as_ada: dal.Session, ada: dal.User, root: Root
) -> None:
    """What is too large or too deep for us can be read and made smaller."""
    large = {"a": "x" * (2 * MAX_BYTES), "b": 1}
    root("UPDATE users SET preferences = %s WHERE id = %s", json.dumps(large), ada.id.bytes)
    assert await as_ada.users.preferences.get(ada.id) == large
    with pytest.raises(dal.ValueRejectedError):
        await as_ada.users.preferences.update(ada.id, {"c": 1})
    assert await as_ada.users.preferences.unset(ada.id, "b") == {"a": large["a"]}
    assert await as_ada.users.preferences.update(ada.id, {"a": 1}) == {"a": 1}
    root("UPDATE users SET preferences = %s WHERE id = %s", json.dumps(large), ada.id.bytes)
    assert await as_ada.users.preferences.reset(ada.id) == {}
