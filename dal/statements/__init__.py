"""SQL as files: read, checked and compiled when the package is imported.

``sql/users/get_by_id.sql`` is the statement ``users/get_by_id``. A gateway asks the folder for a
typed handle of it, and a session runs the handle::

    SQL = dal.sql_folder("sql")
    GET_PET = SQL.one("pets/get_by_id", Pet)

    pet = await me.one(GET_PET, pet_id=pet_id)
"""

from __future__ import annotations

from dal.statements.folder import SqlFolder, house, sql_folder
from dal.statements.handles import (
    Affected,
    Bulk,
    Dynamic,
    Find,
    Handle,
    LastId,
    Many,
    One,
    Value,
)
from dal.statements.header import Header, Param
from dal.statements.statement import Statement

__all__ = [
    "Affected",
    "Bulk",
    "Dynamic",
    "Find",
    "Handle",
    "Header",
    "LastId",
    "Many",
    "One",
    "Param",
    "SqlFolder",
    "Statement",
    "Value",
    "house",
    "sql_folder",
]
