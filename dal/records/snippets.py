"""A piece of a text that shows why a search found it."""

from __future__ import annotations

import attrs

__all__ = ["Snippet"]


@attrs.frozen(slots=True)
class Snippet:
    """A piece of a template's text, and where the words of the query stand in it.

    It is plain text as its author wrote it, in one line: escape it before it becomes HTML.
    ``highlights`` are pairs of start and end in characters of ``text``, in order, apart from each
    other, none empty: ``text[start:end]`` is what to mark.
    """

    text: str
    highlights: tuple[tuple[int, int], ...]
