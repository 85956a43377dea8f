"""The rules of the house, which no linter knows: who may import whom, and what lies where."""

from __future__ import annotations

import ast
import configparser
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dal
from dal.repositories.base import PARTS, Repository
from tests import fill
from tests.sql.aggregates import AGGREGATES

ROOT = Path(__file__).resolve().parents[2]
DAL = ROOT / "dal"

# A module may import from its own floor (within one package) and from floors below.
FLOORS = {
    "errors": 1,
    "secret": 1,
    "settings": 2,
    "config": 2,
    "records": 2,
    "statements": 3,
    "passwords": 3,
    "session": 4,
    "search": 5,
    "gateways": 6,
    "repositories": 7,
    "database": 8,
}
# Beside the stairs: they may use every floor, and no floor uses them.
BESIDE = {"cli", "testing", "review", "migrate", "provision", "private", "server", "__main__"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(DAL.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Modules that a file imports, and whether the import stands inside a function."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in inside
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            for name in names if node.module == "dal" else [node.module]:
                yield name, id(node) in inside


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def test_every_module_has_a_floor_or_stands_beside() -> None:
    rooms = {room(name) for name, _ in modules()} - {""}
    assert rooms <= FLOORS.keys() | BESIDE


def test_imports_go_down_only() -> None:
    wrong = []
    for module, path in modules():
        here = room(module)
        if here not in FLOORS:
            continue
        for name, in_function in imports(path):
            if not name.startswith("dal."):
                continue
            there = room(name)
            if there in FLOORS and FLOORS[there] < FLOORS[here]:
                continue
            if there == here:
                continue
            # connect() starts private servers on demand; nothing else of the floors reaches out.
            if (module, name, in_function) == ("dal.database", "dal.private", True):
                continue
            wrong.append(f"{module} imports {name}")
    assert wrong == []


def test_server_imports_errors_alone() -> None:
    found = {
        name
        for module, path in modules()
        if room(module) == "server"
        for name, _ in imports(path)
        if name.startswith("dal.") and room(name) != "server"
    }
    assert found <= {"dal.errors"}


@pytest.mark.parametrize(
    ("package", "rooms"),
    [
        # who may import it
        ("aiomysql", {"session"}),
        ("pymysql", {"session", "migrate", "provision", "testing", "cli"}),
        ("pypika", {"search"}),
        ("argon2", {"passwords"}),
        ("Stemmer", {"search"}),
        ("yoyo", {"migrate"}),
        ("hypothesis", {"testing"}),
        ("pytest", {"testing"}),
        ("rich", {"cli"}),
        ("cyclopts", {"cli"}),
    ],
)
def test_a_package_is_used_in_its_own_room(package: str, rooms: set[str]) -> None:
    users = {
        room(module)
        for module, path in modules()
        for name, _ in imports(path)
        if name.split(".")[0] == package
    }
    assert users <= rooms


def test_error_numbers_are_known_to_errors_alone() -> None:
    """A four-digit number compared with ``errno`` belongs into the table of dal/errors.py."""
    allowed = {"dal.errors"}
    wrong = []
    for module, path in modules():
        if module in allowed or room(module) in BESIDE:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Compare) and "errno" in ast.unparse(node):
                numbers = [
                    n.value
                    for n in ast.walk(node)
                    if isinstance(n, ast.Constant) and isinstance(n.value, int)
                ]
                wrong += [f"{module}: {ast.unparse(node)}"] if numbers else []
        # Nor under a name of the module's own, unless it says that it is a limit.
        wrong += [
            f"{module}: {ast.unparse(node)}"
            for node in tree.body
            if isinstance(node, (ast.Assign, ast.AnnAssign))
            and isinstance(node.value, ast.Constant)
            and type(node.value.value) is int
            and 1000 < node.value.value < 5000
            and not re.match(r"_?MAX_", ast.unparse(node))
        ]
    assert wrong == []


def public_methods(of: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(of, inspect.isfunction) if name[0] != "_"}


def test_an_aggregate_is_a_package_of_parts() -> None:
    """``Repository`` <- the rules of the aggregate <- a part; the face has a door to each part."""
    for path, part in PARTS.items():
        aggregate, _, name = path.partition(".")
        assert len(public_methods(part)) <= 15, path
        parents = part.__mro__[1 : part.__mro__.index(Repository)]
        assert not set(parents) & set(PARTS.values()), f"{path} inherits a part"
        assert len(parents) <= 1, f"{path}: nothing stands between a part and the rules"
        if name:
            door = getattr(PARTS[aggregate], name)
            assert door.fget.__annotations__["return"] == part.__name__
        else:
            assert getattr(dal.Session, path).fget.__annotations__["return"] == part.__name__
            assert part.__name__ in dal.__all__


def test_who_asks_is_decided_in_one_place() -> None:
    users = {
        module
        for module, path in modules()
        if room(module) in {"repositories", "search", "gateways"}
        and "is_system" in path.read_text(encoding="utf-8").replace("actor_is_system", "")
    }
    assert users == {"dal.repositories.base"}


def test_sql_text_stands_in_files() -> None:
    """No floor above the session writes a statement in Python."""
    statement = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE)\s", re.MULTILINE)
    wrong = []
    for module, path in modules():
        if room(module) not in {"records", "gateways", "repositories", "database", "search"}:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {
            ast.get_docstring(node, clean=False)
            for node in ast.walk(tree)
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        }
        wrong += [
            f"{module}: {node.value[:40]!r}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value not in docstrings
            and statement.match(node.value)
            # What the binder requires of a search that was built.
            and node.value != "SELECT "
        ]
    assert wrong == []


