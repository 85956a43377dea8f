"""Where the server is and how to speak to it: URLs, keywords, DAL_URL, secrets that stay so."""

from __future__ import annotations

import os
import re
import ssl as tls
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs

from dal.errors import ConfigError
from dal.secret import Secret

__all__ = ["Config", "PrivateAddress", "parse"]


def _secret(text: Secret | str) -> Secret:
    if isinstance(text, Secret):
        return text
    if not isinstance(text, str):
        raise ConfigError("password: takes str")
    return Secret(text)


def _path(path: str | os.PathLike[str] | None) -> str | None:
    return None if path is None else os.fspath(path)


@attrs.frozen(kw_only=True, slots=True)
class Config:
    """One server, one account, and the limits of the pool that is opened to it.

    Times are in seconds. ``ssl_ca`` (or ``ssl=true``, which trusts the system's authorities) asks
    for TLS, and a server that cannot give it is refused before the password is sent.

    After ``login_max_failures`` wrong passwords an account is locked for ``login_lock_s``. The
    costs of argon2id are the second choice of RFC 9106, for where memory is short; a hash of other
    costs is made anew when its user logs in.
    """

    user: str
    password: Secret = attrs.field(factory=lambda: Secret(""), converter=_secret)
    host: str = "localhost"
    port: int = 3306
    database: str
    unix_socket: str | None = attrs.field(default=None, converter=_path)
    ssl: bool = False
    ssl_ca: str | None = attrs.field(default=None, converter=_path)
    ssl_cert: str | None = attrs.field(default=None, converter=_path)
    ssl_key: str | None = attrs.field(default=None, converter=_path)
    ssl_check_hostname: bool = True
    pool_min: int = 1
    pool_max: int = 10
    acquire_timeout_s: float = 10.0
    connect_timeout_s: float = 10.0
    statement_timeout_s: float = 30.0
    lock_wait_timeout_s: int = 10
    max_idle_s: float = 30.0
    max_lifetime_s: float = 1800.0
    login_max_failures: int = 5
    login_lock_s: int = 1800
    password_min_chars: int = 8
    argon2_time_cost: int = 3
    argon2_memory_kib: int = 65_536
    argon2_parallelism: int = 4

    def __attrs_post_init__(self) -> None:
        for field in attrs.fields(Config):
            kinds = _TYPES[str(field.type)]
            # True is an int to Python, and no port to anybody.
            if type(getattr(self, field.name)) not in kinds:
                names = " or ".join(kind.__name__ for kind in kinds).replace("NoneType", "None")
                raise ConfigError(f"{field.name}: takes {names}")
        for name in ("acquire_timeout_s", "connect_timeout_s", "statement_timeout_s"):
            if not 0 < getattr(self, name) <= 86_400:
                raise ConfigError(f"{name}: more than 0 and at most 86400 seconds")
        # Written so that a NaN is refused too.
        if not self.max_idle_s >= 0 or not self.max_lifetime_s > 0:
            raise ConfigError("max_idle_s: 0 or more seconds; max_lifetime_s: more than 0")
        if not 0 <= self.pool_min <= self.pool_max or not 1 <= self.pool_max <= 1000:
            raise ConfigError("pool_min and pool_max: 0 <= pool_min <= pool_max, 1 to 1000")
        if not 1 <= self.lock_wait_timeout_s <= 3600:
            raise ConfigError("lock_wait_timeout_s: 1 to 3600 seconds")
        if not 1 <= self.port <= 65_535:
            raise ConfigError("port: 1 to 65535")
        if not 1 <= self.login_max_failures <= 1000:
            raise ConfigError("login_max_failures: 1 to 1000 failures")
        if not 1 <= self.login_lock_s <= 31_536_000:
            raise ConfigError("login_lock_s: 1 second to a year")
        if not 1 <= self.password_min_chars <= 64:
            # Whoever asks for more keeps people from using what they can remember.
            raise ConfigError("password_min_chars: 1 to 64 characters")
        if not 1 <= self.argon2_time_cost <= 100 or not 1 <= self.argon2_parallelism <= 64:
            raise ConfigError("argon2_time_cost: 1 to 100; argon2_parallelism: 1 to 64")
        if not 8 * self.argon2_parallelism <= self.argon2_memory_kib <= 4_194_304:
            raise ConfigError("argon2_memory_kib: 8 for each of argon2_parallelism, to 4 GiB")
        if bool(self.ssl_cert) != bool(self.ssl_key):
            raise ConfigError("ssl_cert and ssl_key go together")

    @property
    def wants_tls(self) -> bool:
        """Whether a connection without TLS is to be refused."""
        return self.ssl or self.ssl_ca is not None or self.ssl_cert is not None

    def ssl_context(self) -> tls.SSLContext | None:
        """A verifying context, or None when no TLS is asked for.

        Raises:
            ConfigError: a certificate file cannot be read; the option is named.
        """
        if not self.wants_tls:
            return None
        for name in ("ssl_ca", "ssl_cert", "ssl_key"):
            path = getattr(self, name)
            if path is not None and not Path(path).is_file():
                raise ConfigError(f"{name}: no such file: {path}")
        try:
            context = tls.create_default_context(cafile=self.ssl_ca)
            if self.ssl_cert is not None:
                context.load_cert_chain(self.ssl_cert, self.ssl_key)
        except (OSError, tls.SSLError) as error:
            raise ConfigError(f"ssl_ca, ssl_cert, ssl_key: {error}") from None
        context.check_hostname = self.ssl_check_hostname
        return context

    @property
    def where(self) -> str:
        """The address without any secret, for messages."""
        place = self.unix_socket or f"{self.host}:{self.port}"
        return f"{self.user}@{place}/{self.database}"


