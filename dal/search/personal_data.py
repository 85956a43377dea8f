"""The statements that find all that the system holds of a user: one for each way from a table to a
user, read by the key of that way, some rows at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

import attrs
from pypika import MySQLQuery, Order, Table
from pypika.terms import Criterion

from dal.records import personal_data as data
from dal.records.clock import START_OF_TIME
from dal.records.conversations import ParticipantRole
from dal.records.page import Key
from dal.records.users import TokenPurpose
from dal.search.binder import Binder, ById, columns_of
from dal.statements import Dynamic

__all__ = ["WAYS", "Way", "every_personal_shape", "personal_rows"]

_NO_ID: Final = UUID(int=0)
_FEW: Final = 20
_MANY: Final = 1_000


@attrs.frozen(slots=True, kw_only=True)
class Way:
    """From a table to a user: the rows whose ``column`` is the user, in the order of ``key``.

    Args:
        kind: what an export calls a row of it.
        index: the key that is read.
        first: where a list of it starts; with ``key``, of each a type.
        parent: a table with an owner that the rows hang on, by ``parent_id``: then ``column`` is
            one of the parent, and ``but`` a column of those that another way gives already.
        only: a column and what it says of the rows of this way, where the key goes by that first.
        at_once: how many rows a statement gives: few of those with long texts.
    """

    kind: str
    record: type[Any]
    table: str
    column: str
    index: str
    key: tuple[str, ...]
    first: Key
    parent: str | None = None
    parent_id: str = ""
    but: str | None = None
    only: tuple[str, str] | None = None
    at_once: int = _MANY


WAYS: Final = (
    Way(
        kind="account", record=data.AccountData, table="users", column="id", index="PRIMARY",
        key=("id",), first=(_NO_ID,),
    ),
    *(
        Way(
            kind=f"{purpose}_token", record=data.TokenData, table="user_tokens", column="user_id",
            index="PRIMARY", key=("user_id",), first=(_NO_ID,), only=("purpose", purpose),
        )
        for purpose in TokenPurpose
    ),
    Way(
        kind="template", record=data.TemplateData, table="templates", column="owner_id",
        index="ix_templates_owner", key=("created_at", "id"), first=(START_OF_TIME, _NO_ID),
        at_once=100,
    ),
    Way(
        kind="template_version", record=data.TemplateVersionData, table="template_versions",
        column="created_by", index="ix_template_versions_created_by",
        key=("template_id", "version"), first=(_NO_ID, 0), at_once=_FEW,
    ),
    Way(
        kind="template_version_of_others", record=data.TemplateVersionData,
        table="template_versions", parent="templates", parent_id="template_id", column="owner_id",
        but="created_by", index="ix_templates_owner", key=("template_id", "version"),
        first=(_NO_ID, 0), at_once=_FEW,
    ),
    Way(
        kind="template_tag", record=data.TagData, table="template_tags", parent="templates",
        parent_id="template_id", column="owner_id", index="ix_templates_owner",
        key=("template_id", "tag_id"), first=(_NO_ID, _NO_ID),
    ),
    Way(
        kind="template_label", record=data.LabelData, table="template_labels", column="moved_by",
        index="ix_template_labels_moved_by", key=("template_id", "label"), first=(_NO_ID, ""),
    ),
    Way(
        kind="template_label_move", record=data.LabelMoveData, table="template_label_moves",
        column="moved_by", index="ix_template_label_moves_moved_by", key=("id",), first=(_NO_ID,),
    ),
    Way(
        kind="rating", record=data.RatingData, table="template_ratings", column="user_id",
        index="ix_template_ratings_user", key=("template_id",), first=(_NO_ID,), at_once=100,
    ),
    Way(
        kind="conversation", record=data.ConversationData, table="conversations",
        column="owner_id", index="ix_conversations_owner", key=("id",), first=(_NO_ID,),
        at_once=100,
    ),
    *(
        Way(
            kind=f"participation_as_{role}", record=data.ParticipantData,
            table="conversation_participants", column="user_id",
            index="ix_conversation_participants_user", key=("conversation_id",), first=(_NO_ID,),
            only=("role", role),
        )
        for role in ParticipantRole
    ),
    Way(
        kind="participant", record=data.ParticipantData, table="conversation_participants",
        parent="conversations", parent_id="conversation_id", column="owner_id", but="user_id",
        index="ix_conversations_owner", key=("conversation_id", "user_id"),
        first=(_NO_ID, _NO_ID),
    ),
    Way(
        kind="participant_added", record=data.ParticipantData, table="conversation_participants",
        column="added_by", but="user_id", index="ix_conversation_participants_added_by",
        key=("conversation_id", "user_id"), first=(_NO_ID, _NO_ID),
    ),
    Way(
        kind="share", record=data.ShareData, table="conversation_shares", column="created_by",
        index="ix_conversation_shares_creator", key=("id",), first=(_NO_ID,),
    ),
    Way(
        kind="prompt", record=data.PromptData, table="prompts", column="author_id",
        index="ix_prompts_author", key=("id",), first=(_NO_ID,), at_once=_FEW,
    ),
    Way(
        kind="usage", record=data.UsageData, table="usage_records", column="user_id",
        index="ix_usage_records_user", key=("finished_at", "prompt_id", "attempt"),
        first=(START_OF_TIME, _NO_ID, 0),
    ),
    Way(
        kind="audit_by", record=data.AuditData, table="audit_logs", column="actor_id",
        index="ix_audit_logs_actor", key=("occurred_at", "id"), first=(START_OF_TIME, _NO_ID),
    ),
    Way(
        kind="audit_about", record=data.AuditData, table="audit_logs", column="target_id",
        only=("target_type", "user"), but="actor_id", index="ix_audit_logs_target",
        key=("occurred_at", "id"), first=(START_OF_TIME, _NO_ID),
    ),
)  # fmt: skip
"""In the order in which an export gives them."""

_TYPES: Final = {
    "id": "BINARY(16)",
    "template_id": "BINARY(16)",
    "tag_id": "BINARY(16)",
    "conversation_id": "BINARY(16)",
    "user_id": "BINARY(16)",
    "prompt_id": "BINARY(16)",
    "version": "INT UNSIGNED",
    "attempt": "INT UNSIGNED",
    "label": "VARCHAR(100)",
    "created_at": "DATETIME(6)",
    "finished_at": "DATETIME(6)",
    "occurred_at": "DATETIME(6)",
}


def _beyond(way: Way, t: Table, binder: Binder, after: Key) -> Criterion:
    """What follows ``after`` in the order of the key."""
    found: Any = None
    for name, value in reversed(list(zip(way.key, after, strict=True))):
        last = binder.bind(f"after_{name}", _TYPES[name], value, f"{name} of the last row before")
        column = getattr(t, name)
        found = column > last if found is None else (column > last) | ((column == last) & found)
    return found


def personal_rows(way: Way, user_id: UUID, *, after: Key, limit_rows: int) -> Dynamic[Any]:
    """The next rows of one way."""
    binder = Binder()
    user = binder.bind("user_id", "BINARY(16)", user_id, "the user")
    t = Table(way.table).as_("t")
    others: dict[str, Any] = {}
    if way.parent is None:
        query: Any = (
            MySQLQuery.from_(t).force_index(way.index).where(getattr(t, way.column) == user)
        )
    else:
        p = Table(way.parent).as_("p")
        query = MySQLQuery.from_(p).force_index(way.index)
        t = ById(way.table).as_("t")
        query = query.join(t).on(getattr(t, way.parent_id) == p.id)
        # In this order: from a few rows of the user's, and not from everybody's.
        query = query.where(getattr(p, way.column) == user).modifier("STRAIGHT_JOIN")
    if way.record is data.TagData:
        g = ById("tags").as_("g")
        query = query.join(g).on(g.id == t.tag_id)
        others["name"] = g.name
    if way.but is not None:
        column = getattr(t, way.but)
        query = query.where(column.isnull() | (column != user))
    if way.only is not None:
        name, value = way.only
        wanted = binder.bind(f"only_{name}", "VARCHAR(32)", value, f"its {name}")
        query = query.where(getattr(t, name) == wanted)
    query = query.where(_beyond(way, t, binder, after)).select(*columns_of(way.record, t, **others))
    for name in way.key:
        query = query.orderby(getattr(t, name), order=Order.asc)
    query = query.limit(binder.bind("limit_rows", "INT", limit_rows, "the most rows to give"))
    is_near = way.parent is None and way.but is None
    reads = f"rows + {max(1, len(way.key) - 1)}" if is_near else "n/a: what the key has of the user"
    header = {
        "summary": f"List what {way.table}.{way.column} has of a user.",
        "access": "n/a",
        "deleted": "included",
        "index": way.index if way.parent is None else f"{way.index}, PRIMARY",
        "reads": reads,
    }
    return binder.finish(f"search/personal_{way.kind}", query, way.record, header)


def every_personal_shape(user_id: UUID) -> Iterator[tuple[str, Dynamic[Any]]]:
    """Each of the statements, from the start; the review checks them like files."""
    for way in WAYS:
        yield way.kind, personal_rows(way, user_id, after=way.first, limit_rows=way.at_once)
