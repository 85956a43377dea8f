"""What one call of a transfer between accounts gave."""

from __future__ import annotations

import attrs

__all__ = ["AccountTransfer"]


@attrs.frozen(slots=True)
class AccountTransfer:
    """How many were given; ``is_done``: nothing was left that the one who gave owns."""

    conversations: int
    templates: int
    is_done: bool
