"""scripts/datasets.py: published prompts become templates, and nothing is lost on the way."""

import importlib.util
import json
import os
import stat
import subprocess
import sys
import unicodedata
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dal import NewTemplate, ValueRejectedError

if TYPE_CHECKING:
    from types import ModuleType

CHECKOUT = Path(__file__).resolve().parents[2]
SCRIPT = CHECKOUT / "scripts" / "datasets.py"
SAMPLE = CHECKOUT / "scripts" / "sample_templates.jsonl"

AWESOME = "awesome_chatgpt_prompts"
LOBE = "lobe_chat_agents"
FABRIC = "fabric_pattern_versions"
HEADER = b"act,prompt,for_devs,type,contributor\r\n"


def _load() -> "ModuleType":
    # By path: scripts/ is no package. Unregistered, as a caller elsewhere would have it.
    spec = importlib.util.spec_from_file_location("datasets_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


datasets = _load()


def _csv(folder: Path, body: bytes, header: bytes = HEADER) -> Path:
    path = folder / "awesome_chatgpt_prompts.csv"
    path.write_bytes(header + body)
    return path


def _agent(**changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "identifier": "x",
        "author": "Ann",
        "created_at": "2024-03-05",
        "title": "A title",
        "description": "What it does",
        "category": "design",
        "tags": ["one", "two"],
        "system_role": "You are\nhelpful.\n",
        "opening_message": "Hello!",
    }
    return row | changes


def _jsonl(folder: Path, *rows: dict[str, object] | str | bytes) -> Path:
    path = folder / "lobe_chat_agents.jsonl"
    lines = []
    for row in rows:
        line = json.dumps(row, ensure_ascii=False) if isinstance(row, dict) else row
        lines.append(line if isinstance(line, bytes) else line.encode())
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def _version(number: object, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "title": "summarize",
        "role": "system",
        "version": number,
        "content": f"content {number}\n",
        "committed_at": f"2024-01-1{number}T20:48:37-08:00",
        "author": "Ann",
        "change_note": f"note {number}",
        "commit": "0e44039770ab",
    }
    return row | changes


def _history(folder: Path, *rows: dict[str, object] | str | bytes) -> Path:
    return _jsonl(folder, *rows).rename(folder / "fabric_pattern_versions.jsonl")


def _rows(name: str, path: Path) -> tuple[list[dict[str, Any]], Any]:
    report = datasets.Report(path.name)
    return list(datasets.adapters[name].rows(path, report)), report


# awesome_chatgpt_prompts


def test_a_csv_row_becomes_a_public_template(tmp_path: Path) -> None:
    rows, report = _rows(AWESOME, _csv(tmp_path, b'Pirate,Talk like one,TRUE,TEXT,"f,joe"\r\n'))
    assert rows == [
        {
            "name": "Pirate",
            "content": "Talk like one",
            "description": None,
            "system_prompt": None,
            "category": "TEXT",
            "tags": ["for-devs"],
            "author_name": "f,joe",
            "visibility": "public",
            "created_at": None,
        }
    ]
    assert (report.rows, report.written, report.left_out, report.changed) == (1, 1, [], {})


def test_quotes_commas_and_line_breaks_in_a_csv_field_are_kept_to_the_byte(tmp_path: Path) -> None:
    content = ' say ""hi"", then\nleave\n\n\ttwo\u2028lines\x1e\x1f \U0001f600\n'
    body = f'A,"{content}",FALSE,TEXT,joe\r\nB,"b\r\nb",FALSE,IMAGE,\r\n'.encode()
    rows, _ = _rows(AWESOME, _csv(tmp_path, body))
    assert [row["content"] for row in rows] == [content.replace('""', '"'), "b\r\nb"]
    assert [row["tags"] for row in rows] == [[], []]
    assert [row["author_name"] for row in rows] == ["joe", None]


def test_a_csv_field_may_be_longer_than_csv_allows_by_itself(tmp_path: Path) -> None:
    rows, _ = _rows(AWESOME, _csv(tmp_path, b"A," + b"x" * 200_000 + b",FALSE,TEXT,joe\r\n"))
    assert len(rows[0]["content"]) == 200_000


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = _csv(tmp_path, b"A,b,FALSE,TEXT,joe\r\n", b"\xef\xbb\xbf" + HEADER)
    assert [row["name"] for row in _rows(AWESOME, path)[0]] == ["A"]
    path = _jsonl(tmp_path, b"\xef\xbb\xbf" + json.dumps(_agent()).encode())
    assert [row["name"] for row in _rows(LOBE, path)[0]] == ["A title"]


def test_names_are_trimmed_and_the_report_says_where(tmp_path: Path) -> None:
    body = b'" A ",b,FALSE,TEXT,joe\r\nB,"x\ny",FALSE,TEXT,joe\r\nC ,c,FALSE,TEXT,joe\r\n'
    rows, report = _rows(AWESOME, _csv(tmp_path, body))
    assert [row["name"] for row in rows] == ["A", "B", "C"]
    assert report.changed == {"name trimmed": [2, 5]}
    assert "name trimmed: 2 (line 2, 5)" in str(report)


def test_equal_rows_stay_two_templates(tmp_path: Path) -> None:
    rows, _ = _rows(AWESOME, _csv(tmp_path, b"A,b,FALSE,TEXT,joe\r\n" * 2))
    assert len(rows) == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b'"  ",b,FALSE,TEXT,joe', "name is blank"),
        (b",b,FALSE,TEXT,joe", "name is blank"),
        (b"x" * 256 + b",b,FALSE,TEXT,joe", "name has 256 characters, 255 fit"),
        (b"A, ,FALSE,TEXT,joe", "content is blank"),
        (b"A,b,FALSE," + b"x" * 101 + b",joe", "category has 101 characters, 100 fit"),
        (b"A,b,FALSE,TEXT," + b"x" * 256, "author_name has 256 characters, 255 fit"),
    ],
)
def test_a_row_that_breaks_the_format_is_left_out_aloud(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], row: bytes, reason: str
) -> None:
    good = b"A,b,FALSE,TEXT,joe\r\n"
    rows, report = _rows(AWESOME, _csv(tmp_path, good + row + b"\r\n" + good))
    expected = f"awesome_chatgpt_prompts.csv:3: left out: {reason}"
    assert len(rows) == 2
    assert (report.rows, report.written, report.left_out) == (3, 2, [expected])
    assert "3 rows, 2 written, 1 left out" in str(report)
    assert capsys.readouterr().err == expected + "\n"


