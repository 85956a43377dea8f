"""The forms of text that is normalised, and the text that is none."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dal.errors import ValueRejectedError
from dal.records.text import category_slug, fold, free_text, optional_text, tag_key
from dal.records.users import normalize_email

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Red", "red"),
        ("  Red\t\n", "red"),
        ("e\u0301", "\u00e9"),
        ("\u00c9", "\u00e9"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("İ", "i\u0307"),
        ("\u212b", "\u00e5"),
        ("a b", "a b"),
        ("\U0001f600", "\U0001f600"),
        ("\0", "\0"),
    ],
)
def test_tag_key(text: str, key: str) -> None:
    assert tag_key(text) == key


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Two  Words", "two-words"),
        (" --a_/b-- ", "a-b"),
        ("C++", "c++"),
        ("Ä\u00a0B", "ä-b"),
        ("%", "%"),
    ],
)
def test_category_slug(text: str, slug: str) -> None:
    assert category_slug(text) == slug


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\u2003"])
def test_blank_is_refused(text: str) -> None:
    with pytest.raises(ValueRejectedError) as caught:
        tag_key(text)
    assert caught.value.field == "tags"
    with pytest.raises(ValueRejectedError) as caught:
        category_slug(f"-{text}_")
    assert caught.value.field == "category"


def test_folding_may_make_it_too_long() -> None:
    assert len(tag_key("İ" * 50)) == 100
    for name in ("İ" * 51, "x" * 101):
        with pytest.raises(ValueRejectedError) as caught:
            tag_key(name)
        assert caught.value.field == "tags"


@given(TEXT)
def test_keys_are_their_own_keys(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    assert fold(text.strip()) == folded
    assert unicodedata.is_normalized("NFC", folded)
    for form in ("NFC", "NFD"):
        # Canonically the same text is the same key.
        assert fold(unicodedata.normalize(form, text)) == folded
    try:
        slug = category_slug(text)
    except ValueRejectedError:
        return
    assert category_slug(slug) == slug


@given(TEXT)
def test_an_address_is_its_own_normal_form(text: str) -> None:
    try:
        address = normalize_email(f"{text}@Example.org")
    except ValueRejectedError:
        return
    assert normalize_email(address) == address
    assert address == address.strip()
    assert len(address) <= 254


@pytest.mark.parametrize(
    "email",
    ["", "@", "a@", "@b", "a@b@c", "a b@c", "a@b c", "a\0@b", "a\n@b", "nobody",
     "a" * 250 + "@b.cd",
     None, 5, b"a@b", "\ud800@b"],
)  # fmt: skip
def test_what_is_no_address(email: object) -> None:
    with pytest.raises(ValueRejectedError) as caught:
        normalize_email(email)
    assert caught.value.field == "email"
    # The value is not repeated, except for nothing at all.
    assert not isinstance(email, str) or len(email) < 3 or email not in str(caught.value)


@given(st.text(max_size=40))
def test_free_text_is_unchanged_or_refused(text: str) -> None:
    lone = any(unicodedata.category(c) == "Cs" for c in text)
    if lone or len(text) > 20:
        with pytest.raises(ValueRejectedError) as caught:
            free_text("field", text, max_chars=20)
        assert caught.value.field == "field"
    else:
        assert free_text("field", text, max_chars=20) is text


def test_limits_in_characters_and_in_bytes() -> None:
    assert free_text("f", "é" * 10, max_chars=10) == "é" * 10
    assert free_text("f", "é" * 5, max_bytes=10) == "é" * 5
    for limits in ({"max_chars": 9}, {"max_bytes": 19}):
        with pytest.raises(ValueRejectedError, match="at most"):
            free_text("f", "é" * 10, **limits)
    assert optional_text("f", None) is None
    assert optional_text("f", "") == ""
    for wrong in (None, 5, b"bytes", ["text"]):
        with pytest.raises(ValueRejectedError, match="text is required"):
            free_text("f", wrong)
