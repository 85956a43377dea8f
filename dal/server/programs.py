"""Server programs: which there are, and how each has to be called."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from dal.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

Engine = Literal["mariadb", "mysql"]

MINIMUM: Final[dict[Engine, tuple[int, int, int]]] = {"mariadb": (10, 6, 0), "mysql": (8, 0, 22)}
TITLES: Final[dict[Engine, str]] = {"mariadb": "MariaDB", "mysql": "MySQL"}
_IN_CACHE: Final[dict[Engine, str]] = {
    "mariadb": "servers/mariadb/usr/sbin/mariadbd",
    "mysql": "servers/mysql/usr/sbin/mysqld",
}
# "Ver 10.11.18-MariaDB-0+deb12u1 for debian-linux-gnu", "Ver 9.7.4-2 for Linux on x86_64". The
# clients of MariaDB ("Ver 15.1 Distrib 10.11.18-MariaDB") do not match.
_VERSION: Final = re.compile(r"\sVer (\d+)\.(\d+)\.(\d+)(\S*) for ")
# Where servers live that no PATH of an ordinary user names.
_SYSTEM_FOLDERS: Final = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec")


def cache_folder() -> Path:
    """The folder of everything that can be had again; it need not exist.

    Raises:
        ConfigError: there is no home folder to put it in.
    """
    if named := os.environ.get("DAL_CACHE_DIR"):
        return Path(named).expanduser().absolute()
    if named := os.environ.get("XDG_CACHE_HOME"):
        return Path(named).absolute() / "dal"
    try:
        return Path.home() / ".cache" / "dal"
    except RuntimeError as error:
        raise ConfigError("no home folder for the cache: set DAL_CACHE_DIR") from error


@dataclass(frozen=True, slots=True)
class Program:
    """A server program, known by what its ``--version`` says."""

    engine: Engine
    version: tuple[int, int, int]
    path: Path

    @property
    def title(self) -> str:
        """For messages: ``MySQL 9.7.4``."""
        return f"{TITLES[self.engine]} {'.'.join(map(str, self.version))}"

    def command(self) -> list[str]:
        """The start of a command line, ``--no-defaults`` and the program's own folders included.

        No option file is read. A program in a tree unpacked from packages runs on the C library
        and the libraries of that tree.
        """
        return [*_launcher(self.path), "--no-defaults", *self._folders()]

    def shared_folders(self) -> list[Path]:
        """Where this program's SQL files and messages may be."""
        base = self.path.resolve().parent.parent
        return [base / "share/mysql", base / "share/mariadb", base / "share"]

    def environment(self) -> dict[str, str]:
        """What the server sees of the environment: nothing of the caller's that could bend it."""
        kept = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        if _tree(self.path):  # the machine's OpenSSL settings are for another OpenSSL
            kept["OPENSSL_CONF"] = os.devnull
        return kept

    def _folders(self) -> list[str]:
        tree = _tree(self.path)
        if not tree:
            return [f"--basedir={self.path.resolve().parent.parent}"]
        return [
            f"--basedir={tree}/usr",
            f"--lc-messages-dir={tree}/usr/share/mysql",
            f"--character-sets-dir={tree}/usr/share/mysql/charsets",
            f"--plugin-dir={tree}/usr/lib/mysql/plugin",
        ]


def identify(path: Path) -> Program:
    """Ask a program which server it is; its name says nothing (Debian's mysqld is a MariaDB).

    Raises:
        ConfigError: it cannot be run, or is no server of ours.
    """
    path = path.expanduser().absolute()
    if not path.is_file() or not os.access(path, os.X_OK):
        raise ConfigError(f"{path} is no program that can be run")
    try:
        done = subprocess.run(  # noqa: S603 - the caller's or the machine's own server program
            [*_launcher(path), "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"{path} --version: {error}") from error
    found = _VERSION.search(done.stdout)
    if not found:
        said = (done.stdout.strip() or done.stderr.strip())[:200]
        raise ConfigError(
            f"{path} is neither a MariaDB nor a MySQL server: {said or 'it is silent'}"
        )
    engine: Engine = "mariadb" if "mariadb" in found[4].lower() else "mysql"
    return Program(engine, (int(found[1]), int(found[2]), int(found[3])), path)


def find_program(engine: Engine = "mariadb", server: Path | None = None) -> Program:
    """Find a server program of an engine.

    - ``server`` given: that program as it is, of whichever engine it says it is
    - $DAL_SERVER_MARIADB or $DAL_SERVER_MYSQL set: that program, and it must be of the engine
    - else the first of the cache and of the machine's programs that is recent enough

    Raises:
        ConfigError: there is none; the message names everything that was tried.
    """
    if server is not None:
        return _recent_enough(identify(server))
    variable = f"DAL_SERVER_{engine.upper()}"
    if named := os.environ.get(variable):
        try:
            return _fit(identify(Path(named)), engine)
        except ConfigError as error:
            raise ConfigError(f"{variable}: {error}") from error
    tried = [f"{variable} is not set"]
    for candidate in _candidates(engine):
        try:
            return _fit(identify(candidate), engine)
        except ConfigError as error:
            tried.append(str(error))
    needed = ".".join(map(str, MINIMUM[engine]))
    raise ConfigError(
        "\n  ".join([f"no {TITLES[engine]} server of {needed} or later. Tried:", *tried])
        + "\nrun scripts/servers"
    )


def _candidates(engine: Engine) -> Iterator[Path]:
    yield cache_folder() / _IN_CACHE[engine]
    folders = [*os.environ.get("PATH", os.defpath).split(os.pathsep), *_SYSTEM_FOLDERS]
    seen: set[Path] = set()
    for folder in filter(os.path.isabs, folders):
        for name in ("mariadbd", "mysqld"):
            path = Path(folder, name)
            if path.exists() and path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _fit(program: Program, engine: Engine) -> Program:
    if program.engine != engine:
        raise ConfigError(f"{program.path} is {program.title}, not {TITLES[engine]}")
    return _recent_enough(program)


def _recent_enough(program: Program) -> Program:
    if program.version < MINIMUM[program.engine]:
        needed = ".".join(map(str, MINIMUM[program.engine]))
        raise ConfigError(f"{program.path} is {program.title}, older than {needed}")
    return program


def _tree(path: Path) -> Path | None:
    """The root of the unpacked packages that a program lies in, None for an installed one."""
    real = path.resolve()
    if real.parent.match("*/usr/sbin"):
        root = real.parents[2]
        return root if _loader(root) else None
    return None


def _loader(root: Path) -> Path | None:
    found = (path for lib in ("lib", "usr/lib") for path in root.glob(f"{lib}/*/ld-linux*.so.*"))
    return next(found, None)


def _launcher(path: Path) -> list[str]:
    """How to run a program: one of an unpacked tree by the loader of that tree."""
    root = _tree(path)
    loader = _loader(root) if root else None
    if not loader:
        return [str(path)]
    folder = loader.parent.name
    libraries = f"{root}/lib/{folder}:{root}/usr/lib/{folder}"
    return [str(loader), "--inhibit-cache", "--library-path", libraries, str(path.resolve())]
