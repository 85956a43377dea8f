"""dal/search/ranking.py: what the index is asked for, and the order of what it finds."""

from __future__ import annotations

from math import log
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dal.search.documents import document, private_tokens, public_tokens
from dal.search.ranking import (
    MAX_ASKED_DOCUMENTS,
    MAX_PRIVATE_DOCUMENTS,
    PRIVATE_THRESHOLD,
    Asked,
    Candidate,
    Corpus,
    Ranked,
    asked_tokens,
    counted_tokens,
    rank,
)

ADA = UUID(int=0xA)
NOTHING = Corpus(0, 0)


def counts(**documents: int) -> dict[str, int]:
    """Frequencies of words: in texts, and by ``name_...`` in names, by ``own_...`` in Ada's."""
    found = {}
    for key, number in documents.items():
        kind, _, word = key.rpartition("_")
        public, private = public_tokens(word), private_tokens(word, ADA)
        token = {
            "": public.body,
            "name": public.name,
            "own": private.body,
            "own_name": private.name,
        }[kind]
        found[token] = number
    return found


# What is asked for


def test_the_rarest_are_asked_for_first() -> None:
    asked = asked_tokens(
        ["common", "rare", "usual"],
        counts(common=1_200, rare=3, usual=700, name_common=100, name_rare=1, name_usual=90),
    )
    assert asked == Asked(("nrare_", "arare_", "nusual_", "ncommon_", "ausual_"), (), 894)


def test_the_budget_is_taken_to_its_last_document() -> None:
    both = counts(one=1_000, two=998, name_one=1, name_two=1)
    assert asked_tokens(["one", "two"], both).documents == MAX_ASKED_DOCUMENTS
    both["atwo_"] += 1
    assert asked_tokens(["one", "two"], both) == Asked(("none_", "ntwo_", "atwo_"), (), 1_001)


def test_where_all_are_too_common_nothing_is_asked_for() -> None:
    assert asked_tokens(["a"], counts(a=2_001, name_a=2_001)) == Asked((), (), 0)
    assert asked_tokens([], {}, owner_id=ADA) == Asked((), (), 0)


def test_a_word_too_common_in_texts_is_asked_for_in_names() -> None:
    assert asked_tokens(["a"], counts(a=90_000, name_a=500)) == Asked(("na_",), (), 500)


def test_a_word_that_nobody_counted_is_asked_for() -> None:
    assert asked_tokens(["new"], {}) == Asked(("anew_", "nnew_"), (), 2)


def test_the_owners_own_words_are_asked_for_however_common_they_are_in_public() -> None:
    asked = asked_tokens(["a"], counts(a=90_000, name_a=90_000), owner_id=ADA)
    own = private_tokens("a", ADA)
    assert asked == Asked((), (own.body,), PRIVATE_THRESHOLD - 1)


def test_an_own_word_too_common_in_texts_is_asked_for_in_names() -> None:
    frequencies = counts(a=90_000, name_a=90_000, own_a=MAX_PRIVATE_DOCUMENTS + 1, own_name_a=30)
    own = private_tokens("a", ADA)
    assert asked_tokens(["a"], frequencies, owner_id=ADA) == Asked((), (own.name,), 30)


def test_own_words_that_were_not_counted_leave_room_for_public_ones() -> None:
    terms = [f"w{n}" for n in range(64)]
    frequencies = {public_tokens(term).body: n + 1 for n, term in enumerate(reversed(terms))}
    asked = asked_tokens(terms, frequencies, owner_id=ADA)
    n_own = MAX_PRIVATE_DOCUMENTS // (PRIVATE_THRESHOLD - 1)
    # Those that are rare in public are the better guess.
    rarest = [private_tokens(term, ADA).body for term in reversed(terms)]
    assert list(asked.private) == rarest[:n_own]
    assert asked.documents > MAX_ASKED_DOCUMENTS - 64
    assert len(asked.public) > 64


@given(
    data=st.lists(
        st.tuples(st.integers(0, 3_000), st.integers(0, 3_000), st.integers(0, 3_000)), max_size=64
    ),
    known=st.integers(0, 7),
    has_owner=st.booleans(),
)
def test_no_more_is_asked_for_than_the_budget(
    data: list[tuple[int, int, int]], known: int, has_owner: bool
) -> None:
    terms = [f"t{n}" for n in range(len(data))]
    frequencies = {
        token: number
        for term, (texts, names, own) in zip(terms, data, strict=True)
        for bit, token, number in (
            (1, public_tokens(term).body, texts),
            (2, public_tokens(term).name, names),
            (4, private_tokens(term, ADA).body, max(own, PRIVATE_THRESHOLD)),
        )
        if known & bit
    }
    asked = asked_tokens(terms, frequencies, owner_id=ADA if has_owner else None)
    of_public = sum(frequencies.get(token, 1) for token in asked.public)
    of_own = sum(frequencies.get(token, PRIVATE_THRESHOLD - 1) for token in asked.private)
    assert of_public + of_own == asked.documents <= MAX_ASKED_DOCUMENTS
    assert of_own <= MAX_PRIVATE_DOCUMENTS
    assert has_owner or not asked.private
    tokens = [*asked.public, *asked.private]
    assert len(set(tokens)) == len(tokens)
    assert set(tokens) <= set(counted_tokens(terms, ADA))
    left = set(counted_tokens(terms, None)) - set(asked.public)
    dearest = max((frequencies.get(token, 1) for token in asked.public), default=0)
    assert all(frequencies.get(token, 1) >= dearest for token in left)


def test_what_is_counted_is_all_that_decides() -> None:
    assert counted_tokens(["a"], None) == ("aa_", "na_")
    own = private_tokens("a", ADA)
    assert counted_tokens(["a"], ADA) == ("aa_", "na_", own.body, own.name)


