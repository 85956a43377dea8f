"""The list and search over users: what is built of which criteria, and nothing else."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from itertools import combinations
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dal
from dal.records.clock import END_OF_TIME, START_OF_TIME
from dal.records.ids import MAX_ID
from dal.records.page import Key, decode_cursor, encode_cursor
from dal.records.users import User, normalize_email
from dal.search.users import (
    WINDOW_ROWS,
    Match,
    UserArm,
    UserSearch,
    every_user_shape,
    first_key,
    user_search,
)
from dal.statements import Dynamic
from dal.statements.lexer import Kind, tokens

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
AT = datetime(2026, 1, 1, tzinfo=UTC)
ID = UUID(int=7)
KEYS: dict[UserArm, Key] = {
    UserArm.ALL: (AT, ID),
    UserArm.NAME: ("Ann", ID),
    UserArm.EMAIL: ("ann@example.org",),
    UserArm.WINDOW: (AT, ID),
}
UNTIL: Key = (START_OF_TIME, UUID(int=0))
LIVE = "`u`.`deleted_at` IS NULL"
NEWEST_FIRST = " ORDER BY `u`.`created_at` DESC,`u`.`id` DESC LIMIT :limit_rows"
LATER = (
    "(`u`.`created_at`<:after_at OR (`u`.`created_at`=:after_at AND `u`.`id`<:after_id))"
)  # fmt: skip
INDEX_AND_READS = [
    (UserArm.ALL, {}, "ix_users_created", "rows + 1"),
    (UserArm.ALL, {"is_active": True}, "ix_users_activity", "rows + 2"),
    (UserArm.ALL, {"is_active": False}, "ix_users_activity", "rows + 2"),
    (UserArm.ALL, {"role": "user"}, "ix_users_role", "rows + 2"),
    (
        UserArm.ALL,
        {"role": "user", "is_active": True},
        "ix_users_role",
        "n/a: filters pass over rows",
    ),
    (UserArm.NAME, {}, "ix_users_name", "rows + 1"),
    (UserArm.NAME, {"role": "user"}, "ix_users_name", "n/a: filters pass over rows"),
    (UserArm.NAME, {"is_active": True}, "ix_users_name", "n/a: filters pass over rows"),
    (UserArm.EMAIL, {}, "uq_users_email_live", "n/a: those found by name are passed over"),
    (UserArm.WINDOW, {}, "ix_users_created", "n/a: at most the 5000 rows of the window"),
]


def build(arm: UserArm, text: str = "needle", **filters: Any) -> Dynamic[User]:
    search = UserSearch(
        text=None if arm is UserArm.ALL else text,
        match=Match.SUBSTRING if arm is UserArm.WINDOW else Match.PREFIX,
        **filters,
    )
    until = UNTIL if arm is UserArm.WINDOW else None
    return user_search(search, arm, after=KEYS[arm], limit_rows=21, until=until)


def conditions(built: Dynamic[User]) -> str:
    """What stands behind WHERE, the order and the limit too."""
    return built.handle.statement.sql.split(" WHERE ", 1)[1]


def test_every_shape_is_made_of_bound_values_alone() -> None:
    labels: set[str] = set()
    texts: set[tuple[str, str]] = set()
    for label, built in every_user_shape("needle"):
        statement = built.handle.statement
        kinds = {token.kind for token in tokens(statement.sql)}
        assert kinds <= {Kind.WORD, Kind.QUOTED_NAME, Kind.PARAM, Kind.SPACE, Kind.OTHER}, label
        assert "needle" not in statement.sql
        assert LIVE in statement.sql
        assert not statement.writes
        assert built.handle.record is User
        assert statement.name in {f"search/users_{arm}" for arm in UserArm}
        assert (statement.header.access, statement.header.deleted) == ("system", "excluded")
        # The header says the key that is forced, and no other is.
        assert statement.sql.count(" FORCE INDEX ") == 1
        assert f" FORCE INDEX (`{statement.header.index}`) " in statement.sql
        assert ("`u`.`role`=:role" in statement.sql) == ("role" in label.split())
        assert ("`u`.`is_active`=:is_active" in statement.sql) == ("activity" in label.split())
        statement.render(built.values)
        labels.add(label)
        texts.add((statement.name, statement.sql))
    assert len(labels) == len(texts) == len(UserArm) * 2 * 2


def test_the_columns_are_those_of_the_record() -> None:
    columns = ",".join(f"`u`.`{field.name}` `{field.name}`" for field in attrs.fields(User))
    for label, built in every_user_shape("needle"):
        assert built.handle.statement.sql.startswith(f"SELECT {columns} FROM `users` `u` "), label


@pytest.mark.parametrize(("arm", "filters", "index", "reads"), INDEX_AND_READS)
def test_index_and_budget(arm: UserArm, filters: dict[str, Any], index: str, reads: str) -> None:
    header = build(arm, **filters).handle.statement.header
    assert (header.index, header.reads) == (index, reads)


def test_the_list_of_all() -> None:
    built = build(UserArm.ALL)
    assert conditions(built) == f"{LIVE} AND {LATER}{NEWEST_FIRST}"
    assert built.values == {"after_at": AT, "after_id": ID, "limit_rows": 21}


def test_by_name() -> None:
    built = build(UserArm.NAME)
    assert conditions(built) == (
        f"{LIVE} AND `u`.`full_name` LIKE :name_prefix"
        " AND (`u`.`full_name`>:after_name"
        " OR (`u`.`full_name`=:after_name AND `u`.`id`>:after_id))"
        " ORDER BY `u`.`full_name` ASC,`u`.`id` ASC LIMIT :limit_rows"
    )
    assert built.values == {
        "name_prefix": "needle%",
        "after_name": "Ann",
        "after_id": ID,
        "limit_rows": 21,
    }


def test_by_address_and_not_by_name() -> None:
    built = build(UserArm.EMAIL, "Needle")
    assert conditions(built) == (
        f"{LIVE} AND `u`.`email_live`>=:email_prefix AND `u`.`email_live`<:email_end"
        " AND `u`.`full_name` NOT LIKE :name_prefix AND `u`.`email_live`>:after_email"
        " ORDER BY `u`.`email_live` ASC LIMIT :limit_rows"
    )
    assert built.values == {
        "name_prefix": "Needle%",
        "email_prefix": "needle",
        "email_end": "needlf",
        "after_email": "ann@example.org",
        "limit_rows": 21,
    }


def test_an_address_is_not_looked_for_with_like() -> None:
    """In utf8mb4_bin both servers end the range of LIKE at U+FFFF: by a key, an address that goes
    on with a character of four bytes was not found.
    """
    for label, built in every_user_shape("needle"):
        by_email = built.handle.statement.name == "search/users_email"
        assert not (by_email and "`email_live` LIKE" in built.handle.statement.sql), label


def test_in_a_window() -> None:
    built = build(UserArm.WINDOW, "Needle")
    assert conditions(built) == (
        f"{LIVE} AND (`u`.`full_name` LIKE :pattern OR `u`.`email_live` LIKE :email_pattern)"
        f" AND {LATER}"
        " AND (`u`.`created_at`>:window_at"
        " OR (`u`.`created_at`=:window_at AND `u`.`id`>=:window_id))"
        f"{NEWEST_FIRST}"
    )
    assert built.values == {
        "pattern": "%Needle%",
        "email_pattern": "%needle%",
        "after_at": AT,
        "after_id": ID,
        "window_at": START_OF_TIME,
        "window_id": UUID(int=0),
        "limit_rows": 21,
    }
    assert WINDOW_ROWS == 5_000


def test_filters_are_bound() -> None:
    for arm in UserArm:
        values = build(arm, role="viewer", is_active=False).values
        assert (values["role"], values["is_active"]) == (dal.Role.VIEWER, False)


def test_wildcards_stand_for_themselves() -> None:
    text = "50%_\\"
    assert build(UserArm.NAME, text).values["name_prefix"] == "50\\%\\_\\\\%"
    by_email = build(UserArm.EMAIL, text).values
    assert by_email["name_prefix"] == "50\\%\\_\\\\%"
    # No pattern, so nothing to escape.
    assert (by_email["email_prefix"], by_email["email_end"]) == ("50%_\\", "50%_]")
    window = build(UserArm.WINDOW, text).values
    assert window["pattern"] == window["email_pattern"] == "%50\\%\\_\\\\%"


def test_an_address_is_looked_for_in_the_form_in_which_it_is_stored() -> None:
    decomposed = "JOSE\N{COMBINING ACUTE ACCENT}"
    stored = normalize_email(f"{decomposed}@example.org")
    by_email = build(UserArm.EMAIL, decomposed).values
    assert stored.startswith(str(by_email["email_prefix"]))
    # A name is stored as it was typed.
    assert by_email["name_prefix"] == f"{decomposed}%"
    assert build(UserArm.WINDOW, decomposed).values["email_pattern"] == "%jos\xe9%"


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("a", "b"),
        ("a\uffff", "a\U00010000"),
        ("a\ud7ff", "a\ue000"),
        ("a\U0010ffff", "b"),
        ("\U0010ffff", "\U0010ffff" * 254),
    ],
)
def test_where_the_addresses_with_a_prefix_end(text: str, end: str) -> None:
    assert build(UserArm.EMAIL, text).values["email_end"] == end


@given(TEXT, TEXT)
def test_between_prefix_and_end_is_what_starts_so(text: str, other: str) -> None:
    try:
        values = build(UserArm.EMAIL, text).values
    except dal.UsageError:
        return
    prefix, end = str(values["email_prefix"]), str(values["email_end"])
    for address in (other, prefix + other, prefix, prefix + "\U0010ffff"):
        assert (prefix <= address < end) == address.startswith(prefix)


@given(st.sampled_from(UserArm), TEXT)
def test_any_text_is_a_search(arm: UserArm, text: str) -> None:
    """What is typed never becomes part of the text, and is a value that can be sent."""
    if UserSearch(text=text).text is None:
        return
    built = build(arm, text)
    assert built.handle.statement.sql == build(arm).handle.statement.sql
    built.handle.statement.render(built.values)


@pytest.mark.parametrize(
    "letter", ["x", "%", "\\", "'", "\0", "\xdf", "\u0130", "\ufb2c", "\U0010ffff"]
)
@pytest.mark.parametrize("arm", UserArm)
def test_the_longest_text_can_be_sent(arm: UserArm, letter: str) -> None:
    built = build(arm, letter * 100)
    built.handle.statement.render(built.values)


def test_no_character_becomes_more_than_three() -> None:
    """In the form of addresses; the lengths of their parameters count on it."""
    longest = 0
    for point in range(0x110000):
        if not 0xD800 <= point < 0xE000:
            lower = unicodedata.normalize("NFC", chr(point)).lower()
            longest = max(longest, len(unicodedata.normalize("NFC", lower)))
    assert longest == 3


def test_what_a_search_is_made_of() -> None:
    search = UserSearch(text=" Ann  B ", match="substring", role="admin", is_active=True)
    assert (search.text, search.match) == ("Ann  B", Match.SUBSTRING)
    assert (search.role, search.is_active) == (dal.Role.ADMIN, True)
    assert UserSearch() == UserSearch(text=" \n", match="prefix", role=None, is_active=None)
    assert UserSearch().text is None
    assert UserSearch(text=f"  {'x' * 100}  ").text == "x" * 100


def test_which_statements_a_search_is() -> None:
    assert UserSearch().arms == (UserArm.ALL,)
    assert UserSearch(match="substring").arms == (UserArm.ALL,)
    assert UserSearch(text="a").arms == (UserArm.NAME, UserArm.EMAIL)
    assert UserSearch(text="a", match="substring").arms == (UserArm.WINDOW,)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("text", [5, b"text", ["a"], "x" * 101, "\ud800", True]),
        ("match", ["suffix", "", None, 1, "PREFIX", []]),
        ("role", ["owner", "", 1, True, "ADMIN", []]),
        ("is_active", [1, 0, "true", "", []]),
    ],
)
def test_what_is_refused_names_its_field(field: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(dal.ValueRejectedError) as caught:
            UserSearch(**{field: value})
        assert caught.value.field == field


def test_another_search_is_another_list() -> None:
    searches = [
        UserSearch(),
        UserSearch(text="ann"),
        UserSearch(text="Ann"),
        UserSearch(text="null"),
        UserSearch(text="ann", match="substring"),
        UserSearch(role="user"),
        UserSearch(role="admin"),
        UserSearch(text="user"),
        UserSearch(is_active=True),
        UserSearch(is_active=False),
        UserSearch(text="ann", role="user", is_active=True),
        UserSearch(text='ann", "user'),
    ]
    for one, other in combinations(searches, 2):
        assert one.list_name != other.list_name
    same = UserSearch(text=" ann ", match=Match.PREFIX, role=None)
    assert same.list_name == UserSearch(text="ann").list_name


def test_where_the_first_page_starts() -> None:
    assert first_key(UserArm.ALL) == first_key(UserArm.WINDOW) == (END_OF_TIME, MAX_ID)
    assert first_key(UserArm.NAME) == ("", UUID(int=0))
    assert first_key(UserArm.EMAIL) == ("",)
    for arm, key in KEYS.items():
        # A cursor says which arm it is of, then where.
        cursor = encode_cursor("list", (1, *key))
        assert decode_cursor("list", cursor, (0, *first_key(arm))) == (1, *key)
    by_name = encode_cursor("list", (0, *KEYS[UserArm.NAME]))
    with pytest.raises(dal.ValueRejectedError):
        decode_cursor("list", by_name, (0, *first_key(UserArm.EMAIL)))


def test_an_arm_is_of_its_search() -> None:
    for search in (UserSearch(), UserSearch(text="a"), UserSearch(text="a", match="substring")):
        for arm in set(UserArm) - set(search.arms):
            until = UNTIL if arm is UserArm.WINDOW else None
            with pytest.raises(dal.UsageError):
                user_search(search, arm, after=KEYS[arm], limit_rows=21, until=until)
        for arm in search.arms:
            # A window without an end, and an end of something else.
            until = None if arm is UserArm.WINDOW else UNTIL
            with pytest.raises(dal.UsageError, match="until"):
                user_search(search, arm, after=KEYS[arm], limit_rows=21, until=until)
