"""A template as one row of tokens, which the full-text index of both servers takes as they are.

A token is of ``[a-z0-9]``, has 3 to 80 characters and ends with ``_``, the only one in it: so no
list of stop words, no least length and no query syntax of a server ever matters. It is made of:

====================== ============================================================================
``x`` and 10 letters   of a private template only: of its owner, hashed
one letter             what the rest is: ``a`` the term, ``b`` the term in base32, ``c`` its hash;
                       ``n``, ``m``, ``o`` the same for a term of the name
the term, ``_``
====================== ============================================================================

Every term of the name has both of its tokens, so that a name can be found where the word is too
common in texts. The words of private templates are their owner's own: however many there are,
nobody else's search becomes slower by them or ranks otherwise.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2s
from itertools import chain, islice
from typing import Final
from uuid import UUID

import attrs

from dal.search.analysis import terms_of

__all__ = [
    "MAX_DOCUMENT_CHARS",
    "MAX_DOCUMENT_TERMS",
    "MAX_QUERY_CHARS",
    "MAX_QUERY_TERMS",
    "Document",
    "TermTokens",
    "document",
    "is_private_token",
    "private_tokens",
    "public_tokens",
    "query_terms",
]

MAX_DOCUMENT_TERMS: Final = 50_000
"""Terms of a template beyond these are not found; a prompt of 150 KB has a third of them."""

MAX_DOCUMENT_CHARS: Final = 500_000
"""What is looked at of each text of a template."""

MAX_QUERY_TERMS: Final = 128
"""Terms of a query beyond these are not looked for; a long paragraph of prose has fewer."""

MAX_QUERY_CHARS: Final = 10_000
"""What is looked at of a query."""

_MAX_TOKEN_CHARS: Final = 80
_OWNER_CHARS: Final = 10
# Beside the term: the owner's prefix with its letter, the class letter and the end.
_MAX_TERM_CHARS: Final = _MAX_TOKEN_CHARS - _OWNER_CHARS - 3
_HASH_BYTES: Final = 20
_CACHED_TERMS: Final = 32_768
_NAME_CLASSES: Final = {"a": "n", "b": "m", "c": "o"}


@attrs.frozen(slots=True)
class TermTokens:
    """How a term stands in the column: in any text, and for a term of the name once more."""

    body: str
    name: str


@attrs.frozen(slots=True)
class Document:
    """A template as the index has it.

    ``tokens`` has one space in front of each token, so that ``tokens.count(" " + token)`` is how
    often a term occurs; those of the name come first. ``n_terms`` is the length of the texts in
    terms, in which a name counts once.
    """

    tokens: str
    n_terms: int


def _base32(data: bytes) -> str:
    return b32encode(data).decode("ascii").rstrip("=").lower()


@lru_cache(maxsize=_CACHED_TERMS)
def public_tokens(term: str) -> TermTokens:
    """The tokens of a term in a public template. Equal terms have equal tokens, others others'.

    Two long terms of scripts other than Latin are told apart by 160 bits of a hash.
    """
    # No term of the analysis holds a lone surrogate; a caller's may.
    data = term.encode("utf-8", "surrogatepass")
    if term.isascii() and term.isalnum() and term == term.lower() and len(term) <= _MAX_TERM_CHARS:
        letter, rest = "a", term
    elif len(encoded := _base32(data)) <= _MAX_TERM_CHARS:
        letter, rest = "b", encoded
    else:
        letter, rest = "c", _base32(blake2s(data, digest_size=_HASH_BYTES).digest())
    return TermTokens(f"{letter}{rest}_", f"{_NAME_CLASSES[letter]}{rest}_")


@lru_cache(maxsize=1024)
def _owner_prefix(owner_id: UUID) -> str:
    """50 bits of a hash: of a million owners, two share theirs by a chance of 1 in 2,000.

    It decides nothing but what is ranked together: who may see a row is another column's matter.
    """
    return "x" + _base32(blake2s(owner_id.bytes).digest())[:_OWNER_CHARS]


def private_tokens(term: str, owner_id: UUID) -> TermTokens:
    """The tokens of a term in a private template of this owner."""
    prefix, tokens = _owner_prefix(owner_id), public_tokens(term)
    return TermTokens(prefix + tokens.body, prefix + tokens.name)


def is_private_token(token: str) -> bool:
    """Whether a token is of somebody's private templates."""
    return token.startswith("x")


def _terms(texts: Iterable[str | None]) -> Iterator[str]:
    for text in texts:
        yield from terms_of(text[:MAX_DOCUMENT_CHARS] if text else "")


def document(
    *,
    name: str,
    description: str | None,
    author_name: str | None,
    tags: Iterable[str],
    content: str,
    owner_id: UUID,
    is_public: bool,
) -> Document:
    """The row of a template: the name as such, then all texts, from the shortest to the content.

    At most MAX_DOCUMENT_TERMS terms, and of each text MAX_DOCUMENT_CHARS characters. Takes
    whatever a str can hold.
    """
    texts = chain([name], tags, [author_name, description, content])
    terms = list(islice(_terms(texts), MAX_DOCUMENT_TERMS))
    of_name = islice(_terms([name]), MAX_DOCUMENT_TERMS)
    begin = " " if is_public else f" {_owner_prefix(owner_id)}"
    tokens = chain(
        (public_tokens(term).name for term in of_name),
        (public_tokens(term).body for term in terms),
    )
    return Document("".join([begin + token for token in tokens]), len(terms))


def query_terms(text: str) -> tuple[str, ...]:
    """The terms of a query, each once, in its order: at most MAX_QUERY_TERMS.

    Of MAX_QUERY_CHARS characters; takes whatever a str can hold.
    """
    distinct = dict.fromkeys(terms_of(text[:MAX_QUERY_CHARS]))
    return tuple(islice(distinct, MAX_QUERY_TERMS))
