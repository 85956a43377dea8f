"""A user's preferences: one JSON document, and how it is read, merged and compared.

A key is a path of names with dots between them: ``notifications.email`` is what stands under
``email`` in the object that stands under ``notifications``.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from dal.errors import ValueRejectedError
from dal.records.text import utf8_bytes

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "Preferences",
    "changes_of",
    "checked_key",
    "leaves",
    "merged",
    "plain_object",
    "value_at",
    "without",
]

MAX_BYTES = 16_384
"""The longest document, in bytes of UTF-8 of its JSON without spaces."""

MAX_DEPTH = 8
"""The most levels of objects and arrays; the document itself is the first."""

Preferences = dict[str, Any]
"""A document: an object of plain JSON values."""

_FIELD: Final = "preferences"
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEY: Final = re.compile(rf"{_NAME.pattern}(?:\.{_NAME.pattern}){{0,{MAX_DEPTH - 1}}}")
_ABSENT: Final = object()


def _refused(field: str, why: str) -> ValueRejectedError:
    return ValueRejectedError(f"{field}: {why}", field=field)


def _text(value: object) -> str:
    """JSON as it is stored."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@attrs.define
class _Copier:
    """Copies plain JSON, and refuses everything else.

    ``left`` is how many bytes there may still be. A copy is given up as soon as it cannot fit, so
    that a list that stands a thousand times in a list, and so on, is not written out.
    """

    field: str = _FIELD
    left: int = MAX_BYTES
    whole: str = _FIELD

    def copy(self, value: object, level: int) -> Any:
        """``value``, which stands at this level, shares nothing with what is given back."""
        if isinstance(value, Mapping):
            return self._object(value, level)
        # Each value is a byte at least. An object is counted by what is in it: two objects of
        # one call may become one.
        self._take(1)
        if isinstance(value, str):
            return self._string(value)
        if isinstance(value, (list, tuple)):
            self._enter(level)
            return [self.copy(item, level + 1) for item in value]
        # The very types: an enum's member is an int, but does not come back as itself.
        if value is None or type(value) is bool:
            return value
        if type(value) is int:
            if not -(2**63) <= value < 2**63:
                raise _refused(self.field, "an integer must fit into 64 bits, with its sign")
            return value
        if type(value) is float:
            if not math.isfinite(value):
                raise _refused(self.field, "a number must be finite")
            return value
        raise _refused(
            self.field, "only text, bool, int, float, None, lists and objects can be stored"
        )

    def _object(self, value: Mapping[Any, Any], level: int) -> Preferences:
        self._enter(level)
        copied: Preferences = {}
        for key, inner in value.items():
            name = str.__str__(key) if isinstance(key, str) else ""
            if _NAME.fullmatch(name) is None:
                raise _refused(
                    self.field, "a name in an object is 1 to 64 of A-Z, a-z, 0-9, _ and -"
                )
            if name in copied:
                # A mapping of another kind may give a key twice.
                raise _refused(self.field, "the same name twice in one object")
            copied[name] = self.copy(inner, level + 1)
        if not copied:
            self._take(1)
        return copied

    def _string(self, value: str) -> str:
        value = str.__str__(value)
        self._take(len(value))
        if utf8_bytes(value) is None:
            raise _refused(self.field, "holds a lone surrogate, which is not text")
        return value

    def _enter(self, level: int) -> None:
        if level > MAX_DEPTH:
            raise _refused(self.field, f"too deep: at most {MAX_DEPTH} levels")

    def _take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise _too_large(self.whole)


def _too_large(field: str = _FIELD) -> ValueRejectedError:
    return _refused(field, f"too large: at most {MAX_BYTES} bytes of JSON")


def _document(value: object, *, left: int) -> Preferences:
    """A copy of a whole document."""
    if not isinstance(value, Mapping):
        raise _refused(_FIELD, "an object is required")
    copied: Preferences = _Copier(left=left).copy(value, 1)
    return copied


def plain_object(field: str, value: object) -> dict[str, Any]:
    """A copy of a JSON object as a column of ours holds it: of the size and depth of preferences.

    Raises:
        ValueRejectedError: no object, no plain JSON, too large or too deep; ``field`` is named.
    """
    if not isinstance(value, Mapping):
        raise _refused(field, "an object is required")
    copied: dict[str, Any] = _Copier(field, MAX_BYTES, field).copy(value, 1)
    if len(_text(copied).encode()) > MAX_BYTES:
        raise _too_large(field)
    return copied


def checked_key(key: object) -> tuple[str, ...]:
    """The names that a dotted key is made of.

    Raises:
        ValueRejectedError: not text, more names than a document has levels, or a name that is not
            1 to 64 characters of A-Z, a-z, 0-9, _ and -; the field is ``preferences``.
    """
    text = str.__str__(key) if isinstance(key, str) else ""
    if _KEY.fullmatch(text) is None:
        raise _refused(
            _FIELD,
            f"a key is 1 to {MAX_DEPTH} names with dots between them, "
            "each 1 to 64 of A-Z, a-z, 0-9, _ and -",
        )
    return tuple(text.split("."))