@pytest.mark.parametrize(
    ("body", "line", "reason"),
    [
        (b"A,b,FALSE,TEXT\r\n", 3, "4 fields, not 5"),
        (b"A,b,FALSE,TEXT,joe,more\r\n", 3, "6 fields, not 5"),
        (b'A,"b\nc,FALSE,TEXT,joe\r\nB,b,FALSE,TEXT,joe\r\n', 3, "not CSV"),
        (b'A,"b"c,FALSE,TEXT,joe\r\n', 3, "not CSV"),
        (b'A,"b\nc",MAYBE,TEXT,joe\r\n', 3, "neither TRUE nor FALSE"),
        (b"A,\xff,FALSE,TEXT,joe\r\n", 3, "not UTF-8"),
    ],
)
def test_a_malformed_csv_is_named_with_its_line(
    tmp_path: Path, body: bytes, line: int, reason: str
) -> None:
    path = _csv(tmp_path, b"A,b,FALSE,TEXT,joe\r\n" + body)
    with pytest.raises(datasets.DataError) as caught:
        _rows(AWESOME, path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert reason in str(caught.value)


def test_a_csv_without_a_column_or_without_anything_is_malformed(tmp_path: Path) -> None:
    with pytest.raises(datasets.DataError, match=r"\.csv:2: no field 'prompt'"):
        _rows(AWESOME, _csv(tmp_path, b"A,FALSE,TEXT,j\r\n", b"act,for_devs,type,contributor\r\n"))
    with pytest.raises(datasets.DataError, match=r"\.csv:1: empty"):
        _rows(AWESOME, _csv(tmp_path, b"", b""))


# lobe_chat_agents


def test_an_agent_becomes_a_public_template(tmp_path: Path) -> None:
    rows, report = _rows(LOBE, _jsonl(tmp_path, _agent()))
    assert rows == [
        {
            "name": "A title",
            "content": "You are\nhelpful.\n",
            "description": "What it does",
            "system_prompt": None,
            "category": "design",
            "tags": ["one", "two"],
            "author_name": "Ann",
            "visibility": "public",
            "created_at": "2024-03-05T00:00:00+00:00",
        }
    ]
    assert report.changed == {}


def test_what_an_agent_does_not_say_is_null(tmp_path: Path) -> None:
    silent = _agent(created_at=None, author=None, category=None, tags=[])
    rows, _ = _rows(LOBE, _jsonl(tmp_path, silent))
    assert [rows[0][key] for key in ("created_at", "author_name", "category")] == [None] * 3
    assert rows[0]["tags"] == []


def test_equal_tags_collapse_to_their_first_spelling(tmp_path: Path) -> None:
    # "Café" composed and decomposed, in another case, with spaces; "cafe" is another tag.
    tags = [" Caf\u00e9 ", "CAFE\u0301", "cafe", "", "  ", "Stra\u00dfe", "STRASSE", "😀", "😁"]
    rows, report = _rows(LOBE, _jsonl(tmp_path, _agent(), _agent(tags=tags)))
    assert rows[1]["tags"] == ["Caf\u00e9", "cafe", "Stra\u00dfe", "😀", "😁"]
    assert report.changed == {"tag named twice dropped": [2, 2], "blank tag dropped": [2, 2]}


def test_a_line_break_in_a_title_becomes_a_space(tmp_path: Path) -> None:
    rows, report = _rows(LOBE, _jsonl(tmp_path, _agent(title="Poetry.\r\nMore")))
    assert rows[0]["name"] == "Poetry. More"
    assert report.changed == {"line break in name made a space": [1]}


def test_a_line_separator_inside_a_json_text_ends_no_row(tmp_path: Path) -> None:
    role = "a\u2028b\u2029c\u0085d"
    rows, _ = _rows(LOBE, _jsonl(tmp_path, _agent(system_role=role), _agent()))
    assert [row["content"] for row in rows] == [role, "You are\nhelpful.\n"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"title": ""}, "name is blank"),
        ({"tags": ["x" * 101]}, "tag has 101 characters, 100 fit"),
        ({"description": "\u00e9" * 32_768}, "description has 65,536 bytes, 65,535 fit"),
    ],
)
def test_an_agent_that_breaks_the_format_is_left_out_aloud(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    rows, report = _rows(LOBE, _jsonl(tmp_path, _agent(), _agent(**changes)))
    assert len(rows) == 1
    assert report.left_out == [f"lobe_chat_agents.jsonl:2: left out: {reason}"]


def test_half_a_surrogate_pair_is_left_out_aloud(tmp_path: Path) -> None:
    line = json.dumps(_agent(system_role="\ud83d"))  # as an escape: the file itself is UTF-8
    rows, report = _rows(LOBE, _jsonl(tmp_path, line))
    assert rows == []
    assert report.left_out[0].endswith("content holds half a surrogate pair")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"title": ', "not JSON"),
        ("[1]", "not a JSON object"),
        (_agent(title=None), "'title' is null"),
        (_agent(title=7), "'title' is no text"),
        (_agent(tags="one"), "'tags' is no list of texts"),
        (_agent(tags=[1]), "'tags' is no list of texts"),
        (_agent(created_at="05/03/2024"), "Invalid isoformat"),
        ({"title": "A", "system_role": "b"}, "no field"),
        (b'{"title": "\xff"}', "not UTF-8"),
    ],
)
def test_a_malformed_agent_is_named_with_its_line(
    tmp_path: Path, line: dict[str, object] | str | bytes, reason: str
) -> None:
    path = _jsonl(tmp_path, _agent(), "", line, _agent())
    with pytest.raises(datasets.DataError) as caught:
        _rows(LOBE, path)
    assert str(caught.value).startswith(f"{path}:3: ")
    assert reason in str(caught.value)


