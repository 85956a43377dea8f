"""What the search knows of templates: what their statements are asked with."""

from __future__ import annotations

from typing import Final

from dal.search.documents import public_tokens
from dal.statements import Statement
from tests import fill
from tests.sql.aggregates.common import (
    IN_TRASH,
    NEVER_MISSES,
    Aggregate,
    Values,
    same,
)

_TOKENS_THERE: Final = [public_tokens(term).body for term in (fill.WORD, "10")]


def _template_cursor(n: int) -> Values:
    return {"before_at": fill.template_created_at(n), "before_id": fill.template_id(n)}


def _middle(statement: Statement, names: set[str], factor: int) -> Values:
    return {"after_id": fill.template_id(250 * factor)} if "after_id" in names else {}


AGGREGATE: Final = Aggregate(
    tables=("search_corpora", "search_terms", "templates_search"),
    values={
        "corpus": (fill.CORPUS, "no-such-texts"),
        "corpus_terms": (7_000, NEVER_MISSES),
        "documents": (70, NEVER_MISSES),
        "is_public": (True, NEVER_MISSES),
        "search_tokens": (_TOKENS_THERE, ["anosuchword_"]),
        "terms": (2, NEVER_MISSES),
        "token": ("anewword_", NEVER_MISSES),
        "tokens": (" aa_ ab_", NEVER_MISSES),
    },
    cases={
        "search_corpora/upsert": ({}, {"corpus": "other-texts"}),
        "templates_search/insert_many": (IN_TRASH,),
        "templates_search/upsert": ({}, IN_TRASH),
    },
    rows={
        "search_corpora": "SELECT * FROM search_corpora WHERE corpus = :corpus",
        "templates_search": "SELECT * FROM templates_search WHERE template_id = :template_id",
    },
    written={
        "search_corpora/upsert": same(
            "corpus", "documents", terms="corpus_terms", updated_at="now"
        ),
        "templates_search/upsert": same(
            "template_id", "is_public", "terms", "tokens", updated_at="now"
        ),
    },
    middle=_middle,
)
