"""Templates and their versions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

import attrs

from dal.records.snippets import Snippet
from dal.records.variables import RenderedPrompt, Variable, render_prompt

__all__ = [
    "FoundTemplate",
    "RatingDistribution",
    "ScoredTemplate",
    "Template",
    "TemplateHit",
    "TemplateHitRow",
    "TemplateLabel",
    "TemplateLabelMove",
    "TemplateParent",
    "TemplateRating",
    "TemplateRow",
    "TemplateStatistics",
    "TemplateSummary",
    "TemplateVersion",
    "TemplateVersionSummary",
    "VersionDiff",
    "Visibility",
    "content_sha256",
]


class Visibility(StrEnum):
    """Who sees a template besides its owner."""

    PRIVATE = "private"
    PUBLIC = "public"


def content_sha256(content: str, system_prompt: str | None) -> bytes:
    """What two versions are compared by: SHA-256, 32 bytes.

    Of the content's length in bytes (8, big-endian), the content, and 0 or 1 and the system
    prompt, all in UTF-8; so no text moved from one to the other gives the same hash.
    """
    body = content.encode()
    prompt = b"\0" if system_prompt is None else b"\1" + system_prompt.encode()
    return sha256(len(body).to_bytes(8) + body + prompt).digest()


class _Prompts:
    """What has a content and perhaps a system prompt."""

    __slots__ = ()
    content: str
    system_prompt: str | None

    def render(self, values: Mapping[str, str]) -> RenderedPrompt:
        """The texts with every variable replaced by its value or default, once.

        Raises:
            VariablesError: some have neither, or a value is for none; both are named.
            ValueRejectedError: a value is not text.
        """
        return render_prompt(self.content, self.system_prompt, values)


@attrs.frozen(slots=True)
class TemplateSummary:
    """A template in a list: everything but its text. ``category`` is the slug.

    ``trend`` is what trending ones are ordered by, 0 if never used: 10^9 times the binary logarithm
    of the sum over all uses of 2 to the weeks from 2020 to the use, so a use counts half as much
    a week later. ``rating_sum`` and ``rating_count`` are of the ratings of live users.
    """

    id: UUID
    owner_id: UUID
    name: str
    description: str | None
    author_name: str | None
    category: str | None
    tags: frozenset[str]
    visibility: Visibility
    head_version: int
    use_count: int
    trend: int
    rating_sum: int
    rating_count: int
    forked_from_id: UUID | None
    forked_from_version: int | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@attrs.frozen(slots=True)
class Template(TemplateSummary, _Prompts):
    """A template with the text of its newest version."""

    last_version: int
    content: str
    system_prompt: str | None
    variables: tuple[Variable, ...]


@attrs.frozen(slots=True)
class TemplateRow:
    """A locked row of the table templates, as a change needs it."""

    id: UUID
    owner_id: UUID
    category_id: UUID | None
    head_version: int
    last_version: int
    updated_at: datetime


@attrs.frozen(slots=True)
class TemplateParent:
    """The owner of new templates, with one of the categories asked for, or with none."""

    owner_id: UUID
    category_id: UUID | None
    slug: str | None
    name: str | None


@attrs.frozen(slots=True)
class TemplateVersion(_Prompts):
    """One immutable version with its text."""

    template_id: UUID
    version: int
    content: str
    system_prompt: str | None
    variables: tuple[Variable, ...]
    content_sha256: bytes
    message: str | None
    author_name: str | None
    created_by: UUID
    created_at: datetime


@attrs.frozen(slots=True)
class TemplateVersionSummary:
    """One version in a list, without its text; ``content_chars`` is the length of its content."""

    template_id: UUID
    version: int
    content_chars: int
    content_sha256: bytes
    message: str | None
    author_name: str | None
    created_by: UUID
    created_at: datetime


@attrs.frozen(slots=True)
class TemplateLabel:
    """On which version of a template a label is, and who put it there."""

    template_id: UUID
    label: str
    version: int
    moved_by: UUID
    moved_at: datetime


@attrs.frozen(slots=True)
class TemplateLabelMove:
    """A label was put on a version, moved, or taken off; None is no version."""

    id: UUID
    template_id: UUID
    label: str
    from_version: int | None
    to_version: int | None
    moved_by: UUID
    moved_at: datetime


@attrs.frozen(slots=True)
class TemplateRating:
    """What one user thinks of a template: 1 to 5, and why."""

    template_id: UUID
    user_id: UUID
    rating: int
    feedback: str | None
    created_at: datetime
    updated_at: datetime


@attrs.frozen(slots=True)
class RatingDistribution:
    """How many live users gave a template which rating."""

    ones: int
    twos: int
    threes: int
    fours: int
    fives: int

    @property
    def count(self) -> int:
        """How many rated it."""
        return self.ones + self.twos + self.threes + self.fours + self.fives

    @property
    def sum(self) -> int:
        """All ratings together."""
        return self.ones + 2 * self.twos + 3 * self.threes + 4 * self.fours + 5 * self.fives


@attrs.frozen(slots=True)
class TemplateStatistics:
    """Numbers of the live templates that somebody sees, and of their own trash.

    ``versions`` counts all of them, ``authors`` those credited by name, ``tags`` those in use;
    ``ratings`` those of live users, ``rating_sum`` added up; ``uses`` all uses.
    """

    templates: int
    public: int
    private: int
    deleted: int
    versions: int
    authors: int
    tags: int
    ratings: int
    rating_sum: int
    uses: int
    never_used: int


@attrs.frozen(slots=True)
class TemplateHitRow(TemplateSummary):
    """A template that a search found, with the start of its text."""

    content_head: str


@attrs.frozen(slots=True)
class ScoredTemplate:
    """A template that a search by words found, and how well it fits."""

    id: UUID
    score: int


@attrs.frozen(slots=True)
class FoundTemplate(ScoredTemplate):
    """The same, with what it may be ordered by instead."""

    created_at: datetime
    use_count: int
    trend: int
    rating_rank: int


@attrs.frozen(slots=True)
class TemplateHit:
    """A template that a search found.

    ``score`` is how well it answers the words, comparable within one search alone, and ``snippet``
    where they stand in it; both None in a search without words.
    """

    template: TemplateSummary
    score: float | None
    snippet: Snippet | None


@attrs.frozen(slots=True)
class VersionDiff:
    """Unified diffs of two versions; empty where they are the same."""

    content: str
    system_prompt: str
