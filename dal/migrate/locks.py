"""The server's own locks (GET_LOCK), which end with the connection that holds them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from dal.errors import MigrationError

if TYPE_CHECKING:
    from pymysql.cursors import Cursor


def lock_name(database: str, purpose: str) -> str:
    """At most 64 characters, which the name of a database alone can have."""
    name = f"dal:migrate:{purpose}:{database}"
    if len(name) <= 64:
        return name
    digest = hashlib.sha256(database.encode()).hexdigest()
    return f"dal:migrate:{purpose}:{digest[:32]}"


def take_lock(cursor: Cursor, name: str, timeout_s: float, who: str) -> None:
    """Take it, or raise and tell which connection has it."""
    cursor.execute("SELECT GET_LOCK(%s, %s)", (name, timeout_s))
    if cursor.fetchone() == (1,):
        return
    cursor.execute("SELECT IS_USED_LOCK(%s)", (name,))
    row = cursor.fetchone()
    holder = row[0] if row else None
    cursor.execute("SHOW PROCESSLIST")
    seen = [
        f" ({user}@{host}, busy or idle for {seconds} s)"
        for number, user, host, _, _, seconds, *_ in cursor.fetchall()
        if number == holder
    ]
    raise MigrationError(
        f"{who}: waited {timeout_s:g} s for connection {holder}{''.join(seen)};"
        f" if it is to end, KILL {holder}"
    )


def holds_lock(cursor: Cursor, name: str) -> bool:
    """Whether the connection of this cursor still has it."""
    cursor.execute("SELECT IS_USED_LOCK(%s) = CONNECTION_ID()", (name,))
    return bool(cursor.fetchone() == (1,))
