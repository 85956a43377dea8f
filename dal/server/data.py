"""Data folders. A new one is a copy of a pristine one in the cache: a copy takes no second."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dal.errors import ConfigError, ConnectError
from dal.server.process import MYSQL_OPTIONS, as_this_user, log_tail
from dal.server.programs import cache_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dal.server.programs import Program

_INITIALISE_TIMEOUT_S: Final = 300
# In this order, what mariadb-install-db reads; without its test database, whose accounts without
# a name would shadow 'app'@'%', and without the help texts.
_MARIADB_SQL: Final = (
    "mysql_system_tables.sql",
    "mysql_performance_tables.sql",
    "mysql_system_tables_data.sql",
    "maria_add_gis_sp_bootstrap.sql",
    "mysql_sys_schema.sql",
)
# root comes in by the socket only, so the accounts for hosts are of no use.
_MARIADB_LAST: Final = (
    "DELETE FROM mysql.global_priv WHERE User IN ('', 'root') AND Host <> 'localhost';\n"
    "DELETE FROM mysql.proxies_priv WHERE Host <> 'localhost';\n"
)


def redo_log_options(program: Program, mib: int) -> list[str]:
    """The size of the redo log, for which the servers have different names."""
    if program.engine == "mysql" and program.version >= (8, 0, 30):
        return [f"--innodb-redo-log-capacity={mib}M"]
    files = 2 if program.engine == "mysql" else 1
    return [f"--innodb-log-file-size={mib // files}M"]


def new_data_folder(program: Program, target: Path) -> None:
    """Make a data folder with the account root@localhost, no password, and no other person.

    Raises:
        ConfigError: the cache cannot be written, or the program lacks files to make a data folder.
        ConnectError: the server failed to make it.
    """
    pristine = _pristine(program)
    copy = subprocess.run(  # noqa: S603
        ["cp", "-R", "--reflink=auto", "--", str(pristine), str(target)],  # noqa: S607
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if copy.returncode:
        raise ConfigError(f"cannot make a data folder: {copy.stderr.strip()}")
    target.chmod(0o700)
    # Its identity, which a server of MySQL makes for itself: two of one identity cannot replicate.
    (target / "auto.cnf").unlink(missing_ok=True)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock file; the kernel releases it with the process, however that ends."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _pristine(program: Program) -> Path:
    version = ".".join(map(str, program.version))
    origin = hashlib.sha256(os.fsencode(program.path)).hexdigest()[:8]
    folder = cache_folder() / "pristine"
    ready = folder / f"{program.engine}-{version}-{origin}"
    if ready.is_dir():
        return ready
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with exclusive(folder / f".{ready.name}.lock"):
            if not ready.is_dir():
                _make_pristine(program, ready)
    except OSError as error:
        raise ConfigError(f"cannot write the cache: {error}; set DAL_CACHE_DIR") from error
    return ready


def _make_pristine(program: Program, ready: Path) -> None:
    for left_by_a_killed_run in ready.parent.glob(f".{ready.name}-work-*"):
        shutil.rmtree(left_by_a_killed_run, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".{ready.name}-work-", dir=ready.parent) as name:
        work = Path(name)
        (work / "scratch").mkdir()
        options = [
            f"--datadir={work}/data",
            f"--tmpdir={work}/scratch",
            f"--log-error={work}/error.log",
            "--innodb-use-native-aio=OFF",
            "--character-set-server=utf8mb4",
            *redo_log_options(program, 64),
            *as_this_user(),
        ]
        if program.engine == "mysql":
            options += ["--initialize-insecure", *MYSQL_OPTIONS]
            script = ""
        else:
            (work / "data").mkdir(mode=0o700)
            options += ["--bootstrap", "--skip-grant-tables", "--max-allowed-packet=16M"]
            script = _mariadb_script(program)
        done = subprocess.run(  # noqa: S603
            [*program.command(), *options],
            input=script,
            capture_output=True,
            text=True,
            timeout=_INITIALISE_TIMEOUT_S,
            env=program.environment(),
            check=False,
        )
        if done.returncode:
            said = f"{done.stderr}\n{log_tail(work / 'error.log')}".strip()
            raise ConnectError(f"{program.title} could not make a data folder:\n{said}")
        (work / "data").rename(ready)


def _mariadb_script(program: Program) -> str:
    folders = program.shared_folders()
    for folder in folders:
        if (folder / _MARIADB_SQL[0]).is_file():
            texts = [(folder / name).read_text(encoding="utf-8") for name in _MARIADB_SQL]
            start = "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n"
            return start + "\n".join(texts) + "\n" + _MARIADB_LAST
    looked = ", ".join(map(str, folders))
    raise ConfigError(f"{program.path}: no {_MARIADB_SQL[0]} in {looked}")
