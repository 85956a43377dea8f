"""What is asked for: the terms of a query, and what each of them weighs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import islice
from math import log
from typing import Final

import attrs

from dal.search.analysis import terms_of
from dal.search.postings import term_hash

__all__ = [
    "MAX_QUERY_CHARS",
    "MAX_QUERY_TERMS",
    "WEIGHT_SCALE",
    "Counts",
    "Weighted",
    "query_terms",
    "weighted",
]

MAX_QUERY_TERMS: Final = 128
"""Terms of a query beyond these are not looked for; a long paragraph of prose has fewer."""

MAX_QUERY_CHARS: Final = 10_000
"""What is looked at of a query."""

# Words that are in every text and say nothing of it; a query of nothing else keeps them.
_STOP_WORDS: Final = """
    a about all also am an and any are as at be been but by can could did do does for from had has
    have he her him how i if in into is it its just me my no not of on or our she should so some
    such than that the their them then there these they this those to us was we were what when
    where which who why will with would you your
"""
WEIGHT_SCALE: Final = 1_000
"""A weight is a whole number: this many times the weight."""


@attrs.frozen(slots=True)
class Counts:
    """How many public documents there are, and how many of them hold a term, as last counted."""

    documents: int
    holding: Mapping[int, int]


@attrs.frozen(slots=True)
class Weighted:
    """A term that is asked for: its hash, its weight in thousandths, how many documents hold it."""

    term: int
    weight: int
    documents: int


def _stop_terms() -> frozenset[str]:
    return frozenset(terms_of(_STOP_WORDS))


_STOP_TERMS: Final = _stop_terms()


def query_terms(text: str) -> Counter[str]:
    """The terms of a query and how often it says each, in its order: at most MAX_QUERY_TERMS.

    Of MAX_QUERY_CHARS characters; takes whatever a str can hold. Some 80 words that every English
    text has are left out, unless there are no others.
    """
    counts = Counter(terms_of(text[:MAX_QUERY_CHARS]))
    kept = {term: count for term, count in counts.items() if term not in _STOP_TERMS}
    return Counter(dict(islice((kept or counts).items(), MAX_QUERY_TERMS)))


def weighted(terms: Mapping[str, int], counts: Counts) -> list[Weighted]:
    """The weight of each term, those that weigh most first.

    How often the query says it, by Lucene's inverse document frequency, which is never negative:
    ln(1 + (N - n + 0.5) / (n + 0.5)). N and n are those of the public documents for private ones
    too: so both compare, and nobody's rank tells of what others keep in private.
    """
    found = []
    for term, times in terms.items():
        hashed = term_hash(term)
        # What was counted before the last change may be more than there are.
        holding = min(counts.holding.get(hashed, 0), counts.documents)
        idf = log(1 + (counts.documents - holding + 0.5) / (holding + 0.5))
        found.append(Weighted(hashed, max(1, round(WEIGHT_SCALE * times * idf)), holding))
    return sorted(found, key=lambda one: (-one.weight, one.term))
