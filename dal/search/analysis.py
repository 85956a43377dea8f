"""Texts to terms: what the search over templates compares, and where it stands in the text.

A term is not for eyes: it is folded to one case and one normal form, without the accents of Latin,
Greek and Hebrew, and stemmed where there is a stemmer of its script. Scripts without spaces are cut
in overlapping pieces of two characters. An emoji is a term of its own. Everything else parts terms:
punctuation, and every character that a server's full-text syntax knows.

A text is never normalised as a whole, so places in it stay what they are: each character gets a
class, an expression over the classes finds the words, and each word is normalised by itself.
Whatever two canonically equivalent texts consist of has the same classes, so both have the same
terms.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import attrs
from Stemmer import Stemmer

__all__ = [
    "MAX_TERM_CHARS",
    "Token",
    "analyse",
    "is_separator",
    "may_be_of_a_word",
    "terms_and_places",
    "terms_of",
    "word_term",
]

MAX_TERM_CHARS: Final = 64
"""Longer words are the same term when they begin with the same so many characters."""

# What is looked at of one word, and of one character with its marks: sorting marks is quadratic.
_MAX_WORD_CHARS: Final = 4 * MAX_TERM_CHARS
_MAX_PIECE_CHARS: Final = 32
_CACHED_WORDS: Final = 32_768

# The classes of characters.
_SEPARATOR: Final = " "
_LETTER: Final = "w"  # and numbers
_DIGIT: Final = "d"  # those of keycaps
_MARK: Final = "m"  # belongs to the character before, whatever that is
_UNSPACED: Final = "h"
_APOSTROPHE: Final = "a"
_IGNORED: Final = "i"  # inside a word: soft hyphen, marks of direction
_JOINER: Final = "j"
_VARIATION: Final = "v"
_SYMBOL: Final = "s"
_SKIN_TONE: Final = "p"
_TAG: Final = "t"  # of the flags of England and its like
_REGIONAL: Final = "r"  # two of them are a flag
_KEYCAP: Final = "k"
_KEYCAP_BASE: Final = "n"  # the number sign and the asterisk
# What makes no word, beside whatever it stands.
_APART: Final = frozenset({_SEPARATOR, _UNSPACED, _SYMBOL, _SKIN_TONE, _TAG, _REGIONAL})

_FOUND: Final = re.compile(
    r"""
      (?P<keycap> [dn] v* k )
    | (?P<word> [wd][wdm]* (?: [ijv]+ [wdm]+ )* ) (?P<tail> a [wd]{1,2} (?![wdm]) )?
    | (?P<run> h [hmijv]* )
    | (?P<symbol> [sp][mvpt]* (?: j [sp][mvpt]* )* | r v* (?: r v* )? )
    """,
    re.VERBOSE,
)
_PIECE: Final = re.compile(r"h[mijv]*")

# Scripts that are written without spaces, as the names of their characters begin.
_UNSPACED_NAMES: Final = (
    "CJK UNIFIED IDEOGRAPH",
    "CJK COMPATIBILITY IDEOGRAPH",
    "IDEOGRAPHIC",
    "HIRAGANA",
    "KATAKANA",
    "HALFWIDTH KATAKANA",
    "HANGUL",
    "HALFWIDTH HANGUL",
    "BOPOMOFO",
    "THAI",
    "LAO",
    "KHMER",
    "MYANMAR",
)
_STEMMERS: Final = {
    "LATIN": "english",
    "CYRILLIC": "russian",
    "ARABIC": "arabic",
    "GREEK": "greek",
    "DEVANAGARI": "hindi",
    "TAMIL": "tamil",
    "ARMENIAN": "armenian",
}
# Accents are part of the letter elsewhere: a Cyrillic short i is no i.
_WITHOUT_ACCENTS: Final = frozenset({"LATIN", "GREEK", "HEBREW"})
# Letters that no normal form takes apart, as those write them who have no key for them.
_PLAIN: Final = str.maketrans(
    {
        "æ": "ae",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "œ": "oe",
        "ŧ": "t",
        "þ": "th",
        "ı": "i",  # noqa: RUF001 - the letter without a dot is meant
    }
)
# Shows where the stress is, in Russian for learners; the dots of its yo are the stemmer's matter.
_STRESS: Final = "\u0301"
# Behind an apostrophe, these belong to the word before: "don't" is found by "dont".
_CONTRACTIONS: Final = frozenset({"t", "d", "m", "re", "ve", "ll"})
# Shown as emoji, but punctuation to Unicode.
_EMOJI_PUNCTUATION: Final = "\u203c\u2049\u3030\u303d"


def _class_of(char: str) -> str:
    """The class of a character; of a composed one, that of the character it begins with."""
    char = unicodedata.normalize("NFD", char)[0]
    category = unicodedata.category(char)
    if "\U0001f3fb" <= char <= "\U0001f3ff":
        return _SKIN_TONE
    if "\U0001f1e6" <= char <= "\U0001f1ff":
        return _REGIONAL
    if "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef":
        return _VARIATION
    if "\U000e0020" <= char <= "\U000e007f":
        return _TAG
    if category[0] in "LN":
        return _class_of_letter(char)
    if category[0] == "M":
        return _MARK
    if category == "Cf":
        return _IGNORED
    # Emoji that are newer than this Python's Unicode, in the blocks that are kept for them.
    if category == "Cn" and "\U0001f000" <= char <= "\U0001faff":
        return _SYMBOL
    # Other symbols of ASCII are syntax: of prices, of variables, of markup.
    if category in ("So", "Sm", "Sc") and not char.isascii():
        return _SYMBOL
    return _SYMBOL if char in _EMOJI_PUNCTUATION else _SEPARATOR


def _class_of_letter(char: str) -> str:
    # Korean vowels and final consonants compose with what is before; so does a half-width sign.
    if "\u1160" <= char <= "\u11ff" or char in "\uff9e\uff9f":
        return _MARK
    if unicodedata.name(char, "").startswith(_UNSPACED_NAMES):
        return _UNSPACED
    # A fraction, a number in brackets, a ligature of a sentence: a sign rather than letters.
    whole = unicodedata.normalize("NFKC", char)
    return _LETTER if all(unicodedata.category(one)[0] in "LNM" for one in whole) else _SYMBOL


class _Classes(dict[int, str]):
    """The class of each character by its code, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        found = self[code] = _class_of(chr(code))
        return found


