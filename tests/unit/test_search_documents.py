"""dal/search/documents.py: a template as one row of tokens, and a query as terms."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dal.search.analysis import terms_of
from dal.search.documents import (
    MAX_DOCUMENT_CHARS,
    MAX_DOCUMENT_TERMS,
    MAX_QUERY_CHARS,
    MAX_QUERY_TERMS,
    Document,
    document,
    is_private_token,
    private_tokens,
    public_tokens,
    query_terms,
)

ADA = UUID("018e0d3c-0000-7000-8000-00000000000a")
BOB = UUID("018e0d3c-0000-7000-8000-00000000000b")
TOKEN = re.compile(r"[a-z0-9]{2,79}_")
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


def made(
    *,
    name: str = "",
    description: str | None = None,
    author_name: str | None = None,
    tags: tuple[str, ...] = (),
    content: str = "",
    is_public: bool = True,
) -> Document:
    return document(
        name=name,
        description=description,
        author_name=author_name,
        tags=tags,
        content=content,
        owner_id=ADA,
        is_public=is_public,
    )


# Tokens


def test_the_tokens_of_a_term_are_what_is_stored() -> None:
    # Rows hold these: another answer here asks for a new index.
    assert public_tokens("review") == public_tokens("review")
    assert (public_tokens("ai").body, public_tokens("ai").name) == ("aai_", "nai_")
    assert (public_tokens("提示").body, public_tokens("提示").name) == (
        "b42hzbz5exi_",
        "m42hzbz5exi_",
    )
    assert private_tokens("ai", ADA).body == "xg6npbezln2aai_"
    assert private_tokens("ai", ADA).name == "xg6npbezln2nai_"


def test_a_term_too_long_for_a_token_is_hashed() -> None:
    tokens = public_tokens("я" * 40)
    assert tokens.body[0] == "c"
    assert tokens.name[0] == "o"
    assert tokens.body[1:] == tokens.name[1:]
    assert tokens != public_tokens("я" * 41)


@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=80), st.uuids())
@example("\ud800", ADA)
@example("A", ADA)
def test_every_token_is_one_that_both_servers_keep(term: str, owner_id: UUID) -> None:
    public, private = public_tokens(term), private_tokens(term, owner_id)
    for token in (public.body, public.name, private.body, private.name):
        assert TOKEN.fullmatch(token)
    assert len({public.body, public.name, private.body, private.name}) == 4
    assert not is_private_token(public.body)
    assert not is_private_token(public.name)
    assert is_private_token(private.body)
    assert is_private_token(private.name)
    assert private.body[11:] == public.body


@given(st.sets(st.text(st.characters(exclude_categories=()), min_size=1, max_size=64), max_size=20))
def test_other_terms_have_other_tokens(terms: set[str]) -> None:
    tokens = [public_tokens(term) for term in terms]
    assert len({one.body for one in tokens} | {one.name for one in tokens}) == 2 * len(terms)


def test_another_owner_has_other_tokens() -> None:
    assert private_tokens("ai", ADA) != private_tokens("ai", BOB)


# Documents


def test_a_document_is_the_name_then_all_texts() -> None:
    assert made(
        name="One Two", tags=("three", "four"), author_name="five", description="six", content="ten"
    ) == Document(" none_ ntwo_ aone_ atwo_ athree_ afour_ afive_ asix_ aten_", 7)


def test_a_private_document_is_its_owners_own() -> None:
    found = made(name="One", content="two", is_public=False)
    expected = (
        private_tokens("one", ADA).name,
        private_tokens("one", ADA).body,
        private_tokens("two", ADA).body,
    )
    assert found == Document("".join(f" {token}" for token in expected), 2)


def test_nothing_to_find_is_an_empty_document() -> None:
    assert made(name="...", content=" - ") == Document("", 0)


@given(name=ANY_TEXT, tag=ANY_TEXT, content=ANY_TEXT, is_public=st.booleans())
def test_counting_a_token_counts_its_term(
    name: str, tag: str, content: str, is_public: bool
) -> None:
    found = made(name=name, tags=(tag,), content=content, is_public=is_public)
    in_name = list(terms_of(name))
    everywhere = [*in_name, *terms_of(tag), *terms_of(content)]
    assert found.n_terms == len(everywhere)
    for term in everywhere:
        tokens = public_tokens(term) if is_public else private_tokens(term, ADA)
        assert found.tokens.count(f" {tokens.body}") == everywhere.count(term)
        assert found.tokens.count(f" {tokens.name}") == in_name.count(term)
    assert re.fullmatch(rf"( {TOKEN.pattern})*", found.tokens)
    assert found.tokens.count(" ") == len(everywhere) + len(in_name)


def test_a_document_is_bounded() -> None:
    found = made(name="name", content="word " * (MAX_DOCUMENT_TERMS + 5))
    assert found.n_terms == MAX_DOCUMENT_TERMS
    assert found.tokens.count(" ") == MAX_DOCUMENT_TERMS + 1
    found = made(content="-" * MAX_DOCUMENT_CHARS + "late")
    assert found == Document("", 0)
    assert made(name="中" * MAX_DOCUMENT_CHARS).tokens.count(" ") == 2 * MAX_DOCUMENT_TERMS


# Queries


def test_a_query_is_its_distinct_terms_in_order() -> None:
    assert query_terms("Prompts for THE prompt: the 提示词") == (
        "prompt",
        "for",
        "the",
        "提示",
        "示词",
    )
    assert query_terms(" ?! ") == ()


def test_a_query_is_bounded() -> None:
    words = [f"w{n}" for n in range(MAX_QUERY_TERMS + 1)]
    assert query_terms(" ".join(words)) == tuple(words[:-1])
    assert query_terms(" ".join(["same"] * 1000 + ["other"])) == ("same", "other")
    assert query_terms("-" * MAX_QUERY_CHARS + "late") == ()


@given(st.text(st.characters(exclude_categories=())))
@example("a\ud800b")
def test_any_text_is_a_query(text: str) -> None:
    found = query_terms(text)
    assert len(found) == len(set(found)) <= MAX_QUERY_TERMS
    assert set(found) <= set(terms_of(text))


@pytest.mark.parametrize("text", ["How do I write unit tests?", "提示词工程", "don't 😀"])
def test_a_text_is_found_by_itself(text: str) -> None:
    tokens = made(content=text).tokens
    assert all(f" {public_tokens(term).body}" in tokens for term in query_terms(text))
