"""Conversations with all their prompts, as an import brings them and an export writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

import attrs

from dal.errors import ValueRejectedError
from dal.records.clock import check_time
from dal.records.conversations import (
    Conversation,
    ConversationStatus,
    NewConversation,
    Participant,
    ParticipantRole,
    checked_participant_role,
    checked_status,
)
from dal.records.ids import check_id
from dal.records.new_prompts import (
    PromptTexts,
    checked_feedback,
    checked_message,
    optional_error,
    optional_rating,
)
from dal.records.prompts import Prompt, PromptStatus
from dal.records.usage import checked_cost, checked_tokens

__all__ = [
    "MAX_PROMPTS",
    "ConversationExport",
    "ImportedConversation",
    "ImportedPrompt",
    "place_followed",
]

MAX_PROMPTS: Final = 100_000
"""The most prompts of one conversation of an import."""

MAX_PARTICIPANTS: Final = 10_000
"""The most people beside the owner of one conversation of an import."""


def _time(field: str, value: object) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueRejectedError(f"{field}: malformed", field=field) from None
    return None if value is None else check_time(field, value)


def _created_at(value: object) -> datetime | None:
    return _time("created_at", value)


def _archived_at(value: object) -> datetime | None:
    return _time("archived_at", value)


def _author_id(value: object) -> UUID | None:
    return None if value is None else check_id("author_id", value)


def _owner_id(value: object) -> UUID | None:
    return None if value is None else check_id("owner_id", value)


def _prompt_status(value: object) -> PromptStatus:
    """What became of it: an import brings no work."""
    if value in (PromptStatus.COMPLETED, PromptStatus.FAILED, PromptStatus.CANCELLED):
        return PromptStatus(value)  # type: ignore[arg-type]
    raise ValueRejectedError("status: completed, failed or cancelled", field="status")


def _variation_of(value: object) -> int | None:
    if value is not None and (type(value) is not int or not 1 <= value <= MAX_PROMPTS):
        raise ValueRejectedError(
            "variation_of: the place of the first of the variations", field="variation_of"
        )
    return value


def _is_selected(value: object) -> bool:
    if type(value) is not bool:
        raise ValueRejectedError("is_selected: true or false", field="is_selected")
    return value


def _rated_at(value: object) -> datetime | None:
    return _time("rated_at", value)


def _token_count(value: object) -> int:
    return checked_tokens("token_count", value)


def _parent_sequence(value: object) -> int | None:
    if value is not None and (type(value) is not int or not 0 <= value < MAX_PROMPTS):
        raise ValueRejectedError(
            "parent_sequence: the place of an earlier prompt, or 0", field="parent_sequence"
        )
    return value


@attrs.frozen(slots=True, kw_only=True)
class ImportedPrompt(PromptTexts):
    """A prompt of an import; without an author it is the owner's, without a time the import's.

    ``status`` is completed where there is an answer, else cancelled: nobody is to answer what
    happened elsewhere. ``parent_sequence`` is the place in the list, from 1, of the prompt that it
    follows, 0 for none; by default it is the one before. ``cost`` is in US dollars; what was spent
    elsewhere counts in the totals of the conversation, and is no usage of this database.
    ``variation_of`` is the place of the first of its variations, which says its own place; they
    follow what the first one follows.
    """

    author_id: UUID | None = attrs.field(default=None, converter=_author_id)
    created_at: datetime | None = attrs.field(default=None, converter=_created_at)
    status: PromptStatus = attrs.field(converter=_prompt_status)
    parent_sequence: int | None = attrs.field(default=None, converter=_parent_sequence)
    token_count: int = attrs.field(default=0, converter=_token_count)
    cost: Decimal = attrs.field(default=Decimal(0), converter=checked_cost)
    error_code: str | None = attrs.field(default=None, converter=optional_error)
    error_message: str | None = attrs.field(default=None, converter=checked_message)
    variation_of: int | None = attrs.field(default=None, converter=_variation_of)
    is_selected: bool = attrs.field(default=False, converter=_is_selected)
    rating: int | None = attrs.field(default=None, converter=optional_rating)
    feedback: str | None = attrs.field(default=None, converter=checked_feedback)
    rated_at: datetime | None = attrs.field(default=None, converter=_rated_at)

    @status.default
    def _likely_status(self) -> PromptStatus:
        return PromptStatus.CANCELLED if self.response is None else PromptStatus.COMPLETED

    def __attrs_post_init__(self) -> None:
        PromptTexts.__attrs_post_init__(self)
        if self.status is PromptStatus.COMPLETED and self.response is None:
            raise ValueRejectedError("status: completed, without an answer", field="status")
        if self.rating is not None and self.status is not PromptStatus.COMPLETED:
            raise ValueRejectedError("rating: there is no answer to rate", field="rating")
        if self.rating is None and (self.feedback is not None or self.rated_at is not None):
            raise ValueRejectedError("rating: missing, and there is more of it", field="rating")
        if self.is_selected and self.variation_of is None:
            raise ValueRejectedError("is_selected: of which variations?", field="is_selected")

    @classmethod
    def from_mapping(cls, row: Mapping[str, Any]) -> ImportedPrompt:
        """The prompt of an object of an import: keys are field names, times are ISO 8601.

        Raises:
            ValueRejectedError: an unknown or missing key, or a value that cannot be stored.
        """
        values = _parsed(row, cls, "prompts")
        if "user_input" not in values:
            raise ValueRejectedError("user_input: missing", field="user_input")
        if isinstance(values.get("cost"), str):
            try:
                values["cost"] = Decimal(values["cost"])
            except InvalidOperation:
                raise ValueRejectedError("cost: malformed", field="cost") from None
        return cls(**values)


def _prompts(value: object) -> tuple[ImportedPrompt, ...]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise ValueRejectedError("prompts: a list of ImportedPrompt", field="prompts")
    prompts = tuple(value)
    if not all(isinstance(prompt, ImportedPrompt) for prompt in prompts):
        raise ValueRejectedError("prompts: a list of ImportedPrompt", field="prompts")
    if len(prompts) > MAX_PROMPTS:
        raise ValueRejectedError(f"prompts: at most {MAX_PROMPTS}", field="prompts")
    for place, prompt in enumerate(prompts, 1):
        if (prompt.parent_sequence or 0) >= place:
            raise ValueRejectedError(
                f"prompts: item {place}: parent_sequence: it follows one that comes later",
                field="prompts",
            )
    _check_variations(prompts)
    return prompts


def _check_variations(prompts: tuple[ImportedPrompt, ...]) -> None:
    selected: set[int] = set()
    for place, prompt in enumerate(prompts, 1):
        of = prompt.variation_of
        if of is None:
            continue
        first = prompts[min(of, place) - 1]
        if (
            of > place
            or first.variation_of != of
            or (of != place and prompt.parent_sequence not in (None, place_followed(of, first)))
        ):
            raise ValueRejectedError(
                f"prompts: item {place}: variation_of: the first one comes earlier, says its own"
                " place, and follows the same",
                field="prompts",
            )
        if prompt.is_selected and of in selected:
            raise ValueRejectedError(
                f"prompts: item {place}: is_selected: another one is", field="prompts"
            )
        if prompt.is_selected:
            selected.add(of)


def place_followed(place: int, prompt: ImportedPrompt) -> int:
    """The place of what a prompt follows that is no later variation, 0 for none."""
    return place - 1 if prompt.parent_sequence is None else prompt.parent_sequence


def _participants(value: object) -> tuple[tuple[UUID, ParticipantRole], ...]:
    """Pairs in the order of the ids, as the record keeps what is given as a mapping."""
    pairs = value.items() if isinstance(value, Mapping) else value
    if isinstance(pairs, (str, bytes)) or not isinstance(pairs, Iterable):
        raise ValueRejectedError("participants: a mapping of ids to roles", field="participants")
    found: dict[UUID, ParticipantRole] = {}
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise ValueRejectedError(
                "participants: a mapping of ids to roles", field="participants"
            )
        found[check_id("participants", pair[0])] = checked_participant_role(pair[1])
    if len(found) > MAX_PARTICIPANTS:
        raise ValueRejectedError(f"participants: at most {MAX_PARTICIPANTS}", field="participants")
    return tuple(sorted(found.items()))


@attrs.frozen(slots=True, kw_only=True)
class ImportedConversation(NewConversation):
    """A conversation to bring in, with its prompts in order, checked when it is made.

    Without an owner it belongs to who imports it; without a time it began with the earliest of its
    prompts. ``participants`` are the others, as collaborator
    or viewer; whoever asked something takes part as a collaborator, named or not.
    """

    status: ConversationStatus = attrs.field(
        default=ConversationStatus.ACTIVE, converter=checked_status
    )
    archived_at: datetime | None = attrs.field(default=None, converter=_archived_at)
    created_at: datetime | None = attrs.field(default=None, converter=_created_at)
    owner_id: UUID | None = attrs.field(default=None, converter=_owner_id)
    participants: tuple[tuple[UUID, ParticipantRole], ...] = attrs.field(
        default=(), converter=_participants
    )
    prompts: tuple[ImportedPrompt, ...] = attrs.field(default=(), converter=_prompts)

    def people(self, owner_id: UUID) -> dict[UUID, ParticipantRole]:
        """Everybody who takes part, the owner first.

        Raises:
            ValueRejectedError: one who only reads is said to have asked something.
        """
        found = {owner_id: ParticipantRole.OWNER}
        for who, role in self.participants:
            found.setdefault(who, role)
        for prompt in self.prompts:
            if prompt.author_id is not None:
                role = found.setdefault(prompt.author_id, ParticipantRole.COLLABORATOR)
                if role is ParticipantRole.VIEWER:
                    raise ValueRejectedError(
                        "participants: a viewer asked something", field="participants"
                    )
        return found

    @classmethod
    def from_mapping(cls, row: Mapping[str, Any]) -> ImportedConversation:
        """The conversation of a row of an import: keys are field names, times are ISO 8601.

        ``prompts`` is a list of such mappings, ``participants`` a mapping of ids to roles.

        Raises:
            ValueRejectedError: an unknown or missing key, or a value that cannot be stored.
        """
        values = _parsed(row, cls, "conversation")
        if "title" not in values:
            raise ValueRejectedError("title: missing", field="title")
        prompts = values.get("prompts", ())
        if not isinstance(prompts, Sequence) or isinstance(prompts, str):
            raise ValueRejectedError("prompts: a list of objects is required", field="prompts")
        made = []
        for place, prompt in enumerate(prompts[: MAX_PROMPTS + 1], 1):
            try:
                made.append(ImportedPrompt.from_mapping(prompt))
            except ValueRejectedError as error:
                raise ValueRejectedError(
                    f"prompts: item {place}: {error.message}", field="prompts"
                ) from None
        values["prompts"] = made
        participants = values.get("participants", {})
        if not isinstance(participants, Mapping):
            raise ValueRejectedError(
                "participants: an object of ids and roles is required", field="participants"
            )
        values["participants"] = {_uuid("participants", k): v for k, v in participants.items()}
        return cls(**values)


_IDS: Final = frozenset({"id", "author_id", "owner_id", "template_id"})


def _uuid(field: str, value: object) -> Any:
    if isinstance(value, str):
        try:
            return UUID(value)
        except ValueError:
            raise ValueRejectedError(f"{field}: malformed", field=field) from None
    return value


def _parsed(row: object, cls: type, field: str) -> dict[str, Any]:
    """What an object of an import says, without what it says nothing of, with its ids as ids."""
    if not isinstance(row, Mapping):
        raise ValueRejectedError("an object is required", field=field)
    known = {a.name for a in attrs.fields(cls)}
    for key in row:
        if key not in known:
            raise ValueRejectedError(f"{key}: unknown", field=str(key))
    given = {key: value for key, value in row.items() if value is not None}
    return {key: _uuid(key, value) if key in _IDS else value for key, value in given.items()}


@attrs.frozen(slots=True)
class ConversationExport:
    """A conversation with everybody who takes part and its live prompts, in their order."""

    conversation: Conversation
    participants: tuple[Participant, ...]
    prompts: tuple[Prompt, ...]

    def to_mapping(self) -> dict[str, object]:
        """What ``ImportedConversation.from_mapping`` makes the same conversation of, in plain JSON
        values; prompts are numbered anew, without the gaps of those that were deleted.

        Not in it: links, pins, read marks, who may share, and the times of changes. What waits
        for its answer is cancelled in it: elsewhere nobody is at work at it.

        Raises:
            Nothing.
        """
        talk = self.conversation
        others = {
            str(one.user_id): one.role.value
            for one in self.participants
            if one.role is not ParticipantRole.OWNER
        }
        return {
            "id": str(talk.id),
            "title": talk.title,
            "description": talk.description,
            "context": talk.context,
            "settings": talk.settings,
            "status": talk.status.value,
            "archived_at": talk.archived_at and talk.archived_at.isoformat(),
            "created_at": talk.created_at.isoformat(),
            "owner_id": str(talk.owner_id),
            "participants": others,
            "prompts": _prompts_of(self.prompts),
        }

    def to_line(self) -> str:
        """The mapping as one line of JSON, with its end.

        Raises:
            Nothing.
        """
        return json.dumps(self.to_mapping(), ensure_ascii=False, separators=(",", ":")) + "\n"

    def to_markdown(self) -> str:
        """To be read: a heading, who takes part, and each prompt under its number.

        What was asked is quoted, so that no line of it is taken for one of ours. There is no way
        back from it: that is :meth:`to_line`.

        Raises:
            Nothing.
        """
        talk = self.conversation
        names = {one.user_id: _one_line(one.full_name) for one in self.participants}
        lines = [f"# {_one_line(talk.title)}", ""]
        if talk.description:
            lines += [*_quoted(talk.description), ""]
        lines += [f"- {_one_line(one.full_name)}: {one.role.value}" for one in self.participants]
        for prompt in self.prompts:
            who = names.get(prompt.author_id, "somebody who left")
            at = f"{prompt.created_at:%Y-%m-%d %H:%M} UTC"
            lines += ["", f"## {prompt.sequence_number}. {who}, {at}", ""]
            lines += _quoted(prompt.user_input)
            if prompt.response is not None:
                lines += ["", "### Answer", "", *_quoted(prompt.response)]
        return "\n".join(lines) + "\n"


_AS_IT_IS: Final = (
    "user_input", "system_prompt", "response", "template_version", "provider", "model", "settings",
    "token_count", "max_attempts", "finish_reason", "latency_ms", "first_token_ms", "error_code",
    "error_message", "rating", "feedback",
)  # fmt: skip


def _prompts_of(prompts: Sequence[Prompt]) -> list[dict[str, object]]:
    """Numbered anew; what follows one that is not there is a root."""
    places = {prompt.sequence_number: place for place, prompt in enumerate(prompts, 1)}
    firsts: dict[UUID, int] = {}
    for place, prompt in enumerate(prompts, 1):
        if prompt.variation_group is not None:
            firsts.setdefault(prompt.variation_group, place)
    rows = []
    for prompt in prompts:
        parent = places.get(prompt.parent_sequence or 0, 0)
        variation = (
            {"variation_of": firsts[prompt.variation_group], "is_selected": prompt.is_selected}
            if prompt.variation_group is not None
            else {}
        )
        rows.append(_prompt(prompt, parent, variation))
    return rows


def _prompt(prompt: Prompt, parent: int, variation: Mapping[str, object]) -> dict[str, object]:
    is_over = prompt.status not in (PromptStatus.PENDING, PromptStatus.PROCESSING)
    return {
        "id": str(prompt.id),
        "author_id": str(prompt.author_id),
        "parent_sequence": parent,
        "status": (prompt.status if is_over else PromptStatus.CANCELLED).value,
        **{name: getattr(prompt, name) for name in _AS_IT_IS},
        **variation,
        "rated_at": prompt.rated_at and prompt.rated_at.isoformat(),
        "template_id": prompt.template_id and str(prompt.template_id),
        "cost": str(prompt.cost),
        "created_at": prompt.created_at.isoformat(),
    }


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> list[str]:
    return [f"> {line}".rstrip() for line in text.splitlines() or [""]]
