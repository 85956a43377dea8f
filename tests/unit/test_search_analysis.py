"""dal/search/analysis.py: texts to terms, for every script and whatever a str can hold."""

# ruff: noqa: RUF001 - letters that look alike are what is tested

from __future__ import annotations

import os
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dal.search.analysis import MAX_TERM_CHARS, Token, analyse, terms_of

CHECKOUT = Path(__file__).resolve().parents[2]

# Any code point, lone surrogates and unassigned ones too.
ANY_TEXT = st.text(st.characters(exclude_categories=()))
# What lies next to each other in earnest, and where the classes of the analysis meet.
TRICKY = st.text(
    st.sampled_from(
        "aZéŞßİıøΑάςйё5½①ﬁＡ'’ʼ_-+*\"()~@<>% \n\0.·"
        "中文々〇ひカｶﾞーㄅ한ㄱ\u1112\u1161\u11abกำຂខမ"
        "نصُأहिंத்ա֊א\u05b0"
        "😀👩🏽❤\ufe0f\u200d⚕🇩🇪1\u20e3#↔≠\u0338™℃‼"
        "\u0301\u0323\u00ad\u200b\u200c\u202e\ud800\udfff\U000e0067\U000e007f\U000e0100\U0010ffff"
    ),
    max_size=40,
)


def terms(text: str) -> list[str]:
    return list(terms_of(text))


# Words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("Reviewing reviews, reviewed!", ["review", "review", "review"]),
        ("AI in R or C", ["ai", "in", "r", "or", "c"]),
        ("GPT-4o has 128000 tokens", ["gpt", "4o", "has", "128000", "token"]),
        ("3.5", ["3", "5"]),
        ("snake_case {{user_name}} ${path}", ["snake", "case", "user", "name", "path"]),
        ('+a -b *c "d" (e) ~f @g <h> %i _j', list("abcdefghij")),
        ("Café CAFE cafe\u0301 ＣＡＦＥ", ["cafe"] * 4),
        ("Straße STRASSE", ["strass"] * 2),
        ("Øre łódź đ œuvre İzmir ı", ["ore", "lodz", "d", "oeuvr", "izmir", "i"]),
        ("ﬁle m²", ["file", "m2"]),
        ("Οδός ΟΔΟΣ", ["οδ"] * 2),
        ("шаблонами шаблон", ["шаблон"] * 2),
        ("ещё еще уда\u0301ром ударом", ["ещ", "ещ", "удар", "удар"]),
        ("самолёт самолет", ["самолет"] * 2),
        ("й и", ["й", "и"]),
        ("αεί", ["αει"]),
        ("½ x½ ⑴ ﷺ", ["½", "x", "½", "⑴", "ﷺ"]),
        ("كتاب الكتاب كِتَاب", ["كتاب"] * 3),
        ("שָׁלוֹם שלום", ["שלום"] * 2),
        ("soft\u00adware", ["softwar"]),
        ("می\u200cروم میروم", terms("میروم") * 2),
        ("\u0301a", ["a"]),
        ("a\ud800b\0c\u0378d\ue000e", list("abcde")),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize("word", ["लड़कियाँ", "மரங்கள்", "արդյունքներ"])
def test_other_scripts_with_a_stemmer_are_stemmed(word: str) -> None:
    (term,) = terms(word)
    assert len(term) < len(word)


def test_a_script_without_a_stemmer_is_left_whole() -> None:
    assert terms("თბილისელებისთვის") == ["თბილისელებისთვის"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don't DON’T dont", ["dont"] * 3),
        ("you're we've she'll", ["your", "weve", "shell"]),
        ("user's users' users", ["user"] * 3),
        ("O'Reilly l’avion j'ai", ["o", "reilli", "l", "avion", "j", "ai"]),
        ("'quoted'", ["quot"]),
        ("a'", ["a"]),
        ("rock'n'roll", ["rock", "n", "roll"]),
    ],
)
def test_apostrophes(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_the_possessive_is_not_marked() -> None:
    text = "the user's own"
    assert [text[t.start : t.end] for t in analyse(text)] == ["the", "user", "own"]


# Scripts without spaces


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("猫", ["猫"]),
        ("提示词", ["提示", "示词"]),
        ("用Python写代码", ["用", "python", "写代", "代码"]),
        ("カメラ ｶﾒﾗ", ["カメ", "メラ"] * 2),
        ("ガギ ｶﾞｷﾞ カ\u3099キ\u3099", ["ガギ"] * 3),
        ("한국어", ["한국", "국어"]),
        ("时々、〇", ["时々", "〇"]),
        ("ไทย", ["ไท", "ทย"]),
        ("中\ufe00文", ["中文"]),
        ("中\u200b文", ["中", "文"]),
    ],
)
def test_runs_are_cut_in_overlapping_pairs(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_a_mark_stays_with_its_character() -> None:
    # Vowel and tone of Thai are characters to Unicode, and none to a reader.
    assert [t.start for t in analyse("ที่นี่")] == [0]


HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=2, max_size=12)


