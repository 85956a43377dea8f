"""How much memory this process has."""

from __future__ import annotations

import resource
from pathlib import Path

__all__ = ["resident_bytes"]


def resident_bytes() -> int:
    """Bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
