"""Searches: criteria -> PyPika -> one statement with bound values. Pure: no connection here."""

from __future__ import annotations

from dal.search.conversations import (
    CONVERSATIONS,
    ConversationScope,
    ConversationSearch,
    conversation_best,
    conversation_reaches,
)
from dal.search.finding import MAX_POSTINGS, SCORE_SCALE, Corpus, Reach, best_documents
from dal.search.postings import PUBLIC_SCOPE, impacts, term_hash
from dal.search.prompts import PROMPTS, PromptSearch, prompt_best, prompt_reaches
from dal.search.query import Counts, Weighted, query_terms, weighted
from dal.search.snippets import snippet
from dal.search.templates import (
    TEMPLATES,
    Arm,
    SearchScope,
    Sort,
    TemplateFilters,
    TemplateSearch,
    template_best,
    template_count,
    template_reaches,
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
    "CONVERSATIONS",
    "MAX_POSTINGS",
    "PROMPTS",
    "PUBLIC_SCOPE",
    "SCORE_SCALE",
    "TEMPLATES",
    "WINDOW_ROWS",
    "Arm",
    "ConversationScope",
    "ConversationSearch",
    "Corpus",
    "Counts",
    "Match",
    "PromptSearch",
    "Reach",
    "SearchScope",
    "Sort",
    "TemplateFilters",
    "TemplateSearch",
    "UserArm",
    "UserSearch",
    "Weighted",
    "best_documents",
    "conversation_best",
    "conversation_reaches",
    "first_key",
    "impacts",
    "prompt_best",
    "prompt_reaches",
    "query_terms",
    "snippet",
    "template_best",
    "template_count",
    "template_reaches",
    "template_search",
    "term_hash",
    "user_search",
    "weighted",
]
