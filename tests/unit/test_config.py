"""URLs, keywords, DAL_URL; every wrong option is an error that names it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dal
from dal.config import Config, PrivateAddress, parse
from dal.secret import Secret


def test_a_whole_url() -> None:
    config = parse(
        "mysql://us%40er:p%3Aw%2F@db.example.org:3307/my%20db"
        "?ssl_ca=/etc/ca.pem&pool_max=20&ssl_check_hostname=no&statement_timeout_s=2.5"
    )
    assert config == Config(
        user="us@er", password=Secret("p:w/"), host="db.example.org", port=3307, database="my db",
        ssl_ca="/etc/ca.pem", pool_max=20, ssl_check_hostname=False, statement_timeout_s=2.5,
    )  # fmt: skip
    assert isinstance(config, Config)
    assert config.wants_tls
    assert config.where == "us@er@db.example.org:3307/my db"


def test_the_least() -> None:
    config = parse("mariadb://me@/db")
    assert isinstance(config, Config)
    assert (config.host, config.port, config.password.reveal()) == ("localhost", 3306, "")
    assert not config.password
    assert not config.wants_tls
    assert config.ssl_context() is None


def test_an_address_of_numbers() -> None:
    config = parse("mysql://me@[::1]:3308/db")
    assert isinstance(config, Config)
    assert (config.host, config.port) == ("::1", 3308)


def test_keywords_alone_and_over_a_url() -> None:
    assert parse(user="u", database="d") == Config(user="u", database="d")
    config = parse("mysql://u:pw@h/d?pool_max=20", pool_max=30, password="other", host="k")
    assert isinstance(config, Config)
    assert (config.pool_max, config.password.reveal(), config.host) == (30, "other", "k")


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAL_URL", "mysql://u@h/d")
    assert parse() == Config(user="u", host="h", database="d")
    assert parse(port=1) == Config(user="u", host="h", database="d", port=1)
    # Who names a user or a database means another server than the one of the environment.
    assert parse(user="me", database="mine") == Config(user="me", database="mine")
    for absent in (None, ""):
        if absent is None:
            monkeypatch.delenv("DAL_URL")
        else:
            monkeypatch.setenv("DAL_URL", absent)
        with pytest.raises(dal.ConfigError, match=r"(?s)dal\.connect.*DAL_URL"):
            parse()


@pytest.mark.parametrize(
    ("url", "temporary", "wanted", "options"),
    [
        ("private:", False, "mariadb", {}),
        ("private:temporary", True, "mariadb", {}),
        ("private:?engine=mysql", False, "mysql", {}),
        ("private:temporary?engine=mysql&pool_max=3", True, "mysql", {"pool_max": 3}),
    ],
)
def test_private_servers(
    url: str, temporary: bool, wanted: str, options: dict[str, object]
) -> None:
    address = parse(url)
    assert isinstance(address, PrivateAddress)
    assert (address.temporary, address.engine, address.options) == (temporary, wanted, options)
    assert parse(url, pool_max=4).options["pool_max"] == 4  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "url",
    ["private:other", "private:?engine=oracle", "private:?user=x", "private:?ssl_ca=/x",
     "private:?unix_socket=/x", "private:?nothing=1"],
)  # fmt: skip
def test_private_servers_that_there_are_not(url: str) -> None:
    with pytest.raises(dal.ConfigError):
        parse(url)
    with pytest.raises(dal.ConfigError, match="host"):
        parse("private:", host="elsewhere")


def _with_files(url: str) -> None:
    """Parse, and open the files that it names, which is when those are refused."""
    config = parse(url)
    assert isinstance(config, Config)
    config.ssl_context()


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("mysql://u@h/d?poolmax=3", "poolmax"),
        ("mysql://u@h/d?password=x", "password"),
        ("mysql://u@h/d?user=x", "user"),
        ("mysql://u@h/d?ssl_ca", "ssl_ca"),
        ("mysql://u@h/d?pool_max=1&pool_max=2", "pool_max"),
        ("mysql://u@h/d?pool_max=ten", "pool_max"),
        ("mysql://u@h/d?pool_max=0", "pool_max"),
        ("mysql://u@h/d?pool_max=5&pool_min=6", "pool_min"),
        ("mysql://u@h/d?ssl=perhaps", "ssl"),
        ("mysql://u@h/d?ssl_cert=/x", "ssl_key"),
        ("mysql://u@h/d?connect_timeout_s=0", "connect_timeout_s"),
        ("mysql://u@h/d?connect_timeout_s=nan", "connect_timeout_s"),
        ("mysql://u@h/d?statement_timeout_s=inf", "statement_timeout_s"),
        ("mysql://u@h/d?max_idle_s=nan", "max_idle_s"),
        ("mysql://u@h/d?max_lifetime_s=0", "max_lifetime_s"),
        ("mysql://u@h/d?lock_wait_timeout_s=0", "lock_wait_timeout_s"),
        ("mysql://u@h/d?lock_wait_timeout_s=1.5", "lock_wait_timeout_s"),
        ("mysql://u@h/d?login_max_failures=0", "login_max_failures"),
        ("mysql://u@h/d?login_max_failures=1001", "login_max_failures"),
        ("mysql://u@h/d?login_max_failures=five", "login_max_failures"),
        ("mysql://u@h/d?login_lock_s=0", "login_lock_s"),
        ("mysql://u@h/d?login_lock_s=31536001", "login_lock_s"),
        ("mysql://u@h/d?login_lock_s=1.5", "login_lock_s"),
        ("mysql://u@h/d?password_min_chars=0", "password_min_chars"),
        ("mysql://u@h/d?password_min_chars=65", "password_min_chars"),
        ("mysql://u@h/d?argon2_time_cost=0", "argon2_time_cost"),
        ("mysql://u@h/d?argon2_time_cost=101", "argon2_time_cost"),
        ("mysql://u@h/d?argon2_parallelism=0", "argon2_parallelism"),
        ("mysql://u@h/d?argon2_parallelism=65", "argon2_parallelism"),
        ("mysql://u@h/d?argon2_memory_kib=31", "argon2_memory_kib"),
        ("mysql://u@h/d?argon2_memory_kib=4194305", "argon2_memory_kib"),
        ("mysql://u@h/d?argon2_memory_kib=400&argon2_parallelism=64", "argon2_memory_kib"),
        ("mysql://u@h:0/d", "port"),
        ("mysql://u@h:65536/d", "port"),
        ("mysql://u@h:x/d", "port"),
        ("mysql://h/d", "user"),
        ("mysql://u@h", "database"),
        ("mysql://u@h/", "database"),
        ("mysql://u@h/d#x", "#"),
        ("http://u@h/d", "mysql://"),
        ("u@h/d", "mysql://"),
        ("", "mysql://"),
    ],
)
def test_a_wrong_url(url: str, named: str) -> None:
    with pytest.raises(dal.ConfigError) as caught:
        _with_files(url)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "3306"), ("port", 3306.0), ("port", True), ("pool_max", None), ("pool_max", 2.5),
        ("ssl", "yes"), ("ssl", 1), ("user", b"u"), ("database", 5), ("host", None),
        ("statement_timeout_s", "1"), ("statement_timeout_s", True), ("password", 5),
        ("password", None), ("login_max_failures", True), ("login_lock_s", 1800.0),
        ("password_min_chars", "8"), ("argon2_time_cost", None), ("argon2_memory_kib", 65536.0),
        ("argon2_parallelism", True),
    ],
)  # fmt: skip
def test_a_wrong_keyword(name: str, value: object) -> None:
    values: dict[str, Any] = {"user": "u", "database": "d", name: value}
    with pytest.raises(dal.ConfigError, match=name):
        parse(**values)


def test_passwords_and_log_ins() -> None:
    config = Config(user="u", database="d")
    assert (config.login_max_failures, config.login_lock_s) == (5, 1800)
    assert config.password_min_chars == 8
    # The second choice of RFC 9106.
    costs = (config.argon2_time_cost, config.argon2_memory_kib, config.argon2_parallelism)
    assert costs == (3, 2**16, 4)
    assert parse(
        "mysql://u@/d?login_max_failures=3&login_lock_s=60&password_min_chars=12"
        "&argon2_time_cost=4&argon2_memory_kib=131072&argon2_parallelism=2"
    ) == Config(
        user="u", database="d", login_max_failures=3, login_lock_s=60, password_min_chars=12,
        argon2_time_cost=4, argon2_memory_kib=131_072, argon2_parallelism=2,
    )  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        {"login_max_failures": 1, "login_lock_s": 1, "password_min_chars": 1},
        {"login_max_failures": 1000, "login_lock_s": 31_536_000, "password_min_chars": 64},
        {"argon2_time_cost": 1, "argon2_memory_kib": 8, "argon2_parallelism": 1},
        {"argon2_time_cost": 100, "argon2_memory_kib": 512, "argon2_parallelism": 64},
        {"argon2_memory_kib": 4_194_304},
    ],
)
def test_the_ends_of_what_is_allowed(options: dict[str, int]) -> None:
    config = Config(user="u", database="d", **options)  # type: ignore[arg-type]
    assert {name: getattr(config, name) for name in options} == options


def test_an_unknown_keyword() -> None:
    with pytest.raises(dal.ConfigError, match="unknown option: also, other"):
        parse("mysql://u@h/d", other=True, also=1)


def test_paths_are_paths() -> None:
    config = parse(user="u", database="d", ssl_ca=Path("/ca.pem"), unix_socket=Path("/s"))
    assert isinstance(config, Config)
    assert (config.ssl_ca, config.unix_socket) == ("/ca.pem", "/s")
    assert config.where == "u@/s/d"


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
)
def test_whatever_is_escaped_comes_back(user: str, password: str, database: str) -> None:
    quoted = [quote(text, safe="") for text in (user, password, database)]
    config = parse("mysql://{}:{}@h/{}".format(*quoted))
    assert isinstance(config, Config)
    assert (config.user, config.password.reveal(), config.database) == (user, password, database)


def _refused(url: str) -> dal.ConfigError | None:
    try:
        parse(url)
    except dal.ConfigError as error:
        return error
    return None


@given(st.text(min_size=4, max_size=20).map(lambda text: "zq7xk" + text))
def test_no_error_repeats_what_was_not_escaped(password: str) -> None:
    for url in (f"mysql://u:{password}@h/d", f"mysql://u:1?{password}=1@h/d?x=1"):
        error = _refused(url)
        assert "zq7xk" not in f"{error} {error!r} {error and error.__context__!r}"


def test_a_secret() -> None:
    secret = Secret("zq7xk")
    assert secret.reveal() == "zq7xk"
    assert secret == Secret("zq7xk") != Secret("other")
    assert hash(secret) == hash(Secret("zq7xk"))
    assert secret
    for text in (repr(secret), str(secret), f"{secret}", f"{secret!s:>20}", repr([secret])):
        assert "zq7xk" not in text
    with pytest.raises(TypeError):
        pickle.dumps(secret)


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("ssl-mode", "ssl=true"), ("ssl_mode", "ssl=true"), ("sslmode", "ssl=true"),
        ("ssl-ca", "write ssl_ca"), ("charset", "utf8mb4"), ("autocommit", "leave it out"),
        ("connect_timeout", "write connect_timeout_s"), ("pool_size", "write pool_max"),
        ("pool_recycle", "write max_lifetime_s"), ("db", "mysql://host/database"),
        ("time_zone", "every setting"), ("unix-socket", "write unix_socket"),
    ],
)  # fmt: skip
def test_what_others_call_an_option_is_told(name: str, instead: str) -> None:
    with pytest.raises(dal.ConfigError, match=f"unknown option: {name}: .*{instead}"):
        parse(f"mysql://u:secret@h/d?{name}=REQUIRED")
    with pytest.raises(dal.ConfigError, match=f"unknown option: {name}: .*{instead}"):
        parse("mysql://u:secret@h/d", **{name: "REQUIRED"})
