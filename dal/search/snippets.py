"""The piece of a found text that is shown with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from dal.errors import UsageError
from dal.records.snippets import Snippet
from dal.search.analysis import Token
from dal.search.spotting import Spotted

__all__ = ["MAX_SNIPPET_SOURCE_CHARS", "snippet"]

MAX_SNIPPET_SOURCE_CHARS: Final = 65_536
"""What is looked at of each text."""

_MIN_CHARS: Final = 20
_ELLIPSIS: Final = "…"
# Characters that would end a line, or that a terminal would obey, become a space each.
_ONE_LINE: Final = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029], " ")


def _best(hits: Sequence[Token], max_chars: int) -> tuple[int, int]:
    """Where the hits start and end that fit and have most distinct terms, then most hits.

    Of equal ones the first. A hit that does not fit by itself is cut.
    """
    inside: dict[str, int] = {}
    first = 0
    best = (0, 0)
    span = (0, 0)
    for last, hit in enumerate(hits):
        inside[hit.term] = inside.get(hit.term, 0) + 1
        while first < last and hit.end - hits[first].start > max_chars:
            gone = hits[first].term
            first += 1
            if inside[gone] == 1:
                del inside[gone]
            else:
                inside[gone] -= 1
        found = (len(inside), last - first + 1)
        if found > best:
            start = hits[first].start
            best, span = found, (start, min(hit.end, start + max_chars))
    return span


def _window(text: str, spotted: Spotted, max_chars: int) -> tuple[int, int]:
    """Where the piece starts and ends: around the hits, and between two words."""
    start, end = _best(spotted.hits, max_chars)
    # A little less in front: what follows explains more.
    spare = max_chars - (end - start)
    lowest = max(0, start - spare // 3)
    highest = min(len(text), lowest + max_chars)
    # Near the end of a text, what is not needed behind is used in front.
    lowest = max(0, min(start, highest - max_chars))
    if lowest > 0:
        lowest = min(start, spotted.start_from(lowest))
    if highest < len(text):
        highest = max(end, spotted.end_before(highest))
    return lowest, highest


def _merged(hits: Iterable[Token], start: int, end: int) -> list[tuple[int, int]]:
    """What of the window is marked: hits that overlap or touch are one."""
    marked: list[tuple[int, int]] = []
    for hit in hits:
        left, right = max(hit.start, start), min(hit.end, end)
        if left >= right:
            continue
        if marked and left <= marked[-1][1]:
            marked[-1] = (marked[-1][0], max(right, marked[-1][1]))
        else:
            marked.append((left, right))
    return marked


def snippet(texts: Iterable[str], terms: Collection[str], max_chars: int = 200) -> Snippet | None:
    """The piece of the first text that has any of the terms, where it has most of them.

    At most ``max_chars`` characters, cut between words, with an ellipsis where something is left
    out; a single word that is longer is cut itself. None: no text has any of the terms in its first
    MAX_SNIPPET_SOURCE_CHARS characters.

    Raises:
        UsageError: ``max_chars`` is less than 20.
    """
    if max_chars < _MIN_CHARS:
        raise UsageError(f"max_chars: at least {_MIN_CHARS}")
    wanted = frozenset(terms)
    for whole in filter(None, texts):
        text = whole[:MAX_SNIPPET_SOURCE_CHARS]
        spotted = Spotted(text, wanted)
        hits = spotted.hits
        if not hits:
            continue
        if len(whole) <= max_chars:
            start, end = 0, len(whole)
        else:
            start, end = _window(text, spotted, max_chars - 2 * len(_ELLIPSIS))
        before = _ELLIPSIS if start > 0 else ""
        after = _ELLIPSIS if end < len(whole) else ""
        shift = len(before) - start
        return Snippet(
            before + text[start:end].translate(_ONE_LINE) + after,
            tuple((left + shift, right + shift) for left, right in _merged(hits, start, end)),
        )
    return None
