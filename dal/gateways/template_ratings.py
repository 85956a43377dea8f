"""The table template_ratings. Written from the .sql files: edit those."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import attrs

from dal.records.dashboard import RatingsGiven
from dal.records.templates import RatingDistribution, TemplateRating
from dal.session import Executor
from dal.statements import house

__all__ = ["TemplateRatingsGateway"]

_DELETE_BY_USER = house().affected("template_ratings/delete_by_user")
_DELETE_OWN = house().affected("template_ratings/delete_own")
_FIND_DISTRIBUTION = house().find("template_ratings/find_distribution", RatingDistribution)
_FIND_OWN = house().find("template_ratings/find_own", TemplateRating)
_GET_GIVEN = house().one("template_ratings/get_given", RatingsGiven)
_INSERT = house().affected("template_ratings/insert")
_LIST_BY_TEMPLATE = house().many("template_ratings/list_by_template", TemplateRating)
_LOCK_OWN = house().find("template_ratings/lock_own", TemplateRating)
_UPDATE_OWN = house().affected("template_ratings/update_own")


@attrs.frozen(slots=True)
class TemplateRatingsGateway:
    """A method per file of ``sql/template_ratings/``."""

    executor: Executor

    async def delete_by_user(self, *, user_id: UUID, limit_rows: int) -> int:
        """Remove what a user thinks of templates, which no sum has any more."""
        return await self.executor.affected(_DELETE_BY_USER, user_id=user_id, limit_rows=limit_rows)

    async def delete_own(self, *, template_id: UUID, actor_id: UUID) -> int:
        """Remove the actor's rating of a template that is locked."""
        return await self.executor.affected(_DELETE_OWN, template_id=template_id, actor_id=actor_id)

    async def find_distribution(
        self, *, template_id: UUID, actor_id: UUID | None, actor_is_system: bool
    ) -> RatingDistribution | None:
        """Count the ratings of live users of a live template that the actor may see by rating."""
        return await self.executor.find(
            _FIND_DISTRIBUTION,
            template_id=template_id,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
        )

    async def find_own(self, *, template_id: UUID, actor_id: UUID) -> TemplateRating | None:
        """Find what the actor thinks of a live template that they may see."""
        return await self.executor.find(_FIND_OWN, template_id=template_id, actor_id=actor_id)

    async def get_given(self, *, user_id: UUID) -> RatingsGiven:
        """Count the ratings that a user gave to live templates that they may see.

        Raises:
            NotFoundError: there is no such row.
        """
        return await self.executor.one(_GET_GIVEN, user_id=user_id)

    async def insert(
        self, *, template_id: UUID, user_id: UUID, rating: int, feedback: str | None, now: datetime
    ) -> int:
        """Rate a template that is locked, as a user who is locked too."""
        return await self.executor.affected(
            _INSERT,
            template_id=template_id,
            user_id=user_id,
            rating=rating,
            feedback=feedback,
            now=now,
        )

    async def list_by_template(
        self,
        *,
        template_id: UUID,
        actor_id: UUID | None,
        actor_is_system: bool,
        before_at: datetime,
        before_id: UUID,
        limit_rows: int,
    ) -> list[TemplateRating]:
        """Page through the ratings of a live template that the actor may see, newest first."""
        return await self.executor.many(
            _LIST_BY_TEMPLATE,
            template_id=template_id,
            actor_id=actor_id,
            actor_is_system=actor_is_system,
            before_at=before_at,
            before_id=before_id,
            limit_rows=limit_rows,
        )

    async def lock_own(self, *, template_id: UUID, actor_id: UUID) -> TemplateRating | None:
        """Lock the actor's rating of a locked template."""
        return await self.executor.find(_LOCK_OWN, template_id=template_id, actor_id=actor_id)

    async def update_own(
        self, *, template_id: UUID, actor_id: UUID, rating: int, feedback: str | None, now: datetime
    ) -> int:
        """Change what the actor thinks of a template that is locked."""
        return await self.executor.affected(
            _UPDATE_OWN,
            template_id=template_id,
            actor_id=actor_id,
            rating=rating,
            feedback=feedback,
            now=now,
        )