_CLASSES: Final = _Classes(
    {
        **{ord(digit): _DIGIT for digit in "0123456789"},
        **{ord(sign): _KEYCAP_BASE for sign in "#*"},
        **{ord(sign): _APOSTROPHE for sign in "'\u2019\u02bc\uff07"},
        0x200D: _JOINER,
        0x200B: _SEPARATOR,  # the space of no width, between words of Thai or Khmer
        0x20E3: _KEYCAP,
    }
)


@attrs.frozen(slots=True)
class Token:
    """A term, and where it stands: ``text[start:end]``, in characters of the text analysed."""

    term: str
    start: int
    end: int


class _Stemmers(threading.local):
    """The stemmers of one thread: they keep state while they work."""

    def __init__(self) -> None:
        # What is stemmed is cached here, with what it was before it was folded.
        self.by_script = {script: Stemmer(name, 0) for script, name in _STEMMERS.items()}


_stemmers: Final = _Stemmers()


def _without_ignored(text: str) -> str:
    return text if text.isascii() else "".join(c for c in text if _CLASSES[ord(c)] not in "ijv")


def _folded(text: str) -> str:
    """NFKC of the case-folded NFKC."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded)


def _script(word: str) -> str:
    """The script of the first letter, as the names of its characters begin."""
    for char in word:
        if char.isalpha():
            return unicodedata.name(char, "").partition(" ")[0]
    return ""


def word_term(raw: str) -> str:
    """The term of a word; of a longer one than is worth looking at, that of its beginning."""
    if len(raw) > MAX_TERM_CHARS:
        return _new_word_term(raw[:_MAX_WORD_CHARS])
    return _cached_word_term(raw)


def _new_word_term(raw: str) -> str:
    if raw.isascii():
        word, script = raw.lower(), "LATIN"
    else:
        word = _folded(_without_ignored(raw))
        script = _script(word)
        if script in _WITHOUT_ACCENTS:
            apart = unicodedata.normalize("NFD", word)
            bare = "".join(c for c in apart if unicodedata.category(c) != "Mn")
            word = unicodedata.normalize("NFC", bare)
        elif script == "CYRILLIC":
            word = word.replace(_STRESS, "")
        word = word.translate(_PLAIN)
    if len(word) > MAX_TERM_CHARS:
        return word[:MAX_TERM_CHARS]
    stemmer = _stemmers.by_script.get(script)
    # A stem may be nothing at all.
    return (stemmer.stemWord(word) or word) if stemmer else word


_cached_word_term = lru_cache(maxsize=_CACHED_WORDS)(_new_word_term)


@lru_cache(maxsize=_CACHED_WORDS)
def _piece(raw: str) -> str:
    """A character of an unspaced script with its marks, folded."""
    return _folded(_without_ignored(raw))


def _symbol(raw: str) -> str:
    """A symbol or a sequence of them, however it is to be shown."""
    kept = "".join(c for c in raw[:_MAX_WORD_CHARS] if _CLASSES[ord(c)] != _VARIATION)
    return unicodedata.normalize("NFC", kept)[:MAX_TERM_CHARS]


def _word(text: str, start: int, middle: int, end: int) -> Iterator[tuple[str, int, int]]:
    """The terms of a word with an apostrophe at ``middle`` and one or two characters behind it."""
    word, tail = text[start:middle], text[middle + 1 : end]
    folded = tail.casefold()
    if folded in _CONTRACTIONS:
        yield word_term(word + tail), start, end
        return
    yield word_term(word), start, middle
    # Of the possessive nothing is left; "j'ai" is two words.
    if folded != "s":
        yield word_term(tail), middle + 1, end


def _run(text: str, classes: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """The terms of a run of an unspaced script: each two neighbours, or the only one."""
    raw = text[start:end]
    if classes.count(_UNSPACED, start, end) == end - start and (
        unicodedata.is_normalized("NFKC", raw)
    ):
        # Such scripts know no case, so there is nothing to fold.
        if len(raw) == 1:
            yield raw, start, end
        for at in range(len(raw) - 1):
            yield raw[at : at + 2], start + at, start + at + 2
        return
    before: tuple[str, int] | None = None
    for found in _PIECE.finditer(classes, start, end):
        at, until = found.span()
        piece = _piece(text[at : min(until, at + _MAX_PIECE_CHARS)])
        if before is not None:
            yield before[0] + piece, before[1], until
        elif until == end:
            yield piece, at, until
        before = piece, at


def _terms(text: str) -> Iterator[tuple[str, int, int]]:
    """Each term with where it starts and ends."""
    classes = text.translate(_CLASSES)
    for found in _FOUND.finditer(classes):
        start, end = found.span()
        kind = found.lastgroup
        if kind == "word":
            yield word_term(text[start:end]), start, end
        elif kind == "run":
            yield from _run(text, classes, start, end)
        elif kind == "tail":
            yield from _word(text, start, found.start("tail"), end)
        else:
            yield _symbol(text[start:end]), start, end


def is_separator(char: str) -> bool:
    """Whether no term reaches over a character."""
    return _CLASSES[ord(char)] == _SEPARATOR


def may_be_of_a_word(char: str) -> bool:
    """Whether a character may be of one term with a letter or number beside it."""
    return _CLASSES[ord(char)] not in _APART


def terms_and_places(text: str) -> Iterator[tuple[str, int, int]]:
    """As :func:`analyse`, as plain tuples."""
    return _terms(text)


def analyse(text: str) -> Iterator[Token]:
    """The terms of a text in its order, and where each stands.

    Takes whatever a str can hold, and time in proportion to its length. The pieces of a script
    without spaces overlap; nothing else does. The stemmer (Snowball) goes by the script of a word,
    not by its language: Latin as English, Cyrillic as Russian.
    """
    return (Token(term, start, end) for term, start, end in _terms(text))


def terms_of(text: str) -> Iterator[str]:
    """As :func:`analyse`, the terms alone."""
    return (term for term, _, _ in _terms(text))
