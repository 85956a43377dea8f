"""Private MariaDB and MySQL servers: on a Unix socket in a folder of mode 0700, no TCP port.

    with temporary("mysql") as server:      gone with its owner, even one killed by SIGKILL
        connect(server.admin_url())

    server = kept_start()                   stays until kept_stop(), what `private:` means

``programs`` finds a server program, ``data`` makes data folders, ``process`` speaks to processes
and sockets, ``temporary`` and ``kept`` are the two kinds. ``supervisor`` is a program of its own.
No database service of the machine is started, stopped or written.
"""

from dal.server.kept import kept_credentials_path, kept_start, kept_status, kept_stop
from dal.server.private import PrivateServer
from dal.server.programs import Engine, Program, cache_folder, find_program, identify
from dal.server.temporary import start_temporary, temporary

__all__ = [
    "Engine",
    "PrivateServer",
    "Program",
    "cache_folder",
    "find_program",
    "identify",
    "kept_credentials_path",
    "kept_start",
    "kept_status",
    "kept_stop",
    "start_temporary",
    "temporary",
]
