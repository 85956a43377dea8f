"""dal/search/snippets.py: the piece of a text that shows why it was found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dal.errors import UsageError
from dal.records.snippets import Snippet
from dal.search.analysis import terms_of
from dal.search.query import query_terms
from dal.search.snippets import MAX_SNIPPET_SOURCE_CHARS, snippet

ANY_TEXT = st.text(st.characters(exclude_categories=()))
FILLER = "one two three four five six seven "


def marked(found: Snippet | None) -> list[str]:
    assert found is not None
    return [found.text[start:end] for start, end in found.highlights]


def test_a_short_text_is_shown_whole() -> None:
    found = snippet(["Reviews of Code, reviewed"], query_terms("code review"))
    assert found == Snippet("Reviews of Code, reviewed", ((0, 7), (11, 15), (17, 25)))


def test_the_first_text_with_a_term_is_shown() -> None:
    texts = ["nothing here", "a lemon", "lemon and pear"]
    assert marked(snippet(texts, query_terms("lemon pear"))) == ["lemon"]


def test_no_text_has_a_term() -> None:
    assert snippet(["a lemon", ""], query_terms("pear")) is None
    assert snippet(["a lemon"], ()) is None
    assert snippet([], ("lemon",)) is None


def test_the_piece_with_most_distinct_terms_is_shown() -> None:
    text = "lemon lemon lemon " + FILLER * 20 + "lemon pear " + FILLER * 20 + "pear pear"
    found = snippet([text], query_terms("pear lemon"), 60)
    assert marked(found) == ["lemon", "pear"]
    assert found is not None
    assert found.text[0] == found.text[-1] == "…"


def test_of_equal_pieces_the_first_with_most_hits_is_shown() -> None:
    text = "lemon A " + FILLER * 20 + "lemon lemon B " + FILLER * 20 + "lemon lemon C"
    found = snippet([text], ["lemon"], 40)
    assert found is not None
    assert "B" in found.text


def test_it_is_cut_between_words() -> None:
    text = FILLER * 20 + "lemon " + FILLER * 20
    for max_chars in range(20, 80):
        found = snippet([text], ["lemon"], max_chars)
        assert found is not None
        assert set(found.text.strip("…").split()) <= {*FILLER.split(), "lemon"}
        assert found.text.strip("…") == found.text.strip("…").strip()
        assert max_chars - 14 <= len(found.text) <= max_chars


def test_no_ellipsis_where_nothing_is_left_out() -> None:
    start = snippet(["lemon " + FILLER * 20], ["lemon"], 40)
    assert start is not None
    assert start.text.startswith("lemon")
    assert start.text.endswith("…")
    end = snippet([FILLER * 20 + "lemon."], ["lemon"], 40)
    assert end is not None
    assert end.text.startswith("…")
    assert end.text.endswith("lemon.")
    assert len(end.text) > 30


def test_pairs_that_overlap_are_marked_as_one() -> None:
    text = "我" * 300 + "喜欢编程语言" + "你" * 300
    found = snippet([text], query_terms("编程语言"), 40)
    assert marked(found) == ["编程语言"]
    assert found is not None
    assert len(found.text) == 40


def test_a_word_longer_than_the_piece_is_cut() -> None:
    assert snippet(["x" * 1_000], query_terms("x" * 1_000), 40) == Snippet(
        "x" * 38 + "…", ((0, 38),)
    )


def test_it_is_one_line_and_else_as_the_author_wrote_it() -> None:
    found = snippet(["<b>a\tlemon</b>\r\n&amp;\0\x1b[2J\u2028"], ["lemon"])
    assert found == Snippet("<b>a lemon</b>  &amp;  [2J ", ((5, 10),))


def test_places_are_those_in_the_text_whatever_it_was_folded_from() -> None:
    assert marked(snippet(["ﬁ Stra\u00dfe cafe\u0301s ｶﾞｷﾞ"], query_terms("café ガギ"))) == [
        "cafe\u0301s",
        "ｶﾞｷﾞ",
    ]


def test_what_is_far_down_is_not_looked_at() -> None:
    assert snippet(["-" * MAX_SNIPPET_SOURCE_CHARS + "lemon"], ["lemon"]) is None
    just = "-" * (MAX_SNIPPET_SOURCE_CHARS - 5) + "lemon and more"
    found = snippet([just], ["lemon"], 40)
    assert marked(found) == ["lemon"]
    assert found is not None
    assert found.text.endswith("…")


def test_many_hits_take_no_more_than_their_number() -> None:
    # Would not end, were anything quadratic.
    text = " ".join(["a", "b"] * 16_000)
    found = snippet([text], ["a", "b"], 64_000)
    assert found is not None
    assert len(found.highlights) > 31_000


def test_a_piece_has_room_for_a_word() -> None:
    with pytest.raises(UsageError, match="max_chars"):
        snippet(["lemon"], ["lemon"], 19)


@given(before=ANY_TEXT, word=st.sampled_from(["Lemon", "编程", "café", "😀"]), after=ANY_TEXT)
def test_marks_lie_inside_and_apart_and_hold_a_term(before: str, word: str, after: str) -> None:
    text = f"{before} {word} {after}"
    terms = query_terms(word)
    found = snippet([text], terms, 20)
    assert found is not None
    assert len(found.text) <= 20 or found.text == text
    assert found.highlights
    last = -1
    for start, end in found.highlights:
        assert last < start < end <= len(found.text)
        assert set(terms) & set(terms_of(found.text[start:end]))
        last = end
    assert len(found.text.splitlines()) == 1


@given(st.lists(ANY_TEXT, max_size=3), st.integers(20, 60))
def test_there_is_a_piece_wherever_there_is_a_term(texts: list[str], max_chars: int) -> None:
    for text in texts:
        for term in terms_of(text):
            found = snippet([text], [term], max_chars)
            assert found is not None
            assert found.highlights
            assert len(found.text) <= max_chars