@attrs.frozen(slots=True)
class PrivateAddress:
    """``private:`` (the kept private server) or ``private:temporary``, and options.

    ``role`` is that of ``sql/grants.sql`` whose account is used.
    """

    temporary: bool
    engine: Literal["mariadb", "mysql"]
    options: Mapping[str, Any] = attrs.field(factory=dict)
    role: str = "dal_application"


_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "Secret": (Secret,),
}


def _boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered in ("1", "true", "yes", "on"):
        return True
    if lowered in ("0", "false", "no", "off"):
        return False
    raise ValueError("true or false")


_CONVERTERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "str": str,
    "str | None": str,
    "int": int,
    "float": float,
    "bool": _boolean,
}
_PARTS: Final = frozenset({"user", "password", "host", "port", "database"})
# Class-level annotations are strings here (postponed evaluation), which is what is wanted.
_OPTIONS: Final[Mapping[str, Callable[[str], Any]]] = {
    field.name: _CONVERTERS[str(field.type)]
    for field in attrs.fields(Config)
    if field.name not in _PARTS
}


_TLS: Final = "write ssl=true, or ssl_ca=/path/of/the/authority.pem"
_OURS: Final = "leave it out: every setting of a session is set here"
# As other libraries and hosting companies write them in their URLs, and what to write here.
_ELSEWHERE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("ssl-mode", "ssl_mode", "sslmode", "sslMode", "useSSL", "tls"), _TLS),
    **dict.fromkeys(("ssl-ca", "sslca", "sslrootcert", "ssl_ca_file"), "write ssl_ca"),
    **dict.fromkeys(("ssl-cert", "sslcert"), "write ssl_cert"),
    **dict.fromkeys(("ssl-key", "sslkey"), "write ssl_key"),
    **dict.fromkeys(("ssl_verify_cert", "ssl_verify_identity"), "write ssl_check_hostname"),
    **dict.fromkeys(
        ("charset", "collation", "characterEncoding", "useUnicode"),
        "leave it out: it is utf8mb4",
    ),
    **dict.fromkeys(
        ("autocommit",), "leave it out: what is in no transaction is committed by itself"
    ),
    **dict.fromkeys(
        ("init_command", "sql_mode", "time_zone", "timezone", "serverTimezone", "parseTime", "loc"),
        _OURS,
    ),
    **dict.fromkeys(("local_infile", "multiStatements", "pool_pre_ping"), "leave it out"),
    **dict.fromkeys(("connect_timeout", "connectTimeout", "timeout"), "write connect_timeout_s"),
    **dict.fromkeys(("read_timeout", "write_timeout", "readTimeout"), "write statement_timeout_s"),
    **dict.fromkeys(
        ("pool_size", "maxsize", "connection_limit", "connectionLimit", "max_connections"),
        "write pool_max",
    ),
    **dict.fromkeys(("minsize",), "write pool_min"),
    **dict.fromkeys(("pool_timeout",), "write acquire_timeout_s"),
    **dict.fromkeys(("pool_recycle",), "write max_lifetime_s"),
    **dict.fromkeys(("socket", "unix-socket", "unixSocket"), "write unix_socket"),
    **dict.fromkeys(("db", "dbname", "schema"), "write it as the path: mysql://host/database"),
}


