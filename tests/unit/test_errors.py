"""The error tree: its shape, its docstring, and what it takes of a server's message."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dal
from dal import errors
from dal.errors import DalError, from_server

TREE = [getattr(errors, name) for name in errors.__all__ if name != "from_server"]


def test_the_tree_is_public_and_drawn() -> None:
    for cls in TREE:
        assert getattr(dal, cls.__name__) is cls
        assert issubclass(cls, DalError)
        assert cls.__doc__
        assert errors.__doc__ is not None
        assert cls.__name__ in errors.__doc__
    assert errors.__all__ == sorted(errors.__all__, key=lambda n: (n.islower(), n))


def test_what_a_catcher_can_do_next() -> None:
    transient = {
        dal.DeadlockError, dal.LockTimeoutError, dal.ConnectionLostError, dal.ReadOnlyServerError,
    }  # fmt: skip
    constraint = {
        dal.UniqueError, dal.ParentMissingError, dal.ChildExistsError, dal.NotNullError,
        dal.CheckError, dal.LastAdminError,
    }  # fmt: skip
    unavailable = {dal.PoolTimeoutError, dal.ConnectError}
    for parent, leaves in (
        (dal.TransientError, transient),
        (dal.ConstraintError, constraint),
        (dal.UnavailableError, unavailable),
    ):
        assert {c for c in TREE if issubclass(c, parent)} - {parent} == leaves
    # To repeat either of them could do a thing twice.
    assert not issubclass(dal.OutcomeUnknownError, dal.TransientError)
    assert not issubclass(dal.StatementTimeoutError, dal.TransientError)


def test_what_an_error_says() -> None:
    error = from_server(1062, "Duplicate entry 'x' for key 't.uq_x'", sqlstate="23000")
    error.statement = "users/insert"
    assert str(error) == (
        "another row has this key already: uq_x (server error 1062) [users/insert]"
    )
    assert (error.errno, error.sqlstate) == (1062, "23000")
    plain = dal.NotFoundError("no such row")
    assert (plain.statement, plain.errno, plain.sqlstate) == (None, None, None)
    assert str(plain) == "no such row"


def test_fields_of_the_special_ones() -> None:
    assert dal.LastAdminError("m", constraint="last_admin").constraint == "last_admin"
    assert vars(dal.InvalidTransitionError("m", current="a", wanted="b")).items() >= {
        "current": "a", "wanted": "b"
    }.items()  # fmt: skip
    assert vars(dal.StaleVersionError("m", expected=1, actual=2)).items() >= {
        "expected": 1, "actual": 2
    }.items()  # fmt: skip
    assert vars(dal.VariablesError("m", missing=("a",), unknown=("b", "c"))).items() >= {
        "field": "values", "missing": ("a",), "unknown": ("b", "c")
    }.items()  # fmt: skip


@pytest.mark.parametrize(
    ("errno", "message", "kind", "attribute", "named"),
    [
        (1062, "Duplicate entry 'a' for key 'uq_x'", dal.UniqueError, "constraint", "uq_x"),
        (1062, "Duplicate entry 'a' for key 't.uq_x'", dal.UniqueError, "constraint", "uq_x"),
        (1062, "for key 'a", dal.UniqueError, "constraint", None),
        (1452, "(`d`.`t`, CONSTRAINT `fk_x` FOREIGN KEY (`a`) REFERENCES `p` (`id`))",
         dal.ParentMissingError, "constraint", "fk_x"),
        (1216, "a foreign key constraint fails", dal.ParentMissingError, "constraint", None),
        (1451, "CONSTRAINT `fk_x` FOREIGN KEY", dal.ChildExistsError, "constraint", "fk_x"),
        (1217, "a foreign key constraint fails", dal.ChildExistsError, "constraint", None),
        (1048, "Column 'a' cannot be null", dal.NotNullError, "constraint", "a"),
        (1364, "Field 'a' doesn't have a default value", dal.NotNullError, "constraint", "a"),
        (3819, "Check constraint 'ck_x' is violated.", dal.CheckError, "constraint", "ck_x"),
        (4025, "CONSTRAINT `ck_x` failed for `d`.`t`", dal.CheckError, "constraint", "ck_x"),
        (4025, "CONSTRAINT `t.doc` failed for `d`.`t`", dal.ValueRejectedError, "field", "doc"),
        (3140, "Invalid JSON text: \"x\" at position 0 in value for column 't.doc'.",
         dal.ValueRejectedError, "field", "doc"),
        (1406, "Data too long for column 'a' at row 1", dal.ValueRejectedError, "field", "a"),
        (1366, "Incorrect integer value: 'x' for column `d`.`t`.`a` at row 1",
         dal.ValueRejectedError, "field", "a"),
        (1292, "Truncated incorrect DOUBLE value: 'x'", dal.ValueRejectedError, "field", None),
    ],
)  # fmt: skip
def test_names_are_kept(
    errno: int, message: str, kind: type[DalError], attribute: str, named: str | None
) -> None:
    error = from_server(errno, message)
    assert type(error) is kind
    assert getattr(error, attribute) == named
    assert "None" not in str(error)


@pytest.mark.parametrize(
    ("errno", "kind"),
    [
        (1213, dal.DeadlockError), (1205, dal.LockTimeoutError), (3572, dal.LockTimeoutError),
        (1020, dal.LockTimeoutError), (1053, dal.ConnectionLostError),
        (1927, dal.ConnectionLostError), (2006, dal.ConnectionLostError),
        (2013, dal.ConnectionLostError), (4031, dal.ConnectionLostError),
        (1040, dal.ConnectError), (1045, dal.ConnectError), (1049, dal.ConnectError),
        (1203, dal.ConnectError), (3159, dal.ConnectError), (1317, dal.StatementTimeoutError),
        (1969, dal.StatementTimeoutError), (3024, dal.StatementTimeoutError),
        (1142, dal.ServerError), (1064, dal.ServerError), (65535, dal.ServerError),
    ],
)  # fmt: skip
def test_numbers_decide(errno: int, kind: type[DalError]) -> None:
    error = from_server(errno, "some text", sqlstate="HY000", statement="a/b")
    assert type(error) is kind
    assert (error.errno, error.sqlstate, error.statement) == (errno, "HY000", "a/b")


# The numbers whose messages repeat what was sent, as the servers write them.
WITH_VALUE = [
    (1062, "Duplicate entry '{}' for key 'uq_x'"),
    (1062, "Duplicate entry '{}-1' for key 't.uq_x'"),
    (1064, "You have an error in your SQL syntax; ... near '{}' at line 1"),
    (1292, "Incorrect datetime value: '{}' for column `d`.`t`.`a` at row 1"),
    (1292, "Truncated incorrect DOUBLE value: '{}'"),
    (1366, "Incorrect string value: '{}' for column 'a' at row 1"),
    (1411, "Incorrect time value: '{}' for function str_to_date"),
    (1525, "Incorrect DATETIME value: '{}'"),
    (1690, "BIGINT value is out of range in '({} + 1)'"),
    (3140, "Invalid JSON text: \"{}\" at position 0 in value for column 't.a'."),
    (4025, "CONSTRAINT `ck_x` failed for `d`.`t`"),
    (65000, "unheard of: {}"),
]


@given(
    st.sampled_from(WITH_VALUE),
    st.lists(
        st.sampled_from(
            ["zq7xk", "'", '"', "`", "\\", " for key 'zq7xk'", " at row 1", "column `zq7xk`",
             " for column 'zq7xk' at row 1", "CONSTRAINT `zq7xk` FOREIGN KEY", "\n", ".",
             "Check constraint 'zq7xk'", "value for column 'zq7xk.zq7xk'.", "\U0001f600"]
        ),
        min_size=1,
        max_size=6,
    ),
)  # fmt: skip
def test_no_message_holds_a_value(said: tuple[int, str], pieces: list[str]) -> None:
    errno, message = said
    error = from_server(errno, message.replace("{}", "zq7xk" + "".join(pieces)))
    assert "zq7xk" not in f"{error} {error!r} {vars(error)}"


@pytest.mark.parametrize("kind", TREE)
def test_an_error_crosses_to_another_process_whole(kind: type[DalError]) -> None:
    keywords = [
        name
        for name, parameter in inspect.signature(kind.__init__).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    ]
    given: dict[str, Any] = {name: f"its {name}" for name in keywords}
    error = kind("what happened", **given)
    error.add_note("seen at night")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301
        assert type(again) is kind
        assert str(again) == str(error)
        assert again.args == error.args
        assert vars(again) == vars(error)
        assert {"statement", "errno", "sqlstate", *keywords} <= vars(again).keys()


@pytest.mark.parametrize(
    ("errno", "message", "read_only"),
    [
        (1290, "The MySQL server is running with the --super-read-only option so it cannot", True),
        (1290, "Le serveur MariaDB est demarre avec l'option --read-only. Il ne peut", True),
        (1290, "The server is running with the --secure-file-priv option so it cannot", False),
        (1792, "Cannot execute statement in a READ ONLY transaction.", True),
        (1836, "Running in read-only mode", True),
        (3100, "Error on observer while running replication hook 'before_commit'.", True),
    ],
)
def test_a_server_that_takes_no_writes(errno: int, message: str, read_only: bool) -> None:
    assert isinstance(from_server(errno, message), dal.ReadOnlyServerError) == read_only