def test_everything_public_is_listed_sorted() -> None:
    # Constants, then classes, then functions, as ruff sorts them.
    def place(name: str) -> tuple[bool, bool, str]:
        return (not name.isupper(), not name[0].isupper(), name)

    assert dal.__all__ == sorted(dal.__all__, key=place)
    assert len(set(dal.__all__)) == len(dal.__all__)
    for name in dal.__all__:
        assert getattr(dal, name).__doc__ or not callable(getattr(dal, name)), name


def test_public_names_are_all_in_all() -> None:
    tree = ast.parse((DAL / "__init__.py").read_text(encoding="utf-8"))
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    }
    assert imported == set(dal.__all__)


def test_every_error_is_exported() -> None:
    errors = {
        name
        for name, value in vars(dal.errors).items()
        if isinstance(value, type) and issubclass(value, dal.DalError)
    }
    assert errors <= set(dal.__all__)
    tree = dal.errors.__doc__ or ""
    assert all(name in tree for name in errors), "the tree in the docstring is complete"


def test_public_functions_and_classes_have_docstrings() -> None:
    missing = []
    for module, path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not ast.get_docstring(tree) and module != "dal.__main__":
            missing.append(module)
        for node in tree.body:
            if not isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            members = node.body if isinstance(node, ast.ClassDef) else []
            missing += [
                f"{module}.{node.name}.{item.name}"
                for item in [node, *members]
                if isinstance(item, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
                and not item.name.startswith("_")
                and not node.name.startswith("_")
                and not ast.get_docstring(item)
                and not any("setter" in ast.unparse(d) for d in item.decorator_list)
            ]
    assert missing == []


def tracked() -> list[Path]:
    """Files of the project: what git knows, or would add; everything outside a checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def test_top_level_holds_what_it_should() -> None:
    tops = {path.relative_to(ROOT).parts[0] for path in tracked()}
    folders = {top for top in tops if (ROOT / top).is_dir() and not top.startswith(".")}
    assert folders == {"dal", "sql", "migrations", "tests", "scripts"}
    files = {top for top in tops if (ROOT / top).is_file() and not top.startswith(".")}
    assert files == {
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "DECISIONS.md",
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "setup.cfg",
    }


def test_no_machine_path_and_no_unfinished_work() -> None:
    # Cut in two, so that this file does not hold what it looks for.
    forbidden = re.compile(
        "|".join(["/wo" + "rk/", "/ro" + "ot/", "TO" + "DO", "FIX" + "ME", "XX" + "X"])
    )
    wrong = []
    for path in tracked():
        if path.suffix in {".py", ".sql", ".md", ".cfg", ".toml", ""}:
            lines = path.read_text(encoding="utf-8").split("\n")
            wrong += [
                f"{path.relative_to(ROOT)}:{number}"
                for number, line in enumerate(lines, 1)
                if forbidden.search(line)
            ]
    assert wrong == []


def test_a_table_has_all_its_pieces() -> None:
    """What CONTRIBUTING.md asks of a new table; each that is missing is named."""
    schema = (ROOT / "sql/schema.sql").read_text(encoding="utf-8")
    tables = re.findall(r"^CREATE TABLE `(?!_?yoyo|dal_)(\w+)`", schema, re.MULTILINE)
    grants = (ROOT / "sql/grants.sql").read_text(encoding="utf-8")
    rules = (ROOT / "migrations/README.md").read_text(encoding="utf-8")
    missing = []
    for table in tables:
        word = re.compile(rf"\b{table}\b")
        pieces = {
            "a statement in sql/": any((ROOT / "sql" / table).glob("*.sql")),
            "rights in sql/grants.sql": word.search(grants),
            "a delete rule in migrations/README.md": word.search(rules),
            "rows in tests/fill/": table in fill.TABLES,
            "its place in tests/sql/aggregates/": any(table in a.tables for a in AGGREGATES),
        }
        missing += [f"{table}: {piece}" for piece, is_there in pieces.items() if not is_there]
    assert missing == []


def test_packages_of_the_wheel_are_complete() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = set(setup["options"]["packages"].split())
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in DAL.rglob("__init__.py")}
    assert listed == found | {"dal._sql", "dal._migrations"}


def test_import_needs_only_what_setup_cfg_names() -> None:
    """In a clean interpreter, every other package is as if it were not installed."""
    program = """
import importlib.abc, sys

ALLOWED = {"dal", "aiomysql", "pymysql", "attr", "attrs", "pypika", "cryptography", "cffi",
           "argon2", "_argon2_cffi_bindings", "Stemmer",
           "_cffi_backend", "typing_extensions"}

class Fence(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        # zoneinfo asks for the machine's own build data, whose name is in no list.
        ours = top in ALLOWED or top.startswith("_sysconfigdata")
        if not ours and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(f"not installed here: {name}", name=name)
        return None

sys.meta_path.insert(0, Fence())
import dal
assert dal.connect
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
