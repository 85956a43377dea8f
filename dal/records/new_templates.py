"""Templates to create, checked when they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import attrs

from dal.errors import ValueRejectedError
from dal.records.clock import check_time
from dal.records.ids import check_id
from dal.records.templates import Visibility
from dal.records.text import (
    MAX_PROMPT_BYTES,
    category_slug,
    free_text,
    label_key,
    optional_text,
    tag_key,
)
from dal.records.variables import Variable, find_variables

__all__ = [
    "DETAILS",
    "MAX_TAGS",
    "MAX_VERSION",
    "MAX_VERSIONS",
    "TEXTS",
    "NewTemplate",
    "NewVersion",
    "checked_texts",
]

TEXTS: Final = ("name", "description", "author_name")
"""The texts of a template that are kept as they are given, each in a column of its name."""

DETAILS: Final = (*TEXTS, "visibility")
"""What is kept in a column of its name, and edited."""

MAX_TAGS = 64
"""The most tags of one template."""

MAX_VERSIONS = 10_000
"""The most versions of one new template."""

MAX_VERSION = 2**32 - 1
"""The highest number of a version."""


def _tag_names(tags: object) -> tuple[str, ...]:
    """The tags' names, trimmed, the first spelling of each key, in the order given."""
    if isinstance(tags, (str, bytes)) or not isinstance(tags, Iterable):
        raise ValueRejectedError("tags: a list of names is required", field="tags")
    names: dict[str, str] = {}
    for name in tags:
        names.setdefault(tag_key(name), free_text("tags", name).strip())
    if len(names) > MAX_TAGS:
        raise ValueRejectedError(f"tags: at most {MAX_TAGS}", field="tags")
    return tuple(names.values())


def _visibility(value: object) -> Visibility:
    try:
        return Visibility(value)  # type: ignore[arg-type]
    except ValueError:
        raise ValueRejectedError("visibility: private or public", field="visibility") from None


def _category(value: object) -> str | None:
    if value is None:
        return None
    category_slug(value)
    return free_text("category", value).strip()


def _time(value: object) -> datetime | None:
    if value is None:
        return None
    return check_time("created_at", value)


def _number(field: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_VERSION:
        raise ValueRejectedError(f"{field}: a whole number, 1 to {MAX_VERSION}", field=field)
    return int(value)


def _optional_number(value: object) -> int | None:
    return None if value is None else _number("version", value)


def _parsed(row: object, cls: type, field: str, parsers: dict[str, Callable[[str], Any]]) -> Any:
    """What a row of an import says, without what it says nothing of, and its text parsed."""
    if not isinstance(row, Mapping):
        raise ValueRejectedError("an object is required", field=field)
    known = {a.name for a in attrs.fields(cls) if a.init}
    for key in row:
        if key not in known:
            raise ValueRejectedError(f"{key}: unknown", field=str(key))
    values = {key: value for key, value in row.items() if value is not None}
    for key, parse in parsers.items():
        if isinstance(values.get(key), str):
            try:
                values[key] = parse(values[key])
            except ValueError:
                raise ValueRejectedError(f"{key}: malformed", field=key) from None
    return values


@attrs.frozen(slots=True, kw_only=True)
class NewVersion:
    """A version of a template to create, checked when it is made.

    ``message`` says why it was made, in up to 500 characters; ``author_name`` whom the source
    credits. ``version`` is its number, by default the one after the version before.
    """

    content: str = attrs.field()
    system_prompt: str | None = attrs.field(default=None)
    message: str | None = attrs.field(default=None)
    author_name: str | None = attrs.field(default=None)
    created_at: datetime | None = attrs.field(default=None, converter=_time)
    version: int | None = attrs.field(default=None, converter=_optional_number)
    variables: tuple[Variable, ...] = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        texts = checked_texts(
            content=self.content,
            system_prompt=self.system_prompt,
            message=self.message,
            author_name=self.author_name,
        )
        for name, value in texts.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "variables", find_variables(self.content, self.system_prompt))

    @classmethod
    def from_mapping(cls, row: Mapping[str, Any]) -> NewVersion:
        """The version of an object of an import: keys are field names, times are ISO 8601.

        Raises:
            ValueRejectedError: an unknown or missing key, or a value that cannot be stored.
        """
        values = _parsed(row, cls, "versions", {"created_at": datetime.fromisoformat})
        if "content" not in values:
            raise ValueRejectedError("content: missing", field="content")
        return cls(**values)


