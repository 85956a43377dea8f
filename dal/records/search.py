"""What a search counts: words and texts."""

from __future__ import annotations

from datetime import datetime

import attrs

__all__ = ["SearchCorpus", "TermCount"]


@attrs.frozen(slots=True)
class SearchCorpus:
    """How many public documents there were when they were last counted."""

    corpus: str
    documents: int
    updated_at: datetime


@attrs.frozen(slots=True)
class TermCount:
    """How many public documents hold a term, which is given by its hash."""

    term: int
    documents: int
