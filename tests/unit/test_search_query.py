"""Queries: their terms, how often they say each, and what each weighs."""

from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dal.search.postings import term_hash
from dal.search.query import (
    MAX_QUERY_CHARS,
    MAX_QUERY_TERMS,
    WEIGHT_SCALE,
    Counts,
    query_terms,
    weighted,
)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", {}),
        ("index storage index", {"index": 2, "storag": 1}),
        ("What is the best index for my storage?", {"best": 1, "index": 1, "storag": 1}),
        # Nothing else is left.
        ("what is it", {"what": 1, "is": 1, "it": 1}),
        ("to be or not to be", {"to": 2, "be": 2, "or": 1, "not": 1}),
        ("Don't", {"dont": 1}),
        ("你好", {"你好": 1}),
    ],
)
def test_the_terms_of_a_query(text: str, terms: dict[str, int]) -> None:
    assert query_terms(text) == terms
    assert list(query_terms(text)) == list(terms), "in the order of the query"


@given(st.text(st.characters()))
def test_whatever_a_str_can_hold(text: str) -> None:
    assert len(query_terms(text)) <= MAX_QUERY_TERMS


def test_a_long_query_is_cut() -> None:
    assert len(query_terms(" ".join(f"w{i}" for i in range(1_000)))) == MAX_QUERY_TERMS
    assert query_terms(" " * MAX_QUERY_CHARS + "behind") == {}


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 5), min_size=1),
    st.integers(0, 10**6),
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 10**6)),
)
def test_a_term_weighs_by_how_often_it_is_said_and_how_rare_it_is(
    terms: dict[str, int], documents: int, holding: dict[str, int]
) -> None:
    counts = Counts(documents, {term_hash(term): n for term, n in holding.items()})
    found = weighted(terms, counts)
    assert {one.term for one in found} == {term_hash(term) for term in terms}
    assert [one.weight for one in found] == sorted((o.weight for o in found), reverse=True)
    by_term = {one.term: one for one in found}
    for term, times in terms.items():
        n = min(holding.get(term, 0), documents)
        idf = log(1 + (documents - n + 0.5) / (n + 0.5))
        assert by_term[term_hash(term)].weight == max(1, round(WEIGHT_SCALE * times * idf))


def test_said_twice_it_weighs_twice() -> None:
    counts = Counts(100, {term_hash("a"): 10, term_hash("b"): 10})
    (twice, once) = weighted({"a": 1, "b": 2}, counts)
    assert (twice.term, once.term) == (term_hash("b"), term_hash("a"))
    assert abs(twice.weight - 2 * once.weight) <= 1
