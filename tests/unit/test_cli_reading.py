"""The pure parts of the command line: rows out of files, ids and batches, values of parameters."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest

from dal.cli import main
from dal.cli.output import printable
from dal.cli.planning import Planned, batches, plan
from dal.cli.plans import fill_in, find_statement
from dal.cli.reading import BadRow, Row, parse_map, read_csv, read_json_lines
from dal.errors import UsageError, ValueRejectedError
from dal.records.templates import Visibility
from dal.statements import house

OWNER = UUID("01900000-0000-7000-8000-000000000001")


def lines(data: bytes, mapping: dict[str, str] | None = None) -> list[Row | BadRow]:
    return list(read_json_lines(io.BytesIO(data), mapping))


def records(data: bytes, mapping: dict[str, str] | None = None) -> list[Row | BadRow]:
    return list(read_csv(io.BytesIO(data), mapping))


def planned(rows: Sequence[Row | BadRow], owner: UUID = OWNER) -> list[Planned | BadRow]:
    return list(plan(rows, owner, Visibility.PRIVATE))


def ids(rows: Sequence[Row | BadRow], owner: UUID = OWNER) -> list[UUID]:
    return [one.id for one in planned(rows, owner) if isinstance(one, Planned)]


def row(line: int = 1, **values: object) -> Row:
    return Row(line, {"name": "n", "content": "c", **values})


# JSON lines


def test_lines_end_at_lf_and_crlf_alone() -> None:
    content = "a\u2028b\u001ec\u0085d\u000be"
    data = json.dumps({"name": content}, ensure_ascii=False).replace("\\u001e", "\x1e").encode()
    raw = '{"name": "a\u2028b\u0085c"}'.encode()
    assert lines(raw + b"\r\n" + raw + b"\n" + raw) == [
        Row(n, {"name": "a\u2028b\u0085c"}) for n in (1, 2, 3)
    ]
    assert b"\n" not in data


def test_a_byte_order_mark_and_blank_lines_are_nothing() -> None:
    assert lines(b'\xef\xbb\xbf{"a": 1}\n\n  \r\n{"a": 2}') == [Row(1, {"a": 1}), Row(4, {"a": 2})]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"nonsense", "not JSON: Expecting value at character 1"),
        (b"[1]", "not a JSON object"),
        (b'{"name": "\xff"}', "not UTF-8 at byte 11"),
        (b'{"name": 1, "name": 2}', "name: given twice"),
        (b"[" * 100_000, "not JSON that can be read: a number or a nesting too big"),
        (
            b'{"a": ' + b"9" * 5000 + b"}",
            "not JSON that can be read: a number or a nesting too big",
        ),
        (
            b'{"deleted_at": "2026-01-01T00:00:00Z"}',
            "deleted_at: what is deleted is not imported",
        ),
    ],
)
def test_a_line_that_is_no_row_is_a_bad_row_and_the_next_one_is_read(
    raw: bytes, reason: str
) -> None:
    assert lines(raw + b'\n{"a": 1}') == [BadRow(1, reason), Row(2, {"a": 1})]


def test_what_an_export_says_and_an_import_cannot_keep_is_passed_over() -> None:
    raw = (
        b'{"name": "n", "owner_id": "x", "head_version": 7, "updated_at": "y", "deleted_at": null}'
    )
    assert lines(raw) == [Row(1, {"name": "n"})]


def test_keys_become_fields_by_the_map() -> None:
    assert lines(b'{"act": "n", "b": 1}', {"act": "name"}) == [Row(1, {"name": "n", "b": 1})]
    assert lines(b'{"act": "n", "name": "m"}', {"act": "name"}) == [
        BadRow(1, "name: given twice, by --map")
    ]


# CSV


def test_a_csv_row_is_told_by_the_line_it_starts_in() -> None:
    data = b'name,content\r\n"a","one\r\ntwo\n\nthree"\r\n\r\nb,c,d\r\ne,f\r\n'
    assert records(data) == [
        Row(2, {"name": "a", "content": "one\r\ntwo\n\nthree"}),
        BadRow(7, "3 fields, not 2"),
        Row(8, {"name": "e", "content": "f"}),
    ]


def test_csv_takes_a_byte_order_mark_and_a_field_longer_than_the_modules_limit() -> None:
    long = "x" * 144_260
    assert records(b"\xef\xbb\xbfname,content\na," + long.encode()) == [
        Row(2, {"name": "a", "content": long})
    ]


def test_an_empty_cell_is_no_value_but_for_the_content_and_tags_are_cut_at_commas() -> None:
    data = b'name,content,description,tags\na,,,"x, y,,z "\nb,c,d,\n'
    assert records(data) == [
        Row(2, {"name": "a", "content": "", "tags": ["x", "y", "z"]}),
        Row(3, {"name": "b", "content": "c", "description": "d", "tags": []}),
    ]


def test_an_open_quote_and_a_bad_byte_are_bad_rows() -> None:
    assert records(b'name,content\na,\xff\nb,"x"y\nc,"open\n\n') == [
        BadRow(2, "not UTF-8"),
        BadRow(3, "not CSV: ',' expected after '\"'"),
        BadRow(4, "not CSV: a quote is never closed; lines 4 to 5 were not read"),
    ]


def test_columns_that_are_not_mapped_are_told_and_left_out() -> None:
    told: list[str] = []
    file = io.BytesIO(b"act,prompt,tags,id\na,b,c,7\n")
    found = list(read_csv(file, {"act": "name", "prompt": "content"}, tell=told.append))
    assert found == [Row(2, {"name": "a", "content": "b"})]
    assert told == ["columns ignored: tags, id"]


@pytest.mark.parametrize(
    ("data", "mapping", "message"),
    [
        (b"name,content\n", {"act": "name"}, "no column act"),
        (b"a,b\n", None, "no column for name"),
        (b"name,b\n", None, "no column for content"),
        (b"name,name,content\n", None, "two columns are called name"),
        (b"", None, "the file is empty"),
    ],
)
def test_columns_that_do_not_fit_are_refused_by_name(
    data: bytes, mapping: dict[str, str] | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        records(data, mapping)


def test_no_history_is_read_of_a_cell() -> None:
    told: list[str] = []
    file = io.BytesIO(b"name,content,versions,labels,last_version\na,b,c,d,7\n")
    assert list(read_csv(file, tell=told.append)) == [Row(2, {"name": "a", "content": "b"})]
    assert told == ["columns ignored: versions, labels, last_version"]
    with pytest.raises(UsageError, match="no cell of a CSV file holds versions"):
        records(b"name,content,c\n", {"c": "versions"})
    assert parse_map("c=versions") == {"c": "versions"}


def test_what_a_record_has_besides_is_left_out() -> None:
    raw = b'{"name": "n", "head_version": 2, "use_count": 1, "variables": [], "owner_id": "x"}'
    assert lines(raw) == [Row(1, {"name": "n"})]


def test_a_map_names_fields() -> None:
    assert parse_map("act=name, prompt=content,tags") == {
        "act": "name",
        "prompt": "content",
        "tags": "tags",
    }
    assert parse_map(None) is None
    for wrong in ("act=nam", "act", "a=name,b=name", "a=name,a=content", ""):
        with pytest.raises(UsageError, match="--map"):
            parse_map(wrong)


# Plans


def test_equal_rows_get_ids_of_their_own_and_the_same_ones_again() -> None:
    rows = [row(1), row(2), row(3, name="m"), row(4)]
    first = ids(rows)
    assert len(set(first)) == 4
    assert ids(rows) == first
    # A row more in front moves nothing but the equal ones, of which there is one more.
    assert set(first) < set(ids([row(0), *rows]))
    assert not set(first) & set(ids(rows, UUID(int=7)))


def test_an_id_is_of_what_a_row_says_however_it_is_written() -> None:
    once = row(tags=["b", "a"], category="Two Words", created_at="2026-01-01T01:00:00+01:00")
    again = row(
        tags=["a", "b", "b"],
        category="two-words",
        created_at="2026-01-01T00:00:00Z",
        description=None,
    )
    assert ids([once]) == ids([again])
    public = list(plan([once], OWNER, Visibility.PUBLIC))
    assert isinstance(public[0], Planned)
    assert public[0].id == ids([once])[0]
    assert public[0].new.visibility is Visibility.PUBLIC


def test_a_history_is_part_of_an_id_where_it_says_more_than_the_content() -> None:
    plain = Row(1, {"name": "n", "versions": [{"content": "c"}]})
    # What a file gave before there were histories.
    assert ids([plain]) == ids([row()]) == [UUID("b3db781b-edf8-86e3-bfa3-d7939f44d90f")]
    at = "2026-01-01T00:00:00Z"
    others = [
        [{"content": "c", "version": 2}],
        [{"content": "c", "message": "m"}],
        [{"content": "c", "author_name": "a"}],
        [{"content": "c", "created_at": at}],
        [{"content": "b"}, {"content": "c"}],
    ]
    rows = [plain, row(labels={"prod": 1}), row(last_version=2)]
    rows += [Row(n, {"name": "n", "versions": versions}) for n, versions in enumerate(others)]
    assert len(set(ids(rows))) == len(rows)
    again = [{"content": "c", "version": 1, "created_at": "2026-01-01T01:00:00+01:00"}]
    assert ids([Row(1, {"name": "n", "versions": again})]) == ids(
        [Row(1, {"name": "n", "versions": others[3]})]
    )


def test_an_id_that_is_given_is_kept_and_not_taken_twice() -> None:
    given = str(UUID(int=5))
    found = planned([row(1, id=given), row(2, id=given, name="m")])
    assert isinstance(found[0], Planned)
    assert found[0].id == UUID(int=5)
    assert found[1] == BadRow(2, "id: that of line 1 too")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"name": None}, "name: text is required"),
        ({"name": "x" * 256}, "name: too long: at most 255 characters"),
        ({"content": 7}, "content: text is required"),
        ({"tags": "a,b"}, "tags: a list of names is required"),
        ({"tags": {"a": 1}}, "tags: a list of names is required"),
        ({"visibility": "secret"}, "visibility: private or public"),
        ({"id": "7"}, "id: malformed"),
        ({"created_at": "yesterday"}, "created_at: malformed"),
        ({"colour": "red"}, "colour: unknown"),
        ({"content": None, "versions": []}, "versions: at least one"),
        ({"content": None, "versions": [{}]}, "versions: item 1: content: missing"),
        ({"labels": {"prod": 2}}, "labels: on a version that is not there"),
    ],
)
def test_a_row_that_is_no_template_is_bad_with_its_reason(
    values: dict[str, object], reason: str
) -> None:
    assert planned([row(9, **values)]) == [BadRow(9, reason)]


def test_batches_are_bounded_by_rows_and_by_bytes_and_keep_the_order() -> None:
    rows = [row(n, content="x" * n) for n in range(1, 8)]
    bad: list[BadRow] = []
    items = [*planned(rows[:4]), BadRow(99, "why"), *planned(rows[4:])]
    found = [
        [one.line for one in batch] for batch in batches(items, bad.append, max_rows=3, max_bytes=9)
    ]
    assert found == [[1, 2, 3], [4, 5], [6], [7]]
    assert bad == [BadRow(99, "why")]
    assert [len(b) for b in batches(planned(rows), bad.append, max_rows=99, max_bytes=1)] == [1] * 7


def test_a_batch_counts_the_texts_of_every_version() -> None:
    versions = [
        {"content": "é", "system_prompt": "123"},
        {"content": "12", "message": "1"},
    ]
    (one,) = planned([Row(1, {"name": "n", "description": "12", "versions": versions})])
    assert isinstance(one, Planned)
    assert one.n_bytes == 10


# Statements


def test_every_statement_can_be_filled_in_without_a_value() -> None:
    for name, statement in house().statements.items():
        filled = fill_in(statement, {})
        assert f"/* dal:{name} */" in filled.sql
        assert filled.samples == tuple(param.name for param in statement.params)


def test_values_are_read_by_their_declared_type() -> None:
    statement = find_statement("sql/templates/list_own.sql")
    assert statement is find_statement("templates.list_own")
    texts = {"actor_id": str(OWNER), "before_at": "2026-01-01T02:00:00+02:00", "limit_rows": "7"}
    filled = fill_in(statement, texts)
    assert f"X'{OWNER.hex}'" in filled.sql
    assert "TIMESTAMP'2026-01-01 00:00:00.000000'" in filled.sql
    assert filled.sql.rstrip().endswith("7")
    assert filled.samples == ("before_id",)
    with pytest.raises(ValueRejectedError, match="actor_id: not a value of BINARY"):
        fill_in(statement, {"actor_id": "7"})
    with pytest.raises(UsageError, match="no parameter nonsense; it has: actor_id"):
        fill_in(statement, {"nonsense": "7"})


def test_a_list_is_cut_at_commas_and_null_is_null() -> None:
    many = find_statement("templates/list_own_ids_including_deleted")
    both = f"{UUID(int=1)}, {UUID(int=2)}"
    assert (
        f"(X'{UUID(int=1).hex}', X'{UUID(int=2).hex}')" in fill_in(many, {"template_ids": both}).sql
    )
    insert = fill_in(
        find_statement("templates/insert_many"), {"description": "NULL", "name": "NULL"}
    )
    assert "'NULL'" in insert.sql  # a name may not be null, so it is text
    assert "NULL," in insert.sql


def test_a_name_that_is_near_is_proposed() -> None:
    with pytest.raises(UsageError, match=r"did you mean .*templates/list_own"):
        find_statement("template/list_owns")


# What is said


def test_control_characters_of_stored_names_are_written_out() -> None:
    assert printable("a\x1b[31mb\u202ec\x9b") == "a\\u001b[31mb\\u202ec\\u009b"
    assert printable("Zürich 会议\n") == "Zürich 会议\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["stats", "mysql://ada:secret-7@host/db"],
        ["stats", "--url", "mysql://ada:secret-7@host/db?nonsense=1"],
        ["stats", "--url", "mysql://ada:secret-7@host:port/db"],
        ["import", "mysql://ada:secret-7@host/db", "--as", "ada@example.org"],
        ["explain", "mysql://ada:secret-7@host/db"],
    ],
)
def test_no_password_that_was_typed_is_repeated(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert "secret-7" not in said.out + said.err
    assert said.err.startswith("dal: ")
    assert "Traceback" not in said.err


def test_without_a_server_both_ways_to_name_one_are_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAL_URL", raising=False)
    for command in (["stats"], ["search"], ["export", "--as", "a@b.de"], ["migrate", "status"]):
        assert main(command) == 2
        said = capsys.readouterr()
        assert "--url" in said.err
        assert "DAL_URL" in said.err
        assert not said.out


def test_explain_needs_no_server(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAL_URL", raising=False)
    assert main(["explain", "templates/list_own", "--limit-rows", "7", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["plan"] is None
    assert found["sql"].rstrip().endswith("7")
    assert [one["sample"] for one in found["params"]] == [True, True, True, False]
    assert main(["explain", "templates/list_own", "--param", "limit_rows=7", "actor_id=x"]) == 2
    assert main(["explain", "templates/list_own", "--lmit-rows", "7"]) == 2
    assert "no parameter lmit_rows" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [[], ["--help"], *([name, "--help"] for name in ("server", "import", "explain", "doctor"))],
)
def test_help_is_plain_in_a_pipe(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "Usage: dal" in said
    assert "\x1b" not in said


def test_an_unknown_command_or_option_is_the_calls_fault(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for arguments in (
        ["nonsense"],
        ["stats", "--nonsense"],
        ["import"],
        ["search", "--limit", "x"],
    ):
        assert main(arguments) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_times_of_parameters_are_utc_unless_they_say() -> None:
    statement = find_statement("templates/soft_delete")
    sql = fill_in(statement, {"now": "2026-01-01T00:00:00"}).sql
    assert f"TIMESTAMP'{datetime(2026, 1, 1, tzinfo=UTC):%Y-%m-%d %H:%M:%S.%f}'" in sql


def test_a_quote_that_is_never_closed_names_what_it_swallows() -> None:
    data = b'name,content\nA,aaa\n"B,bbb\nC,ccc\nD,ddd\n'
    _, bad = list(read_csv(io.BytesIO(data)))
    assert isinstance(bad, BadRow)
    assert bad.line == 3
    assert "lines 3 to 5 were not read" in bad.reason
