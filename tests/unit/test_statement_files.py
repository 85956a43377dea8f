"""The loader: every way in which a .sql file can be wrong is an error at import that names it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from uuid import UUID

import attrs
import pytest

import dal
from dal.statements import house
from dal.statements.statement import compile_statement

HEADER = {
    "returns": "one Pet",
    "access": "n/a",
    "deleted": "n/a",
    "index": "PRIMARY",
    "reads": "1",
    "locks": "none",
}
GOOD = "SELECT p.id AS id FROM pets AS p WHERE p.id = :pet_id"


@attrs.frozen(slots=True)
class Pet:
    id: int


def text(
    body: str = GOOD,
    *,
    summary: str = "Get a pet.",
    params: tuple[str, ...] = ("pet_id  INT  the pet",),
    without: str = "",
    more: tuple[str, ...] = (),
    **keys: str,
) -> str:
    header = {key: value for key, value in (HEADER | keys).items() if key != without}
    lines = [f"-- {summary}", "--"]
    lines += [f"-- {key}: {value}" for key, value in header.items()]
    lines += [f"-- param: {param}" for param in params]
    lines += [f"-- {line}" for line in more]
    return "\n".join([*lines, body]) + "\n"


def refused(source: str, name: str = "pets/get") -> str:
    with pytest.raises(dal.StatementError) as caught:
        compile_statement(name, source)
    assert caught.value.statement == name
    assert caught.value.message.startswith(f"{name}: ")
    return caught.value.message


def test_a_good_file() -> None:
    statement = compile_statement("pets/get", text())
    assert statement.header.summary == "Get a pet."
    assert [param.name for param in statement.params] == ["pet_id"]
    assert not statement.writes
    assert not statement.locking
    rendered = statement.render({"pet_id": 5})
    assert rendered.sql == b"/* dal:pets/get */ SELECT p.id AS id FROM pets AS p WHERE p.id = 5"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (text(summary="get a pet."), "one sentence"),
        (text(summary="Get a pet"), "one sentence"),
        (text(summary=""), "one sentence"),
        (GOOD, "one sentence"),
        ("", "one sentence"),
        *((text(without=key), f"missing in the header: {key}") for key in HEADER),
        (text(more=("index: PRIMARY",)), "index: given twice"),
        (text(more=("plan: PRIMARY",)), "not a header key: 'plan: PRIMARY'"),
        (text(more=("A sentence after the keys.",)), "not a header key"),
        (text(params=("pet_id INT the pet", "pet_id INT again")), "declared twice"),
        (text(params=("pet_id INT",)), "say what it means"),
        (text(params=("pet_id the pet",)), "SQL TYPE"),
        (text(params=("Pet INT the pet",)), "SQL TYPE"),
        (text(params=("pet_id INTEGER the pet",)), "not a parameter type"),
        (text(params=("pet_id DATETIME the pet",)), "DATETIME(6)"),
        (text(params=("pet_id INT a", "other INT b")), "declared but not used: other"),
        (text(params=()), "used but not declared: :pet_id"),
        (text(access="everybody"), "access: one of"),
        (text(deleted="maybe"), "deleted: one of"),
        (text(returns="some Pet"), "returns: one of"),
        (text(returns="one"), "needs a type"),
        (text(returns="affected Pet"), "has no type"),
        (text(returns="affected"), "does not fit"),
        (text("UPDATE pets SET id = :pet_id"), "does not fit"),
        (text("DELETE FROM pets WHERE id = :pet_id"), "does not fit"),
        (text(""), "starts with"),
        (text("-- only a comment"), "not a header key"),
        (text("DROP TABLE pets"), "starts with"),
        (text("SET autocommit = :pet_id"), "starts with"),
        (text("SET @a = :pet_id"), "outlives"),
        (text("CALL p(:pet_id)"), "starts with"),
        (text("REPLACE INTO pets VALUES (:pet_id)"), "starts with"),
        (text(GOOD + "; SELECT 1"), "one statement a file"),
        (text(GOOD + ";\nSELECT 1;"), "one statement a file"),
        (text(GOOD + " AND p.n = ?"), "not as ?"),
        (text(GOOD + " AND p.n = @x"), "outlives the statement: @x"),
        (text("SELECT @@version, :pet_id"), "outlives"),
        (text("SELECT p.id INTO @x FROM pets AS p WHERE p.id = :pet_id"), "outlives"),
        (text(GOOD + " /*!50000 OR 1=1 */"), "version comment"),
        (text(GOOD + " /*M! OR 1=1 */"), "version comment"),
        (text("SELECT GET_LOCK(:pet_id, 1)"), "GET_LOCK"),
        (text("SELECT get_lock(:pet_id, 1)"), "GET_LOCK"),
        (text("SELECT `GET_LOCK`('x', :pet_id)"), "GET_LOCK"),
        (text("SELECT RELEASE_LOCK(:pet_id)"), "RELEASE_LOCK"),
        (
            text("WITH a AS (SELECT :pet_id AS id) DELETE p FROM pets AS p JOIN a ON a.id = p.id"),
            "does not fit",
        ),
        (text("SELECT SLEEP(:pet_id)"), "SLEEP"),
        (text("SELECT LOAD_FILE(:pet_id)"), "LOAD_FILE"),
        (text(GOOD + " INTO OUTFILE '/x'"), "OUTFILE"),
    ],
)
def test_a_wrong_file(source: str, said: str) -> None:
    assert said in refused(source)


def test_words_in_texts_and_names_are_only_texts_and_names() -> None:
    body = "SELECT 'SLEEP; ? @x :nobody' AS id FROM pets AS p WHERE p.id = :pet_id -- ; SELECT 1"
    statement = compile_statement("pets/get", text(body + "\n;"))
    assert b":nobody" in statement.render({"pet_id": 1}).sql


@pytest.mark.parametrize("name", ["get", "Pets/get", "pets/Get", "pets/get.more", "a/b/c", "9/x"])
def test_a_wrong_path(name: str) -> None:
    assert "lower case" in refused(text(), name)


@pytest.mark.parametrize(
    ("body", "locking"),
    [
        (GOOD, False),
        (GOOD + " FOR UPDATE", True),
        (GOOD + " FOR SHARE", True),
        (GOOD + " LOCK IN SHARE MODE", True),
        (GOOD + "\nFOR\nUPDATE", True),
        (GOOD + " -- FOR UPDATE", False),
    ],
)
def test_a_read_that_locks(body: str, locking: bool) -> None:
    assert compile_statement("pets/get", text(body)).locking == locking


def write(folder: Path, name: str, source: str) -> None:
    path = folder / f"{name}.sql"
    path.parent.mkdir(exist_ok=True)
    path.write_text(source, encoding="utf-8")


def test_a_folder(tmp_path: Path) -> None:
    write(tmp_path, "pets/get", text())
    write(tmp_path, "pets/delete", text("DELETE FROM pets WHERE id = :pet_id", returns="affected"))
    (tmp_path / "README.md").write_text("not SQL")
    (tmp_path / "pets" / "notes.txt").write_text("not SQL")
    folder = dal.sql_folder(tmp_path)
    assert list(folder.statements) == ["pets/delete", "pets/get"]
    handle = folder.one("pets/get", Pet)
    assert handle.name == "pets/get"
    assert folder.handles == {"pets/get": handle}
    assert dal.sql_folder(str(tmp_path)).statements.keys() == folder.statements.keys()


def test_every_wrong_file_is_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "pets/get", text(access="everybody"))
    write(tmp_path, "pets/find", text(deleted="maybe"))
    write(tmp_path, "pets/fine", text())
    (tmp_path / "pets" / "latin.sql").write_bytes(
        text(summary="Gr\u00fc\u00dfe.").encode("latin-1")
    )
    write(tmp_path, "cats/get", text(params=("pet_id BIGINT the pet",)))
    with pytest.raises(dal.StatementError) as caught:
        dal.sql_folder(tmp_path)
    said = str(caught.value)
    for part in ("pets/get: access", "pets/find: deleted", "pets/latin: not UTF-8"):
        assert part in said
    assert "pet_id is INT, in cats/get it is BIGINT" in said
    assert "pets/fine: access" not in said


def test_one_name_one_type_but_for_null(tmp_path: Path) -> None:
    write(tmp_path, "pets/get", text())
    write(tmp_path, "pets/find", text(params=("pet_id INT NULL the pet",)))
    assert len(dal.sql_folder(tmp_path).statements) == 2


def test_no_folder_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(dal.StatementError, match="no such folder"):
        dal.sql_folder(tmp_path / "nowhere")
    with pytest.raises(dal.StatementError, match="no <table>"):
        dal.sql_folder(tmp_path)


def test_a_handle_must_fit_its_file(tmp_path: Path) -> None:
    write(tmp_path, "pets/get", text())
    write(tmp_path, "pets/delete", text("DELETE FROM pets WHERE id = :pet_id", returns="affected"))
    folder = dal.sql_folder(tmp_path)

    @attrs.frozen
    class Other:
        id: int

    @attrs.frozen
    class Wrong:
        id: object

    Wrong.__name__ = "Pet"
    wrong = [
        (folder.one, ("pets/nothing", Pet), "no such statement"),
        (folder.find, ("pets/get", Pet), "the handle is find"),
        (folder.many, ("pets/get", Pet), "the handle is many"),
        (folder.value, ("pets/get", Pet), "the handle is value"),
        (folder.one, ("pets/get", Other), "the handle makes Other"),
        (folder.one, ("pets/get", Wrong), "no column is read as"),
        (folder.affected, ("pets/get",), "the handle is affected"),
        (folder.last_id, ("pets/delete",), "the handle is last_id"),
        (folder.bulk, ("pets/delete",), "one row of VALUES"),
    ]
    for make, arguments, said in wrong:
        with pytest.raises(dal.StatementError, match=said) as caught:
            make(*arguments)  # type: ignore[operator]
        assert caught.value.statement == arguments[0]
    assert folder.handles == {}


def test_rendering() -> None:
    statement = compile_statement(
        "pets/list",
        text(
            "SELECT p.id AS id FROM pets AS p WHERE p.id IN :ids AND p.at < :at OR p.at > :at"
            " ORDER BY p.id",
            returns="many Pet",
            params=("ids BINARY(16) which", "at DATETIME(6) when"),
        ),
    )
    one = UUID(int=1)
    at = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    sql = statement.render({"ids": [one, one], "at": at}).sql.decode()
    assert sql.count(f"X'{one.hex}'") == 2
    assert sql.count("TIMESTAMP'2026-01-01 00:00:00.000000'") == 2
    assert "%" not in sql
    assert statement.render({"ids": [], "at": at}).empty_list
    for wrong in ({"ids": [one]}, {"ids": [one], "at": at, "x": 1}, {"ids": [one], "on": at}, {}):
        with pytest.raises(dal.UsageError, match="missing"):
            statement.render(wrong)
    with pytest.raises(dal.ValueRejectedError) as caught:
        statement.render({"ids": [one, "x"], "at": at})
    assert (caught.value.field, caught.value.statement) == ("ids", "pets/list")


@pytest.mark.parametrize(
    ("body", "works"),
    [
        ("INSERT INTO pets (id) VALUES (:pet_id)", True),
        ("INSERT INTO pets (id, at) VALUES (ABS(:pet_id), NOW());", True),
        ("INSERT INTO pets (id) VALUES\n    (:pet_id) -- why\n", True),
        ("INSERT INTO pets (id) VALUES (:pet_id) ON DUPLICATE KEY UPDATE id = id", True),
        ("INSERT INTO pets (id) VALUES (:pet_id) ON DUPLICATE KEY UPDATE id = :pet_id", False),
        ("INSERT INTO pets (id) SELECT :pet_id AS id", False),
        ("INSERT INTO pets SET id = :pet_id", False),
    ],
)
def test_bulk(tmp_path: Path, body: str, works: bool) -> None:
    write(tmp_path, "pets/insert", text(body, returns="affected"))
    folder = dal.sql_folder(tmp_path)
    if not works:
        with pytest.raises(dal.StatementError):
            folder.bulk("pets/insert")
        return
    bulk = folder.bulk("pets/insert")
    rows = [bulk.statement.render_row({"pet_id": i}) for i in (1, 2)]
    sql = bulk.plan.head + ",".join(rows) + bulk.plan.tail
    assert sql.startswith("/* dal:pets/insert */ INSERT INTO pets")
    assert sql.count("(1") == sql.count("(2") == 1
    assert "VALUES" in sql
    for wrong in ({}, {"pet_id": 1, "x": 2}, {"x": 1}):
        with pytest.raises(dal.UsageError):
            bulk.statement.render_row(wrong)


def test_our_own_statements_load() -> None:
    assert len(house().statements) > 20
    for name, handle in house().handles.items():
        assert handle.name == name
