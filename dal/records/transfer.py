"""What is given from account to account: by a transfer, and where an account ends."""

from __future__ import annotations

from uuid import UUID

import attrs

__all__ = ["AccountDeletion", "AccountTransfer", "Successor"]


@attrs.frozen(slots=True)
class AccountTransfer:
    """How many were given; ``is_done``: nothing was left that the one who gave owns."""

    conversations: int
    templates: int
    is_done: bool


@attrs.frozen(slots=True)
class Successor:
    """Who is to own a conversation after its owner."""

    conversation_id: UUID
    user_id: UUID


@attrs.frozen(slots=True)
class AccountDeletion:
    """What became of what an account had: conversations that others go on with, public templates
    that stay without an author, and what is gone: private templates and conversations.
    """

    conversations_given: int = 0
    templates_kept: int = 0
    templates_purged: int = 0
    conversations_purged: int = 0