@given(before=TRICKY, run=HAN, border=st.sampled_from("的カ한a1'。 😀"), after=TRICKY)
def test_a_run_of_han_in_a_text_is_found_by_its_terms(
    before: str, run: str, border: str, after: str
) -> None:
    # A mark behind it would be part of its last character.
    assert set(terms(run)) <= set(terms(before + run + border + after))


# Symbols


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("😀", 1),
        ("😀😁", 2),
        ("👍🏽", 1),
        ("👩‍⚕️", 1),
        ("👨‍👩‍👧‍👦", 1),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", 1),
        ("🇩🇪🇫🇷", 2),
        ("1️⃣#️⃣", 2),
        ("↔️ ‼ 〰 〽", 4),
        ("€→", 2),
        ("🏽", 1),
        ("\U0001faff", 1),
    ],
)
def test_a_symbol_is_one_term(text: str, n: int) -> None:
    assert len(terms(text)) == n


def test_how_an_emoji_is_to_be_shown_does_not_matter() -> None:
    assert terms("❤️") == terms("❤") == terms("❤︎")
    assert terms("I❤️NY") == ["i", "❤", "ny"]


def test_a_half_flag_is_not_part_of_the_next_word() -> None:
    assert terms("🇩a") == ["🇩", "a"]


def test_4733_emoji_stay_distinct() -> None:
    named = os.environ.get("DAL_TEST_DATA")
    folder = Path(named) if named else CHECKOUT.parent / "shared" / "data"
    path = folder / "emoji_collation_groups.tsv"
    if not path.is_file():
        pytest.skip("real data is absent: set DAL_TEST_DATA")
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    emoji = [line.split("\t")[0] for line in lines]
    assert len(emoji) == 4_733
    found = {one: tuple(terms(one)) for one in emoji}
    assert {len(one) for one in found.values()} == {1}
    # The same emoji without the sign that asks for colour is the same emoji.
    assert len(set(found.values())) == len({one.replace("\ufe0f", "") for one in emoji})


# Any text


@given(ANY_TEXT | TRICKY)
@example("\ud800")
@example("\0")
def test_any_text_has_terms_and_each_has_its_place(text: str) -> None:
    before = 0
    for token in analyse(text):
        assert token.term
        assert len(token.term) <= max(MAX_TERM_CHARS, 40)
        assert before <= token.start < token.end <= len(text)
        before = token.start
        token.term.encode()  # no lone surrogate
    assert terms(text) == [token.term for token in analyse(text)]


@given(ANY_TEXT | TRICKY)
@example("\u1112\u1161\u11ab국")
@example("≠a↮")
@example("a\u0323\u0301 q\u0307\u0323")
def test_composed_and_decomposed_forms_have_the_same_terms(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    decomposed = unicodedata.normalize("NFD", text)
    assert terms(composed) == terms(decomposed) == terms(text)


@given(st.text(st.characters(codec="ascii")))
def test_case_does_not_matter(text: str) -> None:
    assert terms(text.upper()) == terms(text.lower()) == terms(text)


@given(st.lists(TRICKY, max_size=5))
def test_lines_are_analysed_as_if_each_were_alone(texts: list[str]) -> None:
    assert terms("\n".join(texts)) == [term for text in texts for term in terms(text)]


def test_a_place_is_that_in_the_text_as_it_was_given() -> None:
    text = "ﬁ\u00ad STRASSE\u0301 ｶﾞｷﾞ"
    assert [text[t.start : t.end] for t in analyse(text)] == ["ﬁ", "STRASSE\u0301", "ｶﾞｷﾞ"]
    assert next(analyse(" ab")) == Token("ab", 1, 3)


# Bounds


def test_long_words_are_told_apart_by_their_beginning() -> None:
    (term,) = terms("x" * 1_000_000)
    assert term == "x" * MAX_TERM_CHARS
    assert terms("x" * 64 + "a") == terms("x" * 64 + "b")
    assert terms("x" * 63 + "a") != terms("x" * 63 + "b")


@pytest.mark.parametrize(
    ("first", "unit", "n"),
    [
        ("e", "\u0301\u0323", 1),
        ("中", "\u0301\u0323", 1),
        ("😀", "\u0301\u0323", 1),
        ("e", "\u00ad", 1),
        ("e", "😀\u200d", 2),
        ("e", "1\ufe0f", 1),
        ("e", "a'", 300_000),
        ("e", "中", 300_000),
        ("e", "🇩", 150_001),
        ("e", "\u1100\u1161", 300_000),
    ],
)
def test_a_long_text_of_one_kind_takes_no_more_than_its_length(
    first: str, unit: str, n: int
) -> None:
    # Would not end, were anything quadratic.
    assert sum(1 for _ in analyse(first + unit * 300_000)) == n


def test_threads_do_not_disturb_each_other() -> None:
    words = [
        f"{stem}{end}" for stem in ("review", "prompt", "select") for end in ("ing", "ed", "s")
    ]
    text = " ".join(f"{word} {word}{n}" for n in range(200) for word in words)
    alone = terms(text)
    with ThreadPoolExecutor(8) as pool:
        assert all(found == alone for found in pool.map(terms, [text] * 16))
