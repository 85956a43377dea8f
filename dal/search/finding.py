"""The best documents of a corpus for some terms, as one statement; it knows no table.

Each term is looked for by itself, among what the asker may find: the postings of a term and a scope
lie in the order of their impact, so the best of them are the first to be read, and no more than a
share of the budget is, however many there are. What was found is summed by document. So what
others keep in private is never read, and where a term has no more postings than its share the sum
is exactly the score of BM25.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Final, TypeVar

import attrs
from pypika import MySQLQuery, Order, Table
from pypika import functions as fn
from pypika.queries import QueryBuilder

from dal.errors import UsageError
from dal.search.binder import Binder, ById, columns_of
from dal.search.postings import MAX_IMPACT
from dal.search.query import WEIGHT_SCALE, Weighted
from dal.statements import Dynamic, Many

__all__ = ["MAX_POSTINGS", "SCORE_SCALE", "Corpus", "Reach", "best_documents"]

R = TypeVar("R")

MAX_POSTINGS: Final = 4_000
"""The most postings of one reach that a search reads, together."""

SCORE_SCALE: Final = WEIGHT_SCALE * MAX_IMPACT
"""A score is a whole number, which a cursor holds exactly: this many times that of BM25."""

_MAX_TERMS: Final = 32
_LEAST_SHARE: Final = 125
# Building the text takes milliseconds, and there are not many: one for each kind of question.
_HANDLES: Final[dict[Hashable, Many[Any]]] = {}
_MAX_HANDLES: Final = 512


@attrs.frozen(slots=True)
class Corpus:
    """What is searched: the table of the postings and that of the documents, as they are named.

    ``document`` is the column of the postings that has the document's id. ``pivot_terms`` is for
    :func:`~dal.search.postings.impacts`. ``several``: a document has several postings of a term,
    one for each of its parts; the best of them counts. ``held_by``: the column is of this table,
    which each reach joins under this alias, where the postings have no id of the document; ``key``
    are the columns of the postings then that stand for it in their order.
    """

    name: str
    postings: str
    document: str
    documents: str
    pivot_terms: int
    several: bool = False
    held_by: tuple[str, str] | None = None
    key: tuple[str, ...] = ()


@attrs.frozen(slots=True)
class Reach:
    """Some of what the asker may find: ``of`` joins the documents to the postings ``p``, and leaves
    out what is not theirs to see. Two reaches of a search have no document in common.
    """

    name: str
    of: Callable[[Table, Binder], Any]


def _postings(
    corpus: Corpus, reach: Reach, i: int, asked: Weighted, binder: Binder
) -> QueryBuilder:
    """The best postings of one term, as document and points."""
    p = Table(corpus.postings).as_("p")
    term = binder.bind(f"term_{i}", "BIGINT", asked.term, "hash of a term that is asked for")
    weight = binder.bind(f"weight_{i}", "BIGINT", asked.weight, "its weight, in thousandths")
    limit = binder.bind("share_rows", "INT", 1, "the most postings of a term and a reach")
    table, alias = corpus.held_by or (corpus.postings, "p")
    document = getattr(Table(table).as_(alias), corpus.document)
    key = tuple(getattr(p, column) for column in corpus.key)
    best = (
        reach.of(p, binder)
        .where(p.term == term)
        .select(document.as_("document"), (p.impact * weight).as_("points"))
        .orderby(p.impact, order=Order.desc)
        .orderby(*(key or (document,)), order=Order.desc)
        .limit(limit)
        .as_(f"{reach.name}_{i}")
    )
    if not corpus.several:
        return MySQLQuery.from_(best).select(best.document, best.points)
    most = fn.Max(best.points).as_("points")
    return MySQLQuery.from_(best).select(best.document, most).groupby(best.document)


def best_documents(
    corpus: Corpus,
    terms: Sequence[Weighted],
    reaches: Sequence[Reach],
    record: type[R],
    *,
    limit_rows: int,
    header: Mapping[str, str],
) -> Dynamic[R]:
    """The documents with the highest scores, the newest id first where they are equal.

    Args:
        terms: those that weigh most first; of many, the first 32 are looked for.
        record: ``id``, ``score`` and columns of the documents.

    Raises:
        UsageError: no terms, or nothing to look for them in.
    """
    if not terms or not reaches:
        raise UsageError("best_documents: terms and reaches are required")
    asked = terms[:_MAX_TERMS]
    binder = Binder()
    # What a reach is made of is the same for each of its terms: the text and the values.
    p = Table(corpus.postings).as_("p")
    texts = tuple((one.name, one.of(p, binder).select(p.impact).get_sql()) for one in reaches)
    key = (corpus, texts, len(asked), record, tuple(header.items()))
    handle = _HANDLES.get(key)
    if handle is None:
        if len(_HANDLES) >= _MAX_HANDLES:
            _HANDLES.clear()
        handle = _HANDLES[key] = _built(corpus, asked, reaches, record, header)
    values: dict[str, object] = {
        **binder.values,
        "share_rows": max(_LEAST_SHARE, MAX_POSTINGS // len(asked)),
        "limit_rows": limit_rows,
    }
    for i, one in enumerate(asked):
        values[f"term_{i}"], values[f"weight_{i}"] = one.term, one.weight
    return Dynamic(handle, values)


def _built(
    corpus: Corpus,
    asked: Sequence[Weighted],
    reaches: Sequence[Reach],
    record: type[Any],
    header: Mapping[str, str],
) -> Many[Any]:
    binder = Binder()
    parts = [
        _postings(corpus, reach, i, one, binder) for reach in reaches for i, one in enumerate(asked)
    ]
    union: Any = parts[0]
    for part in parts[1:]:
        union = union.union_all(part)
    u = union.as_("u")
    total = fn.Cast(fn.Sum(u.points), "UNSIGNED")
    f = MySQLQuery.from_(u).select(u.document, total.as_("score")).groupby(u.document).as_("f")
    d = ById(corpus.documents).as_("d")
    query = (
        MySQLQuery.from_(f)
        .join(d)
        .on(d.id == f.document)
        .select(*columns_of(record, d, score=f.score))
        .orderby(f.score, order=Order.desc)
        .orderby(d.id, order=Order.desc)
        .limit(binder.bind("limit_rows", "INT", 1, "the most rows to give"))
        # What was found first: of few documents, MariaDB else reads all.
        .modifier("STRAIGHT_JOIN")
    )
    named = "_".join([corpus.name, *(reach.name for reach in reaches)])
    return binder.finish(f"search/{named}_by_words", query, record, header).handle