def _versions(value: object) -> tuple[NewVersion, ...] | None:
    """The versions with their numbers; None where none are given."""
    if value is None:
        return None
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes, Mapping)):
        raise ValueRejectedError("versions: a list of NewVersion", field="versions")
    numbered: list[NewVersion] = []
    last = 0
    for version in value:
        if not isinstance(version, NewVersion):
            raise ValueRejectedError("versions: a list of NewVersion", field="versions")
        if len(numbered) == MAX_VERSIONS:
            raise ValueRejectedError(f"versions: at most {MAX_VERSIONS}", field="versions")
        if version.version is None:
            if last == MAX_VERSION:
                raise ValueRejectedError(f"versions: none after {MAX_VERSION}", field="versions")
            version = attrs.evolve(version, version=last + 1)
        number = _number("versions", version.version)
        if number <= last:
            raise ValueRejectedError(
                f"versions: their numbers ascend: {number} after {last}", field="versions"
            )
        numbered.append(version)
        last = number
    if not numbered:
        raise ValueRejectedError("versions: at least one", field="versions")
    return tuple(numbered)


def _labels(value: object) -> tuple[tuple[str, int], ...]:
    """The labels by their keys, sorted. Pairs are taken too, as the record has them."""
    pairs = value.items() if isinstance(value, Mapping) else value
    if not isinstance(pairs, Iterable) or isinstance(pairs, (str, bytes)):
        raise _labels_wrong()
    found: dict[str, int] = {}
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise _labels_wrong()
        try:
            key = label_key(pair[0])
        except ValueRejectedError as error:
            raise ValueRejectedError(f"labels: {error.message}", field="labels") from None
        if key in found:
            raise ValueRejectedError("labels: the same label twice", field="labels")
        found[key] = _number("labels", pair[1])
    return tuple(sorted(found.items()))


def _labels_wrong() -> ValueRejectedError:
    return ValueRejectedError("labels: a mapping of labels to numbers of versions", field="labels")


def _last_version(value: int | None) -> Any:
    return None if value is None else _number("last_version", value)


# Of a field that is never None, and may be left out where another one says it.
_SAID_ELSEWHERE: Final[Any] = None


