"""A text as postings: which terms it holds, and how much each of them says of it.

A posting is a term, a scope, an impact and a document. The term is a hash of 63 bits (with 64-bit
values in IN, MariaDB leaves its integers for decimals). The scope says who may find the document by
it: everybody, or the one whose it is; so what others keep in private is not even looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2s
from itertools import islice
from typing import Final
from uuid import UUID

from dal.search.analysis import terms_of

__all__ = [
    "MAX_DOCUMENT_CHARS",
    "MAX_DOCUMENT_TERMS",
    "MAX_IMPACT",
    "PUBLIC_SCOPE",
    "impacts",
    "term_hash",
]

MAX_DOCUMENT_TERMS: Final = 50_000
"""Terms of a document beyond these are not found; a prompt of 150 KB has a third of them."""

MAX_DOCUMENT_CHARS: Final = 500_000
"""What is looked at of each text of a document."""

MAX_IMPACT: Final = 65_535
"""The impact of a term that says all there is to say; the column is a SMALLINT UNSIGNED."""

PUBLIC_SCOPE: Final = UUID(int=0)
"""The scope of what everybody may find."""

_K1: Final = 1.2
_B: Final = 0.75
# A word of the title counts as if it stood in the texts twice more.
_TITLE_WEIGHT: Final = 2
_CACHED_TERMS: Final = 65_536


@lru_cache(maxsize=_CACHED_TERMS)
def term_hash(term: str) -> int:
    """What stands for a term in a posting: 63 bits, 1 or more.

    Of a million terms, two share theirs by a chance of 1 in 18 million.
    """
    # No term of the analysis holds a lone surrogate; a caller's may.
    digest = blake2s(term.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest) >> 1) or 1


def _terms(texts: Iterable[str | None]) -> Iterable[str]:
    for text in texts:
        if text:
            yield from terms_of(text[:MAX_DOCUMENT_CHARS])


def impacts(title: str, texts: Iterable[str | None], *, pivot_terms: int) -> dict[int, int]:
    """The impact of each term of a document, by the term's hash.

    BM25's saturation of a term's frequency, k1 = 1.2 and b = 0.75, where a term of the title counts
    for more before it saturates (Robertson & Zaragoza, The Probabilistic Relevance Framework: BM25
    and Beyond, 2009, formulas 3.15 and 3.20), in 1/MAX_IMPACT. The length that others are compared
    with is a constant of the corpus, not an average that moves: so a posting is never out of date,
    and nobody's rank tells of what others keep.

    At most MAX_DOCUMENT_TERMS terms, and of each text MAX_DOCUMENT_CHARS characters. Takes
    whatever a str can hold.

    Args:
        texts: from the shortest on; the title is one more of them.
        pivot_terms: the length of a document that is neither long nor short.
    """
    of_title = list(islice(_terms([title]), MAX_DOCUMENT_TERMS))
    counts = Counter(of_title)
    counts.update(islice(_terms(texts), MAX_DOCUMENT_TERMS - len(of_title)))
    length = counts.total()
    saturation = _K1 * (1 - _B + _B * length / pivot_terms)
    for term in of_title:
        counts[term] += _TITLE_WEIGHT
    return {
        term_hash(term): max(1, round(MAX_IMPACT * count / (count + saturation)))
        for term, count in counts.items()
    }
