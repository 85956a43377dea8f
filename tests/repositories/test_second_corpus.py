"""A corpus that is not ours: a table of postings, its filter, and a few lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

import attrs
import pytest
from pypika import MySQLQuery, Table

import dal
from dal.records.ids import new_id
from dal.search import (
    PUBLIC_SCOPE,
    SCORE_SCALE,
    Corpus,
    Counts,
    Reach,
    best_documents,
    impacts,
    query_terms,
    weighted,
)
from dal.search.binder import Binder
from tests.repositories.conftest import Root

NOTES: Final = Corpus("notes", "note_postings", "note_id", "notes", pivot_terms=20)
HEADER: Final = {
    "summary": "Find notes by words.",
    "access": "public",
    "deleted": "excluded",
    "index": "PRIMARY",
    "reads": "n/a: a share of the postings of each word",
}
TEXTS: Final = {
    "Harbour": "boats and nets",
    "Boats": "boats, boats and more boats in the harbour",
    "Hidden": "boats that are nobody's to see",
    "Other": "nothing of the kind",
}


@attrs.frozen
class Note:
    """What a search gives of a note."""

    id: UUID
    score: int
    title: str


@pytest.fixture
def notes(root: Root) -> Iterator[Counts]:
    """Notes of which one is hidden, and how many hold each term."""
    root("CREATE TABLE notes (id BINARY(16) PRIMARY KEY, title VARCHAR(50), hidden BOOLEAN)")
    root("CREATE TABLE note_postings (term BIGINT, scope BINARY(16), impact SMALLINT UNSIGNED,"
         " note_id BINARY(16), PRIMARY KEY (term, scope, impact, note_id))")  # fmt: skip
    root("GRANT SELECT ON notes TO dal_application")
    root("GRANT SELECT ON note_postings TO dal_application")
    holding: dict[int, int] = {}
    for title, text in TEXTS.items():
        note = new_id(dal.SystemClock().now()).bytes
        root("INSERT INTO notes VALUES (%s, %s, %s)", note, title, title == "Hidden")
        for term, impact in impacts(title, [text], pivot_terms=NOTES.pivot_terms).items():
            values = (term, PUBLIC_SCOPE.bytes, impact, note)
            root("INSERT INTO note_postings VALUES (%s, %s, %s, %s)", *values)
            holding[term] = holding.get(term, 0) + 1
    yield Counts(len(TEXTS), holding)
    root("DROP TABLE notes, note_postings")


def seen(p: Table, binder: Binder) -> Any:
    n = Table("notes").as_("n")
    scope = binder.bind("scope", "BINARY(16)", PUBLIC_SCOPE, "everybody's")
    hidden = binder.bind("hidden", "BOOLEAN", False, "whether it is seen")
    query = MySQLQuery.from_(p).join(n).on(n.id == p.note_id)
    return query.where(p.scope == scope).where(n.hidden == hidden)


async def test_notes_are_searched(db: dal.Database, notes: Counts) -> None:
    session = db.acting_as(dal.Actor.anonymous())
    terms = weighted(query_terms("boats in the water"), notes)
    query = best_documents(NOTES, terms, [Reach("seen", seen)], Note, limit_rows=10, header=HEADER)
    found = await session.search(query)
    assert [note.title for note in found] == ["Boats", "Harbour"]
    assert found[0].score > found[1].score > SCORE_SCALE / 10
    again = best_documents(NOTES, terms, [Reach("seen", seen)], Note, limit_rows=1, header=HEADER)
    assert again.handle is query.handle, "the text is built once"
    assert await session.search(again) == found[:1]


@pytest.mark.parametrize("n_terms", [0, 1])
def test_nothing_is_looked_for_nowhere(notes: Counts, n_terms: int) -> None:
    terms = weighted({"boat": 1}, notes)[:n_terms]
    reaches = [Reach("seen", seen)] * (1 - n_terms)
    with pytest.raises(dal.UsageError):
        best_documents(NOTES, terms, reaches, Note, limit_rows=1, header=HEADER)
