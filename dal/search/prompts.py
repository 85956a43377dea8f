"""What is about prompts in their search: each is a document, found by the words of its texts.

The postings are those of the search over conversations; here a hit is a prompt. It may be asked for
one conversation alone, for what stands somewhere, and for what somebody asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final
from uuid import UUID

import attrs
from pypika import MySQLQuery, Table

from dal.errors import ValueRejectedError
from dal.records.ids import check_id
from dal.records.prompts import PromptStatus, ScoredPrompt
from dal.search.binder import Binder, ById
from dal.search.conversations import ConversationScope, checked_scope, checked_words
from dal.search.finding import Corpus, Reach, best_documents
from dal.search.query import Weighted
from dal.statements import Dynamic

__all__ = ["PROMPTS", "PromptSearch", "prompt_best", "prompt_reaches"]

PROMPTS: Final = Corpus(
    name="prompts",
    postings="prompt_postings",
    document="id",
    documents="prompts",
    pivot_terms=80,
    held_by=("prompts", "q"),
    key=("conversation_id", "sequence_number"),
)
"""Prompts as the search has them: the document is the prompt that a posting leads to."""


def _status(value: object) -> PromptStatus | None:
    try:
        return None if value is None else PromptStatus(value)  # type: ignore[arg-type]
    except ValueError:
        raise ValueRejectedError(
            f"status: one of {', '.join(PromptStatus)}", field="status"
        ) from None


def _conversation_id(value: object) -> UUID | None:
    return None if value is None else check_id("conversation_id", value)


def _author_id(value: object) -> UUID | None:
    return None if value is None else check_id("author_id", value)


@attrs.frozen(slots=True, kw_only=True)
class PromptSearch:
    """What is searched for, checked when it is made.

    Raises:
        ValueRejectedError: no words, too long, no such scope or status, or no id; ``field`` names
            it.
    """

    text: str = attrs.field(converter=checked_words)
    scope: ConversationScope = attrs.field(
        default=ConversationScope.VISIBLE, converter=checked_scope
    )
    conversation_id: UUID | None = attrs.field(default=None, converter=_conversation_id)
    author_id: UUID | None = attrs.field(default=None, converter=_author_id)
    status: PromptStatus | None = attrs.field(default=None, converter=_status)

    @property
    def list_name(self) -> str:
        """What its cursors belong to: another search is another list."""
        of = (self.scope, self.conversation_id, self.author_id, self.status, self.text)
        return f"prompts.search:{':'.join(str(part) for part in of)}"


def _narrowed(query: Any, q: Table, search: PromptSearch, binder: Binder) -> Any:
    """As far as the search asks for it: live prompts, of somebody, that stand somewhere."""
    query = query.where(q.deleted_at.isnull())
    if search.author_id is not None:
        author = binder.bind("author_id", "BINARY(16)", search.author_id, "who asked")
        query = query.where(q.author_id == author)
    if search.status is not None:
        status = binder.bind("prompt_status", "VARCHAR(10)", search.status, "where it stands")
        query = query.where(q.status == status)
    return query


class _ByNumber(ById):
    KEY: ClassVar[str] = "uq_prompts_sequence"


def _prompt_of(p: Table) -> tuple[Table, Any]:
    """The table of prompts, and which one a posting is of; title and description are of none."""
    q = _ByNumber("prompts").as_("q")
    return q, (q.conversation_id == p.conversation_id) & (q.sequence_number == p.sequence_number)


def _own(search: PromptSearch, actor_id: UUID) -> Reach:
    """Of the postings whose scope is the actor."""

    def of(p: Table, binder: Binder) -> Any:
        c, o = ById("conversations").as_("c"), ById("users").as_("o")
        q, is_its = _prompt_of(p)
        scope = binder.bind("own_scope", "BINARY(16)", actor_id, "whose it is")
        actor = binder.bind("actor_id", "BINARY(16)", actor_id, "who asks")
        query = (
            MySQLQuery.from_(p)
            .join(c)
            .on(c.id == p.conversation_id)
            .join(o)
            .on((c.owner_id == o.id) & o.deleted_at.isnull())
            .join(q)
            .on(is_its)
            .where(p.scope == scope)
            .where(c.owner_id == actor)
            .where(c.deleted_at.isnull())
            .modifier("STRAIGHT_JOIN")
        )
        return _narrowed(query, q, search, binder)

    return Reach(_name("own", search), of)


def _taking_part(
    name: str,
    search: PromptSearch,
    actor_id: UUID,
    index: str,
    only: Callable[[Table, Binder], Any],
) -> Reach:
    """Of conversations that the actor takes part in, the postings of each."""

    def of(p: Table, binder: Binder) -> Any:
        m, a = Table("conversation_participants").as_("m"), ById("users").as_("a")
        c, o = ById("conversations").as_("c"), ById("users").as_("o")
        q, is_its = _prompt_of(p)
        actor = binder.bind("actor_id", "BINARY(16)", actor_id, "who asks")
        query = (
            MySQLQuery.from_(m)
            .force_index(index)
            .join(a)
            .on((m.user_id == a.id) & a.deleted_at.isnull())
            .join(c)
            .on((c.id == m.conversation_id) & c.deleted_at.isnull())
            .join(o)
            .on((c.owner_id == o.id) & o.deleted_at.isnull())
            .join(p)
            .on(p.conversation_id == c.id)
            .join(q)
            .on(is_its)
            .where(m.user_id == actor)
            .where(only(m, binder))
            .modifier("STRAIGHT_JOIN")
        )
        return _narrowed(query, q, search, binder)

    return Reach(_name(name, search), of)


def _name(of: str, search: PromptSearch) -> str:
    asked = (("author", search.author_id), ("status", search.status))
    return "_".join([of, *(name for name, value in asked if value is not None)])


def prompt_reaches(search: PromptSearch, actor_id: UUID) -> tuple[Reach, ...]:
    """Where a text is looked for: in what the actor takes part in, and nowhere else."""

    def of_others(m: Table, binder: Binder) -> Any:
        return m.role.isin(
            binder.bind(
                "roles", "VARCHAR(12)", ("collaborator", "viewer"), "roles of who does not own it"
            )
        )

    def of_one(m: Table, binder: Binder) -> Any:
        of = binder.bind("conversation_id", "BINARY(16)", search.conversation_id, "where")
        return m.conversation_id == of

    if search.conversation_id is not None:
        return (_taking_part("within", search, actor_id, "PRIMARY", of_one),)
    own, shared = (
        _own(search, actor_id),
        _taking_part("shared", search, actor_id, "ix_conversation_participants_user", of_others),
    )
    if search.scope is ConversationScope.MINE:
        return (own,)
    return (shared,) if search.scope is ConversationScope.SHARED else (own, shared)


def prompt_best(
    reaches: Sequence[Reach], terms: Sequence[Weighted], *, limit_rows: int
) -> Dynamic[ScoredPrompt]:
    """The prompts within ``reaches`` that fit the terms best."""
    is_own = all(reach.name.startswith("own") for reach in reaches)
    index = "PRIMARY, uq_prompts_sequence"
    if not is_own:
        index += ", ix_conversation_participants_user, ix_prompt_postings_conversation"
    header = {
        "summary": "Find prompts by words.",
        "access": "actor" if is_own else "participant",
        "deleted": "excluded",
        "index": index,
        "reads": "n/a: a share of the postings of each word, and the prompt of each",
    }
    return best_documents(
        PROMPTS, terms, reaches, ScoredPrompt, limit_rows=limit_rows, header=header
    )
