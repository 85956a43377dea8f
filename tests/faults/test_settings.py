"""Servers with settings that people leave behind: a session of ours does not have them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

import attrs
import pytest

import dal
from dal.config import Config, parse
from dal.migrate import Migrator
from dal.provision import (
    Accounts,
    apply_grants,
    connect,
    create_database,
    prepare_temporary,
)
from dal.server import Engine, PrivateServer, start_temporary
from dal.session.connection import Connection
from dal.settings import session_settings
from tests.conftest import CHEAP_HASHES, START, options

# What an administrator, a tool or a hosting company may have left, at its worst for us.
WORST: Final = {
    "autocommit": "0",
    "completion_type": "'RELEASE'",
    "time_zone": "'+13:00'",
    "sql_mode": "'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,IGNORE_SPACE'",
    "foreign_key_checks": "0",
    "unique_checks": "0",
    "lc_messages": "'fr_FR'",
    "lc_time_names": "'fr_FR'",
    "sql_select_limit": "1",
    "sql_big_selects": "0",
    "sql_safe_updates": "1",
    "sql_auto_is_null": "1",
    "div_precision_increment": "0",
    "default_week_format": "7",
    "max_sort_length": "64",
    "group_concat_max_len": "4",
    "sql_quote_show_create": "0",
    "default_storage_engine": "MyISAM",
    "innodb_lock_wait_timeout": "1",
    "lock_wait_timeout": "1",
}
WORST_OF: Final[dict[Engine, dict[str, str]]] = {
    "mariadb": {
        "tx_isolation": "'READ-UNCOMMITTED'",
        "tx_read_only": "1",
        "max_statement_time": "0.001",
        "check_constraint_checks": "0",
        "old_mode": "'ZERO_DATE_TIME_CAST,UTF8_IS_UTF8MB3'",
        "standard_compliant_cte": "0",
        "max_recursive_iterations": "1",
        "innodb_strict_mode": "0",
        "alter_algorithm": "'INSTANT'",
        "sql_if_exists": "1",
    },
    "mysql": {
        "transaction_isolation": "'READ-UNCOMMITTED'",
        "transaction_read_only": "1",
        "max_execution_time": "1",
        "cte_max_recursion_depth": "0",
        "windowing_use_high_precision": "0",
        "range_optimizer_max_mem_size": "1",
        "old_alter_table": "1",
        "end_markers_in_json": "1",
        "explain_format": "'TREE'",
        "explain_json_format_version": "2",
    },
}
# What has an effect where a table is made, and no name in a session.
NO_SESSION: Final[dict[Engine, dict[str, str]]] = {
    "mariadb": {"innodb_default_row_format": "compact", "character_set_server": "latin1"},
    "mysql": {"innodb_default_row_format": "compact", "character_set_server": "latin1"},
}


class Server:
    """A server whose globals a test turns."""

    def __init__(self, engine: Engine, server: PrivateServer, accounts: Accounts) -> None:
        self.engine = engine
        self.accounts = accounts
        admin = parse(server.admin_url("dal"))
        assert isinstance(admin, Config)
        self.admin = admin
        # Opened once: with these globals nothing else could be relied on.
        self._root = connect(admin)
        self._before: dict[str, Any] = {}

    def turn(self, name: str, value: str) -> None:
        with self._root.cursor() as cursor:
            if name not in self._before:
                cursor.execute(f"SELECT @@GLOBAL.{name}")
                (self._before[name],) = cursor.fetchone() or (None,)
            cursor.execute(f"SET GLOBAL {name} = {value}")

    def turn_all(self) -> None:
        for name, value in {**worst(self.engine), **NO_SESSION[self.engine]}.items():
            self.turn(name, value)

    def turn_back(self) -> None:
        with self._root.cursor() as cursor:
            for name, value in self._before.items():
                cursor.execute(f"SET GLOBAL {name} = %s", (value,))
        self._before.clear()

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._root.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    def close(self) -> None:
        self._root.close()


def worst(engine: Engine) -> dict[str, str]:
    return {**WORST, **WORST_OF[engine]}


@pytest.fixture(scope="module")
def misset(engine: Engine) -> Iterator[Server]:
    server = start_temporary(engine)
    try:
        with closing(Server(engine, server, prepare_temporary(server))) as mine:
            yield mine
    finally:
        server.stop()


@pytest.fixture
def turned(misset: Server) -> Iterator[Server]:
    yield misset
    misset.turn_back()


async def story(server: Server, database: str = "dal") -> None:
    """A little of everything: what is refused, what is ordered, counted, dated, found and gone."""
    config = server.accounts.config("dal_application", database=database)
    clock = dal.ManualClock(START)
    async with dal.connect(clock=clock, **options(config), **CHEAP_HASHES) as db:
        system = db.acting_as(dal.Actor.system("tests"))
        address = f"ada{len(server.rows(f'SELECT id FROM {database}.users'))}@example.org"
        ada = await system.users.create(email=address, full_name='A"da \\ ||')
        assert (await system.users.get(ada.id)).created_at == START
        with pytest.raises(dal.UniqueError) as twice:
            await system.users.create(email=address, full_name="Other")
        assert twice.value.constraint == "uq_users_email_live"
        me = db.acting_as(dal.Actor.user(ada.id))
        prefix = "p" * 80
        made = [
            await me.templates.create(
                name=f"{prefix} {n}", content=f"elephant {n}", tags=["b", "a"], visibility="public"
            )
            for n in (2, 1, 3)
        ]
        first = made[0].id
        await me.templates.versions.commit(first, content="elephant again", expected_head=1)
        await me.templates.labels.set(first, "production", 1)
        with pytest.raises(dal.ChildExistsError) as labelled:
            await me.templates.versions.delete(first, 1)
        assert labelled.value.constraint == "fk_template_labels_version"
        bob = await system.users.create(email=f"b{address}", full_name="Bob")
        for rater, stars in ((ada, 4), (bob, 3)):
            rating = db.acting_as(dal.Actor.user(rater.id)).templates.ratings
            await rating.set(made[1].id, stars)
        assert (await me.templates.get(made[1].id)).rating_sum == 7
        assert len((await me.templates.list_mine()).rows) == 3
        found = await me.templates.search("elephant", scope="mine")
        assert [hit.template.tags for hit in found.rows] == [{"a", "b"}] * 3
        async with me.begin() as tx:
            await tx.templates.soft_delete(first)
        async with me.begin() as tx:
            await tx.templates.trash.purge(first)
        assert not server.rows(
            f"SELECT 1 FROM {database}.template_versions WHERE template_id = %s", first.bytes
        )
        with pytest.raises(dal.NotFoundError):
            await me.templates.get(first)


def test_all_that_is_set_is_left_wrong_once(misset: Server) -> None:
    version = (99, 0, 0) if misset.engine == "mysql" else (10, 11, 0)
    text = session_settings(misset.engine, version, lock_wait_s=10, limit_s=1)
    assert set(re.findall(r"(\w+) = ", text)) == set(worst(misset.engine))


async def test_the_session_has_ours(turned: Server) -> None:
    names = sorted(worst(turned.engine))
    ask = f"SELECT {', '.join(f'@@SESSION.{name}' for name in names)}".encode()
    config = turned.accounts.config("dal_application")
    usual = await Connection.open(config)
    expected = dict(zip(names, (await usual.run(ask)).rows[0], strict=True))
    usual.close()
    turned.turn_all()
    changed = turned.rows(f"SELECT {', '.join(f'@@GLOBAL.{name}' for name in names)}")[0]
    same = [n for n, value in zip(names, changed, strict=True) if str(value) == expected[n]]
    assert same == [], "not turned"
    opened = await Connection.open(config)
    for step in ("opened", "reset"):
        if step == "reset":
            await opened.reset()
        found = dict(zip(names, (await opened.run(ask)).rows[0], strict=True))
        assert found == expected, step
    opened.close()
    with connect(turned.accounts.config("dal_migrator")) as blocking, blocking.cursor() as cursor:
        cursor.execute(ask)
        migrator = dict(zip(names, map(str, cursor.fetchone() or ()), strict=True))
    limit = "max_statement_time" if turned.engine == "mariadb" else "max_execution_time"
    assert float(migrator.pop(limit)) == 0
    assert migrator.items() <= expected.items()


async def test_each_alone_changes_nothing(turned: Server) -> None:
    for name, value in worst(turned.engine).items():
        turned.turn(name, value)
        try:
            await story(turned)
        except Exception as error:
            error.add_note(f"with {name} = {value}")
            raise
        turned.turn_back()


async def test_migrated_and_used_with_all_of_them(turned: Server) -> None:
    create_database(turned.admin, "misset")
    try:
        turned.turn_all()
        # The first time it is the administrator's: the role's rights name the tables.
        Migrator(attrs.evolve(turned.admin, database="misset")).apply()
        apply_grants(turned.admin, "misset")
        formats = turned.rows(
            "SELECT DISTINCT ENGINE, ROW_FORMAT FROM information_schema.TABLES"
            " WHERE TABLE_SCHEMA = 'misset'"
        )
        assert formats == [("InnoDB", "Dynamic")]
        await story(turned, "misset")
    finally:
        turned.turn_back()
        turned.rows("DROP DATABASE misset")


@pytest.fixture(scope="module")
def logging_statements(engine: Engine) -> Iterator[PrivateServer]:
    started = start_temporary(
        engine, options=["--log-bin=bl", "--binlog-format=STATEMENT", "--server-id=1"]
    )
    yield started
    started.stop()


async def test_a_statement_log_is_refused(logging_statements: PrivateServer) -> None:
    admin = parse(logging_statements.admin_url("mysql"))
    assert isinstance(admin, Config)
    with pytest.raises(dal.ConfigError, match=r"binlog_format is STATEMENT.*set it to ROW"):
        await Connection.open(admin)
    with pytest.raises(dal.ConfigError, match="binlog_format is STATEMENT"):
        connect(admin)
