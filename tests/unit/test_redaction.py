"""Secrets do not reach the audit log, at any depth, in any container, whatever their key's case."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dal.repositories.audit_writer import REDACTED, changes_between, redact

SECRET_KEYS = (
    "password", "Password", "new_password", "passwordHash", "passwd", "pwd", "passphrase",
    "passcode",
    "token", "reset_token", "accessToken", "refresh-token", "secret", "client_secret", "hash",
    "password_hash", "api_key", "apiKey", "API-KEY", "x.api.key", "key", "private key",
    "authorization",
    "Authorisation", "Cookie", "set-cookie", "credentials", "salt", "otp", "pin", "signature",
    "bearer", "jwt", "dsn", "PassWord", "pass_word", "Pass-Phrase", "apikey", "User-Pin",
)  # fmt: skip
PLAIN_KEYS = (
    "name", "content_sha256", "author_name", "tags", "description", "visibility", "keyboard",
    "spinner", "hashtag", "monkey", "passenger", "category", "head_version", "owner_id",
)  # fmt: skip
SECRET = "hunter2-" * 3


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_a_secret_is_replaced(key: str) -> None:
    for name in (key, key.upper(), key.encode()):
        (value,) = redact({name: SECRET}).values()  # type: ignore[attr-defined]
        assert value == REDACTED


@pytest.mark.parametrize("key", PLAIN_KEYS)
def test_what_is_none_is_kept(key: str) -> None:
    assert redact({key: "value"}) == {key: "value"}


@attrs.frozen
class Login:
    user: str
    password: str


class Colour(Enum):
    RED = "red"


class Opaque:
    def __repr__(self) -> str:
        return SECRET


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(PLAIN_KEYS), inner, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def planted(draw: st.DrawFn) -> object:
    """A value with a secret somewhere below a key that names one."""
    value: object = {
        draw(st.sampled_from(SECRET_KEYS)): draw(
            st.sampled_from([SECRET, [SECRET], {"name": SECRET}, SECRET.encode(), (1, {SECRET})])
        )
    }
    for _ in range(draw(st.integers(0, 40))):
        sibling = draw(plain)
        value = draw(
            st.sampled_from(
                [
                    [sibling, value],
                    (value, sibling),
                    {draw(st.sampled_from(PLAIN_KEYS)): value, "x": sibling},
                ]
            )
        )
    return value


@given(planted())
def test_a_planted_secret_is_never_written(value: object) -> None:
    text = json.dumps(redact(value), ensure_ascii=False, allow_nan=False)
    assert SECRET not in text
    assert SECRET.encode().hex() not in text
    # What is written can be stored.
    text.encode()


def test_values_that_json_does_not_know() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    value = {
        "id": UUID(int=5),
        "at": at,
        "took": timedelta(seconds=1),
        "cost": Decimal("1.10"),
        "colour": Colour.RED,
        "set": {"b", "a"},
        "bytes": b"\x00\xff",
        "nan": float("nan"),
        "inf": float("-inf"),
        "surrogate \ud800": "\ud800",
        "record": Login("ada", SECRET),
        "object": Opaque(),
        5: "five",
    }
    assert json.loads(json.dumps(redact(value), allow_nan=False)) == {
        "id": str(UUID(int=5)),
        "at": at.isoformat(),
        "took": "0:00:01",
        "cost": "1.10",
        "colour": "red",
        "set": ["a", "b"],
        "bytes": "00ff",
        "nan": "nan",
        "inf": "-inf",
        "surrogate ?": "?",
        "record": {"user": "ada", "password": REDACTED},
        "object": "[Opaque]",
        "5": "five",
    }


def test_a_long_text_is_told_by_its_hash() -> None:
    long = "x" * 501
    assert redact("x" * 500) == "x" * 500
    told = redact({"description": long})
    assert isinstance(told, dict)
    assert told["description"]["chars"] == 501
    assert "xxx" not in json.dumps(told)
    assert set(redact(b"\0" * 251)) == {"chars", "sha256"}  # type: ignore[call-overload]


def test_a_value_without_an_end() -> None:
    loop: list[object] = []
    loop.append(loop)
    text = json.dumps(redact(loop))
    assert "[too deep]" in text


def test_changes_between() -> None:
    before = {"name": "a", "same": 1, "content": "old prompt", "gone": 2}
    after = {"name": "b", "same": 1, "content": "new prompt", "new": None}
    changes = changes_between(before, after)
    assert list(changes) == ["content", "gone", "name"]
    assert changes["name"] == {"from": "a", "to": "b"}
    assert changes["gone"] == {"from": 2, "to": None}
    assert "prompt" not in json.dumps(changes)
    assert changes_between(None, None) == {}
    assert changes_between(before, before) == {}
