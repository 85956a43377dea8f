"""TLS that is asked for is had before the password is sent, or there is no link (trap A26)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import attrs
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import dal
from dal.config import Config, parse
from dal.server import Engine, PrivateServer, temporary
from tests.faults.helpers import Cut, Proxy, borrowed, database, root_of, until

PASSWORD = "of-the-tls-test"


@attrs.frozen
class Certificates:
    """A CA, another one, and the server's certificate by the first."""

    ca: Path
    other_ca: Path
    cert: Path
    key: Path


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write(
    folder: Path,
    name: str,
    *,
    by: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
    hosts: tuple[str, ...] = (),
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    issuer, issuer_key = (by[0].subject, by[1]) if by else (_name(name), key)
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=by is None, crl_sign=by is None,
        content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if hosts:
        names = [
            x509.IPAddress(ip_address(h)) if h[0].isdigit() else x509.DNSName(h) for h in hosts
        ]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = builder.sign(issuer_key, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, key


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("tls")
    ca = _write(folder, "ca", by=None)
    _write(folder, "other-ca", by=None)
    _write(folder, "server", by=ca, hosts=("127.0.0.1",))
    (folder / "server.key").chmod(0o600)
    return Certificates(
        folder / "ca.pem", folder / "other-ca.pem", folder / "server.pem", folder / "server.key"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _over_tcp(engine: Engine, *options: str) -> Iterator[tuple[PrivateServer, Config]]:
    port = _free_port()
    tcp = ("--skip-networking=OFF", "--bind-address=127.0.0.1", f"--port={port}")
    with temporary(engine, options=(*tcp, *options)) as server:
        admin = parse(server.admin_url("mysql"))
        assert isinstance(admin, Config)
        with root_of(admin) as root:
            root.rows("CREATE DATABASE tests_tls")
            root.rows(f"CREATE USER tests_tls@'%%' IDENTIFIED BY '{PASSWORD}'".replace("%%", "%"))
            root.rows("GRANT ALL ON tests_tls.* TO tests_tls@'%'")
        yield (
            server,
            Config(
                user="tests_tls",
                password=PASSWORD,
                host="127.0.0.1",
                port=port,
                database="tests_tls",
                connect_timeout_s=5.0,
            ),
        )


@pytest.fixture(scope="module")
def with_tls(engine: Engine, certificates: Certificates) -> Iterator[tuple[PrivateServer, Config]]:
    yield from _over_tcp(
        engine,
        f"--ssl-ca={certificates.ca}",
        f"--ssl-cert={certificates.cert}",
        f"--ssl-key={certificates.key}",
    )


@pytest.fixture(scope="module")
def without_tls(engine: Engine) -> Iterator[tuple[PrivateServer, Config]]:
    yield from _over_tcp(engine, "--skip-ssl" if engine == "mariadb" else "--tls-version=")


async def cipher(db: dal.Database) -> str:
    async with borrowed(db) as connection:
        (row,) = (await connection.run(b"SHOW STATUS LIKE 'Ssl_cipher'")).rows
        return str(row[1])


async def test_a_trusted_server(
    with_tls: tuple[PrivateServer, Config], certificates: Certificates
) -> None:
    _, config = with_tls
    async with database(config, ssl_ca=certificates.ca) as db:
        assert await cipher(db) != ""
    url = (
        f"mysql://{config.user}:{PASSWORD}@127.0.0.1:{config.port}/{config.database}"
        f"?ssl_ca={certificates.ca}"
    )
    async with dal.connect(url) as db:
        assert await cipher(db) != ""
    # Without a word about it there is none, which is the caller's choice; the password is hashed.
    async with database(config) as db:
        assert await cipher(db) == ""


async def test_over_a_socket_too(
    with_tls: tuple[PrivateServer, Config], certificates: Certificates
) -> None:
    server, config = with_tls
    asked = {"unix_socket": server.socket, "ssl_ca": certificates.ca}
    async with database(config, **asked) as db:
        assert await cipher(db) != ""


async def test_a_cancelled_statement_under_tls(
    with_tls: tuple[PrivateServer, Config], certificates: Certificates
) -> None:
    _, config = with_tls
    async with database(config, ssl_ca=certificates.ca, pool_max=1) as db:
        connection = await db.pool.borrow()
        task = asyncio.create_task(connection.run(b"SELECT SLEEP(30)"))
        await until(lambda: connection.busy, "the statement")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        db.pool.release(connection)
        assert await cipher(db) != ""


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"ssl_ca": "other"}, "certificate verify failed"),
        ({"ssl": True}, "certificate verify failed"),
        ({"ssl_ca": "other", "ssl_check_hostname": False}, "certificate verify failed"),
        ({"ssl_ca": "right", "host": "localhost"}, "(?i)hostname"),
    ],
)
async def test_a_server_that_is_not_the_one(
    with_tls: tuple[PrivateServer, Config],
    certificates: Certificates,
    change: dict[str, object],
    why: str,
) -> None:
    _, config = with_tls
    paths = {"right": certificates.ca, "other": certificates.other_ca}
    more = {name: paths.get(str(value), value) for name, value in change.items()}
    with pytest.raises(dal.ConnectError, match=why):
        async with database(config, **more):
            pass