# fabric_pattern_versions


def test_versions_become_one_template_in_their_order(tmp_path: Path) -> None:
    path = _history(
        tmp_path,
        _version(1),
        _version(1, role="user", author="Bob"),
        _version(1, title=" other "),
        _version(2, author="Bob"),
    )
    rows, report = _rows(FABRIC, path)
    assert rows[0] == {
        "name": "summarize",
        "description": None,
        "category": None,
        "tags": ["system"],
        "author_name": "Ann",
        "visibility": "public",
        "created_at": "2024-01-11T20:48:37-08:00",
        "versions": [
            {
                "version": number,
                "content": f"content {number}\n",
                "message": f"note {number}",
                "author_name": author,
                "created_at": f"2024-01-1{number}T20:48:37-08:00",
            }
            for number, author in ((1, "Ann"), (2, "Bob"))
        ],
    }
    assert [(row["name"], row["tags"], len(row["versions"])) for row in rows[1:]] == [
        ("summarize", ["user"], 1),
        ("other", ["system"], 1),
    ]
    assert (report.rows, report.written, report.made, report.left_out) == (4, 4, 3, [])
    assert report.changed == {"name trimmed": [3]}
    assert "4 rows, 4 written, 0 left out\n  in 3: versions of templates\n" in f"{report}\n"
    assert datasets.json_line(rows[0]).count("\n") == 1


