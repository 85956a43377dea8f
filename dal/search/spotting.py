"""Where terms stand in a text, without analysing all of it.

In most texts that are shown all words are of ASCII, where a term begins as its word does: so only
words that begin so are looked at. Everything else is analysed from its beginning.
"""

from __future__ import annotations

import re
import string
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from dal.search.analysis import (
    Token,
    is_separator,
    may_be_of_a_word,
    terms_and_places,
    word_term,
)

__all__ = ["Spotted"]

_CHUNK_CHARS: Final = 48
_WORD: Final = re.compile("[0-9A-Za-z]+")
_ALPHANUMERIC: Final = frozenset(string.ascii_letters + string.digits)
_SHORT_CHARS: Final = 3
_MAX_PLACE: Final = 1 << 60
_OTHERS: Final = re.compile(r"[^\x00-\x7f]")


def _roots(term: str) -> tuple[str, ...]:
    """What every word of ASCII begins with whose term this is.

    The stemmer changes the end of a word: of a stem of four letters and more its last one at most,
    of a shorter one all but the first two, and of dying, lying and tying the y.
    """
    if len(term) > _SHORT_CHARS:
        return (term[:-1],)
    return (term[:2], f"{term[0]}y") if term[1:2] == "i" else (term[:2],)


@lru_cache(maxsize=256)
def _roots_of(wanted: frozenset[str]) -> frozenset[str]:
    """The roots of all terms; none where a term may be of another word than one of ASCII."""
    if not all(term.isascii() and term[:1].isalnum() for term in wanted):
        return frozenset()
    return frozenset(root for term in wanted for root in _roots(term))


def _within(spans: list[tuple[int, int]], at: int) -> bool:
    """Whether a place is in one of the spans, which are in order."""
    found = bisect_right(spans, (at, _MAX_PLACE)) - 1
    return found >= 0 and at < spans[found][1]


class Spotted:
    """The terms of a text that are wanted, and where others begin and end."""

    def __init__(self, text: str, wanted: frozenset[str]) -> None:
        self._text = text
        roots = _roots_of(wanted)
        if roots:
            self.hits = self._looked_for(wanted, roots)
        else:
            self.hits = [Token(*found) for found in terms_and_places(text) if found[0] in wanted]

    def _looked_for(self, wanted: frozenset[str], roots: frozenset[str]) -> list[Token]:
        text = self._text
        found: dict[int, Token] = {}
        odd: list[tuple[int, int]] = []
        for start, end in self._odd():
            odd.append((start, end))
            part = text[start:end]
            if part.isascii():
                # A term that reaches over an apostrophe is of the word without it.
                bare = part.lower().replace("'", "")
                if not any(root in bare for root in roots):
                    continue
            for term, a, b in terms_and_places(part):
                if term in wanted:
                    found[start + a] = Token(term, start + a, start + b)
        # Where characters have lower forms of other lengths, they are odd and replaced.
        lowered = text.lower()
        if len(lowered) != len(text):
            lowered = "".join(char.lower() if char.isascii() else " " for char in text)
        for root in roots:
            start = lowered.find(root)
            while start >= 0:
                end = start + 1
                if start == 0 or lowered[start - 1] not in _ALPHANUMERIC:
                    match = _WORD.match(text, start)
                    if match is not None and not (odd and _within(odd, start)):
                        end = match.end()
                        term = word_term(match[0])
                        if term in wanted:
                            found[start] = Token(term, start, end)
                start = lowered.find(root, end)
        return [found[start] for start in sorted(found)]

    def _odd(self) -> Iterator[tuple[int, int]]:
        """What has to be analysed, in order: what stands together with an apostrophe, or with a
        character that is no ASCII and may be of a word.
        """
        text = self._text
        odd = {"'"}
        if not text.isascii():
            odd.update(char for char in set(_OTHERS.findall(text)) if may_be_of_a_word(char))
        places = []
        for char in odd:
            at = text.find(char)
            while at >= 0:
                places.append(at)
                at = text.find(char, at + 1)
        done = 0
        for place in sorted(places):
            if place < done:
                continue
            start, done = place, place + 1
            while start > 0 and not is_separator(text[start - 1]):
                start -= 1
            while done < len(text) and not is_separator(text[done]):
                done += 1
            yield start, done

    def _from(self, at: int) -> Iterator[tuple[int, int]]:
        """Where the terms start and end, from that on which a place is in, or the next one."""
        text = self._text
        # No term reaches over what separates words.
        while at > 0 and not is_separator(text[at - 1]):
            at -= 1
        while at < len(text):
            end = min(at + _CHUNK_CHARS, len(text))
            while end < len(text) and not is_separator(text[end]):
                end += 1
            part = text[at:end]
            if part.isascii() and "'" not in part:
                yield from (match.span() for match in _WORD.finditer(text, at, end))
            else:
                yield from ((at + a, at + b) for _, a, b in terms_and_places(part))
            at = end

    def _is_plain(self, start: int, end: int) -> bool:
        """Whether a piece is of ASCII alone and without apostrophes: terms are words there."""
        piece = self._text[max(start, 0) : end]
        return piece.isascii() and "'" not in piece

    def start_from(self, at: int) -> int:
        """Where the first term starts that starts at ``at`` or behind it; there is one."""
        text = self._text
        until = at + _CHUNK_CHARS
        if self._is_plain(at - 1, until):
            inside = at > 0 and text[at - 1] in _ALPHANUMERIC
            cut = _WORD.match(text, at) if inside else None
            word = _WORD.search(text, cut.end() if cut else at, until)
            if word is not None:
                return word.start()
        return next(start for start, _ in self._from(at) if start >= at)

    def end_before(self, at: int) -> int:
        """Where the last term ends that ends at ``at`` or before it; 0 without one."""
        if self._is_plain(at - _CHUNK_CHARS, at + 1):
            words = _WORD.finditer(self._text, max(at - _CHUNK_CHARS, 0), at + 1)
            ends = [word.end() for word in words if word.end() <= at]
            if ends:
                return ends[-1]
        begin, last = at, 0
        while begin > 0 and not last:
            begin = max(0, begin - _CHUNK_CHARS)
            for _, end in self._from(begin):
                if end > at:
                    break
                last = end
        return last
