"""What stands for "as it is" where None is a value."""

from __future__ import annotations

from enum import Enum
from typing import Final

__all__ = ["KEEP", "Keep"]


class Keep(Enum):
    """The type of :data:`KEEP`."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP
"""What a field that is not to be changed is given; None would empty it."""
