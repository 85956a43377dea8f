"""What text may be stored, and the documented forms of the columns that are normalised."""

from __future__ import annotations

import re
import unicodedata

from dal.errors import ValueRejectedError

__all__ = [
    "MAX_PROMPT_BYTES",
    "category_slug",
    "fold",
    "free_text",
    "label_key",
    "optional_text",
    "tag_key",
    "utf8_bytes",
]

MAX_PROMPT_BYTES = 16_777_215
"""What MEDIUMTEXT holds, in bytes of UTF-8; the server's max_allowed_packet may be less."""

_MAX_VOCABULARY_CHARS = 100
LATEST = "latest"
_NOT_SLUG = re.compile(r"[\s\-_/]+")


def utf8_bytes(text: str) -> int | None:
    """How many bytes the text has in UTF-8, or None where a lone surrogate makes it no text.

    Python's own error holds the text, and an error that is raised while it is handled holds that
    one: so it ends here.
    """
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return None


def free_text(
    field: str,
    value: object,
    *,
    max_chars: int | None = None,
    max_bytes: int | None = None,
) -> str:
    """``value`` unchanged, if it is text that the column holds byte for byte.

    Raises:
        ValueRejectedError: not text, a lone surrogate, or too long; ``field`` is named, the text
            is not repeated.
    """
    if not isinstance(value, str):
        raise ValueRejectedError(f"{field}: text is required", field=field)
    # An enum's member or any other kind of str is its characters, whatever it prints as.
    value = str.__str__(value)
    n_bytes = utf8_bytes(value)
    if n_bytes is None:
        raise ValueRejectedError(f"{field}: holds a lone surrogate, which is not text", field=field)
    if max_chars is not None and len(value) > max_chars:
        raise ValueRejectedError(f"{field}: too long: at most {max_chars} characters", field=field)
    if max_bytes is not None and n_bytes > max_bytes:
        raise ValueRejectedError(
            f"{field}: too long: at most {max_bytes} bytes of UTF-8", field=field
        )
    return value


def optional_text(
    field: str, value: object, *, max_chars: int | None = None, max_bytes: int | None = None
) -> str | None:
    """As :func:`free_text`, or None. Raises ValueRejectedError."""
    if value is None:
        return None
    return free_text(field, value, max_chars=max_chars, max_bytes=max_bytes)


def fold(text: str) -> str:
    """NFC of the case-folded NFC, trimmed: the Unicode caseless match, canonical (D145)."""
    nfc = unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", nfc.casefold()).strip()


def tag_key(name: object) -> str:
    """What a tag is told apart by: trimmed, NFC, case-folded, then compared byte by byte.

    Raises:
        ValueRejectedError: not text, blank, or over 100 characters; the field is ``tags``.
    """
    key = fold(free_text("tags", name, max_chars=_MAX_VOCABULARY_CHARS))
    if not key:
        raise ValueRejectedError("tags: a tag must not be blank", field="tags")
    # Folding can lengthen: one capital I with dot becomes two characters.
    return free_text("tags", key, max_chars=_MAX_VOCABULARY_CHARS)


def label_key(name: object) -> str:
    """What a label is told apart by: trimmed, NFC, case-folded, then compared byte by byte.

    Raises:
        ValueRejectedError: not text, blank, over 100 characters, or ``latest``, which is always
            the newest version; the field is ``label``.
    """
    key = fold(free_text("label", name, max_chars=_MAX_VOCABULARY_CHARS))
    if not key:
        raise ValueRejectedError("label: must not be blank", field="label")
    if key == LATEST:
        raise ValueRejectedError(
            "label: latest is the newest version, and cannot be put on one", field="label"
        )
    return free_text("label", key, max_chars=_MAX_VOCABULARY_CHARS)


def category_slug(name: object) -> str:
    """What a category is told apart by: folded, its words joined by single hyphens.

    Raises:
        ValueRejectedError: not text, blank, or over 100 characters; the field is ``category``.
    """
    folded = fold(free_text("category", name, max_chars=_MAX_VOCABULARY_CHARS))
    slug = _NOT_SLUG.sub("-", folded).strip("-")
    if not slug:
        raise ValueRejectedError("category: must not be blank", field="category")
    return free_text("category", slug, max_chars=_MAX_VOCABULARY_CHARS)
