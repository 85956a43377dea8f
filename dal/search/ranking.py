"""Which words a search asks the full-text index for, and the order of what it finds.

A full-text search costs what the postings of its words cost, however few rows are wanted. So the
index is asked for the rarest words alone, as many as fit a budget; what it finds is then ranked
here by all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import log
from typing import Final
from uuid import UUID

import attrs

from dal.search.documents import TermTokens, private_tokens, public_tokens

__all__ = [
    "MAX_ASKED_DOCUMENTS",
    "MAX_PRIVATE_DOCUMENTS",
    "PRIVATE_THRESHOLD",
    "Asked",
    "Candidate",
    "Corpus",
    "Ranked",
    "asked_tokens",
    "counted_tokens",
    "rank",
]

MAX_ASKED_DOCUMENTS: Final = 2_000
"""The most postings of all tokens that one search asks for."""

MAX_PRIVATE_DOCUMENTS: Final = 800
"""How many of these may be of the actor's own private templates."""

PRIVATE_THRESHOLD: Final = 25
"""Tokens of a private template are counted from this many documents on; rarer have no row."""

_K1: Final = 1.2
_B: Final = 0.75
# A word of the name counts as if it stood in the texts twice more.
_NAME_WEIGHT: Final = 2.0


@attrs.frozen(slots=True)
class Corpus:
    """How many public templates there are, and how many terms they have together.

    Of none, or where nothing was counted yet, both are 0.
    """

    documents: int
    terms: int


@attrs.frozen(slots=True)
class Asked:
    """The tokens to ask the index for, from the rarest on, and how many postings they have.

    None at all: every word is too common, and the caller looks at rows that another index gives.
    The two kinds are for two questions: the servers' own order puts the private ones in front,
    whose words are rare to them.
    """

    public: tuple[str, ...]
    private: tuple[str, ...]
    documents: int


@attrs.frozen(slots=True)
class Candidate:
    """A row that may be an answer.

    ``tokens`` is what its column holds or how that begins, ``n_terms`` the length of all of it;
    ``is_private``: the tokens are those of the owner's private templates.
    """

    id: UUID
    tokens: str
    n_terms: int
    is_private: bool


@attrs.frozen(slots=True)
class Ranked:
    """A candidate's score: above 0, and comparable within one search only."""

    id: UUID
    score: float


def counted_tokens(terms: Iterable[str], owner_id: UUID | None) -> tuple[str, ...]:
    """Every token whose frequency decides about a search: the public ones, and the owner's."""
    found: list[TermTokens] = []
    for term in terms:
        found.append(public_tokens(term))
        if owner_id is not None:
            found.append(private_tokens(term, owner_id))
    return tuple(token for tokens in found for token in (tokens.body, tokens.name))


def _fitting(costs: Iterable[tuple[str, int]], budget: int) -> tuple[list[str], int]:
    """The cheapest tokens while their sum fits; of equal ones, those that come first."""
    chosen: list[str] = []
    spent = 0
    for token, cost in sorted(costs, key=lambda item: item[1]):
        if spent + cost > budget:
            break
        chosen.append(token)
        spent += cost
    return chosen, spent


def _private(
    terms: Sequence[str], frequencies: Mapping[str, int], owner_id: UUID
) -> tuple[list[str], int]:
    unknown = PRIVATE_THRESHOLD - 1
    costs: list[tuple[str, int]] = []
    # The words that are rare in public come first: most of the owner's have no count of their own.
    for term in sorted(terms, key=lambda term: frequencies.get(public_tokens(term).body, 0)):
        tokens = private_tokens(term, owner_id)
        costs.append((tokens.body, frequencies.get(tokens.body, unknown)))
        # What has the word in its name has it in its texts: this finds more only where those
        # are too many.
        if tokens.body in frequencies:
            costs.append((tokens.name, frequencies.get(tokens.name, unknown)))
    return _fitting(costs, MAX_PRIVATE_DOCUMENTS)


