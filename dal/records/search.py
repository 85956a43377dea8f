"""What the searches by words keep and read."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import attrs

__all__ = ["Candidate", "SearchCorpus", "SearchDocument", "TermCount"]


@attrs.frozen(slots=True)
class SearchCorpus:
    """How many public documents there were, and words in them, when they were last counted."""

    corpus: str
    documents: int
    terms: int
    updated_at: datetime


@attrs.frozen(slots=True)
class TermCount:
    """In how many documents a token is."""

    token: str
    documents: int


@attrs.frozen(slots=True)
class SearchDocument:
    """A row of a table of texts to be searched, with all its tokens."""

    id: UUID
    is_public: bool
    terms: int
    tokens: str


@attrs.frozen(slots=True)
class Candidate:
    """A row that a search found and that is to be ranked; ``tokens`` is the start of its tokens.

    The three numbers and the time are what it may be ordered by instead.
    """

    id: UUID
    is_public: bool
    terms: int
    tokens: str
    created_at: datetime
    use_count: int
    trend: int
    rating_rank: int
