"""Numbers of conversations."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import attrs

__all__ = [
    "ConversationCost",
    "ConversationStatistics",
    "ConversationsOfDay",
    "ShareStatistics",
]


@attrs.frozen(slots=True)
class ConversationStatistics:
    """Of live conversations of live owners. ``cost`` is in US dollars, of live prompts.

    The lengths are numbers of messages by nearest rank: half of the conversations have at most
    ``median_messages``, 95 of a hundred at most ``p95_messages``; 0 where there are none.
    """

    conversations: int
    active: int
    paused: int
    completed: int
    archived: int
    messages: int
    tokens: int
    cost: Decimal
    median_messages: int
    p95_messages: int


@attrs.frozen(slots=True)
class ConversationsOfDay:
    """How many were created on a local day, or in the week that begins with it."""

    day: date
    conversations: int


@attrs.frozen(slots=True)
class ConversationCost:
    """What a conversation cost, in US dollars."""

    id: UUID
    owner_id: UUID
    title: str
    message_count: int
    token_count: int
    cost: Decimal


@attrs.frozen(slots=True)
class ShareStatistics:
    """Links that were made and not purged yet: how many, how many of them were opened, how often
    together, how many were revoked, and how many ended by themselves.
    """

    created: int
    viewed: int
    views: int
    revoked: int
    expired: int
