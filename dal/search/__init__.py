"""Searches: criteria -> PyPika -> one statement with bound values. Pure: no connection here."""

from __future__ import annotations

from dal.search.templates import SearchScope, Sort, TemplateSearch, template_search

__all__ = ["SearchScope", "Sort", "TemplateSearch", "template_search"]