@attrs.frozen(slots=True, kw_only=True)
class NewTemplate:
    """A template to create, checked when it is made.

    ``name`` is up to 255 characters and kept byte for byte, as are ``description`` (65,535 bytes),
    ``content`` and ``system_prompt`` (16 MiB - 1) and ``author_name`` (255 characters).
    ``category`` and ``tags`` are names; they are found by their slug and key, or made.
    ``id`` and ``created_at`` may be given, for imports and for a caller who retries.

    Either ``content`` is given, or ``versions``: the whole history, oldest first. Once it is made
    both are there: ``content`` and ``system_prompt`` are those of the newest version, and the
    versions have numbers. ``labels`` are given as a mapping to numbers of versions, and kept as
    sorted pairs. ``last_version`` is the highest number that was ever given, by default that of
    the newest version: the next one is counted from it.
    """

    name: str = attrs.field()
    content: str = attrs.field(default=_SAID_ELSEWHERE)
    description: str | None = attrs.field(default=None)
    system_prompt: str | None = attrs.field(default=None)
    author_name: str | None = attrs.field(default=None)
    category: str | None = attrs.field(default=None, converter=_category)
    tags: tuple[str, ...] = attrs.field(default=(), converter=_tag_names)
    visibility: Visibility = attrs.field(default=Visibility.PRIVATE, converter=_visibility)
    id: UUID | None = attrs.field(default=None)
    created_at: datetime | None = attrs.field(default=None, converter=_time)
    versions: tuple[NewVersion, ...] = attrs.field(default=_SAID_ELSEWHERE, converter=_versions)
    labels: tuple[tuple[str, int], ...] = attrs.field(default=(), converter=_labels)
    last_version: int = attrs.field(default=_SAID_ELSEWHERE, converter=_last_version)

    @id.validator
    def _check_id(self, _: object, value: object) -> None:
        if value is not None:
            check_id("id", value)

    def __attrs_post_init__(self) -> None:
        for name, value in checked_texts(**{name: getattr(self, name) for name in TEXTS}).items():
            object.__setattr__(self, name, value)
        self._settle_versions()
        numbers = {version.version for version in self.versions}
        if not all(number in numbers for _, number in self.labels):
            raise ValueRejectedError("labels: on a version that is not there", field="labels")
        last: Any = self.last_version
        if last is None:
            object.__setattr__(self, "last_version", self.head_version)
        elif last < self.head_version:
            raise ValueRejectedError(
                "last_version: less than the number of a version", field="last_version"
            )

    @property
    def head_version(self) -> int:
        """The number of the newest version."""
        return _number("versions", self.versions[-1].version)

    def _settle_versions(self) -> None:
        given: Any = self.versions
        if given is None:
            only = NewVersion(content=self.content, system_prompt=self.system_prompt, version=1)
            object.__setattr__(self, "versions", (only,))
        newest = self.versions[-1]
        # attrs.evolve gives both, and they agree.
        said = (self.content, self.system_prompt)
        if said not in ((None, None), (newest.content, newest.system_prompt)):
            raise ValueRejectedError(
                "content: either it is given, or versions; the newest of these says something else",
                field="content",
            )
        object.__setattr__(self, "content", newest.content)
        object.__setattr__(self, "system_prompt", newest.system_prompt)

    @classmethod
    def from_mapping(cls, row: Mapping[str, Any]) -> NewTemplate:
        """The template of a row of an import: keys are field names, times are ISO 8601.

        ``versions`` is a list of such mappings, ``labels`` a mapping.

        Raises:
            ValueRejectedError: an unknown or missing key, or a value that cannot be stored.
        """
        values = _parsed(row, cls, "template", {"id": UUID, "created_at": datetime.fromisoformat})
        for key in ("name", "content"):
            if key not in row and not (key == "content" and "versions" in values):
                raise ValueRejectedError(f"{key}: missing", field=key)
        if "versions" in values:
            values["versions"] = _parsed_versions(values["versions"])
        values.setdefault("name", None)
        return cls(**values)


def _parsed_versions(rows: object) -> list[NewVersion]:
    if not isinstance(rows, list):
        raise ValueRejectedError("versions: a list of objects is required", field="versions")
    versions = []
    # One more than there may be is enough to be refused, and a file may have millions.
    for place, row in enumerate(rows[: MAX_VERSIONS + 1], 1):
        try:
            versions.append(NewVersion.from_mapping(row))
        except ValueRejectedError as error:
            raise ValueRejectedError(
                f"versions: item {place}: {error.message}", field="versions"
            ) from None
    return versions


def checked_texts(**texts: object) -> dict[str, str | None]:
    """The free-text fields of a template, each as long as its column allows.

    Raises:
        ValueRejectedError: one is not; ``field`` names it.
    """
    checked: dict[str, str | None] = {}
    for field, value in texts.items():
        if field == "name":
            checked[field] = free_text(field, value, max_chars=255)
        elif field == "content":
            checked[field] = free_text(field, value, max_bytes=MAX_PROMPT_BYTES)
        elif field == "system_prompt":
            checked[field] = optional_text(field, value, max_bytes=MAX_PROMPT_BYTES)
        elif field == "description":
            checked[field] = optional_text(field, value, max_bytes=65_535)
        elif field == "author_name":
            checked[field] = optional_text(field, value, max_chars=255)
        else:
            checked[field] = optional_text(field, value, max_chars=500)
    return checked