def test_a_template_is_left_out_with_all_its_versions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _history(
        tmp_path, _version(1), _version(1, title="b"), _version(2, change_note="x" * 501)
    )
    rows, report = _rows(FABRIC, path)
    assert [row["name"] for row in rows] == ["b"]
    why = "left out: item 2 of versions: message has 501 characters, 500 fit"
    assert report.left_out == [f"{path.name}:{line}: {why}" for line in (1, 3)]
    assert (report.rows, report.written, report.made) == (3, 1, 1)
    assert capsys.readouterr().err.splitlines() == report.left_out


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (_version(3), "version 3, where 2 is due"),
        (_version(1), "version 1, where 2 is due"),
        (_version(2, title="first seen"), "version 2, where 1 is due"),
        (_version("2"), "'version' is no whole number"),
        (_version(True, committed_at="2024-01-11T20:48:37Z"), "'version' is no whole number"),
        (_version(2, title=None), "'title' is null"),
        (_version(2, content=7), "'content' is no text"),
        (_version(2, change_note=None), "'change_note' is null"),
        (_version(2, committed_at="soon"), "Invalid isoformat"),
    ],
)
def test_a_malformed_version_is_named_with_its_line(
    tmp_path: Path, row: dict[str, object], reason: str
) -> None:
    path = _history(tmp_path, _version(1), "", row)
    with pytest.raises(datasets.DataError) as caught:
        _rows(FABRIC, path)
    assert str(caught.value).startswith(f"{path}:3: ")
    assert reason in str(caught.value)


# The format


def _valid(**changes: object) -> dict[str, object]:
    return {"name": "A", "content": "b", "tags": [], "visibility": "public"} | changes


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": "x" * 255, "author_name": "x" * 255, "category": "x" * 100},
        {"tags": ["  " + "x" * 100 + "  "], "description": ""},
        {"created_at": "2024-03-05T10:00:00.123456+05:30", "visibility": "private"},
        {"id": "018e0d3c-0000-7000-8000-000000000000", "system_prompt": None},
    ],
)
def test_a_valid_template_has_no_problems(changes: dict[str, object]) -> None:
    assert datasets.problems(_valid(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": None}, "name is missing"),
        ({"name": 7}, "name is no text"),
        ({"content": None}, "content is missing"),
        ({"category": " "}, "category is blank"),
        ({"tags": "one"}, "tags is no list"),
        ({"tags": [7]}, "tag is no text"),
        ({"tags": [" "]}, "tag is blank"),
        ({"visibility": "hidden"}, "visibility is neither private nor public"),
        ({"created_at": "2024-03-05T10:00:00"}, "created_at has no offset"),
        ({"created_at": "yesterday"}, "created_at is not ISO 8601"),
        ({"id": "7"}, "id is no UUID"),
        ({"colour": "red"}, "unknown field 'colour'"),
    ],
)
def test_each_broken_rule_is_named(changes: dict[str, object], problem: str) -> None:
    assert datasets.problems(_valid(**changes)) == [problem]


