"""Promises that a small table cannot break, on servers with room for 10^6 rows."""

from __future__ import annotations

from typing import Final

__all__ = ["ROOMY"]

ROOMY: Final = (
    "--innodb-buffer-pool-size=512M",
    "--innodb-doublewrite=OFF",
    # MySQL's name of it; MariaDB leaves it.
    "--loose-innodb-redo-log-capacity=1G",
)
"""Options of a server that such a table is loaded into: what is measured is rows, not disks."""