def _options(query: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name in _ELSEWHERE:
            raise ConfigError(f"unknown option: {name}: {_ELSEWHERE[name]}")
        if not name.isidentifier():
            # What this is nobody knows; it may be a piece of a password.
            raise ConfigError("the URL has an option that is no name: write name=value after the ?")
        if name not in _OPTIONS:
            raise ConfigError(f"unknown option: {name} (there are: {', '.join(sorted(_OPTIONS))})")
        if name in options:
            raise ConfigError(f"option given twice: {name}")
        try:
            options[name] = _OPTIONS[name](text)
        except ValueError:
            raise ConfigError(f"{name}: not a value of this option") from None
    return options


def _private(url: str, keywords: Mapping[str, Any]) -> PrivateAddress:
    kind, _, query = url.removeprefix("private:").partition("?")
    if kind not in ("", "temporary"):
        raise ConfigError("a private server is `private:` (the kept one) or `private:temporary`")
    engine, role = "mariadb", "dal_application"
    rest: list[str] = []
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        if name == "engine":
            engine = value
        elif name == "role":
            role = value
        else:
            rest.append(pair)
    if engine not in ("mariadb", "mysql"):
        raise ConfigError("engine: mariadb or mysql")
    options = _options("&".join(rest))
    fixed = (set(options) | set(keywords)) & (_PARTS | {"unix_socket", "ssl", "ssl_ca"})
    if fixed:
        raise ConfigError(f"a private server's own: {', '.join(sorted(fixed))}")
    return PrivateAddress(
        kind == "temporary",
        cast(Literal["mariadb", "mysql"], engine),
        {**options, **keywords},
        role,
    )


def _refuse_cut_password(url: str) -> None:
    """User and password end at the first / ? or #, and the rest would be taken for a port, a
    database or an option, and named in an error.
    """
    after_scheme = url.partition("://")[2]
    account_and_host = re.split(r"[/?#]", after_scheme, maxsplit=1)[0]
    if "@" in after_scheme and "@" not in account_and_host:
        raise ConfigError(
            "the URL has an @ after the first / ? or #: in a password write %2F %3F %23 for these, "
            "elsewhere %40 for the @"
        )


def parse(url: str | None = None, **keywords: Any) -> Config | PrivateAddress:
    """The configuration of a URL, of keywords, of both (keywords win), or of ``DAL_URL``.

    ``mysql://user:password@host:3306/database?ssl_ca=/path&pool_max=20``. User, password and
    database are percent-decoded. ``mariadb://`` is the same.

    Raises:
        ConfigError: nothing given and no DAL_URL; an unknown option (named); a malformed value.
            The URL itself is never repeated, since it may hold a password; nor is it in a local
            variable of the traceback.
    """
    try:
        return _parse(url, keywords)
    except ConfigError as error:
        refused = error
    del url, keywords
    refused.__context__ = None
    raise refused.with_traceback(None)


def _parse(url: str | None, keywords: Mapping[str, Any]) -> Config | PrivateAddress:
    unknown = set(keywords) - set(_OPTIONS) - _PARTS
    for name in sorted(unknown & _ELSEWHERE.keys()):
        raise ConfigError(f"unknown option: {name}: {_ELSEWHERE[name]}")
    if unknown:
        raise ConfigError(f"unknown option: {', '.join(sorted(unknown))}")
    if url is None and not {"user", "database"} & set(keywords):
        url = os.environ.get("DAL_URL")
        if not url:
            raise ConfigError(
                "no server given: pass a URL to dal.connect(), or set DAL_URL "
                "(mysql://user:password@host:3306/database, or private: for the kept private one)"
            )
    values: dict[str, Any] = {}
    if url is not None:
        if url.startswith("private:"):
            return _private(url, keywords)
        _refuse_cut_password(url)
        malformed = False
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            malformed = True
        if malformed:
            # Raised here, so that the first error, which repeats a piece of the URL, is forgotten.
            raise ConfigError("the URL is malformed: a port is a number, 1 to 65535")
        if parts.scheme not in ("mysql", "mariadb"):
            raise ConfigError("a URL starts with mysql://, mariadb:// or private:")
        if parts.fragment:
            raise ConfigError("the URL has a #: write it as %23")
        values = _options(parts.query)
        if parts.username:
            values["user"] = unquote(parts.username)
        if parts.password is not None:
            values["password"] = unquote(parts.password)
        if parts.hostname:
            values["host"] = unquote(parts.hostname)
        if port is not None:
            values["port"] = port
        if parts.path.strip("/"):
            values["database"] = unquote(parts.path.removeprefix("/"))
    values.update(keywords)
    for required in ("user", "database"):
        if not values.get(required):
            raise ConfigError(f"{required}: missing in the URL or keywords")
    return Config(**values)