def _with_history(**changes: object) -> dict[str, object]:
    history = [{"content": "a"}, {"content": "b", "version": 4, "message": "m"}]
    return _valid(content=None, versions=history) | changes


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"labels": {"Prod": 1, "x" * 100: 4}, "last_version": 2**32 - 1},
        {"labels": None, "last_version": None},
        {"versions": None, "content": "c", "labels": {"prod": 1}, "last_version": 3},
        {"versions": [{"content": "c", "created_at": "2024-03-05T10:00:00Z", "author_name": None}]},
    ],
)
def test_a_valid_history_has_no_problems(changes: dict[str, object]) -> None:
    row = _with_history(**changes)
    assert datasets.problems(row) == []
    assert NewTemplate.from_mapping(row)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"content": "c"}, "content is said by the versions"),
        ({"system_prompt": "c"}, "system_prompt is said by the versions"),
        ({"versions": []}, "versions is no list, or an empty one"),
        ({"versions": "a"}, "versions is no list, or an empty one"),
        ({"versions": ["a"]}, "item 1 of versions: content is missing"),
        ({"versions": [{"content": "a", "version": "1"}]},
         "item 1 of versions: version does not ascend"),
        ({"versions": [{"content": "a", "version": 2}, {"content": "a", "version": 2}]},
         "item 2 of versions: version does not ascend"),
        ({"versions": [{"content": "a", "text": "b"}]}, "item 1 of versions: unknown field 'text'"),
        ({"versions": [{"content": "a", "message": "x" * 501}]},
         "item 1 of versions: message has 501 characters, 500 fit"),
        ({"versions": [{"content": "a", "created_at": "soon"}]},
         "item 1 of versions: created_at is not ISO 8601"),
        ({"versions": [{"content": "a"}] * 10_001}, "versions has 10,001 items, 10,000 fit"),
        ({"labels": ["prod"]}, "labels is no object"),
        ({"labels": {"prod": 2}}, "a label is on no version"),
        ({"labels": {"prod": True}}, "a label is on no version"),
        ({"labels": {" ": 4}}, "label is blank"),
        ({"labels": {"Latest": 4}}, "the label latest cannot be put on a version"),
        ({"labels": {"a": 4, " A": 1}}, "two labels are the same"),
        ({"last_version": 3}, "last_version is less than the number of a version"),
        ({"last_version": "9"}, "last_version is less than the number of a version"),
    ],
)  # fmt: skip
def test_each_broken_rule_of_a_history_is_named_and_an_import_refuses_it_too(
    changes: dict[str, object], problem: str
) -> None:
    row = _with_history(**changes)
    assert datasets.problems(row) == [problem]
    with pytest.raises(ValueRejectedError):
        NewTemplate.from_mapping(row)


# The command


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    _csv(folder, b"A,b,TRUE,TEXT,joe\r\nB,b,FALSE,text,Joe\r\n")
    _history(folder, _version(1), _version(2, author="Bob"), _version(1, role="user"))
    _jsonl(folder, _agent(tags=["For-Devs", "X", "x"]), _agent(author=None, category=None))
    return folder


def test_counts_come_from_the_files(data: Path) -> None:
    assert datasets.expected_counts(data) == {
        AWESOME: {"rows": 2, "categories": 1, "tags": 1, "author_names": 2},
        LOBE: {"rows": 2, "categories": 1, "tags": 4, "author_names": 1},
        FABRIC: {"rows": 2, "categories": 0, "tags": 2, "author_names": 1},
        "all": {"rows": 6, "categories": 2, "tags": 6, "author_names": 3},
    }


