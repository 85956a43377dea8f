"""What is about conversations in their search: what it takes, and whom it shows what.

A document is a prompt; a hit is a conversation, by the best of its prompts for each word. One's own
are found by postings whose scope is the owner; those of others, by who takes part: so nothing that
somebody else keeps is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import attrs
from pypika import MySQLQuery, Table

from dal.errors import ValueRejectedError
from dal.records.conversations import ScoredConversation
from dal.records.text import free_text
from dal.search.binder import Binder, ById
from dal.search.finding import Corpus, Reach, best_documents
from dal.search.query import Weighted
from dal.statements import Dynamic

__all__ = [
    "CONVERSATIONS",
    "ConversationScope",
    "ConversationSearch",
    "checked_scope",
    "checked_words",
    "conversation_best",
    "conversation_reaches",
]

_MAX_TEXT_CHARS: Final = 1_000

CONVERSATIONS: Final = Corpus(
    name="conversations",
    postings="prompt_postings",
    document="conversation_id",
    documents="conversations",
    pivot_terms=80,
    several=True,
)
"""Conversations as the search has them; a typical prompt is a question with its answer."""


class ConversationScope(StrEnum):
    """Which conversations are searched, of those that the actor takes part in."""

    VISIBLE = "visible"
    MINE = "mine"
    SHARED = "shared"


def checked_words(value: object) -> str:
    """Words to look for. Raises ValueRejectedError; the field is ``text``."""
    text = free_text("text", free_text("text", value).strip(), max_chars=_MAX_TEXT_CHARS)
    if not text:
        raise ValueRejectedError("text: words to look for are required", field="text")
    return text


def checked_scope(value: object) -> ConversationScope:
    """A scope. Raises ValueRejectedError; the field is ``scope``."""
    try:
        return ConversationScope(value)  # type: ignore[arg-type]
    except ValueError:
        raise ValueRejectedError(
            f"scope: one of {', '.join(ConversationScope)}", field="scope"
        ) from None


@attrs.frozen(slots=True, kw_only=True)
class ConversationSearch:
    """What is searched for, checked when it is made.

    Raises:
        ValueRejectedError: no words, too long, or no such scope; ``field`` names it.
    """

    text: str = attrs.field(converter=checked_words)
    scope: ConversationScope = attrs.field(
        default=ConversationScope.VISIBLE, converter=checked_scope
    )

    @property
    def list_name(self) -> str:
        """What its cursors belong to: another search is another list."""
        return f"conversations.search:{self.scope}:{self.text}"


def _own(actor_id: UUID) -> Reach:
    """Of the postings whose scope is the actor, those of live conversations."""

    def of(p: Table, binder: Binder) -> Any:
        c, o = ById("conversations").as_("c"), ById("users").as_("o")
        scope = binder.bind("own_scope", "BINARY(16)", actor_id, "whose it is")
        actor = binder.bind("actor_id", "BINARY(16)", actor_id, "who asks")
        return (
            MySQLQuery.from_(p)
            .join(c)
            .on(c.id == p.conversation_id)
            .join(o)
            .on((c.owner_id == o.id) & o.deleted_at.isnull())
            .where(p.scope == scope)
            .where(c.owner_id == actor)
            .where(c.deleted_at.isnull())
            .modifier("STRAIGHT_JOIN")
        )

    return Reach("own", of)


def _shared(actor_id: UUID) -> Reach:
    """Of others' conversations that the actor takes part in, the postings of each."""

    def of(p: Table, binder: Binder) -> Any:
        m, a = Table("conversation_participants").as_("m"), ById("users").as_("a")
        c, o = ById("conversations").as_("c"), ById("users").as_("o")
        actor = binder.bind("actor_id", "BINARY(16)", actor_id, "who asks")
        roles = binder.bind(
            "roles", "VARCHAR(12)", ("collaborator", "viewer"), "roles of who does not own it"
        )
        return (
            MySQLQuery.from_(m)
            .force_index("ix_conversation_participants_user")
            .join(a)
            .on((m.user_id == a.id) & a.deleted_at.isnull())
            .join(c)
            .on((c.id == m.conversation_id) & c.deleted_at.isnull())
            .join(o)
            .on((c.owner_id == o.id) & o.deleted_at.isnull())
            .join(p)
            .on(p.conversation_id == c.id)
            .where(m.user_id == actor)
            .where(m.role.isin(roles))
            .modifier("STRAIGHT_JOIN")
        )

    return Reach("shared", of)


def conversation_reaches(scope: ConversationScope, actor_id: UUID) -> tuple[Reach, ...]:
    """Where a text is looked for: in what the actor takes part in, and nowhere else."""
    if scope is ConversationScope.MINE:
        return (_own(actor_id),)
    if scope is ConversationScope.SHARED:
        return (_shared(actor_id),)
    return (_own(actor_id), _shared(actor_id))


def conversation_best(
    reaches: Sequence[Reach], terms: Sequence[Weighted], *, limit_rows: int
) -> Dynamic[ScoredConversation]:
    """The conversations within ``reaches`` that fit the terms best."""
    shared = any(reach.name == "shared" for reach in reaches)
    index, reads = "PRIMARY", "n/a: a share of the postings of each word"
    if shared:
        index += ", ix_conversation_participants_user, ix_prompt_postings_conversation"
        reads += "; and of each conversation that is shared with the actor"
    header = {
        "summary": "Find conversations by words.",
        "access": "participant" if shared else "actor",
        "deleted": "excluded",
        "index": index,
        "reads": reads,
    }
    return best_documents(
        CONVERSATIONS, terms, reaches, ScoredConversation, limit_rows=limit_rows, header=header
    )
