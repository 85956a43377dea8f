"""Two servers behind one address: a primary and its replica, which changes place with it.

The address is a link to a socket, which leads to one server and then to the other, as a name or a
balancer does.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import attrs
import pytest

import dal
from dal.config import Config, parse
from dal.provision import Accounts, prepare_temporary
from dal.server import Engine, PrivateServer, start_temporary
from dal.session.connection import Connection
from tests.conftest import CHEAP_HASHES, Recorder, new_user, options
from tests.faults.helpers import Root, until


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Node:
    """One of the two servers."""

    def __init__(self, engine: Engine, number: int) -> None:
        self.engine = engine
        self.port = _free_port()
        self.server: PrivateServer = start_temporary(
            engine,
            options=[
                f"--server-id={number}", "--log-bin=log", "--skip-networking=0",
                "--bind-address=127.0.0.1", f"--port={self.port}", "--log-slave-updates=1",
            ],
        )  # fmt: skip
        admin = parse(self.server.admin_url("mysql"))
        assert isinstance(admin, Config)
        self.root = Root(admin)

    def follow(self, primary: Node) -> None:
        """Replicate everything that the primary did since its data were made."""
        primary.root.rows("CREATE USER follower@'127.0.0.1'")
        primary.root.rows("GRANT REPLICATION SLAVE ON *.* TO follower@'127.0.0.1'")
        old = self.engine == "mariadb"
        what, of = ("MASTER", "MASTER") if old else ("REPLICATION SOURCE", "SOURCE")
        more = "" if old else ", SOURCE_SSL = 0, GET_SOURCE_PUBLIC_KEY = 1"
        self.root.rows(
            f"CHANGE {what} TO {of}_HOST = '127.0.0.1', {of}_PORT = {primary.port},"
            f" {of}_USER = 'follower',"
            f" {of}_LOG_FILE = 'log.000001', {of}_LOG_POS = 4, {of}_CONNECT_RETRY = 1{more}"
        )
        self.root.rows("START REPLICA" if not old else "START SLAVE")

    def users(self) -> int:
        """How many users of ours it has; -1 where there is no table yet."""
        seen = self.root.value(
            "SELECT COUNT(*) FROM information_schema.TABLES"
            " WHERE TABLE_SCHEMA = 'dal' AND TABLE_NAME = 'users'"
        )
        return int(self.root.value("SELECT COUNT(*) FROM dal.users")) if seen else -1

    def set_read_only(self, value: int) -> None:
        self.root.rows(f"SET GLOBAL read_only = {value}")

    def stop(self) -> None:
        self.root.close()
        self.server.stop()


@attrs.define
class Pair:
    """The two, and the address that leads to one of them."""

    primary: Node
    replica: Node
    accounts: Accounts
    address: Path

    def lead_to(self, node: Node) -> None:
        new = self.address.with_suffix(".new")
        new.symlink_to(node.server.socket)
        new.replace(self.address)

    def config(self) -> Config:
        config = self.accounts.config("dal_application")
        return attrs.evolve(config, unix_socket=str(self.address))


@pytest.fixture(scope="module")
def nodes(engine: Engine) -> Iterator[tuple[Node, Node, Accounts]]:
    first, second = Node(engine, 1), Node(engine, 2)
    try:
        second.set_read_only(1)
        second.follow(first)
        yield first, second, prepare_temporary(first.server)
    finally:
        first.stop()
        second.stop()


@pytest.fixture
async def pair(nodes: tuple[Node, Node, Accounts], tmp_path: Path) -> Pair:
    primary, replica, accounts = nodes
    pair = Pair(primary, replica, accounts, tmp_path / "socket")
    pair.lead_to(primary)
    await until(lambda: replica.users() == primary.users() >= 0, "the replica is where its primary")
    return pair


async def test_a_cancelled_statement_is_killed_on_its_own_server_alone(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    primary, replica = pair.primary, pair.replica
    async with dal.connect(**options(pair.config()), **CHEAP_HASHES) as db:
        ada = await new_user(db)
        await until(lambda: replica.users() == primary.users(), "the user on the replica")
        system = db.acting_as(dal.Actor.system("tests"))
        # Its number, on the other server: connections are opened there until it is reached.
        connection = db.pool._free[-1]
        others: list[Connection] = []
        pair.lead_to(replica)
        while not others or others[-1].connection_id < connection.connection_id:
            others.append(await Connection.open(pair.config()))
        primary.root.rows("BEGIN")
        primary.root.rows("SELECT id FROM dal.users FOR UPDATE")
        # As if the server had ended it: the next one leads to the replica.
        assert db.pool._killer is not None
        db.pool._killer.close()
        waiting = asyncio.create_task(system.users.access.deactivate(ada.id))
        await until(lambda: bool(primary.root.running("dal:users/lock")), "it waits for the row")
        with caplog.at_level(logging.WARNING, "dal"):
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await until(lambda: not db.pool._burying, "the end of the burial")
        assert "could not kill connection" in caplog.text
        assert "leads to another server" in caplog.text
        primary.root.rows("ROLLBACK")
        for other in others:
            assert (await other.run(b"SELECT 1")).rows == (("1",),)
            other.close()


async def test_the_pool_follows_a_failover(pair: Pair) -> None:
    primary, replica = pair.primary, pair.replica
    recorder = Recorder()
    config = attrs.evolve(pair.config(), pool_min=3, pool_max=3)
    async with dal.connect(on_statement=recorder, **options(config), **CHEAP_HASHES) as db:
        ada = await new_user(db)
        me = db.acting_as(dal.Actor.user(ada.id))
        await until(lambda: replica.users() == primary.users(), "the user on the replica")
        primary.set_read_only(1)
        # Nothing has taken its place yet: each attempt says so, and none is left behind.
        recorder.clear()
        with pytest.raises(dal.ReadOnlyServerError):
            await me.templates.create(name="nowhere", content="x")
        assert {type(error) for error in recorder.errors} == {dal.ReadOnlyServerError}
        assert (await me.users.get(ada.id)).id == ada.id

        replica.root.rows("STOP SLAVE" if replica.engine == "mariadb" else "STOP REPLICA")
        replica.set_read_only(0)
        pair.lead_to(replica)
        recorder.clear()
        made = await me.templates.create(name="here", content="x")
        assert len(recorder.errors) == 1, "one attempt on the old primary, the next on the new one"
        held = "SELECT COUNT(*) FROM dal.templates WHERE id = %s"
        assert replica.root.value(held, made.id.bytes) == 1
        assert primary.root.value(held, made.id.bytes) == 0
        # Not one of the pool leads to the old one any more.
        seen = await asyncio.gather(*(me.templates.get(made.id) for _ in range(9)))
        assert seen == [made] * 9
        assert len(recorder.errors) == 1
