"""Searches: criteria -> PyPika -> one statement with bound values. Pure: no connection here."""

from __future__ import annotations

from dal.search.templates import SearchScope, Sort, TemplateSearch, template_search
from dal.search.users import (
    WINDOW_ROWS,
    Match,
    UserArm,
    UserSearch,
    first_key,
    user_search,
)

__all__ = [
    "WINDOW_ROWS",
    "Match",
    "SearchScope",
    "Sort",
    "TemplateSearch",
    "UserArm",
    "UserSearch",
    "first_key",
    "template_search",
    "user_search",
]