def test_every_collection_is_written_to_a_folder(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "out"
    assert datasets.main(["--data", str(data), "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == {
        f"{name}.jsonl" for name in (AWESOME, LOBE, FABRIC)
    }
    lines = (out / f"{AWESOME}.jsonl").read_bytes().split(b"\n")
    assert [json.loads(line)["name"] for line in lines[:-1]] == ["A", "B"]
    assert lines[-1] == b""
    said = capsys.readouterr()
    assert said.out == ""
    assert "2 rows, 2 written, 0 left out" in said.err
    assert "MIT" in said.err


def test_a_malformed_file_leaves_what_was_there(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / f"{LOBE}.jsonl").write_text("before")
    _jsonl(data, _agent(), "{")
    assert datasets.main(["--data", str(data), "--out", str(out), LOBE]) == 1
    assert [path.name for path in out.iterdir()] == [f"{LOBE}.jsonl"]
    assert (out / f"{LOBE}.jsonl").read_text() == "before"
    assert "lobe_chat_agents.jsonl:2: not JSON" in capsys.readouterr().err


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        capture_output=True,
        check=False,
        env={"PATH": os.defpath, **environment},
    )


def test_output_is_utf_8_in_any_locale(data: Path, tmp_path: Path) -> None:
    _jsonl(data, _agent(title="提示 😀"))
    # Python would otherwise take UTF-8 for the C locale by itself.
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    printed = _run(LOBE, DAL_TEST_DATA=str(data), **ascii_only)
    assert printed.returncode == 0, printed.stderr
    assert json.loads(printed.stdout.decode())["name"] == "提示 😀"
    assert printed.stdout.count(b"\n") == 1
    written = _run("--data", str(data), "--out", str(tmp_path), LOBE, **ascii_only)
    assert written.returncode == 0, written.stderr
    assert (tmp_path / f"{LOBE}.jsonl").read_bytes() == printed.stdout


def test_a_malformed_file_prints_nothing_to_stdout(data: Path) -> None:
    _jsonl(data, _agent(), "{")
    done = _run("--data", str(data), LOBE)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"Traceback" not in done.stderr


def test_absent_data_and_wrong_usage_exit_with_2(tmp_path: Path, data: Path) -> None:
    absent = _run("--data", str(tmp_path), LOBE)
    assert (absent.returncode, absent.stdout) == (2, b"")
    assert b"no data: " in absent.stderr
    assert b"--data or DAL_TEST_DATA" in absent.stderr
    several = _run("--data", str(data))
    assert several.returncode == 2
    assert b"--out" in several.stderr
    unknown = _run("--data", str(data), "nothing")
    assert unknown.returncode == 2
    assert LOBE.encode() in unknown.stderr


def test_help_names_every_collection_and_the_script_can_be_run() -> None:
    done = _run("--help")
    assert done.returncode == 0
    for name in datasets.adapters:
        assert name.encode() in done.stdout
    assert SCRIPT.stat().st_mode & stat.S_IXUSR


# The sample for a demo without the data


def _sample() -> list[dict[str, Any]]:
    lines = SAMPLE.read_bytes().decode().removesuffix("\n").split("\n")
    return [json.loads(line) for line in lines]


def test_the_sample_is_valid_and_complete() -> None:
    rows = _sample()
    assert [(row["name"], found) for row in rows if (found := datasets.problems(row))] == []
    assert len(rows) == 24
    assert len({row["name"] for row in rows}) == 24
    assert len({row["category"] for row in rows}) == 7
    assert {row["author_name"] for row in rows} == {"dal samples"}
    assert Counter(row["visibility"] for row in rows) == {"public": 19, "private": 5}
    assert len({row["created_at"][:10] for row in rows}) > 20
    assert all("id" not in row and row["description"] and row["tags"] for row in rows)


def test_the_sample_speaks_several_scripts_and_holds_variables_and_an_emoji_tag() -> None:
    rows = _sample()
    contents = [row["content"] for row in rows]
    assert any("\u4e00" <= char <= "\u9fff" for text in contents for char in text)
    assert any(unicodedata.bidirectional(text[0]) == "AL" for text in contents)
    assert any(ord(char) > 0xFFFF for row in rows for tag in row["tags"] for char in tag)
    assert all("{{" in text for text in contents)


# The real data


@pytest.fixture(scope="module")
def real() -> Path:
    named = os.environ.get("DAL_TEST_DATA")
    folder = Path(named) if named else CHECKOUT.parent / "shared" / "data"
    if not all((folder / adapter.file).is_file() for adapter in datasets.adapters.values()):
        pytest.skip("real data is absent: set DAL_TEST_DATA")
    return folder


def test_real_counts(real: Path) -> None:
    assert datasets.expected_counts(real) == {
        AWESOME: {"rows": 1_529, "categories": 3, "tags": 1, "author_names": 721},
        LOBE: {"rows": 505, "categories": 14, "tags": 1_268, "author_names": 286},
        FABRIC: {"rows": 243, "categories": 0, "tags": 2, "author_names": 7},
        "all": {"rows": 2_277, "categories": 17, "tags": 1_271, "author_names": 1_014},
    }


@pytest.mark.parametrize("name", [AWESOME, LOBE, FABRIC])
def test_every_real_row_becomes_a_template_that_shows_the_same_counts(
    real: Path, name: str
) -> None:
    rows, report = _rows(name, real / datasets.adapters[name].file)
    expected = datasets.expected_counts(real)[name]
    assert (len(rows), report.made, report.left_out) == (
        expected["rows"],
        expected["rows"],
        [],
    )
    assert (
        len({datasets.fold(row["category"]) for row in rows if row["category"]})
        == (expected["categories"])
    )
    assert len({datasets.fold(tag) for row in rows for tag in row["tags"]}) == expected["tags"]
    assert len({row["author_name"] for row in rows} - {None}) == expected["author_names"]


def test_real_awesome_prompts(real: Path) -> None:
    rows, report = _rows(AWESOME, real / datasets.adapters[AWESOME].file)
    assert {what: len(lines) for what, lines in report.changed.items()} == {"name trimmed": 31}
    assert max(len(row["content"].encode()) for row in rows) == 149_235
    assert sum("${" in row["content"] for row in rows) == 447
    assert sum("," in row["author_name"] for row in rows) == 12
    assert len(rows) - len({row["name"] for row in rows}) == 16
    assert Counter(tuple(row["tags"]) for row in rows) == {(): 1_393, ("for-devs",): 136}
    assert Counter(row["category"] for row in rows) == {
        "TEXT": 1_277,
        "STRUCTURED": 230,
        "IMAGE": 22,
    }


def test_real_lobe_agents(real: Path) -> None:
    rows, report = _rows(LOBE, real / datasets.adapters[LOBE].file)
    assert report.changed == {
        "tag named twice dropped": [40, 107, 161, 279],
        "blank tag dropped": [174, 494],
        "line break in name made a space": [112],
    }
    # 1,375 distinct in the file, one of them blank.
    assert len({tag for row in rows for tag in row["tags"]}) == 1_374
    assert sum(row["category"] is None for row in rows) == 2
    assert sum(row["created_at"] is None for row in rows) == 2
    times = sorted(row["created_at"] for row in rows if row["created_at"])
    assert (times[0], times[-1]) == ("2023-09-01T00:00:00+00:00", "2025-06-19T00:00:00+00:00")


def test_every_published_version_is_there_as_it_is(real: Path) -> None:
    path = real / datasets.adapters[FABRIC].file
    rows, report = _rows(FABRIC, path)
    assert (report.rows, report.written, report.changed) == (826, 826, {})
    published: dict[tuple[object, object], list[tuple[object, ...]]] = {}
    for _, row in datasets.read_json_lines(path):
        published.setdefault((row["title"], row["role"]), []).append(
            (row["version"], row["content"], row["author"], row["change_note"],
             datetime.fromisoformat(str(row["committed_at"])))
        )  # fmt: skip
    made = [NewTemplate.from_mapping(row) for row in rows]
    assert [(new.name, *new.tags) for new in made] == list(published)
    for new, versions in zip(made, published.values(), strict=True):
        assert [
            (one.version, one.content, one.author_name, one.message, one.created_at)
            for one in new.versions
        ] == versions
        assert (new.created_at, new.author_name) == (versions[0][-1], versions[0][2])
    assert len({new.name for new in made}) == 234
    assert sum(len(new.versions) for new in made) == 826
    assert max(len(new.versions) for new in made) == 58


def test_real_output_reads_back_as_it_was(real: Path, tmp_path: Path) -> None:
    assert datasets.main(["--data", str(real), "--out", str(tmp_path)]) == 0
    for name, adapter in datasets.adapters.items():
        written = [row for _, row in datasets.read_json_lines(tmp_path / f"{name}.jsonl")]
        assert written == list(adapter.rows(real / adapter.file))
