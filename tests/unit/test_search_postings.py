"""Texts as postings: hashes of terms, and what each says of its text."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from dal.search.analysis import terms_of
from dal.search.postings import (
    MAX_DOCUMENT_CHARS,
    MAX_DOCUMENT_TERMS,
    MAX_IMPACT,
    impacts,
    term_hash,
)

WORDS = st.lists(st.sampled_from(["review", "sql", "plan", "你好", "naïve", "b2b"]), max_size=40)


@given(st.text())
def test_a_hash_is_a_positive_number_of_63_bits(term: str) -> None:
    assert 1 <= term_hash(term) < 2**63
    assert term_hash(term) == term_hash(term)


def test_terms_are_told_apart() -> None:
    terms = [f"{a}{b}" for a in range(300) for b in ("", "x", "é", "\ud800")]
    assert len({term_hash(term) for term in terms}) == len(set(terms))


@given(WORDS, WORDS, st.integers(1, 1_000))
def test_the_impact_is_a_saturation(title: list[str], text: list[str], pivot: int) -> None:
    found = impacts(" ".join(title), [" ".join(text), None], pivot_terms=pivot)
    of_title = list(terms_of(" ".join(title)))
    everything = [*of_title, *terms_of(" ".join(text))]
    counts = Counter(everything)
    assert found.keys() == {term_hash(term) for term in counts}
    for term, count in counts.items():
        frequency = count + 2 * of_title.count(term)
        length = 1.2 * (0.25 + 0.75 * len(everything) / pivot)
        assert found[term_hash(term)] == max(
            1, round(MAX_IMPACT * frequency / (frequency + length))
        )


def test_a_word_of_the_title_says_more_and_a_long_text_less() -> None:
    (hashed,) = (term_hash(term) for term in terms_of("review"))
    in_text = impacts("x", ["review of it"], pivot_terms=100)[hashed]
    assert impacts("review", ["of it x"], pivot_terms=100)[hashed] > in_text
    assert impacts("x", ["review of it" + " and" * 500], pivot_terms=100)[hashed] < in_text
    assert 1 <= in_text <= MAX_IMPACT


@given(st.text(st.characters(), max_size=200), st.text(st.characters(), max_size=200))
def test_whatever_a_str_can_hold(title: str, text: str) -> None:
    for impact in impacts(title, [text], pivot_terms=250).values():
        assert 1 <= impact <= MAX_IMPACT


def test_what_is_too_long_is_cut() -> None:
    many = " ".join(f"w{i}" for i in range(MAX_DOCUMENT_TERMS + 10))
    assert len(impacts("", [many], pivot_terms=250)) <= MAX_DOCUMENT_TERMS
    far = " " * MAX_DOCUMENT_CHARS + "behind"
    assert impacts("", [far], pivot_terms=250) == {}
