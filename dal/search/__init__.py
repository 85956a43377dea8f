"""Searches: criteria -> PyPika -> one statement with bound values. Pure: no connection here."""

from __future__ import annotations

from dal.search.documents import document, is_private_token, query_terms
from dal.search.ranking import PRIVATE_THRESHOLD, Corpus, asked_tokens, counted_tokens, rank
from dal.search.snippets import snippet
from dal.search.templates import (
    Arm,
    SearchScope,
    Sort,
    TemplateFilters,
    TemplateSearch,
    template_candidates,
    template_count,
    template_most_used,
    template_search,
)
from dal.search.users import (
    WINDOW_ROWS,
    Match,
    UserArm,
    UserSearch,
    first_key,
    user_search,
)

__all__ = [
    "PRIVATE_THRESHOLD",
    "WINDOW_ROWS",
    "Arm",
    "Corpus",
    "Match",
    "SearchScope",
    "Sort",
    "TemplateFilters",
    "TemplateSearch",
    "UserArm",
    "UserSearch",
    "asked_tokens",
    "counted_tokens",
    "document",
    "first_key",
    "is_private_token",
    "query_terms",
    "rank",
    "snippet",
    "template_candidates",
    "template_count",
    "template_most_used",
    "template_search",
    "user_search",
]
