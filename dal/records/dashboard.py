"""What one user has, at one glance."""

from __future__ import annotations

import attrs

from dal.records.conversation_statistics import ConversationStatistics
from dal.records.prompts import PromptStatus
from dal.records.usage_statistics import UsagePoint, UsageStatistics

__all__ = ["RatingsGiven", "TemplateNumbers", "UserDashboard"]


@attrs.frozen(slots=True)
class TemplateNumbers:
    """Live templates of a user, how often they were used, and the ratings that they got."""

    templates: int
    public: int
    uses: int
    ratings: int
    rating_sum: int

    @property
    def rating(self) -> float | None:
        """The mean of the ratings; None without one."""
        return self.rating_sum / self.ratings if self.ratings else None


@attrs.frozen(slots=True)
class RatingsGiven:
    """What a user thinks of templates."""

    ratings: int
    rating_sum: int

    @property
    def rating(self) -> float | None:
        """The mean of the ratings; None without one."""
        return self.rating_sum / self.ratings if self.ratings else None


@attrs.frozen(slots=True, kw_only=True)
class UserDashboard:
    """Numbers of a user: as of now what is there, and of the last days what was spent.

    ``prompts`` are live ones that the user asked, wherever; ``usage`` is of attempts that ended in
    these days, whatever became of their prompts, and ``days`` the same a day, oldest first.
    """

    conversations: ConversationStatistics
    prompts: dict[PromptStatus, int]
    templates: TemplateNumbers
    ratings_given: RatingsGiven
    usage: UsageStatistics
    days: tuple[UsagePoint, ...]
