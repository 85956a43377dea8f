"""Spotting finds what the analysis finds, where it finds it; it only looks at less."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from hypothesis import example, given
from hypothesis import strategies as st

from dal.search.analysis import analyse, terms_of
from dal.search.spotting import Spotted, _roots

PIECES = st.sampled_from(
    ["review", "Reviews", "don't", "j'ai", "cat's", "a'b'cd", "x'", "'re", "rev're", "rr", "R2D2",
     "3", "dying", "skies", "ugly", "by", "Yes", "#", "*", "_", " ", "  ", "-", ".", "\n", "''",
     "o'clock", "é", "你好", "\u2019s", "\U0001f600", "1\u20e3"]
)  # fmt: skip
TEXTS = st.lists(PIECES | st.text(st.characters(max_codepoint=127), max_size=4)).map("".join)
ASCII = TEXTS.map(lambda text: text.encode("ascii", "ignore").decode())


STEMS = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789"), min_size=1)
ENDS = st.sampled_from(
    ["", "s", "es", "ies", "ied", "ed", "ing", "ly", "ying", "y", "sses", "ational", "ization",
     "izer", "fulness", "ousli", "ability", "ivity", "ency", "ogi", "iveness", "bling", "ating",
     "eedly"]
)  # fmt: skip


@given(st.builds(str.__add__, STEMS, ENDS))
@example("dying")
@example("sensibility")
@example("conflated")
@example("relational")
@example("valency")
@example("hoping")
@example("hopping")
@example("news")
@example("skis")
@example("singly")
@example("only")
@example("early")
@example("gently")
@example("idly")
@example("tying")
@example("lying")
@example("skies")
@example("Yes")
def test_a_term_of_ascii_begins_as_its_word_does(word: str) -> None:
    (term,) = terms_of(word)
    assert word.lower().startswith(_roots(term))


@given(TEXTS | ASCII, st.data())
def test_the_same_as_the_analysis(text: str, data: st.DataObject) -> None:
    tokens = list(analyse(text))
    known = sorted({token.term for token in tokens} | {"review", "re", "ai", "dont"})
    wanted = data.draw(st.frozensets(st.sampled_from(known), max_size=3))
    spotted = Spotted(text, wanted)
    assert spotted.hits == [token for token in tokens if token.term in wanted]
    at = data.draw(st.integers(0, len(text)))
    following = bisect_left(tokens, at, key=lambda token: token.start)
    if following < len(tokens):
        assert spotted.start_from(at) == tokens[following].start
    preceding = bisect_right(tokens, at, key=lambda token: token.end) - 1
    assert spotted.end_before(at) == (tokens[preceding].end if preceding >= 0 else 0)