def asked_tokens(
    terms: Sequence[str], frequencies: Mapping[str, int], *, owner_id: UUID | None = None
) -> Asked:
    """Choose what the index is asked for: the rarest tokens, MAX_ASKED_DOCUMENTS postings in all.

    A word that is too common in texts may still be asked for where it is in a name, and one that
    is too common in public where it is in a private template of the owner.

    Args:
        terms: distinct, of the query.
        frequencies: how many documents have each of :func:`counted_tokens`, as last counted. What
            is missing is no public word, or one that came later: it counts as 1. Of the owner's it
            is rarer than PRIVATE_THRESHOLD, and counts as that less 1, so that the budget holds.
        owner_id: whose private templates are searched too; None: public ones alone.
    """
    private: list[str] = []
    spent = 0
    if owner_id is not None:
        private, spent = _private(terms, frequencies, owner_id)
    costs = [
        (token, frequencies.get(token, 1))
        for term in terms
        for token in (public_tokens(term).body, public_tokens(term).name)
    ]
    public, spent_in_public = _fitting(costs, MAX_ASKED_DOCUMENTS - spent)
    return Asked(tuple(public), tuple(private), spent + spent_in_public)


def _frequencies(text: str, tokens: Sequence[TermTokens], wanted: frozenset[str]) -> list[float]:
    """How often each term occurs; what is in the name counts for more.

    One pass for all terms: a query of 64 that looked for each by itself would take four times the
    time.
    """
    counts = Counter(filter(wanted.__contains__, text.split(" ")))
    return [counts[token.body] + _NAME_WEIGHT * counts[token.name] for token in tokens]


def _idf(documents: int, holding: int) -> float:
    # What was counted before the last change may be more than there are.
    holding = min(holding, documents)
    return log(1 + (documents - holding + 0.5) / (holding + 0.5))


def rank(
    terms: Sequence[str],
    candidates: Iterable[Candidate],
    *,
    corpus: Corpus,
    frequencies: Mapping[str, int],
    owner_id: UUID | None = None,
) -> list[Ranked]:
    """The candidates that have any of the terms, best first; equal ones by id.

    BM25 with k1 = 1.2 and b = 0.75, and with the name as a field of more weight before the
    frequency saturates (Robertson & Zaragoza, The Probabilistic Relevance Framework: BM25 and
    Beyond, 2009, formulas 3.15 and 3.20). The weight of a term is Lucene's, which is never
    negative: ln(1 + (N - n + 0.5) / (n + 0.5)). N, n and the average length are those of the
    public templates for private ones too: so both compare, and nobody's rank tells of what others
    have in private. Where fewer are counted than there are candidates, or none yet, the
    candidates' own numbers stand for them.

    Args:
        terms: distinct, all that the query has, asked for or not.
        candidates: those that are private are the owner's.
        frequencies: as for :func:`asked_tokens`.
        owner_id: needed where a candidate is private; else such a one has no term.
    """
    public = [public_tokens(term) for term in terms]
    private = [] if owner_id is None else [private_tokens(term, owner_id) for term in terms]
    wanted = {
        is_private: frozenset(token for pair in tokens for token in (pair.body, pair.name))
        for is_private, tokens in ((False, public), (True, private))
    }
    found: list[tuple[Candidate, list[float]]] = []
    for one in candidates:
        counts = _frequencies(
            one.tokens, private if one.is_private else public, wanted[one.is_private]
        )
        if any(counts):
            found.append((one, counts))
    if not found:
        return []
    if corpus.documents < len(found):
        corpus = Corpus(len(found), sum(one.n_terms for one, _ in found))
        holding = [
            sum(count > 0 for count in column)
            for column in zip(*(counts for _, counts in found), strict=True)
        ]
    else:
        holding = [frequencies.get(token.body, 0) for token in public]
    average = corpus.terms / corpus.documents if corpus.terms else 1.0
    idfs = [_idf(corpus.documents, number) for number in holding]
    ranked = []
    for one, counts in found:
        saturation = _K1 * (1 - _B + _B * one.n_terms / average)
        score = sum(
            idf * count / (count + saturation)
            for idf, count in zip(idfs, counts, strict=True)
            if count
        )
        ranked.append(Ranked(one.id, score))
    return sorted(ranked, key=lambda one: (-one.score, one.id))
