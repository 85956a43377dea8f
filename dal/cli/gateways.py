"""``dal gateways``: typed gateways for a folder of .sql files that is not ours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dal.errors import UsageError
from dal.review.gateways import Source, gateway_module, records_of, tables_of
from dal.statements import sql_folder

__all__ = ["write_gateways"]


def write_gateways(
    folder: Path,
    /,
    *,
    out: Path,
    records: Annotated[str | None, Parameter(help="The module of the records.")] = None,
) -> int:
    """Write a class a table and a method a file, from the headers of a folder of .sql files.

    Parameters
    ----------
    folder
        Of ``<table>/<method>.sql``, as ``dal.sql_folder`` reads it.
    out
        The Python file to write. It finds the folder by its path from there.
    """
    statements = sql_folder(folder)
    named = records_of(statements)
    if named and records is None:
        raise UsageError(f"--records: in which module are {', '.join(named)}?")
    way = os.path.relpath(folder.resolve(), out.resolve().parent)
    source = Source(
        folder="SQL",
        imports=("import dal",),
        records=dict.fromkeys(named, records or ""),
        executor=("dal", "Session"),
        preamble=(f'SQL = dal.sql_folder(Path(__file__).parent / "{Path(way).as_posix()}")',),
    )
    out.write_text(gateway_module(statements, tables_of(statements), source), encoding="utf-8")
    return 0