async def test_a_name_may_be_left_unchecked(
    with_tls: tuple[PrivateServer, Config], certificates: Certificates
) -> None:
    _, config = with_tls
    async with database(
        config, host="localhost", ssl_ca=certificates.ca, ssl_check_hostname=False
    ) as db:
        assert await cipher(db) != ""


@pytest.mark.parametrize("asked", ["ssl", "ssl_ca"])
async def test_a_server_without_is_sent_nothing(
    without_tls: tuple[PrivateServer, Config],
    certificates: Certificates,
    tmp_path: Path,
    asked: str,
) -> None:
    server, config = without_tls
    # Over the socket first: MySQL then has the password's hash, and needs no secure link for it.
    async with database(config, unix_socket=server.socket):
        pass
    async with database(config) as db:
        assert await cipher(db) == ""
    sent: list[bytes] = []

    def keep(data: bytes) -> Cut:
        sent.append(data)
        return Cut.PASS

    proxy = Proxy(tmp_path / "proxy.sock", str(server.socket), keep)
    wanted: dict[str, object] = {"ssl": True} if asked == "ssl" else {"ssl_ca": certificates.ca}
    async with proxy.listening():
        with pytest.raises(dal.ConnectError, match="TLS was asked for"):
            async with database(config, unix_socket=proxy.path, **wanted):
                pass
        with pytest.raises(dal.ConnectError, match="TLS was asked for"):
            async with database(config, **wanted):
                pass
    assert proxy.n_links == 1
    # Not a byte: neither the password nor its hash, nor the name of the user.
    assert sent == []


async def test_the_password_is_not_sent_in_clear_text() -> None:
    """A server, or who stands in its place, asks for the password itself."""
    got: list[bytes] = []

    async def rogue(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeting = (
            b"\x0a8.0.40\0" + b"\x01\0\0\0" + b"12345678\0" + b"\xff\xf7" + b"\x21" + b"\x02\0"
            + b"\xff\x81" + b"\x15" + b"\0" * 10 + b"123456789012\0" + b"mysql_native_password\0"
        )  # fmt: skip
        writer.write(len(greeting).to_bytes(3, "little") + b"\0" + greeting)
        got.append(await reader.read(65536))
        switch = b"\xfemysql_clear_password\x00"
        writer.write(len(switch).to_bytes(3, "little") + b"\x02" + switch)
        got.append(await reader.read(65536))
        writer.close()

    listener = await asyncio.start_server(rogue, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    try:
        with pytest.raises(dal.ConnectError, match="clear text"):
            async with dal.connect(
                user="u", password=PASSWORD, host="127.0.0.1", port=port, database="d"
            ):
                pass
        await until(lambda: len(got) == 2, "the end of the link")
    finally:
        listener.close()
        await listener.wait_closed()
    assert got[1] == b""
    assert PASSWORD.encode() not in got[0]


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for name in ("ssl_ca", "ssl_cert"):
        files = ["ssl_ca"] if name == "ssl_ca" else ["ssl_cert", "ssl_key"]
        absent: dict[str, Any] = {file: tmp_path / f"no-{file}.pem" for file in files}
        wrong = parse(user="u", database="d", **absent)
        assert isinstance(wrong, Config)
        with pytest.raises(dal.ConfigError, match=name):
            wrong.ssl_context()
    (tmp_path / "empty.pem").write_text("no certificate")
    with pytest.raises(dal.ConfigError, match="ssl_ca"):
        Config(user="u", database="d", ssl_ca=str(tmp_path / "empty.pem")).ssl_context()


async def test_a_missing_file_is_a_config_error(config: Config, tmp_path: Path) -> None:
    with pytest.raises(dal.ConfigError, match="ssl_ca: no such file"):
        async with database(config, ssl_ca=tmp_path / "no.pem"):
            pass


@pytest.fixture(autouse=True)
async def _no_transport_is_left() -> AsyncIterator[None]:
    """Let the ends of TLS links pass through the loop, so that a lost one would be seen here."""
    yield
    for _ in range(10):
        await asyncio.sleep(0)