# The order


def candidate(number: int, content: str, *, name: str = "", private: bool = False) -> Candidate:
    made = document(
        name=name,
        description=None,
        author_name=None,
        tags=(),
        content=content,
        owner_id=ADA,
        is_public=not private,
    )
    return Candidate(UUID(int=number), made.tokens, made.n_terms, private)


def order(ranked: list[Ranked]) -> list[int]:
    return [one.id.int for one in ranked]


def test_the_score_is_bm25() -> None:
    found = rank(
        ["lemon", "pear"],
        [candidate(1, "lemon lemon plum fig")],
        corpus=Corpus(10, 80),
        frequencies=counts(lemon=3, pear=2),
    )
    # N = 10, n = 3, f = 2, half the average length.
    expected = log(1 + (10 - 3 + 0.5) / (3 + 0.5)) * 2 / (2 + 1.2 * (0.25 + 0.75 * 4 / 8))
    assert [one.score for one in found] == [pytest.approx(expected)]


def test_a_candidate_without_any_term_is_left_out() -> None:
    candidates = [candidate(1, "plum"), candidate(2, "lemon"), candidate(3, "")]
    assert order(rank(["lemon"], candidates, corpus=NOTHING, frequencies={})) == [2]
    assert rank([], candidates, corpus=NOTHING, frequencies={}) == []
    assert rank(["lemon"], [], corpus=NOTHING, frequencies={}) == []


def test_rare_words_count_for_more() -> None:
    found = rank(
        ["common", "rare"],
        [candidate(1, "common plum"), candidate(2, "rare plum")],
        corpus=Corpus(1_000, 2_000),
        frequencies=counts(common=900, rare=3),
    )
    assert order(found) == [2, 1]
    assert found[1].score > 0


def test_shorter_texts_and_more_words_come_first() -> None:
    candidates = [
        candidate(1, "lemon " + "fig " * 50),
        candidate(2, "lemon fig"),
        candidate(3, "lemon pear"),
    ]
    assert order(rank(["lemon", "pear"], candidates, corpus=NOTHING, frequencies={})) == [3, 2, 1]


def test_a_word_of_the_name_counts_for_more() -> None:
    candidates = [candidate(1, "lemon fig"), candidate(2, "fig", name="lemon")]
    assert order(rank(["lemon"], candidates, corpus=NOTHING, frequencies={})) == [2, 1]


def test_equal_scores_are_ordered_by_id() -> None:
    candidates = [candidate(number, "lemon") for number in (3, 1, 2)]
    assert order(rank(["lemon"], candidates, corpus=NOTHING, frequencies={})) == [1, 2, 3]


def test_a_private_candidate_scores_as_a_public_one_with_the_same_text() -> None:
    candidates = [candidate(1, "lemon fig"), candidate(2, "lemon fig", private=True)]
    corpus, frequencies = Corpus(100, 300), counts(lemon=7, own_lemon=5_000)
    found = rank(["lemon"], candidates, corpus=corpus, frequencies=frequencies, owner_id=ADA)
    assert order(found) == [1, 2]
    assert found[0].score == found[1].score


def test_tokens_of_another_owner_are_no_terms() -> None:
    candidates = [candidate(1, "lemon", private=True)]
    for owner_id in (UUID(int=0xB), None):
        assert rank(["lemon"], candidates, corpus=NOTHING, frequencies={}, owner_id=owner_id) == []


def test_without_a_corpus_the_candidates_say_what_is_rare() -> None:
    candidates = [
        candidate(1, "common fig"),
        candidate(2, "common fig"),
        candidate(3, "rare fig"),
        candidate(4, "common fig"),
    ]
    found = rank(["common", "rare"], candidates, corpus=NOTHING, frequencies={})
    assert order(found) == [3, 1, 2, 4]
    # So do they where fewer were counted than were found.
    stale = counts(rare=3)
    assert rank(["common", "rare"], candidates, corpus=Corpus(3, 6), frequencies=stale) == found


def test_tokens_that_are_cut_off_count_as_far_as_they_go() -> None:
    whole = candidate(1, "lemon pear")
    cut = Candidate(whole.id, whole.tokens[:-1], whole.n_terms, is_private=False)
    assert order(rank(["lemon"], [cut], corpus=NOTHING, frequencies={})) == [1]
    assert rank(["pear"], [cut], corpus=NOTHING, frequencies={}) == []


WORDS = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=8).map(" ".join)


@given(
    texts=st.lists(st.tuples(WORDS, WORDS), max_size=8),
    terms=st.lists(st.sampled_from(["a", "b", "c", "z"]), unique=True),
    documents=st.integers(0, 20),
    n_terms=st.integers(0, 100),
    holding=st.integers(0, 30),
)
def test_whatever_was_counted_scores_are_positive_and_in_order(
    texts: list[tuple[str, str]], terms: list[str], documents: int, n_terms: int, holding: int
) -> None:
    candidates = [candidate(n, content, name=name) for n, (name, content) in enumerate(texts)]
    found = rank(
        terms,
        candidates,
        corpus=Corpus(documents, n_terms),
        frequencies=counts(a=holding, b=1),
    )
    expected = {n for n, pair in enumerate(texts) if set(terms) & set(" ".join(pair).split())}
    assert set(order(found)) == expected
    assert all(one.score > 0 for one in found)
    assert found == sorted(found, key=lambda one: (-one.score, one.id))
    backwards = rank(
        terms,
        candidates[::-1],
        corpus=Corpus(documents, n_terms),
        frequencies=counts(a=holding, b=1),
    )
    assert found == backwards
