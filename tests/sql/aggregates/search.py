"""What the search knows of words: what its statements are asked with."""

from __future__ import annotations

from collections import Counter
from typing import Final, cast

from dal.search.analysis import terms_of
from dal.search.postings import term_hash
from tests import fill
from tests.sql.aggregates.common import NEVER_MISSES, Aggregate, Values, live, same

_TERMS_THERE: Final = [term_hash(term) for term in terms_of(f"{fill.WORD} 10")]


def _frequencies(factor: int, values: Values) -> list[tuple[object, ...]]:
    """How many public templates of live owners have each of the terms."""
    seen = set(live(factor))
    counts = Counter(
        term
        for n, found in fill.postings(factor)
        if n in seen and fill.is_public(n)
        for term in found.keys() & set(_TERMS_THERE)
    )
    return [*sorted(counts.items())]


def _held() -> list[set[int]]:
    """The terms of each public template of a live owner."""
    seen = set(live(1))
    return [set(found) for n, found in fill.postings(1) if n in seen and fill.is_public(n)]


_ALL_TERMS: Final = sorted(set().union(*_held()))


def _counted(values: Values) -> Values:
    """How many terms of the share are held, and how often, together."""
    first, last = cast(int, values["from_term"]), cast(int, values["to_term"])
    held = [{term for term in terms if first <= term <= last} for terms in _held()]
    return {"terms": len(set().union(*held)), "documents": sum(map(len, held))}


AGGREGATE: Final = Aggregate(
    tables=("search_corpora", "search_terms"),
    values={
        "corpus": (fill.CORPUS, "no-such-texts"),
        "documents": (70, NEVER_MISSES),
        "from_term": (_ALL_TERMS[1], NEVER_MISSES),
        "to_term": (_ALL_TERMS[-2], NEVER_MISSES),
        "search_terms": (_TERMS_THERE, [1]),
    },
    cases={
        "search_corpora/upsert": ({}, {"corpus": "other-texts"}),
        "search_terms/insert_of_templates": ({"corpus": "other-texts"},),
    },
    numbers={"template_postings/list_frequencies": _frequencies},
    rows={
        "search_corpora": "SELECT * FROM search_corpora WHERE corpus = :corpus",
        "search_terms": "SELECT COUNT(*) AS terms, SUM(documents) AS documents FROM search_terms"
        " WHERE corpus = :corpus",
    },
    written={
        "search_corpora/upsert": same("corpus", "documents", updated_at="now"),
        "search_terms/insert_of_templates": _counted,
    },
)