def _join(patch: Preferences, name: str, value: object, field: str) -> None:
    """Put a value into the patch, where nothing may be said of one place twice."""
    if name not in patch:
        patch[name] = value
        return
    there = patch[name]
    # An empty object is a leaf: it says that an object is there.
    if not (isinstance(there, dict) and isinstance(value, dict) and there and value):
        raise _refused(field, "ambiguous: two of the keys lead to one place, or one into another")
    for inner, inner_value in value.items():
        _join(there, inner, inner_value, field)


def _patch(changes: object) -> Preferences:
    """The changes as one tree: an object is merged into what is there, the rest replaces it."""
    if not isinstance(changes, Mapping):
        raise _refused(_FIELD, "a mapping of keys to values is required")
    patch: Preferences = {}
    # One for all: whatever is changed stands in the document afterwards.
    copier = _Copier()
    for key, value in changes.items():
        names = checked_key(key)
        copier.field = field = f"{_FIELD}.{'.'.join(names)}"
        tree = copier.copy(value, len(names) + 1)
        for name in reversed(names[1:]):
            tree = {name: tree}
        _join(patch, names[0], tree, field)
    return patch


def _overlaid(there: object, patch: Preferences) -> Preferences:
    result = dict(there) if isinstance(there, Mapping) else {}
    for name, value in patch.items():
        result[name] = _overlaid(result.get(name), value) if isinstance(value, dict) else value
    return result


def merged(document: Mapping[str, Any], changes: object) -> Preferences:
    """The document with these changes, as a new one: ``{"theme": "dark", "mail.daily": True}``.

    A mapping is merged into the object that is there, name by name and at every depth; any other
    value replaces what is there, a list as a whole. Where a key leads through something that is
    no object, an object takes its place. An empty mapping says that there is an object, and keeps
    the one that is. This is JSON Merge Patch (RFC 7396) but for one thing: None does not remove,
    it is a value like any other. :func:`without` removes.

    The names of a mapping are not split at dots, only the keys of ``changes`` are.

    Raises:
        ValueRejectedError: a key is none, two keys lead to one place or one into another, a value
            is no plain JSON, or the result is too large or too deep. ``field`` is
            ``preferences.`` and the key, or ``preferences`` where it is no single key's fault.
    """
    patch = _patch(changes)
    if not isinstance(document, Mapping):
        raise _refused(_FIELD, "an object is required")
    # What was stored is checked too: what is written back is good wherever it came from.
    result = _document(_overlaid(document, patch), left=MAX_BYTES)
    if len(_text(result).encode()) > MAX_BYTES:
        raise _too_large()
    return result


def value_at(document: Mapping[str, Any], key: object, default: Any = None) -> Any:
    """The value of a dotted key, or the default where there is none; None is a value.

    It is the document's own value, not a copy.

    Raises:
        ValueRejectedError: not a key; the field is ``preferences``.
    """
    there: Any = document
    for name in checked_key(key):
        if not isinstance(there, Mapping) or name not in there:
            return default
        there = there[name]
    return there


def without(document: Mapping[str, Any], key: object) -> Preferences:
    """The document without this key, as a new one; without a change where the key is absent.

    An object that becomes empty stays. The size is not looked at, so that a document that is too
    large can be made smaller.

    Raises:
        ValueRejectedError: not a key, or the document is none; the field is ``preferences``.
    """
    *parents, last = checked_key(key)
    result = _document(document, left=sys.maxsize)
    there: Any = result
    for name in parents:
        there = there.get(name) if isinstance(there, dict) else None
    if isinstance(there, dict):
        there.pop(last, None)
    return result


def leaves(value: Preferences, above: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that is no object, or an empty one, by its dotted key.

    Nothing is checked: it is for a document too that breaks the rules.

    Raises:
        Nothing.
    """
    for name, inner in value.items():
        key = f"{above}{name}"
        if isinstance(inner, dict) and inner:
            yield from leaves(inner, f"{key}.")
        else:
            yield key, inner


def _same(one: object, other: object) -> bool:
    """Whether two values are the same JSON: 1, 1.0 and true are three, as are 0.0 and -0.0."""
    if one is _ABSENT or other is _ABSENT:
        return one is other
    # MySQL keeps no order of an object's names, so a list of objects comes back in another.
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def changes_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, object]]:
    """What differs, for the audit log: ``{"mail.daily": {"from": False, "to": True}}``.

    The keys are those of values that are no object, or an empty one, in the order of ``before``;
    a list is one value. None stands for what is absent, so a key that was added as None, or
    removed where it was None, goes from None to None. The size is not looked at.

    Raises:
        ValueRejectedError: one of the two is no document; the field is ``preferences``.
    """
    old = dict(leaves(_document(before, left=sys.maxsize)))
    new = dict(leaves(_document(after, left=sys.maxsize)))
    return {
        key: {"from": old.get(key), "to": new.get(key)}
        for key in old | new
        if not _same(old.get(key, _ABSENT), new.get(key, _ABSENT))
    }
